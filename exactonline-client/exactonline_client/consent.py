"""A person's consent in a browser: from the address to open, by the address where the browser ended, to tokens.

The two halves may be two processes, so the store keeps what the second needs of the first.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import select

from exactonline_client import oauth
from exactonline_client.errors import ConfigurationError, LoginNeededError, UnexpectedReplyError, login_command
from exactonline_client.oauth import Exchange
from exactonline_client.settings import Settings
from exactonline_client.token_tables import pending_logins
from exactonline_client.tokens import TokenSet, TokenStore
from exactonline_client.transport import NoReply, Transport

TIME_TO_CONSENT = timedelta(minutes=10)
_LOCAL_HOSTS = {None, "localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A consent that a person was sent to give."""

    state: str
    redirect_uri: str
    begun_at: datetime


class Consent:
    """The login of one app at one site by a person."""

    def __init__(self, settings: Settings, tokens: TokenStore, transport: Transport) -> None:
        self._settings = settings
        self._tokens = tokens
        self._transport = transport
        self._mine = pending_logins.c.connection == tokens.connection

    def begin(self, redirect_uri: str, now: datetime, *, force_login: bool = False) -> str:
        """The address that a person opens. It takes the place of an earlier one that was not used.

        Raises:
            ConfigurationError: There can be no consent with these settings.
        """
        if not self._settings.is_web:
            raise ConfigurationError(
                f"No browser can open {self._settings.base_url}: let `exactonline-sandbox serve` serve that world, and "
                "log in at its http address."
            )
        _check_redirect_uri(redirect_uri)
        self._tokens.get()  # a store that cannot be read should say so before a person takes the trouble
        pending = Pending(secrets.token_urlsafe(24), redirect_uri, now)
        self._remember(pending)
        return oauth.authorization_url(self._settings, redirect_uri, pending.state, force_login=force_login)

    def finish(self, redirected: str, now: datetime) -> None:
        """Trade the code in the address where the browser ended for tokens, and store them.

        A code works once, so this sends one request and never repeats it.

        Raises:
            ConfigurationError: The address is not the one that was waited for.
            LoginNeededError: Exact gave no access, did not take the code, or its answer was lost.
            TryLaterError: Exact allows no more token requests today.
            UnexpectedReplyError: There was no connection; the same address serves once more.
        """
        with self._tokens.lock():
            self._tokens.get()
            pending = self._pending(now)
            if pending is None:
                raise ConfigurationError(
                    "No login is under way, or it was begun more than ten minutes ago. Begin with "
                    f"`{login_command(self._settings.name)}`."
                )
            code = self._code(redirected, pending.state)
            self._transport.secrets.add(code)
            self._tokens.count.add(now)
            self._forget()
            exchange = oauth.redeem(self._settings, self._transport, code, pending.redirect_uri)
            if isinstance(exchange.answer, NoReply) and not exchange.answer.was_sent:
                self._remember(pending)
                raise UnexpectedReplyError(
                    f"Login at {self._settings.connection}", f"no connection ({exchange.answer.cause})."
                )
            pair = exchange.pair()
            if pair is None:
                raise self._refused(self._reason(exchange))
            self._keep(pair)

    def cancel(self) -> None:
        """Wait for no consent any more."""
        self._forget()

    def _keep(self, pair: TokenSet) -> None:
        self._transport.secrets.add(pair.access_token, pair.refresh_token)
        self._tokens.log_in(pair, self._settings.refresh_token)

    def _code(self, redirected: str, state: str) -> str:
        given = _query_of(redirected)
        if "error" in given:
            said = ": ".join(given[name] for name in ("error", "error_description") if given.get(name))
            raise self._refused(f"no access was granted in the browser ({said}).")
        if not given.get("code"):
            raise ConfigurationError(
                "That address holds no code. Copy all of the address bar, once the browser shows your redirect address."
            )
        if not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
            raise ConfigurationError(
                "That address is the end of another login: its state is not that of the one under way. "
                "Open the address that `exactonline login` printed last, or begin again."
            )
        return given["code"]

    def _refused(self, reason: str) -> LoginNeededError:
        return LoginNeededError(self._settings.connection, reason, name=self._settings.name)

    def _reason(self, exchange: Exchange) -> str:
        if isinstance(exchange.answer, NoReply):
            return f"the answer to the login was lost ({exchange.answer.cause}), and a code works once."
        return (
            f"the code was not taken ({self._transport.secrets.redact(exchange.said())}). "
            "It works once and for three minutes. "
            "If a new one is not taken either, check client_id, client_secret and the redirect address."
        )

    # The login under way

    def _pending(self, now: datetime) -> Pending | None:
        with self._tokens.store.read() as connection:
            row = connection.execute(select(pending_logins).where(self._mine)).one_or_none()
        if row is None or now - datetime.fromisoformat(row.begun_at) > TIME_TO_CONSENT:
            return None
        return Pending(row.state, row.redirect_uri, datetime.fromisoformat(row.begun_at))

    def _remember(self, pending: Pending) -> None:
        row = {
            "connection": self._tokens.connection,
            "state": pending.state,
            "redirect_uri": pending.redirect_uri,
            "begun_at": pending.begun_at.isoformat(),
        }
        with self._tokens.store.write() as connection:
            connection.execute(pending_logins.delete().where(self._mine))
            connection.execute(pending_logins.insert(), row)

    def _forget(self) -> None:
        with self._tokens.store.write() as connection:
            connection.execute(pending_logins.delete().where(self._mine))


def _query_of(redirected: str) -> dict[str, str]:
    """What stands behind the address, decoded once. A plus in the code stays one: it can have it, and never a blank."""
    try:
        query = urlsplit(redirected.strip().strip("'\"")).query
    except ValueError:
        return {}
    code = {name: value for name, value in parse_qsl(query.replace("+", "%2B")) if name == "code"}
    return {**dict(parse_qsl(query)), **code}


def _check_redirect_uri(redirect_uri: str) -> None:
    try:
        url = urlsplit(redirect_uri)
        allowed = url.scheme == "https" and url.hostname not in _LOCAL_HOSTS
    except ValueError:
        allowed = False
    if not allowed:
        raise ConfigurationError(
            f"The redirect address is {redirect_uri!r}: Exact takes an https address that is not on this machine, to "
            "the letter the one that you registered with the app. Nothing has to answer there."
        )
