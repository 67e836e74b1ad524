"""`exactonline-probe`: ask a real company what the project only guesses."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from exactonline_client.command_line import load_environment, one_of, options, plainly, read_config
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from exactonline_probe.facts import Facts, assumed, differences, read, save
from exactonline_probe.facts_page import page
from exactonline_probe.made_rows import metadata
from exactonline_probe.question import GROUPS, Question
from exactonline_probe.questions import QUESTIONS
from exactonline_probe.results import as_comparison, as_line, summary
from exactonline_probe.runner import Finding
from exactonline_probe.session import MOST_ACCOUNTS, Session

_GROUPS = click.Choice(GROUPS)
_ALL_BUT_LIMITS = tuple(group for group in GROUPS if group != "limits")
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and how to let it pass; tests bring their own."""

    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Ask a real company of Exact Online what this project only guesses. By default it only reads.

    \b
    Examples:
      exactonline-probe questions
      exactonline-probe run --dry
      exactonline-probe run
      exactonline-probe run --write-to 123456
      exactonline-probe clean
      exactonline-probe diff exact-facts-2026-11-27.json exact-facts-2026-12-24.json
    """
    context.obj = context.obj or Clock()
    load_environment()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option("--group", "groups", type=_GROUPS, multiple=True, help="Only these groups.")
def questions(*, as_json: bool, groups: tuple[str, ...]) -> None:
    """List the questions, and what each possible answer means."""
    for one in chosen(groups or GROUPS):
        click.echo(json.dumps(_declared(one)) if as_json else _described(one))


@main.command()
@options
@click.option("--group", "groups", type=_GROUPS, multiple=True, help="Groups to ask. Default: see above.")
@click.option("--division", type=int, help="Company to read from. Default: the one that was used last.")
@click.option("--write-to", type=int, metavar="N", help="Company in which accounts may be made, for trials.")
@click.option("--company", help="Its name, in place of typing it.")
@click.option("--large-company", is_flag=True, help=f"Write although it has more than {MOST_ACCOUNTS} accounts.")
@click.option("--contract-calls", type=int, default=0, help="With limits: spend the contract's day, at most N calls.")
@click.option("--output", type=_FOLDER, default=Path(), help="Folder of the file of facts and its page. Default: here.")
@click.option("--dry", is_flag=True, help="List what would be sent, and send nothing.")
@click.pass_obj
@plainly
def run(
    clock: Clock,
    *,
    config_file: Path | None,
    name: str | None,
    as_json: bool,
    groups: tuple[str, ...],
    division: int | None,
    write_to: int | None,
    company: str | None,
    large_company: bool,
    contract_calls: int,
    output: Path,
    dry: bool,
) -> None:
    """Ask, and tell what was found.

    Without further options only GET requests are sent. With --write-to all groups but limits are asked: accounts
    called ZZ-probe are made in that company and removed at once, whatever ends the run.
    """
    asked = chosen(groups or (("reading",) if write_to is None else _ALL_BUT_LIMITS))
    if dry:
        for line in dict.fromkeys(ask.title for one in asked for ask in one.asks):
            click.echo(line)
        return
    settings = one_of(read_config(config_file), name)
    with (
        Store.open(settings.store_url, metadata) as store,
        Session(settings, store, now=clock.now, sleep=clock.sleep) as session,
        session.alone(),
    ):
        session.contract_calls = contract_calls
        click.echo(f"{session.announcement(asked, writes=write_to is not None)}\n", err=as_json)
        if write_to is not None:
            typed = company or click.prompt(f"Type the name of company {write_to}, to write to it")
            session.allow_writing(write_to, typed, is_large=large_company)
        findings = _asked(session, asked, write_to or division or session.current_division(), as_json=as_json)
        facts, cleaned, left = session.facts(findings), session.cleaned, session.made.left()
    _tell(findings, facts, output, as_json=as_json)
    if cleaned is not None:
        click.echo(cleaned.as_text, err=as_json)
    if left:
        raise click.ClickException(f"{len(left)} accounts of the probe may be left: say exactonline-probe clean.")
    if len(findings) < len(asked):
        raise click.ClickException(f"Interrupted after {len(findings)} of {len(asked)} questions; nothing is left.")


@main.command(name="clean")
@options
@click.pass_obj
@plainly
def clean_up(clock: Clock, *, config_file: Path | None, name: str | None, as_json: bool) -> None:
    """Remove what a run that was killed left behind. It touches nothing but accounts that the probe made."""
    settings = one_of(read_config(config_file), name)
    with (
        Store.open(settings.store_url, metadata) as store,
        Session(settings, store, now=clock.now, sleep=clock.sleep) as session,
        session.alone(),
    ):
        cleaned = session.clean()
    click.echo(json.dumps(cleaned.fates) if as_json else cleaned.as_text)
    if cleaned.marks("left"):
        raise SystemExit(1)


@main.command()
@click.argument("left", type=_FILE)
@click.argument("right", type=_FILE)
@click.option("--page", "shown", type=_FILE, help="Write the differences as a page, with both sides.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@plainly
def diff(*, left: Path, right: Path, shown: Path | None, as_json: bool) -> None:
    """Compare two files of facts: of two dates, countries or apps."""
    one, other = read(left), read(right)
    found = list(differences(one, other))
    if shown is not None:
        shown.write_text(page(one, other, found), encoding="utf-8")
    if not as_json:
        click.echo(as_comparison(one, other, found))
        return
    for each in found:
        click.echo(json.dumps({"id": each.id, "left": each.left["answer"], "right": each.right["answer"]}))


def _asked(session: Session, questions: list[Question], division: int, *, as_json: bool) -> list[Finding]:
    """The findings, each told as it comes; an interrupt ends it after what was made is removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    findings: list[Finding] = []
    try:
        for finding in session.findings(questions, division):
            findings.append(finding)
            click.echo(as_line(finding), err=as_json)
    except KeyboardInterrupt:
        pass  # told at the end
    return findings


def _tell(findings: list[Finding], facts: Facts, output: Path, *, as_json: bool) -> None:
    """Write the file and its page, and count."""
    path = save(facts, output)
    supposed = assumed(QUESTIONS)
    shown = path.with_suffix(".html")
    shown.write_text(page(supposed, facts, list(differences(supposed, facts))), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"file": str(path), "page": str(shown), "counts": facts["counts"]}))
        return
    click.echo(f"\n{summary(findings)}")
    click.echo(f"{path} holds what may be shared, without a value of any company. {shown.name} shows what differs.")


def chosen(groups: tuple[str, ...]) -> list[Question]:
    """The questions of these groups."""
    return [one for one in QUESTIONS if one.group in groups]


def _declared(question: Question) -> dict[str, object]:
    return {
        "id": question.id,
        "group": question.group,
        "question": question.text,
        "doubt": question.doubt,
        "requests": [ask.title for ask in question.asks],
        "answers": [{"answer": one.label, "means": one.means, "switch": one.switch} for one in question.answers],
    }


def _described(question: Question) -> str:
    lines = [f"{question.id} ({question.group})", f"  {question.text}", f"  in doubt: {question.doubt}"]
    lines += [f"  sends {ask.title}" for ask in question.asks]
    lines += [f"  {one.label}: {one.means}" for one in question.answers]
    return "\n".join(lines)
