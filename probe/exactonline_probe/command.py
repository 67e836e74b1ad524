"""`exactonline-probe`: ask a real company what the project only guesses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from exactonline_client.command_line import load_environment, one_of, options, plainly, read_config
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from exactonline_probe.facts import assumed, differences, save
from exactonline_probe.facts_page import page
from exactonline_probe.question import GROUPS, Question
from exactonline_probe.questions import QUESTIONS
from exactonline_probe.results import as_line, summary
from exactonline_probe.session import Session, current_division

_GROUPS = click.Choice(GROUPS)
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
    """
    context.obj = context.obj or Clock()
    load_environment()


@main.command()
@options
@click.option("--group", "groups", type=_GROUPS, multiple=True, help="Only these groups.")
def questions(*, config_file: Path | None, name: str | None, as_json: bool, groups: tuple[str, ...]) -> None:
    """List the questions, and what each possible answer means."""
    for one in chosen(groups or GROUPS):
        click.echo(json.dumps(_declared(one)) if as_json else _described(one))


@main.command()
@options
@click.option("--group", "groups", type=_GROUPS, multiple=True, help="Groups to ask. Default: reading.")
@click.option("--division", type=int, help="Company to read from. Default: the one that was used last.")
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
    output: Path,
    dry: bool,
) -> None:
    """Ask, and tell what was found. Without further options only GET requests are sent."""
    asked = chosen(groups or ("reading",))
    if dry:
        for line in dict.fromkeys(ask.title for one in asked for ask in one.asks):
            click.echo(line)
        return
    settings = one_of(read_config(config_file), name)
    with Store.open(settings.store_url) as store, Session(settings, store, now=clock.now, sleep=clock.sleep) as session:
        click.echo(f"{session.announcement(asked)}\n")
        where = str(division or current_division(session.wire))
        findings = []
        for finding in session.findings(asked, where):
            findings.append(finding)
            click.echo(as_line(finding))
        facts = session.facts(findings)
    path = save(facts, output)
    supposed = assumed(QUESTIONS)
    shown = path.with_suffix(".html")
    shown.write_text(page(supposed, facts, list(differences(supposed, facts))), encoding="utf-8")
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
