"""References travel as codes, and each company makes of them what it has: with the mapping step before, and without."""

from __future__ import annotations

from typing import Any

import pytest
from list_rows import Lists, lists_of
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, singer
from singer_group import NORTH, SOUTH, WEST, Group, all_of

REFERENCES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "PaymentConditionSales": ("PaymentConditions", ("30",), "30"),
    "PaymentConditionPurchase": ("PaymentConditions", ("14",), "14"),
    "SalesVATCode": ("VATCodes", ("2",), "2"),
    "PurchaseVATCode": ("VATCodes", ("VN",), "VN"),
    "SalesCurrency": ("Currencies", ("USD",), "USD"),
    "GLAccountSales": ("GLAccounts", ("8000",), "8000"),
    "GLAccountPurchase": ("GLAccounts", ("7000",), "7000"),
    "GLAR": ("GLAccounts", ("1300",), "1300"),
    "GLAP": ("GLAccounts", ("1600",), "1600"),
    "Classification1": ("AccountClassifications", ("1", "A"), "A"),
    "Classification2": ("AccountClassifications", ("2", "A"), "A"),
    "PriceList": ("SalesPriceLists", ("GROOT",), "GROOT"),
    "ShippingMethod": ("ShippingMethods", ("PK",), "PK"),
    "LeadSource": ("LeadSources", ("WEB",), "WEB"),
    "LeadPurpose": ("LeadPurposes", ("NW",), "NW"),
}
"""Field → its list, the path of the entry that account 1 of the source refers to, and its code."""
BY_CODE = [name for name, (kind, *_) in REFERENCES.items() if kind in ("PaymentConditions", "VATCodes", "Currencies")]
FIELDS = ["*", *REFERENCES]


@pytest.fixture(params=["fan_out", "mapping step"])
def group(request: pytest.FixtureRequest, project: Project) -> Group:
    return Group(project, request.param)


@pytest.fixture
def alone(project: Project) -> Group:
    """Without the mapping step, for what does not depend on it."""
    return Group(project, "fan_out")


def referring(number: int = 1, **more: Any) -> dict[str, Any]:
    """A customer that refers to everything."""
    named = {name: code for name, (kind, path, code) in REFERENCES.items()}
    return customer(number, **{**named, **more})


