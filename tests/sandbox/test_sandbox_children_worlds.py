"""Contacts, addresses and bank accounts in worlds and control calls."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from child_world import CHILDREN
from exact_http import Exact
from sandbox_driver import SOURCE, Sandbox, running, small_world


@pytest.fixture
def company(sandbox: Sandbox) -> Exact:
    sandbox.reset(small_world(children={SOURCE: CHILDREN}))
    return Exact(sandbox)


def test_each_company_has_guids_of_its_own(sandbox: Sandbox) -> None:
    held = small_world()["accounts"]["100"]
    sandbox.reset(small_world(accounts={201: held}, children={100: CHILDREN, 201: CHILDREN}))

    for name in CHILDREN:
        keys = [{row["ID"] for row in sandbox.children(code, name)} for code in (100, 201)]
        assert keys[0].isdisjoint(keys[1])
        assert len(keys[0]) == len(keys[1]) > 0


def test_a_world_is_the_same_in_every_run(sandbox: Sandbox) -> None:
    world = small_world(children={SOURCE: CHILDREN})
    sandbox.reset(world)
    first = [row["ID"] for name in CHILDREN for row in sandbox.children(100, name)]

    sandbox.reset(world)

    assert [row["ID"] for name in CHILDREN for row in sandbox.children(100, name)] == first


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        ("Contacts", {"Account": "1", "Surname": "x"}, "Contacts have no member called Surname"),
        ("Contacts", {"Account": "9", "LastName": "x"}, "division 100 has no account 9"),
        ("Addresses", {"Account": "1", "Type": "4"}, "is no Edm.Int16"),
        ("Addresses", {"Account": "1", "Type": 4, "Contact": "Anna"}, "Anna is no ID"),
        ("Letters", {"Account": "1"}, "accounts have no Letters"),
    ],
)
def test_a_wrong_row_is_refused_and_changes_nothing(
    company: Exact, sandbox: Sandbox, name: str, row: dict[str, Any], told: str
) -> None:
    before = {entity: sandbox.children(100, entity) for entity in CHILDREN}

    with pytest.raises(AssertionError, match=told):
        sandbox.fill_children(100, name, [{"Account": "1"}, row])

    assert {entity: sandbox.children(100, entity) for entity in CHILDREN} == before


def test_rows_are_added_changed_replaced_and_deleted_by_hand(company: Exact, sandbox: Sandbox) -> None:
    kept, gone = sandbox.children(100, "Contacts", "1")

    changed = sandbox.edit_child(100, "Contacts", kept["ID"], LastName="Zwart", Phone="06")
    rows = sandbox.fill_children(
        100,
        "Contacts",
        [{"ID": kept["ID"], "JobTitleDescription": "Inkoop"}, {"Account": "2", "FirstName": "Nel"}],
        replace=True,
    )

    assert (changed["ID"], changed["FullName"].split()[-1], changed["BusinessPhone"]) == (kept["ID"], "Zwart", "06")
    assert rows[0]["ID"] == kept["ID"]
    assert sorted(row["ID"] for row in sandbox.children(100, "Contacts")) == sorted(row["ID"] for row in rows)
    assert [row["AccountCode"] for row in rows] == ["1", "2"]
    assert gone["ID"] not in {row["ID"] for row in rows}


def test_a_moved_company_gives_its_contacts_new_row_versions(company: Exact, sandbox: Sandbox) -> None:
    sandbox.move(100)

    versions = {
        name: [int(row["Timestamp"]) for row in company.rows(f"100/sync/CRM/{name}", select="Timestamp")]
        for name in ("Accounts", "Contacts", "Addresses")
    }
    assert versions["Accounts"] == [2, 3, 4]
    assert versions["Contacts"] + versions["Addresses"][3:] == [5, 6, 7, 8, 9]


def test_a_restored_backup_brings_them_back(company: Exact, sandbox: Sandbox) -> None:
    before = {name: sandbox.children(100, name) for name in CHILDREN}
    sandbox.back_up(100)
    for name in CHILDREN:
        sandbox.fill_children(100, name, [], replace=True)
    emptied = {name: len(sandbox.children(100, name)) for name in CHILDREN}

    sandbox.restore(100)

    assert emptied == {"Contacts": 0, "Addresses": 3, "BankAccounts": 0}
    assert {name: sandbox.children(100, name) for name in CHILDREN} == before


def test_a_world_file_from_before_there_were_contacts_goes_on_working(tmp_path: Path) -> None:
    file = tmp_path / "world.db"
    with running(file) as sandbox:
        sandbox.reset(small_world())
    with closing(sqlite3.connect(file)) as db:
        db.execute("DROP TABLE children")
        db.commit()

    with running(file) as sandbox:
        sandbox.fill_children(100, "Contacts", [{"Account": "1", "LastName": "Mol"}])

        assert [row["LastName"] for row in Exact(sandbox).rows("100/crm/Contacts")] == ["Mol"]
