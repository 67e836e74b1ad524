"""Named jobs: which company is copied to which others, as a file that `meltano run NAME` understands."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from exactonline_client.errors import ConfigurationError
from mapper_exactonline.fan_out import FanOut
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from target_exactonline.planning.safety import SafetyLimits

from exactonline_console.expansion import escaped, restored
from exactonline_console.project import JOBS_FOLDER, STORE_VARIABLE, Project
from exactonline_console.registered import NAME, Connection, variable

HEADER = """\
# Written by the page (exactonline-console). `meltano run {name}` runs it too.
# What you change here by hand stays, comments too; the page changes only what it knows.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What a person chose."""

    name: str
    connections: tuple[str, ...]
    source: int
    targets: tuple[int, ...] = ()
    """Empty when it is all companies but the excluded ones."""
    excluded: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    """The companies by the names that they had when they were chosen; a run stops when one is called otherwise."""
    homes: Mapping[int, str] = field(default_factory=dict)
    """The connection of each company."""
    fields: tuple[str, ...] | None = None
    limit: int | None = None
    on_collision: str = "refuse"
    max_creates: int | None = None
    max_updates_share: float | None = None

    @property
    def tap(self) -> str:
        """The name of its tap."""
        return f"tap-{self.name}"

    @property
    def target(self) -> str:
        """The name of its target."""
        return f"target-{self.name}"

    def title(self, code: int | None) -> str:
        """A company by its name."""
        return self.names.get(code or 0, "")


def saved(project: Project) -> list[Job]:
    """All jobs that the page wrote, by name."""
    folder = project.root / JOBS_FOLDER
    return [job for file in sorted(folder.glob("*.yml")) if (job := _read(file)) is not None]


def job(project: Project, name: str) -> Job:
    """One of them.

    Raises:
        ConfigurationError: There is none of this name.
    """
    file = _file(project, name)
    found = _read(file) if NAME.fullmatch(name) and file.is_file() else None
    if found is None:
        raise ConfigurationError(f"There is no job {name}.")
    return found


def add(project: Project, new: Job) -> None:
    """Write a new job.

    Raises:
        ConfigurationError: As `save`; or there is one of this name.
    """
    if any(one.name == new.name for one in saved(project)):
        raise ConfigurationError(f"There is a job {new.name} already; choose another name.")
    save(project, new)


def save(project: Project, new: Job) -> None:
    """Write a job where Meltano looks.

    Raises:
        ConfigurationError: Something of it cannot be used, or Meltano would not find it.
    """
    check(project, new)
    file = _file(project, new.name)
    yaml = _yaml()
    plan = _load(file) if file.is_file() else yaml.load(_skeleton(new))
    _merge(plan["plugins"]["extractors"][0]["config"], _tap_config(new))
    _merge(plan["plugins"]["loaders"][0]["config"], _target_config(new))
    text = io.StringIO()
    yaml.dump(plan, text)
    if file.is_file() and file.read_text(encoding="utf-8") == text.getvalue():
        return  # its time of change tells what runs and previews came after
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".draft")
    try:
        draft.write_text(text.getvalue(), encoding="utf-8")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def changed_at(project: Project, name: str) -> datetime:
    """When the job's file was last changed, by the page or by hand."""
    return datetime.fromtimestamp(_file(project, name).stat().st_mtime, timezone.utc)


def remove(project: Project, name: str) -> None:
    """Take a job away."""
    _file(project, job(project, name).name).unlink()


def four_eyes(project: Project) -> bool:
    """Whether any setting of the project says that nobody may approve what he planned himself."""
    said = {**os.environ, **project.env.values()}
    variables = (value for name, value in said.items() if name.endswith("_FOUR_EYES"))
    if any(value.lower() in ("true", "1", "yes") for value in variables):
        return True
    files = (project.root / "meltano.yml", *(project.root / JOBS_FOLDER).glob("*.yml"))
    return any(
        re.search(
            r"^[^#\n]*four_eyes:\s*(true|yes|1)\b", file.read_text(encoding="utf-8"), re.IGNORECASE | re.MULTILINE
        )
        for file in files
    )


def check(project: Project, new: Job) -> None:
    """Refuse a job that could not run.

    Raises:
        ConfigurationError: It says what to correct.
    """
    if not NAME.fullmatch(new.name) or len(new.name) > 40:
        raise ConfigurationError(
            f"The name {new.name!r} cannot be used: give small letters, digits and single hyphens, as customers-nl."
        )
    main = _load(project.root / "meltano.yml")
    if f"{JOBS_FOLDER}/*.yml" not in [str(path).removeprefix("./") for path in main.get("include_paths") or ()]:
        raise ConfigurationError(
            f"Meltano would not find the job: add the line  include_paths: [{JOBS_FOLDER}/*.yml]  to meltano.yml."
        )
    others = [_load(file) for file in (project.root / JOBS_FOLDER).glob("*.meltano.yml")]
    for plan in (main, *others):
        taken = {one["name"] for kind in (plan.get("plugins") or {}).values() for one in kind}
        taken |= {one["name"] for one in plan.get("jobs") or ()}
        if not taken.isdisjoint({new.name, new.tap, new.target}):
            raise ConfigurationError(f"The name {new.name} is taken in meltano.yml; choose another.")
    FanOut.from_config(_fan_out(new))
    SafetyLimits.from_config({"max_creates": new.max_creates, "max_updates_share": new.max_updates_share})


