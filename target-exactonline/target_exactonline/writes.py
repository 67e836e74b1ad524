"""Carries out the changes of a division, one call after the other, and looks again where Exact holds something else."""

from __future__ import annotations

from dataclasses import replace

from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    NotFoundError,
    RecordRefusedError,
    UnexpectedReplyError,
)
from exactonline_client.exchange import Waiting
from exactonline_client.failures import Failures, GivenUp
from exactonline_client.odata import Row

from target_exactonline.decisions import Change, Decisions
from target_exactonline.departures import Delete
from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Outcome
from target_exactonline.plan import Create, LastWritten, Present, Update
from target_exactonline.reconcile import why_reconciled
from target_exactonline.replica import Replica, present_of
from target_exactonline.spool import Wanted
from target_exactonline.store import TargetStore

LOOKS_ALLOWED = 3
"""How often a record is planned anew because the division turned out to hold something else than was known."""


class BlindError(Exception):
    """The division holds accounts that these credentials do not show."""

    def __init__(self, division: int) -> None:
        super().__init__(
            f"these credentials may not read accounts here. Division {division} looks empty to them, which it is not: "
            "give the user the right to read accounts in it."
        )


class Writer:
    """Writes to one division."""

    def __init__(
        self, client: ExactClient, store: TargetStore, ledger: Ledger, replica: Replica, decisions: Decisions
    ) -> None:
        self._client = client
        self._store = store
        self._ledger = ledger
        self._replica = replica
        self._decisions = decisions
        self._failures = Failures()
        self.fault = ""
        """What first put a record aside, of which Exact said nothing that is a verdict."""

    def carry_out(self, change: Change, *, looks_empty: bool) -> Waiting[bool]:
        """Write one change; answers whether it was a create. Plans anew when the division holds something else.

        Raises:
            BlindError: The division looks empty, and Exact says that the code is taken.
        """
        wanted = change.wanted
        for _ in range(LOOKS_ALLOWED):
            try:
                created = yield from self._send(change)
                self._failures.add_success("", wanted.division)
                return created
            except AlreadyExistsError:
                present = yield from self._look(wanted)
                if present is None and looks_empty:
                    raise BlindError(wanted.division) from None
            except NotFoundError:
                present = yield from self._look(wanted)
            except RecordRefusedError as error:
                self._ledger.refused(wanted, _refusal(error, change.decision), by_exact=True)
                return False
            except (DivisionRefusedError, UnexpectedReplyError) as error:
                if self._failures.add("", wanted.division, wanted.code, error) > GivenUp.RECORD:
                    raise
                self.fault = self.fault or str(error)
                self._ledger.parked(wanted, str(error))
                return False
            anew = self._decisions.anew(change, present)
            if anew is None:
                return False
            change = anew
        self._ledger.parked(wanted, f"{wanted.label}: Exact says that the code is taken, and shows no such account.")
        return False

    def _send(self, change: Change) -> Waiting[bool]:
        """Write one change as it was decided; answers whether it was a create."""
        wanted = change.wanted
        match change.decision:
            case Create() as create:
                yield from self._create(wanted, create)
                return True
            case Update() as update:
                yield from self._update(wanted, update, change.written)
            case Delete(account_id):
                yield from self._client.delete(ACCOUNTS, wanted.division, account_id, label=wanted.code)
                self._ledger.deleted(wanted)
        return False

    def make_sure_it_shows(self, wanted: Wanted) -> Waiting[None]:
        """A missing right shows as zero rows: the first account created in an empty division must be there to read.

        Raises:
            BlindError: It is not.
        """
        if (yield from self._look(wanted)) is None:
            raise BlindError(wanted.division)

    def _create(self, wanted: Wanted, decision: Create) -> Waiting[None]:
        values = {"Code": wanted.code, **decision.values}
        row = yield from self._client.create(ACCOUNTS, wanted.division, values, self._replica.select_single)
        at = present_of(row).modified_at or self._client.budgets.exacts_now_at_most(self._client.now())
        changes = {name: (None, value) for name, value in decision.values.items()}
        present = Present(row["ID"], {**decision.values, **_told(row)}, at)
        link = self._decisions.remember(wanted, LastWritten(row["ID"], decision.values, at))
        self._ledger.wrote(wanted, Outcome.CREATED, changes, present, link, why_reconciled(wanted, None))

    def _update(self, wanted: Wanted, decision: Update, written: LastWritten | None) -> Waiting[None]:
        at = yield from self._client.update(
            ACCOUNTS, wanted.division, decision.account_id, decision.values, label=wanted.code
        )
        before = self._store.present(wanted.division, [wanted.code]).get(wanted.code)
        values = {**(before.values if before else {}), **decision.values}
        present, note = Present(decision.account_id, values, at), why_reconciled(wanted, before)
        if wanted.is_deletion and written is not None:
            link = replace(written, gone=decision.changes)
        else:
            ours = written if written and written.account_id == decision.account_id else None
            back = ours.gone if ours and ours.gone else {}
            kept = {name: value for name, value in decision.values.items() if name in wanted.values or name not in back}
            link = LastWritten(decision.account_id, {**(ours.values if ours else {}), **kept}, at)
            link = self._decisions.remember(wanted, replace(link, source=ours.source if ours else None))
        self._ledger.wrote(wanted, Outcome.UPDATED, decision.changes, present, link, note)

    def _look(self, wanted: Wanted) -> Waiting[Present | None]:
        """What the division holds under the code at this moment; the replica is corrected by it."""
        row = yield from self._client.find(ACCOUNTS, wanted.division, wanted.code, self._replica.select_single)
        present = present_of(row) if row else None
        self._store.keep_present(wanted.division, wanted.code, present)
        return present


def _told(row: Row) -> Row:
    """What an answer to a create says of the values; a near-empty echo says nothing."""
    values = {name: value for name, value in row.items() if name not in ("ID", "Code", "Modified")}
    return values if row.get("Code") else {}


def _refusal(error: RecordRefusedError, decision: Create | Update | Delete) -> str:
    if not isinstance(decision, Delete):
        return str(error)
    return (
        f"Exact would not delete account {error.key} in division {error.division} (HTTP {error.status}): {error.said} "
        "It stays. Set on_source_deletion to block for this division, or delete it there by hand."
    )
