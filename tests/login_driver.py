"""The clock and the clients of tests about logins, and what the sandbox saw of their tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import httpx
from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from sandbox_driver import AUTHORIZATION_CODE, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox

TOKEN = "oauth2/token"


class Time:
    """Our clock and the sandbox's, moved together by sleeping. Ours runs only then, however slow the machine is."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._now = datetime.now(timezone.utc)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.pass_here(seconds)
        self._sandbox.advance(seconds)

    def pass_here(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@contextmanager
def clients(settings: Settings, time: Time) -> Iterator[Callable[..., ExactClient]]:
    """Makes clients, each with a connection to the store of its own, as another process has."""
    with ExitStack() as stack:

        def make(**changed: str | None) -> ExactClient:
            own = replace(settings, **changed)  # type: ignore[arg-type]
            store = stack.enter_context(Store.open(own.store_url))
            return stack.enter_context(ExactClient(own, store, program="test", now=time.now, sleep=time.sleep))

        yield make


def token_calls(sandbox: Sandbox) -> list[int | None]:
    """The status of each token call; None where no answer was given."""
    return [call["status"] for call in sandbox.journal(endpoint=TOKEN)]


def presented(sandbox: Sandbox) -> list[int]:
    """How often each refresh token was presented, the first one first."""
    return [token["presented"] for token in sandbox.tokens()]


def consent(sandbox: Sandbox) -> str:
    """A refresh token as a person gets it by consenting in a browser."""
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": AUTHORIZATION_CODE,
        "redirect_uri": REDIRECT_URI,
    }
    return str(httpx.post(f"{sandbox.url}/api/oauth2/token", data=form).json()["refresh_token"])


def is_spent(sandbox: Sandbox, refresh_token: str) -> bool:
    """Whether the sandbox has replaced this refresh token."""
    digest = hashlib.sha256(refresh_token.encode()).hexdigest()[:12]
    (spent,) = [token["spent"] for token in sandbox.tokens() if token["sha256"] == digest]
    return bool(spent)
