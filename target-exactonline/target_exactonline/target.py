"""The target: its settings, the way of a message into the spool, and the run that follows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from types import FrameType
from typing import IO, Any, ClassVar

from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.plugin import PlainErrors
from exactonline_client.settings import PROPERTIES
from singer_sdk import Sink, Target
from singer_sdk.exceptions import InvalidInputLine, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities

from target_exactonline.intake.intake import DELETED_AT, Origin
from target_exactonline.intake.messages import MessageReader
from target_exactonline.run import Run
from target_exactonline.settings import OWN_SETTINGS
from target_exactonline.sinks import SOURCE_MEMBERS, DivisionsSink, ExactSink, SkippingSink, sink_class


class Interrupted(BaseException):
    """A signal came while the target waited for input."""


class TargetExactOnline(PlainErrors, Target):
    """Singer target that keeps the accounts of Exact Online divisions equal to what it is sent."""

    name = "target-exactonline"
    package_name = "exactonline-target"
    message_reader_class = MessageReader
    expected_errors = (ExactError, InvalidInputLine, RecordsWithoutSchemaException)
    default_sink_class = ExactSink
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {**deepcopy(PROPERTIES), **OWN_SETTINGS},
    }
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.max_parallelism = 1  # sinks only fill the spool; divisions go side by side later
        self._stop = threading.Event()
        self._signal: int | None = None
        self._is_reading = True
        self._kinds: dict[str, type[ExactSink]] = {}
        self._read: Counter[str] = Counter()
        self._early_state: dict[str, Any] | None = None
        """The newest that came before any stream that is ours: it acknowledges what was passed over."""
        self.origin = Origin("", 0)
        self.is_marked = False

    @cached_property
    def run(self) -> Run:
        """This run, opened at the first message that needs it."""
        return Run(self.config, program=f"{self.name}/{self.plugin_version}", stop=self._stop, logger=self.logger)

    # Messages

    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        """The sink of a stream, of the kind that its keys and name ask for."""
        if schema is not None:
            kind = sink_class(stream_name, schema["properties"], list(key_properties or ()), self.run.addressing)
            self._kinds[stream_name] = kind
            if self._early_state is not None and self._is_for_us:
                self.run.checkpoints.add(self._early_state)
                self._early_state = None
        return super().get_sink(stream_name, record=record, schema=schema, key_properties=key_properties)

    def get_sink_class(self, stream_name: str) -> type[Sink]:  # noqa: D102 - inherits
        return self._kinds.get(stream_name, ExactSink)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Learn what our tap and mapping step say beside the schema: what is read, and how copies are made."""
        if not self.config.get("stream_maps"):  # which would change the copies and not what they come from
            self.run.addressing.learn(str(message_dict.get("stream")), message_dict)
        super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Note where the record stands, and keep the source that our mapping step names beside it."""
        stream = str(message_dict.get("stream"))
        self._read[stream] += 1
        version = message_dict.get("version")
        self.origin = Origin(stream, self._read[stream], version if isinstance(version, int) else None)
        record = message_dict.get("record")
        if isinstance(record, dict):
            for name in SOURCE_MEMBERS:
                if isinstance(message_dict.get(name), dict):
                    record[f"_{name}"] = message_dict[name]
        self.is_marked = isinstance(record, dict) and bool(record.get(DELETED_AT))
        super()._process_record_message(message_dict)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep a state until everything before it has ended."""
        self._assert_line_requires(message_dict, requires={"value"})
        self.drain_all()
        if self.run.parts.left_out:  # a state would acknowledge records that the trial's limit left out
            return
        if not self._is_for_us:
            self._early_state = message_dict["value"]
            return
        self.run.checkpoints.add(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Take what a full reading did not bring for deleted; what becomes of the copies is for the settings to say."""
        self.drain_all()
        if isinstance(message_dict.get("version"), int):
            self.run.activate(str(message_dict.get("stream")), message_dict["version"])

    def _handle_max_record_age(self) -> None:
        """Deliver what came in so far when the input takes long, so that nothing waits for its end."""
        if self._max_record_age_in_minutes > self._MAX_RECORD_AGE_IN_MINUTES:
            self._deliver()

    # The run

    @property
    def _is_for_us(self) -> bool:
        """Whether anything came but streams that are passed over."""
        kinds = set(self._kinds.values())
        return SkippingSink not in kinds or bool(kinds - {SkippingSink, DivisionsSink})

    def process_endofpipe(self) -> None:
        """Deliver all that came in, and account for it."""
        if self._is_for_us:
            self._deliver()
            self._end()
        else:
            self.drain_all()
            self.run.end(failure=self._nothing_for_us)

    @property
    def _nothing_for_us(self) -> str:
        skipped = ", ".join(sorted(name for name, kind in self._kinds.items() if kind is SkippingSink))
        return (
            f"No stream holds accounts: {skipped} passed over, and nothing else came. Accounts have a column Code: map "
            'one to it with stream_maps, or name the stream in fan_out: {"streams": ["customers"]}.'
        )

    def _deliver(self) -> None:
        self.drain_all()
        self._is_reading = False
        self.run.deliver()
        self._is_reading = True
        if self._signal is not None:
            raise Interrupted

    def _end(self) -> None:
        self._is_reading = False
        status = self.run.end(self._signal)
        if status:
            raise SystemExit(status)

    def listen(self, file_input: IO[str] | None = None) -> None:  # type: ignore[misc]
        """Read all messages; a signal ends the run with nothing lost and the exit status that says so.

        Raises:
            ConfigurationError: Every stream was passed over; no STATE was passed on.
        """
        try:
            super().listen(file_input)
        except Interrupted:
            self._end()
        except self.expected_errors as error:
            if not isinstance(error, ExactError):  # the input is at fault: what came before is accounted for
                self.drain_all()
            if "run" in self.__dict__:
                self.run.end(failure=str(error))
            raise
        if not self._is_for_us:
            raise ConfigurationError(self._nothing_for_us)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop reading at once, or writing after the calls under way. Nothing read but unwritten is acknowledged."""
        self.logger.info("Signal %d: stopping.", signum)
        self._signal = signum
        self._stop.set()
        if self._is_reading:
            self._is_reading = False
            raise Interrupted
