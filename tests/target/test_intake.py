"""Records on their way in: copied, numbered, refused or overtaken, and none of them lost."""

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
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from mapper_exactonline.fan_out import FanOut
from target_exactonline import tables
from target_exactonline.checkpoints import Checkpoints
from target_exactonline.intake import Copier, Intake
from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Tally
from target_exactonline.report import Report
from target_exactonline.runs import OpenRun, Runs
from target_exactonline.spool import Spool, Wanted
from target_exactonline.store import PutAside, TargetStore
from target_exactonline.values import check

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
NORTH, SOUTH = 201, 202


@dataclass
class Desk:
    """An intake with all that lies behind it."""

    intake: Intake
    spool: Spool
    ledger: Ledger
    tally: Tally
    folder: Path

    def accept(self, *records: Mapping[str, Any]) -> None:
        self.intake.accept("accounts", [check(ACCOUNTS, record) for record in records])

    def held(self, division: int = NORTH) -> list[Wanted]:
        return [one for chunk in self.spool.chunks(division) for one in chunk]

    def ended(self) -> list[dict[str, Any]]:
        self.ledger.flush()
        lines = (self.folder / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path}/store.db", tables.metadata) as database:
        spool, tally = Spool(), Tally()
        ledger = Ledger(
            TargetStore(database, "https://start.exactonline.nl"),
            spool,
            tally,
            Report(str(tmp_path), dry_run=False),
            Checkpoints(lambda: NOW, silent=True),
            OpenRun(Runs(database), NOW, ["https://start.exactonline.nl"], dry_run=False),
            now=lambda: NOW,
            max_errors=500,
            stop=threading.Event(),
            dry_run=False,
        )
        yield Desk(Intake(spool, ledger, tally), spool, ledger, tally, tmp_path)
        spool.close()


def record(code: str, division: object = NORTH, **values: Any) -> dict[str, Any]:
    return {"Division": division, "Code": code, **values}


def put_aside(code: str, division: int = NORTH, **values: Any) -> PutAside:
    return PutAside(
        division, code, "parked", "accounts", values, "The day is spent.", "2026-06-20T00:00:00+00:00", "", 2
    )


def test_records_are_numbered_in_the_order_in_which_they_come(desk: Desk) -> None:
    desk.accept(record("7", Name="Jan"), record("8", SOUTH))
    desk.accept(record("9"))

    assert desk.held() == [Wanted(1, NORTH, "7", "accounts", {"Name": "Jan"}), Wanted(3, NORTH, "9", "accounts", {})]
    assert desk.held(SOUTH) == [Wanted(2, SOUTH, "8", "accounts", {})]
    assert desk.intake.number == 3


def test_all_fields_that_any_record_brings_are_known(desk: Desk) -> None:
    desk.accept(record("7", Name="Jan"), record("8", City=None))
    desk.intake.accept_parked([put_aside("9", Fax="1")])

    assert desk.intake.fields == {"Name", "City", "Fax"}


# Refused


@pytest.mark.parametrize("division", [None, "", " "], ids=repr)
def test_a_record_without_division_is_refused_and_goes_nowhere(desk: Desk, division: object) -> None:
    desk.accept(record("7", division))

    (line,) = desk.ended()
    assert (line["division"], line["code"], line["outcome"]) == (None, "7", "refused")
    assert line["reason"] == (
        "Account 7 in division ?: Division is empty. Not sent; correct it in the source and run again."
    )
    assert desk.spool.first_number() is None


def test_a_division_that_is_none_is_told_as_it_came(desk: Desk) -> None:
    desk.accept(record("7", "north"))

    (line,) = desk.ended()
    assert "Division is 'north', which is not a whole number" in line["reason"]
    assert "Division is empty" not in line["reason"]


def test_a_record_with_a_wrong_value_is_refused_with_all_that_is_wrong(desk: Desk) -> None:
    desk.accept(record("", Email="jan", Country="Holland"))

    (line,) = desk.ended()
    assert (line["division"], line["outcome"]) == (NORTH, "refused")
    assert line["reason"].startswith("Account without a code in division 201: Code is empty; Email is 'jan'")
    assert "Country is 'Holland'" in line["reason"]


def test_a_refused_record_takes_no_number_and_no_place(desk: Desk) -> None:
    desk.accept(record("7", Name="Jan"), record("7", Name=None), record("8"))

    assert [(one.number, one.code) for one in desk.held()] == [(1, "7"), (2, "8")]


# Overtaken


