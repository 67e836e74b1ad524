"""Singer records → source records in the spool; what can go nowhere is refused at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exactonline_client.entities import ACCOUNTS, MAIN_ROWS, Entity
from exactonline_client.entities.model import SOURCE_KEY
from mapper_exactonline.fan_out import source_key_of

from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.intake.validation import Checked, check, division_code, identity
from target_exactonline.planning.model import SourceKey, SourceRecord
from target_exactonline.reporting.checkpoints import Checkpoints
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import Recorder

DELETED_AT = "_sdc_deleted_at"
"""Singer's column for when a row was deleted at the source; the SDK takes it off a record on its way to a sink."""
MARKED = "_is_deleted"
"""What stands in its place there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record is in the input, so that a person finds it there."""

    stream: str
    """As the tap calls it, before any stream map."""
    number: int
    """Among the records of its stream, from 1."""
    version: int | None = None
    """Of a full reading of the stream, whose end is told by ACTIVATE_VERSION."""

    def __str__(self) -> str:
        return f"record {self.number} of the stream {self.stream}"


class Intake:
    """Takes in the records of one run."""

    def __init__(self, entity: Entity, spool: Spool, recorder: Recorder, checkpoints: Checkpoints) -> None:
        self._entity = entity
        self._spool = spool
        self._recorder = recorder
        self._checkpoints = checkpoints
        besides = frozenset(filter(None, (entity.anonymised, entity.first, *(MAIN_ROWS if entity is ACCOUNTS else ()))))
        free = (field.name for field in entity.declared if field.writable and not field.division_bound)
        companions = {name for name, one in entity.by_travelling_name.items() if not one.is_by_code}
        self._travelling = frozenset(free).union(entity.by_travelling_name) | besides
        self._writable = frozenset(entity.writable) | companions | besides
        self.sources: set[int] = set()
        """Companies that records came from, as far as they said."""
        self.fields: set[str] = set()
        """All fields that any record has."""
        self.left_out = 0
        """Records beyond the trial's `limit`."""
        self._taken: Counter[str] = Counter()

    def accept(self, stream: str, records: Iterable[tuple[Mapping[str, Any], Origin]], limit: int | None) -> None:
        """Take in records that settings fan out."""
        good = []
        for record, origin in records:
            if limit is not None and self._taken[stream] >= limit:
                self.left_out += 1
                continue
            self._taken[stream] += 1
            division, key = division_code(record.get("Division")), identity(record.get(self._entity.key))
            is_exacts = bool(division and key)
            checked = check(self._entity, record, self._travelling, is_exacts=is_exacts)
            if division:
                self.sources.add(division)
            if is_exacts and self._is_elsewhere(record):
                continue
            source = SourceKey(division or 0, key) if is_exacts else self._own_key(record, checked, division or 0)
            problems = _placed((*checked.problems, *self._problems(record, source)), origin)
            good.append((0, _source(source, record, checked, problems, origin), origin))
        self._put(good)

    def accept_addressed(self, records: Iterable[tuple[Mapping[str, Any], SourceKey | None, Origin]]) -> None:
        """Take in records that say which company they are for; each is its own source, unless it names another."""
        good = []
        for record, source, origin in records:
            division = division_code(record.get("Division"))
            checked = check(self._entity, record, self._writable, is_exacts=source is not None)
            problems = checked.problems if division else ("Division is " + _shown(record), *checked.problems)
            if division is None:
                self._refuse(None, checked.code, problems, origin)
                continue
            key = source or self._own_key(record, checked)
            problems = _placed((*problems, *self._problems(record, key)), origin)
            good.append((division, _source(key, record, checked, problems, origin), origin))
        self._put(good)

    def _own_key(self, record: Mapping[str, Any], checked: Checked, division: int = 0) -> SourceKey:
        """Return the key of a record that is of no Exact company: what people know it by, or what its tap calls it."""
        if self._entity.parent is None:
            return SourceKey(division, checked.code)
        key = identity(source_key_of(record, self._entity))
        return SourceKey(division, f"{checked.code}/{key}" if key and checked.code else "")

    def _problems(self, record: Mapping[str, Any], key: SourceKey) -> Sequence[str]:
        """Return what keeps a record of an entity that belongs to a parent from going to any company."""
        if self._entity.parent is None:
            return ()
        found = (
            [] if key.id else [f"{SOURCE_KEY} is empty; it tells one {self._entity.name} of an account from another"]
        )
        if self._is_elsewhere(record):
            found.append(f"It is the visit address of its {ACCOUNTS.name}, which is part of the {ACCOUNTS.name} itself")
        return found

    def _is_elsewhere(self, record: Mapping[str, Any]) -> bool:
        """Return whether a row is part of another one, or belongs to no account at all."""
        entity = self._entity
        if entity.parent is None or record.get(MARKED):
            return False
        is_no_accounts = entity.parent.field in record and not record[entity.parent.field]
        return is_no_accounts or (entity.elsewhere is not None and entity.elsewhere.has(record))

    def accept_deletions(self, keys: Iterable[SourceKey], target: int = 0) -> None:
        """Take in which source records were deleted; of those that were addressed to one company, its code too."""
        for key in keys:
            self._add([Incoming(self._checkpoints.number(), target, SourceRecord(key, "", {}, is_deleted=True))])

    def accept_fields(self, records: Sequence[SourceRecord]) -> None:
        """Take in some fields of source records that are known."""
        self._add([Incoming(self._checkpoints.number(), 0, one) for one in records])

    def activate(self, stream: str, version: int) -> None:
        """Take in that a stream was read in full: what did not come with this version is there no longer."""
        if not self.left_out:
            self._spool.activate(stream, version)

    def _put(self, records: Iterable[tuple[int, SourceRecord, Origin]]) -> None:
        good = []
        for target, record, origin in records:
            if not record.key.id:
                self._refuse(target or None, record.code, record.problems, origin)
                continue
            self.fields.update(record.values)
            good.append(Incoming(self._checkpoints.number(), target, record))
            if origin.version is not None:
                self._spool.see(origin.stream, origin.version, target, record.key)
        self._add(good)

    def _add(self, good: Sequence[Incoming]) -> None:
        for one in self._spool.put(good):
            self._checkpoints.expect(one.number, 0)  # it ends with the earlier record that it is part of now

    def _refuse(self, division: int | None, code: str, problems: Iterable[str], origin: Origin) -> None:
        reason = (
            f"{self._entity.title} {code or 'without a code'} in division {division or '?'}{_where(origin)}: "
            f"{'; '.join(problem.removesuffix(_where(origin)) for problem in problems)}. "
            "Not sent; correct it in the source and run again."
        )
        self._recorder.refuse(Result(division, code, Outcome.REFUSED, self._recorder.now(), "invalid", reason))


def _source(
    key: SourceKey, record: Mapping[str, Any], checked: Checked, problems: tuple[str, ...], origin: Origin
) -> SourceRecord:
    if record.get(MARKED) or record.get(DELETED_AT):
        return SourceRecord(key, checked.code, {}, is_deleted=True, stream=origin.stream)
    return SourceRecord(key, checked.code, checked.values, problems, stream=origin.stream)


def _placed(problems: Sequence[str], origin: Origin) -> tuple[str, ...]:
    """Return problems with the place of their record behind the last."""
    return (*problems[:-1], f"{problems[-1]}{_where(origin)}") if problems else ()


def _where(origin: Origin) -> str:
    return f" ({origin})"


def _shown(record: Mapping[str, Any]) -> str:
    value = record.get("Division")
    if value is None or not str(value).strip():
        return "empty"
    return f"{str(value)[:60]!r}, which is not the code of a division"
