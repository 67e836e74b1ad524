"""Files that a run leaves: readable by their owner only, and those with secrets taken away when a kill left them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from exactonline_console.jobs import Job
from exactonline_console.project import Project

UMASK = 0o077
"""Of runs: what they write is for the owner of the project."""
OLD_SECONDS = 60
"""Programs read their settings when they start; a younger file may be of one that a terminal starts now."""


def clear(project: Project, jobs: Iterable[Job]) -> None:
    """Take away the settings, with secrets, that killed runs of these jobs left, and close their results to others."""
    for job in jobs:
        for file in _settings(project, job):
            with suppress(OSError):
                file.unlink()
        for file in (project.root / "output" / job.name).rglob("*"):
            with suppress(OSError):
                file.chmod(file.stat().st_mode & ~UMASK)


def _settings(project: Project, job: Job) -> Iterator[Path]:
    before = time.time() - OLD_SECONDS
    for plugin in (job.tap, job.target):
        for file in (project.root / ".meltano" / "run" / plugin).glob("*.json"):
            with suppress(OSError):
                if file.stat().st_mtime < before:
                    yield file
