"""The first load with exactonline 0.4.0, as a reader of its documentation would write it: read once, create one by one.

Runs in an environment of its own. Reads from stdin: base_url, client_id, client_secret, redirect_uri,
authorization_code, state_path, source, targets and fields.
"""
# mypy: disable-error-code="import-not-found"
# The client is installed only where this runs.

import json
import sys
from typing import Any

from exactonline import http
from exactonline.api import ExactApi
from exactonline.storage.ini import IniStorage

# The client wants https; the sandbox on the loopback speaks http.
http.opt_secure.protocols = ("http",)


def client(asked: dict[str, Any]) -> Any:
    storage = IniStorage(asked["state_path"])
    storage.set("server", "auth_url", f"{asked['base_url']}/api/oauth2/auth")
    storage.set("server", "token_url", f"{asked['base_url']}/api/oauth2/token")
    storage.set("server", "rest_url", f"{asked['base_url']}/api")
    storage.set("application", "base_url", asked["redirect_uri"])
    storage.set("application", "client_id", asked["client_id"])
    storage.set("application", "client_secret", asked["client_secret"])
    return ExactApi(storage=storage)


def main() -> None:
    asked = json.load(sys.stdin)
    api = client(asked)
    api.request_token(asked["authorization_code"])
    api.set_division(asked["source"])
    rows = api.relations.filter(select=",".join(asked["fields"]))
    for target in asked["targets"]:
        api.set_division(target)
        for row in rows:
            values = {name: row[name] for name in asked["fields"] if row[name] not in (None, "")}
            api.relations.create(values)


if __name__ == "__main__":
    main()
