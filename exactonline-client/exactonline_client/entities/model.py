"""The form of an entity's declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import cached_property
from typing import Any, Literal

Edm = Literal[
    "Binary",
    "Boolean",
    "Byte",
    "Collection",
    "DateTime",
    "Double",
    "Guid",
    "Int16",
    "Int32",
    "Int64",
    "String",
]


class Trait(Flag):
    """What is special about a field."""

    READ_ONLY = auto()
    """Exact fills it and drops it, without an error, from what is sent."""
    DIVISION_BOUND = auto()
    """Its value means something in its own division only; never carried to another one."""
    SAFE_TO_COPY = auto()
    """Means the same in every division."""
    RETIRED = auto()
    """Exact calls it obsolete."""
    UNDOCUMENTED = auto()
    """Seen in answers, missing from the reference; not asked for by name."""
    FILTERABLE = auto()
    """May stand in a `$filter` of the single and bulk endpoints."""
    DAY = auto()
    """A day of the calendar, which Exact keeps as midnight on the division's clock; not an instant."""
    PERSONAL = auto()
    """Says who a person is or where to reach them; cleared in the copies of an anonymised row."""
    OVERWRITES = auto()
    """Sending it changes another field as well, which says the same; so it is never sent."""
    SENSITIVE = auto()
    """Not read unless somebody selects it by name."""
    COMPACT = auto()
    """Text in which blanks and case mean nothing."""
    COMPANION = auto()
    """No property of Exact's: the code of the row that another field names by its GUID."""


NOTHING_SPECIAL = Trait(0)

DIVISION = "Division"
SOURCE_KEY = "SourceKey"
"""The text by which a record that belongs to a parent is known: the source's ID, or what a foreign tap keeps stable."""


@dataclass(frozen=True, slots=True)
class Field:
    """One property of an entity, under Exact's own name."""

    name: str
    edm: Edm
    description: str
    traits: Trait = NOTHING_SPECIAL
    width: int | None = None
    """Exact pads the text with spaces on the left to this many characters, on the wire and in filters."""

    @property
    def writable(self) -> bool:
        """Whether a create or update may carry it. The key itself is Exact's to give."""
        is_ours = not self.traits & (Trait.READ_ONLY | Trait.OVERWRITES)
        return is_ours and self.name != "ID" and self.edm != "Collection"

    @property
    def division_bound(self) -> bool:
        """Whether its value means something in its own division only."""
        return Trait.DIVISION_BOUND in self.traits

    @property
    def safe_to_copy(self) -> bool:
        """Whether its value means the same in every division."""
        return Trait.SAFE_TO_COPY in self.traits

    @property
    def is_compact(self) -> bool:
        """Whether blanks and case mean nothing in it."""
        return Trait.COMPACT in self.traits

    @property
    def is_day(self) -> bool:
        """Whether its value is a day of the calendar."""
        return Trait.DAY in self.traits


@dataclass(frozen=True, slots=True)
class Reference:
    """A field whose value names a row of its own company, in a list or of the same entity."""

    field: str
    list: str
    """Stream of the rows that it may name."""
    travels_as: str
    """The field that carries the row's code from company to company: the same one if Exact itself keeps the code."""
    slot: int = 0
    """Which of several lists of one kind, where codes are unique in each; 0 where there is one."""

    @property
    def is_by_code(self) -> bool:
        """Whether Exact keeps the code of the row, and not its GUID."""
        return self.travels_as == self.field


@dataclass(frozen=True, slots=True)
class MainRow:
    """Which row of a parent is its main one; only the parent can be told."""

    flag: str
    """Read-only, in the row."""
    field: str
    """Of the parent, which names the row."""


Likeness = Literal["number", "vat", "email", "phone", "website"]
"""How two values of a field are compared to see whether they identify one party."""


@dataclass(frozen=True, slots=True)
class Role:
    """Something that a party is to a company."""

    name: str
    field: str
    value: object
    """The field's value for those who have the role."""