def test_the_newest_record_of_a_code_is_the_one_that_counts(desk: Desk) -> None:
    desk.accept(record("7", Name="old"), record("7", Name="new"))

    (line,) = desk.ended()
    assert (line["code"], line["outcome"]) == ("7", "skipped")
    assert line["reason"] == "Overtaken by a newer record in the same run."
    assert [one.values for one in desk.held()] == [{"Name": "new"}]


def test_the_same_code_in_another_division_is_not_overtaken(desk: Desk) -> None:
    desk.accept(record("7", NORTH), record("7", SOUTH))

    assert desk.ended() == []
    assert len(desk.held(NORTH) + desk.held(SOUTH)) == 2


# Parked


def test_what_was_parked_comes_first_in_its_order_and_with_its_age(desk: Desk) -> None:
    desk.accept(record("7"))

    desk.intake.accept_parked([put_aside("8", Name="a"), put_aside("9", Name="b")])

    assert [(one.number, one.code) for one in desk.held()] == [(-2, "8"), (-1, "9"), (1, "7")]
    assert desk.held()[0] == Wanted(-2, NORTH, "8", "accounts", {"Name": "a"}, "2026-06-20T00:00:00+00:00", 2)


def test_what_was_parked_is_overtaken_by_a_record_that_came_in_before_it_was_fetched(desk: Desk) -> None:
    desk.accept(record("7", Name="new"))

    desk.intake.accept_parked([put_aside("7", Name="old")])

    assert [line["outcome"] for line in desk.ended()] == ["skipped"]
    assert [one.values for one in desk.held()] == [{"Name": "new"}]


def test_what_was_parked_is_overtaken_by_a_record_that_comes_in_later(desk: Desk) -> None:
    desk.intake.accept_parked([put_aside("7", Name="old")])

    desk.accept(record("7", Name="new"))

    assert [line["outcome"] for line in desk.ended()] == ["skipped"]
    assert [(one.number, one.values) for one in desk.held()] == [(1, {"Name": "new"})]


def test_every_record_is_received_and_either_waits_or_has_ended(desk: Desk) -> None:
    desk.accept(record("7"), record("7"), record("x"), record("8", None), record("9", SOUTH))
    desk.intake.accept_parked([put_aside("7"), put_aside("10")])

    waiting = len(desk.held(NORTH)) + len(desk.held(SOUTH))

    assert (waiting, len(desk.ended())) == (3, 4)
    assert desk.tally.summary() == "0 created, 0 updated, 0 unchanged, 2 refused, 0 parked, 2 skipped (7 received)"


# Copies


def copier(**config: Any) -> Copier:
    return Copier(FanOut.from_config(config))


def addresses(copying: Copier, record: Mapping[str, Any], stream: str = "accounts") -> list[tuple[int, str]]:
    return [(copy["Division"], copy["Code"]) for copy in copying.copies(stream, record)]


def test_a_record_goes_to_every_target_but_its_own_division() -> None:
    copying = copier(target_divisions=[NORTH, SOUTH])

    assert addresses(copying, record("7", 100)) == [(NORTH, "7"), (SOUTH, "7")]
    assert addresses(copying, record("7", NORTH)) == [(SOUTH, "7")]


@pytest.mark.parametrize("division", [None, "n/a", 1.5], ids=repr)
def test_a_record_that_does_not_say_where_it_comes_from_goes_to_all(division: object) -> None:
    assert addresses(copier(target_divisions=[NORTH]), record("7", division)) == [(NORTH, "7")]


def test_divisions_that_are_seen_later_get_copies_from_then_on() -> None:
    copying = copier()
    copying.see([{"Code": NORTH, "Status": 1}])
    before = addresses(copying, record("7", 100))

    copying.see([{"Code": SOUTH, "Status": 1}, {"Code": 203, "Status": 2}])

    assert before == [(NORTH, "7")]
    assert addresses(copying, record("8", 100)) == [(NORTH, "8"), (SOUTH, "8")]


def test_without_any_division_seen_there_is_nowhere_to_go() -> None:
    with pytest.raises(ConfigurationError, match="target_divisions"):
        addresses(copier(), record("7", 100))


def test_a_trial_copies_so_many_records_of_each_stream_and_counts_the_others() -> None:
    copying = copier(target_divisions=[NORTH, SOUTH], limit=2)

    copied = [len(addresses(copying, record(str(number), 100), stream)) for number in range(4) for stream in ("a", "b")]

    assert copied == [2, 2, 2, 2, 0, 0, 0, 0]
    assert copying.left_out == 4
