"""The divisions within reach: those a run uses as Exact lists them now, the others as it did within a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from command_driver import Command
from exactonline_client.connections import Connections
from exactonline_client.division_lists import FILTER_TRIED_AGAIN_AFTER, GOOD_FOR
from exactonline_client.divisions import filters, misnamed, problems
from exactonline_client.entities import DIVISIONS
from exactonline_client.errors import UnexpectedReplyError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from hypothesis import given
from hypothesis import strategies as st
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, SOURCE, Sandbox, small_world
from singer_driver import Project

NORTH, SOUTH, LAST = 201, 202, 349
TARGETS = range(NORTH, LAST + 1)
WHOLE = 3
"""Calls that a list of 150 divisions takes."""


@pytest.fixture
def office(sandbox: Sandbox) -> Sandbox:
    """150 companies: the source, 100, and 201 to 349."""
    sandbox.reset(small_world(targets=TARGETS))
    return sandbox


@contextmanager
def program(
    sandbox: Sandbox,
    folder: Path,
    *,
    later: timedelta = timedelta(0),
    expected: Mapping[str, str] | None = None,
    **config: Any,
) -> Iterator[Connections]:
    """A program's connections over the test's one store; its clock may be ahead."""
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{folder}/store.db", **config))
    with (
        Store.open(settings.store_url) as store,
        Connections([settings], store, program="test", expected=expected) as connections,
    ):
        connections.clients[0].now = lambda: utc_now() + later
        yield connections


def calls(sandbox: Sandbox) -> int:
    """Lists asked for since the last time this was asked."""
    made = len(sandbox.journal(endpoint="system/Divisions"))
    sandbox.forget_calls()
    return made


def listed(sandbox: Sandbox, folder: Path, **how: Any) -> tuple[int, int]:
    """How many divisions a program sees that lists them all, and in how many calls."""
    with program(sandbox, folder, **how) as connections:
        return len(connections.all_in_reach([SOURCE])), calls(sandbox)


def hide(sandbox: Sandbox, division: int, *, hidden: bool = True) -> None:
    """Take a division out of the list, or back into it."""
    sandbox.change_division(division, hq=hidden)  # a headquarters is missing from it


def test_two_of_many_divisions_are_asked_for_by_their_codes(office: Sandbox, tmp_path: Path) -> None:
    with program(office, tmp_path) as connections:
        found = connections.reach([NORTH, LAST])

    assert sorted(found) == [NORTH, LAST]
    assert [found[code].division.name for code in sorted(found)] == ["Company 201", "Company 349"]
    (call,) = office.journal(endpoint="system/Divisions")
    assert "$filter=Code%20eq%20201%20or%20Code%20eq%20349&" in call["target"]


def test_many_are_asked_for_a_page_at_a_time(office: Sandbox, tmp_path: Path) -> None:
    wanted = TARGETS[:61]
    with program(office, tmp_path) as connections:
        found = connections.reach(wanted)

    assert sorted(found) == list(wanted)
    assert calls(office) == 2


def test_the_whole_list_serves_for_a_day_and_its_sources_are_asked_for_each_time(
    office: Sandbox, tmp_path: Path
) -> None:
    assert listed(office, tmp_path) == (150, WHOLE)
    assert listed(office, tmp_path) == (150, 1)
    assert listed(office, tmp_path, later=GOOD_FOR - timedelta(hours=1)) == (150, 1)
    assert listed(office, tmp_path, later=GOOD_FOR) == (150, WHOLE)
    assert listed(office, tmp_path, later=-timedelta(hours=1)) == (150, WHOLE)  # a clock that was set back


def test_a_new_company_is_seen_within_a_day(office: Sandbox, tmp_path: Path) -> None:
    hide(office, LAST)
    before = listed(office, tmp_path)
    hide(office, LAST, hidden=False)

    assert before == (149, WHOLE)
    assert listed(office, tmp_path, later=timedelta(hours=23)) == (149, 1)
    assert listed(office, tmp_path, later=timedelta(hours=25)) == (150, WHOLE)


def test_up_to_sixty_companies_are_listed_anew_each_time(sandbox: Sandbox, tmp_path: Path) -> None:
    seen = []
    for status in (1, 0, 2):
        sandbox.change_division(NORTH, status=status)
        with program(sandbox, tmp_path) as connections:
            seen.append(connections.all_in_reach([SOURCE])[NORTH].division.status)
        assert calls(sandbox) == 1

    assert seen == [1, 0, 2]


def test_what_a_run_is_to_write_is_seen_as_it_is_now_and_corrects_the_kept_list(
    office: Sandbox, tmp_path: Path
) -> None:
    listed(office, tmp_path)
    office.change_division(SOUTH, status=2)
    office.change_division(LAST, blocking_status=1)

    with program(office, tmp_path) as connections:
        found = connections.reach([NORTH, SOUTH, LAST])
        cost = calls(office)
        kept = connections.all_in_reach([SOURCE])

    divisions = {code: one.division for code, one in found.items()}
    assert [division.state for division in divisions.values()] == ["active", "archived", "in Exact's own hands"]
    assert len(problems("target", divisions, divisions, {})) == 2
    assert (cost, calls(office)) == (1, 1)
    assert (kept[SOUTH].division.status, kept[LAST].division.blocking_status) == (2, 1)


def test_one_that_is_out_of_reach_is_told_with_all_that_are_in_reach(office: Sandbox, tmp_path: Path) -> None:
    with program(office, tmp_path) as connections:
        found = connections.reach([NORTH, 999])
    first = calls(office)
    with program(office, tmp_path) as connections:
        again = connections.reach([NORTH, 999])

    assert sorted(found) == sorted(again) == [SOURCE, *TARGETS]
    assert (first, calls(office)) == (1 + WHOLE, 1)


def test_one_that_the_kept_list_shows_and_exact_no_longer_does_is_out_of_reach(office: Sandbox, tmp_path: Path) -> None:
    listed(office, tmp_path)
    hide(office, LAST)

    with program(office, tmp_path) as connections:
        found = connections.reach([NORTH, LAST])
        alone = connections.reach([LAST])

    assert sorted(found) == sorted(alone) == [SOURCE, *TARGETS[:-1]]


def test_a_name_that_is_not_as_expected_is_read_again_before_it_is_believed(office: Sandbox, tmp_path: Path) -> None:
    listed(office, tmp_path)
    office.change_division(LAST, description="Zuid B.V.")
    expected = {str(LAST): "Zuid B.V."}

    with program(office, tmp_path, expected=expected) as connections:
        found = connections.all_in_reach([SOURCE])

    assert misnamed({code: one.division for code, one in found.items()}, expected) == {}
    assert calls(office) == 1 + WHOLE
    assert listed(office, tmp_path, expected=expected) == (150, 1)


def test_the_list_of_another_login_is_not_used(office: Sandbox, tmp_path: Path) -> None:
    listed(office, tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE tokens SET first_token_hash = 'of another consent'")

    assert listed(office, tmp_path, refresh_token=None) == (150, WHOLE)


def test_the_list_of_another_connection_is_not_used(sandbox: Sandbox, tmp_path: Path) -> None:
    world = small_world(targets=TARGETS)
    mine, yours = [SOURCE, *TARGETS[:70]], [*TARGETS[70:]]
    anna = {**world["users"][0], "divisions": mine}
    bert = {**anna, "name": "Bert", "email": "b@example.com", "divisions": yours, "current_division": yours[0]}
    bert |= {"refresh_token": "of Bert", "authorization_code": "of Bert too"}
    sandbox.reset({**world, "users": [anna, bert]})
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": sandbox.url}
    several = [
        {"name": "anna", **app, "refresh_token": anna["refresh_token"]},
        {"name": "bert", **app, "refresh_token": bert["refresh_token"]},
    ]
    config = {"store_url": f"sqlite:///{tmp_path}/store.db", "connections": several}

    for cost in (4, 2):
        with (
            Store.open(config["store_url"]) as store,  # type: ignore[arg-type] - a text
            Connections(Settings.all_from_config(config), store, program="test") as connections,
        ):
            found = connections.all_in_reach([SOURCE, yours[0]])
            assert {code for code, one in found.items() if one.client.settings.name == "anna"} == {*mine}
            assert {code for code, one in found.items() if one.client.settings.name == "bert"} == {*yours}
            assert calls(sandbox) == cost


def test_status_reads_the_whole_list_and_keeps_it(office: Sandbox, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    command = Command(office, tmp_path)
    command.log_in()
    calls(office)
    office.change_division(LAST, status=2)

    told = command.run("status", "--json").json["divisions"]

    assert (len(told), told[-1]["status"], calls(office)) == (150, 2, WHOLE)
    settings = Settings.from_config({**office.config(refresh_token=None), "store_url": command.store_url})
    with Store.open(command.store_url) as store, Connections([settings], store, program="test") as connections:
        assert connections.all_in_reach([SOURCE])[LAST].division.status == 2
    assert calls(office) == 1


# Where the filter does not work


def test_where_exact_refuses_the_filter_the_whole_list_is_read_and_the_filter_rests(
    office: Sandbox, tmp_path: Path
) -> None:
    listed(office, tmp_path)
    office.fault("status", status=400, endpoint="system/Divisions", contains="Code%20eq", every=1)

    costs = []
    for later in (timedelta(0), timedelta(hours=1), FILTER_TRIED_AGAIN_AFTER + timedelta(hours=1)):
        with program(office, tmp_path, later=later) as connections:
            assert sorted(connections.reach([NORTH, LAST])) == [NORTH, LAST]
        costs.append(calls(office))

    assert costs == [1 + WHOLE, WHOLE, 1 + WHOLE]


def test_where_the_filter_finds_nothing_the_whole_list_decides(office: Sandbox, tmp_path: Path) -> None:
    nothing = json.dumps({"d": {"results": []}})
    office.fault("status", status=200, body=nothing, endpoint="system/Divisions", contains="Code%20eq", every=1)

    with program(office, tmp_path) as connections:
        found = connections.reach([NORTH])

    assert found[NORTH].division.name == "Company 201"


def test_where_the_filter_is_passed_over_only_those_asked_for_are_found(office: Sandbox, tmp_path: Path) -> None:
    rows = [{"Code": code, "Description": f"Company {code}", "Status": 1} for code in (SOURCE, *TARGETS)]
    body = json.dumps({"d": {"results": rows}})
    office.fault("status", status=200, body=body, endpoint="system/Divisions", contains="Code%20eq", every=1)

    with program(office, tmp_path) as connections:
        assert sorted(connections.reach([NORTH, LAST])) == [NORTH, LAST]


def test_another_refusal_than_400_is_no_verdict_on_the_filter(office: Sandbox, tmp_path: Path) -> None:
    office.fault("status", status=404, endpoint="system/Divisions", contains="Code%20eq", every=1)

    with program(office, tmp_path) as connections, pytest.raises(UnexpectedReplyError):
        connections.reach([NORTH])

    office.clear_faults()
    calls(office)
    with program(office, tmp_path) as connections:
        connections.reach([NORTH])
    assert calls(office) == 1


@given(st.lists(st.integers(1, 2**31 - 1), max_size=200))
def test_filters_name_each_code_once_and_fit_an_address(codes: list[int]) -> None:
    made = filters(codes)

    named = [int(term.removeprefix("Code eq ")) for one in made for term in one.split(" or ")]
    assert named == codes
    assert all(one.count(" or ") < 60 for one in made)
    assert all(3 * one.count(" ") + len(one) + len(",".join(DIVISIONS.selectable)) < 5000 for one in made)


# 3,000 companies


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fan_out", [{"target_divisions": [2001, 2002]}, {}], ids=["two targets", "all of them"])
def test_a_quiet_run_of_an_office_with_3000_companies_takes_five_calls_at_most(
    sandbox: Sandbox, tmp_path: Path, fan_out: dict[str, Any]
) -> None:
    codes = range(1001, 4000)
    sandbox.reset(small_world(1, targets=codes))
    project = Project(sandbox, tmp_path)
    state = project.read().state
    sandbox.forget_calls()

    read = project.read(state=state)
    loaded = project.load(read.output, fan_out=fan_out)

    assert (read.status, loaded.status) == (0, 0)
    assert len(read.records("divisions")) == 3000
    assert sandbox.calls() <= 5
