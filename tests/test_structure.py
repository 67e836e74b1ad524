"""The house stands as it was drawn: who may import whom, who may talk, and what is pure."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOMES = {
    "exactonline_client": ROOT / "exactonline-client",
    "tap_exactonline": ROOT / "tap-exactonline",
    "mapper_exactonline": ROOT / "transform",
    "target_exactonline": ROOT / "target-exactonline",
    "exactonline_console": ROOT / "console",
    "exactonline_sandbox": ROOT / "sandbox",
    "exactonline_probe": ROOT / "probe",
}
MAY_IMPORT = {
    "exactonline_client": set[str](),
    "tap_exactonline": {"exactonline_client"},
    "mapper_exactonline": {
        "exactonline_client.entities",
        "exactonline_client.errors",
        "exactonline_client.lists.policies",
        "exactonline_client.plugin",
    },
    "target_exactonline": {
        "exactonline_client",
        "mapper_exactonline.fan_out",
        "mapper_exactonline.settings",
        "mapper_exactonline.shapes",
        "mapper_exactonline.streams",
    },
    "exactonline_console": {
        "exactonline_client",
        "mapper_exactonline.fan_out",
        "mapper_exactonline.shapes",
        "target_exactonline.planning.safety",
        "target_exactonline.store",
    },
    "exactonline_sandbox": set[str](),  # it must not share the mistakes of what it tests
    "exactonline_probe": {  # a login of the store, and nothing of what it puts to the test
        *("exactonline_client.auth", "exactonline_client.command_line", "exactonline_client.errors"),
        *("exactonline_client.redaction", "exactonline_client.schema", "exactonline_client.settings"),
        *("exactonline_client.store", "exactonline_client.tokens", "exactonline_client.transport"),
    },
}
NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "ssl", "urllib.request", "urllib3"}
REQUESTS_TYPES = {
    "requests.ConnectionError",
    "requests.PreparedRequest",
    "requests.RequestException",
    "requests.Response",
    "requests.adapters.BaseAdapter",
}
PURE_MODULES = [
    "exactonline_client.advice",
    "exactonline_client.answers",
    "exactonline_client.divisions",
    "exactonline_client.entities",
    "exactonline_client.error_texts",
    "exactonline_client.errors",
    "exactonline_client.feeds.bookmark",
    "exactonline_client.forecast",
    "exactonline_client.limits",
    "exactonline_client.lists.entries",
    "exactonline_client.lists.policies",
    "exactonline_client.odata",
    "exactonline_client.readiness",
    "exactonline_client.redaction",
    "exactonline_client.refreshes",
    "exactonline_client.retries",
    "exactonline_client.verdicts",
    "exactonline_client.zones",
    "exactonline_console.security",
    "exactonline_probe.ceilings",
    "exactonline_probe.question",
    "exactonline_probe.replies",
    "mapper_exactonline.fan_out",
    "mapper_exactonline.settings",
    "mapper_exactonline.shapes",
    "mapper_exactonline.streams",
    "tap_exactonline.bookmarks",
    "target_exactonline.intake.validation",
    "target_exactonline.planning.approvals",
    "target_exactonline.planning.collisions",
    "target_exactonline.planning.compare",
    "target_exactonline.planning.decide",
    "target_exactonline.planning.drift",
    "target_exactonline.planning.holds",
    "target_exactonline.planning.identity",
    "target_exactonline.planning.match_keys",
    "target_exactonline.planning.matching",
    "target_exactonline.planning.merge",
    "target_exactonline.planning.model",
    "target_exactonline.planning.recovery",
    "target_exactonline.planning.references",
    "target_exactonline.planning.safety",
    "target_exactonline.planning.source_deletions",
    "target_exactonline.planning.undo",
]
MOST_LINES = 350
BROUGHT_ALONG = {
    "exactonline_client": {"alembic"},  # it runs the scripts that a program brings for its own tables
    "argon2_cffi": {"argon2"},
    "exactonline_mapper": {"mapper_exactonline"},
    "exactonline_tap": {"tap_exactonline"},
    "exactonline_target": {"target_exactonline"},
    "python_dotenv": {"dotenv"},
    "python_stdnum": {"stdnum"},
    "ruamel.yaml": {"ruamel"},
    "requests_oauthlib": {"requests", "oauthlib"},
    "singer_sdk[msgspec]": {"msgspec"},
}
"""What a dependency is made of, or named in its own code."""
NO_IO = {
    "__future__",
    "array",
    "base64",
    "bisect",
    "collections",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email.utils",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "shlex",
    "textwrap",
    "typing",
    "unicodedata",
    "urllib.parse",
    "uuid",
    "zoneinfo",  # reads the time zones of the system, which are constants
    "phonenumbers",
    "pycountry",
    "stdnum",
}
EFFECTS = {"open", "print", "input", "exec", "eval", "now", "utcnow", "today", "sleep", "read_text", "write_text"}


def source_files() -> Iterator[tuple[str, Path]]:
    """Every module of the house by its dotted name."""
    for package, home in HOMES.items():
        for file in (home / package).rglob("*.py"):
            parts = file.relative_to(home).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


FILES = dict(source_files())
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in FILES.items()}


def imported(name: str, tree: ast.Module) -> set[str]:
    """The modules that a module imports, wherever in it; of other packages the names within them too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if FILES.get(name, Path()).name == "__init__.py" else name.split(".")[:-1]
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            source = ".".join(part for part in (above, node.module) if part)
            found |= {
                f"{source}.{alias.name}" if is_module_or_foreign(f"{source}.{alias.name}") else source
                for alias in node.names
            }
    return found


