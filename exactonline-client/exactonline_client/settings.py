"""The settings that tap and target share: their schema, and one checked value made of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import SplitResult, urlsplit

from exactonline_client.errors import ConfigurationError
from exactonline_client.limits import Ceilings
from exactonline_client.loopback import is_loopback

TRANSPORTS = "exactonline_client.transports"
"""Entry points: a URL scheme of its own → a function from the address to an httpx transport."""

PROPERTIES: dict[str, dict[str, Any]] = {
    "base_url": {
        "type": "string",
        "default": "https://start.exactonline.nl",
        "title": "Address",
        "description": "The country's site. Plain http only to a loopback address; sandbox:///FILE for a rehearsal.",
    },
    "client_id": {
        "type": "string",
        "secret": True,
        "title": "Client ID",
        "description": "Of the app registered with Exact.",
    },
    "client_secret": {
        "type": "string",
        "secret": True,
        "title": "Client secret",
        "description": "Of the app registered with Exact.",
    },
    "refresh_token": {
        "type": ["string", "null"],
        "secret": True,
        "title": "First refresh token",
        "description": "Used once, until the store holds a newer one.",
    },
    "store_url": {
        "type": "string",
        "secret": True,
        "default": "sqlite:///.exactonline/store.db",
        "title": "Store",
        "description": "SQLAlchemy address of what must outlive a run; PostgreSQL for several machines.",
    },
    "requests_per_minute": {
        "type": ["integer", "null"],
        "minimum": 1,
        "title": "Calls per minute",
        "description": "Own ceiling per division. Without it 60 until the first answer, then what Exact allows.",
    },
    "requests_per_day": {
        "type": ["integer", "null"],
        "minimum": 1,
        "title": "Calls per day",
        "description": "Own ceiling per division and UTC day. Without it 5000 until the first answer.",
    },
    "requests_per_day_contract": {
        "type": "integer",
        "default": 20000,
        "minimum": 0,
        "title": "Calls per day of the contract",
        "description": "What the contract allows a UTC day over all its companies: 20000, or 30000 with Premium. Tap "
        "and target count together, by store and app. 0: do not count.",
    },
    "timeout_seconds": {
        "type": "number",
        "default": 60,
        "exclusiveMinimum": 0,
        "title": "Time-out",
        "description": "Seconds that one request may take.",
    },
}
OF_A_CONNECTION = ("base_url", "client_id", "client_secret", "refresh_token")
PROPERTIES["connections"] = {
    "type": ["array", "null"],
    "secret": True,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "How messages and the report call it."},
            **{name: PROPERTIES[name] for name in OF_A_CONNECTION},
            "requests_per_day_contract": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "Of its contract, where that differs from the setting for all.",
            },
            "divisions": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "Its own divisions, where another connection lists the same codes.",
            },
        },
        "required": ["name", "client_id", "client_secret"],
        "additionalProperties": False,
    },
    "title": "Connections",
    "description": "Several subscriptions or countries, each {name, base_url, client_id, client_secret, "
    "refresh_token}; in place of the settings of a single one.",
}
PROPERTIES["expected_divisions"] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": "string"},
    "title": "Expected companies",
    "description": "Division code → company name. The run stops before it writes when a code bears another name.",
}
REQUIRED = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings of one connection: country, app and user."""

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    store_url: str = field(repr=False)
    requests_per_minute: int | None
    requests_per_day: int | None
    requests_per_day_contract: int
    """0: do not count."""
    timeout_seconds: float
    name: str = ""
    """Of the connection, where there are several."""
    divisions: tuple[int, ...] = ()
    """Its own ones; empty for all that it lists."""
    shares_app: bool = False
    """Whether another connection has the same site and app, with a user of its own."""

    @classmethod
    def all_from_config(cls, config: Mapping[str, Any]) -> list[Settings]:
        """The settings of each connection; of the single one when `connections` is not set.

        Raises:
            ConfigurationError: As `from_config`; or two connections have the same name.
        """
        connections = config.get("connections")
        if not connections:
            return [cls.from_config(config)]
        shared = {name: value for name, value in config.items() if name not in OF_A_CONNECTION}
        several = [{name: value for name, value in one.items() if value is not None} for one in connections]
        found: dict[str, Settings] = {}
        for one in several:
            name = str(one.get("name") or "").strip()
            if not name or name in found:
                raise ConfigurationError(
                    f"The setting connections has {'two called ' + name if name else 'one without a name'}; give each "
                    "a name of its own."
                )
            try:
                settings = cls.from_config({**shared, **one})
            except ConfigurationError as error:
                raise ConfigurationError(f"Connection {name}: {error}") from None
            found[name] = replace(settings, name=name, divisions=_own_divisions(name, one.get("divisions") or ()))
        apps = Counter(one.site_and_app for one in found.values())
        return [replace(one, shares_app=apps[one.site_and_app] > 1) for one in found.values()]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Settings out of a plugin's configuration, where numbers may come as text or Decimal.

        Raises:
            ConfigurationError: A value is missing or cannot be used; the message never shows a secret.
        """
        values = {name: config.get(name, about.get("default")) for name, about in PROPERTIES.items()}
        for name in REQUIRED:
            if not values[name]:
                raise ConfigurationError(f"The setting {name} is missing: it comes with the app registered at Exact.")
        return cls(
            base_url=_checked_address(str(values["base_url"])),
            client_id=str(values["client_id"]),
            client_secret=str(values["client_secret"]),
            refresh_token=str(values["refresh_token"]) if values["refresh_token"] else None,
            store_url=str(values["store_url"]),
            requests_per_minute=_whole(values, "requests_per_minute"),
            requests_per_day=_whole(values, "requests_per_day"),
            requests_per_day_contract=_whole(values, "requests_per_day_contract", least=0) or 0,
            timeout_seconds=_seconds(values, "timeout_seconds"),
        )

    @property
    def connection(self) -> str:
        """How messages call this connection."""
        return f"{self.name} ({self.base_url})" if self.name else self.base_url

    @property
    def ceilings(self) -> Ceilings:
        """The user's own limits on calls."""
        contract = self.requests_per_day_contract or None
        return Ceilings(self.requests_per_minute, self.requests_per_day, contract)

    @property
    def site_and_app(self) -> str:
        """What Exact counts calls by; the app's id, a secret of the settings, only as a hash."""
        return f"{self.base_url} {hashlib.sha256(self.client_id.encode()).hexdigest()[:16]}"

    @property
    def is_web(self) -> bool:
        """Whether requests go over a socket, not to a mounted transport."""
        return self.base_url.startswith(("http://", "https://"))


