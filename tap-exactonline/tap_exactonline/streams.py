"""The streams: a short declaration each."""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS, CHILDREN, DELETIONS, DIVISIONS, REFERENCE_LISTS, Entity, Field, Trait
from exactonline_client.entities.reference_lists import READ_ALONG
from exactonline_client.errors import DivisionRefusedError, ExactError
from exactonline_client.feeds.bookmark import Bookmark
from exactonline_client.odata import ROW_VERSION, Row
from singer_sdk import Stream
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib.catalog import Metadata, MetadataMapping
from singer_sdk.singerlib.messages import SchemaMessage

from tap_exactonline.bookmarks import as_state, bookmark_of, position_of
from tap_exactonline.children import DELETED_AT
from tap_exactonline.companions import companions_of
from tap_exactonline.division_reader import DivisionReader

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
    """The record schema of an entity: every field that can be asked for by name, and the companions of references."""
    names = dict.fromkeys((*entity.selectable, *companions_of(entity)))
    return {"type": "object", "properties": {name: _json_type(entity.fields[name]) for name in names}}


def _json_type(field: Field) -> dict[str, Any]:
    return {**_JSON_TYPES.get(field.edm, {"type": ["string", "null"]}), "description": field.description}


@dataclass(slots=True)
class SourcedSchemaMessage(SchemaMessage):
    """A SCHEMA message that says which companies its records come from, for targets that keep what they read."""

    source: dict[str, Any] | None = None


class ExactStream(Stream):
    """Rows of one entity, asked for by the fields that are selected."""

    entity: ClassVar[Entity]
    always: ClassVar[frozenset[str]] = frozenset()
    """Sent whatever is selected, beside the keys."""
    on_request: ClassVar[frozenset[str]] = frozenset()
    """Sent only when selected by name."""

    def __init__(self, tap: Any) -> None:
        super().__init__(tap=tap, schema=self.record_schema())
        self._tap_of_exact = tap

    @classmethod
    def record_schema(cls) -> dict[str, Any]:
        """Return what its records may hold."""
        return json_schema(cls.entity)

    @property
    def reader(self) -> DivisionReader:
        """The source divisions, and what was read of them in this run."""
        reader: DivisionReader = self._tap_of_exact.reader
        return reader

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
        for reached in self.reader.reach.values():
            yield dict(reached.row)


class ListStream(ExactStream):
    """Entries of a list that accounts refer to, read in full; of each source division."""

    selected_by_default = False
    always = frozenset({"Division"})

    @classmethod
    def record_schema(cls) -> dict[str, Any]:  # noqa: D102 - inherits
        schema = json_schema(cls.entity)
        return {**schema, "properties": {"Division": {"type": "integer"}, **schema["properties"]}}

    def get_records(self, context: Context | None) -> Iterator[Row]:  # noqa: D102 - inherits
        names = tuple(name for name in self.entity.selectable if self.mask[("properties", name)])
        variant: Any = "sync" if self.entity.sync_path else "single"
        after = 0 if self.entity.sync_path else None
        lists = self.reader.lists
        for division in self.reader.divisions:
            client = self.reader.reach[division].client
            company = Company(client.settings.base_url, division)
            known = lists.get(company, self.name)
            if known.refused_at is not None and lists.is_fresh(client, company, self.name):
                self.logger.warning("%s: %s Not asked again before a day is over.", self.name, known.refusal)
                continue
            try:
                for rows in client.pages(self.entity, division, variant=variant, select=names, after=after):
                    yield from ({"Division": division, **row} for row in rows)
            except DivisionRefusedError as error:
                lists.memory.refuse(company, self.name, client.now(), str(error))
                self.logger.warning("%s: %s", self.name, error)


def _list_stream(entity: Entity) -> type[ExactStream]:
    members = {"name": entity.stream, "entity": entity, "primary_keys": ("Division", entity.key)}
    return type(f"{entity.stream.title().replace('_', '')}Stream", (ListStream,), members)


LIST_STREAMS: dict[str, type[ExactStream]] = {
    entity.stream: _list_stream(entity) for entity in (*(one.entity for one in REFERENCE_LISTS.values()), *READ_ALONG)
}


