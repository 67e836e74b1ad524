"""Two clients that others wrote for Exact Online, used as they are: see README.md."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from environments import INSTALL_SECONDS, python_with
from sandbox_driver import (
    AUTHORIZATION_CODE,
    CLIENT_SECRET,
    REDIRECT_URI,
    Sandbox,
    World,
    customer,
    running,
    small_world,
)

pytestmark = pytest.mark.timeout(2 * INSTALL_SECONDS)  # the first test of a client may have to install it

PROGRAMS = {
    "exactonline": "exactonline_program.py",
    "python-exact-online": "python_exact_online_program.py",
}
NORTH = 201
EVERYONE = [str(number) for number in range(1, 131)]
SUPPLIERS = ["7", "77"]
TEN_MINUTES = 600


@dataclass(frozen=True, slots=True)
class Report:
    """What a client saw, step by step, and what the sandbox held and had written down afterwards."""

    seen: dict[str, dict[str, Any]]
    seen_later: dict[str, dict[str, Any]]
    accounts: dict[str, dict[str, Any]]
    journal: list[dict[str, Any]]


def world_of_130_customers() -> World:
    customers = [customer(int(code), IsSupplier=code in SUPPLIERS) for code in EVERYONE]
    north = {"PaymentConditions": [{"Code": "15", "Description": "Binnen 15 dagen"}]}
    return small_world(accounts={NORTH: customers}, lists={NORTH: north}, limits={"enabled": True})


def visit(client: str, python: Path, wishes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Run the client's program once; whatever it complains about fails the test."""
    program = Path(__file__).parent / "programs" / PROGRAMS[client]
    done = subprocess.run(
        [python, "-I", program],
        input=json.dumps(wishes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"NO_PROXY": "127.0.0.1"},
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{client} stopped after:\n{done.stdout}\n{done.stderr}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.pop("step"): line for line in lines}


# Made once, in whatever order the tests come; a failure to make one is kept as well.
@pytest.fixture(scope="session")
def exactonline(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report_on("exactonline", tmp_path_factory.mktemp("exactonline"))


@pytest.fixture(scope="session")
def python_exact_online(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report_on("python-exact-online", tmp_path_factory.mktemp("python-exact-online"))


@pytest.fixture(params=["exactonline", "python_exact_online"])
def report(request: pytest.FixtureRequest) -> Report:
    made: Report = request.getfixturevalue(request.param)
    return made


def report_on(client: str, folder: Path) -> Report:
    python = python_with(client)
    with running(folder / "world.db") as sandbox:
        return both_visits(client, python, sandbox, folder)


def both_visits(client: str, python: Path, sandbox: Sandbox, folder: Path) -> Report:
    world = world_of_130_customers()
    client_id = world["apps"][0]["client_id"] = str(uuid4())
    sandbox.reset(world)
    wishes = {
        "base_url": sandbox.url,
        "client_id": client_id,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT_URI,
        "authorization_code": AUTHORIZATION_CODE,
        "division": NORTH,
        "state_path": str(folder / "settings.ini"),
    }
    seen = visit(client, python, {**wishes, "visit": "first"})
    accounts = {account["Code"]: account for account in sandbox.accounts(NORTH)}
    sandbox.advance(TEN_MINUTES)
    seen_later = visit(client, python, {**wishes, "visit": "later"})
    return Report(seen, seen_later, accounts, sandbox.journal())


def test_the_sandbox_knows_every_call_that_the_client_makes(report: Report) -> None:
    unknown = [call for call in report.journal if call["status"] in {404, 405, 501}]

    assert report.journal
    assert unknown == []


def test_the_client_logs_in_with_a_code(report: Report) -> None:
    assert report.seen["token"]["has_refresh_token"]


def test_the_client_lists_the_divisions(report: Report) -> None:
    assert list(report.seen["divisions"]["divisions"]) == ["100", "201", "202", "203"]
    assert report.seen["divisions"]["current"] == 100


def test_the_client_reads_every_page_once(report: Report) -> None:
    codes = report.seen["list"]["codes"]
    next_pages = [call for call in report.journal if "skiptoken" in call["target"]]

    assert sorted(code.strip() for code in codes) == sorted(EVERYONE)
    assert {len(code) for code in codes} == {18}
    assert len(next_pages) == 2


def test_the_client_may_filter(report: Report) -> None:
    assert sorted(code.strip() for code in report.seen["list the suppliers"]["codes"]) == SUPPLIERS


def test_the_client_finds_an_account_by_its_code(report: Report) -> None:
    found = report.seen["look up"]["found"]

    assert (found["Code"], found["Name"]) == (f"{42:>18}", "Klant 42 B.V.")
    assert (found["City"], found["Country"]) == ("Utrecht", "NL ")
    assert not report.seen["look up a stranger"]["found"]


def test_the_client_creates_and_updates(report: Report) -> None:
    before, after = report.seen["read back"]["found"], report.seen["read again"]["found"]
    kept = report.accounts["900"]

    assert before["ID"] == after["ID"] == report.seen["create"]["id"] == kept["ID"]
    assert (before["Phone"], after["Phone"], kept["Phone"]) == (None, "+31 20 555 01 42", "+31 20 555 01 42")
    assert before["Name"] == after["Name"] == kept["Name"] == "Café 't Hoekje & Zn."


def test_the_client_hears_why_a_record_is_refused(report: Report) -> None:
    exists = {"status": 500, "words": "Gegeven bestaat reeds."}

    assert report.seen["create it again"] == exists
    assert report.seen["update with its code"] == exists
    assert report.seen["create with a bad e-mail"]["status"] == 500
    assert "Email" in report.seen["create with a bad e-mail"]["words"]
    assert report.seen["broken query"]["status"] == 400


def test_the_client_deletes(report: Report) -> None:
    assert not report.seen["look for the deleted"]["found"]
    assert report.accounts.keys() - {"901"} == {*EVERYONE, "900"} - {"130"}


def test_the_client_gets_a_new_token_when_the_old_one_has_expired(report: Report) -> None:
    assert report.seen_later["refresh"]["is_new"]
    assert report.seen_later["look up"]["found"]["Name"] == "Klant 42 B.V."


def test_the_client_reads_what_is_left_of_its_limits(report: Report) -> None:
    assert 0 < report.seen["limits"]["left_in_minute"] < 60
    assert 4900 < report.seen["limits"]["left_today"] < 5000


def test_a_refresh_too_early_or_with_a_spent_token_is_refused(exactonline: Report) -> None:
    spent = exactonline.seen_later["refresh with the spent token"]

    assert exactonline.seen["refresh at once"] == {"status": 400, "words": "access_denied"}
    assert spent == {"status": 401, "words": "unauthorized_client"}


def test_what_exactonline_commits_is_created_and_its_read_only_members_are_ignored(
    exactonline: Report,
) -> None:
    kept = exactonline.accounts["901"]

    assert kept["ID"] == exactonline.seen["commit a customer"]["id"]
    assert (kept["Name"], kept["PaymentConditionSales"], kept["IsSales"]) == ("Jansen B.V.", "15", True)
    assert exactonline.seen["commit it again"] == {"status": 500, "words": "Gegeven bestaat reeds."}


def test_a_whole_row_may_be_sent_back_without_its_code(python_exact_online: Report) -> None:
    kept = python_exact_online.accounts["42"]

    assert python_exact_online.seen["update the whole row"]["answer"] is True
    assert (kept["Name"], kept["City"], kept["Country"]) == ("Klant 42 B.V.", "Ede", "NL")