def world(lists: dict[int, Lists] | None = None, accounts: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    held = {code: lists_of() for code in (SOURCE, NORTH, SOUTH, WEST)} | (lists or {})
    return small_world(lists=held, accounts={SOURCE: accounts or [referring()], **more.pop("held", {})}, **more)


def kept(group: Group, division: int, name: str) -> Any:
    """What the company should hold for a reference of account 1: its own GUID, or the code."""
    kind, path, code = REFERENCES[name]
    return code if name in BY_CODE else group.sandbox.list_row(division, kind, *path)["ID"]


def not_sent(group: Group, division: int) -> dict[str, tuple[str, str]]:
    """Field → code and state of what the last run left out."""
    return {
        one["field"]: (one["code"], one["state"])
        for line in group.project.outcomes
        if line["division"] == division
        for one in line["not_sent"]
    }


def test_each_company_holds_its_own_keys_for_the_same_things(group: Group) -> None:
    group.sandbox.reset(world())

    group.run({**all_of(NORTH, SOUTH), "fields": FIELDS})

    for division in (NORTH, SOUTH):
        account = group.sandbox.account(division, "1")
        assert {name: account.get(name) for name in REFERENCES} == {
            name: kept(group, division, name) for name in REFERENCES
        }
        assert not_sent(group, division) == {}
    group.sandbox.forget_calls()
    group.run({**all_of(NORTH, SOUTH), "fields": FIELDS})
    assert group.project.writes() == []
    assert len(group.sandbox.journal()) <= 5


def test_no_key_of_the_source_is_ever_sent_to_another_company(group: Group) -> None:
    group.sandbox.reset(world({NORTH: {}}, [referring(), referring(2, Parent="1", InvoiceAccount="1")]))
    fields = [*FIELDS, "Parent", "InvoiceAccount", "Reseller", "Accountant", "AccountManager"]

    group.run({**all_of(NORTH, SOUTH), "fields": fields})

    ours = {one["ID"] for one in group.sandbox.accounts(SOURCE)}
    ours |= {group.sandbox.list_row(SOURCE, kind, *path).get("ID", "") for kind, path, _ in REFERENCES.values()} - {""}
    bodies = [str(call["body"]) for call in group.project.writes()]
    assert bodies
    assert not [key for key in ours for body in bodies if key in body]


@pytest.mark.parametrize("name", REFERENCES)
def test_a_code_that_a_company_lacks_is_left_out_and_told(alone: Group, name: str) -> None:
    kind, path, code = REFERENCES[name]
    alone.sandbox.reset(world())
    alone.sandbox.remove_list_row(NORTH, kind, *path)

    alone.run({**all_of(NORTH), "fields": ["Name", name]})

    assert alone.sandbox.account(NORTH, "1").get(name) in (None, "EUR")
    assert not_sent(alone, NORTH) == {name: (code, "missing")}
    assert alone.kinds(NORTH) == {"1": "created"}


MEANINGS = [
    ("PaymentConditionSales", {"PaymentDays": 60}),
    ("PaymentConditionSales", {"PaymentEndOfMonths": 1}),
    ("PaymentConditionSales", {"PaymentMethod": "I"}),
    ("SalesVATCode", {"Percentage": 0.19}),
    ("SalesVATCode", {"Type": "I"}),
    ("SalesVATCode", {"VATTransactionType": "S"}),
    ("GLAccountSales", {"Type": 111}),
    ("PriceList", {"Currency": "USD"}),
]


@pytest.mark.parametrize(("name", "other"), MEANINGS, ids=[f"{name} {next(iter(one))}" for name, one in MEANINGS])
def test_the_same_code_for_another_thing_is_a_conflict(alone: Group, name: str, other: dict[str, Any]) -> None:
    kind, path, code = REFERENCES[name]
    alone.sandbox.reset(world({NORTH: lists_of(changed={(kind, path[-1]): other})}))

    alone.run({**all_of(NORTH), "fields": ["Name", name]})

    assert alone.sandbox.account(NORTH, "1").get(name) is None
    assert not_sent(alone, NORTH) == {name: (code, "conflict")}


def without(name: str) -> Lists:
    kind, path, _ = REFERENCES[name]
    return lists_of(without=[(kind, path[-1])])


ENTRIES = {"PaymentConditionSales": "14", "SalesVATCode": "VN", "GLAccountSales": "7000"}
"""Another entry of the list that a policy may name."""


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ({"missing": "skip"}, "missing"),
        ({"missing": "default", "default": {"201": "other"}}, "other"),
        ({"missing": "default", "default": {"202": "other"}}, "missing"),
        ({"missing": "default", "default": {"201": "none"}}, "missing"),
        ({"missing": "wait"}, "waiting"),
        ({"missing": "refuse"}, "refused"),
        ({"map": {"201": {"it": "other"}}}, "other"),
        ({"map": {"201": {"it": "none"}}}, "missing"),
    ],
    ids=str,
)
def test_what_becomes_of_a_missing_code(alone: Group, name: str, policy: dict[str, Any], ends: str) -> None:
    kind, _, code = REFERENCES[name]
    other = ENTRIES[name]
    if name == "GLAccountSales":  # only a revenue account may stand there
        alone.sandbox.reset(world({NORTH: lists_of(without=[(kind, code)], changed={(kind, other): {"Type": 110}})}))
    else:
        alone.sandbox.reset(world({NORTH: without(name)}))
    words = {"other": other, "it": code}
    given = {key: _worded(value, words) for key, value in policy.items()}

    ran = alone.run({**all_of(NORTH), "fields": ["Name", name], "references": {name: given}})

    if ends == "refused":
        assert ran.status == 0
        assert alone.kinds(NORTH) == {"1": "reference"}
        assert alone.sandbox.codes(NORTH) == []
        return
    account = alone.sandbox.account(NORTH, "1")
    if ends == "other":
        there = other if name in BY_CODE else alone.sandbox.list_row(NORTH, kind, other)["ID"]
        assert account[name] == there
        assert not_sent(alone, NORTH) == {}
        return
    assert account.get(name) is None
    assert not_sent(alone, NORTH) == {name: (code, ends)}


