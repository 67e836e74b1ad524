"""Laws of the store, on real databases: a row of a company is one row of the mirror; a deletion names what it means."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.odata import Row
from exactonline_client.store import Store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_exactonline.planning.model import Copy, SourceKey, SourceRecord
from target_exactonline.store import tables
from target_exactonline.store.memory import Memory

SITE = "https://start.exactonline.nl"
IDS, CODES = ("a", "b", "c", "d"), ("1", "2", "3", None)
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    url = f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Store.open(url, tables.metadata) as store:
        yield Memory(store, ACCOUNTS)


def row(key: str, code: str | None, city: str) -> Row:
    return {"ID": key, "Code": code, "Modified": "2026-01-01T00:00:00+00:00", "Timestamp": 1, "City": city}


rows = st.builds(row, st.sampled_from(IDS), st.sampled_from(CODES), st.sampled_from(["Ede", "Gent"]))
steps = st.lists(
    st.one_of(st.lists(rows, min_size=1, max_size=4), st.sets(st.sampled_from(IDS), min_size=1)), max_size=8
)


@FEW
@given(steps)
def test_a_row_is_known_once_by_its_id_and_once_by_its_code(memory: Memory, steps: list[list[Row] | set[str]]) -> None:
    """Law 4, B8: whatever is read and dropped, the newest reading of a row is all that is known of it."""
    mirror = memory.mirror(memory.companies.number(Company(SITE, next(numbers))))
    known: dict[str, tuple[str | None, str]] = {}
    for step in steps:
        if isinstance(step, set):
            mirror.drop(sorted(step))
            known = {key: one for key, one in known.items() if key not in step}
            continue
        mirror.keep(step)
        newest = {one["ID"]: (one["Code"], one["City"]) for one in step}
        taken = {code: key for key, (code, _) in newest.items() if code is not None}
        known = {key: (None if one[0] in taken else one[0], one[1]) for key, one in known.items()}
        known |= {key: (code if taken.get(code) == key else None, city) for key, (code, city) in newest.items()}

    found = {key: (one.code, one.values["City"]) for key, one in mirror.by_id(list(IDS)).items()}
    assert found == known
    by_code = {code: one.id for code, one in mirror.by_code([code for code in CODES if code]).items()}
    assert by_code == {code: key for key, (code, _) in known.items() if code is not None}
    assert mirror.ids() == known.keys()


records = st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["Ede", "Gent", "Delft"]), st.booleans())


@FEW
@given(st.lists(st.lists(records, min_size=1, unique_by=lambda one: one[0]), max_size=6))
def test_what_is_remembered_of_a_source_has_a_higher_version_whenever_it_changes(
    memory: Memory, batches: list[list[tuple[str, str, bool]]]
) -> None:
    """Law 8: a plan up to a version leaves above it exactly what changed since."""
    sources, division = memory.sources(SITE), next(numbers)
    planned = sources.newest()
    before = {}
    for batch in batches:
        newest = [
            SourceRecord(SourceKey(division, key), key, {"City": city}, is_deleted=is_deleted)
            for key, city, is_deleted in batch
        ]
        sources.remember(newest)
        after = {one.record.key: one for one in sources.of_keys([one.key for one in newest])}
        for key, one in after.items():
            old = before.get(key)
            same = old is not None and old.record == one.record
            assert one.version == old.version if old is not None and same else one.version > planned
        before |= after
        planned = sources.newest()


def test_forgetting_what_waits_leaves_what_another_run_tied_meanwhile(memory: Memory) -> None:
    """Law 8, B11: the condition is in the statement that deletes."""
    company = memory.companies.number(Company(SITE, next(numbers)))
    records_ = [SourceRecord(SourceKey(company, key), key, {"Name": key}) for key in ("x", "y")]
    memory.sources(SITE).remember(records_)
    waits, tied = memory.sources(SITE).of_keys([one.key for one in records_])
    with memory.store.write() as connection:
        memory.copies.write(
            connection,
            company,
            {
                waits.number: (Copy(waits.record.key, "x", state="deferred", kind="day_limit"), None),
                tied.number: (Copy(tied.record.key, "y", "row", {"Name": "y"}, state="tied"), None),
            },
        )

    memory.copies.forget_unwanted(company, tables.sources.c.division == company)

    assert list(memory.copies.of(company, [waits.number, tied.number])) == [tied.number]


def test_deleted_sources_are_forgotten_only_without_a_copy(memory: Memory) -> None:
    """Law 8, B12."""
    company, sources = memory.companies.number(Company(SITE, next(numbers))), memory.sources(SITE)
    keys = [SourceKey(company, key) for key in ("x", "y", "z")]
    sources.remember([SourceRecord(key, key.id, {"Name": "A"}) for key in keys])
    tied = sources.of_keys(keys[:1])[0]
    with memory.store.write() as connection:
        memory.copies.write(connection, company, {tied.number: (Copy(keys[0], "x", "row", state="tied"), None)})
    sources.remember([SourceRecord(key, key.id, {"Name": "A"}, is_deleted=True) for key in keys[:2]])

    sources.forget_deleted()

    assert {one.record.key.id for one in sources.of_keys(keys)} == {"x", "z"}
