"""Where the records of each stream go: batch in, source records in the spool out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from exactonline_client.entities import ACCOUNTS, CHILDREN, Entity
from exactonline_client.errors import ConfigurationError
from mapper_exactonline.streams import is_addressed, passed_over
from singer_sdk import BatchSink

from target_exactonline.addressing import Addressing
from target_exactonline.intake.intake import DELETED_AT, MARKED, Intake, Origin
from target_exactonline.intake.validation import division_code, identity
from target_exactonline.planning.model import SourceKey
from target_exactonline.planning.source_deletions import SourceDeletions
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.run import Run

SOURCE_MEMBERS = ("source", "source_record")
"""What a message of our mapping step says beside a copy: which record it comes from, and with the first one all of it.
Sinks find them in the record, under an underscore."""


class Host(Protocol):
    """What a sink needs of its target."""

    @property
    def run(self) -> Run:
        """The run that records go to."""

    @property
    def origin(self) -> Origin:
        """Of the record that is being read."""

    @property
    def is_marked(self) -> bool:
        """Whether the tap marks that record as deleted."""


class ExactSink(BatchSink):
    """What all streams have in common: no schema validation of each record, our own check says more for less time."""

    host: Host
    MAX_SIZE_DEFAULT = 500

    def __init__(self, target: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(target, *arguments, **options)
        self.host = target
        self.entity: Entity = CHILDREN.get(self.stream_name, ACCOUNTS)

    @property
    def intake(self) -> Intake:
        """What takes in the records of this stream."""
        return self.host.run.part(self.entity).intake

    def get_validator(self) -> None:  # noqa: D102 - inherits
        return None

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record  # dates stay the text that they are

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A record without its key is refused like any other that is wrong, not the end of the run."""

    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """Keep what says that the row was deleted, in the tap's record or in what a stream map made of it."""
        if self.host.is_marked or record.get(DELETED_AT):
            record[MARKED] = True
        super()._remove_sdc_metadata_from_record(record)

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        super().process_record(record, context)
        context.setdefault("origins", []).append(self.host.origin)

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        self.take(list(zip(context.get("records", ()), context.get("origins", ()), strict=True)))

    @abstractmethod
    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:
        """Do what this stream is for."""


class RecordsSink(ExactSink):
    """Records of accounts, or of what belongs to them, of which what is no property is passed over."""

    def setup(self) -> None:  # noqa: D102 - inherits
        if unused := passed_over(self.schema["properties"], self.entity):
            article = "an" if self.entity.name.startswith("a") else "a"
            note = f"{self.stream_name}: passed over, being no property of {article} {self.entity.name}: {unused}."
            self.logger.warning("%s", note)
            self.host.run.recorder.note(note)


class AddressedSink(RecordsSink):
    """Records that say which company they are for."""

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        self.intake.accept_addressed((record, source_key(record.get("_source")), origin) for record, origin in records)


class FanOutSink(RecordsSink):
    """Records that this target brings to every target company itself."""

    def setup(self) -> None:  # noqa: D102 - inherits
        super().setup()
        if not self.key_properties and "Division" in self.schema["properties"]:
            self.logger.warning(
                "The stream %s has no keys: its column Division is taken for where a record comes from. If it says "
                "where each goes, give it the keys %s, or leave out fan_out.",
                self.stream_name,
                _listed(self.entity.key_properties),
            )

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        self.intake.accept(self.stream_name, records, self.host.run.addressing.limit)


class CopiesSink(ExactSink):
    """Copies that our mapping step made: the first of each source record brings the record itself."""

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        found = []
        for record, origin in records:
            source = record.get("_source_record")
            if isinstance(source, Mapping):
                found.append((source, origin))
        self.intake.accept(self.stream_name, found, None)


class DivisionsSink(ExactSink):
    """Companies that the tap saw: where records may go."""

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        self.host.run.addressing.see(record for record, _ in records)


class SkippingSink(ExactSink):
    """A stream that is none of ours: counted, and left alone."""

    def setup(self) -> None:  # noqa: D102 - inherits
        self.logger.warning("The stream %s holds no accounts, so it is passed over.", self.stream_name)

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        recorder, reason = self.host.run.recorder, f"The stream {self.stream_name} holds no accounts."
        results = [Result(None, "", Outcome.SKIPPED, recorder.now(), "not_accounts", reason) for _ in records]
        for result in results:
            recorder.count(result)
        recorder.pass_on(results, [])


class DeletionsSink(ExactSink):
    """Deletions at the source, and what the settings want done with the copies."""

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        told = ({"Division": record.get("Division"), "ID": record.get("EntityKey")} for record, _ in records)
        keys = [key for one in told if (key := source_key(one)) is not None]
        if SourceDeletions.from_config(self.config).leaves_all:
            self.logger.info("%d accounts were deleted at the source; their copies stay.", len(keys))
        self.intake.accept_deletions(keys)


class ConnectionTestSink(ExactSink):
    """Meltano's own test stream: proves that the login works, and writes nothing."""

    def take(self, records: list[tuple[dict[str, Any], Origin]]) -> None:  # noqa: D102 - inherits
        self.host.run.test_connection()


def source_key(told: Any) -> SourceKey | None:
    """Return the source record that Division and ID name, or None if they name none."""
    if not isinstance(told, Mapping):
        return None
    division, key = division_code(told.get("Division")), identity(told.get("ID"))
    return SourceKey(division, key) if division and key else None


def sink_class(
    stream: str, properties: Mapping[str, Any], key_properties: list[str], addressing: Addressing
) -> type[ExactSink]:
    """Return the sink for a stream.

    Raises:
        ConfigurationError: Its records do not say where they go, and `fan_out` is not set; or it is not clear whether
            they are accounts.
    """
    reserved: dict[str, type[ExactSink]] = {
        "divisions": DivisionsSink,
        "deleted_accounts": DeletionsSink,
        "meltano_test_stream": ConnectionTestSink,
    }
    if stream in reserved:
        return reserved[stream]
    if addressing.are_copies(stream):
        return CopiesSink
    child = CHILDREN.get(stream)
    if child is None:
        is_taken = addressing.takes(stream, key_properties, properties)
    else:
        is_taken = addressing.takes_child(stream, properties)
    entity = child or ACCOUNTS
    if is_addressed(key_properties, entity):
        return AddressedSink
    if addressing.has_fan_out:
        return FanOutSink if is_taken else SkippingSink
    if not key_properties and properties.keys() >= set(entity.key_properties):
        return AddressedSink  # a file or a view has no keys to tell; see docs/decisions/0020
    raise ConfigurationError(
        f"The records of the stream {stream} do not say which division they are for: its keys are not "
        f"{_listed(entity.key_properties)}. Set fan_out to copy each record to every target division, or put the "
        "mapping step before."
    )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
