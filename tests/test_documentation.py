"""What the documentation says is what the code does."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from exactonline_client.command_line import VARIABLES
from exactonline_client.entities import ACCOUNTS, Trait
from exactonline_client.vault import KEY_VARIABLE
from meltano_driver import manifest
from ruamel.yaml import YAML
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.runs import RUN_BY_VARIABLE, RUN_ID_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted(ROOT.glob("[!.]*/README.md")), *GUIDES, *DECISIONS]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)")
FILE_NAME = re.compile(r"`([\w./-]+\.(?:py|yml|md|toml))`")
CODE = re.compile(r"`([^`\n]+)`|^ {4,}(.+)$", re.MULTILINE)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


generate = generator()


@pytest.fixture(scope="module")
def abouts() -> dict[str, Any]:
    return generate.read_abouts()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code_of(text: str) -> Iterator[str]:
    """Everything that stands as code: between backticks, or indented."""
    for in_line, indented in CODE.findall(text):
        yield in_line or indented


def anchors_of(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


# Settings


def test_settings_tables_are_those_of_the_code(abouts):
    assert list(generate.stale_pages(abouts)) == []


def test_a_declaration_for_meltano_that_is_stale_is_noticed(abouts, monkeypatch, tmp_path):
    older = tmp_path / "exactonline.meltano.yml"
    older.write_text(
        generate.DECLARATIONS.read_text(encoding="utf-8").replace("sensitive: true", "sensitive: false", 1)
    )
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "DECLARATIONS", older)
    monkeypatch.setattr(generate, "_pages", list)

    assert "exactonline.meltano.yml: not what the plugins say of themselves; say `make docs`." in [
        *generate.stale_pages(abouts)
    ]


def test_meltano_knows_every_secret_and_every_way_to_rename_columns():
    declared = YAML(typ="safe").load(generate.DECLARATIONS)["plugins"]
    for kind in ("extractors", "loaders"):
        settings = {one["name"]: one for one in declared[kind][0]["settings"]}
        assert {name for name, one in settings.items() if one.get("sensitive")} >= {"client_secret", "refresh_token"}
        assert {"stream_maps", "stream_map_config", "flattening_enabled"} <= settings.keys()


def test_the_readme_shows_the_settings_of_every_plugin(abouts):
    for plugin in abouts:
        assert f"<!-- settings: {plugin} -->" in README


def test_a_stale_table_is_noticed(abouts):
    text = "<!-- settings: tap-exactonline -->\nof yesterday\n<!-- /settings -->\nand the rest\n"

    filled = generate.with_tables(text, abouts)

    assert "of yesterday" not in filled
    assert "| `divisions` | list of integers | required |" in filled
    assert filled.endswith("<!-- /settings -->\nand the rest\n")
    assert generate.with_tables(filled, abouts) == filled


# Commands


def test_the_readme_opens_with_both_commands():
    first_screen = README.splitlines()[:30]

    assert any("make run" in line for line in first_screen)
    assert any("make test" in line for line in first_screen)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_named_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    named = {
        target for code in code_of(page.read_text(encoding="utf-8")) for target in re.findall(r"\bmake ([a-z]+)", code)
    }

    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_a_meltano_run_exists(page):
    plan = manifest()
    plugins = [plugin for kind in plan["plugins"].values() for plugin in kind]
    blocks = {plugin["name"] for plugin in plugins if "mappings" not in plugin}
    blocks |= {mapping["name"] for plugin in plugins for mapping in plugin.get("mappings", [])}
    blocks |= {job["name"] for job in plan["jobs"]} | {"..."}

    runs = [
        arguments
        for code in code_of(page.read_text(encoding="utf-8"))
        for arguments in re.findall(r"\bmeltano (?:--\S+ )*run (.+)", code)
    ]
    # "target-x" stands for any other target
    named = {word for run in runs for word in run.split() if not word.startswith("--")} - {"target-x"}

    assert named <= blocks


def test_every_variable_that_is_named_is_a_setting(abouts):
    own = {
        f"{plugin.upper().replace('-', '_')}_{setting.upper()}"
        for plugin, about in abouts.items()
        for setting in generate.own_settings(about)
    }
    shared = set(re.findall(r"\$\{(EXACTONLINE_\w+)\}", (ROOT / "meltano.yml").read_text(encoding="utf-8")))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    named = set(re.findall(r"\b(?:TAP_|TARGET_|MAPPER_)?EXACTONLINE_[A-Z_]*[A-Z]\b", README + example))

    assert named <= own | shared | VARIABLES | {KEY_VARIABLE, RUN_BY_VARIABLE, RUN_ID_VARIABLE}
    assert shared <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_example_environment_shows_the_defaults(abouts):
    settings = generate.own_settings(abouts["target-exactonline"])
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    shown = dict(re.findall(r"^#TARGET_EXACTONLINE_(\w+)=(\w[\w-]*)$", example, re.MULTILINE))

    for name, value in shown.items():
        default = settings[name.lower()].get("default")
        if default is not None:
            assert value == str(default).lower()


# Facts


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path) if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), anchor


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page):
    folders = [ROOT, *(path.parent for path in ROOT.glob("*/*/__init__.py")), *ROOT.glob("*/")]

    for name in FILE_NAME.findall(page.read_text(encoding="utf-8")):
        assert any((folder / name).exists() for folder in [*folders, page.parent, *(f.parent for f in folders)]), name


def test_the_readme_describes_each_field_and_outcome():
    result = Result(None, "1", Outcome.CREATED, datetime(2026, 1, 1, tzinfo=timezone.utc))

    for field in result.as_line(run="r1", dry_run=True):
        assert f"| `{field}` |" in README
    for outcome in Outcome:
        assert f"| {outcome.value} |" in README


def test_the_client_readme_names_every_module():
    package = ROOT / "exactonline-client" / "exactonline_client"
    text = (ROOT / "exactonline-client" / "README.md").read_text(encoding="utf-8")

    for module in [*package.glob("[!_]*.py"), *(path.parent for path in package.glob("*/__init__.py"))]:
        assert re.search(rf"^\|.*`{module.stem}`.* \|", text, re.MULTILINE), module.stem


def test_the_place_that_errors_point_to_exists():
    assert "going-live" in anchors_of(ROOT / "README.md")


def test_the_numbers_of_fields_are_those_of_the_declaration():
    decision = (ROOT / "docs" / "decisions" / "0004-fields-copied-by-default.md").read_text(encoding="utf-8")
    of_exact = [field for field in ACCOUNTS.declared if Trait.COMPANION not in field.traits]
    read_only = [field for field in of_exact if Trait.READ_ONLY in field.traits]

    assert f"the {len(ACCOUNTS.safe_to_copy)} properties that mean the same" in README
    assert f"The {len(ACCOUNTS.safe_to_copy)} that mean the same" in decision
    assert f"{len(of_exact)} known properties" in decision
    assert f"{len(read_only)} are filled by Exact" in decision


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_says_what_would_change_it(page):
    text = page.read_text(encoding="utf-8")

    assert text.startswith(f"# {page.name[:4]}: ")
    for part in ("**Question.**", "**Choice.**", "**Why.**", "**What would change our mind.**"):
        assert part in text
