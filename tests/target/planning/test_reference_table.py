"""What becomes of each kind of reference, in each state, by each policy."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS, REFERENCE_LISTS
from exactonline_client.lists.entries import Entry, KeptList
from exactonline_client.lists.policies import policies
from target_exactonline.planning.model import Desired, SourceKey
from target_exactonline.planning.references import Translator

READ_AT = datetime(2026, 11, 27, tzinfo=timezone.utc)
OF_LISTS = sorted(name for name, one in ACCOUNTS.references.items() if one.list in REFERENCE_LISTS)
WITH_MEANING = {name for name in OF_LISTS if REFERENCE_LISTS[ACCOUNTS.references[name].list].meaning}
WORLDWIDE = {name for name in OF_LISTS if REFERENCE_LISTS[ACCOUNTS.references[name].list].is_worldwide}
HERE = {"201": "b"}
POLICIES: dict[str, dict[str, Any]] = {
    "skip": {},
    "default": {"missing": "default", "default": HERE},
    "wait": {"missing": "wait"},
    "refuse": {"missing": "refuse"},
    "conflict accepted": {"conflict": "accept"},
    "conflict refused": {"conflict": "refuse"},
    "mapped": {"map": {"201": {"a": "b"}}},
}
ENDS = {
    "found": {"mapped": "b"},
    "missing": {"skip": "missing", "default": "b", "wait": "waiting", "refuse": "refused", "mapped": "b"},
    "blocked": {"skip": "missing", "default": "b", "wait": "waiting", "refuse": "refused", "mapped": "b"},
    "conflict": {"conflict accepted": "a", "conflict refused": "refused", "mapped": "b"},
    "unreadable": {"refuse": "refused"},
}
OTHERWISE = {
    "found": "a",
    "missing": "missing",
    "blocked": "missing",
    "conflict": "conflict",
    "unreadable": "unreadable",
}


def kept(name: str, company: str, codes: str, meaning: int = 1, blocked: str = "") -> KeptList:
    reference = ACCOUNTS.references[name]
    means = dict.fromkeys(REFERENCE_LISTS[reference.list].meaning, meaning)
    entries = [Entry(f"{company} {code}", code, reference.slot, "", means, code not in blocked) for code in codes]
    return KeptList(tuple(entries), read_at=READ_AT)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("state", ENDS)
@pytest.mark.parametrize("name", OF_LISTS)
def test_what_becomes_of_a_reference(name: str, state: str, policy: str) -> None:
    here = {
        "found": kept(name, "here", "ab"),
        "missing": kept(name, "here", "b"),
        "blocked": kept(name, "here", "ab", blocked="a"),
        "conflict": kept(name, "here", "ab", meaning=2),
        "unreadable": KeptList(refusal="No."),
    }[state]
    end = ENDS[state].get(policy, OTHERWISE[state])
    if state == "conflict" and name not in WITH_MEANING:
        end = "b" if policy == "mapped" else "a"
    if state == "unreadable" and name in WORLDWIDE:
        end = "b" if policy == "mapped" else "a"
    there = kept(name, "there", "ab")
    translator = Translator(
        ACCOUNTS, 201, policies(ACCOUNTS, {name: POLICIES[policy]}), lambda _: here, lambda _, __: there
    )
    desired = Desired(SourceKey(100, "x"), "1", {}, {}, references={name: "a"}, references_of=100)

    resolved = translator.resolved(desired, {})

    if end in ("a", "b"):
        assert resolved.values == {name: end if ACCOUNTS.references[name].is_by_code else f"here {end}"}
    elif end == "refused":
        assert resolved.refusal is not None
    else:
        assert [(one.code, one.state) for one in resolved.not_sent] == [("a", end)]
        assert name not in resolved.values
