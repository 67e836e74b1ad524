"""Marks changes that need an approval: approved by whom, or waiting and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from target_exactonline.planning.approvals import Approval, ApprovalRules, digest_of
from target_exactonline.store.approvals import Approvals
from target_exactonline.store.plans import Change


class Signing:
    """Approvals of one company and entity, looked up a page at a time."""

    def __init__(self, rules: ApprovalRules, approvals: Approvals, company: int, entity: str) -> None:
        self._rules = rules
        self._approvals = approvals
        self._company = company
        self._entity = entity
        self._known: Mapping[str, Sequence[Approval]] = {}
        self.state = "none"
        """Of all changes so far: none needs an approval, one waits for it, or all have it."""

    def learn(self, codes: Sequence[str]) -> None:
        """Look up what was approved under some codes, in the place of those of an earlier page."""
        if self._rules.actions:
            self._known = self._approvals.of(self._company, self._entity, codes)

    def signed(self, changes: Sequence[Change]) -> list[Change]:
        """Return the changes of one record; if one of them waits, all do: a first step alone would be half a change."""
        if not changes or not self._rules.concerns([one.action for one in changes]):
            return list(changes)
        known = self._known.get(changes[0].code, ())
        digests = [digest_of(one.action, one.fields, one.target_id) for one in changes]
        approved = [self._rules.approved_by(digest, known) for digest in digests]
        if None not in approved:
            self.state = "approved" if self.state == "none" else self.state
            return [replace(one, approved_by=by) for one, by in zip(changes, approved, strict=True)]
        self.state = "waiting"
        waiting = digests[approved.index(None)]
        return [replace(one, waits=self._rules.why_waiting(waiting, known)) for one in changes]
