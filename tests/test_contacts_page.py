"""The example of docs/contacts.md, run as it stands there; its settings are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.entities import ADDRESSES, BANK_ACCOUNTS, CONTACTS
from sandbox_driver import Sandbox, customer, small_world
from singer_driver import singer
from singer_group import NORTH, SOUTH, all_of
from target_driver import InProcessTarget
from test_documents_run import CODES, blocks, checkout, run

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "contacts.md").read_text(encoding="utf-8")
(MAPS,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture
def target(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> InProcessTarget:
    sandbox.reset(small_world(0))
    return InProcessTarget(sandbox, tmp_path, capsys, caplog)


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / "input" / "contacts.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_flat_list_reaches_customers_people_and_bank_accounts(target: InProcessTarget) -> None:
    given = singer("customers", ["number"], rows())
    settings = {"fan_out": all_of(NORTH, SOUTH), "stream_maps": MAPS, "bank_accounts_unapproved": True}

    first = target.load_lines(given, **settings)
    target.sandbox.forget_calls()
    second = target.load_lines(given, **settings)

    assert (first.status, first.counts()) == (0, {"created": 2 * 7})
    assert second.counts() == {"unchanged": 2 * 7}
    for division in (NORTH, SOUTH):
        codes = {one["ID"]: one["Code"].strip() for one in target.sandbox.accounts(division)}
        people = target.sandbox.children(division, "Contacts")
        numbers = target.sandbox.children(division, "BankAccounts")
        assert {(codes[one["Account"]], one["LastName"]) for one in people} == {("70001", "van Dam"), ("70002", "Kok")}
        assert {codes[one["Account"]]: one["BankAccount"] for one in numbers} == {
            row["number"]: row["iban"] for row in rows() if row["iban"]
        }


@pytest.mark.timeout(300)
def test_the_command_of_the_page_carries_all_three(tmp_path: Path) -> None:
    source, north, south = CODES
    folder = checkout(tmp_path, {source: [customer(1)], north: [], south: []})
    (command,) = blocks("docs/contacts.md")

    run(folder, command.text)

    held = run(folder, f"exactonline-sandbox accounts {north} --db .exactonline/world.db")
    assert "Klant 1 B.V." in held


def test_the_page_says_how_rows_are_found() -> None:
    assert CONTACTS.same_row[0].fields == ("FirstName", "MiddleName", "LastName")
    assert (ADDRESSES.same_row[1].where, CONTACTS.same_row[0].also) == ("Main", "Email")
    assert BANK_ACCOUNTS.same_row[0].fields == ("BankAccount",)
    assert BANK_ACCOUNTS.is_never_deleted
    assert ADDRESSES.blocking is None
