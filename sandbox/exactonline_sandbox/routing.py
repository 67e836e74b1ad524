"""Which endpoint an address means (dossier 1.2), and what is refused before anything is looked at."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from exactonline_sandbox import (
    divisions,
    reading_accounts,
    reading_children,
    reading_lists,
    rights,
    writing_accounts,
    writing_children,
)
from exactonline_sandbox.call import Call, NotImitatedError, Reply
from exactonline_sandbox.child_entities import CHILDREN, SCOPE
from exactonline_sandbox.context import Visit
from exactonline_sandbox.reference_lists import LISTS

Handler = Callable[[Visit], Reply]

ME = "current/Me"
TOKEN = "oauth2/token"  # noqa: S105 - an endpoint
CONSENT = "oauth2/auth"

_DIVISION = re.compile(r"/api/v1/(\d{1,10})/(.+?)/?", re.IGNORECASE)
_ENTITY = re.compile(r"([^()]+?)(?:\((.*)\))?(/\$count)?")
# Headers that would change what a request means, and of which the dossier knows nothing.
_UNKNOWN_HEADERS = (
    *("x-http-method", "x-http-method-override", "if-match", "if-none-match", "if-modified-since"),
    *("if-unmodified-since", "range", "content-encoding", "maxdataserviceversion"),
)


@dataclass(frozen=True, slots=True)
class Route:
    """What an endpoint answers to, by method, and the scope that the app's registration needs (dossier 6.x)."""

    endpoint: str
    scope: str
    methods: Mapping[str, Handler]
    may_have_key: frozenset[str] = field(default=frozenset())
    must_have_key: frozenset[str] = field(default=frozenset())


_ADMINISTRATION = "organization.administration"  # for hrm/Divisions an assumption
ROUTES = {
    route.endpoint.lower(): route
    for route in (
        Route(
            "crm/Accounts",
            SCOPE,
            {
                "GET": reading_accounts.get_accounts,
                "POST": writing_accounts.post_account,
                "PUT": writing_accounts.put_account,
                "DELETE": writing_accounts.delete_account,
            },
            frozenset({"GET", "PUT", "DELETE"}),
            frozenset({"PUT", "DELETE"}),
        ),
        Route("bulk/CRM/Accounts", SCOPE, {"GET": reading_accounts.get_bulk_accounts}),
        Route("sync/CRM/Accounts", SCOPE, {"GET": reading_accounts.get_sync_accounts}),
        Route("sync/Deleted", _ADMINISTRATION, {"GET": reading_accounts.get_deleted}),
        Route("read/sync/Sync/SyncTimestamp", _ADMINISTRATION, {"GET": reading_accounts.get_sync_timestamp}),
        Route("system/Divisions", _ADMINISTRATION, {"GET": divisions.get_divisions}, frozenset({"GET"})),
        Route("system/AllDivisions", _ADMINISTRATION, {"GET": divisions.get_all_divisions}, frozenset({"GET"})),
        Route("system/GetMostRecentlyUsedDivisions", _ADMINISTRATION, {"GET": divisions.get_recent_divisions}),
        Route("users/UserHasRights", _ADMINISTRATION, {"GET": rights.get_user_has_rights}),
        Route("hrm/Divisions", _ADMINISTRATION, {"GET": divisions.get_hrm_divisions}, frozenset({"GET"})),
        *(
            Route(
                path,
                known.scope,
                {"GET": reading_lists.reader(known, path)},
                frozenset({"GET"} if page == "crm" else ()),
            )
            for known in LISTS.values()
            for path, page in known.paths
        ),
        *(
            Route(
                path,
                SCOPE,
                {
                    "GET": reading_children.reader(known, path),
                    **(writing_children.writers(known) if page == "crm" else {}),
                },
                frozenset({"GET", "PUT", "DELETE"} if page == "crm" else ()),
                frozenset({"PUT", "DELETE"} if page == "crm" else ()),
            )
            for known in CHILDREN.values()
            for path, page in known.paths
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Place:
    """An address, understood. `endpoint` is its official spelling, or what was asked where there is none."""

    endpoint: str
    asked: str
    division: int | None = None
    key: str | None = None
    count_only: bool = False

    @property
    def exact_spelling(self) -> bool:
        """Whether the service part was spelled as in the documentation."""
        return self.endpoint == self.asked


@lru_cache(maxsize=4096)
def locate(path: str) -> Place:
    """Where a path leads; doubled slashes are one (dossier 14)."""
    path = re.sub("/{2,}", "/", path)
    lowered = path.lower().rstrip("/")
    if lowered == "/api/v1/current/me":
        return Place(ME, ME)
    if lowered in {"/api/oauth2/token", "/api/oauth2/auth"}:
        endpoint = lowered.removeprefix("/api/")
        return Place(endpoint, endpoint)
    in_division = _DIVISION.fullmatch(path)
    if not in_division:
        return Place(path, path)
    division, rest = int(in_division[1]), in_division[2]
    entity = _ENTITY.fullmatch(rest)
    if not entity or entity[1].lower() not in ROUTES:
        return Place(rest, rest, division)
    return Place(ROUTES[entity[1].lower()].endpoint, entity[1], division, entity[2], bool(entity[3]))


def handler_for(place: Place, call: Call) -> tuple[Handler, str]:
    """Who answers, and the scope that this needs.

    Raises:
        NotImitatedError: Nobody; it names the path, method or header.
    """
    route = ROUTES.get(place.endpoint.lower())
    if route is None:
        raise NotImitatedError(f"the path {place.endpoint}")
    handler = route.methods.get(call.method)
    if handler is None:
        raise NotImitatedError(f"{call.method} {route.endpoint}")
    if place.key is not None and (call.method not in route.may_have_key or place.count_only):
        raise NotImitatedError(f"{call.method} {route.endpoint} with a key")
    if place.key is None and call.method in route.must_have_key:
        raise NotImitatedError(f"{call.method} {route.endpoint} without a key")
    if place.count_only and call.method != "GET":
        raise NotImitatedError(f"{call.method} {route.endpoint}/$count")
    refuse_unknown_headers(call)
    return handler, route.scope


def refuse_unknown_headers(call: Call) -> None:
    """501 for a header that would matter and is not known."""
    for name in _UNKNOWN_HEADERS:
        if call.headers.get(name):
            raise NotImitatedError(f"the header {name}")
