"""The streams: a short declaration each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, ClassVar, Protocol

from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS, DELETIONS, DIVISIONS, Entity, Field
from exactonline_client.errors import ExactError
from singer_sdk import Stream
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib.catalog import Metadata, MetadataMapping


class Source(Protocol):
    """What a stream needs of its tap."""

    @property
    def source_divisions(self) -> list[int]:
        """The companies to read."""

    @property
    def reach(self) -> dict[int, Reached]:
        """Every division within reach, with its client."""


_JSON_TYPES: Mapping[str, dict[str, Any]] = {
    "Boolean": {"type": ["boolean", "null"]},
    "Byte": {"type": ["integer", "null"]},
    "DateTime": {"type": ["string", "null"], "format": "date-time"},
    "Double": {"type": ["number", "null"]},
    "Int16": {"type": ["integer", "null"]},
    "Int32": {"type": ["integer", "null"]},
    "Int64": {"type": ["integer", "null"]},
}


def json_schema(entity: Entity) -> dict[str, Any]:
    """The record schema of an entity: every field that can be asked for by name."""
    return {"type": "object", "properties": {name: _json_type(entity.fields[name]) for name in entity.selectable}}


def _json_type(field: Field) -> dict[str, Any]:
    return {**_JSON_TYPES.get(field.edm, {"type": ["string", "null"]}), "description": field.description}


class ExactStream(Stream):
    """Rows of one entity, asked for by the fields that are selected."""

    entity: ClassVar[Entity]
    always: ClassVar[frozenset[str]] = frozenset()
    """Sent whatever is selected, beside the keys."""
    on_request: ClassVar[frozenset[str]] = frozenset()
    """Sent only when selected by name."""

    def __init__(self, tap: Any) -> None:
        super().__init__(tap=tap, schema=json_schema(self.entity))
        self.source: Source = tap

    @property
    def metadata(self) -> MetadataMapping:  # noqa: D102 - inherits
        metadata = super().metadata
        for name in self.always:
            metadata[("properties", name)].inclusion = Metadata.InclusionType.AUTOMATIC
        for name in self.on_request:
            metadata[("properties", name)].selected_by_default = False
        return metadata

    def log(self, message: str, *args: Any, level: int = logging.INFO, **options: Any) -> None:
        """Log a message; not that an error is unhandled when the program tells it in one clear line."""
        if not isinstance(sys.exc_info()[1], ExactError):
            super().log(message, *args, level=level, **options)


class DivisionsStream(ExactStream):
    """Every division within reach of the login."""

    name = "divisions"
    entity = DIVISIONS
    primary_keys = ("Code",)
    always = frozenset({"Status"})

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: D102 - inherits
        for reached in self.source.reach.values():
            yield dict(reached.row)


class BookmarkedStream(ExactStream):
    """Rows with a row version, read per source division from the last one seen.

    No text of Exact promises that sync pages come in the order of their Timestamp, so the bookmark moves when a
    division has been read to its end, not before.
    """

    primary_keys = ("ID",)
    replication_key = "Timestamp"
    always = frozenset({"Division"})
    STATE_MSG_FREQUENCY = 1_000_000_000  # a bookmark within a division would not be one to start again from

    @property
    def partitions(self) -> list[dict[str, Any]]:  # noqa: D102 - inherits
        return [{"Division": code} for code in self.source.source_divisions]

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: D102 - inherits
        division = int((context or {})["Division"])
        after = int(self.get_starting_replication_key_value(context) or 0)
        select = [name for name in self.entity.selectable if self.mask[("properties", name)]]
        client = self.source.reach[division].client
        for rows in client.pages(self.entity, division, select=select, after=after):
            yield from sorted(rows, key=itemgetter("Timestamp"))


class AccountsStream(BookmarkedStream):
    """Customers, suppliers and other relations, as they are now."""

    name = "accounts"
    entity = ACCOUNTS
    always = frozenset({"Code", "Division"})
    on_request = frozenset({"BSN", "Logo", "LogoFileName"})


class DeletedAccountsStream(BookmarkedStream):
    """Accounts that left a source division in the last two months."""

    name = "deleted_accounts"
    entity = DELETIONS
