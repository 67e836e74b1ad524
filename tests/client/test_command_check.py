"""`exactonline check`: whether a run can start, and nothing written to find out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_driver import Command, Ran
from exactonline_client.divisions import Division, misnamed, why_unfit
from exactonline_client.store import Store
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SOURCE, TARGETS, Sandbox, customer, small_world
from singer_driver import Project, singer

NORTH, SOUTH, EAST = TARGETS


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A person who is logged in, in a world where each target holds an account."""
    monkeypatch.chdir(tmp_path)
    sandbox.reset(small_world(accounts={code: [customer(900)] for code in TARGETS}))
    command = Command(sandbox, tmp_path)
    command.env["EXACTONLINE_REFRESH_TOKEN"] = REFRESH_TOKEN
    return command


def check(command: Command, *options: str, **kept: Any) -> Ran:
    return command.run("check", "--source", str(SOURCE), *options, **kept)


def lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.output.splitlines()]


def told(command: Command, division: int) -> str:
    """The line of the table about a division, when nothing but this division is wrong."""
    ran = check(command)
    (line,) = [line for line in ran.output.splitlines() if f" {division} " in line]
    assert (ran.status, line[:2]) == (1, "NO")
    assert ran.output.splitlines()[-1] == "Not ready: 1 of the above must be mended first. Nothing was written."
    return line


def test_one_table_says_all_and_ends_in_one_verdict(command: Command) -> None:
    ran = check(command, "--targets", f"{NORTH},{SOUTH}")

    assert (ran.status, ran.errors) == (0, "")
    rows = [line.split() for line in ran.output.splitlines()]
    assert [row[:2] for row in rows[:5]] == [
        ["ok", "store"],
        ["ok", "login"],
        ["ok", "source"],
        ["ok", "target"],
        ["ok", "target"],
    ]
    assert "Anna de Boer, 4 divisions in reach, good for 29 days without a run" in ran.output
    assert f"{SOURCE} Company {SOURCE}" in ran.output
    assert "NL, active, accounts can be read, accounts may be written, not written yet" in ran.output
    assert ran.output.endswith("Ready: 1 source and 2 targets can be used. Nothing was written.\n")


def test_it_writes_nothing_and_costs_two_calls_two_per_source_and_four_per_target(command: Command) -> None:
    assert check(command).status == 0

    assert {call["method"] for call in command.sandbox.journal() if call["division"]} == {"GET"}
    assert command.sandbox.calls() == 2 + 2 + 4 * len(TARGETS)
    assert {call["status"] for call in command.sandbox.journal()} == {200}


def test_for_programs_each_line_is_an_object_and_the_last_one_the_verdict(command: Command) -> None:
    ran = check(command, "--targets", str(NORTH), "--json")

    store, login, source, target, verdict = lines(ran)
    assert (store["check"], store["ok"]) == ("store", True)
    assert store["versions"][0].startswith("exactonline-client 0")
    assert (login["user"], login["divisions"]) == ("Anna de Boer", 4)
    assert source == {
        "check": "division",
        "ok": True,
        "use": "source",
        "division": SOURCE,
        "name": f"Company {SOURCE}",
        "country": "NL",
        "connection": None,
        "state": "active",
        "can_read": True,
        "can_write": None,
        "calls_left_today": source["calls_left_today"],
        "problem": None,
    }
    assert (target["use"], target["can_write"]) == ("target", True)
    assert verdict["ok"] is True


def test_a_division_that_was_written_before_is_known_to_take_writes(command: Command, tmp_path: Path) -> None:
    assert Project(command.sandbox, tmp_path).copy().status == 0

    ran = check(command)

    assert (ran.status, ran.output.count("written on 20"), "?" in ran.output) == (0, 3, False)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"status": 2}, "is archived; take it off the targets"),
        ({"status": 0}, "is inactive"),
        ({"blocking_status": 1}, "Exact itself is at work"),
    ],
)
def test_a_target_that_cannot_be_used_is_named(command: Command, keys: dict[str, Any], words: str) -> None:
    command.sandbox.change_division(SOUTH, **keys)

    ran = check(command, "--targets", f"{NORTH},{SOUTH},999")

    assert ran.status == 1
    assert words in ran.output
    assert "The target division 999 is not within reach of this login. It reaches: 100, 201, 202, 203." in ran.output
    assert "Not ready: 2 of the above" in ran.output
    assert {call["status"] for call in command.sandbox.journal()} == {200}


def test_an_archived_division_is_not_among_the_targets_when_none_are_named(command: Command) -> None:
    command.sandbox.change_division(SOUTH, status=2)

    assert "1 source and 2 targets" in check(command).output


def test_a_missing_right_to_read_is_not_taken_for_an_empty_division(command: Command) -> None:
    command.sandbox.change_division(SOUTH, rights={"read_accounts": False})

    ran = check(command, "--targets", f"{NORTH},{SOUTH}")

    assert ran.status == 0
    assert f"?   target  {SOUTH} Company {SOUTH}" in ran.output
    assert "no accounts seen, accounts may be written, not written yet" in ran.output
    assert "or this login may not read accounts in it" in " ".join(ran.output.split())


