"""The query string: which options, what they ask, and the next page's address (dossier 5.1, 5.2)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_plus

from exactonline_sandbox.call import NotImitatedError, Refusal
from exactonline_sandbox.clock import short_iso
from exactonline_sandbox.filter_tokens import SYNTAX, words
from exactonline_sandbox.filter_tree import Node
from exactonline_sandbox.filters import parse_filter
from exactonline_sandbox.properties import Entity, Property

_DIGITS = 12
_NO_FILTER = "This $filter parameter is not supported for this resource"  # for an empty one (PICQER #468)
_OPTIONS = {"$select", "$top", "$skip", "$orderby", "$filter", "$skiptoken", "$inlinecount", "$expand"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query string, understood. `token` holds the last row's order values and key, in order."""

    pairs: tuple[tuple[str, str], ...]
    select: tuple[str, ...] | None = None
    top: int | None = None
    skip: int = 0
    order: tuple[tuple[str, bool], ...] = ()
    filter: Node | None = None
    follows: bool = False
    token: tuple[Any, ...] = ()
    count: bool = False
    expand: bool = False


def query_pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Names and values in the order sent. Options without a dollar are other parameters, not OData's."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return tuple((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


@lru_cache(maxsize=1024)
def parse_query(query: str, entity: Entity) -> Query:
    """What a query string asks of this entity.

    Raises:
        Refusal: 400, a known option with a value that cannot be.
        NotImitatedError: An option of which nothing is known.
    """
    pairs = query_pairs(query)
    given: dict[str, str] = {}
    for name, value in pairs:
        if not name.startswith("$"):
            continue
        if name not in _OPTIONS:
            raise NotImitatedError(f"the query option {name}")
        if name in given:
            raise Refusal(400, SYNTAX)
        given[name] = value
    if "$filter" in given and not given["$filter"].strip():
        raise Refusal(400, _NO_FILTER)
    order = _order(given.get("$orderby", ""), entity)
    return Query(
        pairs=pairs,
        select=_select(given.get("$select"), entity),
        top=_whole(given.get("$top")),
        skip=_whole(given.get("$skip")) or 0,
        order=order,
        filter=parse_filter(given["$filter"], entity) if "$filter" in given else None,
        follows="$skiptoken" in given,
        token=_token(given.get("$skiptoken", ""), len(order) + 1),
        count=_inlinecount(given.get("$inlinecount", "none")),
        expand=_expand(given.get("$expand", ""), entity),
    )


def _select(text: str | None, entity: Entity) -> tuple[str, ...] | None:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name != "*" and name not in entity.properties:
            raise Refusal(400, SYNTAX)
    if not names or "*" in names:
        return None
    wanted = set(names)
    return tuple(name for name in entity.properties if name in wanted)  # the server's order (dossier 2.1)


def _whole(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or len(text) > _DIGITS:
        raise Refusal(400, SYNTAX)
    return int(text)


def _order(text: str, entity: Entity) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = part.partition(" ")
        if name not in entity.properties or direction.strip() not in {"", "asc", "desc"}:
            raise Refusal(400, SYNTAX)
        order.append((name, direction.strip() == "desc"))
    return tuple(order)


def _token(text: str, parts: int) -> tuple[Any, ...]:
    values = tuple(word.value for word in words(text) if word.kind != "sign")
    if values and len(values) != parts:
        raise Refusal(400, SYNTAX)
    return values


def _inlinecount(text: str) -> bool:
    if text not in {"allpages", "none"}:
        raise Refusal(400, SYNTAX)
    return text == "allpages"


def _expand(text: str, entity: Entity) -> bool:
    if text and (text != "BankAccounts" or text not in entity.properties):
        raise NotImitatedError(f"$expand={text}")
    return bool(text)


def literal(known: Property, value: Any) -> str:
    """A kept value as a literal in an address."""
    if value is None:
        return "null"
    match known.edm:
        case "Edm.Guid":
            return f"guid'{value}'"
        case "Edm.DateTime":
            return f"datetime'{short_iso(value)}'"
        case "Edm.String":
            text = str(value).replace("'", "''")
            return f"'{text}'"
        case "Edm.Int64":
            return f"{value}L"
        case "Edm.Boolean":
            return "true" if value else "false"
        case _:
            return str(value)


def next_query(query: Query, entity: Entity, given: int, last: dict[str, Any]) -> str:
    """The next page's query: the options as sent, `$top` lowered by the rows given, and a fresh `$skiptoken`."""
    parts = []
    for name, value in query.pairs:
        if name in {"$skiptoken", "$skip"}:
            continue
        if name == "$top" and query.top is not None:
            value = str(query.top - given)  # noqa: PLW2901 - the one option that changes
        parts.append(f"{name}={quote(value, safe=_SAFE)}")
    keys = [name for name, _ in query.order] + [entity.key]
    token = ",".join(literal(entity.properties[name], last.get(name)) for name in keys)
    return "&".join([*parts, f"$skiptoken={quote(token, safe=_SAFE)}"])


_SAFE = "$,'()*!/-._~"
