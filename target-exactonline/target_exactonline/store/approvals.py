"""What people said of changes: approved, for exactly this before and after, or rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from sqlalchemy import Select, and_, select

from target_exactonline.planning.approvals import Approval, digest_of, is_same_person
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.history import DONE
from target_exactonline.store.plan_lists import CHANGES, as_line
from target_exactonline.store.plans import fields_of
from target_exactonline.store.rows import packed, pages, unpacked, upsert
from target_exactonline.store.tables import approvals, changes, companies, copies, plans, runs, sites, sources


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which changes are meant."""

    run: str | None = None
    """By its id; `last` for the newest that planned anything that waits."""
    plan: int | None = None
    division: int | None = None
    code: str | None = None
    entity: str | None = None
    codes: tuple[str, ...] = ()
    """Only these, if there are any."""

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """Return the query for these changes only."""
        wanted = [
            (runs.c.id, _NEWEST if self.run == LAST else self.run),
            (changes.c.plan, self.plan),
            (companies.c.division, self.division),
            (changes.c.code, self.code),
            (changes.c.entity, self.entity),
        ]
        if self.codes:
            query = query.where(changes.c.code.in_(self.codes))
        return query.where(*(column == value for column, value in wanted if value is not None))

    def __str__(self) -> str:
        named = {"run": self.run, "plan": self.plan, "division": self.division, "code": self.code}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None) or "any run"


class Approvals:
    """Approvals of a store, as plans ask for them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sets = FieldSets(store)

    def of(self, company: int, entity: str, codes: Sequence[str]) -> dict[str, list[Approval]]:
        """Return the approvals of changes under these codes, the newest first; what was carried out has none left."""
        found: dict[str, list[Approval]] = {}
        table = approvals.c
        with self._store.read() as connection:
            for page in pages(codes):
                query = select(approvals).where(table.company == company, table.entity == entity, table.code.in_(page))
                rows = connection.execute(query.order_by(table.at.desc())).all()
                used = self._used(connection, company, entity, {row.code for row in rows})
                for row in rows:
                    if used.get((row.code, row.digest), 0) <= row.plan:
                        one = Approval(row.digest, row.by, row.at.isoformat(), row.planned_by)
                        found.setdefault(row.code, []).append(one)
        return found

    def _used(self, connection: Any, company: int, entity: str, codes: set[str]) -> dict[tuple[str, str], int]:
        """Return in which plan changes that were approved were last carried out, by code and digest."""
        mine = and_(changes.c.company == company, changes.c.entity == entity, changes.c.code.in_(codes))
        done = select(changes).where(mine, changes.c.approved_by.is_not(None), changes.c.outcome.in_(DONE))
        found: dict[tuple[str, str], int] = {}
        for row in connection.execute(done.order_by(changes.c.plan)) if codes else ():
            found[row.code, digest_of(row.action, fields_of(self._sets, row), row.target_id)] = row.plan
        return found


class Verdicts:
    """Approves and rejects changes that wait, at some sites."""

    def __init__(self, store: Store, urls: Sequence[str], *, four_eyes: bool) -> None:
        self._store = store
        self._sets = FieldSets(store)
        self._here = sites.c.url.in_(urls)
        self._four_eyes = four_eyes

    def approve(self, chosen: Chosen, by: str, at: datetime) -> list[dict[str, Any]]:
        """Approve changes; return a line of each.

        Raises:
            ConfigurationError: Nothing of it waits, or who approves may not.
        """
        with self._store.write() as connection:
            rows = self._rows(connection, chosen)
            for row in rows:
                if self._four_eyes and is_same_person(by, row.started_by or ""):
                    raise ConfigurationError(
                        f"{by} started run {row.run_id}, so somebody else has to approve what it planned (four_eyes)."
                    )
            upsert(connection, approvals, [self._as_row(row, by, at) for row in rows])
            for page in pages([row.number for row in rows]):
                connection.execute(changes.update().where(changes.c.number.in_(page)).values(approved_by=by))
            self._settle(connection, [row.plan for row in rows])
        return [{**as_line(self._sets, row), "approved_by": by} for row in rows]

    def reject(self, chosen: Chosen, by: str, reason: str) -> list[dict[str, Any]]:
        """Reject changes: they are held until their source changes or they are released; return a line of each.

        Raises:
            ConfigurationError: Nothing of it waits.
        """
        with self._store.write() as connection:
            rows = self._rows(connection, chosen)
            if any(row.is_trial for row in rows):
                raise ConfigurationError("A dry run's plan cannot be rejected, since nothing waits in it.")
            for row in rows:
                here = and_(copies.c.company == row.company, copies.c.source == row.source)
                kept = unpacked(connection.execute(select(copies.c.besides).where(here)).scalar_one_or_none())
                known = select(sources.c.version).where(sources.c.id == row.source)
                version = connection.execute(known).scalar_one_or_none()  # None: deleted at the source, and forgotten
                held = {
                    "state": "held",
                    "kind": "held",
                    "reason": f"Rejected by {by}: {reason}",
                    "next_try": None,
                    "besides": packed({**kept, "held": version}),
                }
                connection.execute(copies.update().where(here).values(**held))
            for page in pages([row.number for row in rows]):
                said = {"kind": "held", "reason": f"Rejected by {by}: {reason}"}
                connection.execute(changes.update().where(changes.c.number.in_(page)).values(**said))
            self._settle(connection, [row.plan for row in rows])
        return [{**as_line(self._sets, row), "kind": "held", "reason": f"Rejected by {by}: {reason}"} for row in rows]

    def _rows(self, connection: Any, chosen: Chosen) -> list[Any]:
        query = CHANGES.add_columns(runs.c.id.label("run_id"), runs.c.started_by, plans.c.is_trial)
        query = query.join(runs, runs.c.number == changes.c.run).join(plans, plans.c.id == changes.c.plan)
        query = query.join(sites, sites.c.id == companies.c.site).where(self._here, _WAITS)
        rows = list(connection.execute(chosen.narrow(query).order_by(changes.c.plan, changes.c.rank, changes.c.number)))
        if not rows:
            raise ConfigurationError(
                f"Nothing waits for approval in {chosen}. `target-exactonline-store plans` lists them."
            )
        return rows

    def _as_row(self, row: Any, by: str, at: datetime) -> dict[str, Any]:
        return {
            "company": row.company,
            "entity": row.entity,
            "code": row.code,
            "digest": digest_of(row.action, fields_of(self._sets, row), row.target_id),
            "by": by,
            "at": at,
            "planned_by": row.started_by or "",
            "plan": row.plan,
        }

    def _settle(self, connection: Any, numbers: Sequence[int]) -> None:
        """Note of plans of which nothing waits any longer that they are approved."""
        for plan in set(numbers):
            left = select(changes.c.number).where(changes.c.plan == plan, _WAITS)
            if connection.execute(left.limit(1)).first() is None:
                connection.execute(plans.update().where(plans.c.id == plan).values(approval="approved"))


LAST = "last"
_WAITS = and_(changes.c.kind == "approval", changes.c.approved_by.is_(None))
_NEWEST = (
    select(runs.c.id)
    .join(changes, changes.c.run == runs.c.number)
    .where(_WAITS)
    .order_by(runs.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
