"""Which row is whose at first contact, as people decided it: kept with who and when, and obeyed by every later plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from exactonline_client.entities import Entity
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from sqlalchemy import and_, exists, or_, select
from sqlalchemy.engine import Connection

from target_exactonline.planning.model import SourceKey
from target_exactonline.store.rows import packed, unpacked
from target_exactonline.store.tables import companies, copies, match_decisions, mirror, sites, sources
from target_exactonline.store.trial_matches import newest_trial

Verdict = Literal["tied", "untied", "left_out", "as_new"]
VERDICTS = get_args(Verdict)
LEFT_OUT = "Left out by {} on {:%Y-%m-%d}, until it is tied or let be created (tie, as-new)."
BROKEN = "Untied by {} on {:%Y-%m-%d}. Tie it to another one (tie), leave it out (leave-out) or let it be new (as-new)."
WITHOUT_ROW = "{} tied it on {:%Y-%m-%d} to an account that is not here any longer. Tie it to another one (tie)."
BY_HAND = "person"
"""Rule of a tie that somebody made."""
NO_TIE = {"target_id": None, "written": None, "baseline": None, "written_at": None, "matched_on": None}


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided on one source record in one company."""

    verdict: Verdict
    target_id: str | None
    by: str
    at: datetime

    @property
    def reason(self) -> str:
        """Return why a record that was left out is left alone."""
        return LEFT_OUT.format(self.by, self.at)

    @property
    def broken(self) -> str:
        """Return why a record that was untied is tied to nothing."""
        return BROKEN.format(self.by, self.at)

    @property
    def without_row(self) -> str:
        """Return why a record that was tied by hand is tied to nothing."""
        return WITHOUT_ROW.format(self.by, self.at)


@dataclass(frozen=True, slots=True)
class Party:
    """A source record in one company."""

    company: int
    division: int
    source: int
    """Number of the source record; below zero for one that only a dry run saw."""
    key: SourceKey
    code: str

    def __str__(self) -> str:
        return f"account {self.code} in division {self.division}"


