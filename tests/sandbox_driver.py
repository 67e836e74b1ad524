"""A running sandbox as tests drive it: a world to start from, the clock, faults, and what is true afterwards."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from warm_start import BIN

Account = dict[str, Any]
ListRow = dict[str, Any]
World = dict[str, Any]

CLIENT_ID = "b81cc4de-d192-400e-bcb4-09254394c52a"
CLIENT_SECRET = "n3G7KAhcv8OH"
REFRESH_TOKEN = "stampNL001.first!/+="
AUTHORIZATION_CODE = "stampNL001.code!/+="
REDIRECT_URI = "https://example.com/callback"
SOURCE = 100
TARGETS = (201, 202, 203)
SECRETS = (CLIENT_SECRET, REFRESH_TOKEN, AUTHORIZATION_CODE)


def customer(number: int, **fields: Any) -> Account:
    """An ordinary Dutch customer with this number as its code."""
    return {
        "Code": str(number),
        "Name": f"Klant {number} B.V.",
        "Status": "C",
        "AddressLine1": f"Dorpsstraat {number}",
        "Postcode": "3511 AB",
        "City": "Utrecht",
        "Country": "NL",
        "Language": "NL",
        "Email": f"info@klant{number}.example",
        "Phone": "030-1234567",
        **fields,
    }


def small_world(
    n: int = 3,
    *,
    targets: Sequence[int] = TARGETS,
    accounts: Mapping[int, Sequence[Account]] | None = None,
    lists: Mapping[int, Mapping[str, Sequence[ListRow]]] | None = None,
    children: Mapping[int, Mapping[str, Sequence[ListRow]]] | None = None,
    divisions: Mapping[int, Mapping[str, Any]] | None = None,
    user: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    switches: Mapping[str, Any] | None = None,
    now: str | None = None,
) -> World:
    """A source company, 100, with n customers (codes 1 to n) and empty target companies 201, 202 and 203.

    The clock starts at `now`, an ISO moment with a zone, or at the real time. `accounts` states what a division
    holds instead, `lists` its reference lists, `children` its contacts, addresses and bank accounts, `divisions` and
    `user` more of their keys. Limits are lifted unless `limits` says `enabled`.
    """
    codes = (SOURCE, *targets)
    held: dict[int, Sequence[Account]] = {SOURCE: [customer(number) for number in range(1, n + 1)]}
    held.update(accounts or {})
    return {
        "apps": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI]}],
        "users": [
            {
                "name": "Anna de Boer",
                "email": "anna@example.com",
                "language": "NL",
                "refresh_token": REFRESH_TOKEN,
                "authorization_code": AUTHORIZATION_CODE,
                "current_division": SOURCE,
                "divisions": list(codes),
                **(user or {}),
            }
        ],
        "divisions": [
            {
                "code": code,
                "description": f"Company {code}",
                "country": "NL",
                "currency": "EUR",
                "status": 1,
                **(divisions or {}).get(code, {}),
            }
            for code in codes
        ],
        "accounts": {str(code): list(held.get(code, ())) for code in codes},
        "lists": {str(code): dict(rows) for code, rows in (lists or {}).items()},
        "children": {str(code): dict(rows) for code, rows in (children or {}).items()},
        "limits": {"enabled": False, **(limits or {})},
        "switches": dict(switches or {}),
        **({} if now is None else {"now": now}),
    }


def every_way(company: int, seconds: float = 1) -> list[dict[str, Any]]:
    """Each way in which an answer can be wrong, as faults for `one_of`; `company` is another than the one asked."""
    unknown = "Time-out verlopen. De time-outperiode is verstreken voordat de bewerking is voltooid."
    return [
        *({"kind": "status", "status": status, "body": ""} for status in (408, 500, 502, 503, 504, 599)),
        *({"kind": "status", "status": status, "body": "", "applied": True} for status in (502, 599)),
        {"kind": "status", "status": 401, "body": "", "headers": {}},
        {"kind": "error", "status": 403, "text": "Forbidden", "reason": "LicenseExpired"},
        {"kind": "error", "text": unknown},
        {"kind": "error", "text": unknown, "applied": True},
        {"kind": "error", "text": "Bestaat reeds: Btw-nummer", "method": "POST"},
        *({"kind": "html_body", "applied": applied} for applied in (True, False)),
        {"kind": "html_body", "status": 403, "applied": False},
        *({"kind": kind} for kind in ("garbage_json", "truncated_body", "wrong_content_length")),
        *({"kind": kind} for kind in ("lost_answer", "reset_before", "429_no_headers", "429_calls_left")),
        {"kind": "slow", "seconds": seconds},
        {"kind": "slow", "seconds": seconds, "applied": False},
        *({"kind": kind, "company": company} for kind in ("misrouted", "mislabelled")),
        {"kind": "foreign_rows", "company": company, "method": "GET"},
    ]


class Sandbox:
    """The control side of a sandbox; its Exact side is at `url`."""

    def __init__(self, url: str, timeout_seconds: float = 30) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/_sandbox/", timeout=timeout_seconds)

    def reset(self, world: World | None = None) -> None:
        """Start over, with this world or the one it was last given."""
        self._call("POST", "reset", world)

    def accounts(self, division: int) -> list[Account]:
        """What a division holds, by code: every property, text trimmed, dates as local time."""
        return list(self._call("GET", f"accounts/{division}"))

    def account(self, division: int, code: str) -> Account:
        """One account."""
        return next(account for account in self.accounts(division) if account["Code"] == code)

    def codes(self, division: int) -> list[str]:
        """The codes that a division holds, sorted."""
        return [account["Code"] for account in self.accounts(division)]

    def journal(
        self,
        *,
        since: int | None = None,
        division: int | None = None,
        method: str | None = None,
        endpoint: str | None = None,
    ) -> list[dict[str, Any]]:
        """The calls made, in order."""
        filters = {"since": since, "division": division, "method": method, "endpoint": endpoint}
        given = {name: str(value) for name, value in filters.items() if value is not None}
        return list(self._call("GET", "journal", params=given)["journal"])

    def calls(self, *, exclude_token: bool = True) -> int:
        """How many calls were made; those to log in do not count unless asked."""
        return sum(1 for call in self.journal() if not (exclude_token and call["endpoint"].startswith("oauth2/")))

    def forget_calls(self) -> None:
        """Empty the journal."""
        self._call("DELETE", "journal")

    def fault(self, kind: str, **where: Any) -> None:
        """Order a fault: `division`, `method`, `endpoint`, `code`, `nth`, `every`, `times`, `applied`, …

        The README of the sandbox lists the kinds and keys.
        """
        self._call("POST", "faults", {"faults": [{"kind": kind, **where}]})

    def clear_faults(self) -> None:
        """No more faults."""
        self._call("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the sandbox clock."""
        self._call("POST", "clock", {"advance_seconds": seconds})

    def set_clock(self, now: str) -> None:
        """Set the sandbox clock to an ISO moment with a zone."""
        self._call("POST", "clock", {"now": now})

    def limits(self, **changes: Any) -> None:
        """Change limits and switches of the running world."""
        self._call("POST", "limits", changes)

    def seed(self, division: int, accounts: Sequence[Account]) -> None:
        """Add or change accounts by Code, past all rules."""
        self._call("POST", "seed", {"accounts": {str(division): list(accounts)}})

    def edit(self, division: int, code: str, **fields: Any) -> Account:
        """Change one account as a person would; its row version moves."""
        return dict(self._call("POST", f"accounts/{division}/{quote(code, safe='')}", fields))

    def anonymise(self, division: int, code: str) -> Account:
        """Anonymise one account; what Exact makes of its name is a guess."""
        return self.edit(division, code, IsAnonymised=1, Name="Anonymous", Email=None, Phone=None)

    def remove(self, division: int, code: str) -> None:
        """Delete one account as a person would."""
        self._call("DELETE", f"accounts/{division}/{quote(code, safe='')}")

    def list_rows(self, division: int, name: str) -> list[ListRow]:
        """The rows of a list, such as `PaymentConditions`, by what tells them apart."""
        return list(self._call("GET", f"lists/{division}/{name}"))

    def list_row(self, division: int, name: str, *natural: str) -> ListRow:
        """One row by its code; of a classification `"1", "A"`."""
        return dict(self._call("GET", self._row_path(division, name, natural)))

    def fill_list(self, division: int, name: str, rows: Sequence[ListRow], *, replace: bool = False) -> None:
        """Add or change rows; with `replace` the list holds no others."""
        self._call("POST", f"lists/{division}/{name}", {"rows": list(rows), "replace": replace})

    def edit_list_row(self, division: int, name: str, *natural: str, **members: Any) -> ListRow:
        """Add or change one row as a person would; return it."""
        return dict(self._call("POST", self._row_path(division, name, natural), members))

    def remove_list_row(self, division: int, name: str, *natural: str) -> None:
        """Delete one row."""
        self._call("DELETE", self._row_path(division, name, natural))

    def children(self, division: int, entity: str, account: str | None = None) -> list[ListRow]:
        """The `Contacts`, `Addresses` or `BankAccounts` of a division, or of one account by its code."""
        return list(self._call("GET", f"children/{division}/{entity}", params=account and {"account": account}))

    def fill_children(
        self, division: int, entity: str, rows: Sequence[ListRow], *, replace: bool = False
    ) -> list[ListRow]:
        """Add rows (`Account` may be a code), change those whose ID is stated, with `replace` delete all others."""
        return list(self._call("POST", f"children/{division}/{entity}", {"rows": list(rows), "replace": replace}))

    def edit_child(self, division: int, entity: str, key: str, **members: Any) -> ListRow:
        """Change one as a person would; return it."""
        return dict(self._call("POST", f"children/{division}/{entity}/{key}", members))

    def remove_child(self, division: int, entity: str, key: str) -> None:
        """Delete one."""
        self._call("DELETE", f"children/{division}/{entity}/{key}")

    @staticmethod
    def _row_path(division: int, name: str, natural: Sequence[str]) -> str:
        return "/".join([f"lists/{division}/{name}", *(quote(part, safe="") for part in natural)])

    def move(self, division: int) -> None:
        """Move a division to another database: its row versions start over."""
        self._call("POST", f"move/{division}")

    def begin(self, division: int, code: str, **fields: Any) -> None:
        """Change an account in a transaction that stays open: it has its row version, and nobody sees it."""
        self._call("POST", f"begin/{division}/{quote(code, safe='')}", fields)

    def commit(self, division: int) -> None:
        """Commit what is open in a division."""
        self._call("POST", f"commit/{division}")

    def back_up(self, division: int) -> None:
        """Keep a copy of a division."""
        self._call("POST", f"backup/{division}")

    def restore(self, division: int) -> None:
        """Put the copy back: row versions and deletions are as they were."""
        self._call("POST", f"restore/{division}")

    def change_division(self, division: int, **keys: Any) -> None:
        """Change a division's own keys, such as `status`, `blocking_status`, `rights`."""
        self._call("POST", f"divisions/{division}", keys)

    def change_app(self, client_id: str = CLIENT_ID, **keys: Any) -> None:
        """Change an app's own keys, such as the `scopes` of its registration."""
        self._call("POST", f"apps/{client_id}", keys)

    def contract(self, client_id: str = CLIENT_ID) -> list[dict[str, Any]]:
        """Each day's `calls` of an app over all divisions, and those `refused` by the limit of the contract."""
        return [day for day in self._call("GET", "contract")["contract"] if day["app"] == client_id]

    def tokens(self) -> list[dict[str, Any]]:
        """Each refresh token (as a hash) and how often it was presented."""
        return list(self._call("GET", "tokens")["refresh_tokens"])

    def config(self, **extra: Any) -> dict[str, Any]:
        """Settings for a tap or target that talks to this sandbox."""
        return {
            "base_url": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            **extra,
        }

    def close(self) -> None:
        """Close the control connection."""
        self._http.close()

    def _call(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        answer = self._http.request(method, path, json=body, params=params)
        if answer.is_error:
            message = f"{method} {path}: {answer.text}"
            raise AssertionError(message)
        return answer.json()


SandboxFactory = Callable[..., Sandbox]


@contextmanager
def running(db: Path, *options: str) -> Iterator[Sandbox]:
    """A sandbox server in a process of its own over a world file, stopped at the end."""
    with _served(db, *options) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            message = f"the sandbox did not start: {line}"
            raise AssertionError(message)
        sandbox = Sandbox(line.removeprefix("listening on ").strip())
        yield sandbox
        sandbox.close()


@contextmanager
def running_sites(db: Path, worlds: Mapping[str, World]) -> Iterator[dict[str, Sandbox]]:
    """Several sites in one process, by name."""
    file = db.with_suffix(".json")
    file.write_text(json.dumps({"sites": worlds}), encoding="utf-8")
    with _served(db, "--world", str(file)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        lines = [process.stdout.readline().split() for _ in worlds]
        sites = {name: Sandbox(url) for name, url in lines}
        yield sites
        for sandbox in sites.values():
            sandbox.close()


@contextmanager
def _served(db: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    command = [str(BIN / "exactonline-sandbox"), "serve", "--db", str(db), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
