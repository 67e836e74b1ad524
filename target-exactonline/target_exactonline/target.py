"""The target: its settings, the way of a message into the spool, and the run that follows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from types import FrameType
from typing import IO, Any, ClassVar

from exactonline_client.errors import ExactError
from exactonline_client.plugin import PlainErrors
from exactonline_client.settings import PROPERTIES
from mapper_exactonline.fan_out import SETTINGS as FAN_OUT_SETTINGS
from mapper_exactonline.fan_out import FanOut
from singer_sdk import Sink, Target
from singer_sdk.exceptions import InvalidInputLine, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities

from target_exactonline.intake import Copier
from target_exactonline.messages import MessageReader
from target_exactonline.run import Run
from target_exactonline.sinks import ExactSink, sink_class
from target_exactonline.sources import SOURCE
from target_exactonline.values import Origin

OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "fan_out": {
        "type": ["object", "null"],
        "properties": FAN_OUT_SETTINGS,
        "additionalProperties": False,
        "title": "Fan-out",
        "description": "Copy each record of a stream that is not addressed to every target division; {} for all.",
    },
    "load_method": {
        "type": "string",
        "enum": ["upsert", "append-only", "update-only"],
        "default": "upsert",
        "title": "Load method",
        "description": "What may be written: both, only new accounts, or only changes of existing ones.",
    },
    "dry_run": {
        "type": "boolean",
        "default": False,
        "title": "Trial run",
        "description": "Plan and report everything, write nothing.",
    },
    "max_errors": {
        "type": "integer",
        "default": 500,
        "minimum": 0,
        "title": "Refusals allowed",
        "description": "Records that may be refused before the run stops with a failure.",
    },
    "parallel_divisions": {
        "type": "integer",
        "default": 8,
        "minimum": 1,
        "maximum": 64,
        "title": "Divisions side by side",
        "description": "Divisions worked on at a time; one request at a time within a division.",
    },
    "nulls": {
        "type": "string",
        "enum": ["follow", "clear", "keep"],
        "default": "follow",
        "title": "Empty source fields",
        "description": "follow clears the target's only where we had written a value before; clear always; keep never.",
    },
    "on_collision": {
        "type": "string",
        "enum": ["refuse", "overwrite"],
        "default": "refuse",
        "title": "Same code, other party",
        "description": "What to do at first contact when the code belongs to someone else in the target.",
    },
    "on_source_deletion": {
        "type": "string",
        "enum": ["ignore", "block", "delete"],
        "default": "ignore",
        "title": "Deleted at the source",
        "description": "What becomes of copies whose account was deleted at the source; block is taken back on return.",
    },
    "on_source_deletion_overrides": {
        "type": ["object", "null"],
        "title": "The same per division",
        "description": 'Per target division, in place of the above: {"201": "block"}.',
    },
    "reconcile": {
        "type": "boolean",
        "default": False,
        "title": "Compare all copies",
        "description": "Compare all copies that are known, and put right what people changed or deleted.",
    },
    "retry_refused": {
        "type": "boolean",
        "default": False,
        "title": "Try refused again",
        "description": "Try records again that Exact refused before, even if nothing of them changed.",
    },
    "max_creates": {
        "type": ["integer", "null"],
        "minimum": 0,
        "title": "Brake on creates",
        "description": "A division that would get more new accounts than this is stopped before its first write.",
    },
    "max_updates_share": {
        "type": ["number", "string", "null"],
        "minimum": 0,
        "maximum": 1,
        "title": "Brake on updates",
        "description": "A division is stopped before its first write when a larger share of its accounts would change.",
    },
    "max_deletes": {
        "type": ["integer", "null"],
        "minimum": 0,
        "title": "Brake on deletions",
        "description": "A division that would get more copies blocked or deleted is stopped before its first write.",
    },
    "webhook_url": {
        "type": ["string", "null"],
        "secret": True,
        "title": "Webhook",
        "description": "https address that gets each run's summary as JSON: counts and names of companies only.",
    },
    "report_path": {
        "type": ["string", "null"],
        "title": "Report folder",
        "description": "Folder for the results: outcomes.jsonl and report.html.",
    },
}


class Interrupted(BaseException):
    """A signal came while the target waited for input."""


class TargetExactOnline(PlainErrors, Target):
    """Singer target that keeps the accounts of Exact Online divisions equal to what it is sent."""

    name = "target-exactonline"
    package_name = "target-exactonline"
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
        self.origin = Origin("", 0)

    @cached_property
    def run(self) -> Run:
        """This run, opened at the first message that needs it."""
        return Run(self.config, program=f"{self.name}/{self.plugin_version}", stop=self._stop, logger=self.logger)

    @cached_property
    def copier(self) -> Copier:
        """Copies records that do not say where they go."""
        return Copier(FanOut.from_config(self.config.get("fan_out") or {}))

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
            fans_out = self.config.get("fan_out") is not None
            kind = sink_class(stream_name, schema["properties"], list(key_properties or ()), fans_out=fans_out)
            self._kinds[stream_name] = kind
        return super().get_sink(stream_name, record=record, schema=schema, key_properties=key_properties)

    def get_sink_class(self, stream_name: str) -> type[Sink]:  # noqa: D102 - inherits
        return self._kinds.get(stream_name, ExactSink)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Note where the record stands, and keep the source that our mapping step names beside it."""
        stream = str(message_dict.get("stream"))
        self._read[stream] += 1
        self.origin = Origin(stream, self._read[stream])
        if isinstance(message_dict.get("source"), dict) and isinstance(message_dict.get("record"), dict):
            message_dict["record"][SOURCE] = message_dict["source"]
        super()._process_record_message(message_dict)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep a state until everything before it has ended."""
        self._assert_line_requires(message_dict, requires={"value"})
        self.drain_all()
        if self.copier.left_out:  # a state would acknowledge records that the trial's limit left out
            return
        self.run.checkpoints.add(self.run.intake.number, message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing is deleted here because a tap began anew."""

    def _handle_max_record_age(self) -> None:
        """Deliver what came in so far when the input takes long, so that nothing waits for its end."""
        if self._max_record_age_in_minutes > self._MAX_RECORD_AGE_IN_MINUTES:
            self._deliver()

    # The run

    def process_endofpipe(self) -> None:
        """Deliver all that came in, and account for it."""
        self._deliver()
        self._end()

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
        """Read all messages; a signal ends the run with nothing lost and the exit status that says so."""
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

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop reading at once, or writing after the calls under way. Nothing read but unwritten is acknowledged."""
        self.logger.info("Signal %d: stopping.", signum)
        self._signal = signum
        self._stop.set()
        if self._is_reading:
            self._is_reading = False
            raise Interrupted
