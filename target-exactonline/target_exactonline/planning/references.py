"""Codes of the source → what one company keeps for them, or why a reference is left out. Pure.

A reference that cannot be brought over never holds its record back, unless the settings say so: the field is left as it
is in the company, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from exactonline_client.entities import REFERENCE_LISTS, Entity, Reference
from exactonline_client.lists.entries import Entry, KeptList, Translation, translated
from exactonline_client.lists.policies import Policy
from exactonline_client.odata import Row

from target_exactonline.planning.model import Copy, Desired, NotSent

DROPPED = "Exact took it without a word and did not keep it."
Left = Literal["missing", "conflict", "unreadable", "waiting"]


class Referred(NamedTuple):
    """What is known here of an account that another refers to by its code."""

    target_id: str | None
    is_coming: bool = False
    """Whether it is to have a row here."""


Accounts = Mapping[tuple[int, str], Referred]
"""Source company and code → the account."""


@dataclass(frozen=True)
class Translator:
    """What one company makes of the codes of others."""

    entity: Entity
    division: int
    policies: Mapping[str, Policy]
    target: Callable[[str], KeptList]
    """Returns a list of the company."""
    source: Callable[[int, str], KeptList]
    """Returns a list of a source company."""
    dropped: dict[tuple[str, str], str] = field(default_factory=dict)
    """Field and value that Exact did not keep here → what is told of it."""

    def resolved(self, desired: Desired, accounts: Accounts) -> Desired:
        """Return what is desired with what it belongs to, and each reference, as the company keeps it."""
        if self.entity.parent is not None:
            desired = self._placed(desired, accounts)
        if not desired.references:
            return desired
        values: Row = dict(desired.values)
        not_sent: list[NotSent] = []
        refusals: list[str] = []
        for name, code in desired.references.items():
            if code is None:
                values[name] = None
                continue
            reference = self.entity.references[name]
            policy = self.policies.get(name, _SKIP)
            if reference.list == self.entity.stream:
                found = self._account(desired, code, accounts, policy)
            else:
                found = self._entry(reference, desired, code, policy)
            if found.value is not None and (name, found.value) in self.dropped:
                found = _Found(left="missing", why=self.dropped[name, found.value])
            if found.value is not None:
                values[name] = found.value
            elif found.left is None:
                refusals.append(f"{name} {code}: {found.why}")
            else:
                not_sent.append(NotSent(name, code, found.left, found.why))
        return replace(desired, values=values, not_sent=tuple(not_sent), refusal=" ".join(refusals) or None)

    def lists_of(self, desired: Desired) -> Iterable[tuple[Reference, str, str]]:
        """Yield each reference to a list with the code at the source, and the one that is looked for here."""
        for name, code in desired.references.items():
            reference = self.entity.references[name]
            if code is not None and reference.list != self.entity.stream:
                mapped = self.policies.get(name, _SKIP).mapped(self.division, code)
                yield reference, code, code if mapped is None else mapped

    def _placed(self, desired: Desired, accounts: Accounts) -> Desired:
        """Return what is desired with the row that it belongs to."""
        account = accounts.get((desired.references_of, desired.code), Referred(None))
        if account.target_id is not None or account.is_coming:
            return replace(desired, parent=account.target_id)
        return replace(desired, orphan=f"Its account {desired.code} is not in this company yet.")

    def _account(self, desired: Desired, code: str, accounts: Accounts, policy: Policy) -> _Found:
        referred = accounts.get((desired.references_of, code), Referred(None))
        if referred.target_id is not None:
            return _Found(referred.target_id)
        why = f"There is no {self.entity.name} {code} here"
        if policy.missing == "refuse":
            return _Found(why=f"{why}.")
        if referred.is_coming or policy.missing == "wait":
            return _Found(left="waiting", why=f"{why} yet.")
        return _Found(left="missing", why=f"{why}.")

    def _entry(self, reference: Reference, desired: Desired, code: str, policy: Policy) -> _Found:
        kind, target = REFERENCE_LISTS[reference.list], self.target(reference.list)
        mapped = policy.mapped(self.division, code)
        source = self.source(desired.references_of, reference.list) if desired.references_of else None
        found = translated(kind, reference, code, source, target, mapped)
        match found.state:
            case "unreadable" if kind.is_worldwide:
                return _Found(found.code)
            case "unreadable":
                return _Found(left=None if policy.missing == "refuse" else "unreadable", why=found.why)
            case "missing":
                return self._missing(reference, found, target, policy)
            case "conflict" if policy.conflict != "accept":
                return _Found(left=None if policy.conflict == "refuse" else "conflict", why=found.why)
            case "found" if _is_unknown(source) and kind.meaning and policy.conflict != "accept":
                why = f"What {kind.title} {code} is at the source is not known, so it may be another thing here."
                return _Found(left="unreadable", why=f"{why} {source.refusal if source is not None else ''}".strip())
        return _Found(_value(reference, found.entry))

    def _missing(self, reference: Reference, found: Translation, target: KeptList, policy: Policy) -> _Found:
        if policy.missing == "default":
            code = policy.default.get(self.division)
            entry = target.by_code.get((reference.slot, code)) if code is not None else None
            if entry is not None and entry.is_usable:
                return _Found(_value(reference, entry))
            lacking = f"Nor is there the default {code}." if code else "The settings name no default for this company."
            return _Found(left="missing", why=f"{found.why} {lacking}")
        left: dict[str, Left | None] = {"skip": "missing", "wait": "waiting", "refuse": None}
        return _Found(left=left[policy.missing], why=found.why)


def in_wait(entity: Entity, copy: Copy, not_sent: Sequence[NotSent]) -> Copy:
    """Return a copy that is as it should be but for references that are due; the same one if none is."""
    waiting = [one for one in not_sent if one.waits]
    if not waiting:
        return copy
    of_lists = any(entity.references[one.field].list != entity.stream for one in waiting)
    reason = " ".join(f"{one.field} {one.code}: {one.why}" for one in waiting)
    return copy.having(
        state="deferred", kind="reference" if of_lists else "parent", reason=reason, refused=None, next_try=None
    )


class _Found(NamedTuple):
    """A value; or how a reference is left out and why; or without either, why the record is refused."""

    value: str | None = None
    left: Left | None = None
    why: str = ""


_SKIP = Policy()


def _is_unknown(source: KeptList | None) -> bool:
    return source is not None and not source.is_readable


def _value(reference: Reference, entry: Entry | None) -> str | None:
    if entry is None:
        return None
    return entry.code if reference.is_by_code else entry.key
