"""What becomes of the copies of an account that was deleted at the source, and when it returns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran, piped

NORTH, SOUTH, WEST = 201, 202, 203
BLOCK: dict[str, Any] = {"on_source_deletion": "block"}
DELETE: dict[str, Any] = {"on_source_deletion": "delete"}
NOW = "2026-03-14T23:30:00Z"
"""In Amsterdam it is the 15th already."""


@pytest.fixture
def copied(project: Project) -> Ran:
    """Three customers and their copies."""
    project.sandbox.reset(small_world(now=NOW))
    return project.read()


def after(project: Project, first: Ran, **settings: Any) -> tuple[Ran, Ran]:
    """The next run: what the tap delivered, and what the target made of it."""
    read = project.read(state=first.state)
    loaded = project.load(read.output, **{"fan_out": {}, **settings})
    assert loaded.status == 0, loaded.log
    return read, loaded


def first_load(project: Project, copied: Ran, **settings: Any) -> None:
    loaded = project.load(copied.output, **{"fan_out": {}, **settings})
    assert loaded.status == 0, loaded.log
    project.sandbox.forget_calls()


def states(project: Project, division: int = NORTH) -> dict[str, tuple[bool, str | None]]:
    """Code → Blocked and the day of EndDate."""
    rows = project.sandbox.accounts(division)
    return {row["Code"]: (row["Blocked"], row["EndDate"] and row["EndDate"][:10]) for row in rows}


def kinds(project: Project) -> list[tuple[str, str, int]]:
    return sorted((line["code"], line["outcome"], line["division"]) for line in project.outcomes)


def test_by_default_the_copies_stay_as_they_are(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied)

    assert project.writes() == []
    assert states(project)["2"] == (False, None)
    assert project.outcomes == []


def test_block_blocks_each_copy_as_of_today_in_the_divisions_zone(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, **BLOCK)

    assert [call["body"] for call in project.writes()] == [{"Blocked": True, "EndDate": "2026-03-15T00:00:00.000"}] * 3
    assert states(project) == {"1": (False, None), "2": (True, "2026-03-15"), "3": (False, None)}
    assert kinds(project) == [("2", "updated", division) for division in (NORTH, SOUTH, WEST)]
    assert project.outcome_of("2", NORTH)["changes"]["Blocked"] == [False, True]


def test_delete_deletes_each_copy(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    _, loaded = after(project, copied, **DELETE)

    assert [call["method"] for call in project.writes()] == ["DELETE"] * 3
    assert project.sandbox.codes(NORTH) == ["1", "3"]
    assert kinds(project) == [("2", "deleted", division) for division in (NORTH, SOUTH, WEST)]
    assert "3 deleted" in loaded.log


def test_each_division_may_have_its_own_way(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, on_source_deletion_overrides={"202": "block", "203": "delete"})

    assert kinds(project) == [("2", "deleted", WEST), ("2", "updated", SOUTH)]
    assert states(project, NORTH)["2"] == (False, None)


def test_an_account_that_comes_back_is_unblocked_and_keeps_its_own_last_day(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.edit(NORTH, "2", EndDate="2030-01-01")
    project.sandbox.remove(SOURCE, "2")
    second, _ = after(project, copied, **BLOCK)
    blocked = states(project)["2"]
    project.sandbox.seed(SOURCE, [customer(2)])

    after(project, second, **BLOCK)

    assert (blocked, states(project)["2"]) == ((True, "2026-03-15"), (False, "2030-01-01"))
    assert states(project, SOUTH)["2"] == (False, None)


def test_what_a_person_blocked_is_not_unblocked(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    for division in (NORTH, SOUTH, WEST):
        project.sandbox.edit(division, "2", Blocked=True, EndDate="2025-01-01")
    project.sandbox.remove(SOURCE, "2")
    second, _ = after(project, copied, **BLOCK)
    project.sandbox.seed(SOURCE, [customer(2, City="Ede")])

    after(project, second, **BLOCK)

    assert states(project)["2"] == (True, "2025-01-01")
    assert project.sandbox.account(NORTH, "2")["City"] == "Ede"


def test_a_deleted_account_that_comes_back_is_created_again(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    second, _ = after(project, copied, **DELETE)
    project.sandbox.seed(SOURCE, [customer(2)])

    after(project, second, **DELETE)

    assert kinds(project) == [("2", "created", division) for division in (NORTH, SOUTH, WEST)]


def test_a_deletion_that_is_told_again_does_nothing(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    second, _ = after(project, copied, **BLOCK)
    project.sandbox.edit(NORTH, "2", Blocked=False)
    project.sandbox.forget_calls()

    project.load(second.output, **{"fan_out": {}, **BLOCK})

    assert project.writes() == []
    assert project.outcomes == []


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"Name": "Heel Iemand Anders B.V.", "VATNumber": "NL806233412B01"}, "has become another party's"),
        ({"Status": "A", "IsSupplier": True}, "has become another party's"),
    ],
)
def test_a_copy_that_became_someone_elses_stays_and_is_told(
    project: Project, edit: Mapping[str, Any], says: str
) -> None:
    project.sandbox.reset(small_world(accounts={SOURCE: [customer(2, VATNumber="NL123456782B90")]}))
    copied = project.read()
    first_load(project, copied)
    project.sandbox.edit(NORTH, "2", **edit)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, **DELETE)

    assert project.outcome_of("2", NORTH)["outcome"] == "refused"
    assert says in project.outcome_of("2", NORTH)["reason"]
    assert project.sandbox.codes(NORTH) == ["2"]
    assert project.sandbox.codes(SOUTH) == []


def test_another_account_under_the_code_is_no_copy_and_stays(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(NORTH, "2")
    project.sandbox.seed(NORTH, [customer(2, ID="5e2d5a3c-0000-4000-8000-000000000001")])
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, **DELETE)

    assert project.outcome_of("2", NORTH)["outcome"] == "unchanged"
    assert "2" in project.sandbox.codes(NORTH)


def test_a_copy_that_is_gone_already_needs_nothing(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    for division in (NORTH, SOUTH, WEST):
        project.sandbox.remove(division, "2")
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, **DELETE)

    assert (project.writes(), {kind for _, kind, _ in kinds(project)}) == ([], {"unchanged"})


def test_a_code_that_lives_on_as_another_account_keeps_its_copies(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.seed(SOURCE, [customer(2, ID="5e2d5a3c-0000-4000-8000-000000000001", City="Ede")])

    after(project, copied, **DELETE)

    assert project.sandbox.account(NORTH, "2")["City"] == "Ede"
    assert {call["method"] for call in project.writes()} == {"PUT"}


def test_an_account_that_came_and_went_within_one_run_is_not_created(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.seed(SOURCE, [customer(9)])
    second = project.read(state=copied.state)
    key = project.sandbox.account(SOURCE, "9")["ID"]
    schema = {"properties": {"ID": {}, "EntityKey": {}, "Division": {}}}
    deletion = {"ID": key, "EntityKey": key, "Division": SOURCE}
    lines = [
        {"type": "SCHEMA", "stream": "deleted_accounts", "schema": schema, "key_properties": ["ID"]},
        {"type": "RECORD", "stream": "deleted_accounts", "record": deletion},
    ]

    project.load(second.output + "".join(json.dumps(line) + "\n" for line in lines), fan_out={}, **BLOCK)

    assert project.writes() == []


def test_what_exact_will_not_delete_is_refused_with_a_way_out(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    body = {"error": {"code": "", "message": {"lang": "", "value": "In gebruik: Verkoopfacturen"}}}
    project.sandbox.fault("status", status=500, body=json.dumps(body), method="DELETE", division=NORTH)

    second, _ = after(project, copied, **DELETE)
    refused = project.outcome_of("2", NORTH)
    project.load(second.output, fan_out={}, **DELETE)

    assert refused["outcome"] == "refused"
    assert "In gebruik: Verkoopfacturen" in refused["reason"]
    assert "Set on_source_deletion to block" in refused["reason"]
    assert "Not tried again" in project.outcome_of("2", NORTH)["reason"]


def test_an_answer_to_a_deletion_that_was_lost_is_no_failure(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.fault("lost_answer", method="DELETE", division=NORTH)

    after(project, copied, **DELETE)

    assert project.outcome_of("2", NORTH)["outcome"] == "deleted"


def test_a_dry_run_tells_what_it_would_delete_and_forgets_nothing(project: Project, copied: Ran) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    after(project, copied, dry_run=True, **DELETE)
    planned = kinds(project)

    after(project, copied, **DELETE)

    assert planned == kinds(project) == [("2", "deleted", division) for division in (NORTH, SOUTH, WEST)]


def test_more_deletions_than_the_limit_allows_are_parked_and_done_once_it_is_loosened(
    project: Project, copied: Ran
) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.remove(SOURCE, "3")
    second, stopped = after(project, copied, max_deletes=1, **DELETE)
    parked = {kind for _, kind, _ in kinds(project)}

    after(project, second, max_deletes=2, **DELETE)

    assert parked == {"parked"}
    assert "more than max_deletes (1) allows" in stopped.log
    assert {kind for _, kind, _ in kinds(project)} == {"deleted"}
    assert project.sandbox.codes(NORTH) == ["1"]


@pytest.mark.parametrize(("load_method", "choice"), [("append-only", BLOCK), ("update-only", DELETE)])
def test_a_load_method_that_forbids_it_leaves_the_copy(
    project: Project, copied: Ran, load_method: str, choice: dict[str, Any]
) -> None:
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, load_method=load_method, **choice)

    assert (project.writes(), {kind for _, kind, _ in kinds(project)}) == ([], {"skipped"})


def test_adopted_copies_are_known_as_well(project: Project) -> None:
    project.sandbox.reset(small_world(accounts={SOURCE: [customer(2)], NORTH: [customer(2)]}))
    copied = project.read()
    first_load(project, copied)
    project.sandbox.remove(SOURCE, "2")

    after(project, copied, **BLOCK)

    assert states(project)["2"][0] is True


def test_the_link_is_learned_through_the_mapping_step_too(project: Project, copied: Ran) -> None:
    mapper, target = project.mapper.command({}), project.target.command(project.target_config(**BLOCK))
    piped(project.tap.command(project.tap_config()), mapper, target)
    project.sandbox.remove(SOURCE, "2")

    (*_, loaded) = piped(project.tap.command(project.tap_config()), mapper, target)

    assert loaded.status == 0, loaded.log
    assert states(project)["2"] == (True, "2026-03-15")


def test_a_copy_names_its_source_beside_the_record_and_not_in_it(project: Project, copied: Ran) -> None:
    ran = project.mapper.run({}, given=copied.output)

    messages = [message for message in ran.messages if message.get("stream") == "accounts"]
    records = [message for message in messages if message["type"] == "RECORD"]
    assert {"ID", "_source"}.isdisjoint(records[0]["record"])
    assert records[0]["source"] == {"Division": SOURCE, "ID": project.sandbox.account(SOURCE, "1")["ID"]}


def test_an_override_that_is_none_stops_the_run_before_any_call(project: Project, copied: Ran) -> None:
    ran = project.load(copied.output, fan_out={}, on_source_deletion_overrides={"201": "erase"})

    assert ran.status == 1
    assert re.search(r"on_source_deletion_overrides: '201': 'erase' is not", ran.log)
