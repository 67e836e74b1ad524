"""Does with exactonline 0.4.0 what its readers do, and says in one JSON line per step what it saw.

Runs as a program of its own, in an environment of its own: see ../README.md.
"""
# mypy: disable-error-code="import-not-found"
# The client is installed only where this runs.

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from exactonline import http
from exactonline.api import ExactApi
from exactonline.elements.relation import ExactCustomer
from exactonline.exceptions import ObjectDoesNotExist
from exactonline.http import HTTPError
from exactonline.storage.ini import IniStorage

# The address is the one thing changed: the client wants https, the sandbox on the loopback speaks http.
http.opt_secure.protocols = ("http",)


def say(step: str, **seen: Any) -> None:
    sys.stdout.write(json.dumps({"step": step, **seen}) + "\n")


class Jansen(ExactCustomer):  # type: ignore[misc]  # its base is unknown to mypy
    """The client's own way to create or update: `commit` looks up the code, then sends what `assemble` gives."""

    def get_code(self) -> str:
        return "901"

    def get_name(self) -> str:
        return "Jansen B.V."


def refusal(call: Callable[[], Any]) -> dict[str, Any]:
    """The status and Exact's words when the call is refused, else what came instead."""
    try:
        return {"instead": repr(call())}
    except HTTPError as error:
        body = json.loads(error.response)
        words = body["error"]["message"]["value"] if isinstance(body["error"], dict) else body["error"]
        return {"status": error.code, "words": words}


def client(asked: dict[str, Any]) -> Any:
    storage = IniStorage(asked["state_path"])
    storage.set("server", "auth_url", f"{asked['base_url']}/api/oauth2/auth")
    storage.set("server", "token_url", f"{asked['base_url']}/api/oauth2/token")
    storage.set("server", "rest_url", f"{asked['base_url']}/api")
    storage.set("application", "base_url", asked["redirect_uri"])
    storage.set("application", "client_id", asked["client_id"])
    storage.set("application", "client_secret", asked["client_secret"])
    return ExactApi(storage=storage)


def first_visit(api: Any, asked: dict[str, Any]) -> None:
    api.request_token(asked["authorization_code"])
    say("token", has_refresh_token=bool(api.storage.get_refresh_token()))
    say("refresh at once", **refusal(api.refresh_token))

    divisions, current = api.get_divisions()
    say("divisions", divisions=divisions, current=current)
    api.set_division(asked["division"])

    everyone = api.relations.all()
    say("list", codes=[one["Code"] for one in everyone], members=sorted(everyone[0]))
    suppliers = api.relations.filter(filter="IsSupplier eq true", select="Code", top=5)
    say("list the suppliers", codes=[one["Code"] for one in suppliers])

    say("look up", found=api.relations.get(relation_code="42", select="Code,Name,City,Country"))
    try:
        say("look up a stranger", found=api.relations.get(relation_code="4711"))
    except ObjectDoesNotExist:
        say("look up a stranger", found=None)

    new = {"Code": f"{900:>18}", "Name": "Café 't Hoekje & Zn.", "Status": "C", "Email": "info@hoekje.example"}
    created = api.relations.create(new)
    say("create", id=created["ID"], members=len(created))
    say("read back", found=api.relations.get(relation_code="900", select="ID,Code,Name,Email,Phone"))
    say("update", answer=api.relations.update(created["ID"], {"Phone": "+31 20 555 01 42"}))
    say("read again", found=api.relations.get(relation_code="900", select="ID,Code,Name,Email,Phone"))

    say("create it again", **refusal(lambda: api.relations.create(new)))
    say("update with its code", **refusal(lambda: api.relations.update(created["ID"], {"Code": new["Code"]})))
    bad_email = {"Name": "Bakker", "Email": "jan@@bakker"}
    say("create with a bad e-mail", **refusal(lambda: api.relations.create(bad_email)))
    say("broken query", **refusal(lambda: api.relations.filter(filter="Name eq eq")))

    customer = Jansen(api=api)
    say("commit a customer", id=customer.commit()["ID"])
    say("commit it again", **refusal(customer.commit))  # it sends the code along

    last = api.relations.get(relation_code="130")
    say("delete", answer=api.relations.delete(last["ID"]))
    say("look for the deleted", found=api.relations.filter(relation_code="130"))
    # No public name for what it keeps: when a window ends, its limit, and what is left of it.
    left = dict(window for _, window in sorted(api.limiter._reset_times.items()))
    say("limits", left_in_minute=left[60], left_today=left[5000])


def later_visit(api: Any) -> None:
    """By now the access token is too old: the client gets 401, refreshes by itself and asks again."""
    spent = api.storage.get_refresh_token()
    say("look up", found=api.relations.get(relation_code="42", select="Code,Name"))
    say("refresh", is_new=api.storage.get_refresh_token() != spent)
    api.storage.set_refresh_token(spent)
    say("refresh with the spent token", **refusal(api.refresh_token))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)  # to stderr, which the test wants empty
    wishes = json.load(sys.stdin)
    if wishes["visit"] == "first":
        first_visit(client(wishes), wishes)
    else:
        later_visit(client(wishes))
