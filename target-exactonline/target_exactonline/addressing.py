"""Where the records of a run go, and what each company should hold of them: by settings of our own, or of the mapping
step before, which it sends along with its schema.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exactonline_client.divisions import ACTIVE, Division
from exactonline_client.entities import CHILDREN, Entity
from exactonline_client.errors import ConfigurationError
from exactonline_client.lists.policies import Policy
from mapper_exactonline.fan_out import FanOut, Seen, seen_division
from mapper_exactonline.streams import Streams, check_columns, is_addressed

from target_exactonline.planning.model import Desired, Rules, SourceRecord


class Addressing:
    """The fan-out of a run."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        own = config.get("fan_out")
        self._own = None if own is None else FanOut.from_config(own)
        self._fan_out = self._own
        self._streams = Streams(self._own.streams if self._own is not None else None)
        self._copied: set[str] = set()
        self._targets: dict[int | None, frozenset[int]] = {}
        self._seen: dict[int, Seen] = {}
        self.sources: set[int] | None = None
        """Companies that are read, as the streams say it; None where none does."""
        self.addresses = False
        """Whether any stream says of each record which company it is for."""

    @property
    def fans_out(self) -> bool:
        """Return whether records are brought to companies by settings of our own."""
        return self._own is not None

    @property
    def has_fan_out(self) -> bool:
        """Return whether any settings say where records go."""
        return self._fan_out is not None

    @property
    def limit(self) -> int | None:
        """Return to how many records of a stream a trial is limited."""
        return self._fan_out.limit if self._fan_out is not None else None

    def learn(self, stream: str, message: Mapping[str, Any]) -> None:
        """Take in what a SCHEMA message says beside the schema."""
        source, fan_out = message.get("source"), message.get("fan_out")
        if isinstance(source, Mapping) and isinstance(source.get("divisions"), list):
            self.sources = (self.sources or set()) | {int(code) for code in source["divisions"]}
        if isinstance(fan_out, Mapping):
            is_first, self._fan_out = self._fan_out is None, FanOut.from_config(fan_out)
            self._targets.clear()
            if is_first:
                self._streams = Streams(self._fan_out.streams)
            child = CHILDREN.get(stream)
            if child is not None and is_addressed(message.get("key_properties") or (), child):
                self._copied.add(stream)
            elif is_addressed(message.get("key_properties") or ()):
                self._copied.add(stream)
                self._streams.note(stream)

    def takes(self, stream: str, key_properties: Sequence[str], columns: Iterable[str]) -> bool:
        """Return whether a stream holds accounts.

        Raises:
            ConfigurationError: It is not clear whether it does, or its columns are called almost as properties are.
        """
        if is_addressed(key_properties) or not self.has_fan_out:
            check_columns(stream, columns)
            return True
        return self._streams.takes(stream, key_properties, columns)

    def takes_child(self, stream: str, columns: Iterable[str]) -> bool:
        """Return whether the records of a stream belong to accounts, which say to which."""
        return self._streams.takes_child(stream, columns)

    def are_copies(self, stream: str) -> bool:
        """Return whether the records of a stream are copies that our mapping step made."""
        return stream in self._copied

    def see(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Learn from the stream `divisions` where records may go."""
        self._seen.update(map(seen_division, records))
        self._targets.clear()

    def leave_out(self, unfit: Mapping[int, Division | None]) -> frozenset[int]:
        """Bring nothing to companies that are not active, or not there, where no setting names them; return those.

        One that Exact itself is at work in stays a target.
        """
        if self._fan_out is None or self._fan_out.names_targets:
            return frozenset()
        left = frozenset(code for code, one in unfit.items() if one is None or one.status != ACTIVE) & self._seen.keys()
        self._seen = {code: one for code, one in self._seen.items() if code not in left}
        self._targets.clear()
        return left

    def targets(self, source: int | None) -> frozenset[int]:
        """Return the codes of the companies that get what comes from a source company (0 or None: none of Exact's).

        Raises:
            ConfigurationError: Nothing is configured, and what was seen leaves nothing or contradicts a setting.
        """
        source = source or None
        if source not in self._targets:
            found = () if self._fan_out is None else self._fan_out.targets(source, self._seen)
            self._targets[source] = frozenset(found)
        return self._targets[source]

    def all_targets(self, sources: Iterable[int]) -> frozenset[int]:
        """Return the codes of all companies that anything of this run may go to."""
        if self._fan_out is None:
            return frozenset()
        try:
            read = {*sources, *(self.sources or ())} or {0}
            return frozenset().union(*map(self.targets, read))
        except ConfigurationError:
            if self._fan_out.names_targets:
                raise
            return frozenset()  # without the stream `divisions` nobody knows; a record that comes in would say so

    def wanted(self, entity: Entity) -> Wanted:
        """Return what the settings want of one entity."""
        return Wanted(self, entity)

    @property
    def fan_out(self) -> FanOut | None:
        """Return the settings that say where records go."""
        return self._fan_out

    @property
    def scope(self) -> str:
        """Return the name of the source records that this run plans for."""
        if self._fan_out is None:
            return "addressed"
        return ",".join(map(str, sorted(self.sources))) if self.sources is not None else "fan_out"


class Wanted:
    """What each company should hold of the records of one entity."""

    def __init__(self, addressing: Addressing, entity: Entity) -> None:
        self._addressing = addressing
        self.entity = entity
        named = entity.by_travelling_name
        self._companions = {name: one.field for name, one in named.items() if not one.is_by_code}
        self._of: tuple[FanOut, FanOut] | None = None

    @property
    def _fan_out(self) -> FanOut | None:
        fan_out = self._addressing.fan_out
        if fan_out is None:
            return None
        if self._of is None or self._of[0] is not fan_out:
            self._of = fan_out, fan_out.of(self.entity)
        return self._of[1]

    def desire(self, division: int, record: SourceRecord) -> Desired | None:
        """Return what a company should hold of a source record, or None if it is not wanted there."""
        if record.company:
            return self._addressed(record)
        fan_out = self._fan_out
        if fan_out is None or division not in self._addressing.targets(record.key.division):
            return None
        values = fan_out.values(record.values, division)
        self._without_false_flag(values)
        if not fan_out.travelling_references:
            return Desired(record.key, record.code, values, record.values, references_of=record.key.division)
        codes = fan_out.references(record.values, division)
        return Desired(
            record.key, record.code, values, record.values, references=codes, references_of=record.key.division
        )

    def _addressed(self, record: SourceRecord) -> Desired:
        """Return what a record wants that says itself which company it is for: its codes are those of that company."""
        values = {name: value for name, value in record.values.items() if name not in self._companions}
        self._without_false_flag(values)
        codes = {self._companions[name]: code for name, code in record.values.items() if name in self._companions}
        return Desired(record.key, record.code, values, record.values, references=codes)

    def _without_false_flag(self, values: dict[str, Any]) -> None:
        """Take off that a row is not the main one: that follows from another one's being it."""
        if self.entity.main is not None and not values.get(self.entity.main.flag):
            values.pop(self.entity.main.flag, None)

    @property
    def carries_main_rows(self) -> bool:
        """Return whether the settings want one row of each account to be its main one."""
        fan_out, main = self._fan_out, self.entity.main
        return fan_out is not None and main is not None and main.flag in fan_out.fields

    @property
    def policies(self) -> Mapping[str, Policy]:
        """Return what the settings want of references."""
        return self._fan_out.policies if self._fan_out is not None else {}

    @property
    def references(self) -> Sequence[str]:
        """Return the fields that travel as codes."""
        return self._fan_out.travelling_references if self._fan_out is not None else tuple(self._companions.values())

    @property
    def compared(self) -> frozenset[str]:
        """Return the fields that settings may write."""
        return self._fan_out.compared if self._fan_out is not None else frozenset()

    def rules(self, rules: Rules) -> Rules:
        """Return rules completed by those of the fan-out: who owns which field."""
        return rules if self._fan_out is None else replace(rules, field_rules=self._fan_out.field_rules)

    def digest(self, division: int, rules: Rules, lists: object = None) -> str:
        """Return a short text that changes with the settings that decide what a company should hold.

        Args:
            division: The company.
            rules: The settings that decide on its records.
            lists: What stands for the lists that its references are in.
        """
        shape = None if self._fan_out is None else self._fan_out.shape(division)
        decisive = [shape, rules.load_method, rules.nulls, rules.on_source_deletion, *([lists] if lists else [])]
        decisive += [rules.match_on] if rules.match_on != Rules().match_on else []
        text = json.dumps(decisive, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
