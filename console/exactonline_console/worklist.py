"""What waits for a person: customers by reason, with the companies in which they wait; read from the target's store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, not_, or_, select
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.plans import fields_of
from target_exactonline.store.tables import changes, companies, copies, plans, sites, sources

PAGE = 50
PLACES_SHOWN = 10
LONG = timedelta(days=2)
GROUPS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "approve": (("deferred",), ("approval",)),
    "decide": (("refused",), ("ambiguous", "collision")),
    "code": (("refused",), ("code_changed",)),
    "correct": (("refused",), ("invalid", "rejected")),
    "references": (("refused", "deferred"), ("reference",)),
    "reach": (("deferred",), ("no_access",)),
    "long": (("deferred",), ()),
    "soon": (("deferred",), ()),
    "held": (("held",), ()),
}
"""What a person does about it, in the order of the page: the states and kinds of copies; no kind is any other."""
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
        found: Counter[str] = Counter()
        with self._store.read() as connection:
            for group in GROUPS:
                rows = self._grouped(Wanted(group, division)).subquery()
                found[group] = int(connection.execute(select(func.count()).select_from(rows)).scalar_one())
        return found

    def companies(self) -> list[tuple[int, str]]:
        """Return the companies in which anything waits, by name."""
        query = self._chosen(Wanted()).with_only_columns(companies.c.division, companies.c.name).distinct()
        with self._store.read() as connection:
            return sorted(((row.division, row.name) for row in connection.execute(query)), key=lambda one: one[1])

    def page(self, wanted: Wanted, number: int) -> Page:
        """Return a page of customers, the longest waiting first."""
        query = self._grouped(wanted).order_by(func.min(copies.c.first_seen), copies.c.source)
        with self._store.read() as connection:
            rows = connection.execute(query.limit(PAGE + 1).offset((number - 1) * PAGE)).all()
            items = tuple(self._item(connection, row, wanted) for row in rows[:PAGE])
        return Page(items, number, len(rows) > PAGE)

    def named(self, names: Sequence[str], division: int | None) -> list[Item]:
        """Return the items that a form names, with all their companies; what waits no longer is left out."""
        found = []
        with self._store.read() as connection:
            for name in names:
                source, group, state, kind = (*name.split("."), "", "", "")[:4]
                wanted = Wanted(group, division)
                if not source.isdigit() or group not in GROUPS:
                    continue
                query = self._grouped(wanted).where(*_same(int(source), state, kind or None))
                row = connection.execute(query).one_or_none()
                if row is not None:
                    found.append(self._item(connection, row, wanted, all_places=True))
        return found

    def _item(self, connection: Connection, row: Any, wanted: Wanted, *, all_places: bool = False) -> Item:
        about = connection.execute(select(sources).where(sources.c.id == row.source)).one()
        group = wanted.group or group_of(row.state, row.kind)
        query = self._chosen(Wanted(group, wanted.division)).where(*_same(row.source, row.state, row.kind))
        query = query.order_by(companies.c.name)
        query = query if all_places else query.limit(PLACES_SHOWN)
        values = self._sets.unpacked(about.content, connection)
        places = tuple(self._place(connection, one, about.code) for one in connection.execute(query).all())
        return Item(
            row.source,
            about.entity,
            f"{about.division}/{about.key}",
            about.code,
            str(values.get("Name") or ""),
            group,
            row.state,
            row.kind or "",
            row.count,
            row.since,
            places,
        )

    def _place(self, connection: Connection, row: Any, code: str) -> Place:
        plan, change = (None, {}) if row.kind != "approval" else self._change(connection, row, code)
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

    def _change(self, connection: Connection, row: Any, code: str) -> tuple[int | None, dict[str, Any]]:
        """Return the plan in which a change waits for approval, and the change."""
        found = connection.execute(
            select(changes.c.plan, changes.c.action, changes.c.fields, changes.c.entity)
            .where(changes.c.company == row.company, changes.c.source == row.source, changes.c.code == code, _WAITS)
            .order_by(changes.c.number.desc())
            .limit(1)
        ).one_or_none()
        if found is None:
            return None, {}
        outcome = {"create": "created", "delete": "deleted"}.get(found.action, "updated")
        return found.plan, {"outcome": outcome, "changes": fields_of(self._sets, found), "kind": None, "reason": None}

    def _grouped(self, wanted: Wanted) -> Select[Any]:
        columns = (copies.c.source, copies.c.state, copies.c.kind)
        query = self._chosen(wanted).with_only_columns(
            *columns, func.count().label("count"), func.min(copies.c.first_seen).label("since")
        )
        return query.group_by(*columns)

    def _chosen(self, wanted: Wanted) -> Select[Any]:
        query = _LIST.where(self._here, _OPEN, or_(*map(self._of, [wanted.group] if wanted.group else URGENT)))
        if wanted.division is not None:
            query = query.where(companies.c.division == wanted.division)
        if wanted.search:
            texts = (sources.c.code, sources.c.content)
            query = query.where(or_(*(one.icontains(wanted.search, autoescape=True) for one in texts)))
        return query

    def _of(self, group: str) -> ColumnElement[bool]:
        states, kinds = GROUPS[group]
        is_state = copies.c.state.in_(states)
        if group == "approve":
            return and_(is_state, copies.c.kind.in_(kinds), _is_unapproved())
        if group in {"long", "soon"}:
            others = [kind for states, known in GROUPS.values() if "deferred" in states for kind in known]
            is_other = or_(copies.c.kind.is_(None), copies.c.kind.not_in(others))
            before = self._now - LONG
            if group == "long":
                return and_(is_state, is_other, copies.c.first_seen < before)
            is_recent = or_(copies.c.first_seen.is_(None), copies.c.first_seen >= before)
            is_approved = and_(copies.c.kind == "approval", not_(_is_unapproved()))
            return and_(is_state, or_(and_(is_other, is_recent), is_approved))
        return and_(is_state, copies.c.kind.in_(kinds)) if kinds else is_state


def group_of(state: str, kind: str | None) -> str:
    """Return the group of a copy that is urgent."""
    return next((name for name in URGENT if state in GROUPS[name][0] and kind in GROUPS[name][1]), "long")


def _same(source: int, state: str, kind: str | None) -> tuple[ColumnElement[bool], ...]:
    return copies.c.source == source, copies.c.state == state, copies.c.kind.is_not_distinct_from(kind)


def _is_unapproved() -> ColumnElement[bool]:
    """Whether nobody approved the newest change of a copy that asks for it."""
    mine = (
        changes.c.company == copies.c.company,
        changes.c.source == copies.c.source,
        changes.c.code == sources.c.code,
    )
    newest = select(func.max(changes.c.number)).where(*mine, _ASKED).correlate(copies, sources).scalar_subquery()
    return select(changes.c.number).where(changes.c.number == newest, changes.c.approved_by.is_(None)).exists()


_OPEN = copies.c.state != literal_column("'tied'")  # to the letter, or SQLite passes over the index of these
_REAL = changes.c.plan.in_(select(plans.c.id).where(plans.c.is_trial.is_(False)))
_ASKED = and_(changes.c.kind == "approval", _REAL)
_WAITS = and_(_ASKED, changes.c.approved_by.is_(None))
_LIST = (
    select(copies, sites.c.url, companies.c.division, companies.c.name.label("company_name"))
    .join(companies, companies.c.id == copies.c.company)
    .join(sites, sites.c.id == companies.c.site)
    .join(sources, sources.c.id == copies.c.source)
)
