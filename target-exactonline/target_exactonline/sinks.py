"""Where the records of each stream go: batch in, wanted rows in the spool out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError
from mapper_exactonline.fan_out import KEY_PROPERTIES, is_addressed, source_of
from singer_sdk import BatchSink

from target_exactonline.intake import Copier
from target_exactonline.outcomes import Outcome
from target_exactonline.run import Run
from target_exactonline.sources import SOURCE, source_in
from target_exactonline.values import Origin, check_copies


class Host(Protocol):
    """What a sink needs of its target."""

    @property
    def run(self) -> Run:
        """The run that records go to."""

    @property
    def copier(self) -> Copier:
        """Copies records that do not say where they go."""

    @property
    def origin(self) -> Origin:
        """Of the record that is being read."""


class ExactSink(BatchSink):
    """What all streams have in common: no schema validation of each record, our own check says more for less time."""

    host: Host
    MAX_SIZE_DEFAULT = 500

    def __init__(self, target: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(target, *arguments, **options)
        self.host = target

    def get_validator(self) -> None:  # noqa: D102 - inherits
        return None

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record  # dates stay the text that they are

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A record without its key is refused like any other that is wrong, not the end of the run."""

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        self.take(context.get("records", []))

    def take(self, records: list[dict[str, Any]]) -> None:
        """Do what this stream is for."""
        raise NotImplementedError


class AddressedSink(ExactSink):
    """Records that say where they go: checked, and put into the spool."""

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        super().process_record(record, context)
        context.setdefault("origins", []).append(self.host.origin)

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        records = zip(context.get("records", ()), context.get("origins", ()), strict=True)
        self.host.run.intake.accept(
            self.stream_name,
            (one for record, origin in records for one in check_copies(ACCOUNTS, self.addressed(record), origin)),
        )

    def addressed(self, record: dict[str, Any]) -> Iterable[Mapping[str, Any]]:
        """What becomes of a record, each with its division."""
        return (record,)


class FanOutSink(AddressedSink):
    """Records that this target copies to every target division itself."""

    def setup(self) -> None:  # noqa: D102 - inherits
        if not self.key_properties and "Division" in self.schema["properties"]:
            self.logger.warning(
                "The stream %s has no keys: its column Division is taken for where a record comes from. If it says "
                "where each goes, give it the keys Division and Code, or leave out fan_out.",
                self.stream_name,
            )

    def process_batch(self, context: dict[str, Any]) -> None:  # noqa: D102 - inherits
        super().process_batch(context)
        self.host.run.sources |= self.host.copier.sources

    def addressed(self, record: dict[str, Any]) -> Iterable[Mapping[str, Any]]:  # noqa: D102 - inherits
        source = source_of(record)
        return ({**copy, SOURCE: source} for copy in self.host.copier.copies(self.stream_name, record))


class DivisionsSink(ExactSink):
    """Divisions that the tap saw: where copies may go."""

    def take(self, records: list[dict[str, Any]]) -> None:  # noqa: D102 - inherits
        self.host.copier.see(records)


class SkippingSink(ExactSink):
    """A stream that is none of ours: counted, and left alone."""

    def setup(self) -> None:  # noqa: D102 - inherits
        self.logger.warning("The stream %s has no property Code, so it is skipped.", self.stream_name)

    def take(self, records: list[dict[str, Any]]) -> None:  # noqa: D102 - inherits
        for _ in records:
            self.host.run.tally.receive(None)
            self.host.run.ledger.never_addressed(
                None, "", Outcome.SKIPPED, f"The stream {self.stream_name} holds no accounts."
            )


class DeletionsSink(ExactSink):
    """Deletions at the source, and what the settings want done with the copies."""

    def take(self, records: list[dict[str, Any]]) -> None:  # noqa: D102 - inherits
        keys = ({"Division": record.get("Division"), "ID": record.get("EntityKey")} for record in records)
        self.host.run.depart([source for key in keys if (source := source_in(key)) is not None])


class ConnectionTestSink(ExactSink):
    """Meltano's own test stream: proves that the login works, and writes nothing."""

    def take(self, records: list[dict[str, Any]]) -> None:  # noqa: D102 - inherits
        self.host.run.test_connection()


def sink_class(
    stream: str, properties: Mapping[str, Any], key_properties: list[str], *, fans_out: bool
) -> type[ExactSink]:
    """The sink for a stream.

    Raises:
        ConfigurationError: Its records do not say where they go, and `fan_out` is not set.
    """
    reserved: dict[str, type[ExactSink]] = {
        "divisions": DivisionsSink,
        "deleted_accounts": DeletionsSink,
        "meltano_test_stream": ConnectionTestSink,
    }
    if stream in reserved:
        return reserved[stream]
    if is_addressed(key_properties):
        return AddressedSink
    if fans_out:
        return FanOutSink if "Code" in properties else SkippingSink
    if not key_properties and properties.keys() >= set(KEY_PROPERTIES):
        return AddressedSink  # a file or a view has no keys to tell; see docs/decisions/0020
    raise ConfigurationError(
        f"The records of the stream {stream} do not say which division they are for: its keys are not Division "
        "and Code. Set fan_out to copy each record to every target division, or put the mapping step before."
    )
