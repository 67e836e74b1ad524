"""Why a customer was not written, in the reader's language; lists that say what they leave out; forms as filled in."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import get_args
from unittest import mock

import pytest
from console_driver import Here, Visitor
from exactonline_client.errors import RecordRefusedError
from exactonline_client.limits import Reason
from exactonline_console import runner
from exactonline_console.jobs import Job, job, save
from exactonline_console.project import Project
from exactonline_console.reasons import SENTENCES, waits_for, why
from exactonline_console.texts import texts
from sandbox_driver import Sandbox
from stored_plans import SITE, keep_plan
from target_exactonline.planning.model import Kind
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.runs import DivisionCounts, Runs

AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
EN, NL = texts("en"), texts("nl")
DUTCH = {"Accept-Language": "nl"}
REFUSED = str(RecordRefusedError(entity="account", division=201, key="8", status=500, said="Ongeldig: Email"))


def kinds() -> set[str]:
    return {kind for group in get_args(Kind) for kind in (get_args(group) or (group,))}


def test_every_kind_has_its_sentence_in_both_languages() -> None:
    assert SENTENCES.keys() == kinds()
    for kind in SENTENCES:
        english, dutch = why(kind, None, EN).sentence, why(kind, None, NL).sentence
        assert english
        assert dutch
        assert english != dutch


def test_what_exact_said_and_the_fields_that_it_is_about_stand_in_the_sentence() -> None:
    assert why("rejected", REFUSED, NL).sentence.endswith("Exact zegt: Ongeldig: Email.")
    assert why("invalid", "Email is no address. Correct it.", NL).sentence.endswith("Het gaat om: E-mail.")
    assert why("rejected", REFUSED, NL).detail == REFUSED


def test_a_kind_that_nobody_knows_keeps_its_own_words() -> None:
    assert (why("new", "So it is.", NL).sentence, why("new", "So it is.", NL).detail) == ("", "So it is.")


def test_what_a_company_waits_for_is_told_in_the_language_of_the_reader() -> None:
    assert waits_for(Reason.DAY.value, NL).startswith("De aanroepen die Exact dit bedrijf per dag")
    assert waits_for("Something else.", NL) == "Something else."


def a_run(page: Here, results: list[Result], **counts: int) -> None:
    with page.store() as store:
        runs = Runs(store)
        number = runs.begin("0b4c", AT, [SITE], dry_run=True)
        keep_plan(store, number, results)
        runs.end(number, AT, 0, "Done.", sources=[100], divisions=[DivisionCounts(201, "Noord", 9, 0, counts)])


def test_a_dutch_page_gives_the_reason_in_dutch_and_the_program_s_own_words_behind_it(page: Here) -> None:
    a_run(page, [Result(201, "8", Outcome.REFUSED, AT, "rejected", REFUSED)], refused=1)

    shown = Visitor(page.url, headers=DUTCH).get("/runs/0b4c").text

    assert "Exact weigerde deze klant." in shown
    assert shown.index("<summary>Volledig</summary>") < shown.index(REFUSED)


def test_refusals_that_are_no_news_are_counted_and_said_to_stand_elsewhere(page: Here, visitor: Visitor) -> None:
    a_run(page, [], refused=9, parked=1)

    shown = visitor.get("/runs/0b4c").text

    assert "9 refused customers are not listed below: they were refused before" in shown
    assert "1 customer that waits is not listed below." in shown
    assert "Nothing would change" not in shown


def test_those_that_are_listed_are_not_said_to_be_missing(page: Here, visitor: Visitor) -> None:
    a_run(page, [Result(201, "8", Outcome.REFUSED, AT, "rejected", REFUSED)], refused=1)

    assert "not listed below" not in visitor.get("/runs/0b4c").text


# Forms


@pytest.fixture
def project(page: Here, visitor: Visitor, sandbox: Sandbox) -> Project:
    """With a connection and the job `customers` to 201 and 202."""
    visitor.connect(sandbox)
    visitor.save_job()
    return Project.at(page.folder)


def test_a_preview_is_of_what_is_filled_in_and_not_of_what_was_saved_before(project: Project, visitor: Visitor) -> None:
    with mock.patch.object(runner, "start") as started:
        answer = visitor.post("/jobs/customers", source="100", targets="203", then="preview")

    assert answer.url.path.startswith("/runs/")
    assert started.call_args.args[1].kind == "preview"
    assert job(project, "customers").targets == (203,)


def test_a_check_and_a_synchronization_are_of_what_is_filled_in_too(project: Project, visitor: Visitor) -> None:
    checked = visitor.post("/jobs/customers", source="100", targets="203", then="check")
    asked = visitor.post("/jobs/customers", source="100", targets="202", then="synchronize")

    assert "Company 203" in checked.text
    assert (asked.url.path, "Company 202" in asked.text) == ("/jobs/customers/synchronize", True)


def test_what_cannot_be_saved_is_not_previewed(project: Project, visitor: Visitor) -> None:
    with mock.patch.object(runner, "start") as started:
        answer = visitor.post("/jobs/customers", source="100", then="preview")

    assert answer.status_code == 400
    assert not started.called


def test_saving_what_is_so_already_changes_no_file(page: Here) -> None:
    project = Project.at(page.folder)
    same = Job("customers", ("holding",), 100, (201,), names={100: "A", 201: "B"})
    save(project, same)
    file = project.root / "meltano.d" / "customers.yml"
    os.utime(file, (1, 1))

    save(project, same)

    assert file.stat().st_mtime == 1
