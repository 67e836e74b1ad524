"""Exact Online's API as calls that yield whenever they must wait.

Each call is a generator: it yields the instant (aware, UTC, our clock) before which it cannot go on, and returns its
result. So whoever drives it decides what to do meanwhile: a tap sleeps (`ExactClient.run`), a target lets another
division use the time. The division is always an argument, never state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from types import TracebackType

from exactonline_client import answers, odata
from exactonline_client.auth import Login
from exactonline_client.budgets import Budgets
from exactonline_client.divisions import DIVISION_FIELDS, filters
from exactonline_client.entities import DIVISIONS, Entity
from exactonline_client.errors import DivisionRefusedError, TryLaterError, UnexpectedReplyError
from exactonline_client.exchange import WHO_AM_I, Exchange, T, Waiting
from exactonline_client.odata import Row
from exactonline_client.pages import Link
from exactonline_client.redaction import Secrets
from exactonline_client.retries import Method
from exactonline_client.row_reads import Variant
from exactonline_client.row_writes import RowWrites
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import Clock, Reply, Request, Transport, utc_now
from exactonline_client.zones import zone_of_offset, zone_of_site

__all__ = ["ExactClient", "Me", "Variant"]

RIGHTS = "users/UserHasRights"


@dataclass(frozen=True, slots=True)
class Me:
    """The user that the login belongs to."""

    name: str
    current_division: int
    """The one last used, by whatever program; good for listing divisions, never for choosing a target."""


class ExactClient(RowWrites):
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
        self.budgets = Budgets(store, settings.site_and_app, settings.ceilings)
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
        path = f"/api/v1/{WHO_AM_I}?" + odata.query({"$select": "CurrentDivision,FullName,ServerUtcOffset"})
        answer = yield from self._exchange.settle(Request("GET", path, endpoint=WHO_AM_I), answers.single)
        row = answer.value
        if row.get("ServerUtcOffset") is not None:
            self._zone = self._checked_zone(float(row["ServerUtcOffset"]))
        return Me(str(row.get("FullName") or "").strip(), int(row["CurrentDivision"]))

    def division_rows(
        self, *candidates: int, select: Sequence[str] = DIVISION_FIELDS, codes: Iterable[int] | None = None
    ) -> Waiting[list[Row]]:
        """All divisions in reach, or those of these codes, asked for through the first of the candidates that answers.

        A candidate may be out of reach, or have no calls left today.

        Raises:
            DivisionRefusedError, TryLaterError: None of them answers; this is what the last one said.
        """
        *firsts, last = dict.fromkeys(candidates)
        wheres = [None] if codes is None else filters(codes)
        for via in firsts:
            try:
                return (yield from self._division_rows(via, select, wheres))
            except (DivisionRefusedError, TryLaterError):
                continue
        return (yield from self._division_rows(last, select, wheres))

    def _division_rows(self, via: int, select: Sequence[str], wheres: Sequence[str | None]) -> Waiting[list[Row]]:
        rows: list[Row] = []
        for where in wheres:
            link: Link | None = None
            while True:
                page = yield from self.page(DIVISIONS, via, variant="single", select=select, where=where, link=link)
                rows += page.rows
                link = page.next_link
                if link is None:
                    break
        return rows

    def has_right(self, entity: Entity, division: int, action: Method) -> Waiting[bool | None]:
        """Whether the user may create (POST), change (PUT) or delete rows here, by Exact's own word, without a write.

        None if Exact does not say: the app lacks the scope for this question, for instance. That the user may does not
        mean that the app may. The form of the question is that of PICQER's Model.php.
        """
        options = {"endpoint": f"'{entity.path}'", "action": f"'{action}'"}
        query = "&".join(f"{name}={value}" for name, value in options.items())
        request = Request("GET", f"/api/v1/{division}/{RIGHTS}?{query}", division, RIGHTS)

        def parse(reply: Reply) -> bool | None:
            said = answers.single(reply).get("UserHasRights")
            return said if isinstance(said, bool) else {"true": True, "false": False}.get(str(said).lower())

        try:
            answer = yield from self._exchange.settle(request, parse)
        except (DivisionRefusedError, TryLaterError, UnexpectedReplyError):
            return None
        said: bool | None = answer.value
        return said

    def zone(self) -> Waiting[tzinfo]:
        """The zone of the site's wall time; asked of Exact where the country does not settle it."""
        if self._zone is None:
            yield from self.me()
        return self._zone or timezone.utc

    # Beneath

    def _checked_zone(self, utc_offset_seconds: float) -> tzinfo:
        """The zone so far, unless Exact's own offset contradicts it."""
        now = self.now()
        if self._zone is not None and now.astimezone(self._zone).utcoffset() == timedelta(seconds=utc_offset_seconds):
            return self._zone
        return zone_of_offset(utc_offset_seconds, now)

    def close(self) -> None:
        """Keep the counts and close all connections."""
        self.budgets.close(self.now())
        self.transport.close()

    def __enter__(self) -> ExactClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