def is_module_or_foreign(name: str) -> bool:
    return name in FILES or name.partition(".")[0] not in HOMES


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def used(tree: ast.Module, library: str) -> set[str]:
    """What a module takes from a library, by its dotted names."""
    called = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == library
    }
    attributes = {
        f"{library}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called
    }
    return attributes | {name for name in imported("", tree) if name.startswith(f"{library}.")}


def lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def closure(name: str) -> set[str]:
    """A module and all modules of the house that it comes to need."""
    seen: set[str] = set()
    to_see = {name}
    while to_see:
        one = to_see.pop()
        seen.add(one)
        parents = {one.rpartition(".")[0]} - {""}
        to_see |= ({other for other in imported(one, TREES[one]) if other in FILES} | parents) - seen
    return seen


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import exactonline_client.client", "exactonline_client.client"),
        ("from exactonline_client import client", "exactonline_client.client"),
        ("from exactonline_client.client import ExactClient as E", "exactonline_client.client"),
        ("def late():\n    from exactonline_client import client", "exactonline_client.client"),
        ("if TYPE_CHECKING:\n    import exactonline_client.client as c", "exactonline_client.client"),
        ("from . import holds", "target_exactonline.planning.holds"),
        ("from .holds import held", "target_exactonline.planning.holds"),
        ("from urllib import request", "urllib.request"),
    ],
)
def test_an_import_is_seen_in_every_form(text: str, module: str) -> None:
    assert imported("target_exactonline.planning.decide", ast.parse(text)) == {module}


@pytest.mark.parametrize("package", HOMES)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    wrong = {
        f"{name} imports {other}"
        for name, tree in TREES.items()
        if is_within(name, {package})
        for other in imported(name, tree)
        if is_within(other, set(HOMES)) and not is_within(other, MAY_IMPORT[package] | {package})
    }

    assert wrong == set()


def test_the_client_knows_nothing_of_singer() -> None:
    wrong = {
        name
        for name, tree in TREES.items()
        if is_within(name, {"exactonline_client"})
        for other in imported(name, tree)
        if is_within(other, {"singer_sdk", "meltano"})
    }

    assert wrong == set()


