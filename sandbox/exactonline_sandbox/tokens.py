"""Codes, refresh tokens and access tokens, and the rules by which one is traded for another (dossier 6)."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from exactonline_sandbox.options import Limits
from exactonline_sandbox.world import World

EARLY_SECONDS = 30
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Pair:
    """What a successful token call gives."""

    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as kept; `current` tells whether its chain is the one in force for user and app."""

    client_id: str
    user: str
    chain: int
    expires: float
    spent: bool
    current: bool
    last_issued: float | None


def seed(db: sqlite3.Connection, world: World, now: float) -> None:
    """The first tokens and codes of a world, for each of its apps. A seeded code waits until it is used."""
    for app in world.apps.values():
        for user in world.users.values():
            if user.refresh_token:
                suffix = "" if app is next(iter(world.apps.values())) else f"-{app.client_id}"
                _new_chain(db, app.client_id, user.name)
                _keep_refresh(db, user.refresh_token + suffix, app.client_id, user.name, now, world.limits)
            if user.authorization_code:
                db.execute(
                    "INSERT OR IGNORE INTO codes (code, client_id, user) VALUES (?, ?, ?)",
                    (user.authorization_code, app.client_id, user.name),
                )


def new_code(db: sqlite3.Connection, client_id: str, user: str, redirect_uri: str, expires: float) -> str:
    """A single-use code after consent. It holds signs that must be escaped in an address, as Exact's do."""
    code = f"stampNL001.{secrets.token_urlsafe(24)}!/+="
    db.execute(
        "INSERT INTO codes (code, client_id, user, redirect_uri, expires) VALUES (?, ?, ?, ?, ?)",
        (code, client_id, user, redirect_uri, expires),
    )
    return code


def take_code(db: sqlite3.Connection, code: str, client_id: str, redirect_uri: str, now: float) -> str | None:
    """The user behind a code that may be used now, which spends it; None otherwise."""
    row = db.execute(
        "SELECT client_id, user, redirect_uri, expires, used FROM codes WHERE code = ?", (code,)
    ).fetchone()
    if row is None or row[0] != client_id or row[4] or (row[2] is not None and row[2] != redirect_uri):
        return None
    if row[3] is not None and now > row[3]:
        return None
    db.execute("UPDATE codes SET used = 1 WHERE code = ?", (code,))
    return str(row[1])


def present(db: sqlite3.Connection, token: str) -> RefreshToken | None:
    """The refresh token that was shown, counted as shown once more; None if it never existed."""
    row = db.execute(
        "UPDATE refresh_tokens SET presented = presented + 1 WHERE token = ?"
        " RETURNING client_id, user, chain, expires, spent",
        (token,),
    ).fetchone()
    if row is None:
        return None
    client_id, user, chain, expires, spent = row
    current, issued = db.execute(
        "SELECT chain, issued FROM chains WHERE client_id = ? AND user = ?", (client_id, user)
    ).fetchone()
    return RefreshToken(client_id, user, chain, expires, bool(spent), chain == current, issued)


def rotate(db: sqlite3.Connection, token: str, held: RefreshToken, now: float, limits: Limits) -> Pair:
    """Spend a refresh token and give the next pair of its chain."""
    db.execute("UPDATE refresh_tokens SET spent = 1 WHERE token = ?", (token,))
    return _pair(db, held.client_id, held.user, now, limits)


def begin(db: sqlite3.Connection, client_id: str, user: str, now: float, limits: Limits) -> Pair:
    """The first pair after consent: a new chain, which ends the one before."""
    _new_chain(db, client_id, user)
    return _pair(db, client_id, user, now, limits)


def holder(db: sqlite3.Connection, access_token: str) -> tuple[str, str, float] | None:
    """App, user and end of an access token, or None if it never existed."""
    row: tuple[str, str, float] | None = db.execute(
        "SELECT client_id, user, expires FROM access_tokens WHERE token = ?", (access_token,)
    ).fetchone()
    return row


def count_call(db: sqlite3.Connection, client_id: str, user: str, now: float) -> int:
    """One more token call today by this user and app; the number so far."""
    day = int(now // _DAY)
    row = db.execute(
        "INSERT INTO token_calls (client_id, user, day, calls) VALUES (?, ?, ?, 1)"
        " ON CONFLICT (client_id, user) DO UPDATE SET"
        " calls = CASE WHEN day = excluded.day THEN calls + 1 ELSE 1 END, day = excluded.day RETURNING calls",
        (client_id, user, day),
    ).fetchone()
    return int(row[0])


def listed(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """How often each refresh token was presented. Tokens show as the start of their hash, never themselves."""
    rows = db.execute(
        "SELECT number, token, client_id, user, chain, spent, presented FROM refresh_tokens ORDER BY number"
    )
    return [
        {
            "number": number,
            "sha256": hashlib.sha256(token.encode()).hexdigest()[:12],
            "app": app,
            "user": user,
            "chain": chain,
            "spent": bool(spent),
            "presented": presented,
        }
        for number, token, app, user, chain, spent, presented in rows
    ]


def _pair(db: sqlite3.Connection, client_id: str, user: str, now: float, limits: Limits) -> Pair:
    pair = Pair(f"stampNL001.{secrets.token_urlsafe(40)}", f"stampNL001.{secrets.token_urlsafe(32)}!/+=")
    db.execute(
        "INSERT INTO access_tokens (token, client_id, user, expires) VALUES (?, ?, ?, ?)",
        (pair.access_token, client_id, user, now + limits.token_seconds),
    )
    _keep_refresh(db, pair.refresh_token, client_id, user, now, limits)
    db.execute("UPDATE chains SET issued = ? WHERE client_id = ? AND user = ?", (now, client_id, user))
    return pair


def _keep_refresh(db: sqlite3.Connection, token: str, client_id: str, user: str, now: float, limits: Limits) -> None:
    (chain,) = db.execute("SELECT chain FROM chains WHERE client_id = ? AND user = ?", (client_id, user)).fetchone()
    db.execute(
        "INSERT INTO refresh_tokens (token, client_id, user, chain, expires) VALUES (?, ?, ?, ?, ?)",
        (token, client_id, user, chain, now + limits.refresh_token_days * _DAY),
    )


def _new_chain(db: sqlite3.Connection, client_id: str, user: str) -> None:
    db.execute(
        "INSERT INTO chains (client_id, user, chain) VALUES (?, ?, 1)"
        " ON CONFLICT (client_id, user) DO UPDATE SET chain = chain + 1, issued = NULL",
        (client_id, user),
    )
