"""How a connection stands: who is logged in, for how long, and which divisions are in reach."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from exactonline_client.client import ExactClient, Me
from exactonline_client.contract import ContractUse
from exactonline_client.division_lists import DivisionList
from exactonline_client.divisions import Division
from exactonline_client.errors import ConfigurationError, ExactError, LoginNeededError, TryLaterError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.token_count import REQUESTS_PER_DAY
from exactonline_client.tokens import REFRESH_TOKEN_LIFE, Kept, TokenStore
from exactonline_client.transport import utc_now

PROGRAM = f"exactonline/{version('exactonline-client')}"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a connection now."""

    connection: str
    user: str | None
    token_age: timedelta | None
    """Since the pair in the store was issued."""
    login_ends_in: timedelta | None
    """A person is needed then, unless a run renews the tokens before."""
    divisions: tuple[Division, ...]
    token_requests_today: int
    contract: ContractUse | None
    """Calls of the contract today, as counted by this store; None if they are not."""
    are_tokens_encrypted: bool
    is_login_needed: bool
    problem: str | None

    def as_json(self) -> dict[str, Any]:
        """All of it, in names and units that programs can rely on."""
        return {
            "connection": self.connection,
            "user": self.user,
            "login_needed": self.is_login_needed,
            "problem": self.problem,
            "token_age_seconds": None if self.token_age is None else round(self.token_age.total_seconds()),
            "days_left": None if self.login_ends_in is None else self.login_ends_in.days,
            "token_requests_today": self.token_requests_today,
            "contract": self.contract.as_json() if self.contract else None,
            "tokens_encrypted": self.are_tokens_encrypted,
            "divisions": [{"code": one.code, "name": one.name, "status": one.status} for one in self.divisions],
        }

    def as_text(self) -> str:
        """All of it, for a person."""
        lines = [self.connection, f"  user       {self.user or 'unknown'}"]
        if self.token_age is not None and self.login_ends_in is not None:
            lines += [
                f"  token      renewed {_in_words(self.token_age)} ago",
                f"  a person   is needed in {_in_words(self.login_ends_in)}, unless a run renews the token before",
                f"  requests   {self.token_requests_today} of {REQUESTS_PER_DAY} for tokens today",
                f"  store      holds the tokens {'encrypted' if self.are_tokens_encrypted else 'in clear'}",
            ]
        if self.contract is not None:
            lines.append(f"  contract   {self.contract.as_text()}")
        lines.append(f"  divisions  {len(self.divisions)} in reach")
        lines += [f"    {one.code:>9}  {one.name}" for one in self.divisions]
        return "\n".join(lines)


class Patience:
    """Sleeps for a person who waits at a prompt: for a minute in all, and no longer."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._left = seconds

    def __call__(self, seconds: float) -> None:
        """Sleep.

        Raises:
            TryLaterError: It would be too long.
        """
        if seconds > self._left:
            raise TryLaterError("Exact asks to wait.", utc_now() + timedelta(seconds=seconds))
        self._left -= seconds
        time.sleep(seconds)


def look(settings: Settings, store: Store) -> Standing:
    """How a connection stands, asked of Exact; a problem is told, not raised."""
    with ExactClient(settings, store, program=PROGRAM, sleep=Patience()) as exact:
        return standing_of(exact, store)


def standing_of(exact: ExactClient, store: Store) -> Standing:
    """The same of a connection that is open: a call for the user, and one per 60 divisions."""
    tokens = TokenStore.of(store, exact.settings)
    user: Me | None = None
    divisions: tuple[Division, ...] = ()
    problem: str | None = None
    is_login_needed = False
    try:
        user = exact.run(exact.me())
        rows = DivisionList(exact, store).whole((user.current_division, *exact.settings.divisions))
        divisions = tuple(sorted(map(Division.of, rows.values()), key=lambda division: division.code))
    except ExactError as error:
        problem, is_login_needed = str(error), isinstance(error, LoginNeededError)
    now = utc_now()
    issued_at = _issued_at(tokens)
    return Standing(
        connection=exact.settings.connection,
        user=user.name if user else None,
        token_age=now - issued_at if issued_at else None,
        login_ends_in=max(issued_at + REFRESH_TOKEN_LIFE - now, timedelta(0)) if issued_at else None,
        divisions=divisions,
        token_requests_today=tokens.count.today(now),
        contract=exact.budgets.contract(exact.now()),
        are_tokens_encrypted=tokens.are_encrypted,
        is_login_needed=is_login_needed,
        problem=problem,
    )


def _issued_at(tokens: TokenStore) -> datetime | None:
    """When the pair in the store was issued; None for a first token of the settings, whose age nobody knows."""
    try:
        kept: Kept | None = tokens.get()
    except ConfigurationError:
        return None
    return kept.tokens.issued_at if kept is not None and kept.was_issued else None


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            return f"{minutes // size} {unit}{'s' if minutes >= 2 * size else ''}"
    return "less than a minute"
