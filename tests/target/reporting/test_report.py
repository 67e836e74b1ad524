"""The results on disk: a line per record, and a page for a person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st
from target_exactonline.reporting import report as module
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.report import Report

FEWER = settings(max_examples=40)
AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
SCRIPT = "<script>alert('x')</script>"
KEYS = {"entity", "division", "code", "outcome", "kind", "reason", "changes", "source", "not_sent", "run", "at"}


def result(outcome: Outcome = Outcome.CREATED, code: str = "7", division: int | None = 201, **more: Any) -> Result:
    return Result(division, code, outcome, AT, **more)


def finish(report: Report, **more: Any) -> Path | None:
    names = {201: "North B.V.", 202: "South N.V."}
    return report.finish(
        **{"started_at": AT, "ended_at": AT, "names": names, "calls": {201: 17, None: 2}, "verdict": "Done.", **more}
    )


def write(folder: Path, results: Iterable[Result], *, dry_run: bool = False) -> tuple[list[dict[str, Any]], str]:
    """The lines and the page of a run that ended so."""
    report = Report(str(folder), run="r1", dry_run=dry_run)
    report.add(results)
    page = finish(report)
    assert page == folder / "report.html"
    lines = (folder / "outcomes.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines], page.read_text(encoding="utf-8")


def test_a_line_has_the_keys_that_were_agreed(tmp_path: Path) -> None:
    changes = {"City": ("Delft", "Gent")}

    (line,), _ = write(tmp_path, [result(Outcome.UPDATED, changes=changes)])

    assert line.keys() == KEYS
    assert (line["division"], line["code"], line["outcome"]) == (201, "7", "updated")
    assert line["run"] == "r1"
    assert (line["changes"], line["reason"]) == ({"City": ["Delft", "Gent"]}, None)
    assert datetime.fromisoformat(line["at"]) == AT


def test_every_line_of_a_trial_run_says_so_and_so_does_the_page(tmp_path: Path) -> None:
    lines, page = write(tmp_path, [result(), result(Outcome.UNCHANGED)], dry_run=True)

    assert [line["dry_run"] for line in lines] == [True, True]
    assert all(line.keys() == {*KEYS, "dry_run"} for line in lines)
    assert "Trial run: nothing was written" in page


def test_results_are_on_disk_as_soon_as_they_are_added(tmp_path: Path) -> None:
    report = Report(str(tmp_path), run="r1", dry_run=False)

    report.add([result(code="7"), result(code="8")])

    lines = (tmp_path / "outcomes.jsonl").read_text().splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["7", "8"]
    finish(report)


def test_the_first_result_of_a_run_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path, [result(code="old")])

    Report(str(tmp_path), run="r1", dry_run=False).add([result(code="new")])

    assert not (tmp_path / "report.html").exists()
    assert [line["code"] for line in map(json.loads, (tmp_path / "outcomes.jsonl").open())] == ["new"]


def test_a_run_that_only_tests_the_connection_leaves_the_last_results(tmp_path: Path) -> None:
    write(tmp_path, [result(code="old")])

    Report(str(tmp_path), run="r1", dry_run=False)

    assert (tmp_path / "report.html").exists()
    assert "old" in (tmp_path / "outcomes.jsonl").read_text()


def test_a_line_that_another_run_has_torn_is_passed_over(tmp_path: Path) -> None:
    """Two runs at a time with one folder: the page of each is at most short of a line."""
    report = Report(str(tmp_path), run="r1", dry_run=False)
    report.add([result(code="7")])
    with (tmp_path / "outcomes.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"division": 201, "co\n')

    assert finish(report) == tmp_path / "report.html"


def test_a_script_in_a_name_is_text_on_the_page(tmp_path: Path) -> None:
    results = [
        result(Outcome.CREATED, changes={"Name": (None, SCRIPT)}),
        result(Outcome.UPDATED, changes={SCRIPT: (SCRIPT, "x")}),
        result(Outcome.REFUSED, code=SCRIPT, reason=SCRIPT),
    ]

    _, page = write(tmp_path, results)

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5


def test_a_script_in_the_name_of_a_company_or_in_the_verdict_is_text_on_the_page(tmp_path: Path) -> None:
    report = Report(str(tmp_path), run="r1", dry_run=False)
    report.add([result()])

    page = finish(report, names={201: SCRIPT}, verdict=SCRIPT)

    assert page is not None
    assert "<script" not in page.read_text()


def test_the_page_counts_and_names_what_happened(tmp_path: Path) -> None:
    results = [
        result(Outcome.CREATED, "10042", changes={"Name": (None, "Café De Zon")}),
        result(Outcome.REFUSED, "10043", 202, reason="Ongeldig: Email."),
        result(Outcome.UNCHANGED, "10044", 202),
        result(Outcome.REFUSED, "", None, reason="Division is empty."),
    ]

    _, page = write(tmp_path, results)

    for shown in (
        "201</a> North B.V.",
        "202</a> South N.V.",
        "10042",
        "Café De Zon",
        "Ongeldig: Email.",
        "Division is empty.",
    ):
        assert shown in page
    assert '<tr><th>All</th><th class="n">1</th><th class="n">0</th><th class="n">1</th><th class="n">2</th>' in page
    assert "10044" not in page


def test_very_many_of_a_kind_are_shown_in_part_and_counted_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOWN_PER_KIND", 3)

    lines, page = write(tmp_path, [result(Outcome.PARKED, f"code-{number}", reason="late") for number in range(5)])

    assert len(lines) == 5
    assert page.count(">code-") == 3
    assert "5 parked" in page
    assert "The first 3 are shown; all are in outcomes.jsonl." in page


def test_a_run_in_which_nothing_came_has_a_page_too(tmp_path: Path) -> None:
    lines, page = write(tmp_path, [])

    assert lines == []
    assert "Done." in page


def test_without_a_folder_nothing_is_written() -> None:
    report = Report(None, run="r1", dry_run=False)
    report.add([result()])

    assert finish(report) is None


@pytest.mark.parametrize("below", [".", "deeper"])
def test_a_folder_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"^The setting report_path names .*, which cannot be written: "):
        Report(str(tmp_path / "file" / below), run="r1", dry_run=False)


def test_a_folder_that_is_in_the_way_of_the_results_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "outcomes.jsonl").mkdir()

    with pytest.raises(ConfigurationError, match="report_path"):
        Report(str(tmp_path), run="r1", dry_run=False)


@FEWER
@given(st.lists(st.tuples(st.text(), st.text("\n\r\x0b\x1c\x85\u2028\u2029<&\"'é🏢\x00")), max_size=4))
def test_whatever_the_texts_there_is_one_line_per_result(texts: list[tuple[str, str]]) -> None:
    results = [result(Outcome.REFUSED, code, reason=reason, changes={"Name": (reason, code)}) for code, reason in texts]

    with TemporaryDirectory() as folder:
        lines, _ = write(Path(folder), results)

    assert [(line["code"], line["reason"]) for line in lines] == texts
