"""`exactonline login`: consent in a browser, and the tokens that come of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from command_driver import Command, Ran, address_in, consent
from exactonline_client.store import Store
from exactonline_client.tokens import Kept, TokenStore, began_with
from sandbox_driver import (
    AUTHORIZATION_CODE,
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    REFRESH_TOKEN,
    SECRETS,
    SOURCE,
    TARGETS,
    Sandbox,
    small_world,
)
from singer_driver import ABSENT, Project


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(sandbox, tmp_path)


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """The plugins on the same store as the command."""
    return Project(sandbox, tmp_path)


def trade(url: str, **form: str) -> httpx.Response:
    """A token call past the command, as another program makes it."""
    grant = "authorization_code" if "code" in form else "refresh_token"
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return httpx.post(f"{url}/api/oauth2/token", data={"grant_type": grant, **app, **form})


def token_calls(sandbox: Sandbox) -> int:
    return len(sandbox.journal(endpoint="oauth2/token"))


def code_in(redirected: str) -> str:
    return parse_qs(urlsplit(redirected).query)["code"][0]


def is_told(ran: Ran, text: str) -> bool:
    """Whether a call failed with one clear line."""
    return ran.status == 1 and text in ran.errors and ran.errors.count("\n") == 1


# By hand


def test_a_person_logs_in_by_pasting_the_address_and_a_run_works(command: Command, project: Project) -> None:
    program = command.start("login")
    assert program.stdin is not None
    assert program.stdout is not None
    told = [program.stdout.readline() for _ in range(4)]
    address = address_in("".join(told))

    output, errors = program.communicate(consent(address) + "\n", timeout=60)

    assert (program.returncode, errors) == (0, "")
    assert f"Logged in at {command.sandbox.url}; the tokens are stored." in output
    assert "  user       Anna de Boer\n" in output
    assert "  divisions  4 in reach\n" in output
    assert "      201  Company 201\n" in output
    assert project.read(refresh_token=ABSENT).status == 0


def test_the_address_is_the_one_that_exact_asks_for(command: Command) -> None:
    address = command.address("--force-login")

    asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{command.sandbox.url}/api/oauth2/auth?")
    assert len(asked.pop("state")) >= 32
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "force_login": "1",
    }


def test_each_login_has_a_state_of_its_own(command: Command) -> None:
    assert command.address() != command.address()


def test_a_second_call_goes_on_with_the_login_of_the_first(command: Command) -> None:
    redirected = consent(command.address())

    ran = command.run("login", "--json", "--redirected", redirected)

    assert ran.status == 0
    assert ran.json["user"] == "Anna de Boer"
    assert [one["code"] for one in ran.json["divisions"]] == [SOURCE, *TARGETS]
    assert (ran.json["days_left"], ran.json["login_needed"]) == (29, False)
    assert token_calls(command.sandbox) == 1


@pytest.mark.parametrize(
    "copied",
    [
        lambda address: f"  {address}\n",
        lambda address: f"'{address}'",
        lambda address: address.replace("%21", "!").replace("%2F", "/").replace("%2B", "+").replace("%3D", "="),
    ],
    ids=["with blanks", "in quotes", "as some browsers show it"],
)
def test_an_address_is_taken_however_it_was_copied(command: Command, copied: Callable[[str], str]) -> None:
    redirected = consent(command.address())

    assert command.run("login", "--redirected", copied(redirected)).status == 0


def test_a_percent_sign_in_a_code_is_decoded_once(command: Command) -> None:
    command.sandbox.reset(small_world(user={"authorization_code": "a%2Bb+c"}))
    state = parse_qs(urlsplit(command.address()).query)["state"][0]

    ran = command.run("login", "--redirected", f"{REDIRECT_URI}?code={quote('a%2Bb+c', safe='')}&state={state}")

    assert ran.status == 0, ran.errors


def test_the_browser_is_opened_when_asked(command: Command, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    program = command.start("login", "--open", "--json", env={"BROWSER": str(browser)})

    output, _ = program.communicate(timeout=60)

    assert opened.read_text() == json.loads(output)["authorization_url"]


# What goes wrong


def test_the_end_of_another_login_is_refused_and_the_right_one_still_works(command: Command) -> None:
    other, right = consent(command.address()), consent(command.address())

    ran = command.run("login", "--redirected", other)

    assert is_told(ran, "its state is not that of the one under way")
    assert token_calls(command.sandbox) == 0
    assert command.run("login", "--redirected", right).status == 0


def test_a_code_that_is_older_than_three_minutes_is_not_taken(command: Command) -> None:
    redirected = consent(command.address())
    command.sandbox.advance(200)

    ran = command.run("login", "--redirected", redirected)

    assert is_told(ran, "the code was not taken (invalid_request)")
    assert "three minutes" in ran.errors
    assert command.run("status").status == 1


def test_a_consent_that_was_not_given_is_told(command: Command) -> None:
    command.address()

    ran = command.run("login", "--redirected", f"{REDIRECT_URI}?error=access_denied&error_description=No+thanks")

    assert is_told(ran, "no access was granted in the browser (access_denied: No thanks)")
    assert token_calls(command.sandbox) == 0


@pytest.mark.parametrize("pasted", [REDIRECT_URI, "nonsense", "https://[/?code=1", "\n", ""])
def test_what_holds_no_code_is_told(command: Command, pasted: str) -> None:
    ran = command.run("login", given=pasted)

    assert is_told(ran, "no code" if pasted.strip() else "Nothing was pasted")
    assert token_calls(command.sandbox) == 0


def test_a_code_is_sent_once_even_if_its_answer_was_lost(command: Command) -> None:
    redirected = consent(command.address())
    command.sandbox.fault("token_lost_answer")

    first = command.run("login", "--redirected", redirected)
    again = command.run("login", "--redirected", redirected)

    assert is_told(first, "the answer to the login was lost")
    assert is_told(again, "No login is under way")
    assert token_calls(command.sandbox) == 1


def test_a_login_that_was_begun_too_long_ago_is_over(command: Command) -> None:
    redirected = consent(command.address())
    with Store.open(command.store_url) as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE pending_logins SET begun_at = '2026-01-01T00:00:00+00:00'")

    assert is_told(command.run("login", "--redirected", redirected), "more than ten minutes ago")


@pytest.mark.parametrize(
    "address", ["http://example.com/cb", "https://localhost/cb", "https://127.0.0.1/", "https://["]
)
def test_a_redirect_address_that_exact_never_takes_is_refused_at_once(command: Command, address: str) -> None:
    assert is_told(command.run("login", "--redirect-uri", address), "an https address that is not on this machine")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"EXACTONLINE_CLIENT_ID": None}, "client_id is missing"),
        ({"EXACTONLINE_CLIENT_SECRET": ""}, "client_secret is missing"),
        ({"EXACTONLINE_REDIRECT_URI": None}, "redirect address is missing"),
        ({"EXACTONLINE_BASE_URL": "sandbox:///tmp/world.db"}, "No browser can open"),
    ],
)
def test_what_is_missing_is_named(command: Command, env: dict[str, str | None], told: str) -> None:
    assert is_told(command.run("login", env=env), told)


# Beside a refresh_token in the settings


def kept(command: Command) -> Kept:
    with Store.open(command.store_url) as store:
        found = TokenStore(store, command.sandbox.url, CLIENT_ID).get()
    assert found is not None
    return found


def test_a_login_mends_a_run_whose_token_is_spent(command: Command, project: Project) -> None:
    assert project.read().status == 0
    trade(command.sandbox.url, refresh_token=kept(command).tokens.refresh_token)
    command.sandbox.advance(700)
    broken = project.read()

    command.log_in()

    assert (broken.status, "Old refresh token used" in broken.log) == (1, True)
    assert project.read().status == 0


def test_a_login_is_preferred_over_the_token_that_the_settings_had_at_the_time(
    command: Command, project: Project
) -> None:
    ran = command.log_in(env={"EXACTONLINE_REFRESH_TOKEN": REFRESH_TOKEN})

    assert ran.status == 0
    assert project.read().status == 0
    assert [token["presented"] for token in command.sandbox.tokens()] == [0, 0]


def test_a_token_of_the_settings_that_is_older_than_the_login_does_no_harm(command: Command, project: Project) -> None:
    command.log_in()

    first, second = project.read(), project.read()

    assert (first.status, second.status) == (0, 0)
    assert "Take it out of the settings" in first.log
    assert [token["presented"] for token in command.sandbox.tokens()] == [1, 0]


def test_a_newer_token_in_the_settings_takes_the_place_of_a_login(command: Command, project: Project) -> None:
    command.log_in(env={"EXACTONLINE_REFRESH_TOKEN": REFRESH_TOKEN})
    newer = trade(command.sandbox.url, code=AUTHORIZATION_CODE, redirect_uri=REDIRECT_URI).json()["refresh_token"]

    ran = project.read(refresh_token=newer)

    assert ran.status == 0
    assert began_with(kept(command), newer)
    assert not began_with(kept(command), REFRESH_TOKEN + "x")


# Settings


def test_the_settings_file_of_the_tap_serves(command: Command, project: Project, tmp_path: Path) -> None:
    config = tmp_path / "tap.json"
    config.write_text(json.dumps(project.tap_config()))
    nothing = dict.fromkeys(command.env)
    begun = command.run("login", "--config", str(config), "--redirect-uri", REDIRECT_URI, "--json", env=nothing)

    redirected = consent(begun.json["authorization_url"])
    ran = command.run("login", "--config", str(config), "--redirected", redirected, env=nothing)

    assert ran.status == 0, ran.errors
    assert project.read().status == 0


def test_a_settings_file_is_not_mixed_with_another_store_of_the_environment(command: Command, tmp_path: Path) -> None:
    config = tmp_path / "tap.json"
    config.write_text(json.dumps({"base_url": command.sandbox.url}))

    ran = command.run("status", "--config", str(config))

    assert ran.status == 1
    assert (tmp_path / ".exactonline" / "store.db").exists()
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize(
    ("content", "told"), [("{", "cannot be read"), ("[]", "JSON object"), (None, "cannot be read")]
)
def test_a_settings_file_that_cannot_be_used_is_named(
    command: Command, tmp_path: Path, content: str | None, told: str
) -> None:
    config = tmp_path / "tap.json"
    if content is not None:
        config.write_text(content)

    ran = command.run("status", "--config", str(config))

    assert is_told(ran, told)
    assert "tap.json" in ran.errors


def test_a_file_of_environment_variables_in_this_folder_is_read(command: Command, tmp_path: Path) -> None:
    names = ("EXACTONLINE_BASE_URL", "EXACTONLINE_CLIENT_ID", "EXACTONLINE_CLIENT_SECRET", "EXACTONLINE_REDIRECT_URI")
    (tmp_path / ".env").write_text("".join(f"{name}='{command.env.pop(name)}'\n" for name in names))
    program = command.start("login", "--json")

    output, errors = program.communicate(timeout=60)

    assert program.returncode == 0, errors
    assert json.loads(output)["authorization_url"].startswith(command.sandbox.url)


def test_of_several_connections_one_is_named(command: Command, tmp_path: Path) -> None:
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": command.sandbox.url}
    config = tmp_path / "tap.json"
    two = [{"name": "north", **app}, {"name": "south", **app, "client_id": "other"}]
    config.write_text(json.dumps({"store_url": command.store_url, "connections": two}))
    options = ("login", "--config", str(config))

    unnamed, unknown = command.run(*options), command.run(*options, "--connection", "west")
    begun = command.run(*options, "--json", "--connection", "north")
    ran = command.run(*options, "--connection", "north", "--redirected", consent(begun.json["authorization_url"]))

    assert is_told(unnamed, "Say which connection, by --connection: north, south.")
    assert is_told(unknown, "no connection west")
    assert ran.status == 0, ran.errors
    assert "Logged in at north" in ran.output


def test_two_users_of_one_app_log_in_side_by_side(command: Command, project: Project, tmp_path: Path) -> None:
    world = small_world(user={"divisions": [SOURCE]})
    bert = {"name": "Bert Smit", "email": "bert@example.com", "current_division": 201, "divisions": [201, 202]}
    command.sandbox.reset({**world, "users": [*world["users"], bert]})
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": command.sandbox.url}
    settings = {"connections": [{"name": name, **app} for name in ("north", "south")], "client_id": ABSENT}
    config = tmp_path / "both.json"
    config.write_text(json.dumps({"store_url": command.store_url, "connections": settings["connections"]}))
    options = ("login", "--config", str(config), "--json", "--redirect-uri", REDIRECT_URI)
    for name, user in (("north", "Anna de Boer"), ("south", "Bert Smit")):
        begun = command.run(*options, "--connection", name)
        redirected = consent(begun.json["authorization_url"], user)
        assert command.run(*options, "--connection", name, "--redirected", redirected).json["user"] == user

    read = project.read(refresh_token=ABSENT, **settings)
    loaded = project.load(read.output, refresh_token=ABSENT, fan_out={}, **settings)

    assert (read.status, loaded.status) == (0, 0), read.log + loaded.log
    assert [len(command.sandbox.codes(code)) for code in (201, 202)] == [3, 3]
    assert {call["user"] for call in command.sandbox.journal(division=201)} == {"Bert Smit"}


# Secrets


def test_no_call_shows_a_secret(command: Command) -> None:
    redirected = consent(command.address())
    state = parse_qs(urlsplit(redirected).query)["state"][0]
    runs = [
        command.run("login", given=f"{REDIRECT_URI}?code={quote(AUTHORIZATION_CODE)}&state=wrong\n"),
        command.log_in(),
        command.run("status"),
        command.run("login", "--redirected", redirected),
        command.run("login", "--redirected", f"{REDIRECT_URI}?code={quote(AUTHORIZATION_CODE)}&state={state}"),
        command.run("status", env={"EXACTONLINE_CLIENT_ID": "stranger"}),
        command.run("logout"),
    ]

    code = code_in(redirected)
    held = command.secrets()

    shown = "".join(ran.all for ran in runs)
    assert "Anna de Boer" in shown
    assert [secret for secret in (*SECRETS, *map(quote, SECRETS), code, quote(code), *held) if secret in shown] == []


def test_there_is_no_option_for_a_secret(command: Command) -> None:
    helps = "".join(command.run(name, "--help").output for name in ("login", "status", "logout", "new-key"))

    assert "Exit status: 0" in helps
    assert not [word for word in ("--client-secret", "--refresh-token", "--key", "--store-url") if word in helps]
