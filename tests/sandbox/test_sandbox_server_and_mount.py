"""The server as a process, the command line, the mount without a server, and one file shared by several."""

import ast
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import exactonline_sandbox
import httpx
import pytest
from click.testing import CliRunner, Result
from exact_http import Exact, trade
from exactonline_sandbox.cli import main
from exactonline_sandbox.mount import transport
from sandbox_driver import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Sandbox,
    SandboxFactory,
    customer,
    running,
    small_world,
)


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def world_file(folder: Path, world: dict[str, Any]) -> Path:
    path = folder / "world.json"
    path.write_text(json.dumps(world), encoding="utf-8")
    return path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "world.db"
    made = command("init", "--db", str(path), "--world", str(world_file(tmp_path, small_world())))
    assert made.exit_code == 0, made.output
    return path


@pytest.fixture
def mounted(db: Path) -> Iterator[httpx.Client]:
    with httpx.Client(transport=transport(f"sandbox://{db}"), base_url="sandbox://world:80") as http:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": REFRESH_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        token = http.post("/api/oauth2/token", data=form).json()["access_token"]
        http.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        yield http


def fault(http: httpx.Client, kind: str, **where: Any) -> None:
    assert http.post("/_sandbox/faults", json={"faults": [{"kind": kind, **where}]}).status_code == 200


def codes(http: httpx.Client, division: int) -> list[str]:
    return [account["Code"] for account in http.get(f"/_sandbox/accounts/{division}").json()]


def test_a_stopped_server_goes_on_where_it_was(db: Path) -> None:
    with running(db) as sandbox:
        Exact(sandbox).post(201, customer(9))

    with running(db) as again:
        assert again.codes(201) == ["9"]
        assert trade(again.url, refresh_token=REFRESH_TOKEN).status_code == 401


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_first_and_leaves_quietly(stop: signal.Signals, db: Path) -> None:
    program = "from exactonline_sandbox.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--db", str(db)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(stop)
    out, err = process.communicate(timeout=10)

    assert first.startswith("listening on http://127.0.0.1:")
    assert (process.returncode, out, err) == (0, "", "")


def test_no_limits_outlives_a_reset(sandbox_factory: SandboxFactory) -> None:
    sandbox = sandbox_factory(small_world(limits={"enabled": True, "per_minute": 1}), "--no-limits")
    exact = Exact(sandbox)

    assert [exact.get("100/system/Divisions").status_code for _ in range(3)] == [200, 200, 200]
    assert trade(sandbox.url, refresh_token=exact.tokens["refresh_token"]).status_code == 200


def test_a_reset_without_a_world_goes_back_to_the_first(db: Path) -> None:
    with running(db) as sandbox:
        sandbox.reset(small_world(7))
        sandbox.reset()

        assert sandbox.codes(100) == ["1", "2", "3"]


def test_init_leaves_a_world_alone_unless_told(db: Path, tmp_path: Path) -> None:
    other = str(world_file(tmp_path, small_world(1)))

    command("init", "--db", str(db), "--world", other)
    kept = command("accounts", "100", "--db", str(db))
    command("init", "--db", str(db), "--world", other, "--fresh")
    fresh = command("accounts", "100", "--db", str(db))

    assert [len(json.loads(answer.stdout)) for answer in (kept, fresh)] == [3, 1]


def test_accounts_and_journal_are_printed_from_file_and_server(db: Path) -> None:
    with running(db) as sandbox:
        Exact(sandbox).get("100/crm/Accounts")
        asked = command("accounts", "100", "--url", sandbox.url)
        calls = command("journal", "--url", sandbox.url, "--summary")
    looked = command("accounts", "100", "--db", str(db))

    assert json.loads(asked.stdout) == json.loads(looked.stdout)
    assert json.loads(calls.stdout)["total"] == 2
    assert json.loads(command("journal", "--db", str(db)).stdout)["journal"][1]["endpoint"] == "crm/Accounts"


def test_mistakes_on_the_command_line_are_told_without_a_traceback(db: Path, tmp_path: Path) -> None:
    wrong = world_file(tmp_path, {**small_world(), "planets": []})

    answers = [
        command("accounts", "999", "--db", str(db)),
        command("accounts", "100"),
        command("init", "--db", str(tmp_path / "new.db"), "--world", str(wrong)),
    ]

    assert all(answer.exit_code and isinstance(answer.exception, SystemExit) for answer in answers)
    assert "planets" in answers[2].output


def test_the_demo_world_is_printed_and_can_be_served(tmp_path: Path) -> None:
    printed = command("world").stdout
    path = tmp_path / "demo.json"
    path.write_text(printed, encoding="utf-8")

    made = command("init", "--db", str(tmp_path / "demo.db"), "--world", str(path))

    assert made.exit_code == 0, made.output


