"""Does with python-exact-online 1.1.0 what its readers do, and says in one JSON line per step what it saw.

Runs as a program of its own, in an environment of its own: see ../README.md.
"""
# mypy: disable-error-code="import-not-found"
# The client is installed only where this runs.

import json
import logging
import sys
from typing import Any
from urllib.parse import urlencode

import requests.sessions
from exactonline.api import ExactOnlineAPI
from exactonline.models.accounts import Account
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

EXACT = "https://start.exactonline.be"  # the client writes it into its code, also to cut it off `__next`


def say(step: str, **seen: Any) -> None:
    sys.stdout.write(json.dumps({"step": step, **seen}) + "\n")


def words(answer: Any) -> dict[str, Any]:
    """The status and Exact's words when the call was refused, else what came instead."""
    if getattr(answer, "hasError", False):
        return {"status": answer.error.http_status, "words": answer.error.message}
    return {"instead": repr(answer)}


def account(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("ID", "Code", "Name", "Email", "Phone", "City", "Country")}


def send_exact_to(sandbox: str) -> None:
    """Change the address on the wire, both ways, so that the client itself is left as it is."""

    class ToTheSandbox(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            request.url = (request.url or "").replace(EXACT, sandbox, 1)
            response = super().send(request, *args, **kwargs)
            response._content = response.content.replace(sandbox.encode(), EXACT.encode())
            return response

    requests.sessions.HTTPAdapter = ToTheSandbox  # every session mounts what bears this name


def first_visit(api: Any, asked: dict[str, Any]) -> None:
    api.authHandler.getAuthURL(asked["redirect_uri"])
    came_back_with = urlencode({"code": asked["authorization_code"], "state": api.authHandler.state})
    api.authHandler.retrieveToken(f"{asked['redirect_uri']}?{came_back_with}")
    say("token", has_refresh_token=bool(api.authHandler.refreshToken))

    status, _, body = api.get("system/Divisions?$select=Code,Description")
    divisions = {one["Code"]: one["Description"] for one in body["d"]["results"]}
    say("divisions", status=status, divisions=divisions, current=api.division)
    api.division = asked["division"]

    everyone = api.accounts.list(filter={"Status": "C"}).items()
    say("list", codes=[one.Code for one in everyone], created=str(everyone[0].Created))
    say("list the suppliers", codes=[one.Code for one in api.accounts.filter("IsSupplier", "true").items()])

    (found,) = api.accounts.filter("Code", f"'{42:>18}'").items()
    say("look up", found=account(found))
    say("look up trimmed", found=[one.ID for one in api.accounts.filter("trim(Code)", "'42'").items()])
    say("look up by key", found=api.accounts.get(found.ID).Name)
    say("look up a stranger", found=api.accounts.filter("Code", f"'{4711:>18}'").items())

    new = {"Code": f"{900:>18}", "Name": "Café 't Hoekje & Zn.", "Status": "C", "Email": "info@hoekje.example"}
    created = api.accounts.create(Account(**new))
    say("create", id=created.ID)
    say("read back", found=account(api.accounts.get(created.ID)))
    say("update", answer=api.accounts.update(Account(ID=created.ID, Phone="+31 20 555 01 42")))
    say("read again", found=account(api.accounts.get(created.ID)))

    whole = api.accounts.get(found.ID)
    whole.Code = None  # the one member that may not come back
    whole.City = "Ede"
    say("update the whole row", answer=api.accounts.update(whole))

    say("create it again", **words(api.accounts.create(Account(**new))))
    with_its_code = Account(ID=created.ID, Code=new["Code"])
    say("update with its code", **words(api.accounts.update(with_its_code)))
    bad_email = Account(Name="Bakker", Email="jan@@bakker")
    say("create with a bad e-mail", **words(api.accounts.create(bad_email)))
    say("broken query", **words(api.accounts.filter("Name", "eq")))

    (last,) = api.accounts.filter("Code", f"'{130:>18}'").items()
    say("delete", answer=api.accounts.delete(last.ID))
    say("look for the deleted", found=api.accounts.filter("Code", f"'{130:>18}'").items())
    left = api.api_rate_limits
    say("limits", left_in_minute=left["minutely_remaining"], left_today=left["daily_remaining"])


def later_visit(api: Any, asked: dict[str, Any]) -> None:
    """By now the access token is too old; the client, which goes by its own clock, is told to renew it."""
    spent = api.authHandler.refreshToken
    api.authHandler.acquireNewToken()
    say("refresh", is_new=api.authHandler.refreshToken != spent)
    api.division = asked["division"]
    (found,) = api.accounts.filter("Code", f"'{42:>18}'").items()
    say("look up", found=account(found))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)  # to stderr, which the test wants empty
    wishes = json.load(sys.stdin)
    send_exact_to(wishes["base_url"])
    # It keeps its tokens in a file beside its own code, named after the client_id: a new one for each test.
    client = ExactOnlineAPI(wishes["client_id"], wishes["client_secret"], stall_if_rate_limit_exceeded=False)
    if wishes["visit"] == "first":
        first_visit(client, wishes)
    else:
        later_visit(client, wishes)
        client.cacheHandler.deleteCache(wishes["client_id"])
