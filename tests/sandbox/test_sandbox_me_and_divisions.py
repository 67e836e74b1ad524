"""Dossier 1.4, 1.5, 4.2, and scope (4.4)."""

from datetime import datetime, timezone

import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world


def test_me_comes_in_results_with_what_was_selected(exact: Exact) -> None:
    answer = exact.get("current/Me", select="CurrentDivision").json()["d"]

    assert list(answer) == ["results"]
    assert answer["results"][0]["CurrentDivision"] == 100
    assert set(answer["results"][0]) == {"__metadata", "CurrentDivision"}


def test_me_answers_to_two_slashes_and_a_capital_and_a_select_without_its_dollar(exact: Exact) -> None:
    answer = exact.http.get("/api/v1//Current/Me?Select=CurrentDivision")

    assert answer.json()["d"]["results"][0]["UserName"] == "anna@example.com"


def test_me_has_padded_codes_and_a_legislation_in_a_text(exact: Exact) -> None:
    (me,) = exact.rows("current/Me")

    assert me["CustomerCode"] == "1".rjust(18)
    assert me["Legislation"] == "1"
    assert me["ThumbnailPicture"] is None


def test_server_time_is_local_and_its_offset_is_told(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(now="2026-06-25T14:12:49Z"))

    answer = Exact(sandbox).get("current/Me")
    (me,) = answer.json()["d"]["results"]

    assert (me["ServerTime"], me["ServerUtcOffset"]) == ("2026-06-25T16:12:49", 7200)
    assert answer.headers["Date"] == "Thu, 25 Jun 2026 14:12:49 GMT"


def test_current_division_is_the_one_worked_in_last(exact: Exact) -> None:
    exact.get("202/crm/Accounts")

    assert exact.rows("current/Me")[0]["CurrentDivision"] == 202
    assert [row["Code"] for row in exact.rows("100/system/Divisions") if row["Current"]] == [100]


def test_divisions_are_those_granted_with_padded_country(exact: Exact) -> None:
    rows = exact.rows("100/system/Divisions", select="Code,Country,Hid,Status", orderby="Code desc")

    assert [row["Code"] for row in rows] == [203, 202, 201, 100]
    assert rows[0]["Country"] == "NL "
    assert rows[0]["Hid"] == "4"
    assert rows[0]["__metadata"]["uri"].endswith("/api/v1/100/system/Divisions(203)")


def test_all_divisions_lists_also_what_was_not_granted(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(user={"divisions": [100, 201]}))
    exact = Exact(sandbox)

    assert [row["Code"] for row in exact.rows("100/system/Divisions")] == [100, 201]
    assert [row["Code"] for row in exact.rows("100/system/AllDivisions")] == [100, 201, 202, 203]


def test_the_older_list_has_capital_hid_and_its_own_status(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"status": 2}, 202: {"hq": True}}))

    rows = Exact(sandbox).rows("100/hrm/Divisions")

    assert [(row["Code"], row["HID"], row["Status"]) for row in rows] == [(100, "1", 0), (201, "2", 1), (203, "4", 0)]


@pytest.mark.parametrize("division", [202, 999])
def test_a_division_outside_the_scope_is_a_403_with_a_reason(sandbox: Sandbox, division: int) -> None:
    sandbox.reset(small_world(user={"divisions": [100, 201]}))

    answer = Exact(sandbox).get(f"{division}/crm/Accounts")

    assert answer.status_code == 403
    assert message(answer) == "Forbidden - User division is not within division scope."
    assert answer.headers["Reason"].startswith("NoDivisionAccess")


def test_blocked_and_archived_divisions_are_closed_but_listed(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"blocking_status": 1}, 202: {"status": 2}}))
    exact = Exact(sandbox)

    blocked, archived = exact.get("201/crm/Accounts"), exact.get("202/crm/Accounts")

    assert (blocked.status_code, archived.status_code) == (403, 403)
    assert blocked.headers["Reason"].startswith("DivisionBlocked")
    states = {row["Code"]: (row["Status"], row["BlockingStatus"]) for row in exact.rows("100/system/Divisions")}
    assert states[201] == (1, 1)
    assert states[202] == (2, 0)


def test_a_blocked_user_is_told_why(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(user={"refused": "BlockedUser"}))

    answer = Exact(sandbox).get("current/Me")

    assert answer.status_code == 403
    assert answer.headers["Reason"].startswith("BlockedUser")


def test_a_missing_right_to_read_shows_as_zero_rows(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={100: {"rights": {"read_accounts": False, "read_deleted": False}}}))
    exact = Exact(sandbox)

    assert exact.rows("100/crm/Accounts") == []
    assert exact.rows("100/sync/CRM/Accounts") == []
    assert exact.rows("100/sync/Deleted") == []
    assert exact.post(100, {"Name": "Klant", "Code": "1"}).status_code == 500


def test_a_missing_right_to_write_is_a_403(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={100: {"rights": {"write_accounts": False}}}))
    exact = Exact(sandbox)
    key = exact.key(100, "1")

    answers = [exact.post(100, {"Name": "Klant"}), exact.put(100, key, {"City": "Ede"}), exact.delete(100, key)]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert message(answers[0]) == "Forbidden"
    assert sandbox.codes(100) == ["1", "2", "3"]


def test_a_moved_division_restarts_its_row_versions_and_says_when(sandbox: Sandbox, exact: Exact) -> None:
    before = exact.rows("100/sync/CRM/Accounts", select="Timestamp")
    sandbox.move(100)

    after = exact.rows("100/sync/CRM/Accounts", select="Timestamp")
    moved = next(row for row in exact.rows("100/system/Divisions") if row["Code"] == 100)["DivisionMoveDate"]

    assert [row["Timestamp"] for row in after] == ["2", "3", "4"]
    assert int(before[0]["Timestamp"]) > 2**31
    assert abs(int(moved[6:-2]) / 1000 - datetime.now(timezone.utc).timestamp()) < 86_400
