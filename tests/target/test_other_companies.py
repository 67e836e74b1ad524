"""Answers of another company than was asked, through the whole target: both are named, and no STATE says it is done."""

from typing import Any

import pytest
from sandbox_driver import Sandbox
from target_driver import InProcessTarget, wanted

NORTH, SOUTH = 201, 202
ACCOUNTS, SYNC = "crm/Accounts", "sync/CRM/Accounts"


@pytest.mark.parametrize("kind", ["misrouted", "mislabelled"])
def test_a_create_answered_for_another_company_stops_its_company_names_both_and_passes_no_state(
    target: InProcessTarget, sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault(kind, company=203, division=NORTH, method="POST", nth=2)

    loaded = target.load(wanted(NORTH, 1, 2, 3) + wanted(SOUTH, 1), state={"at": 1})

    assert (loaded.status, loaded.states) == (1, [])
    assert loaded.counts(NORTH) == {"created": 1, "parked": 2}
    assert loaded.counts(SOUTH) == {"created": 1}
    (reason,) = loaded.reasons("parked")
    assert "Exact answered for division 203 when division 201 was asked: account 2 may now be in division 203" in reason
    assert len(target.writes(NORTH)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "foreign_rows", "endpoint": SYNC},
        {"kind": "misrouted", "endpoint": SYNC},
        {"kind": "mislabelled", "endpoint": SYNC},
        {"kind": "misrouted", "endpoint": ACCOUNTS, "method": "GET"},
    ],
)
def test_a_list_of_another_company_passes_no_state_either(
    target: InProcessTarget, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    for division in (NORTH, 203):
        sandbox.seed(division, [{"Code": "1", "Name": "Klant 1"}])
    if fault["endpoint"] == ACCOUNTS:
        sandbox.fault("lost_answer", applied=True, division=NORTH, method="POST")
        sandbox.seed(203, [{"Code": "2", "Name": "Klant 2"}])
    sandbox.fault(**fault, company=203, division=NORTH)

    loaded = target.load(wanted(NORTH, 1, 2, City="Ede"), state={"at": 1})
    again = target.load([], state={"at": 2})

    assert (loaded.status, loaded.states) == (1, [])
    assert "Exact answered for division 203 when division 201 was asked" in "".join(loaded.reasons("parked"))
    assert (again.status, again.states) == (0, [{"at": 2}])
    assert sandbox.codes(NORTH) == ["1", "2"]
    assert {account["City"] for account in sandbox.accounts(NORTH)} == {"Ede"}
