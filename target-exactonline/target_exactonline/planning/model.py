"""The values that a plan is made of. Pure.

source record ──settings──▶ Desired ┐
mirror ─────────────────▶ Existing  ├─ decide ─▶ Create | Update | Delete | Unchanged | Refuse | Skip | Wait
what we know of the copy ─▶ Copy    ┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from exactonline_client.odata import Row
from mapper_exactonline.settings import FieldRule

Changes = Mapping[str, tuple[Any, Any]]
"""Field → before, after."""

RefusedKind = Literal["invalid", "collision", "ambiguous", "code_changed", "rejected", "reference"]
DeferredKind = Literal[
    "minute_limit",
    "day_limit",
    "contract_limit",
    "error_limit",
    "safety_limit",
    "approval",
    "parent",
    "reference",
    "no_access",
    "unreachable",
    "fault",
    "moving",
]
SkippedKind = Literal["load_method", "superseded", "not_accounts", "held", "source_deleted"]
Kind = RefusedKind | DeferredKind | SkippedKind
"""Machine-readable reason of an outcome; page and exit status go by it, never by words."""

Action = Literal["create", "update", "delete", "block"]


class SourceKey(NamedTuple):
    """Identity of a source record."""

    division: int
    """The source company's code; 0 for a record of a foreign stream."""
    id: str
    """Exact's ID in lower case; for a foreign stream its natural key."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A row of a source company, or of a foreign stream, as it was last seen."""

    key: SourceKey
    code: str
    """The natural key, trimmed; empty if there is none."""
    values: Row
    """All that it says of fields that can travel, and what identifies it; None for what is empty."""
    problems: tuple[str, ...] = ()
    """Why it cannot go to any company, each naming its field."""
    is_deleted: bool = False
    company: int = 0
    """For a record that was addressed to one company: the store's number of it; 0 for one that settings fan out."""
    stream: str = ""


class NotSent(NamedTuple):
    """A reference that was left out of a row."""

    field: str
    code: str
    """At the source."""
    state: Literal["missing", "conflict", "unreadable", "waiting"]
    why: str

    @property
    def waits(self) -> bool:
        """Whether it is due until what it refers to is there."""
        return self.state == "waiting"


@dataclass(frozen=True, slots=True)
class Desired:
    """What one company should hold of a source record, by today's settings."""

    source: SourceKey
    code: str
    values: Row
    """Fields that travel, with the constants of this company."""
    identity: Row
    """The whole source record, which the first-contact rule looks at."""
    problems: tuple[str, ...] = ()
    """Why it cannot go to this company, each naming its field."""
    references: Mapping[str, str | None] = field(default_factory=dict)
    """Field → the source's code of what it refers to, until they are resolved into values; None for an empty one."""
    references_of: int = 0
    """The company whose codes these are; 0 if it is none of Exact's, or this one."""
    not_sent: tuple[NotSent, ...] = ()
    """References that are left out."""
    refusal: str | None = None
    """Why the settings want the record refused for a reference."""
    parent: str | None = None
    """Exact's ID of the row that it belongs to here, once that is resolved."""
    orphan: str | None = None
    """Why it has to wait for that row."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A row of a company, by our mirror of it."""

    id: str
    code: str | None
    values: Row
    modified_at: datetime | None = None
    """On Exact's clock."""


CopyState = Literal["new", "tied", "deferred", "refused", "held"]


