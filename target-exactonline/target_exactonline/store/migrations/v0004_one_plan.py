"""Source records, copies, mirror, plans and their changes, in the place of what the first edition kept.

A copy of the first edition knows what is wanted of it, by the record that last came for it. Out of that the source
record is made again; where the copies of one record disagree, as by constants of a company, the field is left out until
the record comes again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ROWS_AT_A_TIME = 500
OLD = ("replica", "links", "intents", "parked", "refreshes", "history", "planned")
ACCOUNTS = "accounts"


def upgrade() -> None:
    """Make the tables, and carry over copies, mirror, history, what waits and what was refused."""
    connection = op.get_bind()
    for name in OLD:
        op.rename_table(name, f"old_{name}")
    for index in _indexes(connection):
        op.drop_index(index)
    _make_tables()
    _Carrier(connection).carry_over()
    for name in OLD:
        op.drop_table(f"old_{name}")


def _indexes(connection: sa.Connection) -> list[str]:
    inspector = sa.inspect(connection)
    return [str(index["name"]) for name in OLD for index in inspector.get_indexes(f"old_{name}")]


def _make_tables() -> None:
    _table("sites", _id(), _text("url"), sa.UniqueConstraint("url"))
    _table(
        "companies",
        _id(),
        _int("site"),
        _int("division"),
        _text("name"),
        sa.UniqueConstraint("site", "division"),
    )
    _table(
        "positions", _key("company", sa.Integer), _key("entity"), _long("bookmark", nullable=True), _flag("is_suspect")
    )
    _table(
        "planned",
        _key("company", sa.Integer),
        _key("entity"),
        _key("scope"),
        _big("version"),
        _text("settings", nullable=True),
    )
    _table(
        "sources",
        _id(),
        _int("site"),
        _text("entity"),
        _int("company"),
        _int("division"),
        _text("key"),
        _text("code"),
        _long("content"),
        _long("problems", nullable=True),
        _big("version"),
        _flag("is_deleted"),
        _text("stream"),
        sa.UniqueConstraint("site", "entity", "company", "division", "key"),
    )
    op.create_index("ix_sources_version", "sources", ["site", "entity", "version"])
    op.create_index("ix_sources_code", "sources", ["site", "entity", "code"])
    _table(
        "copies",
        _key("company", sa.Integer),
        _key("source", sa.Integer),
        _text("code"),
        _text("target_id", nullable=True),
        _int("written", nullable=True),
        _long("baseline", nullable=True),
        _big("written_at", nullable=True),
        _text("matched_on", nullable=True),
        _text("state"),
        _text("kind", nullable=True),
        _long("reason", nullable=True),
        _text("refused", nullable=True),
        _long("besides", nullable=True),
        _big("first_seen", nullable=True),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        _big("next_try", nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ux_copies_target", "copies", ["company", "target_id"], unique=True)
    op.create_index("ix_copies_code", "copies", ["company", "code"])
    op.create_index("ix_copies_source", "copies", ["source"])
    waits = sa.text("state <> 'tied'")
    op.create_index("ix_copies_waiting", "copies", ["company", "state"], sqlite_where=waits, postgresql_where=waits)
    _table("field_sets", _id(), _long("names"), sa.UniqueConstraint("names"))
    _table(
        "mirror",
        _key("company", sa.Integer),
        _key("entity"),
        _key("id"),
        _text("code", nullable=True),
        _big("version"),
        _big("modified_at", nullable=True),
        _long("content"),
        sa.UniqueConstraint("company", "entity", "code"),
        sqlite_with_rowid=False,
    )
    _table("versions", _key("name"), _big("value"))
    _table(
        "plans",
        _id(),
        _int("run"),
        _int("company"),
        _text("entity"),
        _big("at"),
        _long("counts"),
        _long("unsafe", nullable=True),
        _long("forecast", nullable=True),
        _text("approval"),
        _flag("is_open"),
        _flag("is_trial"),
    )
    op.create_index("ix_plans_run", "plans", ["run"])
    op.create_index("ix_plans_company", "plans", ["company", "is_open"])
    _table(
        "changes",
        sa.Column("number", sa.Integer, primary_key=True),
        _int("run", nullable=True),
        _int("plan", nullable=True),
        _int("company", nullable=True),
        _text("entity"),
        _int("source", nullable=True),
        _text("code"),
        _text("action", nullable=True),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        _long("fields", nullable=True),
        _text("outcome", nullable=True),
        _text("kind", nullable=True),
        _long("reason", nullable=True),
        _text("target_id", nullable=True),
        _text("target_code", nullable=True),
        _text("matched_on", nullable=True),
        _text("approved_by", nullable=True),
        _long("not_sent", nullable=True),
        _long("besides", nullable=True),
        _big("at"),
    )
    op.create_index("ix_changes_run", "changes", ["run"])
    op.create_index("ix_changes_plan", "changes", ["plan"])
    op.create_index("ix_changes_code", "changes", ["company", "code"])


class _Carrier:
    """Carries over what the first edition kept."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        metadata = sa.MetaData()
        metadata.reflect(connection)
        self._tables = metadata.tables
        self._sites: dict[str, int] = {}
        self._companies: dict[tuple[str, int], int] = {}
        self._sources: dict[tuple[int, int, int, str], int] = {}
        self._sets: dict[str, int] = {}
        self._version = 0

    def carry_over(self) -> None:
        self._mirror()
        self._copies()
        self._waiting()
        self._history()
        for company in self._companies.values():
            row = {"company": company, "entity": ACCOUNTS, "scope": "*", "version": self._version, "settings": None}
            self._insert("planned", [row])
        if self._version:
            self._insert("versions", [{"name": "sources", "value": self._version}])

    # Tables

    def _mirror(self) -> None:
        """Keep one row per ID; the next run reads each company in full, and corrects what was wrong of it."""
        for site, division in self._places("replica"):
            newest: dict[str, Any] = {}
            for row in self._old("replica", site, division):
                before = newest.get(row.account_id)
                if before is None or row.timestamp > before.timestamp:
                    newest[row.account_id] = row
            company = self._company(site, division)
            self._insert(
                "mirror",
                [
                    {
                        "company": company,
                        "entity": ACCOUNTS,
                        "id": row.account_id,
                        "code": row.code,
                        "version": row.timestamp,
                        "modified_at": _milliseconds(row.modified_at),
                        "content": _packed(_filled(json.loads(row.present))),
                    }
                    for row in newest.values()
                ],
            )

    def _copies(self) -> None:
        for site, division in self._places("links"):
            company, tied = self._company(site, division), set[str]()
            for row in self._old("links", site, division):
                written, besides = json.loads(row.written), json.loads(row.besides or "{}")
                wanted = {**written, **besides}
                source = self._source(site, company, row, wanted)
                if row.account_id in tied:  # two copies of one row were a fault of the first edition; one stays
                    continue
                tied.add(row.account_id)
                gone = json.loads(row.gone) if row.gone else {}
                present = self._present(company, row.account_id)
                exceptions = {name: value for name, value in written.items() if present.get(name) != value}
                self._insert(
                    "copies",
                    [
                        {
                            "company": company,
                            "source": source,
                            "code": row.code,
                            "target_id": row.account_id,
                            "written": self._set(sorted(written)) if written else None,
                            "baseline": _packed(exceptions) if exceptions else None,
                            "written_at": _milliseconds(row.written_at),
                            "matched_on": None if written else "Code",
                            "state": "tied",
                            "besides": _packed({"gone": gone}) if row.gone is not None else None,
                            "tries": 0,
                        }
                    ],
                )
                if row.gone is not None:
                    self._mark_deleted(source)

    def _waiting(self) -> None:
        for row in self._connection.execute(sa.select(self._tables["old_parked"])).all():
            company = self._company(row.site, row.division)
            values = json.loads(row.wanted)
            is_deletion = row.stream == "deleted_accounts"
            source = self._source(row.site, company, row, {} if is_deletion else values)
            if is_deletion:
                self._mark_deleted(source)
            state = "refused" if row.state == "refused" else "deferred"
            kept = {
                "state": state,
                "kind": "rejected" if state == "refused" else "fault",
                "reason": row.reason,
                "refused": _digest_of_create(values) if state == "refused" else None,
                "first_seen": _milliseconds(row.first_seen),
                "tries": row.attempts,
            }
            copies = self._tables["copies"]
            here = (copies.c.company == company) & (copies.c.source == source)
            if not self._connection.execute(copies.update().where(here).values(**kept)).rowcount:
                self._insert("copies", [{"company": company, "source": source, "code": row.code, **kept}])

    def _history(self) -> None:
        actions = {"created": "create", "updated": "update", "deleted": "delete"}
        query = sa.select(self._tables["old_history"]).order_by(self._tables["old_history"].c.number)
        for page in _pages(self._connection.execute(query)):
            self._insert(
                "changes",
                [
                    {
                        "number": row.number,
                        "run": row.run,
                        "company": self._company(row.site, row.division) if row.division else None,
                        "entity": ACCOUNTS,
                        "code": row.code,
                        "action": actions.get(row.outcome),
                        "rank": 0,
                        "fields": _fields(row.outcome, json.loads(row.changes)),
                        "outcome": row.outcome,
                        "kind": "rejected" if row.outcome == "refused" else None,
                        "reason": row.reason,
                        "at": _milliseconds(row.at),
                    }
                    for row in page
                ],
            )

    # Rows

    def _source(self, site: str, company: int, row: Any, values: dict[str, Any]) -> int:
        """Return the number of the source record that a copy names; one that names none is its own."""
        place = self._site(site)
        is_known = row.source_id is not None
        division, key = (row.source_division, row.source_id) if is_known else (0, row.code)
        addressed = 0 if is_known else company
        where = (place, addressed, division, key)
        table = self._tables["sources"]
        if where in self._sources:
            number = self._sources[where]
            before = json.loads(
                self._connection.execute(sa.select(table.c.content).where(table.c.id == number)).scalar_one()
            )
            agreed = {name: value for name, value in before.items() if name not in values or values[name] == value}
            agreed |= {name: value for name, value in values.items() if name not in before}
            self._connection.execute(table.update().where(table.c.id == number).values(content=_packed(agreed)))
            return number
        self._version += 1
        new = {
            "site": place,
            "entity": ACCOUNTS,
            "company": addressed,
            "division": division,
            "key": key,
            "code": row.code,
            "content": _packed(values),
            "version": self._version,
            "is_deleted": False,
            "stream": "accounts",
        }
        self._sources[where] = int(self._connection.execute(table.insert().returning(table.c.id), new).scalar_one())
        return self._sources[where]

    def _mark_deleted(self, source: int) -> None:
        table = self._tables["sources"]
        self._connection.execute(table.update().where(table.c.id == source).values(is_deleted=True))

    def _present(self, company: int, account_id: str) -> dict[str, Any]:
        table = self._tables["mirror"]
        query = sa.select(table.c.content).where(table.c.company == company, table.c.id == account_id)
        text = self._connection.execute(query).scalar_one_or_none()
        return {} if text is None else dict(json.loads(text))

    def _set(self, names: list[str]) -> int:
        text = _packed(names)
        if text not in self._sets:
            table = self._tables["field_sets"]
            query = table.insert().returning(table.c.id)
            self._sets[text] = int(self._connection.execute(query, {"names": text}).scalar_one())
        return self._sets[text]

    def _site(self, url: str) -> int:
        if url not in self._sites:
            table = self._tables["sites"]
            self._sites[url] = int(
                self._connection.execute(table.insert().returning(table.c.id), {"url": url}).scalar_one()
            )
        return self._sites[url]

    def _company(self, site: str, division: int) -> int:
        if (site, division) not in self._companies:
            table = self._tables["companies"]
            new = {"site": self._site(site), "division": division, "name": ""}
            number = self._connection.execute(table.insert().returning(table.c.id), new).scalar_one()
            self._companies[site, division] = int(number)
        return self._companies[site, division]

    def _places(self, name: str) -> list[tuple[str, int]]:
        table = self._tables[f"old_{name}"]
        query = sa.select(table.c.site, table.c.division).distinct().order_by(table.c.site, table.c.division)
        return [(row.site, row.division) for row in self._connection.execute(query)]

    def _old(self, name: str, site: str, division: int) -> Iterator[Any]:
        table = self._tables[f"old_{name}"]
        query = sa.select(table).where(table.c.site == site, table.c.division == division).order_by(table.c.code)
        yield from self._connection.execute(query).all()

    def _insert(self, name: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            blank = dict.fromkeys(column.name for column in self._tables[name].columns if not column.primary_key)
            self._connection.execute(self._tables[name].insert(), [{**blank, **row} for row in rows])


def _pages(rows: Any) -> Iterator[list[Any]]:
    while page := rows.fetchmany(ROWS_AT_A_TIME):
        yield list(page)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _fields(outcome: str, changes: dict[str, Any]) -> str:
    """Return before and after as text; of a create, which has no before, only the values."""
    return _packed({name: one[1] for name, one in changes.items()} if outcome == "created" else changes)


def _digest_of_create(values: dict[str, Any]) -> str:
    """Return what marks the refusal of a create; a refused update, of which only the wish is known, is tried again."""
    sent = ["create", _filled(values)]
    text = json.dumps(sent, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _milliseconds(text: str | None) -> int | None:
    return None if not text else round(datetime.fromisoformat(text).timestamp() * 1000)


def _table(name: str, *columns: Any, **options: Any) -> None:
    op.create_table(name, *columns, **options)


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _key(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind or _string(), primary_key=True, autoincrement=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _string(), nullable=nullable)


def _long(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)
