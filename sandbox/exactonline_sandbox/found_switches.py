"""The switches that a file of facts names: what `exactonline-probe` found at a real company.

They take the place of the defaults, also after a reset; a switch that a world states itself stays as it is stated.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from exactonline_sandbox.options import SWITCH_NAMES, switches_from

FACTS_VARIABLE = "EXACTONLINE_SANDBOX_FACTS"
"""Names a file for every sandbox that is started or mounted."""


def read_facts(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The switches in a file that this sandbox has, and the names of others.

    Raises:
        ValueError: It holds no facts, or a value that is none.
    """
    facts = json.loads(path.read_text(encoding="utf-8"))
    given = facts.get("switches") if isinstance(facts, dict) else None
    if not isinstance(given, dict):
        raise ValueError(f"{path} holds no facts: an object with `switches` was expected")  # noqa: TRY004 - a wrong file
    known = {name: value for name, value in given.items() if name in SWITCH_NAMES}
    switches_from(known)
    return known, sorted(given.keys() - known.keys())


def facts_of_environment() -> Path | None:
    """The file that the environment names."""
    named = os.environ.get(FACTS_VARIABLE)
    return Path(named) if named else None


def keep(db: sqlite3.Connection, switches: Mapping[str, Any]) -> None:
    """Let a world file behave so from now on."""
    db.execute("DELETE FROM facts")
    db.execute("INSERT INTO facts (switches) VALUES (?)", (json.dumps(switches),))
    db.execute("UPDATE state SET stamp = ?", (uuid4().hex,))


def with_facts(db: sqlite3.Connection, config: str) -> str:
    """The configuration of a world with what was found in the place of defaults."""
    row = db.execute("SELECT switches FROM facts").fetchone()
    if row is None:
        return config
    world: dict[str, Any] = json.loads(config)
    return json.dumps({**world, "switches": {**json.loads(row[0]), **world.get("switches", {})}})
