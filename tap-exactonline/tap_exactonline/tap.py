"""The tap: settings, the source divisions it may read, and its streams in a chosen order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from types import FrameType
from typing import Any, ClassVar

from exactonline_client.client import ACTIVE, Division, ExactClient
from exactonline_client.entities import DIVISIONS
from exactonline_client.errors import ConfigurationError, DivisionRefusedError
from exactonline_client.odata import Row
from exactonline_client.plugin import PlainErrors
from exactonline_client.settings import PROPERTIES, REQUIRED, Settings
from exactonline_client.store import Store
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities

from tap_exactonline.streams import AccountsStream, DeletedAccountsStream, DivisionsStream, ExactStream

STREAMS: dict[str, type[ExactStream]] = {
    "divisions": DivisionsStream,
    "accounts": AccountsStream,
    "deleted_accounts": DeletedAccountsStream,
}
"""In the order in which they go out: whoever fans accounts out learns the divisions first."""

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
    package_name = "tap-exactonline"
    message_writer_class = MsgSpecWriter
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"divisions": DIVISIONS_SETTING, **deepcopy(PROPERTIES)},
        "required": ["divisions", *REQUIRED],
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
        self.check_divisions()
        super().sync_all()
        for division, calls in self.client.transport.calls.items():
            self.logger.info("Calls to Exact: %d %s", calls, f"in division {division}" if division else "elsewhere")
        self.client.close()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once, with an exit status that says so: bookmarks have moved only past what was read to its end."""
        raise SystemExit(128 + signum)

    @property
    def source_divisions(self) -> list[int]:
        """Codes of the companies to read, each once, as they were set."""
        return list(dict.fromkeys(int(code) for code in self.config["divisions"]))

    @cached_property
    def client(self) -> ExactClient:
        """The connection to Exact, opened when first needed."""
        settings = Settings.from_config(self.config)
        return ExactClient(settings, Store.open(settings.store_url), program=f"{self.name}/{self.plugin_version}")

    @cached_property
    def division_rows(self) -> list[Row]:
        """Every division within reach of the login, one call per 60."""
        try:
            return self._division_rows(self.source_divisions[0])
        except DivisionRefusedError as refusal:
            me = self.client.run(self.client.me())
            if me.current_division == self.source_divisions[0]:
                raise
            self.logger.debug("%s", refusal)
            return self._division_rows(me.current_division)

    def check_divisions(self) -> None:
        """Make sure that every source division can be read, before anything goes out.

        Raises:
            ConfigurationError: One does not exist, is out of reach, archived, or in Exact's own hands.
        """
        reach = {division.code: division for division in map(Division.of, self.division_rows)}
        for code in self.source_divisions:
            problem = unreadable(code, reach)
            if problem:
                raise ConfigurationError(problem)

    def _division_rows(self, via: int) -> list[Row]:
        pages = self.client.pages(DIVISIONS, via, variant="single", select=DIVISIONS.selectable)
        return [row for page in pages for row in page]


def unreadable(code: int, reach: Mapping[int, Division]) -> str | None:
    """Why a source division cannot be read, or None."""
    division = reach.get(code)
    if division is None:
        return (
            f"The setting divisions names {code}, which is not within reach of this login. It reaches: "
            f"{', '.join(map(str, sorted(reach))) or 'none'}. Correct the code, or grant the division at consent."
        )
    if division.status != ACTIVE:
        state = "archived" if division.status > ACTIVE else "inactive"
        return f"The source division {code} ({division.name}) is {state}; choose an active one."
    if division.blocking_status:
        return f"Exact itself is at work in the source division {code} ({division.name}); run again later."
    return None
