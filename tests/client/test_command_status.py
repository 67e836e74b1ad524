"""`exactonline status` and `exactonline logout`, and how many tokens a day allows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from command_driver import Command, consent
from exactonline_client.budgets import Budgets
from exactonline_client.errors import TryLaterError
from exactonline_client.limits import Ceilings, next_midnight
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore
from exactonline_client.transport import utc_now
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Sandbox
from singer_driver import ABSENT, Project

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(sandbox, tmp_path)


def change_tokens(command: Command, **values: str) -> None:
    with Store.open(command.store_url) as store, store.write() as connection:
        for name, value in values.items():
            connection.exec_driver_sql(f"UPDATE tokens SET {name} = '{value}'")  # noqa: S608 - names of this file


def test_before_a_login_it_is_needed(command: Command) -> None:
    program = command.start("status", "--json")

    output, errors = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "Nobody is logged in" in errors
    assert json.loads(output) == {
        "connection": command.sandbox.url,
        "user": None,
        "login_needed": True,
        "problem": f"Nobody is logged in at {command.sandbox.url}: say `exactonline login`.",
        "token_age_seconds": None,
        "days_left": None,
        "token_requests_today": 0,
        "contract": {"limit": 20000, "used": 0, "left": 20000, "resets_at": next_midnight(utc_now()).isoformat()},
        "tokens_encrypted": False,
        "divisions": [],
    }
    assert command.sandbox.calls(exclude_token=False) == 0


def test_after_a_login_it_says_who_and_for_how_long(command: Command) -> None:
    command.log_in()

    ran = command.run("status")

    assert (ran.status, ran.errors) == (0, "")
    assert ran.output.splitlines()[:8] == [
        command.sandbox.url,
        "  user       Anna de Boer",
        "  token      renewed less than a minute ago",
        "  a person   is needed in 29 days, unless a run renews the token before",
        "  requests   1 of 200 for tokens today",
        "  store      holds the tokens in clear",
        "  contract   2 of 20000 calls of this day are counted",
        "  divisions  4 in reach",
    ]


@pytest.mark.parametrize(("limit", "counted"), [(300, (300, 2, 298)), (0, None)])
def test_it_says_what_is_left_of_the_contracts_day(
    command: Command, tmp_path: Path, limit: int, counted: tuple[int, int, int] | None
) -> None:
    command.log_in()
    config = tmp_path / "tap.json"
    config.write_text(json.dumps(command.sandbox.config(store_url=command.store_url, requests_per_day_contract=limit)))

    told = command.run("status", "--config", str(config), "--json").json["contract"]

    assert (told and (told["limit"], told["used"], told["left"])) == counted


def test_it_says_that_exact_refuses_more_calls_today(command: Command) -> None:
    command.log_in()
    with Store.open(command.store_url) as store:
        site_and_app = Settings.from_config(command.sandbox.config()).site_and_app
        until = Budgets(store, site_and_app, Ceilings()).contract_refused(utc_now())

    ran = command.run("status")

    assert f"calls of this day are counted; Exact refuses more until {until:%Y-%m-%d %H:%M} UTC" in ran.output
    assert "over all companies together, are used" in ran.errors


def test_a_login_that_another_one_ended_is_needed_again(command: Command) -> None:
    command.log_in()
    past = "2026-01-01T00:00:00+00:00"
    change_tokens(command, refresh_token=REFRESH_TOKEN, issued_at=past, expires_at="2026-01-01T00:10:00+00:00")

    ran = command.run("status", "--json")

    assert (ran.status, ran.json["login_needed"], ran.json["user"]) == (1, True, None)
    assert "Token is not allowed" in ran.json["problem"]


def test_a_login_whose_refresh_was_interrupted_goes_on(command: Command) -> None:
    command.log_in()
    past = "2026-01-01T00:00:00+00:00"
    change_tokens(command, issued_at=past, expires_at="2026-01-01T00:10:00+00:00", refresh_begun_at=past)

    ran = command.run("status", "--json")

    assert (ran.status, ran.json["login_needed"], ran.json["problem"]) == (0, False, None)


def test_each_connection_has_a_line_and_one_that_fails_does_not_hide_the_others(
    command: Command, tmp_path: Path
) -> None:
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": command.sandbox.url}
    config = tmp_path / "tap.json"
    two = [{"name": "north", **app, "client_id": "stranger"}, {"name": "south", **app}]
    config.write_text(json.dumps({"store_url": command.store_url, "connections": two}))
    options = ("--config", str(config), "--json")
    begun = command.run("login", *options, "--connection", "south")
    command.run("login", *options, "--connection", "south", "--redirected", consent(begun.json["authorization_url"]))

    ran, alone = command.run("status", *options), command.run("status", *options, "--connection", "south")

    lines = [json.loads(line) for line in ran.output.splitlines()]
    assert (ran.status, alone.status) == (1, 0)
    assert [(line["login_needed"], line["user"]) for line in lines] == [(True, None), (False, "Anna de Boer")]


def test_after_a_logout_nothing_of_the_login_is_left(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    command.log_in()
    held = command.secrets()

    ran, again = command.run("logout"), command.run("logout", "--json")

    assert held
    assert (ran.status, ran.output) == (0, f"Logged out of {sandbox.url}.\n")
    assert (again.status, again.json["forgotten"]) == (0, False)
    assert command.secrets() == []
    assert command.run("status").status == 1
    assert Project(sandbox, tmp_path).read(refresh_token=ABSENT).status == 1


def test_a_misspelt_command_has_a_status_of_its_own(command: Command) -> None:
    program = command.start("status", "--jsno")

    program.communicate(timeout=60)

    assert program.returncode == 2


# 200 a day


def spend(command: Command, requests: int, now: datetime) -> None:
    with Store.open(command.store_url) as store:
        count = TokenStore(store, command.sandbox.url, CLIENT_ID).count
        for _ in range(requests):
            count.add(now)


def test_when_the_tokens_of_a_day_are_spent_exact_is_not_asked(command: Command) -> None:
    redirected = consent(command.address())
    spend(command, 200, datetime.now(timezone.utc))

    ran = command.run("login", "--redirected", redirected)

    assert ran.status == 1
    assert "200 token requests a day, and those of today are made. It goes on after" in ran.errors
    assert "00:00:00 UTC" in ran.errors
    assert command.sandbox.journal(endpoint="oauth2/token") == []


def test_a_refresh_counts_warns_near_the_end_and_stops_until_midnight(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        tokens = TokenStore(store, "https://start.exactonline.nl", "app")
        tokens.start("first", TokenSet("", "first", NOW, NOW))
        for _ in range(189):
            tokens.begin_refresh(NOW)
        quiet = list(caplog.records)
        for _ in range(11):
            tokens.begin_refresh(NOW)

        with pytest.raises(TryLaterError) as stop:
            tokens.begin_refresh(NOW)

        assert quiet == []
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 11
        assert "190 of 200" in caplog.records[0].message
        assert stop.value.until == datetime(2026, 6, 26, tzinfo=timezone.utc)
        tokens.begin_refresh(stop.value.until)
        assert tokens.count.today(stop.value.until) == 1


def test_an_app_is_counted_apart_from_another(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        one, other = (TokenStore(store, "https://start.exactonline.nl", app).count for app in ("one", "other"))

        one.add(NOW)

        assert (one.today(NOW), other.today(NOW), one.today(NOW + timedelta(days=1))) == (1, 0, 0)
