"""What a preview shows and gives to download, over a plan that lies in the store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest
from console_driver import Here, Visitor
from exactonline_console.downloads import as_csv, safe
from stored_plans import SITE, keep_plan
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.runs import DivisionCounts, Runs

AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
NORTH, SOUTH = 201, 202
RUN = "0b4c"


def planned(page: Here, results: Iterable[Result], *, dry_run: bool = True) -> str:
    """A run that is over, with these lines as its plan; answers its id."""
    results = list(results)
    with page.store() as store:
        runs = Runs(store)
        number = runs.begin(RUN, AT, [SITE], dry_run=dry_run)
        keep_plan(store, number, results)
        counts = [
            DivisionCounts(division, f"Company {division}", 0, 0, _counts(division, results))
            for division in (NORTH, SOUTH)
        ]
        runs.end(number, AT, status=0, verdict="Done.", sources=[100], divisions=counts)
    return RUN


def _counts(division: int, results: list[Result]) -> dict[str, int]:
    return {
        outcome.value: sum(1 for one in results if (one.division, one.outcome) == (division, outcome))
        for outcome in Outcome
    }


def created(code: str, division: int = NORTH, **values: Any) -> Result:
    changes = {name: (None, value) for name, value in {"Name": f"Klant {code}", **values}.items()}
    return Result(division, code, Outcome.CREATED, AT, changes=changes)


def updated(code: str, division: int = NORTH, **changes: tuple[Any, Any]) -> Result:
    return Result(division, code, Outcome.UPDATED, AT, changes=changes)


def refused(code: str, reason: str, division: int = NORTH) -> Result:
    return Result(division, code, Outcome.REFUSED, AT, "invalid", reason)


def test_old_stands_beside_new_and_a_refusal_says_why(page: Here, visitor: Visitor) -> None:
    run = planned(page, [updated("7", City=("Breda", "Utrecht")), refused("8", "Email is wrong. Correct it.")])

    shown = visitor.get(f"/runs/{run}").text

    assert shown.index("Breda") < shown.index("Utrecht")
    assert "Email is wrong. Correct it." in shown


def test_a_script_in_a_name_is_text(page: Here, visitor: Visitor) -> None:
    run = planned(page, [created("<b>9", Name="<script>alert('x')</script>", City='" onload="x')])

    shown = visitor.get(f"/runs/{run}").text

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(&#39;x&#39;)" in shown
    assert '" onload="' not in shown


def test_records_come_a_hundred_at_a_time(page: Here, visitor: Visitor) -> None:
    run = planned(page, [created(f"c{number:03}") for number in range(250)])

    first, last = visitor.get(f"/runs/{run}").text, visitor.get(f"/runs/{run}?page=3").text

    assert ("c000" in first, "c099" in first, "c100" in first) == (True, True, False)
    assert ("c199" in last, "c200" in last, "c249" in last) == (False, True, True)
    assert "Page 3 of 3" in visitor.get(f"/runs/{run}?page=99999").text


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("company=202", {"c"}),
        ("kind=updated", {"b"}),
        ("search=utrecht", {"b"}),
        ("search=VAT", {"d"}),
        ("search=%25", set()),
        ("company=201&kind=created", {"a"}),
        ("company=x&kind=y&page=-1", {"a", "b", "c", "d"}),
    ],
)
def test_records_are_found_by_company_kind_and_words(page: Here, visitor: Visitor, query: str, codes: set[str]) -> None:
    lines = [created("a"), updated("b", City=("Breda", "Utrecht")), created("c", SOUTH), refused("d", "The VAT number")]
    run = planned(page, lines)

    found = visitor.get(f"/runs/{run}/records.jsonl?{query}").text

    assert {json.loads(line)["code"] for line in found.splitlines()} == codes


def test_a_download_has_a_line_per_field_with_old_and_new(page: Here, visitor: Visitor) -> None:
    run = planned(page, [updated("7", City=("Breda", "Utrecht"), Phone=(None, "030")), refused("8", "Why")])

    answer = visitor.get(f"/runs/{run}/records.csv")

    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(one["code"], one["field"], one["before"], one["after"], one["reason"]) for one in lines] == [
        ("7", "City", "Breda", "Utrecht", ""),
        ("7", "Phone", "", "030", ""),
        ("8", "", "", "", "Why"),
    ]
    assert lines[0]["company"] == "Company 201"
    assert answer.headers["content-disposition"] == 'attachment; filename="run-20260625-1400.csv"'


@pytest.mark.parametrize("value", ["=1+1", "+31 30", "-1", "@x", "\t=1", "\r=1", "=HYPERLINK(1)", " =1", "\uff1d1"])
def test_no_cell_of_a_download_is_taken_for_a_formula(value: str) -> None:
    text = b"".join(as_csv([{**_line(), "changes": {"Name": [value, value]}}], lambda _: value)).decode()

    row = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1]
    assert not any(cell.strip().startswith(("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}")) for cell in row)


@pytest.mark.parametrize(("value", "cell"), [(None, ""), (-1.5, "-1.5"), (True, "True"), ("plain", "plain")])
def test_what_is_no_formula_stays_as_it_is(value: object, cell: str) -> None:
    assert safe(value) == cell


def test_a_download_comes_in_pieces_however_long_it_is() -> None:
    pieces = as_csv(({**_line(), "code": str(number)} for number in range(20_000)), lambda _: "")

    sizes = [len(piece) for piece in pieces]

    assert len(sizes) > 5
    assert max(sizes) < 200_000


def _line() -> dict[str, Any]:
    return {"division": NORTH, "code": "1", "outcome": "updated", "changes": {}, "reason": None, "at": "2026-06-25"}
