"""Each fault that a network and Exact can cause, one at a time: nothing lost, nothing doubled."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from exactonline_client import retries
from exactonline_client.errors import ConfigurationError, LoginNeededError
from sandbox_driver import Sandbox, small_world
from sqlalchemy.exc import OperationalError
from target_driver import InProcessTarget, wanted
from target_exactonline.cli.store_command import main as store_command
from target_exactonline.store.settlement import Ended, Settlement

NORTH, SOUTH = 201, 202
ACCOUNTS, SYNC = "crm/Accounts", "sync/CRM/Accounts"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits before new tries, a hundred times shorter."""
    for outcome, row in retries.TABLE.items():
        quick = replace(row, delays=tuple(delay / 100 for delay in row.delays))
        monkeypatch.setitem(retries.TABLE, outcome, quick)


def error(text: str) -> str:
    """The body of an answer of Exact's that refuses."""
    return json.dumps({"error": {"code": "", "message": {"lang": "", "value": text}}})


def test_a_create_whose_answer_was_lost_is_not_sent_twice(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("lost_answer", method="POST", endpoint=ACCOUNTS)

    loaded = target.load(wanted(NORTH, 10042), state={"at": 1})

    assert loaded.counts() == {"created": 1}
    assert sandbox.codes(NORTH) == ["10042"]
    assert len(target.writes()) == 1
    assert loaded.states == [{"at": 1}]


def test_a_create_whose_connection_broke_before_it_arrived_is_sent_again(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.fault("reset_before", method="POST", endpoint=ACCOUNTS)

    loaded = target.load(wanted(NORTH, 1, 2))

    assert loaded.counts() == {"created": 2}
    assert sandbox.codes(NORTH) == ["1", "2"]


@pytest.mark.parametrize("kind", ["truncated_body", "garbage_json", "html_body", "wrong_content_length"])
def test_a_create_whose_answer_cannot_be_read_is_looked_up(
    target: InProcessTarget, sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault(kind, method="POST", endpoint=ACCOUNTS)

    loaded = target.load(wanted(NORTH, 1, 2))

    assert loaded.counts() == {"created": 2}
    assert sandbox.codes(NORTH) == ["1", "2"]
    assert len(target.writes()) == 2


@pytest.mark.parametrize("kind", ["truncated_body", "garbage_json", "html_body", "fault_500", "503", "reset_before"])
def test_a_page_that_did_not_arrive_whole_is_read_again(target: InProcessTarget, sandbox: Sandbox, kind: str) -> None:
    sandbox.seed(NORTH, [{"Code": "1", "Name": "Klant 1"}])
    sandbox.fault(kind, division=NORTH, method="GET")

    loaded = target.load(wanted(NORTH, 1, 2))

    assert loaded.counts() == {"unchanged": 1, "created": 1}


def test_an_update_whose_answer_was_lost_leaves_the_row_as_wanted(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1))
    sandbox.fault("lost_answer", method="PUT")

    loaded = target.load(wanted(NORTH, 1, City="Delft"))

    assert loaded.counts() == {"updated": 1}
    assert sandbox.account(NORTH, "1")["City"] == "Delft"


def test_an_update_answered_by_a_page_of_a_gateway_is_sent_again(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1))
    sandbox.fault("status", method="PUT", status=200, body="<html>Back soon</html>")

    loaded = target.load(wanted(NORTH, 1, City="Delft"))

    assert loaded.counts() == {"updated": 1}
    assert sandbox.account(NORTH, "1")["City"] == "Delft"


def test_what_a_look_finds_after_an_unclear_answer_is_not_taken_for_ours_when_it_is_not_what_was_sent(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    """Somebody created the code a moment ago, sync does not show it yet, and Exact says so in words we do not know."""
    sandbox.seed(NORTH, [{"Code": "1", "Name": "Klant 1", "City": "Oss"}, {"Code": "2", "Name": "Eigen klant"}])
    sandbox.fault("status", method="GET", endpoint=SYNC, status=200, body='{"d": {"results": []}}')
    sandbox.fault("status", method="POST", endpoint=ACCOUNTS, every=1, status=500, body=error("Codice già in uso."))

    loaded = target.load(wanted(NORTH, 1, City="Delft"))

    assert loaded.counts() == {"updated": 1}
    assert sandbox.account(NORTH, "1")["City"] == "Delft"


@pytest.mark.parametrize("kind", ["fault_500", "503"])
def test_a_fault_that_passes_is_waited_out(target: InProcessTarget, sandbox: Sandbox, kind: str) -> None:
    sandbox.fault(kind, method="POST", endpoint=ACCOUNTS, times=3)

    loaded = target.load(wanted(NORTH, 1))

    assert (loaded.status, loaded.counts()) == (0, {"created": 1})


def test_a_fault_that_stays_parks_its_division_fails_the_run_and_leaves_the_others_alone(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.fault("fault_500", division=NORTH, endpoint=ACCOUNTS, every=1)

    loaded = target.load(wanted(NORTH, 1, 2) + wanted(SOUTH, 1, 2))

    assert loaded.status == 1
    assert loaded.counts(NORTH) == {"parked": 2}
    assert loaded.counts(SOUTH) == {"created": 2}


def test_what_a_fault_parked_goes_first_in_the_next_run(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("503", division=NORTH, method="POST", every=1)
    target.load(wanted(NORTH, 1, 2), state={"at": 1})
    sandbox.clear_faults()

    loaded = target.load(wanted(NORTH, 3), state={"at": 2})

    assert [line["code"] for line in loaded.outcomes if line["outcome"] == "created"] == ["1", "2", "3"]
    assert loaded.states == [{"at": 2}]


def test_what_waits_for_a_division_that_was_archived_meanwhile_is_told_in_the_log(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.fault("503", division=NORTH, method="POST", every=1)
    target.load(wanted(NORTH, 1))
    sandbox.change_division(NORTH, status=2)

    loaded = target.load(wanted(SOUTH, 1))

    assert (loaded.counts(NORTH), loaded.counts(SOUTH)) == ({"parked": 1}, {"created": 1})
    assert "is archived; take it off the targets. What waits for it stays parked." in loaded.log


def test_what_waits_goes_with_the_newest_values_of_its_record(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("503", division=NORTH, method="POST", every=1)
    target.load(wanted(NORTH, 1, City="Delft"))
    sandbox.clear_faults()

    loaded = target.load(wanted(NORTH, 1, City="Gouda"))

    assert loaded.counts() == {"created": 1}
    assert sandbox.account(NORTH, "1")["City"] == "Gouda"
    assert len(target.writes()) == len([call for call in target.writes() if call["status"] != 201]) + 1


def test_a_slow_answer_is_waited_for(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("slow", method="POST", endpoint=ACCOUNTS, seconds=0.5)

    loaded = target.load(wanted(NORTH, 1))

    assert loaded.counts() == {"created": 1}
    assert len(target.writes()) == 1


def test_an_answer_slower_than_the_time_out_is_looked_up(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("slow", method="POST", endpoint=ACCOUNTS, seconds=1.0)

    loaded = target.load(wanted(NORTH, 1), timeout_seconds=0.4)

    assert loaded.counts() == {"created": 1}
    assert sandbox.codes(NORTH) == ["1"]


def test_a_code_that_someone_took_meanwhile_is_updated(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("slow", division=NORTH, method="POST", seconds=2)

    def take_the_code() -> None:
        while sandbox.codes(NORTH) != ["1"]:
            time.sleep(0.05)
        sandbox.seed(NORTH, [{"Code": "2", "Name": "Klant 2", "City": "Breda"}])

    with ThreadPoolExecutor() as someone:
        someone.submit(take_the_code)
        loaded = target.load(wanted(NORTH, 1, 2, City="Delft"))

    assert loaded.counts() == {"created": 1, "updated": 1}
    assert sandbox.account(NORTH, "2")["City"] == "Delft"


def test_an_account_that_someone_deleted_meanwhile_is_created_anew(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1, 2))
    sandbox.remove(NORTH, "1")
    sandbox.fault("status", status=200, body='{"d":{"results":[]}}', division=NORTH, endpoint="sync/Deleted")

    loaded = target.load(wanted(NORTH, 1, City="Delft"))

    assert loaded.counts() == {"created": 1}
    assert sandbox.codes(NORTH) == ["1", "2"]


def test_an_access_token_that_exact_forgot_is_renewed_once(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1))
    sandbox.advance(590)

    loaded = target.load(wanted(NORTH, 2))

    assert loaded.counts() == {"created": 1}
    assert max(token["presented"] for token in sandbox.tokens()) == 1


def test_a_refresh_whose_answer_was_lost_ends_in_a_plain_login_needed(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.fault("token_lost_answer")

    with pytest.raises(LoginNeededError, match="consent again"):
        target.load(wanted(NORTH, 1))
    with pytest.raises(LoginNeededError, match="consent again"):
        target.load(wanted(NORTH, 1))

    assert [token["presented"] for token in sandbox.tokens()] == [3, 0]
    assert target.writes() == []


def test_a_division_that_shows_no_accounts_but_knows_the_code_is_left_alone(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.seed(NORTH, [{"Code": "1", "Name": "Klant 1"}])
    sandbox.change_division(NORTH, rights={"read_accounts": False})

    loaded = target.load(wanted(NORTH, 1, 2, 3) + wanted(SOUTH, 1))

    assert loaded.counts(NORTH) == {"parked": 3}
    assert "may not read accounts here" in "".join(loaded.reasons("parked"))
    assert loaded.counts(SOUTH) == {"created": 1}
    assert len(target.writes(NORTH)) == 1


def test_a_division_that_hides_what_was_just_created_gets_no_second_account(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.change_division(NORTH, rights={"read_accounts": False})

    loaded = target.load(wanted(NORTH, 1, 2, 3))

    assert len(target.writes(NORTH)) == 1
    assert loaded.counts() == {"created": 1, "parked": 2}


def test_what_exact_refused_is_asked_again_only_when_it_changed(target: InProcessTarget, sandbox: Sandbox) -> None:
    wrong = wanted(NORTH, 1, Language="NL", VATNumber="X")
    sandbox.fault(
        "status", status=500, body=_message("Ongeldig: Btw-nummer"), method="POST", endpoint=ACCOUNTS, times=1
    )
    first = target.load(wrong)

    second = target.load(wrong)
    third = target.load(wanted(NORTH, 1, Language="NL", VATNumber=None))

    assert first.count("refused") == second.count("refused") == 1
    assert "Ongeldig: Btw-nummer" in "".join(second.reasons("refused"))
    assert third.counts() == {"created": 1}
    assert len(target.writes()) == 2


def test_retry_refused_asks_again(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault(
        "status", status=500, body=_message("Ongeldig: Btw-nummer"), method="POST", endpoint=ACCOUNTS, times=1
    )
    target.load(wanted(NORTH, 1))

    loaded = target.load([], retry_refused=True)

    assert loaded.counts() == {"created": 1}


def test_a_refused_record_is_asked_again_when_a_person_says_so(
    target: InProcessTarget, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.fault(
        "status", status=500, body=_message("Ongeldig: Btw-nummer"), method="POST", endpoint=ACCOUNTS, times=1
    )
    target.load(wanted(NORTH, 1))
    config = tmp_path / "target.json"
    config.write_text(json.dumps(target.config()), encoding="utf-8")

    said = CliRunner().invoke(
        store_command, ["retry", "--division", str(NORTH), "--code", "1", "--config", str(config), "--json"]
    )

    assert json.loads(said.stdout) == {"tried_again": 1}
    assert target.load([]).counts() == {"created": 1}


def test_a_text_in_another_language_is_no_verdict_and_puts_only_its_record_aside(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.fault("status", status=500, body=_message("Valeur non valable : Pays"), contains="Klant 1", times=9)

    loaded = target.load(wanted(NORTH, 1, 2))

    assert (loaded.status, loaded.counts()) == (1, {"parked": 1, "created": 1})
    assert "Valeur non valable" in "".join(loaded.reasons("parked"))


def test_a_restored_division_is_noticed_and_read_in_full(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1, 2, 3))
    target.load(wanted(NORTH, 4))
    backup = small_world(accounts={NORTH: [{"Code": "1", "Name": "Klant 1"}]}, user={"refresh_token": "after"})
    sandbox.reset(backup)

    loaded = target.load(wanted(NORTH, 1, 2, 3, 4), refresh_token="after")

    assert sandbox.codes(NORTH) == ["1", "2", "3", "4"]
    assert loaded.counts() == {"unchanged": 1, "created": 3}


def _message(text: str) -> str:
    return '{"error":{"code":"","message":{"lang":"","value":"' + text + '"}}}'


def test_a_write_that_a_killed_run_could_not_note_is_still_known_as_ours(
    target: InProcessTarget, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(Settlement, "keep", _die)
        with pytest.raises(KilledError):
            target.load(wanted(NORTH, 1, City="Delft"))
    again = target.load(wanted(NORTH, 1, City="Delft"))

    loaded = target.load(wanted(NORTH, 1, City=None))

    assert again.counts() == {"unchanged": 1}
    assert loaded.counts() == {"updated": 1}
    assert sandbox.account(NORTH, "1")["City"] in (None, "")


class KilledError(Exception):
    """Stands for the end of the process."""


def _die(_: Settlement, batch: Sequence[Ended], *__: object) -> None:
    if any(one.is_written for one in batch):
        raise KilledError


def test_a_store_that_is_full_ends_the_run_plainly_and_the_next_one_goes_on(
    target: InProcessTarget, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(Settlement, "keep", _full_disk)
        with pytest.raises(ConfigurationError, match="disk is full"):
            target.load(wanted(NORTH, 1, 2), state={"at": 1})

    loaded = target.load(wanted(NORTH, 1, 2), state={"at": 1})

    assert loaded.status == 0
    assert sandbox.codes(NORTH) == ["1", "2"]
    assert [call["status"] for call in target.writes()].count(201) == 2


def _full_disk(settlement: Settlement, batch: Sequence[Ended], *_: object) -> None:
    if any(one.is_written for one in batch):
        with settlement._store.write():
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
