"""How many calls accounts with a contact, a delivery address and a bank account each may take."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from child_life import iban
from sandbox_driver import SOURCE, SandboxFactory, small_world
from singer_children import ENTITIES
from singer_driver import Project

N = int(os.environ.get("ACCOUNTS_WITH_CHILDREN", "60"))
"""2,000 in the long form, which takes some minutes."""
BESIDES = 1 + 3 * 6
"""Calls beside the creates: the companies; in each one a reading of accounts, contacts and addresses, and of the first
account, contact and bank account made."""
PAGE = 60
"""Rows of a page of bank accounts, which have no feed."""


@pytest.mark.timeout(3600)
def test_a_first_load_takes_its_creates_and_six_calls_a_company(
    sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    codes = [str(number) for number in range(1, N + 1)]
    children = {
        "Contacts": [{"Account": code, "FirstName": "Jan", "LastName": f"Pot {code}"} for code in codes],
        "Addresses": [{"Account": code, "Type": 4, "AddressLine1": f"Kade {code}"} for code in codes],
        "BankAccounts": [{"Account": code, "BankAccount": iban(int(code))} for code in codes],
    }
    sandbox = sandbox_factory(small_world(N, children={SOURCE: children}))
    project = Project(sandbox, tmp_path)
    catalog = project.selection("divisions", "accounts", "deleted_accounts", *ENTITIES)
    read = project.read("--catalog", catalog)
    of_the_tap = sandbox.calls()
    sandbox.forget_calls()

    loaded = project.load(read.output, fan_out={}, bank_accounts_unapproved=True)

    writes = project.writes()
    assert (loaded.status, len(writes)) == (0, 3 * 4 * N)
    assert sandbox.calls() - len(writes) <= BESIDES
    assert of_the_tap <= BESIDES + 4 * (N // 1000) + N // PAGE
