"""An answer of success held against what was asked: its form, its company, its rows. Pure.

Exact once answered requests of one company with rows of another, and carried out writes there (2021, and October 2024
at a vendor). A row says which company it belongs to by its member `Division` and by the address in `__metadata`, a
created one also by the header `Location`. Gateways answer pages with a status of success.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from exactonline_client import odata
from exactonline_client.entities.model import Entity
from exactonline_client.odata import MalformedReplyError, Page

COMPANY_FIELD = "Division"
_PLACE = re.compile(r"/+api/+v1/+(\d+)(?:/+(.*))?$", re.IGNORECASE)
_CREATED = frozenset({200, 201})
"""Exact says 201; a proxy in front of it was seen to say 200."""


class Answer(Protocol):
    """What is looked at of a reply."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""

    @property
    def body(self) -> bytes:
        """As it came."""


class OtherCompanyError(ValueError):
    """An answer is about another company than was asked."""

    def __init__(self, other: int, key: str = "") -> None:
        super().__init__(f"an answer for division {other}")
        self.other = other
        self.key = key


def page(answer: Answer, entity: Entity, division: int, endpoint: str) -> Page:
    """Return a page of a list, all of whose rows, and whose next page, are of this company and endpoint.

    Raises:
        OtherCompanyError: A row or the link to the next page is of another company.
        MalformedReplyError: It is no list, or goes on in another one.
    """
    found = odata.parse_page(_body(answer, {200}))
    if entity.is_of_a_company:
        check_rows(found.rows, entity, division)
    if found.next_link is not None:
        _check_link(found.next_link, division, endpoint)
    return found


def created(answer: Answer, entity: Entity, division: int) -> dict[str, Any]:
    """Return the row in the answer to a create, in Exact's own values.

    Raises:
        As `page`; MalformedReplyError also for a row without its key.
    """
    row = odata.parse_single(_body(answer, _CREATED))
    key = row.get(entity.key)
    if not key:
        raise MalformedReplyError("a created row without its key")
    check_rows([row], entity, division)
    located = company_in(str(answer.headers.get("location") or ""))
    if located not in (None, division):
        raise OtherCompanyError(located or 0, str(key))
    return row


def single(answer: Answer) -> dict[str, Any]:
    """Return the one row of an answer that belongs to no company."""
    return odata.parse_single(_body(answer, {200}))


def nothing(answer: Answer) -> None:
    """Accept the answer to an update or a deletion: 204 without a body (recorded), and no other.

    Raises:
        MalformedReplyError: Whether it happened is unknown.
    """
    if answer.status != 204 or answer.body.strip():
        raise MalformedReplyError(f"HTTP {answer.status} where 204 without a body is due")


def check_rows(rows: Iterable[Mapping[str, Any]], entity: Entity, division: int) -> None:
    """Make sure that each row is of this company, as far as it says so.

    Raises:
        OtherCompanyError: One is of another.
    """
    here = f"/api/v1/{division}/"
    for row in rows:
        said = row.get(COMPANY_FIELD)
        if said is not None and said != division and _number(said) != division:
            raise OtherCompanyError(_number(said), str(row.get(entity.key) or ""))
        metadata = row.get("__metadata")
        address = metadata.get("uri") if isinstance(metadata, dict) else None
        if isinstance(address, str) and here not in address:
            company = company_in(address)
            if company not in (None, division):
                raise OtherCompanyError(company or 0, str(row.get(entity.key) or ""))


def company_in(address: str) -> int | None:
    """Return the company in an address of Exact's API, or None if it names none."""
    place = _place_of(address)
    return place[0] if place else None


def _check_link(link: str, division: int, endpoint: str) -> None:
    place = _place_of(link)
    if place is None:
        raise MalformedReplyError("a next page at an address that names no company")
    company, path = place
    if company != division:
        raise OtherCompanyError(company)
    if path.casefold() != endpoint.casefold():
        raise MalformedReplyError(f"a next page of {path}, which is another list")


def _place_of(address: str) -> tuple[int, str] | None:
    """Company and endpoint in an address, without key and query."""
    try:
        found = _PLACE.search(urlsplit(address).path)
    except ValueError:
        return None
    if found is None:
        return None
    path = re.sub(r"/+", "/", found[2] or "").partition("(")[0].rstrip("/")
    return int(found[1]), path


def _body(answer: Answer, statuses: Iterable[int]) -> bytes:
    if answer.status not in statuses:
        raise MalformedReplyError(f"HTTP {answer.status}, which is not due here")
    return answer.body


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise MalformedReplyError(f"a row with an unreadable {COMPANY_FIELD}") from None