class BookmarkedStream(ExactStream):
    """Rows with a row version, read per source division from a little below the last one seen.

    No text of Exact promises that sync pages come in the order of their Timestamp, so the bookmark moves when a
    division has been read to its end, not before.
    """

    primary_keys = ("ID",)
    replication_key = "Timestamp"
    always = frozenset({"Division"})
    STATE_MSG_FREQUENCY = 1_000_000_000  # a bookmark within a division would not be one to start again from

    @property
    def partitions(self) -> list[dict[str, Any]]:  # noqa: D102 - inherits
        return [{"Division": code} for code in self.reader.divisions]

    @property
    def fields(self) -> tuple[str, ...]:
        """The selected properties, the companions among them, and the references that these belong to."""
        own = (name for name in self.entity.selectable if self.mask[("properties", name)])
        companions = {name: one for name, one in companions_of(self.entity).items() if self.mask[("properties", name)]}
        return tuple(dict.fromkeys((*own, *(one.field for one in companions.values()), *companions)))

    def kept(self, division: int) -> Mapping[str, Any]:
        """Return what the STATE keeps of a division; nothing if that is to be read from its start."""
        return self.get_context_state({"Division": division}) if self.replication_method == "INCREMENTAL" else {}

    def bookmark(self, division: int) -> Bookmark | None:
        """Where the last reading of a division ended, or None if it is to be read from its start."""
        return bookmark_of(self.kept(division))

    def get_records(self, context: Context | None) -> Iterator[Row]:  # noqa: D102 - inherits
        state = yield from self.rows(int((context or {})["Division"]))
        if state is not None and self.replication_method == "INCREMENTAL":
            self.get_context_state(context).update(state)

    @abstractmethod
    def rows(self, division: int) -> Generator[Row, None, dict[str, Any] | None]:
        """What is to go out of a division, and in the end what STATE keeps of it, or None if that stays."""

    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        for message in super()._generate_schema_messages():
            yield SourcedSchemaMessage(
                message.stream,
                message.schema,
                message.key_properties,
                message.bookmark_properties,
                source={"divisions": self._tap_of_exact.source_divisions},
            )

    def _increment_stream_state(self, latest_record: dict[str, Any], *, context: Context | None = None) -> None:
        """The bookmark moves at the end of a division, not with each record."""


class AccountsStream(BookmarkedStream):
    """Customers, suppliers and other relations, as they are now."""

    name = "accounts"
    entity = ACCOUNTS
    always = frozenset({"Code", "Division"})
    on_request = frozenset({"BSN", "Logo", "LogoFileName", "AccountManagerEmail"})

    def rows(self, division: int) -> Generator[Row, None, dict[str, Any] | None]:  # noqa: D102 - inherits
        bookmark = yield from self.reader.accounts(division, self.bookmark(division), self.fields)
        return as_state(bookmark) if bookmark else None


class DeletedAccountsStream(BookmarkedStream):
    """Accounts that left a source division."""

    name = "deleted_accounts"
    entity = DELETIONS
    always = frozenset({"Division", "EntityKey", "EntityType"})

    def rows(self, division: int) -> Generator[Row, None, dict[str, Any] | None]:  # noqa: D102 - inherits
        bookmark = yield from self.reader.deletions(division, self.bookmark(division), self.fields)
        return as_state(bookmark) if bookmark else None


class ChildStream(BookmarkedStream):
    """What belongs to accounts, with the code of the account; what was deleted has its key and `_sdc_deleted_at`."""

    selected_by_default = False

    @classmethod
    def record_schema(cls) -> dict[str, Any]:  # noqa: D102 - inherits
        schema = json_schema(cls.entity)
        deleted_at = {**_JSON_TYPES["DateTime"], "description": "when it was deleted at the source"}
        return {**schema, "properties": {**schema["properties"], DELETED_AT: deleted_at}}

    def rows(self, division: int) -> Generator[Row, None, dict[str, Any] | None]:  # noqa: D102 - inherits
        key = str(self.replication_key)
        before = position_of(self.kept(division), key)
        after = yield from self.reader.children(self.entity, division, before, self.fields)
        return as_state(after.rows, after.log, key) if after and after.rows else None


def _child_stream(entity: Entity) -> type[ExactStream]:
    parent, elsewhere = entity.parent, entity.elsewhere
    told_by = {elsewhere.field, elsewhere.flag} if elsewhere else set()
    belongs_to = {parent.field, parent.travels_as} if parent else set()
    of_the_account = {str(ACCOUNTS.natural_key)} & entity.fields.keys()
    is_asked_for = (one.name for one in entity.declared if Trait.SENSITIVE in one.traits or one.edm == "Binary")
    members = {
        "name": entity.stream,
        "entity": entity,
        "replication_key": ROW_VERSION if entity.sync_path else "Modified",
        "always": frozenset({"Division", DELETED_AT, *told_by, *belongs_to, *of_the_account}),
        "on_request": frozenset(is_asked_for),
    }
    return type(f"{entity.stream.title().replace('_', '')}Stream", (ChildStream,), members)


CHILD_STREAMS: dict[str, type[ExactStream]] = {stream: _child_stream(entity) for stream, entity in CHILDREN.items()}
