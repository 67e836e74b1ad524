"""What a run tells to machines: its summary to a webhook, and what it measured to the log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from sandbox_driver import Sandbox, small_world
from target_driver import InProcessTarget, Loaded, wanted

NORTH, SOUTH = 201, 202
KEY = "k3y-of-the-hook"


@dataclass
class Hook:
    """A server that takes what is posted to it, or answers something else."""

    url: str
    status: int = 204
    taken: list[bytes] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(f"http://127.0.0.1:{server.server_port}/{KEY}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hook
        server.shutdown()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as one:
        yield one


def measures(loaded: Loaded, name: str) -> list[dict[str, Any]]:
    """The values that were logged of one measure, each with its tags."""
    lines = [line.partition("METRIC: ")[2] for line in loaded.log.splitlines()]
    points = [json.loads(line) for line in lines if line]
    return [{"value": point["value"], **point["tags"]} for point in points if point["metric"] == name]


# The webhook


def test_the_webhook_gets_counts_and_names_of_companies(target: InProcessTarget, hook: Hook) -> None:
    target.load([*wanted(NORTH, 1, 2), *wanted(SOUTH, 1), *wanted(NORTH, 3, Email="no address")], webhook_url=hook.url)

    (body,) = hook.taken
    told = json.loads(body)
    assert (told["exit_status"], told["received"], told["dry_run"]) == (0, 4, False)
    assert {outcome: count for outcome, count in told["outcomes"].items() if count} == {"created": 3, "refused": 1}
    assert [(one["code"], one["name"], one["received"]) for one in told["divisions"]] == [
        (NORTH, "Company 201", 3),
        (SOUTH, "Company 202", 1),
    ]
    assert told["calls"] >= sum(one["calls"] for one in told["divisions"]) > 0


def test_the_webhook_gets_nothing_of_a_customer(target: InProcessTarget, sandbox: Sandbox, hook: Hook) -> None:
    sandbox.fault("error", text="Ongeldig: Klant 4711", method="POST", endpoint="crm/Accounts", code="4711")

    target.load([*wanted(NORTH, 4711, 4712), *wanted(SOUTH, 4713, Country="Holland")], webhook_url=hook.url)

    (body,) = hook.taken
    assert not any(word in body for word in (b"Klant", b"471", b"Holland", b"Ongeldig"))


def test_a_run_that_fails_is_told_as_well(target: InProcessTarget, hook: Hook) -> None:
    loaded = target.load(wanted(NORTH, *range(1, 5), Country="Holland"), webhook_url=hook.url, max_errors=1)

    assert loaded.status == 1
    assert [json.loads(body)["exit_status"] for body in hook.taken] == [1]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_changes_nothing(target: InProcessTarget, hook: Hook, status: int) -> None:
    hook.status = status

    loaded = target.load(wanted(NORTH, 1), webhook_url=hook.url)

    assert (loaded.status, loaded.count("created"), len(hook.taken)) == (0, 1, 1)
    assert f"The webhook did not take the summary of this run (HTTP {status})" in loaded.log
    assert KEY not in loaded.log


def test_a_webhook_that_is_not_there_changes_nothing(target: InProcessTarget) -> None:
    with listening() as hook:
        pass

    loaded = target.load(wanted(NORTH, 1), webhook_url=hook.url)

    assert (loaded.status, loaded.count("created")) == (0, 1)
    assert "(ConnectError)" in loaded.log
    assert KEY not in loaded.log


@pytest.mark.parametrize("url", [f"http://example.com/{KEY}", f"ftp://127.0.0.1/{KEY}", KEY, f"https://[{KEY}"])
def test_an_address_that_would_show_the_summary_to_the_network_stops_the_run(
    target: InProcessTarget, sandbox: Sandbox, url: str
) -> None:
    with pytest.raises(ConfigurationError, match="webhook_url must be an https address") as told:
        target.load(wanted(NORTH, 1), webhook_url=url)

    assert KEY not in str(told.value)
    assert sandbox.calls() == 0


# Measures


def test_calls_and_outcomes_are_measured_by_division(target: InProcessTarget, sandbox: Sandbox) -> None:
    loaded = target.load([*wanted(NORTH, 1, 2), *wanted(SOUTH, 1, Country="Holland")])

    assert measures(loaded, "record_outcomes") == [
        {"value": 2, "division": NORTH, "outcome": "created"},
        {"value": 1, "division": SOUTH, "outcome": "refused"},
    ]
    calls = {one["division"]: one["value"] for one in measures(loaded, "exact_calls")}
    assert calls[NORTH] == len(sandbox.journal(division=NORTH))


def test_time_spent_on_waiting_is_measured_by_division(target: InProcessTarget, sandbox: Sandbox) -> None:
    limits = {"enabled": True, "per_minute": 5, "minute_seconds": 1, "per_day": 1000}
    sandbox.reset(small_world(limits=limits))

    loaded = target.load([*wanted(NORTH, *range(1, 9)), *wanted(SOUTH, 1)])

    waited = {one["division"]: one["value"] for one in measures(loaded, "exact_wait_seconds")}
    assert waited[NORTH] > 0
    assert SOUTH not in waited
