"""Needs you: what waits for a person, by customer and reason, and what comes of what is said of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from html import unescape
from typing import Any
from unittest import mock

import pytest
from console_driver import Here, Visitor
from exactonline_client.store import Store
from exactonline_console import looks, tables
from exactonline_console.decisions import WAYS
from exactonline_console.jobs import Job, four_eyes, save
from exactonline_console.labels import GROUPS as LABELS
from exactonline_console.labels import WAYS as WAY_LABELS
from exactonline_console.pages.waiting import DAYS_AHEAD
from exactonline_console.project import Project
from exactonline_console.worklist import GROUPS, LONG, PAGE, URGENT, Wanted, Worklist
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SOURCE, Sandbox, customer, small_world
from singer_driver import Project as Plugins
from singer_group import NORTH, SOUTH, WEST, Group, all_of
from sqlalchemy import update
from stored_plans import keep_refused
from target_exactonline.store import tables as target_tables

DUTCH = {"Accept-Language": "nl"}
VAT = {"VATNumber": "BE0403019261"}


@pytest.fixture
def group(page: Here, visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Group:
    """A source and its companies, run over the page's store by jan."""
    monkeypatch.setenv("EXACTONLINE_RUN_BY", "jan")
    visitor.post(
        "/connections/new",
        name="holding",
        country="other",
        address=sandbox.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
    )
    save(Project.at(page.folder), Job("customers", ("holding",), SOURCE, (NORTH,), names={SOURCE: "A", NORTH: "B"}))
    return Group(Plugins(sandbox, page.folder / ".exactonline"), "fan_out")


def items(visitor: Visitor, query: str = "") -> list[str]:
    """How the page's form names what it lists."""
    return re.findall(r'name="item" value="([^"]+)"', visitor.get(f"/waiting{query}").text)


def says(visitor: Visitor, what: str, query: str = "", **more: Any) -> str:
    """Tick all that is listed and press a button; answers what the page says then."""
    return unescape(visitor.post("/waiting", what=what, item=items(visitor, query), **more).text)


def refused_by_exact(group: Group) -> None:
    group.sandbox.reset(small_world(accounts={SOURCE: [customer(1, Name="Drukkerij Jansen", Email="jan@@jansen")]}))
    group.run(all_of(NORTH, SOUTH, WEST))


# What it shows


def test_a_customer_is_listed_once_for_all_companies_in_which_it_waits_for_one_reason(
    group: Group, visitor: Visitor
) -> None:
    refused_by_exact(group)

    shown = unescape(visitor.get("/waiting").text)

    assert len(items(visitor)) == 1
    assert "in 3 companies" in shown
    assert "Drukkerij Jansen" in shown
    assert {f"Company {code}" in shown for code in (NORTH, SOUTH, WEST)} == {True}


def test_the_start_page_begins_with_what_waits(group: Group, visitor: Visitor) -> None:
    refused_by_exact(group)

    shown = visitor.get("/").text

    assert shown.index("Needs you</a></h2>") < shown.index("Refused by Exact") < shown.index("job-customers")
    assert '<a href="/waiting?group=correct">Refused by Exact <span class="count">1</span></a>' in shown


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (None, "The login of holding is needed"),
        (0, "ends in 0 days"),
        (1, "ends in 1 day,"),
        (DAYS_AHEAD - 1, f"ends in {DAYS_AHEAD - 1} days"),
        (DAYS_AHEAD, "Nothing waits for you."),
    ],
)
def test_a_login_that_ends_soon_waits_for_a_person_too(
    group: Group, visitor: Visitor, days: int | None, said: str
) -> None:
    with mock.patch.object(looks, "days_left", return_value=days):
        shown = visitor.get("/").text

    assert said in shown


def test_a_dutch_page_has_no_english_reason_but_behind_a_fold(group: Group, page: Here) -> None:
    refused_by_exact(group)

    shown = Visitor(page.url, headers=DUTCH).get("/waiting").text

    assert "Door Exact geweigerd" in shown
    assert "in 3 bedrijven" in shown
    folded = re.sub(r"<details.*?</details>", "", shown, flags=re.DOTALL)
    assert 'lang="en"' not in re.sub(r"<button.*?</button>", "", folded, flags=re.DOTALL)


def test_the_list_is_narrowed_by_kind_company_and_words(group: Group, visitor: Visitor) -> None:
    refused_by_exact(group)

    assert len(items(visitor, f"?company={NORTH}&group=correct&search=jansen")) == 1
    assert items(visitor, "?group=approve") == []
    assert items(visitor, "?company=999") == []
    assert items(visitor, "?search=nobody") == []
    assert "in 3 companies" not in visitor.get(f"/waiting?company={NORTH}").text


def test_the_list_goes_on_beyond_its_first_page(group: Group, page: Here, visitor: Visitor) -> None:
    with page.store() as store:
        keep_refused(store, group.sandbox.url, NORTH, [f"c{number:03}" for number in range(PAGE + 3)], "No.")

    first, second = items(visitor), items(visitor, "?page=2")

    assert (len(first), len(second), set(first) & set(second)) == (PAGE, 3, set())


