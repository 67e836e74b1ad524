"""Decides on the records of a division: those that need no call end here, the others come out as changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exactonline_client.entities import ACCOUNTS
from exactonline_client.odata import Row

from target_exactonline.brakes import Brakes
from target_exactonline.departures import Delete, Departures, depart
from target_exactonline.ledger import Ledger
from target_exactonline.plan import (
    Create,
    Decision,
    LastWritten,
    Leave,
    Policy,
    Present,
    Refuse,
    Skip,
    Update,
    decide,
    recovered,
    remembered,
)
from target_exactonline.spool import Wanted
from target_exactonline.store import PutAside, TargetStore


@dataclass(frozen=True, slots=True)
class Rules:
    """All settings that decide what is written."""

    policy: Policy
    departures: Departures
    brakes: Brakes
    dry_run: bool
    retry_refused: bool
    reconcile: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Rules:
        """Read the settings.

        Raises:
            ConfigurationError: One of them is wrong.
        """
        return cls(
            Policy(config["load_method"], config["nulls"], config["on_collision"]),
            Departures.from_config(config),
            Brakes.from_config(config),
            dry_run=bool(config["dry_run"]),
            retry_refused=bool(config["retry_refused"]),
            reconcile=bool(config["reconcile"]),
        )


@dataclass(slots=True)
class Change:
    """A record that needs a call."""

    wanted: Wanted
    decision: Create | Update | Delete
    written: LastWritten | None

    @property
    def intended(self) -> Row:
        """What a run that is killed leaves for the next one to know its own writing again."""
        match self.decision:
            case Delete():
                return {}
            case Update(_, changes) if self.wanted.is_deletion:
                return {name: list(change) for name, change in changes.items()}
            case Create() | Update():
                return self.decision.values


class Decisions:
    """What has to be done in one division."""

    def __init__(self, division: int, store: TargetStore, ledger: Ledger, rules: Rules, today: str) -> None:
        self._division = division
        self._store = store
        self._ledger = ledger
        self._rules = rules
        self._today = today

    def changes(self, chunk: Sequence[Wanted]) -> Iterator[Change]:
        """Decide on each record; those that need no call end here, the others come out."""
        codes = [wanted.code for wanted in chunk]
        present = self._store.present(self._division, codes)
        written = self._store.links(self._division, codes)
        intended = self._store.intended(self._division, codes)
        refused = {} if self._rules.retry_refused else self._refused_before(codes)
        for wanted in chunk:
            noted = written.get(wanted.code)
            last = recovered(ACCOUNTS, intended.get(wanted.code, {}), present.get(wanted.code), noted)
            before = refused.get(wanted.code)
            if before is not None and before.wanted == wanted.values:
                self._ledger.refused_before(wanted, before.reason)
                continue
            decision = self._decide(wanted, present.get(wanted.code), last)
            if not self._ended(wanted, decision, last, noted):
                yield Change(wanted, decision, last)  # type: ignore[arg-type]

    def anew(self, change: Change, present: Present | None) -> Change | None:
        """The change after a look at what the division really holds; None if that ends it."""
        decision = self._decide(change.wanted, present, change.written)
        if self._ended(change.wanted, decision, change.written):
            return None
        return replace(change, decision=decision)  # type: ignore[arg-type]

    def remember(self, wanted: Wanted, link: LastWritten) -> LastWritten:
        """What is to be known of a copy that holds what is wanted, or whose source account is gone."""
        if wanted.is_deletion:
            return replace(link, gone=link.gone or {})
        return remembered(ACCOUNTS, wanted.values, link, wanted.source, self._rules.policy)

    def _decide(self, wanted: Wanted, present: Present | None, written: LastWritten | None) -> Decision | Delete:
        if wanted.is_deletion and wanted.source is not None:
            how = self._rules.departures.of(self._division)
            return depart(ACCOUNTS, wanted.source, present, written, how, self._today, self._rules.policy)
        return decide(ACCOUNTS, wanted.values, present, written, self._rules.policy)

    def _refused_before(self, codes: Sequence[str]) -> dict[str, PutAside]:
        return {one.code: one for one in self._store.put_aside_before("refused", self._division, codes)}

    def _ended(
        self,
        wanted: Wanted,
        decision: Decision | Delete,
        last: LastWritten | None,
        noted: LastWritten | None = None,
    ) -> bool:
        """Whether that ends it without a call; `noted` is what the store knows of it."""
        match decision:
            case Leave(account_id):
                ours = last if last is not None and last.account_id == account_id else LastWritten(account_id, {})
                link = self.remember(wanted, ours)
                self._ledger.unchanged(wanted, link if link != noted else None)
            case Skip(reason):
                self._ledger.skipped(wanted, reason)
            case Refuse(reason):
                self._ledger.refused(wanted, f"{wanted.label}: {reason}", by_exact=False)
            case _:
                return False
        return True