def _worded(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {words.get(key, key): _worded(one, words) for key, one in value.items()}
    return words.get(value, value)


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ({}, "conflict"),
        ({"conflict": "skip"}, "conflict"),
        ({"conflict": "accept"}, "sent"),
        ({"conflict": "refuse"}, "refused"),
        ({"map": {"201": {"2": "2"}}}, "sent"),
    ],
    ids=str,
)
def test_what_becomes_of_a_conflict(alone: Group, policy: dict[str, Any], ends: str) -> None:
    alone.sandbox.reset(world({NORTH: lists_of(changed={("VATCodes", "2"): {"Percentage": 0.19}})}))

    alone.run({**all_of(NORTH), "fields": ["Name", "SalesVATCode"], "references": {"SalesVATCode": policy}})

    if ends == "refused":
        assert alone.kinds(NORTH) == {"1": "reference"}
        assert alone.sandbox.codes(NORTH) == []
        return
    assert alone.sandbox.account(NORTH, "1").get("SalesVATCode") == ("2" if ends == "sent" else None)
    assert not_sent(alone, NORTH) == ({} if ends == "sent" else {"SalesVATCode": ("2", "conflict")})


@pytest.mark.parametrize(
    ("name", "change"), [("SalesVATCode", {"IsBlocked": True}), ("GLAccountSales", {"IsBlocked": True})]
)
def test_what_is_blocked_counts_as_missing(alone: Group, name: str, change: dict[str, Any]) -> None:
    kind, path, code = REFERENCES[name]
    alone.sandbox.reset(world({NORTH: lists_of(changed={(kind, path[-1]): change})}))

    alone.run({**all_of(NORTH), "fields": ["Name", name]})

    assert not_sent(alone, NORTH) == {name: (code, "missing")}


def test_a_code_that_appears_later_completes_what_waited_in_one_update_each(alone: Group) -> None:
    alone.sandbox.reset(world({NORTH: without("PaymentConditionSales")}, [referring(1), referring(2)]))
    fan_out = {
        **all_of(NORTH),
        "fields": ["Name", "PaymentConditionSales"],
        "references": {"PaymentConditionSales": {"missing": "wait"}},
    }
    alone.run(fan_out)
    assert {line["kind"] for line in alone.waiting("parked")} == {"reference"}
    alone.sandbox.fill_list(NORTH, "PaymentConditions", lists_of()["PaymentConditions"])
    alone.sandbox.forget_calls()

    alone.run(fan_out)

    assert {one["PaymentConditionSales"] for one in alone.sandbox.accounts(NORTH)} == {"30"}
    assert len(alone.project.writes()) == 2
    assert alone.waiting("parked") == []
    alone.sandbox.forget_calls()
    alone.run(fan_out)
    assert len(alone.sandbox.journal()) <= 5


def test_what_waits_asks_for_its_list_once_a_run_and_writes_nothing(alone: Group) -> None:
    alone.sandbox.reset(world({NORTH: without("GLAccountSales")}, [referring(1), referring(2)]))
    fan_out = {
        **all_of(NORTH),
        "fields": ["Name", "GLAccountSales"],
        "references": {"GLAccountSales": {"missing": "wait"}},
    }
    alone.run(fan_out)
    alone.sandbox.forget_calls()

    alone.run(fan_out)

    asked = [call for call in alone.sandbox.journal() if "GLAccounts" in call["endpoint"]]
    assert len(asked) == 1
    assert alone.project.writes() == []


def test_a_map_that_changes_is_applied_without_reading_the_source_again(alone: Group) -> None:
    alone.sandbox.reset(world())
    fan_out = {**all_of(NORTH), "fields": ["Name", "PaymentConditionSales"]}
    alone.run(fan_out)

    mapped = {"PaymentConditionSales": {"map": {"201": {"30": "14"}}}}
    alone.run({**fan_out, "references": mapped})

    assert alone.sandbox.account(NORTH, "1")["PaymentConditionSales"] == "14"


