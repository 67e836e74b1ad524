"""The connections that are registered: country, app and redirect address of each, kept in .env."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from exactonline_client.errors import ConfigurationError
from exactonline_client.settings import Settings

from exactonline_console.project import Project

SITES = {
    "NL": "https://start.exactonline.nl",
    "BE": "https://start.exactonline.be",
    "DE": "https://start.exactonline.de",
    "FR": "https://start.exactonline.fr",
    "ES": "https://start.exactonline.es",
    "GB": "https://start.exactonline.co.uk",
    "US": "https://start.exactonline.com",
}
"""Exact's site of each country."""
PLAIN = "main"
"""The connection of variables without a name, as `EXACTONLINE_CLIENT_ID`."""
PARTS = ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "REDIRECT_URI")
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Connection:
    """A registered connection."""

    name: str
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = ""
    refresh_token: str = field(default="", repr=False)

    def settings(self, store_url: str) -> Settings:
        """It as the client knows it.

        Raises:
            ConfigurationError: A value cannot be used.
        """
        config = {
            "base_url": self.base_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "store_url": store_url,
        }
        return replace(Settings.from_config(config), name=self.name)

    def variables(self) -> dict[str, str]:
        """Where a job finds each part: the part → the name of its variable."""
        return {part: variable(self.name, part) for part in PARTS}


def variable(name: str, part: str) -> str:
    """The variable of .env that holds a part of a connection."""
    middle = "" if name == PLAIN else f"{name.upper().replace('-', '_')}_"
    return f"EXACTONLINE_{middle}{part}"


def registered(project: Project) -> list[Connection]:
    """All of them, by name."""
    values = project.env.values()
    names = {PLAIN} if values.get(variable(PLAIN, "CLIENT_ID")) else set[str]()
    for key in values:
        found = re.fullmatch(r"EXACTONLINE_(\w+)_CLIENT_ID", key)
        if found:
            names.add(found[1].lower().replace("_", "-"))
    return [_connection(values, name) for name in sorted(names)]


def connection(project: Project, name: str) -> Connection:
    """One of them.

    Raises:
        ConfigurationError: There is none of this name.
    """
    for one in registered(project):
        if one.name == name:
            return one
    raise ConfigurationError(f"There is no connection {name}.")


def add(project: Project, new: Connection) -> None:
    """Keep a new connection.

    Raises:
        ConfigurationError: A value cannot be used, or there is one of this name or with this app already.
    """
    if not NAME.fullmatch(new.name) or len(new.name) > 40:
        raise ConfigurationError(
            f"The name {new.name!r} cannot be used: give small letters, digits and single hyphens, as holding-nl."
        )
    checked = new.settings("")
    for other in registered(project):
        if other.name == new.name:
            raise ConfigurationError(f"There is a connection {new.name} already: remove it, or choose another name.")
        if other.settings("").site_and_app == checked.site_and_app:
            raise ConfigurationError(f"The connection {other.name} has this app at this address already; use that one.")
    project.env.put(
        {
            variable(new.name, "BASE_URL"): checked.base_url,
            variable(new.name, "CLIENT_ID"): new.client_id,
            variable(new.name, "CLIENT_SECRET"): new.client_secret,
            variable(new.name, "REDIRECT_URI"): new.redirect_uri,
        }
    )


def remove(project: Project, name: str) -> None:
    """Take a connection out of .env."""
    project.env.drop(*(variable(name, part) for part in PARTS))


def _connection(values: dict[str, str], name: str) -> Connection:
    def part(of: str) -> str:
        return values.get(variable(name, of), "")

    base_url = part("BASE_URL") or SITES["NL"]
    return Connection(
        name, base_url, part("CLIENT_ID"), part("CLIENT_SECRET"), part("REDIRECT_URI"), part("REFRESH_TOKEN")
    )