@dataclass(frozen=True, slots=True)
class Copy:
    """The tie between a source record and a row of a company, and what we wrote to it."""

    source: SourceKey
    code: str
    """The source record's natural key when the row last bore it, or when the two were tied."""
    target_id: str | None = None
    """Exact's ID of the row; None while there is none."""
    baseline: Row = field(default_factory=dict)
    """Field → what we wrote last. An adopted row, of which we wrote nothing yet, has none."""
    written_at: datetime | None = None
    """On Exact's clock: the row's own Modified where the answer had it, else the latest that it can be."""
    matched_on: str | None = None
    """The rule that tied it at first contact; None if we created the row."""
    gone: Changes | None = None
    """None while its source record is there; after its deletion, what we changed in the row for it."""
    theirs: frozenset[str] = frozenset()
    """Fields that the target owns by `field_rules`, beside those of the rule `initial` that are as we wrote them."""
    adopted: frozenset[str] = frozenset()
    """Fields that the target owns because a person said so."""
    seen: Row = field(default_factory=dict)
    """Fields of the rule `target` → what the row held when it was last compared, where that is not what we wrote."""
    altered: frozenset[str] = frozenset()
    """Fields that somebody else changed after we wrote them, and before our last write."""
    state: CopyState = "new"
    kind: str | None = None
    reason: str | None = None
    refused: str | None = None
    """Digest of the change that Exact refused."""
    held_at: int | None = None
    """Version of the source record up to which an undone change is not repeated."""
    first_seen: datetime | None = None
    tries: int = 0
    next_try: datetime | None = None
    candidates: tuple[str, ...] = ()
    """IDs of the rows of which a person has to say which it is, if it is refused for that."""
    undone: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Field → a value that was taken back and is not written again, and the id of the run that had written it."""
    behind: tuple[str, ...] = ()
    """IDs of the rows that another one replaced, and that are still to be blocked."""

    def having(self, **values: Any) -> Copy:
        """Return the copy with these values; itself if it has them."""
        for name, value in values.items():
            if getattr(self, name) != value:
                return replace(self, **values)
        return self


@dataclass(frozen=True, slots=True)
class Holder:
    """Another copy that is tied to a row, or wants its code."""

    source: SourceKey
    name: str
    """How messages call its source record."""
    is_deleted: bool
    """Whether its source record was deleted."""
    copy: Copy | None = None
    """Its copy, which a source record that takes the row over inherits."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What people decided, or the rules found, of a source record that has no row yet."""

    row: Existing | None = None
    matched_on: str | None = None
    """The rule that found it."""
    refusal: Refuse | Skip | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is known where one source record meets one company."""

    copy: Copy | None = None
    tied: Existing | None = None
    """The row that the copy is tied to, if it is still there."""
    at_code: Existing | None = None
    """The row under the desired code, or the one that first contact found."""
    matched_on: str | None = None
    """The rule that found it, where it is not the code."""
    refusal: Refuse | Skip | None = None
    """What first contact came to, if that is an end."""
    holder: Holder | None = None
    """Whose copy the row under the desired code is, if it is another's."""
    rival: Holder | None = None
    """Another source record that wants the same code in this company, and has the better claim."""
    version: int = 0
    """Version of the source record."""
    last_seen: Row = field(default_factory=dict)
    """All that a deleted source record said before."""
    successor: Desired | None = None
    """Another source record with the code of this deleted one, which may take its row over."""


LoadMethod = Literal["upsert", "append-only", "update-only"]
Nulls = Literal["follow", "clear", "keep"]
OnCollision = Literal["refuse", "overwrite"]
OnCodeChange = Literal["refuse", "ignore", "block"]
OnSourceDeletion = Literal["ignore", "block", "delete"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings that decide on the records of one company."""

    load_method: LoadMethod = "upsert"
    nulls: Nulls = "follow"
    on_collision: OnCollision = "refuse"
    on_code_change: OnCodeChange = "refuse"
    on_source_deletion: OnSourceDeletion = "ignore"
    field_rules: Mapping[str, FieldRule] = field(default_factory=dict)
    match_on: tuple[str, ...] = ("Code",)
    """Rules by which a source record finds its row at first contact, in order."""

    def rule_of(self, name: str) -> FieldRule:
        """Return the rule of a field."""
        return self.field_rules.get(name) or self.field_rules.get("*") or "source"


@dataclass(frozen=True, slots=True)
class Create:
    """The code is free."""

    values: Row
    theirs: frozenset[str] = frozenset()
    """Fields that the target owns from now on."""


@dataclass(frozen=True, slots=True)
class Update:
    """These fields differ."""

    target_id: str
    changes: Changes
    action: Literal["update", "block"] = "update"
    matched_on: str | None = None
    """The rule that ties the row now, at first contact."""
    theirs: frozenset[str] = frozenset()
    """Fields that the target owns, in place of the copy's."""
    seen: Row = field(default_factory=dict)
    """In place of the copy's."""

    @property
    def values(self) -> Row:
        """What to send."""
        return {name: after for name, (_, after) in self.changes.items()}


@dataclass(frozen=True, slots=True)
class Replace:
    """What cannot be changed in a row changed at the source: the old row is blocked, and a new one made."""

    block: Update | None
    """None if it is blocked already."""
    create: Create
    creates_first: bool = False
    """Whether the old row is blocked only once the new one is there."""


@dataclass(frozen=True, slots=True)
class Delete:
    """The row goes as its source record did."""

    target_id: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing differs."""

    target_id: str | None
    """None if the row is to be another source record's copy: it is given up when that one takes it over."""
    matched_on: str | None = None
    theirs: frozenset[str] = frozenset()
    seen: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Writing it would be wrong."""

    kind: RefusedKind
    reason: str
    candidates: tuple[str, ...] = ()
    """IDs of the rows of which a person has to say which it is."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What it belongs to is not there yet."""

    kind: DeferredKind
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """The settings do not want it written."""

    kind: SkippedKind
    reason: str


Decision = Create | Update | Replace | Delete | Unchanged | Refuse | Skip | Wait
