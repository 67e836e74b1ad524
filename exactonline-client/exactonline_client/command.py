"""`exactonline`: log in by a browser, see how the login stands, log out."""

from __future__ import annotations

import functools
import json
import os
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from dotenv import load_dotenv

from exactonline_client.consent import TIME_TO_CONSENT, Consent
from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.settings import Settings
from exactonline_client.standing import PROGRAM, Standing, look
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import Secrets, Transport, utc_now
from exactonline_client.vault import KEY_VARIABLE, KEYRING_NAME, KEYRING_SERVICE, new_key

F = TypeVar("F", bound=Callable[..., Any])
FROM_ENVIRONMENT = ("base_url", "client_id", "client_secret", "refresh_token", "store_url")
REDIRECT_VARIABLE = "EXACTONLINE_REDIRECT_URI"
VARIABLES = {*(f"EXACTONLINE_{name.upper()}" for name in FROM_ENVIRONMENT), REDIRECT_VARIABLE}
NOT_IN_EVERY_FILE = ("client_id", "client_secret")

EPILOG = f"""
\b
Settings come from --config FILE, the settings file of a tap or target, or from
the environment and a file .env in this folder:
  EXACTONLINE_BASE_URL       the country's site (https://start.exactonline.nl)
  EXACTONLINE_CLIENT_ID      of the app registered with Exact
  EXACTONLINE_CLIENT_SECRET  of the app registered with Exact
  EXACTONLINE_STORE_URL      where the tokens are kept
  {REDIRECT_VARIABLE}   the redirect address registered with the app
  {KEY_VARIABLE}      encrypts the tokens in the store
With --config, only id, secret and redirect address are looked up there too.

\b
Examples:
  exactonline login --redirect-uri https://example.com/callback
  exactonline login --redirected 'https://example.com/callback?code=...&state=...'
  exactonline status --config tap.json --json

\b
Exit status:
  0  done; for status: every login works
  1  not done, with one line that says why; for status: a login is needed or
     does not work
  2  the command was misspelt
"""


@click.group(epilog=EPILOG)
def main() -> None:
    """Log in to Exact Online, and see how the login stands."""
    load_dotenv(Path(".env"))


def _options(command: F) -> F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs."),
        click.option("--connection", "name", help="The connection of this name, where the settings have several."),
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The settings file of a tap or target.",
        ),
    ):
        command = option(command)
    return command


def _plainly(command: F) -> F:
    """Tell an error in one line."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except ExactError as error:
            raise click.ClickException(str(error)) from None

    return run  # type: ignore[return-value] # the same signature


@main.command(
    epilog="""
\b
Examples:
  exactonline login --open
  exactonline login --redirected 'https://example.com/callback?code=...&state=...'

Exit status: 0 logged in (or with --json and no --redirected: the address is printed), 1 not, 2 misspelt.
"""
)
@_options
@click.option("--redirect-uri", help="The redirect address, to the letter as it is registered with the app.")
@click.option("--redirected", metavar="URL", help="Go on: the address on which the browser ended, in quotes.")
@click.option("--open", "open_browser", is_flag=True, help="Open the address in a browser of this machine.")
@click.option("--force-login", is_flag=True, help="Have Exact ask for name and password even of who is logged in.")
@_plainly
def login(
    *,
    config_file: Path | None,
    name: str | None,
    as_json: bool,
    redirect_uri: str | None,
    redirected: str | None,
    open_browser: bool,
    force_login: bool,
) -> None:
    """Log in: consent in a browser, and bring the address on which it ended.

    Exact sends the browser to the redirect address of the app, with a code behind it that lives three minutes. Copy
    that address from the address bar, whatever the page shows, and paste it here, or give it to --redirected within
    ten minutes of the first call. With --json nothing is asked for: the address is printed, and --redirected goes on.
    """
    config = _config(config_file)
    settings = _one_of(config, name)
    with Store.open(settings.store_url) as store, _transport(settings) as transport:
        consent = Consent(settings, TokenStore.of(store, settings), transport)
        if redirected is None:
            address = consent.begin(_redirect_uri(redirect_uri, config), utc_now(), force_login=force_login)
            _show_address(address, open_browser=open_browser, as_json=as_json)
            if as_json:
                return
            redirected = _pasted()
        consent.finish(redirected, utc_now())
        standing = look(settings, store)
    if not as_json:
        click.echo(f"Logged in at {settings.connection}; the tokens are stored.")
    _show(standing, as_json=as_json)
    if standing.problem:
        raise click.ClickException(standing.problem)


@main.command(
    epilog="""
\b
Example:
  exactonline status --json

