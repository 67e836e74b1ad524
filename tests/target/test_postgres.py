"""The target's whole work on PostgreSQL comes to what it comes to on SQLite."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.store import Store
from sandbox_driver import Sandbox, small_world
from sqlalchemy import select
from target_driver import InProcessTarget, wanted
from target_exactonline.store import tables

NORTH, SOUTH = 201, 202
INSTANTS = {"at", "first_seen", "modified_at", "next_try", "written_at", "forecast"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^ ]*")
OF_THE_SANDBOX = {"id", "target_id", "site", "sites", "url", "bookmark"}
"""Given anew in each world, or named after it."""
IN_TURN = {"number", "plan", "written"}
"""Given to companies in whatever order they come to it, side by side."""
ORDERS = {
    "changes": ("run", "company", "code", "rank"),
    "field_sets": ("names",),
    "mirror": ("company", "code"),
    "plans": ("run", "company"),
}


def everything_kept(store_url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of the target's tables, but for what the clock, the world and the turns of threads settle."""
    kept = {}
    with Store.open(store_url, tables.metadata) as store, store.read() as connection:
        for table in tables.metadata.sorted_tables:
            apart = INSTANTS | OF_THE_SANDBOX | IN_TURN | ({"version"} if table is tables.mirror else set())
            chosen = [column for column in table.c if column.name not in apart]
            if not chosen:
                continue
            order = [table.c[name] for name in ORDERS.get(table.name, ())] or table.primary_key
            rows = connection.execute(select(*chosen).order_by(*order))
            kept[table.name] = [unpacked(timeless(dict(row._mapping))) for row in rows]
    return kept


def unpacked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with JSON as what it says: the order of members depends on which of a write and a look came last."""
    return {
        name: json.loads(value) if isinstance(value, str) and value.startswith("{") else value
        for name, value in values.items()
    }


def timeless(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without what a clock says."""
    return {
        name: INSTANT.sub("…", value) if isinstance(value, str) else value
        for name, value in values.items()
        if name not in INSTANTS and name not in ("run", "source")
    }


def a_few_days(target: InProcessTarget, sandbox: Sandbox, store_url: str) -> list[Any]:
    """Create, update, leave, refuse, park, and send on the next day what was parked; the outcomes of each run."""
    sandbox.reset(
        small_world(limits={"enabled": True, "per_day": 12, "token_seconds": 600}, now="2026-06-25T10:00:00Z")
    )
    refusal = '{"error":{"code":"","message":{"lang":"","value":"Ongeldig: Btw-nummer"}}}'
    sandbox.fault("status", status=500, body=refusal, contains="Klant 3", method="POST")
    runs = [
        wanted(NORTH, 1, 2, 3, City="Zürich") + wanted(SOUTH, 10, 9, 1),
        wanted(NORTH, 1, 2, City="Delft") + wanted(NORTH, 3, City="Zürich"),
        wanted(NORTH, *range(4, 16)),
        [],
    ]
    ends = []
    for number, records in enumerate(runs):
        if number == len(runs) - 1:
            sandbox.limits(per_day=5000)
            sandbox.advance(86_400)
        loaded = target.load(records, state={"run": number}, store_url=store_url)
        lines = sorted(map(timeless, loaded.outcomes), key=lambda line: (line["division"], line["code"]))
        ends.append((loaded.status, loaded.states, lines))
    return [ends, sandbox.codes(NORTH), sandbox.codes(SOUTH), everything_kept(store_url)]


@pytest.mark.timeout(120)
def test_days_of_work_on_postgresql_leave_what_they_leave_on_sqlite(
    sandbox: Sandbox,
    tmp_path: Path,
    postgres_url: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = InProcessTarget(sandbox, tmp_path, capsys, caplog)

    on_sqlite = a_few_days(target, sandbox, f"sqlite:///{tmp_path}/store.db")
    on_postgres = a_few_days(target, sandbox, postgres_url)

    (days, *_), kept = on_sqlite, on_sqlite[-1]
    assert {line["outcome"] for _, _, lines in days for line in lines} >= {"created", "updated", "refused", "parked"}
    assert len(kept["changes"]) > len(kept["mirror"]) > 0
    assert on_postgres == on_sqlite
