"""Records on their way in: checked, keyed and numbered, refused where they can go nowhere, and none of them lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS
from target_exactonline.intake.intake import Intake, Origin
from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.planning.model import SourceKey, SourceRecord
from target_exactonline.reporting.checkpoints import Checkpoints
from target_exactonline.reporting.outcomes import Tally
from target_exactonline.reporting.recorder import Recorder
from target_exactonline.reporting.report import Report

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
SOURCE, NORTH, SOUTH = 100, 201, 202
ID = "5e2d5a3c-0000-4000-8000-00000000000a"


@dataclass
class Desk:
    """An intake with all that lies behind it."""

    intake: Intake
    spool: Spool
    tally: Tally
    checkpoints: Checkpoints
    folder: Path
    read: int = 0

    def origin(self) -> Origin:
        self.read += 1
        return Origin("klanten", self.read)

    def addressed(self, *records: Mapping[str, Any], source: SourceKey | None = None) -> None:
        self.intake.accept_addressed([(record, source, self.origin()) for record in records])

    def fanned_out(self, *records: Mapping[str, Any], stream: str = "accounts", limit: int | None = None) -> None:
        self.intake.accept(stream, [(record, self.origin()) for record in records], limit)

    def held(self) -> list[Incoming]:
        return [one for page in self.spool.pages() for one in page]

    def refused(self) -> list[dict[str, Any]]:
        lines = (self.folder / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    spool, tally, checkpoints = Spool(ACCOUNTS), Tally(), Checkpoints(lambda: NOW, silent=False)
    report = Report(str(tmp_path), run="r1", dry_run=False)
    recorder = Recorder(tally, report, checkpoints, now=lambda: NOW, max_errors=500, stop=threading.Event())
    yield Desk(Intake(ACCOUNTS, spool, recorder, checkpoints), spool, tally, checkpoints, tmp_path)
    spool.close()


def record(code: str, division: object = NORTH, **values: Any) -> dict[str, Any]:
    return {"Division": division, "Code": code, **values}


# Addressed records


def test_records_are_numbered_in_the_order_in_which_they_come(desk: Desk) -> None:
    desk.addressed(record("7", Name="Jan"), record("8", SOUTH))
    desk.addressed(record("9"))

    assert [(one.number, one.target, one.record.code) for one in desk.held()] == [
        (1, NORTH, "7"),
        (2, SOUTH, "8"),
        (3, NORTH, "9"),
    ]
    assert desk.checkpoints.last == 3


def test_a_record_of_a_foreign_stream_is_its_own_source(desk: Desk) -> None:
    desk.addressed(record(" 007 ", Name="Jan"))

    (one,) = desk.held()
    assert one.record == SourceRecord(SourceKey(0, "007"), "007", {"Name": "Jan"}, stream="klanten")


def test_a_copy_that_names_its_source_is_known_by_it(desk: Desk) -> None:
    desk.addressed(record("7", Name="Jan"), source=SourceKey(SOURCE, ID))

    (one,) = desk.held()
    assert one.record.key == SourceKey(SOURCE, ID)


def test_all_fields_that_any_record_brings_are_known(desk: Desk) -> None:
    desk.addressed(record("7", Name="Jan"), record("8", City=None))

    assert desk.intake.fields == {"Name", "City"}


def test_two_records_of_one_code_are_merged_and_hold_no_state_back(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.addressed(record("7", Name="old", City="Gent"), record("7", Name="new"))
    desk.checkpoints.add({"at": 1})

    (one,) = desk.held()
    assert (one.merged, one.record.values) == (1, {"Name": "new", "City": "Gent"})
    desk.checkpoints.expect(one.number, 1)
    desk.checkpoints.end([one.number])
    desk.checkpoints.release(at_once=True)
    assert json.loads(capsys.readouterr().out) == {"at": 1}


# Refused at once: what can go nowhere


@pytest.mark.parametrize("division", [None, "", " "], ids=repr)
def test_a_record_without_division_is_refused_and_goes_nowhere(desk: Desk, division: object) -> None:
    desk.addressed(record("7", division))

    (line,) = desk.refused()
    assert (line["division"], line["code"], line["outcome"], line["kind"]) == (None, "7", "refused", "invalid")
    assert line["reason"] == (
        "Account 7 in division ? (record 1 of the stream klanten): Division is empty. Not sent; correct it in the "
        "source and run again."
    )
    assert desk.held() == []


@pytest.mark.parametrize("division", ["north", 1.5, 2**63], ids=repr)
def test_a_division_that_is_none_is_shown_as_it_came(desk: Desk, division: object) -> None:
    desk.addressed(record("7", division))

    (line,) = desk.refused()
    assert f"Division is {str(division)!r}, which is not the code of a division" in line["reason"]


def test_a_record_without_a_code_is_refused_with_all_that_is_wrong_and_where_it_is(desk: Desk) -> None:
    desk.addressed(record("7"), record("", Email="jan", Country="Holland"))

    (line,) = desk.refused()
    assert (line["division"], line["outcome"]) == (NORTH, "refused")
    assert line["reason"].startswith(
        "Account without a code in division 201 (record 2 of the stream klanten): Code is empty; Email is 'jan'"
    )
    assert "Country is 'Holland'" in line["reason"]


def test_a_record_that_can_go_nowhere_takes_no_number_and_no_place(desk: Desk) -> None:
    desk.addressed(record("7", Name="Jan"), record("8", None), record("9"))

    assert [(one.number, one.record.code) for one in desk.held()] == [(1, "7"), (2, "9")]


def test_a_wrong_value_goes_along_as_a_problem_that_names_its_place(desk: Desk) -> None:
    desk.addressed(record("7", Country="Holland"))

    (one,) = desk.held()
    assert one.record.problems == (
        "Country is 'Holland'; Exact takes a two-letter ISO 3166 code (record 1 of the stream klanten)",
    )


# Records that settings fan out


def test_an_account_of_an_exact_company_is_known_by_its_id(desk: Desk) -> None:
    desk.fanned_out(record("7", SOURCE, ID=ID.upper(), Name="Jan"))

    (one,) = desk.held()
    assert (one.target, one.record.key, one.record.code) == (0, SourceKey(SOURCE, ID), "7")
    assert desk.intake.sources == {SOURCE}


@pytest.mark.parametrize("division", [None, "n/a", 1.5], ids=repr)
def test_a_record_that_does_not_say_where_it_comes_from_is_known_by_its_code(desk: Desk, division: object) -> None:
    desk.fanned_out(record("7", division, Name="Jan"))

    (one,) = desk.held()
    assert (one.target, one.record.key) == (0, SourceKey(0, "7"))
    assert desk.intake.sources == set()


def test_what_a_company_means_by_itself_alone_is_not_taken_along(desk: Desk) -> None:
    desk.fanned_out(record("7", SOURCE, ID=ID, Name="Jan", PriceList="5e2d5a3c-0000-4000-8000-000000000001"))

    (one,) = desk.held()
    assert one.record.values == {"Name": "Jan"}


def test_an_account_without_a_code_goes_along_with_its_problem(desk: Desk) -> None:
    desk.fanned_out(record("", SOURCE, ID=ID, Name="Jan"))

    (one,) = desk.held()
    assert (one.record.code, one.record.problems) == ("", ("Code is empty (record 1 of the stream klanten)",))


def test_a_trial_takes_so_many_records_of_each_stream_and_counts_the_others(desk: Desk) -> None:
    for number in range(4):
        for stream in ("a", "b"):
            desk.fanned_out(record(f"{number}{ord(stream)}", SOURCE), stream=stream, limit=2)

    assert len(desk.held()) == 4
    assert desk.intake.left_out == 4


# Deletions


def test_a_deletion_at_the_source_is_a_record_too(desk: Desk) -> None:
    desk.intake.accept_deletions([SourceKey(SOURCE, ID)])

    (one,) = desk.held()
    assert (one.number, one.record.key, one.record.is_deleted) == (1, SourceKey(SOURCE, ID), True)


def test_a_deletion_after_its_record_leaves_one_and_holds_no_state_back(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.fanned_out(record("7", SOURCE, ID=ID, Name="Jan"))
    desk.intake.accept_deletions([SourceKey(SOURCE, ID), SourceKey(SOURCE, ID)])
    desk.checkpoints.add({"at": 1})

    (one,) = desk.held()
    assert one.record.is_deleted
    desk.checkpoints.expect(one.number, 0)
    desk.checkpoints.release(at_once=True)
    assert json.loads(capsys.readouterr().out) == {"at": 1}


def test_every_record_is_held_merged_or_refused(desk: Desk) -> None:
    desk.addressed(record("7"), record("7"), record("x"), record("8", None), record("9", SOUTH), record(""))

    merged = sum(one.merged for one in desk.held())

    assert (len(desk.held()), merged, len(desk.refused())) == (3, 1, 2)
    assert desk.tally.summary() == "0 created, 0 updated, 0 unchanged, 2 refused, 0 parked (2 received)"
