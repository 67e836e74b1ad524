"""The tables of logins.

`connection` is a hash of site and app in all of them, and of the connection's name where one app has several.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from exactonline_client.store import metadata

tokens = Table(
    "tokens",
    metadata,
    Column("connection", String, primary_key=True),
    Column("access_token", Text, nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("issued_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("first_token_hash", String, nullable=False),
    Column("refresh_begun_at", String),
    Column("name", String),
    Column("refresh_tries", Integer),
    Column("refresh_not_before", String),
)
"""`refresh_begun_at` to `refresh_not_before`: presentations of the refresh token that brought no new pair."""

superseded_tokens = Table(
    "superseded_tokens",
    metadata,
    Column("connection", String, primary_key=True),
    Column("first_token_hash", String, primary_key=True),
)
"""Refresh tokens that may still stand in the settings although a login is younger, or that Exact refused."""

token_requests = Table(
    "token_requests",
    metadata,
    Column("connection", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("requests", Integer, nullable=False),
)

pending_logins = Table(
    "pending_logins",
    metadata,
    Column("connection", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("begun_at", String, nullable=False),
)
