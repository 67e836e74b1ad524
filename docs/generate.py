"""Writes the settings tables of the documentation from what each plugin says of itself, and holds meltano.yml to it.

    python docs/generate.py            write the tables anew
    python docs/generate.py --check    change nothing; end with status 1 and a line for everything that is stale

A table stands between `<!-- settings: PLUGIN -->` and `<!-- /settings -->`, in any README.md.
"""
# ruff: noqa: INP001 - a program in a folder of texts, not a package

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

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
REGION = re.compile(r"(<!-- settings: (?P<plugin>[\w-]+) -->\n)(?P<table>.*?)(<!-- /settings -->)", re.DOTALL)
KINDS = {
    "array": {"array"},
    "boolean": {"boolean"},
    "integer": {"integer"},
    "number": {"integer", "string"},  # Meltano 4.4 stops with a traceback when a `decimal` comes from the environment
    "object": {"object"},
    "string": {"string"},
}
"""What Meltano may call each type of JSON Schema."""
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
    complaints = [*stale_pages(abouts), *manifest_complaints(abouts, read_manifest())]
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


def read_manifest() -> Mapping[str, Any]:
    """What meltano.yml says."""
    manifest: Mapping[str, Any] = YAML(typ="safe").load(ROOT / "meltano.yml")
    return manifest


# Pages


def write_pages(abouts: Mapping[str, About]) -> None:
    """Put the tables into the pages."""
    for path in _pages():
        text = path.read_text(encoding="utf-8")
        filled = with_tables(text, abouts)
        if filled != text:
            path.write_text(filled, encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)} is written anew.\n")


def stale_pages(abouts: Mapping[str, About]) -> Iterator[str]:
    """One line for each page whose tables are not those of the code."""
    for path in _pages():
        text = path.read_text(encoding="utf-8")
        if text.count("<!-- settings: ") != len(REGION.findall(text)):
            yield f"{path.relative_to(ROOT)}: a settings marker is not closed."
        elif with_tables(text, abouts) != text:
            yield f"{path.relative_to(ROOT)}: the settings tables are stale; say `make docs`."


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


# meltano.yml


def manifest_complaints(abouts: Mapping[str, About], manifest: Mapping[str, Any]) -> Iterator[str]:
    """One line for each way in which meltano.yml declares a plugin otherwise than the plugin does itself."""
    declared = {plugin["name"]: plugin for plugins in manifest["plugins"].values() for plugin in plugins}
    for name, about in abouts.items():
        plugin = declared.get(name)
        if plugin is None:
            yield f"meltano.yml: {name} is not declared."
            continue
        if "capabilities" in plugin and set(plugin["capabilities"]) != set(about["capabilities"]):
            yield f"meltano.yml: the capabilities of {name} are {', '.join(about['capabilities'])}."
        yield from _setting_complaints(name, own_settings(about), {one["name"]: one for one in plugin["settings"]})


def _setting_complaints(
    plugin: str, settings: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name in declared.keys() - settings.keys():
        yield f"meltano.yml: {plugin} has no setting {name}."
    for name, schema in settings.items():
        said = declared.get(name)
        if said is None:
            yield f"meltano.yml: the setting {name} of {plugin} is not declared."
            continue
        kinds = {"options"} if "enum" in schema else KINDS[_kind(schema)]
        if said.get("kind") not in kinds:
            yield f"meltano.yml: {plugin}'s {name} is of kind {said.get('kind')}, not {' or '.join(sorted(kinds))}."
        expected = {
            "sensitive": schema.get("secret"),
            "options": schema.get("enum"),
            "label": schema["title"],
            "description": schema["description"],
        }
        found = {**said, "options": [option["value"] for option in said["options"]] if "options" in said else None}
        for part, value in expected.items():
            if found.get(part) != value:
                yield f"meltano.yml: the {part} of {plugin}'s {name} is {found.get(part)!r}, in the code {value!r}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
