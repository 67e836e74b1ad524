"""A world into the world file, and the state that every request starts from."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import child_rows, list_rows, tokens, visits
from exactonline_sandbox.account_references import REFERENCES
from exactonline_sandbox.account_rows import new_row, stamped, with_status
from exactonline_sandbox.clock import wall_ms
from exactonline_sandbox.edm import kept_from_person
from exactonline_sandbox.found_switches import with_facts
from exactonline_sandbox.properties import ACCOUNT
from exactonline_sandbox.reference_lists import GUID
from exactonline_sandbox.saving import WriteContext, save_account
from exactonline_sandbox.storage import empty
from exactonline_sandbox.world import HELD, Division, World, world_from, world_from_text

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """What a request needs to know first. `stamp` changes whenever the configuration does."""

    stamp: str
    clock_offset: float
    faults: bool

    @property
    def now(self) -> float:
        """The sandbox clock, in epoch seconds."""
        return time.time() + self.clock_offset


def read_state(db: sqlite3.Connection) -> State:
    """The state of a world file that holds a world."""
    stamp, offset, faults = db.execute("SELECT stamp, clock_offset, faults FROM state").fetchone()
    return State(stamp, offset, bool(faults))


def read_world(db: sqlite3.Connection) -> World:
    """The world without what its companies hold."""
    return world_from_text(with_facts(db, db.execute("SELECT config FROM state").fetchone()[0]))


def load(
    db: sqlite3.Connection, given: Mapping[str, Any], *, no_limits: bool | None = None, start: bool = False
) -> None:
    """Replace everything by a world, at its own time or the real one. `no_limits` None: as it was.

    With `start` it is also the world that a reset without one goes back to.

    Raises:
        ValueError: The world is wrong; nothing was changed.
    """
    before = db.execute("SELECT no_limits, start FROM state").fetchone()
    lifted = bool(before and before[0]) if no_limits is None else no_limits
    config: Config = {name: value for name, value in given.items() if name not in HELD}
    if lifted:
        config["limits"] = {**config.get("limits", {}), "enabled": False}
    started_with = before[1] if before and not start else json.dumps(given)
    world = world_from({**given, **config})
    now = time.time() if world.starts_at is None else world.starts_at
    empty(db)
    db.execute("DELETE FROM state")
    db.execute(
        "INSERT INTO state (one, stamp, config, world, start, clock_offset, no_limits) VALUES (1, ?, ?, ?, ?, ?, ?)",
        (uuid4().hex, json.dumps(config), json.dumps(given), started_with, now - time.time(), lifted),
    )
    for user in world.users.values():
        db.execute("INSERT INTO users (name) VALUES (?)", (user.name,))
        first_division = user.current_division or next(iter(user.divisions), None)
        if first_division is not None:
            visits.note(db, user.name, first_division)
    for division in world.divisions.values():
        # Far above 32 bits and apart per division: a client that mixes them up or cuts them off fails here.
        first = world.first_timestamp + division.code % 1000 * 1_000_000 if world.first_timestamp > 1 else 1
        db.execute("INSERT INTO counters (division, version) VALUES (?, ?)", (division.code, first))
        list_rows.load(db, world, division, given.get("lists", {}).get(str(division.code), {}), now)
        for account in given.get("accounts", {}).get(str(division.code), ()):
            put_by_hand(db, world, division, account, now)
        child_rows.load(by_hand(db, world, division, now), given.get("children", {}).get(str(division.code), {}))
    tokens.seed(db, world, now)


def by_hand(db: sqlite3.Connection, world: World, division: Division, now: float) -> WriteContext:
    """What a person writes in the screen of a company, or a world states of it."""
    return WriteContext(db, division, world.switches, wall_ms(now, world.timezone))


def load_lists(db: sqlite3.Connection) -> None:
    """Give every company the lists that follow from the world itself: users and currencies."""
    world, now = read_world(db), read_state(db).now
    for division in world.divisions.values():
        list_rows.load(db, world, division, {}, now)


def change_config(db: sqlite3.Connection, change: Callable[[Config], None]) -> None:
    """Change the world's configuration in place; ValueError, and nothing changed, if it is then wrong."""
    config: Config = json.loads(db.execute("SELECT config FROM state").fetchone()[0])
    change(config)
    world_from(config)
    db.execute("UPDATE state SET config = ?, stamp = ?", (json.dumps(config), uuid4().hex))


def lift_limits(db: sqlite3.Connection) -> None:
    """Lift the limits of the world that is there and of those it is reset to."""
    change_config(db, lambda config: config.setdefault("limits", {}).update(enabled=False))
    db.execute("UPDATE state SET no_limits = 1")


def put_by_hand(
    db: sqlite3.Connection,
    world: World,
    division: Division,
    given: Mapping[str, Any],
    now: float,
    *,
    version: int | None = None,
    key: str | None = None,
) -> None:
    """Add or change the account with this Code as a person would in the screen: no rules, no limits.

    A member that holds the GUID of a row or another account may be stated by its code.

    Args:
        version: Its row version, if one was given to it already.
        key: ID of the account, where it is to get another Code.

    Raises:
        ValueError: No Code, a name that is no property of an account, or a code that its list does not have.
    """
    values = {}
    for name, value in given.items():
        if name not in ACCOUNT.properties:
            raise ValueError(f"an account has no property called {name}")
        reference = REFERENCES.get(name)
        if reference is not None and reference.by == GUID and value is not None:
            values[name] = list_rows.guid_of(db, division.code, reference, str(value))
        else:
            values[name] = kept_from_person(ACCOUNT.properties[name], value)
    code = values.get("Code")
    if not code:
        raise ValueError("an account in a world needs a Code")
    at = by_hand(db, world, division, now)
    before = table.by_code(db, division.code, code) if key is None else table.by_id(db, division.code, key)
    if before is None:
        key = values.get("ID") or table.key_for(division.code, code)
        if table.by_id(db, division.code, key) is not None:  # of an account that has another code by now
            key = table.new_key()
        row = new_row({**values, "ID": key, "Code": code}, division, at.wall, over_api=False)
        row = {**stamped(row, at.wall, None, new=True), **values, "Code": code}
    else:
        row = stamped(with_status({**before, **values}, before, at.wall), at.wall, None, new=False)
        row = {**row, **values, "ID": before["ID"], "Code": code}
    save_account(at, row, before, version)
