"""What happens beneath Exact: transactions that commit late, and restored backups."""

from __future__ import annotations

from exact_http import ANYONE
from sandbox_driver import SOURCE, Sandbox, customer


def versions(sandbox: Sandbox) -> dict[str, int]:
    return {row["Code"]: int(row["Timestamp"]) for row in sandbox.accounts(SOURCE)}


def test_a_late_commit_shows_up_below_a_row_version_seen_before(sandbox: Sandbox) -> None:
    sandbox.begin(SOURCE, "1", City="Ede")
    sandbox.edit(SOURCE, "2", City="Delft")
    before = sandbox.account(SOURCE, "1")["City"]

    sandbox.commit(SOURCE)

    assert (before, sandbox.account(SOURCE, "1")["City"]) == ("Utrecht", "Ede")
    assert versions(sandbox)["1"] == versions(sandbox)["2"] - 1


def test_a_restored_backup_takes_row_versions_back(sandbox: Sandbox) -> None:
    sandbox.back_up(SOURCE)
    before = sandbox.accounts(SOURCE)
    sandbox.remove(SOURCE, "1")
    sandbox.seed(SOURCE, [customer(9)])

    sandbox.restore(SOURCE)

    assert sandbox.accounts(SOURCE) == before
    sandbox.edit(SOURCE, "3", City="Ede")
    assert versions(sandbox)["3"] == max(int(row["Timestamp"]) for row in before) + 1


def test_without_a_backup_there_is_nothing_to_restore(sandbox: Sandbox) -> None:
    answer = ANYONE.post(f"{sandbox.url}/_sandbox/restore/{SOURCE}")

    assert (answer.status_code, "no backup" in answer.text) == (404, True)
