"""users/UserHasRights: whether this user may do something at an endpoint, asked without doing it (PICQER Model.php)."""

from exactonline_sandbox import rendering
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.child_entities import CHILDREN
from exactonline_sandbox.context import Visit
from exactonline_sandbox.filter_tokens import SYNTAX, words
from exactonline_sandbox.queries import query_pairs
from exactonline_sandbox.reference_lists import LISTS

_MAY = {"GET": "read_accounts", "POST": "write_accounts", "PUT": "write_accounts", "DELETE": "write_accounts"}
# That what belongs to an account needs the rights of accounts too is an assumption.
_CHILDREN = {known.path.lower(): known.rights for known in CHILDREN.values()}
_ENDPOINTS = {"crm/accounts", *_CHILDREN}
_LISTS = {path.lower(): known.right for known in LISTS.values() for path in (known.path, *known.also_at)}


def get_user_has_rights(visit: Visit) -> Reply:
    """`d.UserHasRights`, true or false.

    Raises:
        NotImitatedError: An endpoint other than those of accounts and what belongs to them, or a write to a list.
    """
    given = dict(query_pairs(visit.call.query))
    endpoint, action = _text(given, "endpoint"), _text(given, "action").upper()
    right = _MAY.get(action) if endpoint.lower() in _ENDPOINTS else None
    if action == "GET":
        right = _LISTS.get(endpoint.lower(), right)
    if right is None:
        raise NotImitatedError(f"UserHasRights for {action} {endpoint}")
    own = _CHILDREN.get(endpoint.lower())
    needed = (right,) if own is None else (right, own[0 if action == "GET" else 1])
    return rendering.value(visit.call, "UserHasRights", known=all(visit.division.may(one) for one in needed))


def _text(given: dict[str, str], name: str) -> str:
    found = list(words(given.get(name, "")))
    if len(found) != 1 or found[0].kind != "text":
        raise Refusal(400, SYNTAX)
    return str(found[0].value)
