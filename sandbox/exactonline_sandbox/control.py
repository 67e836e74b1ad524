"""What tests and people may do under /_sandbox/: no token, no limits, not in the journal."""

import json
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, unquote

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import contracts, faults, journal, tokens
from exactonline_sandbox.call import Call, Reply
from exactonline_sandbox.clock import wall_ms
from exactonline_sandbox.control_accounts import Order, UnknownError, accounts, division_of, edit, remove, seed
from exactonline_sandbox.control_children import remove_rows as remove_children
from exactonline_sandbox.control_children import rows as children
from exactonline_sandbox.control_children import write_rows as write_children
from exactonline_sandbox.control_database import back_up, begin, commit, restore
from exactonline_sandbox.control_lists import lists, remove_rows, write_rows
from exactonline_sandbox.found_switches import with_facts
from exactonline_sandbox.loading import change_config, load, read_state, read_world
from exactonline_sandbox.options import LIMIT_NAMES, SWITCH_NAMES
from exactonline_sandbox.rendering import dumps
from exactonline_sandbox.storage import Storage
from exactonline_sandbox.world import HELD, instant

_JSON = ("Content-Type", "application/json; charset=utf-8")


def answer(storage: Storage, call: Call) -> Reply:
    """Carry out a control call; 400 with a plain text for what is wrong, and then nothing was changed."""
    parts = tuple(unquote(part) for part in call.path.strip("/").split("/")[1:])
    action = _ACTIONS.get((call.method, parts[0] if parts else ""))
    if action is None:
        return _reply(404, {"error": f"no control call {call.method} /{'/'.join(parts)}"})
    try:
        body = json.loads(call.body) if call.body else {}
        with storage.transaction() as db:
            return _reply(200, action(Order(db, parts[1:], dict(parse_qsl(call.query)), body)))
    except UnknownError as unknown:
        return _reply(404, {"error": str(unknown)})
    except (ValueError, TypeError, LookupError, AttributeError, sqlite3.IntegrityError) as error:
        return _reply(400, {"error": f"{type(error).__name__}: {error}"})


def _reply(status: int, value: Any) -> Reply:
    return Reply(status, dumps(value), (_JSON,))


def _reset(order: Order) -> Any:
    world = order.body or json.loads(order.db.execute("SELECT start FROM state").fetchone()[0])
    load(order.db, world)
    return {"divisions": sorted(read_world(order.db).divisions)}


def _world(order: Order) -> Any:
    config, world = order.db.execute("SELECT config, world FROM state").fetchone()
    given = json.loads(world)
    return {**json.loads(with_facts(order.db, config)), **{name: given.get(name, {}) for name in HELD}}


def _move(order: Order) -> Any:
    division = division_of(order, order.parts[0])
    moved = wall_ms(read_state(order.db).now, read_world(order.db).timezone)

    def change(config: dict[str, Any]) -> None:
        for known in config["divisions"]:
            if int(known["code"]) == division.code:
                known["moved"] = moved

    change_config(order.db, change)
    table.move(order.db, division.code)
    return {"moved": division.code}


def _change_division(order: Order) -> Any:
    """Change a division's own keys: archive it, block it, take a right away."""
    division = division_of(order, order.parts[0])

    def change(config: dict[str, Any]) -> None:
        for known in config["divisions"]:
            if int(known["code"]) == division.code:
                known.update(order.body)

    change_config(order.db, change)
    return {"division": division.code}


def _change_app(order: Order) -> Any:
    """Change an app's own keys, such as the scopes of its registration."""
    client_id = order.parts[0]

    def change(config: dict[str, Any]) -> None:
        next(app for app in config["apps"] if app["client_id"] == client_id).update(order.body)

    if client_id not in read_world(order.db).apps:
        raise UnknownError(f"no app {client_id} in this world")
    change_config(order.db, change)
    return {"app": client_id}


def _contract(order: Order) -> Any:
    return {"contract": contracts.listed(order.db, read_world(order.db).limits)}


def _clock(order: Order) -> Any:
    state = read_state(order.db)
    return {
        "now": datetime.fromtimestamp(state.now, timezone.utc).isoformat(),
        "offset_seconds": state.clock_offset,
    }


def _set_clock(order: Order) -> Any:
    offset = read_state(order.db).clock_offset
    match order.body:
        case {"advance_seconds": seconds}:
            offset += float(seconds)
        case {"offset_seconds": seconds}:
            offset = float(seconds)
        case {"now": text}:
            offset = instant(text) - time.time()
        case _:
            raise ValueError("advance_seconds, offset_seconds or now")
    order.db.execute("UPDATE state SET clock_offset = ?", (offset,))
    return _clock(order)


def _faults(order: Order) -> Any:
    return {"faults": faults.listed(order.db)}


def _add_faults(order: Order) -> Any:
    known = read_world(order.db).divisions
    for given in order.body["faults"]:
        for company in (one.get("company") for one in (given, *given.get("of", ()))):
            if company is not None and company not in known:
                raise ValueError(f"no division {company} in this world")
        faults.add(order.db, given)
    return _faults(order)


def _clear_faults(order: Order) -> Any:
    faults.clear(order.db)
    return _faults(order)


def _journal(order: Order) -> Any:
    division = order.query.get("division")
    rows = journal.read(
        order.db,
        int(order.query.get("since", 0)),
        int(division) if division else None,
        order.query.get("method"),
        order.query.get("endpoint"),
    )
    return journal.summary(rows) if "summary" in order.query else {"journal": rows}


def _clear_journal(order: Order) -> Any:
    order.db.execute("DELETE FROM journal")
    return {"journal": []}


def _limits(order: Order) -> Any:
    unknown = order.body.keys() - LIMIT_NAMES - SWITCH_NAMES
    if unknown:
        raise ValueError(f"no limit or switch called {', '.join(sorted(unknown))}")

    def change(config: dict[str, Any]) -> None:
        for name, value in order.body.items():
            config.setdefault("limits" if name in LIMIT_NAMES else "switches", {})[name] = value

    change_config(order.db, change)
    config = _world(order)
    return {"limits": config.get("limits", {}), "switches": config.get("switches", {})}


def _tokens(order: Order) -> Any:
    return {"refresh_tokens": tokens.listed(order.db)}


_ACTIONS: dict[tuple[str, str], Callable[[Order], Any]] = {
    ("POST", "reset"): _reset,
    ("GET", "world"): _world,
    ("POST", "seed"): seed,
    ("GET", "accounts"): accounts,
    ("POST", "accounts"): edit,
    ("DELETE", "accounts"): remove,
    ("GET", "lists"): lists,
    ("POST", "lists"): write_rows,
    ("DELETE", "lists"): remove_rows,
    ("GET", "children"): children,
    ("POST", "children"): write_children,
    ("DELETE", "children"): remove_children,
    ("POST", "begin"): begin,
    ("POST", "commit"): commit,
    ("POST", "backup"): back_up,
    ("POST", "restore"): restore,
    ("POST", "move"): _move,
    ("POST", "divisions"): _change_division,
    ("POST", "apps"): _change_app,
    ("GET", "contract"): _contract,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "journal"): _journal,
    ("DELETE", "journal"): _clear_journal,
    ("POST", "limits"): _limits,
    ("GET", "tokens"): _tokens,
}
