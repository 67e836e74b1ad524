"""The code of the account that a call is about, so that a fault may be ordered for one account."""

import json
import re
import sqlite3
from urllib.parse import unquote_plus

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox.call import Call

_GUID = re.compile(r"guid\s*'([0-9a-fA-F-]{36})'")
_BY_CODE = re.compile(r"\bCode\)? eq '([^']*)'")


def code_meant(db: sqlite3.Connection, division: int, key: str | None, call: Call) -> str | None:
    """The trimmed code of the one account that a key, a body or a filter names, or None."""
    if key is not None:
        found = _GUID.fullmatch(key.strip())
        row = table.by_id(db, division, found[1].lower()) if found else None
        return None if row is None else str(row["Code"])
    if call.body:
        try:
            body = json.loads(call.body)
        except ValueError:
            return None
        code = body.get("Code") if isinstance(body, dict) else None
        return None if code is None else str(code).strip()
    named = _BY_CODE.search(unquote_plus(call.query))
    return named[1].strip() if named else None
