"""`exactonline-console`: serve the page, and say who may come in."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import uvicorn
from exactonline_client.command_line import plainly

from exactonline_console.app import application
from exactonline_console.project import PATIENCE_SECONDS, Project
from exactonline_console.security import doors
from exactonline_console.users import Users

PORT = 8066

EXAMPLES = """
\b
Examples:
  exactonline-console serve
  exactonline-console add-user anna
  exactonline-console serve --host 0.0.0.0 --address https://console.example.com
"""


@click.group(epilog=EXAMPLES)
def main() -> None:
    """Serve the page: connect, choose, preview, synchronize, read the result."""


_of_project = click.option(
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="The folder with meltano.yml. Default: this one.",
)


@main.command(
    epilog="""
\b
Exit status: 0 stopped, 1 not started, with one line that says why, 2 misspelt.
"""
)
@_of_project
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine to listen on.")
@click.option("--port", default=PORT, show_default=True, help="Port; 0 for a free one.")
@click.option("--address", "addresses", multiple=True, help="Address under which browsers come in, if it is another.")
@click.option("--user-header", help="Header in which a proxy says who it let in, as X-Forwarded-User.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    help="Address of a proxy before the page, which is believed for whom it let in, and from where.",
)
@plainly
def serve(
    *,
    folder: Path,
    host: str,
    port: int,
    addresses: tuple[str, ...],
    user_header: str | None,
    proxies: tuple[str, ...],
) -> None:
    """Serve the page. Without more it is there for this machine only.

    On another address it starts only when people need a password (add-user) or a proxy says who they are
    (--user-header). Runs go on when it ends.
    """
    project = Project.at(folder)
    trusted = proxies or None
    with project.open_store(PATIENCE_SECONDS) as store:
        has_users = bool(Users(store).names())
        ways = doors(host, port, addresses, user_header=user_header, has_users=has_users, proxies=trusted)
        config = uvicorn.Config("", host=host, port=port, log_level="warning", proxy_headers=False, server_header=False)
        listening = config.bind_socket()
        listening.listen()  # from here on a browser waits, rather than being turned away
        if not port:
            port = int(listening.getsockname()[1])
            ways = doors(host, port, addresses, user_header=user_header, has_users=has_users, proxies=trusted)
        config.app = application(project, store, ways)
        click.echo(f"The page is at {min(ways.origins)}/ (end it with Ctrl-C; runs go on)")
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listening])


@main.command("add-user")
@_of_project
@click.argument("name")
@click.password_option(help="Asked for when it is not given.")
@plainly
def add_user(*, folder: Path, name: str, password: str) -> None:
    """Let somebody in by a password, or give a new one. From the first on, everybody needs one."""
    with Project.at(folder).open_store() as store:
        Users(store).put(name, password)
    click.echo(f"{name} may come in.")


@main.command("remove-user")
@_of_project
@click.argument("name")
@plainly
def remove_user(*, folder: Path, name: str) -> None:
    """Let somebody in no more."""
    with Project.at(folder).open_store() as store:
        found = Users(store).remove(name)
    click.echo(f"{name} may not come in any more." if found else f"There is no user {name}.")


@main.command("users")
@_of_project
@plainly
def list_users(*, folder: Path) -> None:
    """List who may come in."""
    with Project.at(folder).open_store() as store:
        for name in Users(store).names():
            click.echo(name)
