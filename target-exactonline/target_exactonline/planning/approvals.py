"""Changes that wait until a person approves them. Pure.

An approval is for exactly one change: this company, code, action, and before and after of each field. If any of it
moved, the approval is void.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from exactonline_client.entities import BANK_ACCOUNTS
from exactonline_client.errors import ConfigurationError

from target_exactonline.planning.model import Changes

Approvable = Literal["creates", "updates", "deletions", "bank_accounts", "all"]
FILLERS = "\u115f\u1160"
"""Letters of Unicode's that nobody sees."""
KINDS: tuple[str, ...] = get_args(Approvable)
_ACTIONS: Mapping[str, frozenset[str]] = {
    "creates": frozenset({"create"}),
    "updates": frozenset({"update"}),
    "deletions": frozenset({"delete", "block"}),
    "bank_accounts": frozenset(),
    "all": frozenset({"create", "update", "delete", "block"}),
}


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person said of a change."""

    digest: str
    by: str
    at: str
    planned_by: str
    """Who started the run that planned it."""


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """The settings require_approval and four_eyes."""

    actions: frozenset[str] = frozenset()
    four_eyes: bool = False
    required: tuple[str, ...] = field(default=())
    bank_accounts_unapproved: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ApprovalRules:
        """Read the settings.

        Raises:
            ConfigurationError: A kind of change is none.
        """
        given = config.get("require_approval") or ()
        if not isinstance(given, (list, tuple)):
            raise ConfigurationError(f'require_approval: {given!r} is not a list. Give ["creates", "deletions"].')
        for one in given:
            if one not in KINDS:
                raise ConfigurationError(f"require_approval: {one!r} is none of {', '.join(KINDS)}.")
        actions = frozenset().union(*(_ACTIONS[one] for one in given))
        unapproved = bool(config.get("bank_accounts_unapproved"))
        return cls(actions, bool(config.get("four_eyes")), tuple(given), unapproved)

    def of(self, stream: str) -> ApprovalRules:
        """Return the rules for one entity: a bank account always waits, unless the settings say that it need not."""
        if stream != BANK_ACCOUNTS.stream or (self.bank_accounts_unapproved and stream not in self.required):
            return self
        return replace(self, actions=_ACTIONS["all"])

    def concerns(self, actions: Collection[str]) -> bool:
        """Return whether any of these changes of one record needs an approval."""
        return not self.actions.isdisjoint(actions)

    def approved_by(self, digest: str, approvals: Sequence[Approval]) -> str | None:
        """Return who approved a change, or None."""
        for one in approvals:
            if one.digest == digest and not (self.four_eyes and is_same_person(one.by, one.planned_by)):
                return one.by
        return None

    def why_waiting(self, digest: str, approvals: Sequence[Approval]) -> str:
        """Return why a change that nobody approved waits."""
        for one in approvals:
            if one.digest == digest:
                return f"{one.by} started the run that planned it, so somebody else has to approve it (four_eyes)."
        void = f" The approval by {approvals[0].by} is void, since the change is another one now." if approvals else ""
        return f"It waits for approval: `target-exactonline-store approve`.{void}"


def digest_of(action: str, fields: Changes, target_id: str | None) -> str:
    """Return a short text that is the same for the same change: action, row, and before and after of each field.

    A create names no row, though the store may know one by the time: the one that it makes, or that it replaces.
    """
    sent = {} if action == "delete" else fields  # what it held is known only once it is gone
    row = None if action == "create" else target_id or None
    content = [action, row, {name: list(pair) for name, pair in sent.items()}]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names mean one user: only letters without accents and digits count. Nobody is everybody.

    A name without a machine is that of whoever has it on any machine.
    """
    names = [_plain(one), _plain(other)]
    users = [_plain(name.partition("@")[0]) for name in (one, other)]
    return not all(names) or names[0] == names[1] or names[0] == users[1] or users[0] == names[1]


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(char for char in text if char.isalnum() and char not in FILLERS)
