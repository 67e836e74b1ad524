"""The rehearsal world with all that belongs to its customers: equal field by field, quiet again, and small changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exactonline_sandbox.demo import HOLDING, OPERATING_COMPANIES, demo_world
from sandbox_driver import Sandbox, SandboxFactory
from singer_children import ENTITIES, held
from singer_driver import Project, Ran

STREAMS = ("divisions", "accounts", "deleted_accounts", *ENTITIES)
CHANGED = 20
QUIET = 8
CHANGES = {"Contacts": "JobTitleDescription", "Addresses": "AddressLine2", "BankAccounts": "Description"}


class Rehearsal:
    """Run after run from the holding to all operating companies."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self._project = Project(sandbox, folder)
        demo = demo_world()
        app, user = demo["apps"][0], demo["users"][0]
        names = ("client_id", "client_secret")
        self._login = {**{name: app[name] for name in names}, "refresh_token": user["refresh_token"]}
        self._login["divisions"] = [HOLDING]
        self._state: Any = None

    def run(self) -> Ran:
        found = {name: text for name, text in self._login.items() if name != "divisions"}
        self.sandbox.forget_calls()
        catalog = self._project.selection(*STREAMS) if self._state is None else self._project.folder / "selection.json"
        read = self._project.read("--catalog", str(catalog), state=self._state, **self._login)
        assert read.status == 0, read.log
        loaded = self._project.load(read.output, fan_out={}, bank_accounts_unapproved=True, nulls="clear", **found)
        self._state = loaded.state or self._state
        return loaded

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        return self._project.outcomes

    def writes(self) -> list[dict[str, Any]]:
        return self._project.writes()

    def left_out(self) -> set[tuple[int, str]]:
        """Company and code of each account of which anything was refused or had to wait."""
        aside = ("refused", "parked", "skipped")
        return {(line["division"], line["code"]) for line in self.outcomes if line["outcome"] in aside}


@pytest.fixture
def rehearsal(sandbox_factory: SandboxFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    sandbox = sandbox_factory(demo_world(), "--no-limits")
    demo = demo_world()["apps"][0]
    login = {"client_id": demo["client_id"], "client_secret": demo["client_secret"]}
    login["refresh_token"] = demo_world()["users"][0]["refresh_token"]
    ours = sandbox.config
    monkeypatch.setattr(sandbox, "config", lambda **extra: {**ours(**extra), **login})
    yield Rehearsal(sandbox, tmp_path)


def rows(rehearsal: Rehearsal, division: int, stream: str, without: set[str]) -> Counter[tuple[Any, ...]]:
    return Counter(row for row in held(rehearsal.sandbox, division, stream) if row[0] not in without)


@pytest.mark.timeout(600)
def test_every_company_equals_the_source_then_nothing_then_small_changes(rehearsal: Rehearsal) -> None:
    assert rehearsal.run().status == 0
    left_out = rehearsal.left_out()
    assert len(left_out) < 40
    for division in OPERATING_COMPANIES:
        without = {code for company, code in left_out if company == division}
        for stream in ENTITIES:
            missing = rows(rehearsal, HOLDING, stream, without) - rows(rehearsal, division, stream, without)
            assert not missing, (division, stream)

    rehearsal.run()
    assert rehearsal.writes() == []
    assert rehearsal.sandbox.calls() <= QUIET

    aside = {code for _, code in left_out}
    codes = {one["ID"]: one["Code"].strip() for one in rehearsal.sandbox.accounts(HOLDING)}
    for entity, name in CHANGES.items():
        held_here = rehearsal.sandbox.children(HOLDING, entity)
        chosen = [row for row in held_here if row.get("Account") in codes and row.get("Type") != 1]
        chosen = [row for row in chosen if codes[row["Account"]] not in aside and not row.get("IsAnonymised")][:CHANGED]
        for row in chosen:
            rehearsal.sandbox.edit_child(HOLDING, entity, row["ID"], **{name: "As of today"})
    rehearsal.sandbox.advance(86_400)  # bank accounts are read once a day
    rehearsal.run()

    made = Counter((call["division"], call["endpoint"], *sorted(call["body"])) for call in rehearsal.writes())
    assert made == {
        (division, f"crm/{entity}", name): CHANGED
        for division in OPERATING_COMPANIES
        for entity, name in CHANGES.items()
    }