Exit status: 0 every login works, 1 a login is needed or does not work, 2 misspelt.
"""
)
@_options
@_plainly
def status(*, config_file: Path | None, name: str | None, as_json: bool) -> None:
    """Tell who is logged in, for how long, and which divisions are in reach. It asks Exact, which costs two calls."""
    problems = []
    for settings in _chosen(_config(config_file), name):
        with Store.open(settings.store_url) as store:
            standing = look(settings, store)
        _show(standing, as_json=as_json)
        problems += [standing.problem] if standing.problem else []
    if problems:
        raise click.ClickException("\n".join(problems))


@main.command(
    epilog="""
\b
Example:
  exactonline logout

Exit status: 0 no tokens are stored any more, 1 it did not succeed, 2 misspelt.
"""
)
@_options
@_plainly
def logout(*, config_file: Path | None, name: str | None, as_json: bool) -> None:
    """Forget the tokens of the connection. Exact itself keeps the consent until a person withdraws it there."""
    settings = _one_of(_config(config_file), name)
    with Store.open(settings.store_url) as store, _transport(settings) as transport:
        tokens = TokenStore.of(store, settings)
        with tokens.lock():
            Consent(settings, tokens, transport).cancel()
            forgotten = tokens.log_out()
    if as_json:
        click.echo(json.dumps({"connection": settings.connection, "forgotten": forgotten}))
    else:
        click.echo(f"{'Logged out of' if forgotten else 'Nobody was logged in at'} {settings.connection}.")


@main.command(
    "new-key",
    epilog=f"""
\b
Examples:
  export {KEY_VARIABLE}="$(exactonline new-key)"
  exactonline new-key | keyring set {KEYRING_SERVICE} {KEYRING_NAME}

Exit status: 0 done, 1 the extra exactonline-client[vault] is not installed, 2 misspelt.
""",
)
@_plainly
def make_key() -> None:
    """Print a fresh key that encrypts the tokens in the store. Keep it: without it a person must log in anew."""
    click.echo(new_key())


# Settings


def _config(config_file: Path | None) -> dict[str, Any]:
    """The settings by name: those of the file, which are those of the run, or those of the environment."""
    given = {name: value for name in FROM_ENVIRONMENT if (value := os.environ.get(f"EXACTONLINE_{name.upper()}"))}
    if config_file is None:
        return given
    try:
        config = json.loads(config_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The settings in {config_file} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise ConfigurationError(f"The settings in {config_file} must be a JSON object.")
    return {**{name: given[name] for name in NOT_IN_EVERY_FILE if name in given}, **config}


def _chosen(config: dict[str, Any], name: str | None) -> list[Settings]:
    every = Settings.all_from_config(config)
    chosen = [one for one in every if name in {None, one.name}]
    if not chosen:
        raise ConfigurationError(f"The settings have no connection {name}; they have {_names(every)}.")
    return chosen


def _one_of(config: dict[str, Any], name: str | None) -> Settings:
    chosen = _chosen(config, name)
    if len(chosen) > 1:
        raise ConfigurationError(f"Say which connection, by --connection: {_names(chosen)}.")
    return chosen[0]


def _names(settings: list[Settings]) -> str:
    return ", ".join(one.name or "only one, without a name" for one in settings)


def _redirect_uri(given: str | None, config: dict[str, Any]) -> str:
    found = given or config.get("redirect_uri") or os.environ.get(REDIRECT_VARIABLE)
    if not found:
        raise ConfigurationError(
            f"The redirect address is missing: give the one registered with the app by --redirect-uri or "
            f"{REDIRECT_VARIABLE}."
        )
    return str(found)


def _transport(settings: Settings) -> Transport:
    secrets = Secrets(settings.client_secret, settings.refresh_token)
    return Transport(settings, secrets, program=PROGRAM)


# What a person sees


def _show_address(address: str, *, open_browser: bool, as_json: bool) -> None:
    if as_json:
        valid_until = utc_now() + TIME_TO_CONSENT
        click.echo(json.dumps({"authorization_url": address, "valid_until": valid_until.isoformat(timespec="seconds")}))
    else:
        click.echo("Open this address in a browser, log in as the user whose rights the copying shall have, and grant")
        click.echo(f"the app every division, the source and all targets:\n\n  {address}\n")
    if open_browser and not webbrowser.open(address):
        click.echo("No browser could be opened here.", err=True)


def _pasted() -> str:
    """The line that a person pastes. It holds a secret, so it is never printed back."""
    click.echo("The browser then ends on your redirect address. Within three minutes, paste all of the address bar:")
    pasted = sys.stdin.readline().strip()
    if not pasted:
        raise ConfigurationError(
            "Nothing was pasted. Within ten minutes this goes on with it: exactonline login --redirected 'ADDRESS'"
        )
    return pasted


def _show(standing: Standing, *, as_json: bool) -> None:
    click.echo(json.dumps(standing.as_json(), ensure_ascii=False) if as_json else standing.as_text())