def test_a_customer_leads_to_its_card_in_exact(group: Group, visitor: Visitor, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(1))
    group.run(all_of(NORTH))
    sandbox.edit(SOURCE, "1", Email="jan@@jansen")
    group.run(all_of(NORTH))
    there = sandbox.account(NORTH, "1")["ID"]

    shown = visitor.get(f"/waiting?company={NORTH}").text

    assert f"{sandbox.url}/docs/CRMAccountCard.aspx?_Division_={NORTH}&amp;AccountID=%7b{there}%7d" in shown


def test_what_was_put_off_for_days_needs_somebody_and_what_was_put_off_today_does_not(
    group: Group, page: Here, visitor: Visitor
) -> None:
    group.sandbox.reset(small_world(1))
    group.run(all_of(NORTH), max_creates=0)
    assert (items(visitor), len(items(visitor, "?group=soon"))) == ([], 1)

    with page.store() as store, store.write() as connection:
        before = datetime.now(timezone.utc) - LONG - timedelta(hours=1)
        connection.execute(update(target_tables.copies).values(first_seen=before))

    assert (len(items(visitor, "?group=long")), items(visitor, "?group=soon")) == (1, [])


def test_a_name_that_is_a_script_is_text(group: Group, visitor: Visitor) -> None:
    group.sandbox.reset(
        small_world(accounts={SOURCE: [customer(1, Name="<script>alert(1)</script>", Email="jan@@jansen")]})
    )
    group.run(all_of(NORTH))

    assert "<script>alert" not in visitor.get("/waiting").text


# What is said of it


def test_changes_that_wait_are_shown_approved_and_sent_by_the_next_run(group: Group, visitor: Visitor) -> None:
    group.sandbox.reset(small_world(2))
    group.run(all_of(NORTH), require_approval=["creates"])
    assert "Klant 1" in visitor.get("/waiting?group=approve").text

    said = says(visitor, "approve", "?group=approve")

    assert "Noted: the next run does so." in said
    assert (items(visitor), len(items(visitor, "?group=soon"))) == ([], 2)
    group.run(all_of(NORTH), require_approval=["creates"])
    assert group.sandbox.codes(NORTH) == ["1", "2"]
    assert items(visitor, "?group=soon") == []


def test_all_that_waits_is_approved_at_once_in_the_companies_that_the_filter_shows(
    group: Group, visitor: Visitor
) -> None:
    group.sandbox.reset(small_world(PAGE + 2))
    for _ in range(2):
        group.run(all_of(NORTH, SOUTH), require_approval=["creates"])
    assert f"Approve all {PAGE + 2}," in visitor.get("/waiting?group=approve").text

    visitor.post("/waiting", what="approve-all", group="approve", company=str(NORTH))

    assert len(items(visitor, f"?group=approve&company={SOUTH}")) == PAGE
    assert items(visitor, f"?group=approve&company={NORTH}") == []
    group.run(all_of(NORTH, SOUTH), require_approval=["creates"])
    assert (len(group.sandbox.codes(NORTH)), group.sandbox.codes(SOUTH)) == (PAGE + 2, [])


def test_what_was_planned_again_is_approved_as_it_is_now(group: Group, visitor: Visitor) -> None:
    group.sandbox.reset(small_world(1))
    group.run(all_of(NORTH), require_approval=["creates"])
    group.sandbox.edit(SOURCE, "1", City="Ede")
    group.run(all_of(NORTH), require_approval=["creates"])
    assert "Ede" in visitor.get("/waiting?group=approve").text

    says(visitor, "approve", "?group=approve")

    group.run(all_of(NORTH), require_approval=["creates"])
    assert group.sandbox.account(NORTH, "1")["City"] == "Ede"
    assert items(visitor, "?group=approve") == []


def test_a_rejection_needs_a_reason_and_holds_the_change_until_it_is_released(group: Group, visitor: Visitor) -> None:
    group.sandbox.reset(small_world(1))
    group.run(all_of(NORTH), require_approval=["creates"])

    assert "Say why you reject it" in says(visitor, "reject", "?group=approve")
    says(visitor, "reject", "?group=approve", reason="Not ours")

    assert items(visitor) == []
    assert "Not ours" in visitor.get("/waiting?group=held").text
    says(visitor, "release", "?group=held")
    assert items(visitor, "?group=held") == []
    assert len(items(visitor, "?group=soon")) == 1


