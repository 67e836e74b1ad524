"""One record in, one copy per target division out. Pure: no Singer library, no I/O.

The laws, each held by a property test:

- There is one copy per target division, in the order of the targets, and none for the division it came from.
- A copy holds `Division`, `Code` (`AccountCode` and `SourceKey` where it belongs to an account), the fields that travel
  and the constants of its division, and nothing else; what the record lacks, its copies lack. What refers to a row of
  its own company travels as the code of that row, never as its GUID.
- The addressed schema describes every property of every copy.
- What is read is never changed, and what is addressed is never addressed again.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

from exactonline_client.entities import ACCOUNTS, CHILDREN, MAIN_ROWS, Entity
from exactonline_client.entities.model import SOURCE_KEY
from exactonline_client.errors import ConfigurationError
from exactonline_client.lists.policies import Policy, policies

from mapper_exactonline import settings
from mapper_exactonline.settings import KEY_PROPERTIES, SETTINGS

__all__ = ["KEY_PROPERTIES", "SETTINGS", "FanOut", "seen_division", "source_division", "source_of"]

DIVISIONS_STREAM: Final = "divisions"
_WILD: Final = re.compile(r"[*?\[]")
ACTIVE: Final = 1  # Status of a division in system/Divisions: 0 inactive, 1 active, 2 archived


@dataclass(frozen=True, slots=True)
class Seen:
    """A company in the stream `divisions`."""

    status: int
    name: str = ""
    country: str = ""


def seen_division(record: Mapping[str, Any]) -> tuple[int, Seen]:
    """Code of a division, and what is known of it, from a record of the stream `divisions`."""
    try:
        name, country = (str(record.get(member) or "").strip() for member in ("Description", "Country"))
        return int(record["Code"]), Seen(int(record["Status"]), name, country)
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "The stream `divisions` must carry Code and Status, to tell which divisions are active. "
            "Select both in the tap, or set target_divisions."
        ) from None


def source_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Division and ID of the account that a record is, as its copies name their source; empty if it does not say."""
    division, account_id = source_division(record), record.get("ID")
    return {"Division": division, "ID": account_id} if division is not None and account_id else {}


def source_key_of(record: Mapping[str, Any], entity: Entity) -> str | None:
    """The text by which a record that belongs to an account is known: its own, or Exact's ID."""
    return str(record.get(SOURCE_KEY) or record.get(entity.key) or "") or None


def source_division(record: Mapping[str, Any]) -> int | None:
    """The division that a record comes from, if it says so."""
    return settings.positive_integer(record.get("Division"))


