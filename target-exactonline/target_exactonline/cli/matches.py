"""`target-exactonline-store matches`, `tie`, `untie`, `leave-out`, `as-new`: first contact, reviewed by people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError

from target_exactonline.cli.lines import database, of_account, of_config, read_config, show, sites_of
from target_exactonline.cli.match_sheet import BrokenLineError, Wish, decoded, sheet, wishes
from target_exactonline.store.match_lists import STATES, Candidate, Line, MatchLists
from target_exactonline.store.matches import Matches, Party, Verdict
from target_exactonline.store.runs import who

SHOWN = ("division", "code", "name", "state", "matched_on", "here", "by", "at")
state_option = click.option("--state", type=click.Choice(STATES), help="Only these.")


class Review:
    """The store of some settings, and who looks into it."""

    def __init__(self, config_file: Path | None, by: str | None = None) -> None:
        config = read_config(config_file)
        self._sites = sites_of(config)
        store = database(config)
        self.lists = MatchLists(store, self._sites, ACCOUNTS)
        self._matches = Matches(store, ACCOUNTS)
        self._by = by or who()

    def find(self, wish: Wish) -> Party:
        """Return whom a decision is about.

        Raises:
            ConfigurationError: Nobody, or it is not clear who.
        """
        return self._matches.find(self._sites, wish.division, wish.code, wish.source)

    def decide(self, party: Party, wish: Wish) -> None:
        """Keep a decision.

        Raises:
            ConfigurationError: It cannot be obeyed; nothing was kept.
        """
        self._matches.decide(party, wish.verdict, wish.target, self._by, datetime.now(timezone.utc))


@click.group(invoke_without_command=True)
@of_account
@state_option
@click.pass_context
def matches(
    context: click.Context,
    *,
    config_file: Path | None,
    division: int | None,
    code: str | None,
    state: str | None,
    as_json: bool,
) -> None:
    """List what was tied by which rule, what is ambiguous, with evidence, and what people decided."""
    if context.invoked_subcommand is None:
        lines = Review(config_file).lists.lines(division, code, state)
        show((_row(line, as_json=as_json) for line in lines), SHOWN, as_json=as_json)


@matches.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@of_account
@state_option
def export(
    *,
    file: Path,
    config_file: Path | None,
    division: int | None,
    code: str | None,
    state: str | None,
    as_json: bool,
) -> None:
    """Write the list to FILE as a sheet, whose column `decision` is for a person to fill in."""
    lines = list(Review(config_file).lists.lines(division, code, state))
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        out.writelines(sheet(lines))
    click.echo(json.dumps({"exported": len(lines)}) if as_json else f"{len(lines)} accounts in {file}.")


@matches.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--by", help="Who decides, for the history.")
@of_config
def import_(*, file: Path, config_file: Path | None, by: str | None, as_json: bool) -> None:
    """Obey the decisions in FILE: tie, untie, leave-out or as-new. A broken line is refused, and the others obeyed."""
    review = Review(config_file, by)
    told, seen = [], dict[tuple[int, int], int]()
    for number, wish in wishes(decoded(file.read_bytes())):
        told.append(_imported(review, number, wish, seen))
    refused = [line for line in told if line["result"] == "refused"]
    for line in told if as_json else refused:
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else f"Line {line['line']}: {line['reason']}")
    if refused:
        raise click.ClickException(f"{len(refused)} of {len(told)} decisions were refused; the others are kept.")
    if not as_json:
        click.echo(f"{len(told)} decisions are kept, and obeyed by the next run.")


def _imported(
    review: Review, number: int, wish: Wish | BrokenLineError, seen: dict[tuple[int, int], int]
) -> dict[str, Any]:
    """Return what came of a line, by its number."""
    line: dict[str, Any] = {"line": number, "division": None, "code": None, "decision": None}
    if isinstance(wish, BrokenLineError):
        return {**line, "result": "refused", "reason": str(wish)}
    line |= {"division": wish.division, "code": wish.code, "decision": wish.verdict}
    try:
        party = review.find(wish)
        if (before := seen.setdefault((party.company, party.source), number)) != number:
            raise ConfigurationError(f"Line {before} decides on the same account.")  # noqa: TRY301
        review.decide(party, wish)
    except ConfigurationError as error:
        return {**line, "result": "refused", "reason": str(error)}
    return {**line, "result": "kept", "reason": None}


def _row(line: Line, *, as_json: bool) -> dict[str, Any]:
    found = line.as_object()
    if as_json:
        return found
    here = [line.row] if line.row else list(line.candidates)
    state = f"{line.state} (dry run)" if line.run is not None else line.state
    return {**found, "state": state, "here": "\n".join(map(_described, here))}


def _described(one: Candidate) -> str:
    return f"{one.code or one.id} {one.name} ({', '.join(one.agrees) or 'nothing agrees'})"


def _command(name: str, verdict: Verdict, about: str) -> click.Command:
    """Return a command that decides on one account."""

    def run(
        *,
        config_file: Path | None,
        division: int,
        code: str,
        source: str | None,
        by: str | None,
        as_json: bool,
        target: str | None = None,
    ) -> None:
        review = Review(config_file, by)
        wish = Wish(verdict, division, code, target, source)
        party = review.find(wish)
        review.decide(party, wish)
        line = review.lists.line(party)
        show([_row(line, as_json=as_json)] if line else [], SHOWN, as_json=as_json)

    run.__doc__ = about
    options: list[Callable[[Any], Any]] = [
        click.option("--by", help="Who decides, for the history."),
        click.option("--source", help="Company and ID of the source account, where several have the code."),
        click.option("--code", required=True, help="The code that the account has at the source."),
        click.option("--division", type=int, required=True, help="The division."),
    ]
    if verdict == "tied":
        about_to = "ID of the account there, or the code that it has there."
        options.append(click.option("--to", "target", required=True, help=about_to))
    decorated: Any = of_config(run)
    for option in options:
        decorated = option(decorated)
    return click.command(name)(decorated)


COMMANDS: list[click.Command] = [
    matches,
    _command("tie", "tied", "Tie an account of the source to an account of a division, whatever the rules say."),
    _command("untie", "untied", "Break a tie; no rule makes it again, and a person has to say what becomes of it."),
    _command("leave-out", "left_out", "Leave an account of the source out of a division, until as-new or tie."),
    _command("as-new", "as_new", "Let an account of the source be created in a division, whatever the rules find."),
]