def test_with_four_eyes_nobody_approves_what_he_planned(
    group: Group, page: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_EXACTONLINE_FOUR_EYES", "true")
    monkeypatch.setattr("exactonline_console.visits.getpass.getuser", lambda: "Jan")
    group.sandbox.reset(small_world(1))
    group.run(all_of(NORTH), require_approval=["creates"])

    said = says(Visitor(page.url), "approve", "?group=approve")

    assert "somebody else has to approve" in said
    assert len(items(Visitor(page.url), "?group=approve")) == 1


@pytest.mark.parametrize(
    ("file", "text", "is_set"),
    [
        (".env", "TARGET_CUSTOMERS_FOUR_EYES='true'\n", True),
        (".env", "TARGET_CUSTOMERS_FOUR_EYES='false'\n", False),
        ("meltano.d/x.yml", "plugins: {loaders: [{name: t, config: {\n  four_eyes: true}}]}\n", True),
        ("meltano.d/x.yml", "# four_eyes: true\n", False),
    ],
)
def test_four_eyes_is_found_wherever_it_is_set(page: Here, file: str, text: str, is_set: bool) -> None:
    (page.folder / file).parent.mkdir(exist_ok=True)
    (page.folder / file).write_text(text, encoding="utf-8")

    assert four_eyes(Project.at(page.folder)) is is_set


def doubtful(group: Group, *codes: str) -> None:
    """A customer of which the company has these that it may be."""
    here = [customer(1, Code=code, Phone=None, **VAT) for code in codes]
    group.sandbox.reset(small_world(accounts={SOURCE: [customer(1, Phone=None, **VAT)], NORTH: here}))
    group.run(all_of(NORTH), match_on=["VATNumber"])


def test_of_several_candidates_one_is_picked_with_what_agrees_in_sight(group: Group, visitor: Visitor) -> None:
    doubtful(group, "20", "21")
    shown = unescape(visitor.get("/waiting?group=decide").text)
    assert "VAT number" in shown
    pick, chosen = re.findall(r'type="radio" name="([^"]+)" value="([^"]+)"', shown)[1]
    assert "For 1 it is not clear" in says(visitor, "tie", "?group=decide")

    says(visitor, "tie", "?group=decide", **{pick: chosen})

    group.run(all_of(NORTH), match_on=["VATNumber"])
    assert group.sandbox.codes(NORTH) == ["20", "21"]
    assert items(visitor) == []


def test_a_customer_in_doubt_is_created_as_new_or_left_out(group: Group, visitor: Visitor) -> None:
    doubtful(group, "20", "21")

    says(visitor, "leave-out", "?group=decide")
    group.run(all_of(NORTH), match_on=["VATNumber"])
    assert len(items(visitor, "?group=held")) == 1
    says(visitor, "as-new", "?group=held")

    group.run(all_of(NORTH), match_on=["VATNumber"])
    assert group.sandbox.codes(NORTH) == ["1", "20", "21"]


def test_what_exact_refused_is_tried_again_or_forgotten(group: Group, visitor: Visitor) -> None:
    refused_by_exact(group)

    says(visitor, "retry", f"?company={NORTH}", company=str(NORTH))
    assert "in 2 companies" in visitor.get("/waiting").text
    says(visitor, "forget")

    assert items(visitor) == []
    assert len(items(visitor, "?group=soon")) == 1


def test_what_cannot_be_done_is_told_and_the_rest_is_done(group: Group, page: Here, visitor: Visitor) -> None:
    group.sandbox.reset(small_world(2))
    group.run(all_of(NORTH), require_approval=["creates"])
    listed = items(visitor, "?group=approve")
    visitor.post("/waiting", what="approve", item=listed[:1])

    answer = visitor.post("/waiting", what="approve", item=[*listed, "99.approve.deferred.approval", "x"])

    assert "Noted" in answer.text
    assert items(visitor, "?group=approve") == []


@pytest.mark.parametrize("form", [{}, {"what": "approve"}, {"what": "erase", "item": "1.correct.refused.rejected"}])
def test_a_form_that_says_nothing_does_nothing(group: Group, visitor: Visitor, form: dict[str, str]) -> None:
    assert visitor.post("/waiting", **form).status_code == 400


def test_what_is_said_is_noted_with_the_name(group: Group, visitor: Visitor) -> None:
    refused_by_exact(group)

    says(visitor, "retry")

    assert re.search(r"wants tried again.*1, 201, 202, 203", visitor.get("/history/actions").text, re.DOTALL)


def test_every_group_and_way_has_its_words() -> None:
    assert GROUPS.keys() == LABELS.keys()
    assert WAYS.keys() == WAY_LABELS.keys()
    assert {group for groups in WAYS.values() for group in groups} == set(GROUPS)
    assert set(URGENT) < set(GROUPS)


def test_the_list_is_read_from_postgresql_too(postgres_url: str) -> None:
    site = "https://start.exactonline.nl"
    with Store.open(postgres_url, target_tables.metadata, tables.metadata) as store:
        keep_refused(store, site, NORTH, ["7", "8"], "No.")
        worklist = Worklist(store, [site], datetime.now(timezone.utc))

        page = worklist.page(Wanted(search="7"), 1)

        assert [(one.code, one.count, one.places[0].division) for one in page.items] == [("7", 1, NORTH)]
        assert worklist.counts()["correct"] == 2
        assert [one.code for one in worklist.named([page.items[0].id], None)] == ["7"]
        assert (
            Worklist(store, ["https://start.exactonline.be"], datetime.now(timezone.utc)).page(Wanted(), 1).items == ()
        )