def test_an_entry_that_a_company_gets_is_used_once_its_list_was_read_again(alone: Group) -> None:
    """Left out, and not waiting: it costs nothing until something else reads the list."""
    alone.sandbox.reset(world({NORTH: without("PaymentConditionSales")}))
    fan_out = {**all_of(NORTH), "fields": ["Name", "PaymentConditionSales"]}
    alone.run(fan_out)
    alone.sandbox.fill_list(NORTH, "PaymentConditions", lists_of()["PaymentConditions"])
    alone.sandbox.forget_calls()
    alone.run(fan_out)
    assert len(alone.sandbox.journal()) <= 5
    alone.sandbox.edit(SOURCE, "1", Name="Another name")

    alone.run(fan_out)

    account = alone.sandbox.account(NORTH, "1")
    assert (account["Name"], account["PaymentConditionSales"]) == ("Another name", "30")


def test_an_emptied_reference_follows_the_rule_for_empty_fields(alone: Group) -> None:
    alone.sandbox.reset(world())
    fan_out = {**all_of(NORTH), "fields": ["Name", "GLAccountSales", "PaymentConditionSales"]}
    alone.run(fan_out)
    alone.sandbox.edit(SOURCE, "1", GLAccountSales=None, PaymentConditionSales=None)

    alone.run(fan_out)

    account = alone.sandbox.account(NORTH, "1")
    assert (account.get("GLAccountSales"), account.get("PaymentConditionSales")) == (None, None)


def test_a_list_that_may_not_be_read_is_asked_for_once_a_day(alone: Group) -> None:
    alone.sandbox.reset(world(divisions={NORTH: {"rights": {"read_VATCodes": False}}}))
    fan_out = {**all_of(NORTH), "fields": ["Name", "SalesVATCode"]}

    alone.run(fan_out)
    alone.sandbox.edit(SOURCE, "1", City="Zeist")
    alone.run({**fan_out, "fields": ["Name", "City", "SalesVATCode"]})

    asked = [
        call for call in alone.sandbox.journal() if (call["division"], call["endpoint"]) == (NORTH, "vat/VATCodes")
    ]
    assert len(asked) == 1
    assert not_sent(alone, NORTH) == {"SalesVATCode": ("2", "unreadable")}


FAMILY = [
    customer(1, Parent="2"),
    customer(2, Parent="3"),
    customer(3),
    customer(4, Parent="5", InvoiceAccount="3"),
    customer(5, Parent="4"),
    customer(6, InvoiceAccount="6"),
]
"""A chain of which the last comes first, a cycle, and one that pays for itself."""


def test_accounts_refer_to_accounts_of_their_own_company(group: Group) -> None:
    group.sandbox.reset(world(accounts=FAMILY))
    fan_out = {**all_of(NORTH, SOUTH), "fields": ["Name", "Parent", "InvoiceAccount"]}

    group.run(fan_out)

    for division in (NORTH, SOUTH):
        accounts = group.sandbox.accounts(division)
        codes = {one["ID"]: one["Code"] for one in accounts}
        assert {one["Code"]: codes.get(one.get("Parent") or "") for one in accounts} == {
            "1": "2", "2": "3", "3": None, "4": "5", "5": "4", "6": None,
        }  # fmt: skip
        assert {one["Code"]: codes.get(one.get("InvoiceAccount") or "") for one in accounts} == {
            "1": None, "2": None, "3": None, "4": "3", "5": None, "6": "6",
        }  # fmt: skip
    group.sandbox.forget_calls()
    group.run(fan_out)
    assert group.project.writes() == []
    assert len(group.sandbox.journal()) <= 5


