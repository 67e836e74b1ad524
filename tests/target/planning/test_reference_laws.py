"""Laws of references: what reaches a company is its own, and what does not is told, whatever the settings."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from exactonline_client.entities import ACCOUNTS, REFERENCE_LISTS
from exactonline_client.lists.entries import Entry, KeptList
from exactonline_client.lists.policies import policies
from hypothesis import given
from hypothesis import strategies as st
from mapper_exactonline.fan_out import FanOut
from target_exactonline.planning.model import Desired, SourceKey
from target_exactonline.planning.references import Referred, Translator

SOURCE, TARGET = 100, 201
BY_KEY = sorted(name for name, one in ACCOUNTS.references.items() if not one.is_by_code)
CODES = st.sampled_from(["1", "01", "30", "A", "VN"])
NAMES = sorted(ACCOUNTS.references)
READ_AT = datetime(2026, 11, 27, tzinfo=timezone.utc)


def key(company: int, *parts: object) -> str:
    return str(uuid5(NAMESPACE_OID, f"{company} {parts}"))


@st.composite
def lists(draw: st.DrawFn, company: int) -> dict[str, KeptList]:
    """The lists of a company, each perhaps not readable."""
    found = {}
    for name, kind in REFERENCE_LISTS.items():
        if draw(st.booleans()):
            found[name] = KeptList(refusal="No.")
            continue
        slots = range(1, 9) if kind.names is not None else (0,)
        entries = [
            Entry(
                key(company, name, slot, code),
                code,
                slot,
                "",
                {one: draw(st.sampled_from([1, 2])) for one in kind.meaning},
                draw(st.booleans()),
            )
            for slot in slots
            for code in draw(st.sets(CODES))
        ]
        found[name] = KeptList(tuple(entries), read_at=READ_AT)
    return found


POLICIES = st.dictionaries(
    st.sampled_from(NAMES),
    st.fixed_dictionaries(
        {},
        optional={
            "missing": st.sampled_from(["skip", "default", "wait", "refuse"]),
            "conflict": st.sampled_from(["skip", "accept", "refuse"]),
            "map": st.dictionaries(st.just(str(TARGET)), st.dictionaries(CODES, CODES)),
            "default": st.dictionaries(st.just(str(TARGET)), CODES),
        },
    ),
)
REFERENCES = st.dictionaries(st.sampled_from(NAMES), st.none() | CODES)
ACCOUNTS_KNOWN = st.dictionaries(
    CODES, st.builds(Referred, st.none() | st.just(key(TARGET, "account")), st.booleans()), max_size=3
)


@given(REFERENCES, lists(SOURCE), lists(TARGET), POLICIES, ACCOUNTS_KNOWN, st.booleans())
def test_each_reference_becomes_a_value_of_the_company_or_is_told(
    references: dict[str, str | None],
    there: dict[str, KeptList],
    here: dict[str, KeptList],
    given_policies: dict[str, Any],
    accounts: dict[str, Referred],
    is_foreign: bool,
) -> None:
    translator = Translator(
        ACCOUNTS, TARGET, policies(ACCOUNTS, given_policies), here.__getitem__, lambda _, name: there[name]
    )
    known = {(0 if is_foreign else SOURCE, code): one for code, one in accounts.items()}
    desired = Desired(
        SourceKey(SOURCE, "x"), "1", {}, {}, references=references, references_of=0 if is_foreign else SOURCE
    )

    resolved = translator.resolved(desired, known)

    told = {one.field for one in resolved.not_sent}
    assert not told & resolved.values.keys()
    assert all(one in resolved.values or one in told or resolved.refusal for one in references)
    ours = {entry.key for kept in here.values() for entry in kept.entries} | {key(TARGET, "account")}
    theirs = {entry.key for kept in there.values() for entry in kept.entries}
    for name, value in resolved.values.items():
        assert value not in theirs
        if value is None:
            assert references[name] is None
        elif not ACCOUNTS.references[name].is_by_code:
            assert value in ours
        else:
            kept = here[ACCOUNTS.references[name].list]
            assert (0, value) in kept.by_code or REFERENCE_LISTS[ACCOUNTS.references[name].list].is_worldwide
    assert translator.resolved(desired, known) == resolved


@given(
    st.lists(st.sampled_from([*NAMES, "Name", "*"]), min_size=1, unique=True),
    st.fixed_dictionaries(
        {name: st.just(key(SOURCE, name)) for name in NAMES if not ACCOUNTS.references[name].is_by_code}
    ),
    REFERENCES,
)
def test_copies_carry_codes_and_no_key_of_the_source(
    fields: list[str], keys: dict[str, str], references: dict[str, str | None]
) -> None:
    fan_out = FanOut.from_config({"target_divisions": [TARGET], "fields": fields})
    codes = {ACCOUNTS.references[name].travels_as: code for name, code in references.items()}
    record = {"Division": SOURCE, "ID": key(SOURCE, "account"), "Code": "1", "Name": "x", **keys, **codes}

    (copy,) = fan_out.copies(record, (TARGET,))

    assert not set(copy.values()) & {*keys.values(), key(SOURCE, "account")}
    wanted = {ACCOUNTS.references[name].travels_as for name in fields if name in ACCOUNTS.references}
    assert {name for name in copy if name in ACCOUNTS.by_travelling_name} == wanted & codes.keys()
    assert fan_out.references(record, TARGET) == {name: references[name] for name in references if name in fields}
