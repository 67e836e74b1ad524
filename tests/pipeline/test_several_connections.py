"""From one subscription into companies of two others, in two countries, by Meltano and nothing but .env."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_driver import consent
from meltano_driver import MeltanoProject
from sandbox_driver import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    REFRESH_TOKEN,
    SOURCE,
    Sandbox,
    World,
    customer,
    running_sites,
    small_world,
)
from singer_driver import Project, Ran, addressed, outcomes
from warm_start import BIN

SOUTH, WEST, BELGIUM = 201, 202, 301
USERS = {"holding": "Anna de Boer", "south": "Bert Smit", "belgium": "Chris Peeters"}


def world(apps: list[str], reached: dict[str, list[int]], **more: Any) -> World:
    """A country with an app for each subscription and a user in each, who granted these divisions."""
    codes = [code for granted in reached.values() for code in granted if code != SOURCE]
    users = [
        {"name": name, "email": f"{name[:4]}@example.com", "current_division": granted[0], "divisions": granted}
        for name, granted in reached.items()
    ]
    registered = [{"client_id": app, "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI]} for app in apps]
    return {**small_world(targets=codes, **more), "apps": registered, "users": users}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[dict[str, Sandbox]]:
    """The Netherlands with two subscriptions, and Belgium with one."""
    dutch = world(["holding-app", "south-app"], {USERS["holding"]: [SOURCE], USERS["south"]: [SOUTH, WEST]})
    belgian = world(["belgian-app"], {USERS["belgium"]: [BELGIUM]}, divisions={BELGIUM: {"country": "BE"}})
    belgian["accounts"][str(BELGIUM)] = [customer(1, City="Gent")]
    with running_sites(tmp_path / "world.db", {"be": belgian, "nl": dutch}) as sites:
        yield sites


class Checkout:
    """A checkout in production: its settings in .env, the plugins by Meltano, `exactonline` beside them."""

    def __init__(self, sites: dict[str, Sandbox], folder: Path, **more: str) -> None:
        self.meltano = MeltanoProject(sites["nl"], folder)
        plugins = ("TAP_EXACTONLINE", "TARGET_EXACTONLINE")
        for name in [name for name in self.meltano.env if name.startswith(plugins)]:
            del self.meltano.env[name]
        self.folder = folder
        apps = {"holding": ("nl", "holding-app"), "south": ("nl", "south-app"), "belgium": ("be", "belgian-app")}
        connections = [
            {"name": name, "base_url": sites[site].url, "client_id": app, "client_secret": CLIENT_SECRET}
            for name, (site, app) in apps.items()
        ]
        env = {
            "EXACTONLINE_CONNECTIONS": json.dumps(connections),
            "EXACTONLINE_STORE_URL": f"sqlite:///{folder / 'store.db'}",
            "EXACTONLINE_REDIRECT_URI": REDIRECT_URI,
            "TAP_EXACTONLINE_DIVISIONS": f"[{SOURCE}]",
            **more,
        }
        (folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in env.items()), encoding="utf-8")

    def command(self, *arguments: str, program: str = "exactonline") -> Ran:
        done = subprocess.run(
            [str(BIN / program), *arguments],
            cwd=self.folder,
            env=self.meltano.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def log_in(self, connection: str) -> Ran:
        begun = self.command("login", "--connection", connection, "--json")
        redirected = consent(json.loads(begun.output)["authorization_url"], USERS[connection])
        return self.command("login", "--connection", connection, "--redirected", redirected)

    def run(self) -> Ran:
        return self.meltano.ask("--environment=production", "run", "tap-exactonline", "target-exactonline")


def copies(sites: dict[str, Sandbox]) -> dict[int, list[str]]:
    return {
        **{code: sites["nl"].codes(code) for code in (SOUTH, WEST)},
        BELGIUM: sites["be"].codes(BELGIUM),
    }


@pytest.mark.timeout(600)
def test_a_run_goes_from_one_subscription_into_two_others_in_two_countries(
    sites: dict[str, Sandbox], tmp_path: Path
) -> None:
    checkout = Checkout(sites, tmp_path / "checkout")
    for connection in USERS:
        assert checkout.log_in(connection).status == 0
    checked = checkout.command("check")

    ran = checkout.run()

    assert (checked.status, ran.status) == (0, 0), checked.output + ran.log
    assert "Ready: 1 source and 3 targets can be used." in checked.output
    assert copies(sites) == {SOUTH: ["1", "2", "3"], WEST: ["1", "2", "3"], BELGIUM: ["1", "2", "3"]}
    assert sites["be"].account(BELGIUM, "1")["City"] == "Utrecht"
    users = {(call["division"], call["user"]) for site in sites.values() for call in site.journal() if call["division"]}
    assert users == {
        (SOURCE, USERS["holding"]),
        (SOUTH, USERS["south"]),
        (WEST, USERS["south"]),
        (BELGIUM, USERS["belgium"]),
    }
    folder = checkout.folder / "output" / "production"
    page = (folder / "report.html").read_text(encoding="utf-8")
    for title in ("Company 201 (south)", "Company 202 (south)", "Company 301 (belgium)"):
        assert title in page
    assert len(outcomes(folder)) == 9
    history = checkout.command("history", "--json", program="target-exactonline-store").output
    assert {json.loads(line)["division"] for line in history.splitlines()} == {SOUTH, WEST, BELGIUM}


@pytest.mark.timeout(600)
def test_a_run_whose_third_login_is_missing_writes_nothing_and_names_the_command(
    sites: dict[str, Sandbox], tmp_path: Path
) -> None:
    checkout = Checkout(sites, tmp_path / "checkout")
    for connection in ("holding", "south"):
        checkout.log_in(connection)

    ran = checkout.run()

    assert ran.status != 0
    assert "say `exactonline login --connection belgium`" in ran.log
    assert copies(sites) == {SOUTH: [], WEST: [], BELGIUM: ["1"]}


def test_a_code_that_two_connections_list_stops_tap_and_target_until_their_divisions_settle_it(
    sandbox: Sandbox, project: Project
) -> None:
    bert = {**small_world()["users"][0], "name": "Bert Smit", "refresh_token": "bert", "authorization_code": "bert"}
    sandbox.reset({**small_world(), "users": [*small_world()["users"], bert]})
    app = {"base_url": sandbox.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    anna = {"name": "north", "refresh_token": REFRESH_TOKEN, **app}
    two: list[dict[str, Any]] = [anna, {"name": "south", "refresh_token": "bert", **app}]
    given = addressed([{"Division": SOUTH, "Code": "7", "Name": "Zeven"}])

    stopped = [project.read(connections=two), project.load(given, connections=two)]
    before = sandbox.codes(SOUTH)
    settled = [{**two[0], "divisions": [SOURCE]}, {**two[1], "divisions": [SOUTH]}]
    went = [project.read(connections=settled), project.load(given, connections=settled)]

    for ran in stopped:
        (error,) = ran.errors
        assert (ran.status, f"by two connections, north ({sandbox.url}) and south ({sandbox.url})" in error) == (
            1,
            True,
        )
    assert ([ran.status for ran in went], before, sandbox.codes(SOUTH)) == ([0, 0], [], ["7"])
