"""What became of first contact in each company, for people and programs that look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from exactonline_client.entities import Entity
from exactonline_client.store import Store
from sqlalchemy import Row, and_, or_, select
from sqlalchemy.engine import Connection

from target_exactonline.planning.matching import agreeing
from target_exactonline.planning.model import SourceKey
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.matches import BY_HAND, Decided, Matches, Party, as_text
from target_exactonline.store.rows import RECORDS_AT_A_TIME, unpacked
from target_exactonline.store.tables import companies, copies, mirror, sites, sources
from target_exactonline.store.trial_matches import Trial, TrialRow, newest_trial

MatchState = Literal["tied", "ambiguous", "collision", "left_out", "as_new"]
STATES = get_args(MatchState)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be a source record's."""

    id: str
    code: str | None
    name: str
    agrees: tuple[str, ...]

    def as_object(self) -> dict[str, Any]:
        """Return it in types that JSON has."""
        return {"id": self.id, "code": self.code, "name": self.name, "agrees": list(self.agrees)}


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one source record in one company."""

    party: Party
    name: str
    state: MatchState
    matched_on: str | None
    row: Candidate | None
    """The row that it is tied to, or shall be."""
    candidates: tuple[Candidate, ...]
    decided: Decided | None
    run: str | None = None
    """Id of the dry run that shows it; None if it is so."""

    def as_object(self) -> dict[str, Any]:
        """Return it in types that JSON has."""
        return {
            "division": self.party.division,
            "code": self.party.code,
            "name": self.name,
            "state": self.state,
            "matched_on": self.matched_on,
            "target_id": self.row.id if self.row else None,
            "target_code": self.row.code if self.row else None,
            "candidates": [one.as_object() for one in self.candidates],
            "by": self.decided.by if self.decided else None,
            "at": self.decided.at.isoformat() if self.decided else None,
            "source": as_text(self.party.key),
            "dry_run": self.run is not None,
            "run": self.run,
        }


class MatchLists:
    """First contact at some sites."""

    def __init__(self, store: Store, urls: Sequence[str], entity: Entity) -> None:
        self._store = store
        self._entity = entity
        self._matches = Matches(store, entity)
        self._sets = FieldSets(store)
        self._here = sites.c.url.in_(urls)

    def lines(self, division: int | None = None, code: str | None = None, state: str | None = None) -> Iterator[Line]:
        """Yield what was tied by which rule, what is ambiguous and what people decided, by company."""
        chosen = select(companies.c.id, companies.c.division).join(sites, sites.c.id == companies.c.site)
        chosen = chosen.where(self._here).order_by(companies.c.division)
        if division is not None:
            chosen = chosen.where(companies.c.division == division)
        with self._store.read() as connection:
            found = connection.execute(chosen).all()
        for company in found:
            for line in self._of_company(company.id, company.division, code):
                if state in (None, line.state):
                    yield line

    def line(self, party: Party) -> Line | None:
        """Return what became of one source record."""
        found = self._of_company(party.company, party.division, party.code)
        return next((one for one in found if one.party.key == party.key), None)

    def _of_company(self, number: int, division: int, code: str | None) -> Iterator[Line]:
        decided = self._matches.of(number)
        after = 0
        while True:
            query = _COPIES.where(copies.c.company == number, copies.c.source > after)
            query = query.where(sources.c.entity == self._entity.stream, sources.c.is_deleted.is_(False))
            if code is not None:
                query = query.where(sources.c.code == code)
            with self._store.read() as connection:
                rows = connection.execute(query.order_by(copies.c.source).limit(RECORDS_AT_A_TIME)).all()
                trial = newest_trial(connection, number, self._entity)
                found = list(self._page(connection, number, division, _newer(connection, trial, rows), decided))
            yield from found
            if not rows:
                break
            after = rows[-1].source
        yield from self._of_trial(number, division, code, decided)

    def _of_trial(
        self, number: int, division: int, code: str | None, decided: Mapping[SourceKey, Decided]
    ) -> Iterator[Line]:
        """Yield what the newest dry run shows of source records that have no copy here."""
        with self._store.read() as connection:
            trial = newest_trial(connection, number, self._entity)
            for page in trial.rows(connection, code) if trial is not None else ():
                mine = and_(copies.c.company == number, copies.c.source.in_([one.source for one in page]))
                known = set(connection.execute(select(copies.c.source).where(mine)).scalars())
                rows = [one for one in page if one.source not in known]
                yield from list(self._page(connection, number, division, rows, decided))

    def _page(
        self,
        connection: Connection,
        number: int,
        division: int,
        rows: Sequence[Row[Any] | TrialRow],
        decided: Mapping[SourceKey, Decided],
    ) -> Iterator[Line]:
        told = []
        for row in rows:
            decision = decided.get(SourceKey(row.division, row.key))
            if isinstance(row, TrialRow) and decision is not None and decision.at > row.at:
                row = row._replace(state="new")  # noqa: PLW2901 - what the dry run made of it was decided on since
            state = _state(row, decision)
            if state is not None:
                told.append((row, state, decision))
        there = self._rows(connection, number, told)
        for row, state, decision in told:
            party = Party(number, division, row.source, SourceKey(row.division, row.key), row.code)
            values = self._sets.unpacked(row.content, connection)
            target_id = _target_id(row, decision) if state in ("tied", "left_out", "as_new") else None
            possible = there.candidates(row, state)
            yield Line(
                party,
                str(values.get("Name") or ""),
                state,
                _matched_on(row, decision),
                self._candidate(values, there.by_id[target_id]) if target_id and target_id in there.by_id else None,
                tuple(self._candidate(values, one) for one in possible),
                decision,
                row.run if isinstance(row, TrialRow) else None,
            )

    def _candidate(self, source: Mapping[str, Any], row: Mapping[str, Any]) -> Candidate:
        values = row["values"]
        agrees = agreeing(self._entity, dict(source), values)
        return Candidate(row["id"], row["code"], str(values.get("Name") or ""), agrees)

    def _rows(
        self,
        connection: Connection,
        number: int,
        told: Sequence[tuple[Row[Any] | TrialRow, MatchState, Decided | None]],
    ) -> _Rows:
        """Return the rows of a company that lines speak of."""
        ids = {one for row, _, decision in told for one in (_target_id(row, decision), *_possible(row)) if one}
        codes = {row.code for row, state, _ in told if state == "collision"}
        query = select(mirror.c.id, mirror.c.code, mirror.c.content).where(
            mirror.c.company == number,
            mirror.c.entity == self._entity.stream,
            or_(mirror.c.id.in_(ids), mirror.c.code.in_(codes)),
        )
        found = [{"id": row.id, "code": row.code, "values": unpacked(row.content)} for row in connection.execute(query)]
        return _Rows({one["id"]: one for one in found}, {one["code"]: one for one in found if one["code"]})


@dataclass(frozen=True, slots=True)
class _Rows:
    by_id: Mapping[str, Mapping[str, Any]]
    by_code: Mapping[str, Mapping[str, Any]]

    def candidates(self, row: Row[Any] | TrialRow, state: MatchState) -> list[Mapping[str, Any]]:
        """Return the rows of which a person has to say whose they are."""
        if state not in ("ambiguous", "collision"):
            return []
        found = [self.by_id[one] for one in _possible(row) if one in self.by_id]
        if not found and state == "collision" and row.code in self.by_code:
            return [self.by_code[row.code]]
        return found


def _newer(connection: Connection, trial: Trial | None, rows: Sequence[Row[Any]]) -> list[Row[Any] | TrialRow]:
    """Return copies, those that are tied to nothing as the newest dry run shows them."""
    if trial is None:
        return list(rows)
    untied = trial.of_sources(connection, [row.source for row in rows if row.target_id is None])
    return [untied.get(row.source, row) for row in rows]


def _state(row: Row[Any] | TrialRow, decision: Decided | None) -> MatchState | None:
    """Return what became of a copy; None if it is not about first contact: we created its row, or it only waits."""
    verdict = decision.verdict if decision is not None else None
    if verdict == "left_out":
        return "left_out"
    if row.state == "refused" and row.kind in ("ambiguous", "collision"):
        return "ambiguous" if row.kind == "ambiguous" else "collision"
    match verdict:
        case "untied":
            return "ambiguous"
        case "as_new":
            return "as_new"
        case "tied":
            return "tied"
        case _:
            return "tied" if row.target_id is not None and row.matched_on is not None else None


def _target_id(row: Row[Any] | TrialRow, decision: Decided | None) -> str | None:
    if decision is not None and decision.verdict == "tied":
        return decision.target_id
    return None if row.target_id is None else str(row.target_id)


def _matched_on(row: Row[Any] | TrialRow, decision: Decided | None) -> str | None:
    if decision is not None and decision.verdict == "tied" and row.target_id != decision.target_id:
        return BY_HAND
    return None if row.matched_on is None else str(row.matched_on)


def _possible(row: Row[Any] | TrialRow) -> Sequence[str]:
    return tuple(unpacked(row.besides).get("candidates", ()))


_COPIES = select(
    copies.c.source,
    copies.c.target_id,
    copies.c.matched_on,
    copies.c.state,
    copies.c.kind,
    copies.c.besides,
    sources.c.code,
    sources.c.division,
    sources.c.key,
    sources.c.content,
).join(sources, sources.c.id == copies.c.source)
