"""Exact's side of a sandbox as a plain HTTP client sees it: httpx and nothing else."""

import ssl
from typing import Any

import httpx
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Sandbox

JSON = {"Accept": "application/json"}
CONTEXT = ssl.create_default_context()  # making one takes longer than most tests do
ANYONE = httpx.Client(verify=CONTEXT)


def trade(url: str, **form: str) -> httpx.Response:
    """A token call with the app's id and secret; `refresh_token=…` or `code=…` and so on."""
    grant = "authorization_code" if "code" in form else "refresh_token"
    whole = {"grant_type": grant, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
    return ANYONE.post(f"{url}/api/oauth2/token", data=whole)


class Exact:
    """A logged-in client of one sandbox."""

    def __init__(self, sandbox: Sandbox, refresh_token: str = REFRESH_TOKEN, **app: str) -> None:
        self.url = sandbox.url
        answer = trade(sandbox.url, refresh_token=refresh_token, **app)
        assert answer.status_code == 200, answer.text
        self.tokens: dict[str, Any] = answer.json()
        self.http = httpx.Client(base_url=self.url, headers=JSON, verify=CONTEXT)
        self.http.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def get(self, path: str, headers: dict[str, str] | None = None, /, **options: str) -> httpx.Response:
        """GET /api/v1/…; options are OData's, without their dollar."""
        params = {f"${name}": value for name, value in options.items()}
        return self.http.get(f"/api/v1/{path}", params=params or None, headers=headers)

    def rows(self, path: str, **options: str) -> list[dict[str, Any]]:
        """The rows of one page, in either envelope."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        d = answer.json()["d"]
        return list(d if isinstance(d, list) else d["results"])

    def row(self, division: int, code: str, **options: str) -> dict[str, Any]:
        """One account by its trimmed code."""
        return self.rows(f"{division}/crm/Accounts", filter=f"trim(Code) eq '{code}'", **options)[0]

    def post(self, division: int, body: Any, **headers: str) -> httpx.Response:
        """Create an account."""
        return self.http.post(f"/api/v1/{division}/crm/Accounts", json=body, headers=headers)

    def put(self, division: int, key: str, body: Any, **headers: str) -> httpx.Response:
        """Change an account."""
        return self.http.put(f"/api/v1/{division}/crm/Accounts(guid'{key}')", json=body, headers=headers)

    def delete(self, division: int, key: str) -> httpx.Response:
        """Delete an account."""
        return self.http.delete(f"/api/v1/{division}/crm/Accounts(guid'{key}')")

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Any call to /api/v1/…, with a JSON body."""
        return self.http.request(method, f"/api/v1/{path}", json=body, headers=headers)

    def key(self, division: int, code: str) -> str:
        """The guid of an account."""
        return str(self.row(division, code)["ID"])


def message(answer: httpx.Response) -> str:
    """Exact's words in an error."""
    return str(answer.json()["error"]["message"]["value"])
