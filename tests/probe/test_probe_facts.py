"""The file of facts, its page, and that neither holds a value of anybody's company."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from exactonline_probe.evidence import MASKED, headers, masked, of_reply, shape
from exactonline_probe.known_names import MEMBERS
from exactonline_probe.questions import QUESTIONS
from exactonline_probe.replies import Reply
from exactonline_probe.schema_text import declared
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probe_driver import COMPANY, CUSTOMERS, EVERY_GROUP, Probe, probed_world
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, customer

MARK = st.text("bcdfghjklmnpqrstvwxz", min_size=5, max_size=12).map(lambda text: f"Qx{text}")
NUMBER = st.integers(10**7, 10**9).map(str)
VALUE = MARK | NUMBER | MARK.map(lambda one: f"info@{one}.example") | st.uuids().map(str) | st.emails()
LEAVES = VALUE | st.integers(10**7, 10**12) | st.booleans() | st.none()
EVERY_GROUP_OF_A_COMPANY = [word for word in EVERY_GROUP if word not in {"--company", f"Company {COMPANY}"}]
NAMES = st.sampled_from(sorted(MEMBERS)) | MARK
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=12
)


def values_in(document: Any) -> list[str]:
    """Every value and every name that is not Exact's."""
    if isinstance(document, dict):
        strange = [name for name in document if name not in MEMBERS]
        return strange + [value for one in document.values() for value in values_in(one)]
    if isinstance(document, list):
        return [value for one in document for value in values_in(one)]
    return [] if document is None or isinstance(document, bool) else [str(document)]


@given(DOCUMENTS)
def test_no_value_of_a_document_is_in_its_evidence(document: Any) -> None:
    shown = json.dumps(shape(document), ensure_ascii=False)

    assert [value for value in values_in(document) if value in shown] == []


@given(st.lists(VALUE, min_size=1, max_size=3), st.sampled_from(["Bestaat reeds: ", "Invalid: Email [", "Ongeldig: "]))
def test_no_value_is_left_in_the_text_of_an_error(values: list[str], before: str) -> None:
    shown = masked(before + " en ".join(values) + "]\r\nVerplicht: Naam")

    assert [value for value in values if value in shown] == []
    assert shown.startswith(before.strip(" ["))
    assert shown.endswith("Verplicht: Naam")


@given(VALUE, st.sampled_from(["location", "set-cookie", "reason", "server", "retry-after", "x-customer", "date"]))
def test_no_value_of_a_header_is_shown(value: str, name: str) -> None:
    assert value not in str(headers({name: value}))


def test_signs_that_are_no_words_are_masked_as_well() -> None:
    assert masked("Ongeldig: Email [☃☃]") == f"Ongeldig: Email [{MASKED}]"


def test_limits_and_reasons_are_shown() -> None:
    given_headers = {"x-ratelimit-limit": "5000", "reason": "NoDivisionAccess: Forbidden", "x-of-a-proxy": "1"}

    assert headers(given_headers) == {
        "x-ratelimit-limit": "5000",
        "reason": "NoDivisionAccess: Forbidden",
        "(others)": "1",
    }


def test_a_schema_shows_the_lengths_of_known_members_and_no_free_field() -> None:
    text = """<EntityType Name="Account"><Key/><Property Name="Name" Type="Edm.String" MaxLength="50" Nullable="false"/>
    <Property Name="OurOwnField" Type="Edm.String" MaxLength="9"/></EntityType>"""

    assert declared(text) == {"Account": {"Name": "Edm.String 50 mandatory"}}
    assert of_reply(Reply(200, {}, text.encode()), as_schema=True)["schema"] == declared(text)


def test_a_run_leaves_a_file_and_a_page(probe: Probe) -> None:
    ran = probe.run("run")

    facts, (path,) = probe.facts(), probe.files()
    assert facts["site"] == "other"
    assert facts["counts"] == {"as_assumed": 48, "not_served": 3}
    assert facts["switches"] == {
        "minutely_reset": "sent",
        "timestamp_as": "string",
        "mandatory_filter": False,
        "path_case_sensitive": False,
    }
    assert "asked 51: 48 as assumed, 0 differ, 0 new, 3 not served here" in ran.output
    assert str(path) in ran.output
    assert "0 answers differ." in path.with_suffix(".html").read_text(encoding="utf-8")


def test_a_second_run_of_the_day_leaves_a_second_file(probe: Probe) -> None:
    probe.run("run")
    probe.run("run")

    assert len(probe.files()) == 2


def test_a_difference_is_told_and_shown_with_both_sides(probe: Probe) -> None:
    probe.sandbox.limits(timestamp_as="number")

    ran = probe.run("run")

    assert ran.lines["timestamp_type"] == ["differs", "timestamp_type", "number, not string"]
    page = probe.files()[-1].with_suffix(".html").read_text(encoding="utf-8")
    assert "One answer differs." in page
    assert page.index("<strong>string</strong>") < page.index("<strong>number</strong>")


@pytest.mark.parametrize("fault", [None, "error", "html_body"])
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mark=MARK, number=st.integers(10**7, 10**8 - 1 - CUSTOMERS))
def test_nothing_of_a_world_full_of_recognisable_values_is_in_file_page_or_log(
    fault: str | None, mark: str, number: int, probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    world = recognisable_world(mark, number)
    probe.sandbox.reset(world)
    if fault:
        text = {"text": f"Bestaat reeds: {mark} {number}"} if fault == "error" else {"body": f"<p>{mark} {number}"}
        probe.sandbox.fault(fault, **text, every=3, endpoint="crm/Accounts")
    (probe.folder / "store.db").unlink(missing_ok=True)

    with caplog.at_level(logging.DEBUG):
        ran = probe.run("run", *EVERY_GROUP_OF_A_COMPANY, "--company", f"{mark} B.V.")

    assert ran.lines.keys() == {one.id for one in QUESTIONS}
    path = probe.files()[-1]
    shown = [path.read_text(encoding="utf-8"), path.with_suffix(".html").read_text(encoding="utf-8")]
    everything = "\n".join([*shown, caplog.text, ran.output.replace(str(probe.folder), ""), ran.errors]).lower()
    ids = [account["ID"] for account in probe.sandbox.accounts(COMPANY)]
    secrets = [CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, "stampNL001"]
    for value in [mark, *(str(number + n) for n in range(CUSTOMERS)), *ids, *secrets]:
        assert value.lower() not in everything, value


def recognisable_world(mark: str, number: int) -> dict[str, Any]:
    """A world whose every text bears the mark, and whose every number is far above those of a program."""
    accounts = [
        customer(number + n, **dict.fromkeys(("Name", "City", "AddressLine1", "SearchCode"), f"{mark}{n}"))
        | {"Email": f"{mark}{n}@{mark}.example", "Phone": str(number + n), "VATNumber": f"NL{number + n}"}
        for n in range(CUSTOMERS)
    ]
    user = {"name": f"{mark} {mark}", "email": f"{mark}@{mark}.example"}
    world = probed_world(user=user, division={"description": f"{mark} B.V.", "more": {"City": mark}})
    world["accounts"][str(COMPANY)] = accounts
    return world
