"""Writes the settings tables of the documentation and Meltano's declarations of our plugins, as each describes itself.

    python docs/generate.py            write them anew
    python docs/generate.py --check    change nothing; end with status 1 and a line for everything that is stale

A table stands between `<!-- settings: PLUGIN -->` and `<!-- /settings -->`, in any README.md. The declarations are in a
file that meltano.yml includes.
"""
# ruff: noqa: INP001 - a program in a folder of texts, not a package

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tap_exactonline.streams import CHILD_STREAMS

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    "tap-exactonline": "tap_exactonline",
    "mapper-exactonline": "mapper_exactonline",
    "target-exactonline": "target_exactonline",
}
OF_THE_SDK = re.compile(
    r"add_record_metadata|batch_config|batch_size_rows|faker_config|flattening_\w+|stream_maps?(_config)?"
    r"|validate_records"
)
"""Settings that the Singer SDK gives every plugin; its own documentation tells of them."""
DECLARED_OF_THE_SDK = re.compile(r"stream_maps?(_config)?|flattening_(enabled|max_depth)")
"""Of these the ones that people set through Meltano, which passes on only what is declared."""
DECLARATIONS = ROOT / "meltano.d" / "exactonline.meltano.yml"
DEFINITIONS = ROOT / "docs" / "plugin-definitions"
DISTRIBUTIONS = {name: f"exactonline-{name.partition('-')[0]}" for name in MODULES}
HEADER = """\
# For Meltano. Written by docs/generate.py from what each says of itself; say `make docs`.
"""
ON_REQUEST = [f"!{stream}.{name}" for stream, one in CHILD_STREAMS.items() for name in sorted(one.on_request)]
"""What only somebody's own selection reads, also where that takes the whole stream: contacts.*"""
SKELETONS: dict[str, tuple[str, dict[str, Any]]] = {
    "tap-exactonline": (
        "extractors",
        {
            "pip_url": ("exactonline-client", "sandbox", "tap-exactonline"),
            "settings_group_validation": [
                ["divisions", "client_id", "client_secret"],
                ["divisions", "connections"],
            ],
            "select": [
                "divisions.*",
                "accounts.*",
                "!accounts.AccountManagerEmail",
                "!accounts.BSN",
                "!accounts.Logo",
                "!accounts.LogoFileName",
                "deleted_accounts.*",
                *ON_REQUEST,
            ],
        },
    ),
    "mapper-exactonline": (
        "mappers",
        {"pip_url": ("exactonline-client", "transform"), "mappings": [{"name": "fan-out", "config": {}}]},
    ),
    "target-exactonline": (
        "loaders",
        {
            "pip_url": ("exactonline-client", "sandbox", "transform", "target-exactonline"),
            "settings_group_validation": [["client_id", "client_secret"], ["connections"]],
            "config": {"fan_out": {}},
        },
    ),
}
"""Of each plugin: its kind for Meltano, and what it does not say of itself."""
REGION = re.compile(r"(<!-- settings: (?P<plugin>[\w-]+) -->\n)(?P<table>.*?)(<!-- /settings -->)", re.DOTALL)
About = Mapping[str, Any]
"""What a plugin prints for `--about --format=json`."""


def main(arguments: Sequence[str]) -> int:
    """Write or check everything; answers the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    abouts = read_abouts()
    if not arguments:
        write_pages(abouts)
    complaints = list(stale_pages(abouts))
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    return 1 if complaints else 0


def read_abouts() -> dict[str, About]:
    """What each plugin says of itself, by the plugin's name."""

    def about(module: str) -> About:
        command = [sys.executable, "-m", module, "--about", "--format=json"]
        said: About = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)  # noqa: S603 - only the modules named above
        return said

    with ThreadPoolExecutor() as pool:
        return dict(zip(MODULES, pool.map(about, MODULES.values()), strict=True))


# Pages


def write_pages(abouts: Mapping[str, About]) -> None:
    """Put the tables into the pages."""
    for path in _pages():
        text = path.read_text(encoding="utf-8")
        filled = with_tables(text, abouts)
        if filled != text:
            path.write_text(filled, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)} is written anew.\n")
    for path, text in plugin_files(abouts).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def stale_pages(abouts: Mapping[str, About]) -> Iterator[str]:
    """One line for each page whose tables are not those of the code."""
    for path in _pages():
        text = path.read_text(encoding="utf-8")
        if text.count("<!-- settings: ") != len(REGION.findall(text)):
            yield f"{path.relative_to(ROOT)}: a settings marker is not closed."
        elif with_tables(text, abouts) != text:
            yield f"{path.relative_to(ROOT)}: the settings tables are stale; say `make docs`."
    for path, text in plugin_files(abouts).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)}: not what the plugins say of themselves; say `make docs`."


