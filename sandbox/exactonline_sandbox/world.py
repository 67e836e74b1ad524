"""A world: apps, users, divisions and rules, read strictly from its JSON form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from exactonline_sandbox.account_references import WITHOUT_LIST
from exactonline_sandbox.child_entities import CHILDREN
from exactonline_sandbox.clock import parse_wall
from exactonline_sandbox.edm import kept_from_person
from exactonline_sandbox.options import Limits, Switches, limits_from, switches_from
from exactonline_sandbox.properties import DIVISION
from exactonline_sandbox.reference_lists import LISTS

HELD = ("accounts", "lists", "children")  # what companies hold, by division
_KEYS = {"apps", "users", "divisions", *HELD, "limits", "switches", "timezone", "first_timestamp", "now"}
_REASONS = {"BlockedUser", "InactiveUser", "BlockedCustomer", "LicenseExpired"}
# The scopes of the endpoints that are imitated, and of the lists that are so in part (dossier 6.x).
SCOPES = frozenset(
    {
        *("crm.accounts", "organization.administration", "financial.cashflow", "financial.accounting"),
        *("financial.generalledgers", "financial.costcenters", "financial.currencies", "sales.prices"),
        *("sales.orders", "logistics.items"),
    }
)
_RIGHTS = {
    *("read_accounts", "write_accounts", "read_deleted"),
    *(right for known in CHILDREN.values() for right in known.rights),
    *(known.right for known in LISTS.values()),
}


@dataclass(frozen=True, slots=True)
class App:
    """An app registered with Exact. `scopes` is what its registration lists; None stands for all."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()
    scopes: frozenset[str] | None = None

    def may(self, scope: str, *, write: bool) -> bool:
        """Whether the app has a scope, as a whole or only to read."""
        return self.scopes is None or scope in self.scopes or (not write and f"{scope}:read" in self.scopes)


@dataclass(frozen=True, slots=True)
class User:
    """A person; `divisions` is what this person granted the app at consent, `rights` what else than others may."""

    name: str
    divisions: tuple[int, ...]
    email: str | None = None
    language: str = "NL"
    refresh_token: str | None = None
    authorization_code: str | None = None
    current_division: int | None = None
    refused: str | None = None
    rights: Mapping[int, Mapping[str, bool]] = field(default_factory=dict)
    id: str = ""

    @property
    def dutch(self) -> bool:
        """Whether Exact's texts are in Dutch for this user; all others read English here."""
        return self.language[:2].upper() == "NL"


@dataclass(frozen=True, slots=True)
class Division:
    """A company. `rights` say what this world lets one do there, `references` which GUIDs exist that no list has.

    `countries`: codes it takes beyond those of ISO 3166.
    """

    code: int
    description: str
    country: str = "NL"
    currency: str = "EUR"
    currencies: tuple[str, ...] = ()
    status: int = 1
    blocking_status: int = 0
    hq: bool = False
    main: bool = False
    moved: int | None = None
    code_digits: int = 0
    countries: tuple[str, ...] = ()
    rights: Mapping[str, bool] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def seen_by(self, user: User) -> "Division":
        """The same with what this user in particular may do here."""
        own = user.rights.get(self.code)
        return replace(self, rights={**self.rights, **own}) if own else self

    def may(self, right: str) -> bool:
        """Whether the user has a right here; true unless the world denies it."""
        return self.rights.get(right, True)


@dataclass(frozen=True, slots=True)
class World:
    """Everything about a world but what its companies hold."""

    apps: Mapping[str, App]
    users: Mapping[str, User]
    divisions: Mapping[int, Division]
    limits: Limits
    switches: Switches
    timezone: str
    first_timestamp: int
    starts_at: float | None = None


def world_from(given: Mapping[str, Any]) -> World:
    """A world from its JSON form; ValueError names what is wrong with it."""
    _known("the world", given, _KEYS)
    apps = [_app(app) for app in given.get("apps", [])]
    users = [_user(user) for user in given.get("users", [])]
    divisions = [_division(division) for division in given.get("divisions", [])]
    known = {division.code for division in divisions}
    for held in HELD:
        strangers = {int(code) for code in given.get(held, {})} - known
        if strangers:
            raise ValueError(f"{held} of divisions that are not in the world: {sorted(strangers)}")
    timezone = given.get("timezone", "Europe/Amsterdam")
    ZoneInfo(timezone)
    return World(
        apps={app.client_id: app for app in apps},
        users={user.name: user for user in users},
        divisions={division.code: division for division in divisions},
        limits=limits_from(given.get("limits", {})),
        switches=switches_from(given.get("switches", {})),
        timezone=timezone,
        first_timestamp=int(given.get("first_timestamp", 3_000_000_000)),
        starts_at=instant(given["now"]) if "now" in given else None,
    )


@lru_cache(maxsize=16)
def world_from_text(text: str) -> World:
    """The same from the text kept in the world file."""
    return world_from(json.loads(text))


def instant(text: str) -> float:
    """Epoch seconds of an ISO moment, which must carry its zone."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text} needs a zone, such as 2026-03-01T00:00:00Z")
    return moment.timestamp()


def user_id(name: str) -> str:
    """The GUID of a user for whom a world states none."""
    return str(uuid5(NAMESPACE_URL, f"exact-user:{name}"))


def _known(what: str, given: Mapping[str, Any], names: set[str]) -> None:
    unknown = given.keys() - names
    if unknown:
        raise ValueError(f"{what} has no key called {', '.join(sorted(unknown))}")


def _app(given: Mapping[str, Any]) -> App:
    _known("an app", given, set(App.__dataclass_fields__))
    scopes = given.get("scopes")
    strange = {scope.removesuffix(":read") for scope in scopes or ()} - SCOPES
    if strange:
        raise ValueError(f"no scope called {', '.join(sorted(strange))}; there are {', '.join(sorted(SCOPES))}")
    uris = tuple(given.get("redirect_uris", ()))
    return App(given["client_id"], given["client_secret"], uris, None if scopes is None else frozenset(scopes))


def _user(given: Mapping[str, Any]) -> User:
    _known("a user", given, set(User.__dataclass_fields__))
    if given.get("refused") not in {None, *_REASONS}:
        raise ValueError(f"a user is refused for one of {sorted(_REASONS)}")
    values = {**given, "divisions": tuple(given.get("divisions", ()))}
    values["rights"] = {int(code): rights for code, rights in given.get("rights", {}).items()}
    for rights in values["rights"].values():
        _known("rights", rights, _RIGHTS)
    values["id"] = given.get("id") or user_id(given["name"])
    return User(**values)


def _more(given: Mapping[str, Any]) -> dict[str, Any]:
    """Further properties of a division, by Exact's names."""
    _known("a division's `more`", given, set(DIVISION.properties))
    return {name: kept_from_person(DIVISION.properties[name], value) for name, value in given.items()}


def _division(given: Mapping[str, Any]) -> Division:
    _known("a division", given, set(Division.__dataclass_fields__))
    _known("rights", given.get("rights", {}), _RIGHTS)
    values = dict(given)
    _known("a division's `references`", given.get("references", {}), set(WITHOUT_LIST))
    values["code"] = int(given["code"])
    values["currencies"] = tuple(given.get("currencies", ())) or (given.get("currency", "EUR"),)
    values["countries"] = tuple(given.get("countries", ()))
    if isinstance(given.get("moved"), str):
        values["moved"] = parse_wall(given["moved"])
    values["more"] = _more(given.get("more", {}))
    values["references"] = {
        name: tuple(guid.lower() for guid in guids) for name, guids in given.get("references", {}).items()
    }
    return Division(**values)
