"""What waits for a person: customers by reason, with the companies in which they wait; read from the target's store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal_column, or_, select
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.plans import fields_of
from target_exactonline.store.tables import changes, companies, copies, plans, sites, sources

PAGE = 50
PLACES_SHOWN = 10
LONG = timedelta(days=2)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "approve": ("deferred",),
    "decide": ("refused",),
    "code": ("refused",),
    "correct": ("refused",),
    "references": ("refused", "deferred"),
    "reach": ("deferred",),
    "long": ("deferred",),
    "soon": ("deferred",),
    "held": ("held",),
}
"""What a person does about it, in the order of the page, with the states of its copies."""
URGENT = tuple(name for name in GROUPS if name not in {"soon", "held"})
"""Groups that wait for somebody; of the others one goes on by itself, and one was decided."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the list is asked for."""

    group: str | None = None
    """None for all that are urgent."""
    division: int | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A company in which a customer waits."""

    site: str
    company: int
    division: int
    name: str
    target_id: str | None
    reason: str | None
    since: datetime | None
    tries: int
    plan: int | None = None
    change: Mapping[str, Any] = field(default_factory=dict)
    """What waits for approval: as `run_records` shows a change."""


@dataclass(frozen=True, slots=True)
class Item:
    """A customer that waits in some companies for one reason."""

    source: int
    entity: str
    key: str
    """Company and ID of the source record, as `100/5e2d…`."""
    code: str
    name: str
    group: str
    state: str
    kind: str
    count: int
    """Companies."""
    since: datetime | None
    places: tuple[Place, ...]

    @property
    def source_division(self) -> int:
        """The company that it comes from; 0 for a list of another program."""
        return int(self.key.partition("/")[0])

    @property
    def id(self) -> str:
        """How a form names it."""
        return f"{self.source}.{self.group}.{self.state}.{self.kind}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list."""

    items: tuple[Item, ...]
    number: int
    has_more: bool