def test_a_division_that_refuses_to_be_read_is_named_with_what_exact_said(command: Command) -> None:
    command.sandbox.fault("status", status=403, division=EAST, headers={"Reason": "NoDivisionAccess"})

    assert f"Exact refuses division {EAST} (HTTP 403)" in told(command, EAST)


@pytest.mark.parametrize("use", [SOURCE, EAST])
def test_a_deletion_log_that_cannot_be_read_is_named_before_a_run_needs_it(command: Command, use: int) -> None:
    command.sandbox.fault("error", status=403, text="Forbidden", division=use, endpoint="sync/Deleted")

    assert f"Exact refuses division {use} (HTTP 403): Forbidden." in told(command, use)


SCOPES = {"crm.accounts": "'Crm accounts'", "organization.administration": "'Organization administration'"}


@pytest.mark.parametrize("missing", SCOPES)
def test_an_app_without_a_scope_is_not_ready_and_the_scope_is_named(command: Command, missing: str) -> None:
    command.sandbox.change_app(scopes=[scope for scope in SCOPES if scope != missing])

    ran = check(command)

    assert (ran.status, ran.output.splitlines()[-1][:9]) == (1, "Not ready")
    named = [
        line for line in ran.output.splitlines() if f"lacks the scope {SCOPES[missing]}: add it to the app" in line
    ]
    assert named
    assert all(line.startswith("NO") for line in named)
    assert "Cannot read" in named[0]
    assert "not within reach" not in ran.output
    assert "at consent" not in ran.output


def test_an_app_with_both_scopes_is_ready(command: Command) -> None:
    command.sandbox.change_app(scopes=list(SCOPES))

    assert check(command).status == 0


def test_a_user_who_may_not_write_is_named_without_a_write(command: Command) -> None:
    command.sandbox.change_division(EAST, rights={"write_accounts": False})

    line = told(command, EAST)

    assert f"may not write accounts in division {EAST}, as Exact itself says" in line
    assert {call["method"] for call in command.sandbox.journal() if call["division"]} == {"GET"}


def test_a_right_that_exact_does_not_tell_carries_a_question_mark(command: Command) -> None:
    command.sandbox.fault("status", status=404, endpoint="users/UserHasRights", every=1)

    ran = check(command, "--targets", str(NORTH))

    assert ran.status == 0
    assert f"?   target  {NORTH}" in ran.output
    assert "did not say whether this login may write accounts" in " ".join(ran.output.split())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("/api/v1", "a path"),
        ("/?token=s3cr3t", "a query"),
        ("#top", "a fragment"),
        ("/nl/?x=1", "a path and a query"),
    ],
)
def test_an_address_with_more_than_the_site_is_refused_in_words(command: Command, more: str, words: str) -> None:
    ran = check(command, env={"EXACTONLINE_BASE_URL": command.sandbox.url + more})

    assert (ran.status, ran.errors.count("\n")) == (1, 1)
    assert f"base_url has {words} behind the site; leave that out: {command.sandbox.url} is all of it" in ran.errors
    assert "s3cr3t" not in ran.errors
    assert command.sandbox.calls() == 0


def test_a_day_that_is_spent_is_told_with_its_end(command: Command) -> None:
    command.sandbox.fault("429_day", division=NORTH, endpoint="sync/CRM/Accounts")
    command.sandbox.limits(enabled=True)

    assert "The calls of this day are used. It goes on after" in told(command, NORTH)


def test_a_company_of_another_name_is_refused_whether_it_is_used_or_not(command: Command) -> None:
    expected = {str(NORTH): f" company {NORTH}", str(SOUTH): "Bakkerij Zuid"}
    env = {"EXACTONLINE_EXPECTED_DIVISIONS": json.dumps(expected)}

    used = check(command, env=env)
    unused = check(command, "--targets", str(NORTH), env=env)

    for ran in (used, unused):
        assert (ran.status, ran.output.count("Division 202 is called 'Company 202', where")) == (1, 1)


def test_a_login_that_does_not_work_hides_nothing_of_another(command: Command, tmp_path: Path) -> None:
    app = {"base_url": command.sandbox.url, "client_secret": CLIENT_SECRET}
    two = [{"name": "north", "client_id": CLIENT_ID, **app}, {"name": "south", "client_id": "stranger", **app}]
    two[0]["refresh_token"] = REFRESH_TOKEN
    config = tmp_path / "tap.json"
    config.write_text(json.dumps({"store_url": command.store_url, "connections": two, "divisions": [SOURCE]}))

    ran = command.run("check", "--config", str(config))

    assert ran.status == 1
    assert "NO  login   south" in ran.output
    assert "say `exactonline login --connection south`" in ran.output
    assert f"ok  source  {SOURCE} Company {SOURCE} (north)" in ran.output