def test_a_parent_that_is_refused_is_waited_for(alone: Group) -> None:
    parent = customer(
        1, Name="Parent B.V.", Email="a@parent.example", Phone="1", Website="parent.example", VATNumber="NL1"
    )
    other = customer(1, Name="Someone else", Email="x@other.example", Phone="2", Postcode="9999 ZZ", AddressLine1="X 9")
    alone.sandbox.reset(world(accounts=[parent, customer(2, Parent="1")], held={NORTH: [other]}))
    fan_out = {**all_of(NORTH), "fields": ["*", "Parent"]}

    alone.run(fan_out)

    assert alone.kinds(NORTH) == {"1": "collision", "2": "created"}
    assert alone.sandbox.account(NORTH, "2").get("Parent") is None
    assert not_sent(alone, NORTH) == {"Parent": ("1", "waiting")}
    assert [(line["code"], line["kind"]) for line in alone.waiting("parked")] == [("2", "parent")]
    alone.sandbox.edit(NORTH, "1", Name="Parent B.V.", Email="a@parent.example")

    alone.run(fan_out)

    assert alone.sandbox.account(NORTH, "2")["Parent"] == alone.sandbox.account(NORTH, "1")["ID"]


def test_a_dry_run_shows_the_references_that_the_run_will_set(alone: Group) -> None:
    alone.sandbox.reset(world(accounts=FAMILY))
    fan_out = {**all_of(NORTH), "fields": ["Name", "Parent", "InvoiceAccount"]}

    def changes() -> set[tuple[str, str, str]]:
        lines = alone.project.outcomes
        return {(line["code"], line["outcome"], name) for line in lines for name in line["changes"]}

    alone.run(fan_out, dry_run=True)
    shown = changes()
    alone.first_reading()
    alone.run(fan_out)

    assert changes() == shown
    assert alone.project.writes()


@pytest.mark.parametrize("how", ["refuse", "null"])
def test_what_exact_does_not_take_is_told_once_and_not_sent_again(alone: Group, how: str) -> None:
    """The entry was deleted after its list was read."""
    accounts = [referring(number) for number in (1, 2, 3)]
    alone.sandbox.reset(world(accounts=accounts, switches={"foreign_guid": how, "unknown_code": how}))
    fan_out = {**all_of(NORTH), "fields": ["Name", "GLAccountSales", "PaymentConditionSales"]}
    alone.run(fan_out, dry_run=True)
    alone.first_reading()
    alone.sandbox.remove_list_row(NORTH, "GLAccounts", "8000")

    alone.run(fan_out)

    held = alone.sandbox.accounts(NORTH)
    assert {one.get("GLAccountSales") for one in held} == {None}
    assert {one.get("PaymentConditionSales") for one in held} == {"30"}
    assert len(held) == 3
    told = [one for line in alone.project.outcomes for one in line["not_sent"]]
    assert {(one["field"], one["code"], one["state"]) for one in told} == {("GLAccountSales", "8000", "missing")}
    assert len([call for call in alone.project.writes() if "GLAccountSales" in str(call["body"])]) == 1
    alone.sandbox.forget_calls()
    alone.run(fan_out)
    assert alone.project.writes() == []
    alone.sandbox.fill_list(NORTH, "GLAccounts", lists_of()["GLAccounts"])
    alone.sandbox.edit(SOURCE, "1", Name="Another name")
    alone.run(fan_out)
    there = alone.sandbox.list_row(NORTH, "GLAccounts", "8000")["ID"]
    assert alone.sandbox.account(NORTH, "1")["GLAccountSales"] == there


def test_a_foreign_list_refers_by_the_same_names(alone: Group) -> None:
    alone.sandbox.reset(world(accounts=[customer(9)]))
    rows = [{"Code": "1", "Name": "From a file", "PaymentConditionSales": "30", "GLAccountSalesCode": "8000"}]
    given = singer("customers", ["Code"], rows)

    ran = alone.project.load(
        given, fan_out={**all_of(NORTH), "fields": ["*", "PaymentConditionSales", "GLAccountSales"]}
    )

    assert ran.status == 0, ran.log
    account = alone.sandbox.account(NORTH, "1")
    assert account["PaymentConditionSales"] == "30"
    assert account["GLAccountSales"] == alone.sandbox.list_row(NORTH, "GLAccounts", "8000")["ID"]