@dataclass(frozen=True, slots=True)
class IdentityRule:
    """The fields that tell one party from another."""

    name: str
    evidence: Mapping[str, Likeness]
    """Fields of which one that agrees is enough."""
    decisive: tuple[str, ...] = ()
    """Of these, the numbers that a register gives: two different ones under two names are two parties."""
    country: str | None = None
    """The field whose country completes telephone and VAT numbers that lack one."""
    postcode: str | None = None
    address_lines: tuple[str, ...] = ()
    """Lines of the address; the first one with a number holds the house number."""
    roles: tuple[Role, ...] = ()
    """A party with only one of them is not the party with only another."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """The fields by which a row is taken out of use; not every entity has both."""

    flag: str | None
    last_day: str | None

    @property
    def fields(self) -> frozenset[str]:
        """Their names."""
        return frozenset(filter(None, (self.flag, self.last_day)))


@dataclass(frozen=True, slots=True)
class SameRow:
    """What rows of one parent have in common that are the same thing in two companies."""

    fields: tuple[str, ...]
    also: str | None = None
    """The field that decides between several such rows."""
    where: str | None = None
    """Only rows in which this flag is set."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Rows that are part of another one, which carries them."""

    field: str
    value: object
    flag: str

    def has(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is one of them."""
        return row.get(self.field) == self.value and bool(row.get(self.flag))


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of row that Exact holds in each division; there is one declaration of each."""

    name: str
    """What a person calls one of them, for messages."""
    path: str
    """Single endpoint below the division: 60 rows a page, read and write."""
    docs: str
    """Exact's own page on it."""
    declared: Iterable[Field]
    stream: str = ""
    """Name of its stream, and of its rows in stores and outcomes."""
    key: str = "ID"
    natural_key: str | None = None
    """The field that people know a row by; unique in a division."""
    required: tuple[str, ...] = ()
    """Fields without which Exact refuses a create."""
    bulk_path: str | None = None
    """Read-only, 1000 rows a page, `$select` mandatory."""
    sync_path: str | None = None
    """Read-only, 1000 rows a page, by row version."""
    is_of_a_company: bool = True
    """Whether its rows belong to the company in the path, so that one of another company is a wrong answer."""
    deleted_type: int | None = None
    """EntityType of this entity in the deletion log."""
    identity: IdentityRule | None = None
    """None: rows with one natural key are one party."""
    blocking: Blocking | None = None
    """None: a row cannot be blocked."""
    anonymised: str | None = None
    """The field that says that a row was anonymised."""
    travel_together: Mapping[str, str] = field(default_factory=dict)
    """Field → the filled field that Exact wants in the same call when the first one changes."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """By field: what names a row of the same company, and travels as its code."""
    parent: Reference | None = None
    """What each row belongs to, and travels with always; None: rows stand for themselves."""
    same_row: tuple[SameRow, ...] = ()
    """How a row that belongs to a parent is found at first contact, in order."""
    one_of: tuple[str, ...] = ()
    """Fields of which Exact wants one at least for a create."""
    never_changes: tuple[str, ...] = ()
    """Fields that stay as they were created: another value is another row."""
    elsewhere: Elsewhere | None = None
    """Rows that are not written here."""
    main: MainRow | None = None
    first: str | None = None
    """The flag of those among the rows of a parent that have to be there before the others."""
    last: str | None = None
    """The flag of those that have to be written after the others."""
    is_never_deleted: bool = False
    """Whether other rows hang on its rows, so that they are blocked in place of being deleted."""

    @property
    def title(self) -> str:
        """Its name at the beginning of a sentence."""
        return self.name.capitalize()

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """All fields by name, in the order of declaration."""
        return {field.name: field for field in self.declared}

    @cached_property
    def writable(self) -> tuple[str, ...]:
        """Names that a create may carry, in order. The natural key is left out of updates."""
        return tuple(self.writable_fields)

    @cached_property
    def writable_fields(self) -> Mapping[str, Field]:
        """Fields that a create may carry, by name."""
        return {field.name: field for field in self.declared if field.writable}

    @cached_property
    def safe_to_copy(self) -> tuple[str, ...]:
        """Names that mean the same in every division, in order."""
        return tuple(field.name for field in self.declared if field.safe_to_copy)

    @cached_property
    def by_travelling_name(self) -> Mapping[str, Reference]:
        """References by the name of the field that carries the code."""
        return {one.travels_as: one for one in self.references.values()}

    @cached_property
    def personal(self) -> frozenset[str]:
        """Names of the fields that say who a person is or where to reach them."""
        return frozenset(field.name for field in self.declared if Trait.PERSONAL in field.traits)

    @cached_property
    def selectable(self) -> tuple[str, ...]:
        """Names that may stand in a `$select`, in order."""
        return tuple(
            field.name
            for field in self.declared
            if field.edm != "Collection" and not field.traits & (Trait.UNDOCUMENTED | Trait.COMPANION)
        )

    @cached_property
    def known_by(self) -> str:
        """The member by which people know one of its records: its natural key, or its parent's."""
        return self.parent.travels_as if self.parent is not None else self.natural_key or self.key

    @cached_property
    def key_properties(self) -> tuple[str, ...]:
        """What addresses one of its records to a company: the division, and what it is called there."""
        if self.parent is None:
            return (DIVISION, self.known_by)
        return (DIVISION, self.known_by, SOURCE_KEY)
