"""Several countries and subscriptions in one process, each with its users, apps and rights."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, SOURCE, Sandbox, customer, running, running_sites, small_world
from warm_start import BIN


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "world.db"


@pytest.fixture
def sites(db: Path) -> Iterator[dict[str, Sandbox]]:
    worlds = {
        "nl": small_world(user={"refresh_token": "dutch"}),
        "be": small_world(targets=(301,), user={"refresh_token": "belgian"}),
    }
    with running_sites(db, worlds) as sites:
        yield sites


def given(sandbox: Sandbox, refresh_token: str) -> httpx.Response:
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **app}
    return httpx.post(f"{sandbox.url}/api/oauth2/token", data=form)


def asked(sandbox: Sandbox, path: str, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.get(f"{sandbox.url}/api/v1/{path}", headers=headers)


def test_each_site_has_an_address_and_companies_of_its_own(sites: dict[str, Sandbox]) -> None:
    token = given(sites["be"], "belgian").json()["access_token"]

    rows = asked(sites["be"], f"{SOURCE}/system/Divisions?$select=Code", token).json()["d"]["results"]

    assert [row["Code"] for row in rows] == [SOURCE, 301]
    assert sites["be"].url != sites["nl"].url


def test_a_token_of_one_site_is_nothing_at_another(sites: dict[str, Sandbox]) -> None:
    token = given(sites["be"], "belgian").json()["access_token"]

    assert asked(sites["nl"], "current/Me", token).status_code == 401
    assert given(sites["nl"], "belgian").status_code == 400


def test_control_reaches_one_site_alone(sites: dict[str, Sandbox]) -> None:
    sites["be"].seed(301, [customer(7)])
    sites["be"].seed(SOURCE, [customer(8)])
    sites["be"].advance(3600)

    assert (sites["be"].codes(301), sites["nl"].codes(SOURCE)) == (["7"], ["1", "2", "3"])
    assert "8" in sites["be"].codes(SOURCE)
    sites["be"].reset()
    assert sites["be"].codes(301) == []


def test_stopped_sites_go_on_where_they_were(db: Path) -> None:
    with running_sites(db, {"nl": small_world(), "be": small_world()}) as sites:
        sites["be"].seed(201, [customer(7)])

    with running(db) as first:  # sorted by name
        assert first.codes(201) == ["7"]


def test_the_file_of_a_site_serves_alone_as_well(tmp_path: Path) -> None:
    world, db = tmp_path / "countries.json", tmp_path / "world.db"
    world.write_text(json.dumps({"sites": {"nl": small_world(), "be": small_world()}}))
    command = [str(BIN / "exactonline-sandbox"), "init", "--db", str(db), "--world", str(world)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert f"use it as sandbox://{tmp_path / 'world.be.db'}" in told
    with running(tmp_path / "world.nl.db") as sandbox:
        assert sandbox.codes(SOURCE) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("worlds", "said"),
    [
        ({"sites": {}}, "several sites look like"),
        ({"sites": {"nl": {}}, "apps": []}, "several sites look like"),
        ({"sites": {"n l": {}}}, "letters and digits"),
        ({"sites": {"nl": {}, "be": {"shoes": 1}}}, "no key called shoes"),
    ],
)
def test_sites_that_cannot_be_read_are_refused_before_any_is_made(
    tmp_path: Path, worlds: dict[str, object], said: str
) -> None:
    world, db = tmp_path / "countries.json", tmp_path / "world.db"
    world.write_text(json.dumps(worlds))
    command = [str(BIN / "exactonline-sandbox"), "init", "--db", str(db), "--world", str(world)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, said in done.stderr) == (1, True)
    assert list(tmp_path.glob("*.db")) == []


def test_a_right_can_be_denied_to_one_user_and_not_to_another(sandbox: Sandbox) -> None:
    world = small_world(user={"rights": {str(SOURCE): {"read_accounts": False}}})
    bert = {**small_world()["users"][0], "name": "Bert Smit", "refresh_token": "second", "authorization_code": "second"}
    sandbox.reset({**world, "users": [*world["users"], bert]})

    seen = []
    for token in (world["users"][0]["refresh_token"], "second"):
        access = given(sandbox, token).json()["access_token"]
        rows = asked(sandbox, f"{SOURCE}/bulk/CRM/Accounts?$select=Code", access).json()["d"]["results"]
        seen.append(len(rows))

    assert seen == [0, 3]
