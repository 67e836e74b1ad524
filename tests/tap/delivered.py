"""What a run of the tap delivered, and what it cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from singer_driver import Project, Ran

QUIET = 3
"""Calls of a run after which nothing changed: divisions, accounts, deletions."""
DAY = 86_400


LASTING = {"token_seconds": 500 * DAY}
"""A token that outlives what is simulated; how tokens are renewed is another matter."""


def codes(ran: Ran) -> list[str]:
    return sorted(account["Code"] for account in ran.records("accounts"))


def gone(ran: Ran) -> list[str]:
    return [row["EntityKey"] for row in ran.records("deleted_accounts")]


def calls(project: Project) -> int:
    """Calls since the last time this was asked."""
    count = project.sandbox.calls()
    project.sandbox.forget_calls()
    return count


def reading(ran: Ran, stream: str = "accounts") -> dict[str, Any]:
    """What the bookmark of the source keeps beside the row version."""
    (partition,) = (ran.state or {})["bookmarks"][stream]["partitions"]
    return dict(partition["reading"])


def without_properties(path: Path, names: set[str]) -> Path:
    """A catalog with these properties taken off each stream."""
    catalog = json.loads(path.read_text(encoding="utf-8"))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] and entry["breadcrumb"][-1] in names:
                entry["metadata"]["selected"] = False
    path.write_text(json.dumps(catalog), encoding="utf-8")
    return path