def test_only_the_transport_opens_connections() -> None:
    talking = {
        name
        for name, tree in TREES.items()
        if not is_within(name, {"exactonline_sandbox", "exactonline_probe.wire"})
        if any(is_within(other, NETWORK) for other in imported(name, tree))
    }

    assert talking == {f"exactonline_client.{name}" for name in ("transport", "oauth")}
    assert used(TREES["exactonline_client.oauth"], "requests") <= REQUESTS_TYPES


def test_only_the_command_of_the_page_serves() -> None:
    serving = {name for name, tree in TREES.items() if any(is_within(one, {"uvicorn"}) for one in imported(name, tree))}

    assert serving == {"exactonline_console.command"}


def test_nothing_is_imported_behind_the_back_of_these_tests() -> None:
    hidden = {
        name
        for name, tree in TREES.items()
        if "importlib" in imported(name, tree)
        or any(isinstance(node, ast.Name) and node.id == "__import__" for node in ast.walk(tree))
        or "import_module" in ast.dump(tree)
    }

    assert hidden == set()


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_and_all_it_needs_import_nothing_that_does_io(module: str) -> None:
    foreign = {
        f"{name} imports {other}"
        for name in closure(module)
        for other in imported(name, TREES[name])
        if other not in FILES and not is_within(other, NO_IO)
    }

    assert foreign == set()


@pytest.mark.parametrize("module", PURE_MODULES)
def test_a_pure_module_opens_nothing_and_looks_at_no_clock(module: str) -> None:
    effects = {
        f"{name} calls {called}"
        for name in closure(module)
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Call)
        if (called := getattr(node.func, "id", getattr(node.func, "attr", ""))) in EFFECTS
    }

    assert effects == set()


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    long = {name: lines for name, file in FILES.items() if (lines := lines_of(file)) > MOST_LINES}
    long = {name: lines for name, lines in long.items() if "migrations" not in name}  # one step each, and then frozen

    assert long == {}


def test_no_two_files_of_tests_have_one_name() -> None:
    names = Counter(file.name for file in (ROOT / "tests").rglob("test_*.py"))

    assert {name for name, count in names.items() if count > 1} == set()


def test_planning_is_pure_but_for_what_looks_into_the_store() -> None:
    modules = {name for name in FILES if name.startswith("target_exactonline.planning.")}

    assert {name.rpartition(".")[2] for name in modules - set(PURE_MODULES)} == {
        "ends",
        "first_contact",
        "late",
        "parents",
        "planner",
        "referred",
        "siblings",
        "signing",
        "situations",
        "terms",
    }


@pytest.mark.parametrize("package", HOMES)
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (HOMES[package] / package / "py.typed").is_file()


def test_every_folder_that_can_be_installed_is_one_of_these() -> None:
    assert {file.parent for file in ROOT.glob("*/pyproject.toml")} == set(HOMES.values())


@pytest.mark.parametrize("package", HOMES)
def test_a_package_declares_what_it_imports(package: str) -> None:
    project = (HOMES[package] / "pyproject.toml").read_text(encoding="utf-8")
    arrays = re.findall(r"^[\w-]+ = \[(.*?)\]$", project.partition("\n[build-system]")[0], re.DOTALL | re.MULTILINE)
    listed = "".join(arrays)  # the dependencies and the extras
    declared = {name.lower().replace("-", "_") for name in re.findall(r'"([\w.-]+(?:\[\w+\])?)', listed)}
    foreign = {
        other.partition(".")[0]
        for name, tree in TREES.items()
        if is_within(name, {package})
        for other in imported(name, tree)
    }

    come_with = set[str]().union(*(BROUGHT_ALONG.get(name, set()) for name in declared))
    known = {name.partition("[")[0] for name in declared} | come_with | sys.stdlib_module_names
    assert foreign - known - {package, "_typeshed"} == set()
