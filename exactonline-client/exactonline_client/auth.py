"""Refresh once, store, use: the access token of one connection, for any number of threads and processes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
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
from exactonline_client.limits import retry_after
from exactonline_client.oauth import Exchange
from exactonline_client.settings import Settings
from exactonline_client.tokens import Kept, TokenSet, TokenStore, began_with
from exactonline_client.transport import Clock, NoReply, Reply, Transport, utc_now

logger = logging.getLogger(__name__)

NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
EARLY_MARGIN = timedelta(seconds=30)
"""Exact lets a token of 600 seconds be refreshed after 570."""
CONNECT_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)


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

    def access_token(self) -> str:
        """A token that Exact should accept, refreshed if it is about to expire.

        Raises:
            LoginNeededError: No token is accepted any more, or there is none to begin with.
            TryLaterError: Exact does not refresh yet.
            ConfigurationError: The app's id or secret is wrong.
        """
        with self._mutex:
            if self._current is None or not self._current.is_fresh(self._now()):
                self._current = self._renewed(rejected=None)
            return self._current.access_token

    def renew(self, rejected: str) -> None:
        """Get another token after Exact answered 401 to this one; nothing if another thread did so meanwhile.

        Raises:
            As `access_token`.
        """
        with self._mutex:
            if self._current is None or self._current.access_token == rejected:
                self._current = self._renewed(rejected=rejected)

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
        if kept.tokens.access_token != rejected:
            too_early = now < kept.tokens.expires_at - EARLY_MARGIN
            if kept.tokens.is_fresh(now) or too_early or (kept.refresh_begun_at and kept.tokens.is_alive(now)):
                return kept.tokens
        if kept.refresh_begun_at:
            raise self._lost(f"the one of {kept.refresh_begun_at:%Y-%m-%d %H:%M} UTC was interrupted")
        return self._settled(self._exchange(kept.tokens.refresh_token), kept.tokens, rejected)

    def _kept(self) -> Kept:
        """The stored tokens; those of the settings at first, and when a person consented anew."""
        first = self._settings.refresh_token
        kept = self._tokens.get()
        if kept is None or (first is not None and not began_with(kept, first)):
            if first is None:
                raise NobodyLoggedInError(self._settings.connection, name=self._settings.name)
            kept = self._tokens.start(first, TokenSet("", first, NEVER, NEVER))
        return kept

    def _exchange(self, refresh_token: str) -> Exchange:
        """Send the refresh token; again only while no connection could be made, so that Exact saw nothing."""
        begin: Callable[[], None] = self._begin
        for delay in CONNECT_DELAYS_SECONDS:
            exchange = oauth.refresh(self._settings, self._transport, refresh_token, begin)
            if isinstance(exchange.answer, Reply) or exchange.answer.was_sent:
                return exchange
            begin = _nothing  # it is begun, and counted once
            self._sleep(delay)
        return oauth.refresh(self._settings, self._transport, refresh_token, begin)

    def _begin(self) -> None:
        """The last thing before a refresh goes out: a process that dies before it has spent nothing."""
        self._tokens.begin_refresh(self._now())

    def _settled(self, exchange: Exchange, old: TokenSet, rejected: str | None) -> TokenSet:
        """What an answer means: a new pair, stored before it is returned, or why there is none."""
        answer, connection = exchange.answer, self._settings.connection
        if isinstance(answer, NoReply):
            if answer.was_sent:
                raise self._lost(answer.cause)
            self._tokens.end_refresh()
            raise UnexpectedReplyError(f"Login at {connection}", f"no connection ({answer.cause}).")
        if answer.status == 200:
            new = self._pair(exchange, answer)
            self._tokens.put(new)
            logger.info("A new access token for %s is stored; it lives until %s", connection, new.expires_at)
            return new
        if answer.status >= 500 and answer.status != 503:
            raise self._lost(f"HTTP {answer.status}")
        self._tokens.end_refresh()
        return self._kept_as_it_was(exchange, answer, old, rejected)

    def _pair(self, exchange: Exchange, answer: Reply) -> TokenSet:
        token = exchange.token or {}
        try:
            lifetime = timedelta(seconds=int(token["expires_in"]))
            pair = TokenSet(
                str(token["access_token"]),
                str(token["refresh_token"]),
                answer.sent_at,
                answer.sent_at + lifetime,
            )
        except (KeyError, ValueError, TypeError, OverflowError):
            raise self._lost("an answer that cannot be read") from None
        self._transport.secrets.add(pair.access_token, pair.refresh_token)
        return pair

    def _kept_as_it_was(self, exchange: Exchange, answer: Reply, old: TokenSet, rejected: str | None) -> TokenSet:
        """Exact did not take the refresh token: go on with the old pair, later, or not at all."""
        error, reason = exchange.error()
        reason = self._transport.secrets.redact(reason)
        now = self._now()
        if "not expired" in reason.lower() or "tooearly" in reason.lower():
            if old.access_token != rejected and old.is_alive(now):
                return old
            logger.info("Exact does not renew the access token of %s yet, which can take ten minutes", old.issued_at)
            due = old.expires_at - EARLY_MARGIN  # if another program renewed it since, it is later than we know
            raise TryLaterError("Exact does not renew the access token yet.", max(due, now + timedelta(seconds=30)))
        if answer.status in {429, 503}:
            again_at = retry_after(answer.headers, now) or now + timedelta(seconds=30)
            raise TryLaterError("Exact gives out no tokens now.", again_at)
        if error == "invalid_client" or (error == "invalid_request" and not reason):
            raise ConfigurationError(
                f"{self._settings.connection} refused the app ({error}): check client_id and client_secret. "
                "Exact says the same of a refresh_token that it cannot read."
            )
        said = reason or error or f"HTTP {answer.status}."
        raise LoginNeededError(self._settings.connection, said, name=self._settings.name)

    def _lost(self, cause: str) -> RefreshOutcomeUnknownError:
        return RefreshOutcomeUnknownError(self._settings.connection, cause, name=self._settings.name)


def _nothing() -> None:
    """What is left to do before another try."""
