"""Answers that are not what was asked for: of another company, of a gateway, of a fault that Exact knows itself."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from exact_http import ANYONE, Exact, message, trade
from sandbox_driver import REFRESH_TOKEN, Sandbox, customer, every_way, small_world

NEW = {"Name": "Nieuw", "Code": "9"}
TIME_OUT = "Time-out verlopen. De time-outperiode is verstreken voordat de bewerking is voltooid."


def companies_in(answer: httpx.Response) -> set[str]:
    """The division codes in an answer's addresses."""
    d = answer.json()["d"]
    rows = d if isinstance(d, list) else d.get("results", [d])
    return {row["__metadata"]["uri"].split("/")[5] for row in rows}


def test_a_write_may_be_carried_out_in_another_company_which_the_answer_names(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("misrouted", company=202, division=201, method="POST")

    answer = exact.post(201, NEW, Prefer="return=representation")

    assert answer.status_code == 201
    assert companies_in(answer) == {"202"}
    assert answer.json()["d"]["Division"] == 202
    assert "/202/" in answer.headers["Location"]
    assert (sandbox.codes(201), sandbox.codes(202)) == ([], ["9"])
    assert sandbox.journal(method="POST", division=201)[0]["fault"] == "misrouted"


def test_a_list_may_be_that_of_another_company(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.seed(202, [customer(7)])
    sandbox.fault("misrouted", company=202, division=201)

    answer = exact.get("201/sync/CRM/Accounts", select="Code", filter="Timestamp gt 1L")

    assert companies_in(answer) == {"202"}
    assert [row["Code"].strip() for row in answer.json()["d"]["results"]] == ["7"]


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        (None, {"member", "uri", "location"}),
        (["member"], {"member"}),
        (["uri"], {"uri"}),
        (["location"], {"location"}),
    ],
)
def test_an_answer_may_name_another_company_although_all_went_right(
    sandbox: Sandbox, exact: Exact, parts: list[str] | None, wrong: set[str]
) -> None:
    sandbox.fault("mislabelled", company=202, method="POST", **({"parts": parts} if parts else {}))

    answer = exact.post(201, NEW)

    named = {
        "member": answer.json()["d"]["Division"] == 202,
        "uri": companies_in(answer) == {"202"},
        "location": "/202/" in answer.headers["Location"],
    }
    assert {part for part, is_wrong in named.items() if is_wrong} == wrong
    assert (sandbox.codes(201), sandbox.codes(202)) == (["9"], [])