def _checked_address(base_url: str) -> str:
    address = base_url.strip()
    if "@" in address:
        raise ConfigurationError("The setting base_url holds a user name or password; leave them out.")
    try:
        url = urlsplit(address)
        readable = url.port is None or url.port > 0
    except ValueError:
        readable = False
    if not readable:
        raise ConfigurationError(f"The setting base_url is {address}, which is no address that can be read.")
    if url.hostname and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname))):
        return _only_the_site(f"{url.scheme}://{url.netloc.lower()}", url)
    if url.scheme == "http":
        raise ConfigurationError(
            f"The setting base_url is {address}: plain http is for a loopback address only, since it would show the "
            "tokens to the network. Use https."
        )
    if url.scheme in entry_points(group=TRANSPORTS).names:
        return address
    raise ConfigurationError(
        f"The setting base_url is {address}: it must be an https address such as https://start.exactonline.nl"
        + (" (the package exactonline-sandbox is not installed)." if url.scheme == "sandbox" else ".")
    )


def _only_the_site(site: str, url: SplitResult) -> str:
    """The address of a site, without a last slash.

    Raises:
        ConfigurationError: More stands behind it; what the client asks for would end in a path of another program.
    """
    parts = {"path": url.path.strip("/"), "query": url.query, "fragment": url.fragment}
    more = [name for name, value in parts.items() if value]
    if not more:
        return site
    raise ConfigurationError(
        f"The setting base_url has a {' and a '.join(more)} behind the site; leave that out: {site} is all of it."
    )


def webhook_address(value: Any) -> str | None:
    """The address that gets a run's summary, if one is set; it may hold a key, so no message shows it.

    Raises:
        ConfigurationError: It would send what it carries to the network in plain text, or is no address.
    """
    address = str(value or "").strip()
    if not address:
        return None
    try:
        url = urlsplit(address)
        is_safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))
        if is_safe and url.hostname and url.port != 0:
            return address
    except ValueError:
        pass
    raise ConfigurationError(
        "The setting webhook_url must be an https address; plain http goes to a loopback address only."
    )


def _own_divisions(connection: str, codes: Iterable[Any]) -> tuple[int, ...]:
    try:
        return tuple(int(code) for code in codes)
    except (TypeError, ValueError):
        raise ConfigurationError(f"Connection {connection}: its divisions are not all codes of divisions.") from None


def _whole(values: Mapping[str, Any], name: str, *, least: int = 1) -> int | None:
    if values[name] is None:
        return None
    try:
        number = int(str(values[name]))
    except ValueError:
        number = least - 1
    if number < least:
        raise ConfigurationError(
            f"The setting {name} is {values[name]!r}: it must be a whole number{' above zero' if least else ', or 0'}."
        )
    return number


def _seconds(values: Mapping[str, Any], name: str) -> float:
    try:
        number = float(values[name])
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigurationError(f"The setting {name} is {values[name]!r}: it must be a number of seconds above zero.")
    return number