class Matches:
    """The decisions of one store on one entity."""

    def __init__(self, store: Store, entity: Entity) -> None:
        self._store = store
        self._entity = entity

    def of(self, company: int) -> dict[SourceKey, Decided]:
        """Return the newest decision on each source record in a company."""
        mine = and_(match_decisions.c.company == company, match_decisions.c.entity == self._entity.stream)
        with self._store.read() as connection:
            rows = connection.execute(select(match_decisions).where(mine).order_by(match_decisions.c.id))
            return {
                SourceKey(row.source_division, row.source_key): Decided(
                    row.decision, row.target_id, row.decided_by, row.at
                )
                for row in rows
            }

    def find(self, urls: list[str], division: int, code: str, source: str | None = None) -> Party:
        """Return the source record that has a code and is for a company.

        Args:
            urls: Sites that the company may be at.
            division: Its code.
            code: Of the source record; not looked at where `source` is given.
            source: Company and ID of the source record, as `100/5e2d…`.

        Raises:
            ConfigurationError: There is none, or there are several.
        """
        found = [*self._candidates(urls, division, code, source), *self._of_trials(urls, division, code, source)]
        if not found:
            raise ConfigurationError(
                f"No account of the source has the code {code} and is known for division {division}. The code is the "
                "one that it has at the source; the first run makes it known, also a dry run."
            )
        if len(found) > 1:
            listed = ", ".join(as_text(one.key) for one in found)
            raise ConfigurationError(f"Several accounts of the source have the code {code}: say --source, of {listed}.")
        return found[0]

    def decide(self, party: Party, verdict: Verdict, target: str | None, by: str, at: datetime) -> None:
        """Keep a decision, and let the next plan obey it.

        Args:
            party: The source record in its company.
            verdict: What is decided.
            target: ID or code of the row that it is tied to.
            by: Who decides.
            at: Now.

        Raises:
            ConfigurationError: It cannot be; nothing was kept.
        """
        with self._alone_with(party), self._store.write(f"company-{party.company}") as connection:
            target_id = self._row(connection, party, target) if verdict == "tied" else None
            if target_id is not None:
                self._make_sure_that_it_is_free(connection, party, target_id)
            row = {
                "company": party.company,
                "entity": self._entity.stream,
                "source_division": party.key.division,
                "source_key": party.key.id,
                "decision": verdict,
                "target_id": target_id,
                "decided_by": by,
                "at": at,
            }
            connection.execute(match_decisions.insert(), row)
            _let_it_be_obeyed(connection, party, Decided(verdict, target_id, by, at))

    @contextmanager
    def _alone_with(self, party: Party) -> Iterator[None]:
        release = self._store.try_lock(f"lane-{party.company}")
        if release is None:
            raise ConfigurationError(
                f"A run is at work in division {party.division}, and has planned already. Decide once it is over."
            )
        try:
            yield
        finally:
            release()

    def _candidates(self, urls: list[str], division: int, code: str, source: str | None) -> list[Party]:
        query = (
            select(sources.c.id, sources.c.division, sources.c.key, sources.c.code, companies.c.id.label("company"))
            .join(sites, sites.c.id == sources.c.site)
            .join(companies, companies.c.site == sites.c.id)
            .where(sites.c.url.in_(urls), companies.c.division == division, sources.c.entity == self._entity.stream)
            .where(sources.c.company.in_([0, companies.c.id]), sources.c.is_deleted.is_(False))
        )
        query = query.where(sources.c.code == code) if source is None else query.where(*_is(source))
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(sources.c.id)).all()
        return [Party(row.company, division, row.id, SourceKey(row.division, row.key), row.code) for row in rows]

    def _of_trials(self, urls: list[str], division: int, code: str, source: str | None) -> Iterator[Party]:
        """Yield source records that only the newest dry run saw."""
        here = select(companies.c.id).join(sites, sites.c.id == companies.c.site)
        with self._store.read() as connection:
            for company in connection.execute(
                here.where(sites.c.url.in_(urls), companies.c.division == division)
            ).scalars():
                trial = newest_trial(connection, company, self._entity)
                found = dict[SourceKey, Party]()
                for page in trial.rows(connection, code if source is None else None) if trial is not None else ():
                    for one in page:
                        key = SourceKey(one.division, one.key)
                        if one.source < 0 and source in (None, as_text(key)):
                            found.setdefault(key, Party(company, division, one.source, key, one.code))
                yield from found.values()

    def _row(self, connection: Connection, party: Party, target: str | None) -> str:
        """Return the ID of the row that is named by ID or code."""
        mine = and_(mirror.c.company == party.company, mirror.c.entity == self._entity.stream)
        named = (target or "").strip()
        for named_by in (mirror.c.id == named.lower().strip("{}"), mirror.c.code == named):
            found = connection.execute(select(mirror.c.id).where(mine, named_by)).scalar_one_or_none()
            if found is not None:
                return str(found)
        raise ConfigurationError(
            f"Division {party.division} has no account {named or 'without a name'}, as far as it was read. Give its "
            "ID, or the code that it has there."
        )

    def _make_sure_that_it_is_free(self, connection: Connection, party: Party, target_id: str) -> None:
        owner = (
            select(sources.c.code)
            .join(copies, copies.c.source == sources.c.id)
            .where(copies.c.company == party.company, copies.c.target_id == target_id)
            .where(copies.c.source != party.source, sources.c.is_deleted.is_(False))
        )
        code = connection.execute(owner).scalar_one_or_none()
        if code is None:
            code = self._promised_to(connection, party, target_id)
        if code is not None:
            raise ConfigurationError(
                f"The row is the copy of account {code} of the source already. Untie that one first, if it is wrong."
            )

    def _promised_to(self, connection: Connection, party: Party, target_id: str) -> str | None:
        """Return the code of another source record that somebody tied to a row, which no plan has obeyed yet."""
        mine = and_(match_decisions.c.company == party.company, match_decisions.c.entity == self._entity.stream)
        later = match_decisions.alias("later")
        newest = ~exists().where(
            later.c.company == match_decisions.c.company,
            later.c.entity == match_decisions.c.entity,
            later.c.source_division == match_decisions.c.source_division,
            later.c.source_key == match_decisions.c.source_key,
            later.c.id > match_decisions.c.id,
        )
        columns = (match_decisions.c.source_division, match_decisions.c.source_key)
        its_source = and_(sources.c.division == columns[0], sources.c.key == columns[1])
        promised = match_decisions.join(sources, its_source, isouter=True)
        query = select(sources.c.code, *columns).select_from(promised)
        query = query.where(mine, match_decisions.c.target_id == target_id, newest)
        query = query.where(or_(columns[0] != party.key.division, columns[1] != party.key.id))
        row = connection.execute(query.where(sources.c.is_deleted.is_not(True)).limit(1)).one_or_none()
        if row is None:
            return None
        key = SourceKey(row.source_division, row.source_key)
        return row.code or self._code_in_trial(connection, party.company, key) or as_text(key)

    def _code_in_trial(self, connection: Connection, company: int, key: SourceKey) -> str | None:
        trial = newest_trial(connection, company, self._entity)
        rows = (one for page in (trial.rows(connection) if trial is not None else ()) for one in page)
        return next((one.code for one in rows if key == (one.division, one.key)), None)


def as_text(key: SourceKey) -> str:
    """Return the identity of a source record as people pass it on."""
    return f"{key.division}/{key.id}"


def _is(source: str) -> tuple[Any, ...]:
    division, _, key = source.partition("/")
    if not (division.isdecimal() and key):
        raise ConfigurationError(f"{source!r} is no source record: it is its company and its ID, as 100/5e2d…")
    return sources.c.division == int(division), sources.c.key == key


def _let_it_be_obeyed(connection: Connection, party: Party, decided: Decided) -> None:
    """Let the next plan look at the copy, which gives up a row that it is tied to no longer."""
    if party.source < 0:
        return  # only a dry run saw it
    here = and_(copies.c.company == party.company, copies.c.source == party.source)
    row = connection.execute(select(copies).where(here)).one_or_none()
    values: dict[str, Any] = {"state": "deferred", "kind": None, "reason": None, "next_try": None, "tries": 0}
    if decided.verdict == "left_out":
        values |= {"state": "held", "kind": "held", "reason": decided.reason}
    if row is None:
        new = {"company": party.company, "source": party.source, "code": party.code, "first_seen": decided.at}
        connection.execute(copies.insert(), new | values)
        return
    besides = unpacked(row.besides)
    besides.pop("held", None)
    if decided.verdict != "left_out" and row.target_id is not None and row.target_id != decided.target_id:
        values |= NO_TIE | {"code": party.code}
        besides = {"candidates": [row.target_id]}
    elif row.target_id is not None and row.target_id == decided.target_id and row.state == "tied":
        return  # it is so already
    connection.execute(copies.update().where(here).values(besides=packed(besides) if besides else None, **values))
