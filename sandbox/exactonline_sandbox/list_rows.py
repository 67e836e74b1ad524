"""Rows of a company's lists as a world states them and a person changes them: no rules, no limits."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import lists_table as table
from exactonline_sandbox.child_entities import CHILDREN
from exactonline_sandbox.clock import wall_ms
from exactonline_sandbox.context import Row
from exactonline_sandbox.edm import kept_from_person
from exactonline_sandbox.places import described
from exactonline_sandbox.properties import Property
from exactonline_sandbox.reference_lists import LISTS, Reference, ReferenceList
from exactonline_sandbox.world import Division, World


def load(db: sqlite3.Connection, world: World, division: Division, given: Mapping[str, Any], now: float) -> None:
    """Write a company's lists as a world states them. Of users and currencies those of the world, if it states none.

    Raises:
        ValueError: A list, a member or a row referred to that does not exist.
    """
    strange = given.keys() - LISTS.keys()
    if strange:
        raise ValueError(f"no list called {', '.join(sorted(strange))}; there are {', '.join(LISTS)}")
    for name, known in LISTS.items():
        for row in given.get(name, _OF_THE_WORLD.get(name, _none)(world, division)):
            put_by_hand(db, world, division, known, row, now)


def put_by_hand(
    db: sqlite3.Connection,
    world: World,
    division: Division,
    known: ReferenceList,
    given: Mapping[str, Any],
    now: float,
    *,
    key: str | None = None,
) -> Row:
    """Add or change the row with this key or, without one, with what tells rows apart; return it.

    A member that holds the GUID of another row may be stated by that row's code.
    """
    values = _kept(db, division.code, known, given)
    members = known.entity.properties
    wall = wall_ms(now, world.timezone)
    before = table.by_key(db, division.code, known, key or values[known.key]) if key or known.key in values else None
    if before is None:
        missing = [name for name in known.natural if values.get(name) is None]
        if missing:
            raise ValueError(f"a row of {known.name} needs {' and '.join(missing)}")
        natural = table.natural_of(known, values)
        before = table.by_natural(db, division.code, known, natural)
        values.setdefault(known.key, table.key_for(division.code, known, natural))
    made = {"Created": wall, **known.defaults} if before is None else before
    row = {name: value for name, value in {**made, **values, "Modified": wall}.items() if name in members}
    if before is not None:
        row[known.key] = before[known.key]
    table.put(db, division.code, known, row)
    return row


def found_by_path(db: sqlite3.Connection, division: int, known: ReferenceList, parts: tuple[str, ...]) -> Row:
    """The members that tell a row apart, from the parts of a path: `("30",)`, or `("1", "A")` for a classification."""
    if len(parts) != len(known.natural):
        raise ValueError(f"a row of {known.name} is named by {'/'.join(known.natural)}")
    return _kept(db, division, known, dict(zip(known.natural, parts, strict=True)))


def guid_of(db: sqlite3.Connection, division: int, reference: Reference, text: str) -> str:
    """The key of the row that a world means by a code; a GUID is its own.

    Raises:
        ValueError: The list has no such row. An account may come later, so it gets the key that it will have.
    """
    if accounts.is_guid(text):
        return text.lower()
    if reference.to == "Accounts":
        row = accounts.by_code(db, division, text)
        return accounts.key_for(division, text) if row is None else str(row["ID"])
    if reference.to in CHILDREN:
        raise ValueError(f"{text} is no ID, by which alone {reference.to} are stated")
    known = LISTS[reference.to]
    natural = text
    if reference.slot is not None:
        name = table.by_natural(db, division, LISTS["AccountClassificationNames"], str(reference.slot))
        natural = f"{name['ID'] if name else ''}/{text}"
    row = table.by_natural(db, division, known, natural)
    if row is None:
        raise ValueError(f"{known.name} of division {division} has no {text}")
    return str(row[known.key])


def _kept(db: sqlite3.Connection, division: int, known: ReferenceList, given: Mapping[str, Any]) -> Row:
    values: Row = {}
    for name, value in given.items():
        member = known.entity.properties.get(name)
        if member is None:
            raise ValueError(f"{known.name} has no member called {name}")
        reference = known.references.get(name)
        if reference is not None and member.edm == "Edm.Guid" and value is not None:
            values[name] = guid_of(db, division, reference, str(value))
        else:
            values[name] = kept_from_person(member, _number(member, value))
    return values


def _number(member: Property, value: Any) -> Any:
    """A number that came as the part of a path."""
    return int(value) if member.edm == "Edm.Int32" and isinstance(value, str) else value


def _none(world: World, division: Division) -> list[Row]:
    return []


def _currencies(world: World, division: Division) -> list[Row]:
    return [{"Code": code, "Description": described("currency", code, dutch=True)} for code in division.currencies]


def _users(world: World, division: Division) -> list[Row]:
    """Every user of the licence: that one GUID serves all its companies is likely, not proven (dossier E 3.12)."""
    return [
        {
            "UserID": user.id,
            "UserName": user.email or user.name,
            "FullName": user.name,
            "FirstName": user.name.partition(" ")[0],
            "LastName": user.name.partition(" ")[2] or None,
            "Email": user.email,
            "Language": user.language,
            "UserDivisionList": ",".join(str(code) for code in user.divisions),
        }
        for user in world.users.values()
    ]


_OF_THE_WORLD = {"Currencies": _currencies, "Users": _users}
