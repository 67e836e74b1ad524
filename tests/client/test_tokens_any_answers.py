"""A law of logins: after any answers, lost ones and deaths, a login is needed where Exact replaced the token, only."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
from exactonline_client.auth import NEVER
from exactonline_client.errors import ExactError, LoginNeededError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from login_driver import TOKEN, Time, clients, is_spent
from sandbox_driver import REFRESH_TOKEN, Sandbox, small_world

REPLACED = ("token_lost_answer", "truncated_body", "garbage_json", "html_body")
GOOD: dict[str, dict[str, Any]] = {
    "500": {"kind": "fault_500"},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "503"},
    "429": {"kind": "429_no_headers"},
    "400": {"kind": "status", "status": 400, "body": "<html>"},
    "bare 400": {"kind": "status", "status": 400, "body": '{"error": "invalid_request"}'},
    "404": {"kind": "status", "status": 404},
    "page": {"kind": "html_body", "applied": False},
    "empty": {"kind": "status", "status": 200},
    "closed": {"kind": "reset_before"},
}
DIED_BEFORE, DIED_AFTER = "died before the request", "died before the answer"
SECONDS = st.sampled_from([0, 1, 3, 31, 300, 580, 595, 700, 4000])
STEP = st.tuples(st.sampled_from(["fine", *GOOD, *REPLACED, DIED_BEFORE, DIED_AFTER]), SECONDS, st.integers(1, 3))


def die(settings: Settings, time: Time, sandbox: Sandbox, *, is_sent: bool) -> None:
    """Leave behind what a process leaves that ends in the middle of a refresh."""
    with Store.open(settings.store_url) as store:
        tokens = TokenStore.of(store, settings)
        kept = tokens.get() or tokens.start(REFRESH_TOKEN, TokenSet("", REFRESH_TOKEN, NEVER, NEVER))
        tokens.begin_refresh(time.now())
    if is_sent:
        form = {"grant_type": "refresh_token", "refresh_token": kept.tokens.refresh_token}
        app = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        httpx.post(f"{sandbox.url}/api/oauth2/token", data={**form, **app})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=7))
@example(steps=[("500", 0, 3), ("page", 31, 2), ("bare 400", 700, 3)])
@example(steps=[("fine", 0, 1), ("token_lost_answer", 595, 1), ("fine", 1, 1)])
@example(steps=[(DIED_BEFORE, 0, 1), (DIED_BEFORE, 0, 1), ("fine", 0, 1), (DIED_AFTER, 700, 1)])
def test_a_login_is_needed_exactly_where_exact_replaced_the_token_and_nobody_kept_the_new_one(
    sandbox: Sandbox, tmp_path: Path, steps: list[tuple[str, int, int]]
) -> None:
    sandbox.reset(small_world(limits={"enabled": True}))
    time = Time(sandbox)
    config = Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"))
    needed = False

    with clients(config, time) as connect:
        for what, seconds, times in [*steps, ("fine", 4000, 1)]:
            time.pass_by(seconds)
            sandbox.clear_faults()
            if what in {DIED_BEFORE, DIED_AFTER}:
                die(config, time, sandbox, is_sent=what == DIED_AFTER)
            elif what != "fine":
                sandbox.fault(**{"endpoint": TOKEN, "times": times, **GOOD.get(what, {"kind": what})})
            try:
                connect().login.access_token()
            except LoginNeededError:
                needed = True
            except ExactError:
                assert what != "fine" or seconds < 4000

    with Store.open(config.store_url) as store:
        kept = TokenStore.of(store, config).get()
    assert kept is not None
    assert needed == is_spent(sandbox, kept.tokens.refresh_token)