def test_the_entry_point_leads_to_the_mount() -> None:
    (found,) = entry_points(group="exactonline_client.transports", name="sandbox")

    assert found.load() is transport


@pytest.mark.parametrize("url", ["sandbox://./world.db", "http:///world.db", "sandbox:world.db"])
def test_only_an_absolute_path_can_be_mounted(url: str) -> None:
    with pytest.raises(ValueError, match=r"sandbox:///path/to/world\.db"):
        transport(url)


def test_a_missing_world_file_is_made_from_the_demo_world(tmp_path: Path) -> None:
    with httpx.Client(transport=transport(f"sandbox://{tmp_path}/new.db"), base_url="sandbox://world:80") as http:
        assert len(http.get("/_sandbox/world").json()["divisions"]) > 3


def test_a_mounted_world_answers_and_its_pages_lead_back_into_it(mounted: httpx.Client) -> None:
    mounted.post("/_sandbox/limits", json={"page_sizes": {"crm": 2}})

    first = mounted.get("/api/v1/100/crm/Accounts?$select=Code").json()["d"]
    second = mounted.get(first["__next"]).json()["d"]

    assert first["__next"].startswith("sandbox://world")
    assert [len(first["results"]), len(second["results"])] == [2, 1]


def test_a_mounted_world_keeps_what_was_written(mounted: httpx.Client, db: Path) -> None:
    answer = mounted.post("/api/v1/201/crm/Accounts", json=customer(9, Name="Zo\u00eb"))

    assert answer.status_code == 201
    assert json.loads(command("accounts", "201", "--db", str(db)).stdout)[0]["Name"] == "Zo\u00eb"


@pytest.mark.parametrize(
    ("kind", "error", "held"),
    [
        ("lost_answer", httpx.RemoteProtocolError, ["9"]),
        ("reset_before", httpx.ReadError, []),
        ("truncated_body", httpx.RemoteProtocolError, ["9"]),
    ],
)
def test_broken_connections_surface_in_a_mounted_world(
    mounted: httpx.Client, kind: str, error: type[Exception], held: list[str]
) -> None:
    fault(mounted, kind, method="POST", endpoint="crm/Accounts")

    with pytest.raises(error):
        mounted.post("/api/v1/201/crm/Accounts", json=customer(9))

    assert codes(mounted, 201) == held


def test_a_slow_answer_times_out_in_a_mounted_world_without_waiting(mounted: httpx.Client) -> None:
    fault(mounted, "slow", seconds=3600, method="POST", endpoint="crm/Accounts")

    with pytest.raises(httpx.ReadTimeout):
        mounted.post("/api/v1/201/crm/Accounts", json=customer(9))

    assert codes(mounted, 201) == ["9"]


def test_two_processes_and_their_threads_share_one_file(sandbox_factory: SandboxFactory, db: Path) -> None:
    first, second = sandbox_factory(db=db), sandbox_factory(db=db)
    exact = Exact(first)
    clients = [exact, Exact(second, exact.tokens["refresh_token"])] * 2
    failures: list[str] = []

    def write(number: int) -> None:
        for step in range(25):
            answer = clients[number].post(201, {"Name": f"{number}-{step}"})
            if answer.status_code != 201:
                failures.append(answer.text)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert {int(code) for code in second.codes(201)} == set(range(1, 101))
    assert len({row["Timestamp"] for row in first.accounts(201)}) == 100
    assert first.calls() == 100


def test_changed_limits_reach_the_other_process(sandbox_factory: SandboxFactory, db: Path) -> None:
    first, second = sandbox_factory(db=db), sandbox_factory(db=db)
    exact = Exact(second)
    assert exact.get("100/system/Divisions").status_code == 200

    first.limits(enabled=True, per_minute=1)

    assert exact.get("100/system/Divisions").status_code == 429


def test_bytes_that_are_no_request_end_the_connection_only(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = connection.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sandbox.codes(100) == ["1", "2", "3"]


def test_a_body_in_chunks_is_read(exact: Exact) -> None:
    answer = exact.http.post(
        "/api/v1/201/crm/Accounts",
        content=iter([b'{"Name": ', b'"In stukken"}']),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 201


def test_many_requests_share_one_connection(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /_sandbox/clock HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        received = b""
        while received.count(b'"offset_seconds"') < 3:
            received += connection.recv(10_000)

    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_it_imports_nothing_of_what_it_is_used_to_test() -> None:
    forbidden = {"exactonline_client", "tap_exactonline", "target_exactonline", "mapper_exactonline"}
    imported = set()
    for path in Path(next(iter(exactonline_sandbox.__path__))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])

    assert not imported & forbidden
