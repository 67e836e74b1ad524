"""Two processes on one store of tokens, at a real sandbox."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from sandbox_driver import Sandbox, small_world
from warm_start import BIN

PROGRAM = """
import json, sys
from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store

settings = Settings.from_config(json.loads(sys.argv[1]))
with Store.open(settings.store_url) as store, ExactClient(settings, store, program="test") as client:
    print("ready", flush=True)
    sys.stdin.readline()
    for rejected in sys.argv[2:]:
        client.login.renew(rejected)
    print(client.login.access_token())
"""


def tokens_of_two_processes(config: dict[str, Any], *rejected: str) -> list[str]:
    """The access tokens of two processes that ask at the same time, after this one was rejected."""
    both = [
        subprocess.Popen(
            [BIN / "python", "-c", PROGRAM, json.dumps(config), *rejected],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].strip() for process in both]


def test_two_processes_that_log_in_at_once_spend_one_refresh_token(any_store_url: str, sandbox: Sandbox) -> None:
    one, other = tokens_of_two_processes(sandbox.config(store_url=any_store_url))

    assert one == other != ""
    assert [token["presented"] for token in sandbox.tokens()] == [1, 0]


def test_two_processes_whose_token_was_rejected_renew_it_once(any_store_url: str, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"token_seconds": 5}))
    config = sandbox.config(store_url=any_store_url)
    rejected = access_token(config)
    sandbox.advance(6)

    one, other = tokens_of_two_processes(config, rejected)

    assert one == other != rejected
    assert [token["presented"] for token in sandbox.tokens()] == [1, 1, 0]


def test_a_refresh_of_another_machine_is_seen_before_an_own_one(any_store_url: str, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"token_seconds": 5}))
    config = sandbox.config(store_url=any_store_url)
    settings = Settings.from_config(config)
    with Store.open(any_store_url) as store, ExactClient(settings, store, program="test") as here:
        old = here.login.access_token()
        with Store.open(any_store_url) as elsewhere, ExactClient(settings, elsewhere, program="test") as there:
            there.login.access_token()
            there.login.renew(old)

        here.login.renew(old)

        kept = TokenStore(store, sandbox.url, settings.client_id).get()
    assert kept is not None
    assert here.login.access_token() == kept.tokens.access_token != old
    assert max(token["presented"] for token in sandbox.tokens()) == 1


def access_token(config: dict[str, Any]) -> str:
    settings = Settings.from_config(config)
    with Store.open(settings.store_url) as store, ExactClient(settings, store, program="test") as client:
        return client.login.access_token()
