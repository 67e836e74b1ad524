"""The list of what waits in a real browser: by keyboard, on a phone, in both languages, for who sees or hears it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from browser_driver import Person
from console_driver import Here, Visitor
from exactonline_console.jobs import Job, save
from exactonline_console.project import Project
from playwright.sync_api import Browser
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SOURCE, Sandbox, customer, small_world
from singer_driver import Project as Plugins
from singer_group import NORTH, SOUTH, Group, all_of

pytestmark = pytest.mark.timeout(300)
VAT = {"VATNumber": "BE0403019261"}


@pytest.fixture
def group(page: Here, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Group:
    """A source with a customer to approve, one in doubt, and one that Exact refuses, in two companies each."""
    monkeypatch.setenv("EXACTONLINE_RUN_BY", "jan")
    Visitor(page.url).post(
        "/connections/new",
        name="holding",
        country="other",
        address=sandbox.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
    )
    job = Job("customers", ("holding",), SOURCE, (NORTH, SOUTH), names={SOURCE: "A", NORTH: "B", SOUTH: "C"})
    save(Project.at(page.folder), job)
    doubt = customer(1, Name="Garage Van Dijk B.V.", Phone=None, **VAT)
    here = [{**doubt, "Code": code} for code in ("20", "21")]
    mine = [doubt, customer(2, Name="Drukkerij Jansen", Email="jan@@jansen"), customer(3), customer(4)]
    sandbox.reset(small_world(accounts={SOURCE: mine, NORTH: here, SOUTH: here}))
    group = Group(Plugins(sandbox, page.folder / ".exactonline"), "fan_out")
    group.run(all_of(NORTH, SOUTH), match_on=["VATNumber"], require_approval=["creates"])
    return group


@pytest.fixture
def person(browser: Browser, page: Here, group: Group) -> Iterator[Callable[..., Person]]:
    """Somebody in front of the page that has all of that: `person(language="nl-NL")`."""
    with ExitStack() as stack:

        def come(**options: object) -> Person:
            one = Person(browser, page.url, **options)  # type: ignore[arg-type] # passed on
            stack.callback(one.context.close)
            return one

        yield come


@pytest.mark.parametrize(("language", "width"), [("en-GB", 1200), ("nl-NL", 1200), ("nl-NL", 375)])
def test_the_list_can_be_used_by_everybody_in_both_languages(
    person: Callable[..., Person], language: str, width: int
) -> None:
    anna = person(language=language, width=width)

    for path in ("/", "/waiting", "/waiting?group=decide", "/waiting?group=approve", "/waiting?group=long"):
        anna.goes_to(path)
        assert anna.faults() == [], path
        assert not anna.has_to_scroll_sideways(), path
    assert anna.complaints == []


def test_by_keyboard_alone_two_customers_are_approved(person: Callable[..., Person], group: Group) -> None:
    anna = person()
    anna.goes_to("/waiting?group=approve")
    keys = anna.page.keyboard
    assert anna.page.locator("[name=item]").count() == 3

    for key in ("j", "j", "x", "j", "k", "j", "x", "a"):
        keys.press(key)
    anna.page.get_by_role("status").wait_for()

    assert "Noted: the next run does so." in anna.sees()
    group.run(all_of(NORTH, SOUTH), match_on=["VATNumber"], require_approval=["creates"])
    assert group.sandbox.codes(SOUTH) == ["20", "21", "3", "4"]


def test_letters_in_a_field_are_letters(person: Callable[..., Person]) -> None:
    anna = person()
    anna.goes_to("/waiting?group=approve")

    anna.page.locator("[name=reason]").fill("")
    anna.page.locator("[name=reason]").press_sequentially("ja, axa")

    assert anna.page.locator("[name=reason]").input_value() == "ja, axa"
    assert anna.page.locator("[name=item]:checked").count() == 0


def test_everything_shown_is_ticked_at_once_and_a_candidate_is_chosen(
    person: Callable[..., Person], group: Group
) -> None:
    anna = person()
    anna.goes_to("/waiting?group=decide")
    assert "VAT number" in anna.sees()

    anna.page.locator("[data-all]").check()
    for choice in anna.page.locator("fieldset.candidates").all():
        choice.get_by_role("radio").nth(1).check()
    anna.clicks("Same customer")
    anna.page.get_by_role("status").wait_for()

    group.run(all_of(NORTH, SOUTH), match_on=["VATNumber"], require_approval=["creates"])
    assert group.sandbox.codes(NORTH) == ["20", "21"]
    anna.goes_to("/waiting?group=decide")
    assert anna.page.locator("[name=item]").count() == 0