def with_tables(text: str, abouts: Mapping[str, About]) -> str:
    """The text with each table as the code has it today."""
    return REGION.sub(lambda found: f"{found[1]}\n{settings_table(abouts[found['plugin']])}\n{found[4]}", text)


def settings_table(about: About) -> str:
    """A plugin's own settings as a table in Markdown."""
    required = about["settings"].get("required", [])
    rows = [
        _row(f"`{name}`", _kind_in_words(schema), _default(schema, required=name in required), schema["description"])
        for name, schema in own_settings(about).items()
    ]
    return "\n".join([_row("setting", "type", "default", "meaning"), "| --- | --- | --- | --- |", *rows, ""])


def own_settings(about: About) -> dict[str, dict[str, Any]]:
    """The settings that the plugin declares itself, by name."""
    properties = about["settings"]["properties"].items()
    return {name: schema for name, schema in properties if not OF_THE_SDK.fullmatch(name)}


def _pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(ROOT.glob("[!.]*/README.md"))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return str(next(kind for kind in kinds if kind != "null"))


def _kind_in_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = _kind(schema)
    if kind == "array":
        kind = f"list of {_kind(schema['items'])}s"
    return f"{kind}, secret" if schema.get("secret") else kind


def _default(schema: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    if default is None:
        return "none"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


# Declarations for Meltano


def plugin_files(abouts: Mapping[str, About]) -> dict[Path, str]:
    """The declarations that meltano.yml includes, and a definition of each plugin for `meltano add --from-ref`."""
    definitions = {DEFINITIONS / f"{name}.yml": definition(name, about) for name, about in abouts.items()}
    return {DECLARATIONS: declarations(abouts), **definitions}


def definition(name: str, about: About) -> str:
    """A plugin in the form of Meltano's hub, for a project that installs its package."""
    more = {key: value for key, value in SKELETONS[name][1].items() if key not in ("pip_url", "mappings", "config")}
    declared = _declaration(name, about, pip_url=(), **more)
    return HEADER + _as_yaml(
        {
            **declared,
            "pip_url": DISTRIBUTIONS[name],
            "label": "Exact Online",
            "variant": "exactonline",
            "description": about["description"],
        }
    )


def declarations(abouts: Mapping[str, About]) -> str:
    """Our plugins as a file that meltano.yml includes."""
    plugins: dict[str, list[dict[str, Any]]] = {}
    for name, about in abouts.items():
        kind, more = SKELETONS[name]
        plugins.setdefault(kind, []).append(_declaration(name, about, **more))
    return HEADER + _as_yaml({"plugins": plugins})


def _as_yaml(content: Mapping[str, Any]) -> str:
    yaml, text = YAML(), io.StringIO()
    yaml.width = 1000
    yaml.dump(content, text)
    return text.getvalue()


def _declaration(name: str, about: About, *, pip_url: Sequence[str], **more: Any) -> dict[str, Any]:
    capabilities = {"capabilities": sorted(about["capabilities"])} if name != "mapper-exactonline" else {}
    settings = about["settings"]["properties"].items()
    return {
        "name": name,
        "namespace": MODULES[name],
        "pip_url": " ".join(f"-e ${{MELTANO_PROJECT_ROOT}}/{folder}" for folder in pip_url),
        "executable": name,
        **capabilities,
        "settings": [
            _setting(setting, schema)
            for setting, schema in settings
            if DECLARED_OF_THE_SDK.fullmatch(setting) or not OF_THE_SDK.fullmatch(setting)
        ],
        **more,
    }


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = _kind(schema)
    if kind == "number":  # Meltano 4.4 stops with a traceback when a `decimal` comes from the environment
        kind = "integer" if isinstance(schema.get("default"), int) else "string"
    declared: dict[str, Any] = {"name": name, "kind": "options" if "enum" in schema else kind}
    if "enum" in schema:
        declared["options"] = [{"label": value, "value": value} for value in schema["enum"]]
    declared |= {"label": schema["title"], "description": schema["description"]}
    return {**declared, "sensitive": True} if schema.get("secret") else declared


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
