"""The command `exactonline-sandbox`."""

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from exactonline_sandbox import journal as calls
from exactonline_sandbox.app import Sandbox
from exactonline_sandbox.control_accounts import held_accounts
from exactonline_sandbox.demo import demo_world
from exactonline_sandbox.found_switches import FACTS_VARIABLE, read_facts
from exactonline_sandbox.loading import lift_limits, read_world
from exactonline_sandbox.server import Server
from exactonline_sandbox.sites import file_of, open_sites
from exactonline_sandbox.storage import Storage, has_world

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_FACTS = click.option(
    "--facts", type=_EXISTING, envvar=FACTS_VARIABLE, help="Facts that exactonline-probe found, to behave by."
)


@click.group()
def main() -> None:
    """A local imitation of Exact Online, for rehearsal and tests.

    \b
    Examples:
      exactonline-sandbox serve --port 8065
      exactonline-sandbox world > world.json
      exactonline-sandbox serve --port 8065 --world world.json --db world.db
      exactonline-sandbox accounts 2000101 --db world.db
      exactonline-sandbox journal --db world.db --summary
    """


@main.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--world", type=_EXISTING, help="World to start with, as JSON. Default: the demo world.")
@click.option("--db", type=_FILE, help="World file to keep the state in. Default: a temporary one.")
@_FACTS
@click.option("--no-limits", is_flag=True, help="Lift rate limits; tokens may be refreshed at any time.")
@click.option("--latency-ms", default=0.0, help="Hold every answer back for this long.")
def serve(
    *, port: int, world: Path | None, db: Path | None, facts: Path | None, no_limits: bool, latency_ms: float
) -> None:
    """Serve a world over HTTP until stopped.

    The first line of output is the address. With --db of an existing file and no --world, the state in it goes on. A
    world of several sites takes a port for each, from --port on; a line for each says its name and address.

    With --facts it behaves as exactonline-probe found a real company to, also after a reset; a switch that a world
    states itself stays as it is stated.

    \b
    Examples:
      exactonline-sandbox serve --port 8065 --world world.json --no-limits
      exactonline-sandbox serve --port 8065 --world countries.json --db world.db
    """
    with tempfile.TemporaryDirectory(prefix="exactonline-sandbox-") as folder, ExitStack() as stack:
        path = db or Path(folder) / "world.db"
        servers: dict[str, Server] = {}
        opened = _opened(path, world, fresh=world is not None, no_limits=no_limits, facts=facts)
        for number, (name, storage) in enumerate(opened):
            stack.callback(storage.close)
            if no_limits:
                with storage.transaction() as connection:
                    lift_limits(connection)
            made = Server(Sandbox(storage, latency_ms / 1000), port + number if port else 0)
            servers[name] = stack.enter_context(made)
        _serve_all(servers)


def _serve_all(servers: Mapping[str, Server]) -> None:
    """Say where each listens, and answer until a signal comes."""
    first, *others = servers.values()
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    for server in (first, *others):
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    click.echo(f"listening on {first.url}")
    for name, server in servers.items():
        if name:
            click.echo(f"{name} {server.url}")
    sys.stdout.flush()
    stop.wait()
    for server in (first, *others):
        server.shutdown()


@main.command()
@click.option("--db", type=_FILE, required=True, help="World file to make.")
@click.option("--world", type=_EXISTING, help="World to load, as JSON. Default: the demo world.")
@_FACTS
@click.option("--fresh", is_flag=True, help="Load it even if the file holds a world already.")
def init(*, db: Path, world: Path | None, facts: Path | None, fresh: bool) -> None:
    """Make a world file, unless it is there.

    \b
    Example:
      exactonline-sandbox init --db world.db --world world.json --fresh
    """
    for name, storage in _opened(db, world, fresh=fresh, no_limits=None, facts=facts):
        storage.close()
        path = file_of(db, name)
        click.echo(f"{path} holds a world; use it as sandbox://{path.resolve()}")


@main.command()
def world() -> None:
    """Print the demo world as JSON.

    \b
    Example:
      exactonline-sandbox world > world.json
    """
    _print(demo_world())


@main.command()
@click.argument("division", type=int)
@click.option("--db", type=_EXISTING, help="World file to look into.")
@click.option("--url", help="Address of a running sandbox to ask.")
def accounts(division: int, db: Path | None, url: str | None) -> None:
    """Print what a division holds now, as JSON: text trimmed, dates as local time.

    \b
    Examples:
      exactonline-sandbox accounts 2000101 --db world.db
      exactonline-sandbox accounts 2000101 --url http://127.0.0.1:8065
    """
    if url:
        _print(_asked(url, f"accounts/{division}"))
        return
    storage = _existing(db)
    with storage.transaction() as connection:
        if division not in read_world(connection).divisions:
            raise click.ClickException(f"no division {division} in this world")
        _print(held_accounts(connection, division))


@main.command()
@click.option("--db", type=_EXISTING, help="World file to look into.")
@click.option("--url", help="Address of a running sandbox to ask.")
@click.option("--summary", is_flag=True, help="Only the number of calls per division, method and endpoint.")
def journal(db: Path | None, url: str | None, summary: bool) -> None:  # noqa: FBT001
    """Print every call that was made, as JSON.

    \b
    Example:
      exactonline-sandbox journal --url http://127.0.0.1:8065 --summary
    """
    if url:
        _print(_asked(url, "journal?summary=1" if summary else "journal"))
        return
    storage = _existing(db)
    with storage.transaction() as connection:
        rows = calls.read(connection)
    _print(calls.summary(rows) if summary else {"journal": rows})


@main.command()
@click.option("--db", type=_EXISTING, required=True, help="World file whose journal is emptied.")
def forget(db: Path) -> None:
    """Empty the journal, so that the next calls stand alone in it.

    \b
    Example:
      exactonline-sandbox forget --db world.db
    """
    with _existing(db).transaction() as connection:
        connection.execute("DELETE FROM journal")


def _opened(
    path: Path, world: Path | None, *, fresh: bool, no_limits: bool | None, facts: Path | None
) -> list[tuple[str, Storage]]:
    try:
        switches, unknown = read_facts(facts) if facts else (None, [])
        if unknown:
            click.echo(f"{facts} tells of what this sandbox has no switch for: {', '.join(unknown)}", err=True)
        return list(open_sites(path, world, fresh=fresh, no_limits=no_limits, switches=switches).items())
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"the world cannot be loaded: {error}") from error


def _existing(db: Path | None) -> Storage:
    if db is None:
        raise click.UsageError("say which world: --db FILE or --url URL")
    storage = Storage(db)
    with storage.transaction() as connection:
        if not has_world(connection):
            raise click.ClickException(f"{db} holds no world")
    return storage


def _asked(url: str, what: str) -> Any:
    import httpx  # noqa: PLC0415 - takes longer to import than the server to start

    try:
        answer = httpx.get(f"{url.rstrip('/')}/_sandbox/{what}")
    except httpx.HTTPError as error:
        raise click.ClickException(f"no sandbox answers at {url}: {error}") from error
    if answer.is_error:
        raise click.ClickException(answer.json()["error"])
    return answer.json()


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