class Worklist:
    """What waits at some sites."""

    def __init__(self, store: Store, urls: Sequence[str], now: datetime) -> None:
        self._store = store
        self._sets = FieldSets(store)
        self._here = sites.c.url.in_(urls)
        self._now = now

    def counts(self, division: int | None = None) -> Counter[str]:
        """Return how many customers wait in each group."""
        rows = self._grouped(Wanted(division=division), tuple(GROUPS)).subquery()
        query = select(rows.c.label, func.count()).group_by(rows.c.label)
        with self._store.read() as connection:
            return Counter({row.label: row[1] for row in connection.execute(query)})

    def companies(self) -> list[tuple[int, str]]:
        """Return the companies in which anything waits, by name."""
        anything = select(copies.c.company).where(copies.c.company == companies.c.id, _OPEN)
        query = select(companies.c.division, companies.c.name).join(sites, sites.c.id == companies.c.site)
        with self._store.read() as connection:
            found = connection.execute(query.where(self._here, anything.exists()))
            return sorted(((row.division, row.name) for row in found), key=lambda one: one[1])

    def page(self, wanted: Wanted, number: int) -> Page:
        """Return a page of customers, the longest waiting first."""
        query = self._grouped(wanted, (wanted.group,) if wanted.group else URGENT)
        query = query.order_by(query.selected_columns.since, query.selected_columns.source)
        with self._store.read() as connection:
            rows = connection.execute(query.limit(PAGE + 1).offset((number - 1) * PAGE)).all()
            items = tuple(self._shown(connection, row, wanted.division) for row in rows[:PAGE])
        return Page(items, number, len(rows) > PAGE)

    def _shown(self, connection: Connection, row: Any, division: int | None) -> Item:
        places = self._places(connection, row.source, row.state, row.kind, Wanted(row.label, division), PLACES_SHOWN)
        item = self._item(connection, row.source, row.label, row.state, row.kind or "", places)
        return replace(item, count=row.count, since=row.since)

    def plans_to_approve(self, division: int | None) -> list[tuple[int, int]]:
        """Return the plans in which changes wait for approval as they were planned last, each with its company."""
        asks = _LIST.where(self._here, copies.c.state == "deferred", copies.c.kind == "approval")
        mine = (changes.c.company == copies.c.company, changes.c.source == copies.c.source)
        newer = changes.alias("newer")
        is_newest = ~(
            select(newer.c.number)
            .where(newer.c.company == changes.c.company, newer.c.code == changes.c.code)
            .where(newer.c.source == changes.c.source, newer.c.kind == "approval", newer.c.number > changes.c.number)
            .exists()
        )
        query = asks.join(changes, and_(*mine, changes.c.code == sources.c.code)).where(_WAITS, is_newest)
        if division is not None:
            query = query.where(companies.c.division == division)
        query = query.with_only_columns(changes.c.plan, companies.c.division).distinct().order_by(changes.c.plan)
        with self._store.read() as connection:
            return [(row.plan, row.division) for row in connection.execute(query)]

    def named(self, names: Sequence[str], division: int | None) -> list[Item]:
        """Return the items that a form names, with all their companies; what waits no longer is left out."""
        found = []
        with self._store.read() as connection:
            for name in names:
                source, group, state, kind = (*name.split("."), "", "", "")[:4]
                wanted = Wanted(group, division)
                if not source.isdigit() or group not in GROUPS:
                    continue
                places = self._places(connection, int(source), state, kind or None, wanted)
                if places:
                    found.append(self._item(connection, int(source), group, state, kind, places))
        return found

    def _item(
        self, connection: Connection, source: int, group: str, state: str, kind: str, places: Sequence[Place]
    ) -> Item:
        about = connection.execute(select(sources).where(sources.c.id == source)).one()
        name = self._sets.unpacked(about.content, connection).get("Name") or ""
        key = f"{about.division}/{about.key}"
        since = min((one.since for one in places if one.since), default=None)
        return Item(
            source, about.entity, key, about.code, str(name), group, state, kind, len(places), since, tuple(places)
        )

    def _places(
        self,
        connection: Connection,
        source: int,
        state: str,
        kind: str | None,
        wanted: Wanted,
        limit: int | None = None,
    ) -> list[Place]:
        """Return the companies in which a customer waits so, by name."""
        label = self._label(copies.c)
        mine = (copies.c.source == source, copies.c.state == state, copies.c.kind.is_not_distinct_from(kind))
        query = _LIST.where(self._here, *mine, label == wanted.group).order_by(companies.c.name)
        if wanted.division is not None:
            query = query.where(companies.c.division == wanted.division)
        return [self._place(connection, row) for row in connection.execute(query.limit(limit)).all()]

    def _place(self, connection: Connection, row: Any) -> Place:
        plan, change = (None, {}) if row.kind != "approval" else self._change(connection, row)
        return Place(
            row.url,
            row.company,
            row.division,
            row.company_name,
            row.target_id,
            row.reason,
            row.first_seen,
            row.tries,
            plan,
            change,
        )

    def _change(self, connection: Connection, row: Any) -> tuple[int | None, dict[str, Any]]:
        """Return the plan in which a change waits for approval, and the change."""
        found = connection.execute(
            select(changes.c.plan, changes.c.action, changes.c.fields, changes.c.entity)
            .where(
                changes.c.company == row.company,
                changes.c.source == row.source,
                changes.c.code == row.source_code,
                _WAITS,
            )
            .order_by(changes.c.number.desc())
            .limit(1)
        ).one_or_none()
        if found is None:
            return None, {}
        outcome = {"create": "created", "delete": "deleted"}.get(found.action, "updated")
        return found.plan, {"outcome": outcome, "changes": fields_of(self._sets, found), "kind": None, "reason": None}

    def _grouped(self, wanted: Wanted, groups: Sequence[str]) -> Select[Any]:
        """Return the query for customers by group, state and kind, with how many companies each."""
        states = {state for group in groups for state in GROUPS[group]}
        kept = (copies.c.company, copies.c.source, copies.c.state, copies.c.kind, copies.c.first_seen)
        # In a step of its own, or SQLite goes through all copies instead of the index of those that wait.
        waiting = select(*kept).where(_OPEN, copies.c.state.in_(states)).cte("waiting").prefix_with("MATERIALIZED")
        query = (
            select(waiting, self._label(waiting.c).label("label"))
            .join(companies, companies.c.id == waiting.c.company)
            .join(sites, sites.c.id == companies.c.site)
            .join(sources, sources.c.id == waiting.c.source)
            .where(self._here)
        )
        if wanted.division is not None:
            query = query.where(companies.c.division == wanted.division)
        if wanted.search:
            texts = (sources.c.code, sources.c.content)
            query = query.where(or_(*(one.icontains(wanted.search, autoescape=True) for one in texts)))
        found = query.cte("labelled").prefix_with("MATERIALIZED")
        columns = (found.c.source, found.c.state, found.c.kind, found.c.label)
        counted = select(*columns, func.count().label("count"), func.min(found.c.first_seen).label("since"))
        return counted.where(found.c.label.in_(groups)).group_by(*columns)

    def _label(self, copy: Any) -> ColumnElement[str]:
        """Return the group of a copy, as an expression."""
        is_refused, is_deferred = copy.state == "refused", copy.state == "deferred"
        return case(
            (and_(is_deferred, copy.kind == "approval", _is_unapproved(copy)), "approve"),
            (and_(is_refused, copy.kind.in_(("ambiguous", "collision"))), "decide"),
            (and_(is_refused, copy.kind == "code_changed"), "code"),
            (copy.kind == "reference", "references"),
            (is_refused, "correct"),
            (and_(is_deferred, copy.kind == "no_access"), "reach"),
            (and_(is_deferred, copy.kind == "approval"), "soon"),
            (and_(is_deferred, copy.first_seen < self._now - LONG), "long"),
            (is_deferred, "soon"),
            else_="held",
        )


def _is_unapproved(copy: Any) -> ColumnElement[bool]:
    """Whether nobody approved the newest change of a copy that asks for it."""
    mine = (changes.c.company == copy.company, changes.c.source == copy.source, changes.c.code == sources.c.code)
    newest = select(func.coalesce(changes.c.approved_by, "")).where(*mine, _ASKED).order_by(changes.c.number.desc())
    return newest.limit(1).correlate(copy.state.table, sources).scalar_subquery() == ""


_OPEN = copies.c.state != literal_column("'tied'")  # to the letter, or SQLite passes over the index of these
_REAL = select(plans.c.id).where(plans.c.id == changes.c.plan, plans.c.is_trial.is_(False)).correlate(changes).exists()
_ASKED = and_(changes.c.kind == "approval", _REAL)
_WAITS = and_(_ASKED, changes.c.approved_by.is_(None))
_LIST = (
    select(
        copies,
        sites.c.url,
        companies.c.division,
        companies.c.name.label("company_name"),
        sources.c.code.label("source_code"),
    )
    .join(companies, companies.c.id == copies.c.company)
    .join(sites, sites.c.id == companies.c.site)
    .join(sources, sources.c.id == copies.c.source)
)
