"""Adds to rows the codes of what they name by a GUID, which means something in its own company only."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence

from exactonline_client import odata
from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS, Entity, Reference
from exactonline_client.lists.reader import Lists
from exactonline_client.odata import Row

from tap_exactonline.known import KnownRows

logger = logging.getLogger(__name__)

ASKED_AT_A_TIME = 25
"""Accounts in one filter; an address is good for about 2,000 characters."""


def companions_of(entity: Entity) -> Mapping[str, Reference]:
    """Return by their name the codes that can be added to an entity's rows; that of its parent is one of them."""
    references = (*entity.references.values(), *filter(None, (entity.parent,)))
    return {one.travels_as: one for one in references if not one.is_by_code}


class Companions:
    """Codes beside the GUIDs in the rows of one entity in one company."""

    def __init__(
        self, client: ExactClient, lists: Lists, accounts: KnownRows, entity: Entity, wanted: Collection[str]
    ) -> None:
        """Take the accounts that are known, and the names of the companions that are wanted."""
        by_guid = [one for name, one in companions_of(entity).items() if name in wanted]
        self._of_lists = [one for one in by_guid if one.list != ACCOUNTS.stream]
        self._of_accounts = [one for one in by_guid if one.list == ACCOUNTS.stream]
        self._client = client
        self._lists = lists
        self._known = accounts
        self._entity = entity
        self._held: list[Row] = []
        self._told: set[str] = set()

    def completed(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield rows with their companions; one that refers to an account not read yet waits for `rest`."""
        if not (self._of_lists or self._of_accounts):
            yield from rows
            return
        codes = self._known.codes(self._referred_to(rows)) if self._of_accounts else {}
        for row in rows:
            for reference in self._of_lists:
                self._add(row, reference, self._code_in_list(reference, row.get(reference.field)))
            if self._referred_to([row]) <= codes.keys():
                self._add_accounts(row, codes)
                yield row
            else:
                self._held.append(row)

    def rest(self) -> Iterator[Row]:
        """Yield the rows that waited, once all others were read."""
        wanted = self._referred_to(self._held)
        codes = self._known.codes(wanted)
        codes |= self._asked(sorted(wanted - codes.keys()))
        for row in self._held:
            self._add_accounts(row, codes)
            yield row
        self._held = []

    def _referred_to(self, rows: Sequence[Row]) -> set[str]:
        """Keys of accounts of which the code is still to be found."""
        return {
            row[one.field]
            for row in rows
            for one in self._of_accounts
            if row.get(one.field) and not row.get(one.travels_as)
        }

    def _add_accounts(self, row: Row, codes: dict[str, str]) -> None:
        for reference in self._of_accounts:
            self._add(row, reference, row.get(reference.travels_as) or codes.get(row.get(reference.field) or ""))

    def _add(self, row: Row, reference: Reference, code: str | None) -> None:
        """Add a code, or that there is none; of what has an unknown one the record says nothing."""
        if reference.field not in row:
            return
        if row[reference.field] is None:
            row[reference.travels_as] = None
        elif code is not None:
            row[reference.travels_as] = code
        else:
            row.pop(reference.travels_as, None)
            self._tell(reference)

    def _code_in_list(self, reference: Reference, key: str | None) -> str | None:
        if key is None:
            return None
        company, name = self._known.company, reference.list
        entry = self._lists.get(company, name).by_key.get(key)
        if entry is None and self._lists.may_be_read(self._client, company, name):
            entry = self._client.run(self._lists.read(self._client, company, name)).by_key.get(key)
        return entry.code if entry is not None else None

    def _asked(self, keys: Sequence[str]) -> dict[str, str]:
        """Codes of accounts that no reading brought."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), ASKED_AT_A_TIME):
            where = odata.any_of(ACCOUNTS.fields["ID"], keys[start : start + ASKED_AT_A_TIME])
            page = self._client.page(
                ACCOUNTS, self._known.company.division, variant="bulk", select=("ID", "Code"), where=where
            )
            found |= {row["ID"]: row["Code"] for row in self._client.run(page).rows if row.get("Code")}
        return found

    def _tell(self, reference: Reference) -> None:
        if reference.list in self._told:
            return
        self._told.add(reference.list)
        known = self._lists.get(self._known.company, reference.list)
        logger.warning(
            "%s: some %s name %s %s that %s; their records leave it out.",
            str(self._known.company).capitalize(),
            self._entity.stream.replace("_", " "),
            "an" if reference.list[0] == "a" else "a",
            reference.list.replace("_", " ").removesuffix("s"),
            f"cannot be read ({known.refusal})" if known.refusal else "is not shown",
        )
