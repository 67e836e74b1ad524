"""`exactonline`: log in by a browser, see how the login stands, check whether a run can start, log out."""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import Any

import click

from exactonline_client.advice import NEEDED_SCOPES
from exactonline_client.command_check import check
from exactonline_client.command_line import (
    REDIRECT_VARIABLE,
    chosen,
    load_environment,
    one_of,
    options,
    plainly,
    read_config,
)
from exactonline_client.command_references import references
from exactonline_client.consent import TIME_TO_CONSENT, Consent
from exactonline_client.errors import ConfigurationError
from exactonline_client.redaction import Secrets
from exactonline_client.settings import Settings
from exactonline_client.standing import PROGRAM, Standing, look
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import Transport, utc_now
from exactonline_client.vault import KEY_VARIABLE, KEYRING_NAME, KEYRING_SERVICE, new_key

NEEDED = " and ".join(f"'{scope}'" for scope in NEEDED_SCOPES)
EPILOG = f"""
\b
Settings come from --config FILE, the settings file of a tap or target, or from
the environment and a file .env in this folder:
  EXACTONLINE_BASE_URL       the country's site (https://start.exactonline.nl)
  EXACTONLINE_CLIENT_ID      of the app registered with Exact
  EXACTONLINE_CLIENT_SECRET  of the app registered with Exact
  EXACTONLINE_STORE_URL      where the tokens are kept
  {REDIRECT_VARIABLE}   the redirect address registered with the app
  EXACTONLINE_CONNECTIONS    several connections, as JSON, in place of a single one
  {KEY_VARIABLE}      encrypts the tokens in the store
The app needs these scopes, which are chosen where it is registered, in Exact's
App Centre: {NEEDED}.
With --config, only id, secret and redirect address are looked up there too.

\b
Examples:
  exactonline login --redirect-uri https://example.com/callback
  exactonline login --redirected 'https://example.com/callback?code=...&state=...'
  exactonline status --config tap.json --json
  exactonline check --source 2000100 --targets 2000101,2000102

\b
Exit status:
  0  done; for status: every login works; for check: a run can start; for
     references: every code in use means the same in every company
  1  not done, with one line that says why; for status: a login is needed or
     does not work; for check: a run cannot start
  2  the command was misspelt
  3  for references: a code in use is missing or another thing in a company
"""


@click.group(epilog=EPILOG)
def main() -> None:
    """Log in to Exact Online, see how the login stands, and check whether a run can start and what codes come to."""
    load_environment()


main.add_command(check)
main.add_command(references)


@main.command(
    epilog="""
\b
Examples:
  exactonline login --open
  exactonline login --redirected 'https://example.com/callback?code=...&state=...'

Exit status: 0 logged in (or with --json and no --redirected: the address is printed), 1 not, 2 misspelt.
"""
)
@options
@click.option("--redirect-uri", help="The redirect address, to the letter as it is registered with the app.")
@click.option("--redirected", metavar="URL", help="Go on: the address on which the browser ended, in quotes.")
@click.option("--open", "open_browser", is_flag=True, help="Open the address in a browser of this machine.")
@click.option("--force-login", is_flag=True, help="Have Exact ask for name and password even of who is logged in.")
@plainly
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

    The app needs the scopes 'Crm accounts' and 'Organization administration'. They are chosen where it is registered,
    in Exact's App Centre; a login cannot add them.
    """
    config = read_config(config_file)
    settings = one_of(config, name)
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
@options
@plainly
def status(*, config_file: Path | None, name: str | None, as_json: bool) -> None:
    """Tell who is logged in, for how long, and which divisions are in reach.

    It asks Exact: a call for the user, and one for every 60 divisions. Runs then use the list that it read.
    """
    problems = []
    for settings in chosen(read_config(config_file), name):
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
@options
@plainly
def logout(*, config_file: Path | None, name: str | None, as_json: bool) -> None:
    """Forget the tokens of the connection. Exact itself keeps the consent until a person withdraws it there."""
    settings = one_of(read_config(config_file), name)
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
@plainly
def make_key() -> None:
    """Print a fresh key that encrypts the tokens in the store. Keep it: without it a person must log in anew."""
    click.echo(new_key())


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
        click.echo(f"In Exact's App Centre the app has to have the scopes {NEEDED}.")
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
