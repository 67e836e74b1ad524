"""The page in a real browser, from an empty store to the result and beyond."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import pytest
from browser_driver import Person
from console_driver import Page, Visitor, make_project, serving
from exactonline_client.limits import Reason
from exactonline_console import launches
from exactonline_console.launches import Launches
from exactonline_console.processes import Known
from exactonline_console.project import Project
from playwright.sync_api import Browser
from sandbox_driver import CLIENT_SECRET, REFRESH_TOKEN, Sandbox, SandboxFactory, customer, small_world
from target_exactonline.store.runs import Runs, Standing

pytestmark = pytest.mark.timeout(300)
PAGES = ("/", "/connections", "/connections/new", "/connections/holding", "/jobs/new", "/jobs/customers")
MORE_PAGES = (
    "/jobs/customers/synchronize",
    "/waiting",
    "/waiting?group=held",
    "/history",
    "/history/actions",
    "/accounts?code=1",
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Page]:
    """The page as a process of its own, over an empty project."""
    with serving(make_project(tmp_path / "project")) as page:
        yield page


@pytest.fixture
def person(browser: Browser, served: Page) -> Iterator[Callable[..., Person]]:
    """Somebody in front of it: `person(language="nl-NL")`."""
    with ExitStack() as stack:

        def come(**options: object) -> Person:
            one = Person(browser, served.url, **options)  # type: ignore[arg-type] # passed on
            stack.callback(one.context.close)
            return one

        yield come


COMPANIES = {100: "Van der Linden Holding B.V.", 201: "Van der Linden Noord B.V.", 202: "Van der Linden Zuid B.V."}
COMPANIES |= {203: "Van der Linden België NV"}


def a_world_with_everything() -> dict[str, object]:
    """Customers that are new, differ, are the same, are refused, and a code that belongs to somebody else."""
    same = customer(1, Name="Bakkerij De Korenaar B.V.")
    moved = customer(2, Name="Garage Van Dijk B.V.", Phone="030-2345678")
    fresh = customer(3, Name="Café Ísafjörður & Zoë N.V.", Country="BE", Language="FR")
    script = customer(4, Name="<script>alert(1)</script> & <b>Zn.</b>")
    wrong = customer(5, Name="Drukkerij Jansen", Email="jan@@jansen")
    mine = customer(6, Name="Scheepswerf Noord B.V.", ChamberOfCommerce="22031977")
    theirs = {**mine, "Name": "Bakkerij Zuid", "ChamberOfCommerce": "34110987"}
    return small_world(
        accounts={
            100: [same, moved, fresh, script, wrong, mine],
            201: [same, {**moved, "City": "Breda", "Phone": "076-5201234"}],
            202: [theirs],
        },
        divisions={
            code: {"description": name, "country": "BE" if code == 203 else "NL"} for code, name in COMPANIES.items()
        },
    )


def test_from_an_empty_store_to_a_result_and_what_it_shows(
    person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    sandbox.reset(a_world_with_everything())
    anna = person()

    anna.goes_to("/")
    assert "Connect to Exact Online" in anna.sees()
    anna.connects(sandbox)
    assert "Anna de Boer" in anna.sees()
    anna.keeps_a_picture("connection")
    anna.chooses()
    assert "Saved." in anna.sees()
    anna.keeps_a_picture("companies")

    anna.clicks("Preview")
    said = anna.waits_for_the_end()
    assert "would be created" in said
    assert sandbox.codes(203) == []
    anna.page.locator("#search").fill("Breda")
    anna.page.get_by_text("1 record", exact=True).wait_for()
    assert "Breda" in anna.page.locator("#list").inner_text()
    assert "Utrecht" in anna.page.locator("#list").inner_text()
    anna.page.locator("#search").fill("alert(1)")
    anna.page.get_by_text("3 records", exact=True).wait_for()
    assert "<script>alert(1)</script>" in anna.page.locator("#list").inner_text()
    anna.page.locator("#search").fill("")
    anna.page.get_by_text("18 records", exact=True).wait_for()
    anna.page.evaluate("document.activeElement.blur()")
    anna.keeps_a_picture("preview")
    assert anna.faults() == []

    anna.page.locator("a.primary").click()
    assert "belongs to somebody else" in anna.sees()
    assert anna.faults() == []
    anna.clicks("Yes, synchronize")
    said = anna.waits_for_the_end()
    assert said.startswith("Synchronized customers: 12 created, 1 changed")
    assert sandbox.account(201, "2")["City"] == "Utrecht"
    assert sandbox.account(202, "6")["Name"] == "Bakkerij Zuid"
    anna.keeps_a_picture("result")
    assert anna.faults() == []

    for path in (*PAGES, *MORE_PAGES):
        anna.goes_to(path)
        assert anna.faults() == [], path
        html = anna.page.content()
        assert CLIENT_SECRET not in html
        assert REFRESH_TOKEN not in html
    anna.goes_to("/history")
    anna.keeps_a_picture("history")
    assert anna.complaints == []
    logs = [file.read_text(encoding="utf-8") for file in (served.folder / ".exactonline/console").glob("*.log")]
    assert logs
    assert not any(secret in text for text in logs for secret in (CLIENT_SECRET, REFRESH_TOKEN, "stampNL001"))


@pytest.mark.parametrize("language", ["en-GB", "nl-NL"])
def test_on_a_phone_nothing_has_to_be_scrolled_sideways(
    person: Callable[..., Person], served: Page, sandbox: Sandbox, language: str
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    helper.save_job()
    anna = person(language=language, width=375)

    for path in (*PAGES, *MORE_PAGES):
        anna.goes_to(path)
        assert not anna.has_to_scroll_sideways(), path
        assert anna.faults() == [], path


def test_the_language_is_that_of_the_browser_until_another_is_chosen(person: Callable[..., Person]) -> None:
    jan = person(language="nl-NL")
    jan.goes_to("/connections")
    assert "Verbindingen" in jan.sees()

    jan.clicks("EN English")

    assert "Connections" in jan.sees()
    assert jan.page.url.endswith("/connections")
    jan.goes_to("/")
    assert jan.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(
    ("zone", "language", "shown"),
    [
        ("Europe/Amsterdam", "en-GB", ("1 Jul 2026 01:30", "01:30:05")),
        ("America/New_York", "nl-NL", ("30 jun 2026 19:30", "19:30:05")),
    ],
)
def test_every_time_is_that_of_the_reader_on_pages_in_logs_and_in_parts_that_come_later(
    person: Callable[..., Person], served: Page, zone: str, language: str, shown: tuple[str, str]
) -> None:
    at = datetime(2026, 6, 30, 23, 30, 5, tzinfo=timezone.utc)
    with served.store() as store, mock.patch.object(launches, "utc_now", lambda: at):
        launch = Launches(store).add("customers", "sync", "anna")
        Launches(store).note_runner(launch.id, Known.of(os.getpid()))
        number = Runs(store).begin(launch.id, at, ["https://start.exactonline.nl"], dry_run=False)
        waits = Standing(201, 9, 1, Reason.DAY.value, at + timedelta(days=36_500))
        Runs(store).keep_progress(number, [waits], at)
    line = {"event": "It begins", "level": "info", "timestamp": at.isoformat().replace("+00:00", "Z")}
    Project.at(served.folder).log(launch.id).write_text(json.dumps(line) + "\n", encoding="utf-8")
    jan = person(language=language, zone=zone)

    jan.goes_to("/history")
    assert shown[0] in jan.sees()
    jan.goes_to(f"/runs/{launch.id}/log")
    assert shown[1] in jan.sees()
    jan.goes_to(f"/runs/{launch.id}")
    assert shown[0] in jan.sees()
    with jan.page.expect_response("**/progress"):
        pass
    jan.page.wait_for_function("text => document.querySelector('#progress').innerText.includes(text)", arg=shown[1])
    assert jan.page.locator("time:not([title])").count() == 0


def test_select_none_leaves_what_the_filter_hides(
    person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    anna = person()
    anna.goes_to("/jobs/new")
    anna.fills(source="100")
    anna.page.locator("[data-tick=all]").click()

    anna.page.locator("[data-filter]").fill("202")
    anna.page.locator("[data-tick=none]").click()

    ticked = anna.page.locator("input[name=targets]:checked")
    assert sorted(ticked.evaluate_all("boxes => boxes.map(box => box.value)")) == ["201", "203"]


def test_by_keyboard_alone(person: Callable[..., Person]) -> None:
    anna = person()
    anna.goes_to("/")

    anna.page.keyboard.press("Tab")
    assert anna.page.evaluate("document.activeElement.textContent") == "To the content"
    anna.page.keyboard.press("Enter")
    anna.page.keyboard.press("Tab")
    anna.page.keyboard.press("Enter")
    anna.page.wait_for_url("**/connections/new")


def test_a_run_that_fails_says_why_in_one_sentence(
    person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    helper.save_job()
    sandbox.change_division(201, status=2)
    anna = person()

    anna.goes_to("/jobs/customers")
    anna.clicks("Preview")

    said = anna.waits_for_the_end()
    assert said.startswith("The preview failed: ")
    assert "Company 201) is archived; take it off the targets." in said
    anna.goes_to("/history")
    assert "failed" in anna.sees()


def test_two_browsers_a_killed_page_and_a_run_that_goes_on(
    browser: Browser, person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    helper.save_job()
    anna, jan = person(), person(language="nl-NL")
    anna.goes_to("/jobs/customers/synchronize")
    anna.clicks("Yes, synchronize")
    jan.goes_to("/")
    assert "Er is een run bezig" in jan.sees()
    jan.goes_to("/jobs/customers")
    jan.clicks("Voorbeeld")
    assert "Eén run tegelijk" in jan.sees()

    served.kill()
    served.start()

    anna.page.reload()
    assert anna.waits_for_the_end().startswith("Synchronized customers: 6 created")
    assert jan.waits_for_the_end().startswith("Klanten gesynchroniseerd: 6 aangemaakt")
    assert sandbox.codes(201) == sandbox.codes(202) == ["1", "2", "3"]


def test_a_company_that_is_added_gets_what_did_not_change_too(
    person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    helper.save_job(targets=(201,))
    anna = person()
    for targets in (["201"], ["201", "203"]):
        helper.post("/jobs/customers", source="100", targets=targets)
        anna.goes_to("/jobs/customers/synchronize")
        anna.clicks("Yes, synchronize")
        anna.waits_for_the_end()

    assert sandbox.codes(203) == sandbox.codes(201) == ["1", "2", "3"]


def test_a_stop_in_the_middle_loses_nothing(
    person: Callable[..., Person], served: Page, sandbox_factory: SandboxFactory
) -> None:
    names = {code: {"description": name} for code, name in COMPANIES.items() if code <= 201}
    slow = sandbox_factory(small_world(400, targets=(201,), divisions=names), "--latency-ms", "40")
    helper = Visitor(served.url)
    helper.connect(slow)
    helper.save_job(targets=(201,))
    anna = person()
    anna.goes_to("/jobs/customers/synchronize")
    anna.clicks("Yes, synchronize")

    anna.page.locator("progress").wait_for(timeout=120_000)
    anna.keeps_a_picture("progress")
    assert anna.faults() == []
    anna.clicks("Stop")

    assert "Stopped." in anna.waits_for_the_end()
    written = slow.codes(201)
    assert 0 < len(written) < 400
    posts = [call for call in slow.journal(division=201, method="POST") if call["status"] == 201]
    assert len(posts) == len(written)


def test_a_run_that_was_killed_outright_is_told_as_broken_off(
    person: Callable[..., Person], served: Page, sandbox: Sandbox
) -> None:
    helper = Visitor(served.url)
    helper.connect(sandbox)
    helper.save_job()
    with served.store() as store:
        launch = Launches(store).add("customers", "sync", "anna")
        Launches(store).note_runner(launch.id, Known(2**22 + 1, 1.0))
    anna = person()

    anna.goes_to(f"/runs/{launch.id}")

    assert "Broken off without a word" in anna.sees()
    assert re.search(r"broken off", Visitor(served.url).get("/history").text)