def connection_config(job: Job) -> list[dict[str, Any]]:
    """The connections as the plugins' setting: names of variables, so that no secret stands in the file.

    Where there are several, each gets its own companies, since two may list the same codes.
    """
    own: dict[str, list[int]] = {}
    for code, name in sorted(job.homes.items()):
        own.setdefault(name, []).append(code)
    are_shared = len(job.connections) > 1 and bool(job.targets)
    return [
        {
            "name": name,
            **{part.lower(): f"${{{variable(name, part)}}}" for part in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET")},
            **({"divisions": own.get(name, [])} if are_shared else {}),
        }
        for name in job.connections
    ]


def connections_of(job: Job, registered: list[Connection]) -> list[Connection]:
    """The connections that a job uses, of those that are still registered."""
    return [one for one in registered if one.name in job.connections]


def _tap_config(job: Job) -> dict[str, Any]:
    return {**_shared(job), "divisions": [job.source]}


def _target_config(job: Job) -> dict[str, Any]:
    return {
        **_shared(job),
        "dry_run": False,
        "report_path": f"${{MELTANO_PROJECT_ROOT}}/output/{job.name}",
        "fan_out": _fan_out(job),
        "on_collision": job.on_collision,
        "max_creates": job.max_creates,
        "max_updates_share": None if job.max_updates_share is None else f"{job.max_updates_share:g}",
    }


def _shared(job: Job) -> dict[str, Any]:
    return {
        "connections": connection_config(job),
        "store_url": f"${{{STORE_VARIABLE}}}",
        "expected_divisions": {str(code): escaped(name) for code, name in sorted(job.names.items())},
    }


def _fan_out(job: Job) -> dict[str, Any]:
    chosen: dict[str, Any] = {"target_divisions": list(job.targets)} if job.targets else {}
    if not job.targets:
        chosen["exclude_divisions"] = list(job.excluded)
    if job.fields is not None:
        chosen["fields"] = [escaped(one) for one in job.fields]
    if job.limit is not None:
        chosen["limit"] = job.limit
    return chosen


def _merge(present: dict[str, Any], wanted: Mapping[str, Any]) -> None:
    """Put the values in place where they differ, so that comments beside the others stay; None takes one out."""
    for name, value in wanted.items():
        if value is None:
            present.pop(name, None)
        elif present.get(name) != value:
            present[name] = value


def _read(file: Path) -> Job | None:
    """The job in a file; None if it is not one of ours."""
    try:
        plan = _load(file)
        tap, target = plan["plugins"]["extractors"][0]["config"], plan["plugins"]["loaders"][0]["config"]
        fan_out = target["fan_out"]
        share = target.get("max_updates_share")
        return Job(
            name=file.stem,
            connections=tuple(str(one["name"]) for one in tap["connections"]),
            source=int(tap["divisions"][0]),
            targets=tuple(int(code) for code in fan_out.get("target_divisions") or ()),
            excluded=tuple(int(code) for code in fan_out.get("exclude_divisions") or ()),
            names={int(code): restored(str(name)) for code, name in (tap.get("expected_divisions") or {}).items()},
            homes={int(code): str(one["name"]) for one in tap["connections"] for code in one.get("divisions") or ()},
            fields=tuple(restored(str(one)) for one in fan_out["fields"]) if fan_out.get("fields") else None,
            limit=fan_out.get("limit"),
            on_collision=str(target.get("on_collision") or "refuse"),
            max_creates=target.get("max_creates"),
            max_updates_share=None if share is None else float(share),
        )
    except (ConfigurationError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def _file(project: Project, name: str) -> Path:
    return project.root / JOBS_FOLDER / f"{os.path.basename(name)}.yml"  # noqa: PTH119 - the name only, never a path


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    return yaml


def _load(file: Path) -> Any:
    try:
        return _yaml().load(file.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise ConfigurationError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None


def _skeleton(job: Job) -> str:
    first = f"      store_url: ${{{STORE_VARIABLE}}}\n"  # a map that begins in lines of its own goes on so
    return HEADER.format(name=job.name) + (
        f"plugins:\n  extractors:\n  - name: {job.tap}\n    inherit_from: tap-exactonline\n    config:\n{first}"
        f"  loaders:\n  - name: {job.target}\n    inherit_from: target-exactonline\n    config:\n{first}"
        f"jobs:\n- name: {job.name}\n  tasks:\n  - {job.tap} {job.target}\n"
    )
