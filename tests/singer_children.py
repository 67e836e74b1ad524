"""What a tap says of contacts, addresses and bank accounts, and what companies hold of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sandbox_driver import SOURCE, Sandbox

ENTITIES = {"contacts": "Contacts", "addresses": "Addresses", "bank_accounts": "BankAccounts"}
TELLING = {
    "contacts": ("FirstName", "MiddleName", "LastName", "Email", "Phone", "Mobile", "JobTitleDescription"),
    "addresses": ("Type", "Main", "AddressLine1", "AddressLine2", "Postcode", "City", "Country", "Phone"),
    "bank_accounts": ("BankAccount", "BankAccountHolderName", "BICCode", "Description", "Main"),
}
"""Fields of each stream in which companies are compared."""

_ALWAYS = {"accounts": ("Code",), **dict.fromkeys(ENTITIES, ("AccountCode",))}

Record = Mapping[str, Any]


def schema(stream: str, records: Iterable[Record], keys: Sequence[str], **besides: Any) -> dict[str, Any]:
    names = {name for record in records for name in record} | {"ID", *_ALWAYS.get(stream, ())}
    properties = {name: {} for name in names} | {"Division": {"type": "integer"}}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
        **besides,
    }


def lines(streams: Mapping[str, Sequence[Record]], keys: Sequence[str] = ("ID",), state: Any = None) -> str:
    """Messages of a tap that reads the source company."""
    messages: list[dict[str, Any]] = []
    for stream, records in streams.items():
        messages.append(schema(stream, records, keys, source={"divisions": [SOURCE]}))
        for record in records:
            message: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": dict(record)}
            messages.append(message)
    if state is not None:
        messages.append({"type": "STATE", "value": state})
    return "".join(f"{json.dumps(message)}\n" for message in messages)


def told(sandbox: Sandbox, streams: Sequence[str], division: int = SOURCE) -> dict[str, list[dict[str, Any]]]:
    """What the tap tells of a company: accounts, and these streams with the code of each account."""
    accounts = sandbox.accounts(division)
    codes = {one["ID"]: str(one["Code"]).strip() for one in accounts}
    found = {"accounts": [{**one, "Division": division, "Code": codes[one["ID"]]} for one in accounts]}
    for stream in streams:
        rows = sandbox.children(division, ENTITIES[stream])
        found[stream] = [{**one, "Division": division, "AccountCode": codes[one["Account"]]} for one in rows]
    return found


def held(sandbox: Sandbox, division: int, stream: str, *, without: Collection[str] = ()) -> list[tuple[Any, ...]]:
    """What a company holds of a stream in the fields that are compared, by the code of the account; some IDs aside."""
    codes = {one["ID"]: str(one["Code"]).strip() for one in sandbox.accounts(division)}
    rows = [row for row in sandbox.children(division, ENTITIES[stream]) if row["ID"] not in without]
    shown = (
        (codes[one["Account"]], *(_plain(one.get(name)) for name in TELLING[stream]))
        for one in rows
        if one.get("Account") and not (stream == "addresses" and one["Type"] == 1 and one["Main"])
    )
    return sorted(shown, key=repr)


def _plain(value: Any) -> Any:
    return value.strip() or None if isinstance(value, str) else value
