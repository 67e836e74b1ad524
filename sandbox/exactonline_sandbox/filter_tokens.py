"""The words of a `$filter`, an `$orderby` token or a key: literals, names and signs (dossier 5.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from exactonline_sandbox.call import NotImitatedError, Refusal
from exactonline_sandbox.clock import parse_wall

Kind = Literal["guid", "datetime", "text", "number", "bool", "null", "name", "sign"]

SYNTAX = "Bad Request - Error in query syntax."

_WORD = re.compile(
    r"""\s*(?:
      (?P<typed>[A-Za-z]+|guid[ ])'(?P<inner>(?:[^']|'')*)'
    | '(?P<text>(?:[^']|'')*)'
    | (?P<number>-?\d+(?:\.\d+)?)(?P<suffix>[A-Za-z]?)\b
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_]\w*)*)
    | (?P<sign>[(),])
    )""",
    re.VERBOSE,
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INT64 = 2**63
_CONSTANTS: dict[str, tuple[Kind, Any]] = {"true": ("bool", True), "false": ("bool", False), "null": ("null", None)}


@dataclass(frozen=True, slots=True)
class Word:
    """One literal, name or sign; `value` is its kept form."""

    kind: Kind
    value: Any


def words(text: str) -> Iterator[Word]:
    """The words in order; 400 for what cannot be read, with the text seen for a bad literal (dossier 4.4)."""
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _WORD.match(text, at)
        if not found:
            raise Refusal(400, SYNTAX)
        yield _word(found, found.end() - len(found[0].lstrip()))
        at = found.end()


def _word(found: re.Match[str], start: int) -> Word:
    if found["typed"]:
        return _typed(found["typed"].strip(), found["inner"].replace("''", "'"), found[0].strip(), start)
    if found["text"] is not None:
        return Word("text", found["text"].replace("''", "'"))
    if found["number"]:
        if found["suffix"] not in {"", "L"}:
            raise NotImitatedError(f"the literal {found[0].strip()} in a query")
        if abs(float(found["number"])) >= _INT64:
            raise Refusal(400, SYNTAX)
        return Word("number", float(found["number"]) if "." in found["number"] else int(found["number"]))
    if found["name"]:
        kind, value = _CONSTANTS.get(found["name"], ("name", found["name"]))
        return Word(kind, value)
    return Word("sign", found["sign"])


def _typed(kind: str, inner: str, shown: str, start: int) -> Word:
    if kind == "guid":
        if _GUID.fullmatch(inner):
            return Word("guid", inner.lower())
        raise Refusal(400, f"Unrecognized 'Edm.Guid' literal '{shown}' in '{start}'.")
    if kind == "datetime":
        wall = parse_wall(inner)
        if wall is not None:
            return Word("datetime", wall)
        raise Refusal(400, f"Unrecognized 'Edm.DateTime' literal '{shown}' in '{start}'.")
    raise NotImitatedError(f"the literal {kind}'…' in a query")