@dataclass(frozen=True, slots=True)
class FanOut:
    """Where copies go and what they hold."""

    target_divisions: tuple[int, ...] | None
    """None, without target_names: every active division seen but the source's own."""
    exclude_divisions: frozenset[int]
    fields: tuple[str, ...]
    overrides: Mapping[int, Mapping[str, Any]]
    limit: int | None
    target_names: tuple[str, ...] = ()
    exclude_names: tuple[str, ...] = ()
    countries: frozenset[str] | None = None
    streams: tuple[str, ...] | None = None
    """None: accounts, or the only stream that has a Code."""
    field_rules: Mapping[str, settings.FieldRule] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """Of references, by field."""
    entity: Entity = ACCOUNTS
    """What it fans out."""
    fields_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields that travel of what belongs to accounts, by stream."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FanOut:
        """Read the settings of the mapping step.

        Raises:
            ConfigurationError: A setting is wrong; the sentence names it, its value and what to do.
        """
        settings.check_names(config)
        get = config.get
        fan_out = cls(
            target_divisions=settings.division_codes("target_divisions", get("target_divisions")),
            exclude_divisions=frozenset(settings.division_codes("exclude_divisions", get("exclude_divisions")) or ()),
            fields=settings.field_names(get("fields")),
            fields_of={stream: settings.field_names(get("fields"), entity) for stream, entity in CHILDREN.items()},
            overrides=settings.constants(get("overrides")),
            limit=settings.count("limit", get("limit")),
            target_names=settings.patterns("target_names", get("target_names"), may_be_empty=False),
            exclude_names=settings.patterns("exclude_names", get("exclude_names")),
            countries=settings.countries(get("countries")),
            streams=settings.stream_names(get("streams")),
            field_rules=settings.field_rules(get("field_rules")),
            policies=policies(ACCOUNTS, get("references")),
        )
        fan_out._check()
        return fan_out

    def of(self, entity: Entity) -> FanOut:
        """The same settings for the records of another entity, which have no constants and no references."""
        if entity is self.entity:
            return self
        rules = {name: rule for name, rule in self.field_rules.items() if name == settings.ALL}
        flags = (entity.main.flag,) if entity.main is not None and entity.main.field in self.fields else ()
        fields = (*self.fields_of[entity.stream], *flags)
        return replace(self, entity=entity, fields=fields, overrides={}, field_rules=rules, policies={})

    def address(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of the copies, from that of the records."""
        offered: Mapping[str, Any] = schema.get("properties", {})
        division, *others = self.entity.key_properties
        properties: dict[str, Any] = {division: {"type": "integer"}, **{name: {"type": "string"} for name in others}}
        properties |= {name: deepcopy(offered[name]) for name in self._travelling(offered)}
        for constants in self.overrides.values():
            for name in constants:
                properties[name] = _widened(properties.get(name, {"type": []}), settings.json_type(name))
        return {"type": "object", "properties": properties, "required": list(self.entity.key_properties)}

    def targets(self, source: int | None, seen: Mapping[int, Seen]) -> tuple[int, ...]:
        """The divisions that get a copy of what comes from `source`: as configured, else by ascending code.

        Args:
            source: The division that the records come from, if they say so.
            seen: The divisions in the stream `divisions`, by code.

        Raises:
            ConfigurationError: Nothing is configured, and what was seen leaves nothing or contradicts a setting.
        """
        if self.target_divisions is not None and self.names_targets:
            return tuple(division for division in self.target_divisions if division != source)
        self._check_seen(seen)
        left_out, named = self.exclude_divisions | {source}, self.target_divisions or ()
        found = [code for code in sorted(seen) if code not in named and self._is_target(seen[code])]
        reached = tuple(code for code in (*named, *found) if code not in left_out and self._is_wanted(seen.get(code)))
        if not reached:
            raise ConfigurationError(
                f"{self._chosen_by}, and of the divisions seen ({_listed(seen)}) none is active, not excluded "
                "and other than the source. Set target_divisions, or give these credentials more divisions."
            )
        return reached

    def _is_target(self, seen: Seen) -> bool:
        """Whether a division is chosen that target_divisions does not name."""
        if seen.status != ACTIVE:
            return False
        return _matches(seen.name, self.target_names) if self._names_some else True

    def _is_wanted(self, seen: Seen | None) -> bool:
        """Whether nothing excludes a division that is chosen."""
        if seen is None:
            return True
        if self.countries is not None and seen.country.upper() not in self.countries:
            return False
        return not _matches(seen.name, self.exclude_names)

    def copies(self, record: Mapping[str, Any], targets: Sequence[int]) -> Iterator[dict[str, Any]]:
        """One copy of the record per target, never for the division that it comes from."""
        source = source_division(record)
        common: dict[str, Any] = {}
        if (known_by := self.entity.known_by) in record:
            common[known_by] = str(code) if isinstance(code := record[known_by], int) else code
        if self.entity.parent is not None:
            common[SOURCE_KEY] = source_key_of(record, self.entity)
        for name in self._travelling(record):
            common[name] = record[name]
        codes = self._codes(record)
        for division in targets:
            if division == source:
                continue
            constants = self.overrides.get(division, {})
            copy = {"Division": division, **common, **constants}
            for name, code in codes.items():
                travels_as = self.entity.references[name].travels_as
                if name not in constants:
                    copy[travels_as] = self._mapped(name, division, code)
                elif travels_as != name:
                    del copy[travels_as]
            yield copy

    def values(self, record: Mapping[str, Any], division: int) -> dict[str, Any]:
        """What a division should hold of a record: the fields that travel, and the constants of the division."""
        names = self._travelling(record)
        common = {name: record[name] for name in names if name not in self.entity.by_travelling_name}
        return {**common, **self.overrides.get(division, {})}

    def references(self, record: Mapping[str, Any], division: int) -> dict[str, str | None]:
        """The references of a record that a division should hold, as codes of the source; None for an empty one."""
        constants = self.overrides.get(division, {})
        return {name: code for name, code in self._codes(record).items() if name not in constants}

    @property
    def travelling_references(self) -> tuple[str, ...]:
        """The references among the fields that travel."""
        return _references_among(self.entity, self.fields)

    def shape(self, division: int) -> object:
        """What decides on the content of a division's copies, in types that JSON has."""
        policies = {name: one.in_company(division) for name, one in self.policies.items() if name in self.fields}
        return [self.fields, self.overrides.get(division, {}), sorted(self.field_rules.items()), policies]

    @property
    def names_targets(self) -> bool:
        """Whether the settings name the targets by code, so that nobody has to see them."""
        by_what_is_seen = self.target_names or self.exclude_names or self.countries is not None
        return self.target_divisions is not None and not by_what_is_seen

    @property
    def _names_some(self) -> bool:
        """Whether the settings name targets, by code or by name."""
        return self.target_divisions is not None or bool(self.target_names)

    @property
    def _chosen_by(self) -> str:
        """How the targets are chosen, as the begin of a sentence."""
        if self.target_names or self.countries is not None:
            setting = "target_names" if self.target_names else "countries"
            return f"{setting}: {', '.join(self.target_names or sorted(self.countries or ()))}"
        return "target_divisions: not set"

    @property
    def compared(self) -> frozenset[str]:
        """All fields that copies may hold."""
        return frozenset(self.fields).union(*self.overrides.values())

    def _travelling(self, present: Container[str]) -> list[str]:
        """The fields that can travel of those present: a State only beside its Country, references as codes."""
        names = _travelling_names(self.entity, self.fields)
        return [name for name in names if name in present and (name != "State" or "Country" in present)]

    def _codes(self, record: Mapping[str, Any]) -> dict[str, str | None]:
        """Reference → its code, of those that travel and the record has."""
        found: dict[str, str | None] = {}
        for name in self.travelling_references:
            travels_as = self.entity.references[name].travels_as
            if travels_as in record:
                code = record[travels_as]
                found[name] = None if code is None or not str(code).strip() else str(code).strip()
        return found

    def _mapped(self, name: str, division: int, code: str | None) -> str | None:
        policy = self.policies.get(name)
        mapped = policy.mapped(division, code) if policy is not None and code is not None else None
        return code if mapped is None else mapped

    def _check(self) -> None:
        """Refuse settings that contradict each other."""
        if self.target_divisions == ():
            raise ConfigurationError(
                "target_divisions: the list is empty. Name at least one division, or leave the setting out to reach "
                "every active one."
            )
        chosen = frozenset(self.target_divisions or ())
        is_all = bool(chosen) and not self.target_names
        if both := chosen & self.exclude_divisions:
            raise ConfigurationError(
                f"exclude_divisions: {_listed(both)} is also in target_divisions. Take it off one of the two."
            )
        never = self.overrides.keys() - chosen if is_all else self.overrides.keys() & self.exclude_divisions
        if never:
            raise ConfigurationError(
                f"overrides: {_listed(never)} is not a target division. Add it to the targets, or take it off."
            )
        for division, constants in self.overrides.items():
            alone = {"Country", "State"} & constants.keys()
            if len(alone) == 1 and ("State" in alone or "State" in self.fields):
                raise ConfigurationError(
                    f"overrides of {division}: {alone.pop()} stands alone, but Country and State travel together. "
                    "Set both; State may be null."
                )

    def _check_seen(self, seen: Mapping[int, Seen]) -> None:
        """Refuse to go by what was seen when that is nothing, or lacks a division that a setting names."""
        if not seen:
            raise ConfigurationError(
                f"{self._chosen_by}, and no divisions were seen. Set target_divisions, or select the tap's stream "
                "`divisions`."
            )
        known_by_code: list[tuple[str, Iterable[int]]] = [
            ("exclude_divisions", self.exclude_divisions),
            ("overrides", self.overrides.keys()),
        ]
        if self.exclude_names or self.countries is not None:
            known_by_code.append(("target_divisions", self.target_divisions or ()))
        for setting, codes in known_by_code:
            if unknown := set(codes) - seen.keys():
                raise ConfigurationError(
                    f"{setting}: {_listed(unknown)} is not among the divisions seen ({_listed(seen)}). "
                    "Correct it or take it off."
                )
        for pattern in self.target_names:
            if not _WILD.search(pattern) and not any(_matches(one.name, (pattern,)) for one in seen.values()):
                names = ", ".join(sorted(one.name for one in seen.values()))
                raise ConfigurationError(
                    f"target_names: no division seen is called {pattern!r}. Correct it or take it off. Seen: {names}."
                )


@lru_cache(maxsize=16)
def _references_among(entity: Entity, fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in fields if name in entity.references)


@lru_cache(maxsize=16)
def _travelling_names(entity: Entity, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which fields travel: references as their codes."""
    references, others = entity.references, MAIN_ROWS if entity is ACCOUNTS else {}
    own = (name for name in fields if name not in others)  # what belongs to an account says which is its main one
    return tuple(references[name].travels_as if name in references else name for name in own)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is of one of these patterns; case does not matter."""
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)


def _widened(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """The schema of a property that may also hold a constant of this JSON type, or null."""
    if "type" not in schema:
        return schema
    types = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    return {**schema, "type": list(dict.fromkeys([*types, kind, "null"]))}


def _listed(codes: Iterable[int]) -> str:
    return ", ".join(str(code) for code in sorted(codes))
