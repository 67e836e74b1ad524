"""The mapping step as a Singer mapper: accounts and what belongs to them in, one copy per target division out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar

from exactonline_client.entities import ACCOUNTS, CHILDREN, Entity
from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.plugin import PlainErrors
from singer_sdk import InlineMapper
from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.singerlib.messages import Message

from mapper_exactonline.fan_out import (
    DIVISIONS_STREAM,
    SETTINGS,
    FanOut,
    Seen,
    seen_division,
    source_division,
    source_of,
)
from mapper_exactonline.pipe import LineReader, LineWriter, Verbatim
from mapper_exactonline.streams import RESERVED_STREAMS, Streams, is_addressed, passed_over

Content = dict[str, Any]
DELETED_AT = "_sdc_deleted_at"
"""Singer's column for when a row was deleted at the source, which goes with each copy."""


@dataclass(slots=True)
class Tally:
    """What became of the records of one stream that is copied."""

    fan_out: FanOut
    read: int = 0
    copies: int = 0
    left_out: int = 0


class MapperExactOnline(PlainErrors, InlineMapper):
    """Copies each account, and what belongs to it, to every target division."""

    name = "mapper-exactonline"
    package_name = "exactonline-mapper"
    expected_errors = (ExactError, InvalidInputLine)
    config_jsonschema: ClassVar[Content] = {"type": "object", "properties": SETTINGS}
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        self._writer = LineWriter()
        self._reader = LineReader(before_wait=self._writer.flush)
        self._seen: dict[int, Seen] = {}
        self._targets: dict[int | None, tuple[int, ...]] = {}
        self._tallies: dict[str, Tally] = {}
        super().__init__(message_reader=self._reader, message_writer=self._writer, **kwargs)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Judge the settings as the target does too, in sentences; JSON Schema only describes them here."""
        self._fan_out = FanOut.from_config(self.config)
        self._streams = Streams(self._fan_out.streams)
        return []

    def map_schema_message(self, message_dict: Content) -> Iterator[Message]:
        """The schema of the copies, for a stream that is copied; else the message as it came.

        Raises:
            ConfigurationError: It is not clear which streams hold accounts. The message is passed on before, so that
                our target stops for the same reason and writes nothing.
        """
        stream, keys = message_dict["stream"], message_dict.get("key_properties") or []
        properties = message_dict["schema"].get("properties", {})
        settings = {name: self.config[name] for name in SETTINGS if self.config.get(name) is not None}
        try:
            entity = self._entity_of(stream, keys, properties)
        except ConfigurationError:
            yield Verbatim({**message_dict, "fan_out": settings})
            raise
        if entity is None:
            is_passed = is_addressed(keys, CHILDREN.get(stream, ACCOUNTS))
            if is_passed:
                self.logger.warning("%s is addressed already and passes unchanged.", stream)
            self._tallies.pop(stream, None)
            is_told = stream not in RESERVED_STREAMS and not is_passed
            yield Verbatim({**message_dict, "fan_out": settings} if is_told else message_dict)
            return
        if "Division" not in properties:
            self.logger.warning(
                "%s does not say which division it comes from, so copies may go back there. "
                "Select Division in the tap, or set target_divisions.",
                stream,
            )
        if unused := passed_over(properties, entity):
            article = "an" if entity.name.startswith("a") else "a"
            self.logger.warning(
                "%s: passed over, being no property of %s %s: %s.", stream, article, entity.name, unused
            )
        fan_out = self._fan_out.of(entity)
        self._tallies.setdefault(stream, Tally(fan_out))
        schema = fan_out.address(message_dict["schema"])
        if DELETED_AT in properties:
            schema["properties"][DELETED_AT] = properties[DELETED_AT]
        yield Verbatim(
            {
                **message_dict,
                "fan_out": settings,
                "schema": schema,
                "key_properties": entity.key_properties,
                "bookmark_properties": [],
            }
        )

    def map_record_message(self, message_dict: Content) -> Iterator[Message]:
        """One message per target division, for a stream that is copied; else the message as it came."""
        stream, record = message_dict["stream"], message_dict["record"]
        tally = self._tallies.get(stream)
        if tally is None:
            if stream == DIVISIONS_STREAM:
                self._see(record)
            yield Verbatim(message_dict)
        elif tally.read == self._fan_out.limit:
            self._leave_out(stream, tally)
        else:
            tally.read += 1
            source = source_of(record)
            told = {"source": source, "source_record": record}  # with the first copy: what is to be remembered
            for copy in tally.fan_out.copies(record, self._targets_of(record)):
                tally.copies += 1
                if DELETED_AT in record:
                    copy[DELETED_AT] = record[DELETED_AT]
                    copy.setdefault(tally.fan_out.entity.known_by, "")  # not every tap knows it of a deleted row
                yield Verbatim({**message_dict, **told, "record": copy})
                told = {"source": source}

    def map_state_message(self, message_dict: Content) -> Iterator[Message]:
        """The message as it came, unless it would acknowledge records that the limit left out."""
        if not any(tally.left_out for tally in self._tallies.values()):
            yield Verbatim(message_dict)

    def map_activate_version_message(self, message_dict: Content) -> Iterator[Message]:
        """The message as it came, unless it would make a target delete what the limit left out."""
        tally = self._tallies.get(message_dict["stream"])
        if tally is None or not tally.left_out:
            yield Verbatim(message_dict)

    def map_batch_message(self, message_dict: Content) -> Iterator[Message]:
        """The message as it came, unless its stream is copied."""
        if message_dict["stream"] in self._tallies:
            raise ConfigurationError(
                f"{message_dict['stream']} comes as BATCH files, which cannot be copied. Take batch_config off the tap."
            )
        yield Verbatim(message_dict)

    def process_endofpipe(self) -> None:
        """Pass on what is pending and say what became of the records."""
        self._writer.flush()
        for stream, tally in self._tallies.items():
            self.logger.info(
                "%s: %d records read, %d copies passed on, %d records left out",
                stream,
                tally.read + tally.left_out,
                tally.copies,
                tally.left_out,
            )

    def _entity_of(self, stream: str, keys: Sequence[str], columns: Iterable[str]) -> Entity | None:
        """What the records of a stream are, if they are copied."""
        child = CHILDREN.get(stream)
        if child is not None:
            is_taken = not is_addressed(keys, child) and self._streams.takes_child(stream, columns)
            return child if is_taken else None
        return ACCOUNTS if self._streams.takes(stream, keys, columns) else None

    def _see(self, record: Content) -> None:
        if not self._fan_out.names_targets:
            code, seen = seen_division(record)
            self._seen[code] = seen
            self._targets.clear()

    def _targets_of(self, record: Content) -> tuple[int, ...]:
        source = source_division(record)
        if source not in self._targets:
            self._targets[source] = self._fan_out.targets(source, self._seen)
        return self._targets[source]

    def _leave_out(self, stream: str, tally: Tally) -> None:
        if not tally.left_out:
            self.logger.warning(
                "%s: limit of %d records reached. The rest is left out and no STATE follows, so that a run without "
                "the limit starts where this one did.",
                stream,
                tally.read,
            )
        tally.left_out += 1

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self._reader.stop(128 + signum)
