"""The tap: settings, the source divisions it may read, and its streams in a chosen order."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from copy import deepcopy
from functools import cached_property
from types import FrameType
from typing import Any, ClassVar, cast

from exactonline_client.connections import Connections, Reached
from exactonline_client.divisions import problems
from exactonline_client.errors import ConfigurationError
from exactonline_client.feeds import memory
from exactonline_client.feeds.bookmark import Bookmark
from exactonline_client.plugin import PlainErrors, measured
from exactonline_client.settings import PROPERTIES, Settings
from exactonline_client.store import Store
from singer_sdk import Stream, Tap, metrics
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities

from tap_exactonline import known
from tap_exactonline.division_reader import DivisionReader
from tap_exactonline.streams import (
    CHILD_STREAMS,
    LIST_STREAMS,
    AccountsStream,
    DeletedAccountsStream,
    DivisionsStream,
    ExactStream,
)

STREAMS: dict[str, type[ExactStream]] = {
    "divisions": DivisionsStream,
    "accounts": AccountsStream,
    "deleted_accounts": DeletedAccountsStream,
    **CHILD_STREAMS,
    **LIST_STREAMS,
}
"""In the order in which they go out: whoever fans accounts out learns the divisions first, and what belongs to
accounts comes after them."""

DIVISIONS_SETTING = {
    "type": "array",
    "items": {"type": "integer"},
    "minItems": 1,
    "title": "Source divisions",
    "description": "Codes of the companies whose accounts are read.",
}


class TapExactOnline(PlainErrors, Tap):
    """Singer tap for Exact Online: accounts, deleted accounts and divisions."""

    name = "tap-exactonline"
    package_name = "exactonline-tap"
    message_writer_class = MsgSpecWriter
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"divisions": DIVISIONS_SETTING, **deepcopy(PROPERTIES)},
        "required": ["divisions"],
    }
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by name, in the order in which they go out (the SDK's own is by name)."""
        by_name = super().streams
        self._streams = {name: by_name[name] for name in STREAMS}
        return self._streams

    def discover_streams(self) -> Sequence[Stream]:  # noqa: D102 - inherits
        return [stream(self) for stream in STREAMS.values()]

    def sync_all(self) -> None:  # type: ignore[misc] # noqa: D102 - final to type checkers; only the check goes before
        try:
            self.check_divisions()
            super().sync_all()
        finally:
            for division, calls in self.connections.calls.items():
                self.logger.info("Calls to Exact: %d %s", calls, f"in division {division}" if division else "elsewhere")
            self._log_measures()
            self.connections.close()

    def _log_measures(self) -> None:
        logger = logging.getLogger(metrics.METRICS_LOGGER_NAME)
        for measure, value, tags in measured(self.connections.calls, self.connections.waited_seconds):
            # The SDK's own list of names is closed; it takes no more of a name than its value.
            metrics.log(logger, metrics.Point("counter", measure, value, tags))  # type: ignore[arg-type]

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once, with an exit status that says so: bookmarks have moved only past what was read to its end."""
        raise SystemExit(128 + signum)

    @property
    def source_divisions(self) -> list[int]:
        """Codes of the companies to read, each once, as they were set."""
        return list(dict.fromkeys(int(code) for code in self.config["divisions"]))

    @cached_property
    def connections(self) -> Connections:
        """The connections to Exact, opened when first needed."""
        settings = Settings.all_from_config(self.config)
        expected = self.config.get("expected_divisions") or {}
        return Connections(settings, self.store, program=f"{self.name}/{self.plugin_version}", expected=expected)

    @cached_property
    def store(self) -> Store:
        """What outlives a run, opened when first needed."""
        return Store.open(Settings.all_from_config(self.config)[0].store_url, known.metadata, memory.metadata)

    @cached_property
    def reader(self) -> DivisionReader:
        """The source divisions, and what was read of them in this run."""
        return DivisionReader(self.source_divisions, self.reach, self.store, self._log_position)

    def _log_position(self, division: int) -> tuple[Bookmark | None, Collection[str]] | None:
        stream = cast("DeletedAccountsStream", self.streams["deleted_accounts"])
        return (stream.bookmark(division), stream.fields) if stream.selected else None

    @cached_property
    def reach(self) -> dict[int, Reached]:
        """The source divisions as Exact lists them now, and where they go out or have a name to bear, all others."""
        named = {int(code) for code in self.config.get("expected_divisions") or {}}
        if self.streams["divisions"].selected or named - set(self.source_divisions):
            return self.connections.all_in_reach(self.source_divisions)
        return self.connections.reach(self.source_divisions)

    def check_divisions(self) -> None:
        """Make sure that every source division can be read, before anything goes out.

        Raises:
            ConfigurationError: One does not exist, is out of reach, archived, in Exact's own hands, or of another name.
        """
        divisions = {code: reached.division for code, reached in self.reach.items()}
        expected = self.config.get("expected_divisions") or {}
        for problem in problems("source", self.source_divisions, divisions, expected):
            raise ConfigurationError(problem)