def test_the_next_page_may_lead_into_another_company(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(page_sizes={"crm": 2})
    sandbox.fault("mislabelled", company=202, parts=["next"])

    d = exact.get("100/crm/Accounts").json()["d"]

    assert "/api/v1/202/crm/Accounts?" in d["__next"]
    assert {row["__metadata"]["uri"].split("/")[5] for row in d["results"]} == {"100"}


@pytest.mark.parametrize("path", ["100/sync/CRM/Accounts", "100/crm/Accounts", "100/bulk/CRM/Accounts"])
def test_a_list_may_hold_rows_of_another_company(sandbox: Sandbox, exact: Exact, path: str) -> None:
    sandbox.seed(202, [customer(7), customer(8)])
    sandbox.fault("foreign_rows", company=202, rows=1)

    spoiled, right = [exact.get(path, select="Code,Division") for _ in range(2)]

    divisions = [row["Division"] for row in spoiled.json()["d"]["results"]]
    assert divisions == [100, 100, 100, 202]
    assert companies_in(right) == {"100"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("applied", [True, False])
def test_a_write_may_be_answered_by_a_page(sandbox: Sandbox, exact: Exact, method: str, applied: bool) -> None:
    sandbox.seed(201, [customer(1)])
    key = exact.key(201, "1")
    sandbox.fault("html_body", method=method, applied=applied)
    send = {
        "POST": lambda: exact.post(201, NEW),
        "PUT": lambda: exact.put(201, key, {"City": "Ede"}),
        "DELETE": lambda: exact.delete(201, key),
    }

    answer = send[method]()

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    done = {"POST": ["1", "9"], "PUT": ["1"], "DELETE": []}[method]
    assert sandbox.codes(201) == (done if applied else ["1"])
    if method == "PUT":
        assert sandbox.account(201, "1")["City"] == ("Ede" if applied else "Utrecht")


@pytest.mark.parametrize(("applied", "codes"), [(True, ["9"]), (False, [])])
@pytest.mark.parametrize("status", [502, 504, 599])
def test_any_status_may_come_before_the_change_or_after_it(
    sandbox: Sandbox, exact: Exact, status: int, applied: bool, codes: list[str]
) -> None:
    sandbox.fault("status", status=status, body="", method="POST", applied=applied)

    assert exact.post(201, NEW).status_code == status
    assert sandbox.codes(201) == codes


def test_one_account_in_one_company_may_fail_so_many_times_with_any_text(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("error", text=TIME_OUT, method="POST", division=201, code="9", times=2)

    answers = [exact.post(division, {"Name": "x", "Code": code}) for division, code in ((201, "8"), (202, "9"))]
    answers += [exact.post(201, NEW) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 500, 500, 201]
    assert message(answers[2]) == TIME_OUT


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
def test_an_account_is_known_by_its_code_in_calls_that_name_its_id(sandbox: Sandbox, exact: Exact, method: str) -> None:
    sandbox.seed(201, [customer(1), customer(2)])
    keys = [exact.key(201, code) for code in ("1", "2")]
    sandbox.fault("error", code="2", every=1, method=["PUT", "DELETE", "GET"], endpoint="crm/*")

    answers = [
        exact.http.request(method, f"/api/v1/201/crm/Accounts(guid'{key}')", json={"City": "Ede"}) for key in keys
    ]

    assert [answer.is_success for answer in answers] == [True, False]
    assert message(answers[1]).startswith("A problem has occurred.")


def test_a_look_up_by_code_is_about_that_account(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("error", code="2", every=1)

    statuses = [exact.get("100/crm/Accounts", filter=f"Code eq '{code:>18}'").status_code for code in (1, 2)]

    assert statuses == [200, 500]


def test_one_company_may_answer_401_with_an_empty_body(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("status", status=401, division=201, every=1)

    answers = [exact.get(f"{division}/crm/Accounts") for division in (201, 202, 201)]

    assert [(answer.status_code, len(answer.content) > 0) for answer in answers] == [
        (401, False),
        (200, True),
        (401, False),
    ]


@pytest.mark.parametrize("reason", ["LicenseExpired", "DivisionBlocked", "BlockedUser", "NoDivisionAccess"])
def test_a_403_may_hide_its_reason_in_a_header(sandbox: Sandbox, exact: Exact, reason: str) -> None:
    sandbox.fault("error", status=403, text="Forbidden", reason=reason)

    answer = exact.get("201/crm/Accounts")

    assert (answer.status_code, message(answer)) == (403, "Forbidden")
    assert answer.headers["Reason"].startswith(reason)


def test_errors_that_were_ordered_count_as_errors(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"enabled": True}))
    exact = Exact(sandbox)
    sandbox.fault("error", status=403, text="Forbidden", every=1, times=11)

    statuses = [exact.get("201/crm/Accounts").status_code for _ in range(12)]

    assert statuses == [403] * 11 + [429]


def test_a_429_may_show_calls_left(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"enabled": True}))
    exact = Exact(sandbox)
    sandbox.fault("429_calls_left", times=2)

    answers = [exact.get("201/crm/Accounts") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    left = [int(answers[0].headers[name]) for name in ("X-RateLimit-Minutely-Remaining", "X-RateLimit-Remaining")]
    assert left == [60, 5000]
    assert answers[0].content == b""


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 400, "body": '{"error":"invalid_request"}'},
        {"kind": "html_body", "applied": False},
    ],
)
def test_a_token_call_may_fail_and_leave_the_token_good(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.fault(**fault, endpoint="oauth2/token")

    spoiled = trade(sandbox.url, refresh_token=REFRESH_TOKEN)
    second = trade(sandbox.url, refresh_token=REFRESH_TOKEN)

    assert (spoiled.status_code, second.status_code) == (fault.get("status", 200), 200)
    assert "access_token" not in spoiled.text
    assert [token["spent"] for token in sandbox.tokens()] == [True, False]


@pytest.mark.parametrize("kind", ["reset_before", "lost_answer"])
def test_a_connection_may_end_before_the_token_call_arrived(sandbox: Sandbox, kind: str) -> None:
    sandbox.fault(kind, endpoint="oauth2/token", applied=False)

    with pytest.raises(httpx.TransportError):
        trade(sandbox.url, refresh_token=REFRESH_TOKEN)

    assert trade(sandbox.url, refresh_token=REFRESH_TOKEN).status_code == 200


@pytest.mark.parametrize("kind", ["status", "html_body"])
def test_a_token_may_be_rotated_and_the_new_one_withheld(sandbox: Sandbox, kind: str) -> None:
    sandbox.fault(kind, endpoint="oauth2/token", applied=True)

    trade(sandbox.url, refresh_token=REFRESH_TOKEN)
    second = trade(sandbox.url, refresh_token=REFRESH_TOKEN)

    assert (second.status_code, second.json()["error_description"]) == (401, "Old refresh token used.")


def test_an_answer_may_quote_the_secrets_of_the_request_in_any_spelling(sandbox: Sandbox) -> None:
    body = '{"error":"token <refresh_token>","error_description":"<refresh_token%> of <client_secret>"}'
    sandbox.fault("status", status=400, body=body, headers={"X-Echo": "<refresh_token%>"}, endpoint="oauth2/token")

    answer = trade(sandbox.url, refresh_token=REFRESH_TOKEN)

    encoded = quote(REFRESH_TOKEN, safe="")
    assert answer.json()["error"] == f"token {REFRESH_TOKEN}"
    assert answer.json()["error_description"].startswith(encoded)
    assert answer.headers["X-Echo"] == encoded
    assert REFRESH_TOKEN not in json.dumps(sandbox.journal())


def test_every_fifth_answer_is_spoiled_in_one_of_several_ways_the_same_for_the_same_seed(
    sandbox: Sandbox, exact: Exact
) -> None:
    ways = [
        {"kind": "status", "status": 599},
        {"kind": "html_body", "status": 403},
        {"kind": "garbage_json"},
        {"kind": "error", "text": TIME_OUT, "method": "POST"},
    ]

    def run() -> list[str | None]:
        sandbox.clear_faults()
        sandbox.forget_calls()
        sandbox.fault("one_of", of=ways, every=5, seed=7, division=201, method="GET")
        for _ in range(100):
            exact.get("201/crm/Accounts")
        return [call["fault"] for call in sandbox.journal()]

    first = run()

    assert [bool(kind) for kind in first] == [number % 5 == 0 for number in range(1, 101)]
    assert {kind for kind in first if kind} == {"status", "html_body", "garbage_json"}
    assert run() == first


def test_when_an_answer_is_spoiled_by_chance_each_way_has_its_share(sandbox: Sandbox, exact: Exact) -> None:
    ways = [{"kind": kind} for kind in ("503", "html_body", "garbage_json", "fault_500")]
    sandbox.fault("one_of", of=ways, probability=0.2, seed=7)

    for _ in range(100):
        exact.get("201/crm/Accounts")

    assert {call["fault"] for call in sandbox.journal()} == {None, *(way["kind"] for way in ways)}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("way", every_way(202), ids=lambda way: "-".join(map(str, way.values())))
def test_any_answer_may_be_spoiled_in_each_way(
    sandbox: Sandbox, exact: Exact, way: dict[str, Any], method: str
) -> None:
    sandbox.seed(201, [customer(1)])
    sandbox.seed(202, [customer(2)])
    key = exact.key(201, "1")
    right = exact.get("201/crm/Accounts").json()
    sandbox.forget_calls()
    sandbox.fault(**{"seconds": 0, **way, "every": 1})
    path = "201/crm/Accounts" if method in {"GET", "POST"} else f"201/crm/Accounts(guid'{key}')"

    try:
        answer = exact.http.request(method, f"/api/v1/{path}", json=NEW if method == "POST" else {"City": "Ede"})
    except httpx.TransportError:
        answer = None

    (call,) = sandbox.journal()
    if {"method", "code"} & way.keys() and call["fault"] is None:
        assert way.get("method") != method
        return
    assert call["fault"] == way["kind"]
    assert answer is None or b"The sandbox itself failed" not in answer.content
    if method == "GET" and answer is not None and answer.status_code == 200 and way["kind"] != "slow":
        assert _json(answer) != right


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "429_day", "applied": True},
        {"kind": "misrouted"},
        {"kind": "misrouted", "company": 999},
        {"kind": "misrouted", "company": 202, "applied": False},
        {"kind": "status", "company": 202},
        {"kind": "mislabelled", "company": 202, "parts": ["name"]},
        {"kind": "one_of"},
        {"kind": "one_of", "of": [{"kind": "earthquake"}]},
        {"kind": "one_of", "of": [{"kind": "one_of", "of": [{"kind": "503"}]}]},
        {"kind": "one_of", "of": [{"kind": "misrouted", "company": 999}]},
    ],
)
def test_a_fault_that_cannot_be_is_refused(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    answer = ANYONE.post(f"{sandbox.url}/_sandbox/faults", json={"faults": [fault]})

    assert answer.status_code == 400
    assert ANYONE.get(f"{sandbox.url}/_sandbox/faults").json() == {"faults": []}
