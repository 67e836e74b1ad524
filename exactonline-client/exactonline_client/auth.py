"""Refresh once, store, use: the access token of one connection, for any number of threads and processes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from exactonline_client import oauth
from exactonline_client.errors import (
    ConfigurationError,
    LoginNeededError,
    NobodyLoggedInError,
    RefreshOutcomeUnknownError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.oauth import Exchange
from exactonline_client.refreshes import (
    BUSY_PAUSE,
    EARLY_MARGIN,
    RATE_LIMIT_PAUSE,
    Attempts,
    Verdict,
    asked_to_wait,
)
from exactonline_client.settings import Settings
from exactonline_client.tokens import Kept, TokenSet, TokenStore, began_with
from exactonline_client.transport import Clock, NoReply, Reply, Transport, utc_now

logger = logging.getLogger(__name__)

NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
CONNECT_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)
LONGEST_WAIT_UNDER_LOCK = timedelta(seconds=5)
"""Others wait for the lock meanwhile, two minutes at most."""
LONGEST_QUOTE = 300


class Login:
    """The login of one app and user at one site."""

    def __init__(
        self,
        settings: Settings,
        tokens: TokenStore,
        transport: Transport,
        *,
        now: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._transport = transport
        self._now = now
        self._sleep = sleep
        self._mutex = threading.Lock()
        self._current: TokenSet | None = None
        self._refreshes = 0

    def access_token(self) -> str:
        """A token that Exact should accept, refreshed if it is about to expire.

        Raises:
            LoginNeededError: Exact says that the stored login has ended, or there is none.
            TryLaterError: Exact does not refresh yet, or nobody knows whether it did.
            ConfigurationError: The app's id or secret is wrong, or its user is shut out.
        """
        with self._mutex:
            if self._current is None or not self._current.is_fresh(self._now()):
                self._current = self._renewed(rejected=None)
            return self._current.access_token

    def renew(self, rejected: str) -> bool:
        """Get another token after Exact answered 401 to this one, and return whether Exact gave it out just now.

        If not, another thread or process had got it before.

        Raises:
            As `access_token`.
        """
        with self._mutex:
            before = self._refreshes
            if self._current is None or self._current.access_token == rejected:
                self._current = self._renewed(rejected=rejected)
            return self._refreshes > before

    def _renewed(self, rejected: str | None) -> TokenSet:
        """The newest pair of the store if it serves, else a new one; no other process refreshes meanwhile."""
        with self._tokens.lock():
            kept = self._kept()
            try:
                return self._pair_from(kept, rejected)
            except LoginNeededError as error:
                if kept.was_issued or not self._tokens.go_back():
                    raise
                logger.warning(
                    "Exact does not take the refresh_token of the settings for %s (%s), so the login in the store goes "
                    "on. Take it out of the settings.",
                    *(self._settings.connection, error.reason),
                )
            return self._pair_from(self._kept(), rejected)

    def _pair_from(self, kept: Kept, rejected: str | None) -> TokenSet:
        """The stored pair while it serves, else the one that its refresh token brings."""
        now = self._now()
        self._transport.secrets.add(kept.tokens.access_token, kept.tokens.refresh_token)
        if kept.tokens.access_token == rejected:
            return self._refreshed(kept, None)
        if kept.tokens.is_fresh(now) or now < kept.tokens.expires_at - EARLY_MARGIN:
            return kept.tokens
        return self._refreshed(kept, kept.tokens)

    def _kept(self) -> Kept:
        """The stored tokens; those of the settings at first, and when a person consented anew."""
        first = self._settings.refresh_token
        kept = self._tokens.get()
        if kept is None or (first is not None and not began_with(kept, first)):
            if first is None:
                raise NobodyLoggedInError(self._settings.connection, name=self._settings.name)
            kept = self._tokens.start(first, TokenSet("", first, NEVER, NEVER))
        return kept

    def _refreshed(self, kept: Kept, in_use: TokenSet | None) -> TokenSet:
        """The pair that the refresh token brings, or the one in use for as long as Exact accepts that.

        The token is presented again after an answer that says nothing of it, when the pause that the store keeps for
        all processes is over: a short one is waited for under the lock.

        Raises:
            LoginNeededError: Exact says that the refresh token is old.
            RefreshOutcomeUnknownError: The next pause is a long one.
        """
        attempts, said = kept.attempts, "no answer was stored"
        while True:
            now = self._now()
            serving = in_use if in_use is not None and in_use.is_alive(now) else None
            due_at = attempts.due_at(now)
            if due_at > now:
                if serving is not None:
                    return serving
                if due_at - now > LONGEST_WAIT_UNDER_LOCK:
                    raise self._not_yet(attempts, said, due_at)
                self._sleep((due_at - now).total_seconds())
            try:
                exchange, begun = self._presented(
                    kept.tokens.refresh_token, attempts, () if serving else CONNECT_DELAYS_SECONDS
                )
                if (pair := exchange.pair()) is not None:
                    return self._stored(pair)
                said = self._transport.secrets.redact(exchange.said())[:LONGEST_QUOTE]
                attempts = self._judged(exchange, said, kept, attempts, begun)
            except (TryLaterError, UnexpectedReplyError):  # no more token requests today, or no connection
                if serving is None:
                    raise
                return serving
            self._tokens.end_refresh(attempts)

    def _presented(
        self, refresh_token: str, attempts: Attempts, delays: tuple[float, ...]
    ) -> tuple[Exchange, Attempts]:
        """Send the refresh token; again only while no connection could be made, so that Exact saw nothing."""

        begun = attempts

        def begin() -> None:
            """The last thing before a refresh goes out: a process that dies before it has spent nothing."""
            nonlocal begun
            if begun is attempts:  # else it is begun, and counted once
                begun = self._tokens.begin_refresh(self._now())

        for delay in delays:
            exchange = oauth.refresh(self._settings, self._transport, refresh_token, begin)
            if isinstance(exchange.answer, Reply) or exchange.answer.was_sent:
                return exchange, begun
            self._sleep(delay)
        return oauth.refresh(self._settings, self._transport, refresh_token, begin), begun

    def _stored(self, pair: TokenSet) -> TokenSet:
        self._transport.secrets.add(pair.access_token, pair.refresh_token)
        self._tokens.put(pair)
        self._refreshes += 1
        logger.info(
            "A new access token for %s is stored; it lives until %s", self._settings.connection, pair.expires_at
        )
        return pair

    def _judged(self, exchange: Exchange, said: str, kept: Kept, before: Attempts, begun: Attempts) -> Attempts:
        """What an answer without a pair leaves of the attempts, `begun` being those with this one.

        Raises:
            As `access_token`, and UnexpectedReplyError: There was no connection.
        """
        answer, connection, now = exchange.answer, self._settings.connection, self._now()
        seen_nothing = replace(before, not_before=None)
        if isinstance(answer, NoReply):
            if answer.was_sent:
                return begun
            self._tokens.end_refresh(seen_nothing)
            raise UnexpectedReplyError(f"Login at {connection}", f"no connection ({answer.cause}).")
        match exchange.verdict:
            case Verdict.TOO_EARLY:
                logger.info("Exact does not renew the access token of %s yet, which can take ten minutes", connection)
                due_at = kept.tokens.expires_at - EARLY_MARGIN  # later, if another program renewed it since
                return Attempts(not_before=max(due_at, now + BUSY_PAUSE))
            case Verdict.RATE_LIMIT:
                return Attempts(not_before=now + RATE_LIMIT_PAUSE)
            case Verdict.UNCLEAR:
                return self._unclear(said, begun, asked_to_wait(answer.status, answer.headers, now))
            case Verdict.MALFORMED if kept.was_issued and not before.unclear:
                return self._unclear(said, begun, None)
        self._tokens.end_refresh(seen_nothing)
        raise self._refusal(exchange.verdict, said, before)

    def _unclear(self, said: str, begun: Attempts, until: datetime | None) -> Attempts:
        logger.warning(
            "Exact's answer to a token refresh for %s says nothing of the refresh token (%s), which is presented again",
            *(self._settings.connection, said),
        )
        return begun if until is None else begun.put_off(until)

    def _refusal(self, verdict: Verdict, said: str, before: Attempts) -> ConfigurationError | LoginNeededError:
        connection = self._settings.connection
        if verdict is Verdict.USER_SHUT_OUT:
            return ConfigurationError(
                f"{connection} gives out no tokens ({said}). Once that is put right in Exact Online, the next run goes "
                "on with the stored login."
            )
        if verdict is not Verdict.OLD:
            return ConfigurationError(
                f"{connection} refused the app ({said}): check client_id and client_secret. "
                "Exact says the same of a refresh_token that it cannot read."
            )
        if before.last_at is not None and "old refresh token" in said.lower():
            said += f" Exact took it before, and its answer was lost ({before.last_at:%Y-%m-%d %H:%M} UTC)."
        return LoginNeededError(connection, said, name=self._settings.name)

    def _not_yet(self, attempts: Attempts, said: str, due_at: datetime) -> TryLaterError:
        if not attempts.unclear:
            return TryLaterError("Exact gives out no new access token yet.", due_at)
        return RefreshOutcomeUnknownError(self._settings.connection, said, due_at, times=attempts.unclear)