def test_a_code_that_two_connections_list_is_told_with_both_and_settled_by_their_divisions(command: Command) -> None:
    world = small_world(accounts={code: [customer(900)] for code in TARGETS})
    bert = {**world["users"][0], "name": "Bert Smit", "email": "bert@example.com", "refresh_token": "second"}
    command.sandbox.reset({**world, "users": [*world["users"], {**bert, "authorization_code": "second"}]})
    app = {"base_url": command.sandbox.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    two: list[dict[str, Any]] = [
        {"name": "north", "refresh_token": REFRESH_TOKEN, **app},
        {"name": "south", "refresh_token": "second", **app},
    ]

    unsettled = check(command, env={"EXACTONLINE_CONNECTIONS": json.dumps(two)})
    two[0]["divisions"], two[1]["divisions"] = [SOURCE, NORTH], [SOUTH, EAST]
    settled = check(command, "--json", env={"EXACTONLINE_CONNECTIONS": json.dumps(two)})

    assert unsettled.status == 1
    assert "Division 100 is listed by two connections, north (http" in unsettled.output
    assert "and south (http" in unsettled.output
    assert settled.status == 0
    owners = {one["division"]: one["connection"] for one in lines(settled) if one["check"] == "division"}
    assert owners == {SOURCE: "north", NORTH: "north", SOUTH: "south", EAST: "south"}


def test_the_divisions_are_those_of_the_settings_when_none_are_named(command: Command) -> None:
    env = {
        "TAP_EXACTONLINE_DIVISIONS": "[100]",
        "TARGET_EXACTONLINE_FAN_OUT": json.dumps({"target_divisions": [SOUTH]}),
    }

    ran = command.run("check", "--json", env=env)

    assert [(one["use"], one["division"]) for one in lines(ran)[2:-1]] == [("source", SOURCE), ("target", SOUTH)]


def test_of_one_connection_all_its_divisions_are_checked_whatever_the_settings_read_and_write(
    command: Command, tmp_path: Path
) -> None:
    app = {"base_url": command.sandbox.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    south = {"name": "south", "refresh_token": REFRESH_TOKEN, "divisions": [SOUTH, EAST], **app}
    config = tmp_path / "tap.json"
    config.write_text(json.dumps({"connections": [south], "divisions": [SOURCE], "store_url": command.store_url}))

    ran = command.run("check", "--config", str(config), "--connection", "south", "--json")

    assert [(one["use"], one["division"]) for one in lines(ran)[2:-1]] == [("target", SOUTH), ("target", EAST)]


def test_a_store_of_a_newer_version_is_told_in_one_line(command: Command) -> None:
    with Store.open(command.store_url) as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE exactonline_client_version SET version_num = '9999'")

    ran = check(command)

    assert (ran.status, ran.output, ran.errors.count("\n")) == (1, "", 1)
    assert "newer version of exactonline-client" in ran.errors


def test_a_store_on_a_server_is_shown_without_its_password(command: Command, any_store_url: str) -> None:
    ran = check(command, env={"EXACTONLINE_STORE_URL": any_store_url})

    assert ran.status == 0, ran.output + ran.errors
    assert "exactonline-client 0" in ran.output.splitlines()[0]


def test_a_list_of_codes_that_is_none_is_misspelt(command: Command) -> None:
    ran = command.run("check", "--targets", "north")

    assert (ran.status, "no list of division codes" in ran.errors) == (2, True)


def test_a_variable_that_holds_no_json_is_named_and_not_shown(command: Command) -> None:
    ran = check(command, env={"EXACTONLINE_CONNECTIONS": f"[{CLIENT_SECRET}"})

    assert (ran.status, ran.errors) == (1, "Error: The variable EXACTONLINE_CONNECTIONS holds no JSON.\n")


# The same judgement in a run


def test_meltano_s_test_of_the_target_is_the_same_check(command: Command, tmp_path: Path) -> None:
    project = Project(command.sandbox, tmp_path)
    given = singer("meltano_test_stream", ["id"], [{"id": "1"}])

    good = project.load(given, fan_out={"target_divisions": [NORTH]})
    bad = project.load(given, fan_out={"target_divisions": [NORTH, 999]})

    assert good.status == 0
    assert "Ready: 0 sources and 1 target can be used. Nothing was written." in good.log
    assert (bad.status, len(bad.errors)) == (1, 1)
    assert "The target division 999 is not within reach" in bad.errors[0]
    assert project.writes() == []


def company(code: int) -> Division:
    return Division(code, f"Company {code}", "NL", status=1, blocking_status=0, moved_at=None)


def test_of_very_many_divisions_in_reach_the_first_ones_are_named() -> None:
    reach = {code: company(code) for code in range(1, 501)}

    assert "It reaches: 1, 2, 3," in (why_unfit("source", 999, reach) or "")
    assert "19, 20 and 480 others. Correct" in (why_unfit("source", 999, reach) or "")
    assert "It reaches: none." in (why_unfit("source", 999, {}) or "")


def test_a_name_is_the_same_whatever_its_case_and_blanks() -> None:
    assert misnamed({1: company(1)}, {"1": " COMPANY 1 ", "2": "Gone"}) == {}
