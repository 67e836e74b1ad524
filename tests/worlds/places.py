"""The companies of the worlds: two sources and four targets in two countries, reached by three logins."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from quick_waits import short_waits
from sandbox_driver import CLIENT_SECRET, REDIRECT_URI, Sandbox, World, running_sites, small_world

SOURCES = (100, 300)
TARGETS = (201, 202, 401, 402)
LOGINS = {"holding": ("nl", (100, 201)), "south": ("nl", (202,)), "belgium": ("be", (300, 401, 402))}
SITE_OF = {company: site for site, companies in LOGINS.values() for company in companies}


@contextmanager
def quick_runs() -> Iterator[None]:
    """A hundredth of the seconds before each new try, a clock that can be moved, and certificates read once."""
    context = ssl.create_default_context()  # a tenth of a second in each run, for calls that are not encrypted
    with short_waits(), mock.patch("ssl.create_default_context", return_value=context):
        yield


@contextmanager
def both_sites(folder: Path) -> Iterator[Mapping[str, Sandbox]]:
    """Two sites in one process."""
    with running_sites(folder / "world.db", {site: empty_world(site) for site in ("be", "nl")}) as sites:
        yield sites


def empty_world(site: str) -> World:
    """A country with its companies, without accounts, whose tokens last."""
    logins = {name: companies for name, (at, companies) in LOGINS.items() if at == site}
    codes = [code for companies in logins.values() for code in companies]
    world = small_world(0, targets=codes, limits={"token_seconds": 30_000_000, "minute_seconds": 1})
    world["divisions"] = [one for one in world["divisions"] if one["code"] in codes]
    world["accounts"] = {str(code): [] for code in codes}
    world["apps"] = [
        {"client_id": f"app-{name}", "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI]} for name in logins
    ]
    world["users"] = [
        {
            "name": name,
            "email": f"{name}@example.com",
            "refresh_token": f"token-{name}",
            "current_division": companies[0],
            "divisions": list(companies),
        }
        for name, companies in logins.items()
    ]
    return world


def connections(sites: Mapping[str, Sandbox]) -> list[dict[str, Any]]:
    """The setting of that name."""
    return [
        {
            "name": name,
            "base_url": sites[site].url,
            "client_id": f"app-{name}",
            "client_secret": CLIENT_SECRET,
            "refresh_token": f"token-{name}" if name in ("holding", "belgium") else f"token-{name}-app-{name}",
        }
        for name, (site, _) in LOGINS.items()
    ]
