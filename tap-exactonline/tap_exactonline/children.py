"""What belongs to accounts, on its way out: with the code of its account, and with what was deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exactonline_client.entities import ACCOUNTS, Reference
from exactonline_client.feeds.reader import Reading
from exactonline_client.odata import ROW_VERSION, Row

from tap_exactonline.companions import Companions
from tap_exactonline.known import KnownRows

DELETED_AT = "_sdc_deleted_at"
"""Singer's column for when a row was deleted at the source."""


class Children:
    """The rows of one entity in one division."""

    def __init__(self, parent: Reference, known: KnownRows, companions: Companions) -> None:
        self._parent = parent
        self._entity = known.entity
        self._known = known
        self._companions = companions
        self._left: dict[str, str] = {}

    def completed(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield rows with the code of their account.

        One that belongs to none is left out, and so is what the account itself carries. If such a row went out before,
        it is reported as deleted.
        """
        here = [row for row in rows if self._is_here(row)]
        if len(here) < len(rows):
            self._left |= self._known.codes({row["ID"] for row in rows} - {row["ID"] for row in here})
        for row in here:
            if row.get(str(ACCOUNTS.natural_key)):  # a contact has the code of its account itself (recorded, 2026)
                row[self._parent.travels_as] = row[str(ACCOUNTS.natural_key)]
        yield from self._seen(self._companions.completed(here))

    def rest(self) -> Iterator[Row]:
        """Yield the rows that waited for the code of their account."""
        yield from self._seen(self._companions.rest())

    def deletions(self, reading: Reading) -> Iterator[Row]:
        """Yield a record for each row that was deleted: its key, the code of its account if that is known, and when.

        What never went out is left out, unless all was read: then the store may be another one than it was.
        """
        noticed = reading.began_at.isoformat()
        deleted = dict.fromkeys((*reading.vanished, *self._left), noticed)
        deleted |= {row["EntityKey"]: row.get("DeletedDate") or noticed for row in reading.log}
        codes = self._known.codes(deleted)
        for key, at in deleted.items():
            if key in codes or reading.in_full:
                record = {"ID": key, "Division": self._known.company.division, DELETED_AT: at}
                yield {**record, self._parent.travels_as: codes[key]} if codes.get(key) else record

    def _is_here(self, row: Row) -> bool:
        elsewhere = self._entity.elsewhere
        return bool(row.get(self._parent.field)) and not (elsewhere and elsewhere.has(row))

    def _seen(self, rows: Iterable[Row]) -> list[Row]:
        """Return rows as they go out, noted before."""
        is_dated = ROW_VERSION in self._entity.fields
        done = [{**row, DELETED_AT: None} for row in rows]
        for row in done:
            if not is_dated:
                row.pop(ROW_VERSION, None)
        self._known.see(done)
        return done
