"""Exact Online's API as calls that yield whenever they must wait.

Each call is a generator: it yields the instant (aware, UTC, our clock) before which it cannot go on, and returns its
result. So whoever drives it decides what to do meanwhile: a tap sleeps (`ExactClient.run`), a target lets another
division use the time. The division is always an argument, never state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from types import TracebackType
from typing import Any, Literal

from exactonline_client import odata
from exactonline_client.auth import Login
from exactonline_client.budgets import Budgets
from exactonline_client.divisions import DIVISION_FIELDS
from exactonline_client.entities import DELETIONS, DIVISIONS, Entity
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    NotFoundError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.exchange import Exchange, T, Waiting
from exactonline_client.limits import Ceilings
from exactonline_client.odata import MalformedReplyError, Row
from exactonline_client.pages import Link, RowPage
from exactonline_client.retries import Method, Step
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import Clock, Request, Secrets, Transport, utc_now
from exactonline_client.zones import zone_of_offset, zone_of_site

Variant = Literal["sync", "bulk", "single"]


@dataclass(frozen=True, slots=True)
class Me:
    """The user that the login belongs to."""

    name: str
    current_division: int
    """The one last used, by whatever program; good for listing divisions, never for choosing a target."""


class ExactClient:
    """One connection: a site, an app, a user. Safe for threads, one call at a time within a division."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        program: str,
        now: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.now = now
        self._sleep = sleep
        self._zone = zone_of_site(settings.base_url)
        secrets = Secrets(settings.client_secret, settings.refresh_token)
        self.transport = Transport(settings, secrets, program=program, now=now)
        self.login = Login(
            settings,
            TokenStore.of(store, settings),
            self.transport,
            now=now,
            sleep=sleep,
        )
        ceilings = Ceilings(settings.requests_per_minute, settings.requests_per_day)
        self.budgets = Budgets(store, settings.site_and_app, ceilings)

        self._exchange = Exchange(settings, self.transport, self.login, self.budgets, now)

    # Driving

    def run(self, waiting: Waiting[T]) -> T:
        """Drive a call to its result, sleeping whenever it waits."""
        try:
            while True:
                until = next(waiting)
                self._sleep(max(0.0, (until - self.now()).total_seconds()))
        except StopIteration as end:
            result: T = end.value
            return result

    def exacts_now(self) -> datetime:
        """What Exact's clock shows now, at the earliest: what is compared with its dates is told by it, not by ours."""
        return self.budgets.exacts_now(self.now())

    # Reading

    def me(self) -> Waiting[Me]:
        """Who is logged in. Names no division, so it works before any is known to be in reach."""
        path = "/api/v1/current/Me?" + odata.query({"$select": "CurrentDivision,FullName,ServerUtcOffset"})
        answer = yield from self._exchange.settle(Request("GET", path, endpoint="current/Me"), odata.parse_single)
        row = answer.value
        if row.get("ServerUtcOffset") is not None:
            self._zone = self._checked_zone(float(row["ServerUtcOffset"]))
        return Me(str(row.get("FullName") or "").strip(), int(row["CurrentDivision"]))

    def division_rows(self, *candidates: int, select: Sequence[str] = DIVISION_FIELDS) -> Waiting[list[Row]]:
        """All divisions in reach, asked for through the first of the candidates that answers.

        A candidate may be out of reach, or have no calls left today.

        Raises:
            DivisionRefusedError, TryLaterError: None of them answers; this is what the last one said.
        """
        *firsts, last = dict.fromkeys(candidates)
        for via in firsts:
            try:
                return (yield from self._division_rows(via, select))
            except (DivisionRefusedError, TryLaterError):
                continue
        return (yield from self._division_rows(last, select))

    def _division_rows(self, via: int, select: Sequence[str]) -> Waiting[list[Row]]:
        rows: list[Row] = []
        link: Link | None = None
        while True:
            page = yield from self.page(DIVISIONS, via, variant="single", select=select, link=link)
            rows += page.rows
            if page.next_link is None:
                return rows
            link = page.next_link

    def page(
        self,
        entity: Entity,
        division: int,
        *,
        variant: Variant = "sync",
        select: Sequence[str],
        after: int | None = None,
        link: Link | None = None,
    ) -> Waiting[RowPage]:
        """One page of a list: up to 1000 rows by sync and bulk, 60 by the single endpoint.

        Args:
            after: Only rows with a higher Timestamp (sync and the deletion log).
            link: The `next_link` of the page before.
        """
        endpoint = {"sync": entity.sync_path, "bulk": entity.bulk_path, "single": entity.path}[variant]
        if endpoint is None:
            raise UnexpectedReplyError(entity.name, f"there is no {variant} endpoint")
        if link is None:
            options = {"$filter": self._filter(entity, after), "$select": ",".join(select)}
            path = f"/api/v1/{division}/{endpoint}?{odata.query(options)}"
        else:
            path = self.transport.path_of(link.target)
        read = odata.reader(entity, select, (yield from self.zone()))

        def parse(body: bytes) -> tuple[list[Row], str | None]:
            page = odata.parse_page(body)
            return [odata.with_keys(entity, read(raw), select) for raw in page.rows], page.next_link

        answer = yield from self._exchange.settle(Request("GET", path, division, endpoint), parse)
        rows, target = answer.value
        if target is None:
            return RowPage(rows, None)
        following = link.to(target) if link else Link(target)
        if following is None:
            raise UnexpectedReplyError(f"GET {endpoint} in division {division}", "the next page was read before.")
        return RowPage(rows, following)

    def pages(
        self,
        entity: Entity,
        division: int,
        *,
        variant: Variant = "sync",
        select: Sequence[str],
        after: int | None = None,
    ) -> Iterator[list[Row]]:
        """All rows of a list, a page at a time, sleeping where the limits ask for it."""
        link = None
        while True:
            page = self.run(self.page(entity, division, variant=variant, select=select, after=after, link=link))
            yield page.rows
            if page.next_link is None:
                return
            link = page.next_link

    def find(self, entity: Entity, division: int, natural_key: str, select: Sequence[str]) -> Waiting[Row | None]:
        """The row with this natural key, or None."""
        field = entity.fields[entity.natural_key or entity.key]
        options = {"$filter": odata.equals(field, natural_key), "$select": ",".join(select), "$top": "1"}
        path = f"/api/v1/{division}/{entity.path}?{odata.query(options)}"
        read = odata.reader(entity, select, (yield from self.zone()))
        answer = yield from self._exchange.settle(Request("GET", path, division, entity.path), odata.parse_page)
        return next((read(raw) for raw in answer.value.rows), None)

    # Writing

    def create(self, entity: Entity, division: int, values: Mapping[str, Any], select: Sequence[str]) -> Waiting[Row]:
        """Create a row and return it as Exact stored it. When an answer is lost, it is looked up before a second try.

        Raises:
            AlreadyExistsError: A row has this natural key. Also when a look found one that is not what was sent: it
                may be somebody else's, created a moment ago.
            RecordRefusedError: Exact will not take it; nothing was created.
            UnexpectedReplyError: No answer settled it, and the last look did not find it.
        """
        zone = yield from self.zone()
        read = odata.reader(entity, select, zone)
        key = str(values.get(entity.natural_key or "", ""))

        def parse(body: bytes) -> Row:
            row = read(odata.parse_single(body))
            if not row.get(entity.key):
                raise MalformedReplyError("a created row without its key")
            return row

        request = self._write(entity, "POST", division, "", odata.encode_row(entity, values, zone))
        attempt = 1
        while True:
            answer = yield from self._exchange.ask(request, parse, attempt)
            if answer.step is Step.ACCEPT:
                row: Row = answer.value
                return row
            if answer.step is Step.LOOK_FIRST or answer.may_have_happened:
                yield self.now() + timedelta(seconds=answer.delay_seconds)
                found = yield from self.find(entity, division, key, select)
                if found is not None and odata.holds(entity, found, values, zone):
                    return found
                if found is not None:
                    raise AlreadyExistsError(
                        entity=entity.name, division=division, key=key, status=answer.status, said=answer.text
                    )
            if answer.step is Step.GIVE_UP:
                self._exchange.give_up(request, answer, entity, key)
            attempt = answer.attempt + 1

    def update(
        self, entity: Entity, division: int, key: str, changes: Mapping[str, Any], *, label: str
    ) -> Waiting[datetime]:
        """Change only these fields, and return when that was over by Exact's clock, at the latest.

        Args:
            label: How messages call the row.

        Raises:
            NotFoundError: The row is gone.
            RecordRefusedError: Exact will not take the values; nothing was changed.
        """
        body = odata.encode_row(entity, changes, (yield from self.zone()))
        request = self._write(entity, "PUT", division, _key_segment(entity, key), body)
        answer = yield from self._exchange.settle(request, odata.parse_done, entity, label)
        return self.budgets.exacts_now_at_most(answer.received_at)

    def delete(self, entity: Entity, division: int, key: str, *, label: str) -> Waiting[None]:
        """Remove a row; one that is gone already will do, since an answer to an earlier try may have been lost.

        Raises:
            RecordRefusedError: Exact keeps it, since it is in use for instance.
        """
        request = self._write(entity, "DELETE", division, _key_segment(entity, key), b"")
        try:
            yield from self._exchange.settle(request, lambda _: None, entity, label)
        except NotFoundError:
            return

    def zone(self) -> Waiting[tzinfo]:
        """The zone of the site's wall time; asked of Exact where the country does not settle it."""
        if self._zone is None:
            yield from self.me()
        return self._zone or timezone.utc

    # Beneath

    def _write(self, entity: Entity, method: Method, division: int, key: str, body: bytes) -> Request:
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        return Request(
            method,
            f"/api/v1/{division}/{entity.path}{key}",
            division,
            entity.path,
            headers=headers,
            body=body,
        )

    def _filter(self, entity: Entity, after: int | None) -> str | None:
        if after is None:
            return None
        newer = odata.after(DELETIONS.fields["Timestamp"], after)
        is_log = entity.path == DELETIONS.path
        return f"{newer} and EntityType eq {entity.deleted_type}" if is_log and entity.deleted_type else newer

    def _checked_zone(self, utc_offset_seconds: float) -> tzinfo:
        """The zone so far, unless Exact's own offset contradicts it."""
        now = self.now()
        if self._zone is not None and now.astimezone(self._zone).utcoffset() == timedelta(seconds=utc_offset_seconds):
            return self._zone
        return zone_of_offset(utc_offset_seconds, now)

    def close(self) -> None:
        """Keep the counts and close all connections."""
        self.budgets.save(self.now())
        self.transport.close()

    def __enter__(self) -> ExactClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _key_segment(entity: Entity, key: str) -> str:
    return f"({odata.literal(entity.fields[entity.key], key)})"
