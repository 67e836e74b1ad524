"""Dutch and English: complete, chosen by the browser, with numbers and dates as they are written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from console_driver import Here, Visitor
from exactonline_console.paper import timed
from exactonline_console.texts import CATALOGUES, chosen, texts

CONSOLE = Path(__file__).parents[2] / "console"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None, "texts": None}


def said_in_the_code() -> set[object]:
    with (CONSOLE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(CONSOLE, methods, options, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


def test_all_that_the_page_says_has_a_dutch_text_and_no_more() -> None:
    with (CATALOGUES / "nl" / "console.po").open(encoding="utf-8") as file:
        catalogue = read_po(file, locale="nl")

    known = {one.id if isinstance(one.id, str) else tuple(one.id): one.string for one in catalogue if one.id}

    assert known.keys() == said_in_the_code()
    assert all(one if isinstance(one, str) else all(one) for one in known.values())
    assert [one.id for one in catalogue if list(one.check(catalogue))] == []


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        (None, "nl-BE", "nl"),
        (None, "fr,en;q=0.5,nl;q=0.6", "nl"),
        (None, "en-US,en;q=0.9", "en"),
        (None, "fr", "en"),
        (None, "", "en"),
        (None, ";;q=x,,nl;q=zzz", "en"),
        ("nl", "en", "nl"),
        ("../../x", "en", "en"),
    ],
)
def test_the_language_is_what_was_chosen_or_what_the_browser_asks_for(
    wanted: str | None, accepted: str, language: str
) -> None:
    assert chosen(wanted, accepted) == language


def test_numbers_dates_and_spans_are_written_as_in_the_language() -> None:
    noon = datetime(2026, 3, 5, 12, 0, tzinfo=timezone.utc)

    assert (texts("en").number(12345), texts("nl").number(12345)) == ("12,345", "12.345")
    assert texts("en").moment(noon) == "5 Mar 2026 12:00 UTC"
    assert texts("nl").moment(noon) == "5 mrt 2026 12:00 UTC"
    assert texts("nl").clock(noon.astimezone(timezone(timedelta(hours=5)))) == "12:00:00 UTC"
    assert texts("nl").span(timedelta(seconds=40)) == "40 seconden"


def test_an_instant_says_its_zone_to_a_browser_and_to_who_has_no_scripts() -> None:
    noon = datetime(2026, 3, 5, 12, 0, tzinfo=timezone.utc)
    element = '<time datetime="2026-03-05T12:00:00+00:00" data-as="moment">5 Mar 2026 12:00 UTC</time>'

    assert timed(noon, "moment", texts("en")) == element
    assert timed("2026-03-05T12:00:00Z", "moment", texts("en")) == element
    assert timed("2026-03-05T12:00:00", "moment", texts("en")) == element
    assert timed(None, "moment", texts("en")) == ""
    assert timed("<soon>", "clock", texts("en")) == "&lt;soon&gt;"


def test_a_form_comes_back_in_the_language_of_who_sent_it(page: Here) -> None:
    jan = Visitor(page.url, headers={"Accept-Language": "nl"})

    assert "Eén klantenlijst voor elk bedrijf" in jan.get("/").text
    assert 'lang="nl"' in jan.get("/").text
