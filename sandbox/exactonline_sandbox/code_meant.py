"""The code of the account that a call is about, so that a fault may be ordered for one account."""

import json
import re
import sqlite3
from typing import Any
from urllib.parse import unquote_plus

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import children
from exactonline_sandbox.call import Call
from exactonline_sandbox.child_entities import CHILDREN

_GUID = re.compile(r"guid\s*'([0-9a-fA-F-]{36})'")
_BY_CODE = re.compile(r"\bCode\)? eq '([^']*)'")


def code_meant(db: sqlite3.Connection, division: int, key: str | None, call: Call) -> str | None:
    """The trimmed code of the one account that a key, a body or a filter names, itself or by what belongs to it."""
    if key is not None:
        found = _GUID.fullmatch(key.strip())
        return _code_of(db, division, found[1].lower()) if found else None
    if call.body:
        try:
            body = json.loads(call.body)
        except ValueError:
            return None
        return _code_in(db, division, body) if isinstance(body, dict) else None
    named = _BY_CODE.search(unquote_plus(call.query))
    return named[1].strip() if named else None


def _code_in(db: sqlite3.Connection, division: int, body: dict[str, Any]) -> str | None:
    if body.get("Code") is not None:
        return str(body["Code"]).strip()
    account = body.get("Account")
    return _code_of(db, division, account.lower()) if isinstance(account, str) else None


def _code_of(db: sqlite3.Connection, division: int, key: str) -> str | None:
    row = table.by_id(db, division, key)
    if row is not None:
        return str(row["Code"])
    for known in CHILDREN.values():
        child = children.by_key(db, division, known, key)
        if child is not None and child.get("Account"):
            return _code_of(db, division, child["Account"])
    return None
