"""What must be true after each kill and after each undisturbed run."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from books import BAD_EMAIL, SOURCES, Books
from moments import Call
from plugins import Pipe

COUNTS = re.compile(r"records → (?:division (\d+)|no division): (.+) \((\d+) received, \d+ calls\)")
SHOWN = 5
NOT_WHOLE = "A line of the input is not whole"
STOPPED = "Stopped by signal"
NOBODY_READS = {1, 120}
"""Of a Python program whose output is a broken pipe: found while it runs, or at its very end."""


class BrokenPromiseError(Exception):
    """Something that the target promises is not so."""


def held(books: Books, covered: Mapping[int, int] | None = None) -> None:
    """Every target holds what it should, field by field; or, so far, what the state says is done."""
    found = [f"{code} in {division} {what}" for (division, code), what in books.differences(covered)]
    if found:
        claim = "the targets differ" if covered is None else f"the STATE {dict(covered)} is ahead of what is written"
        raise BrokenPromiseError(f"{claim} in {len(found)} places: " + "; ".join(found[:SHOWN]))


def created_once(books: Books, creates: Counter[tuple[int, str]]) -> None:
    """No create was applied twice, except where a person deleted the account in between."""
    twice = [place for place, count in creates.items() if count > 1 + books.removed[place]]
    if twice:
        raise BrokenPromiseError(f"created twice: {twice[:SHOWN]}")


def all_accepted(calls: Sequence[Call]) -> None:
    """Exact had to refuse nothing but the bad addresses: no code that was there, no request without a token."""
    sent = [call for call in calls if not call.cut_off and call.email != BAD_EMAIL]
    refused = [call for call in sent if call.status is not None and call.status >= 400]
    if refused:
        raise BrokenPromiseError(f"{len(refused)} calls were refused: {refused[:SHOWN]}")


def nothing_waits(store: Path) -> None:
    """Nothing is parked: there was no limit to wait for."""
    with closing(sqlite3.connect(store)) as database:
        parked = database.execute("SELECT code, reason FROM copies WHERE state = 'deferred'").fetchall()
    if parked:
        raise BrokenPromiseError(f"{len(parked)} records are parked: {parked[:SHOWN]}")


def counts_add_up(pipe: Pipe, *, to_the_end: bool) -> None:
    """The lines of the report are those that the log counts, and all that came in, unless a signal came."""
    lines: dict[str, Counter[str]] = {}
    for text in (pipe.folder / "report" / "outcomes.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        lines.setdefault(str(line["division"] or ""), Counter())[line["outcome"]] += 1
    told = {match[1] or "": match for match in COUNTS.finditer(pipe.log)}
    for division in lines.keys() | told.keys():
        if division not in told:
            raise BrokenPromiseError(f"the log counts nothing for division {division or 'none'}")
        counts = Counter({name: int(count) for count, name in re.findall(r"(\d+) (\w+)", told[division][2])})
        ended, received = sum(counts.values()), int(told[division][3])
        if +counts != lines.get(division, Counter()):
            raise BrokenPromiseError(f"division {division}: the report has {lines.get(division)}, the log {+counts}")
        if ended > received or (to_the_end and ended < received):
            raise BrokenPromiseError(f"division {division}: {received} received, {ended} ended")


def ended_well(pipe: Pipe, statuses: tuple[int, int]) -> None:
    """An undisturbed run: both ended with 0, and every record in an outcome."""
    if statuses != (0, 0):
        raise BrokenPromiseError(f"undisturbed, tap and target ended with {statuses}")
    counts_add_up(pipe, to_the_end=True)


def ended_as_told(pipe: Pipe, status: int, number: int, *, was_sent: bool) -> None:
    """A target that got SIGTERM or SIGINT says so by its status; it accounts for the run unless that had not begun."""
    if was_sent and status == -number:  # Python itself was still starting, or was ending
        return
    if was_sent and status == 128 + number:
        if STOPPED not in pipe.log:
            raise BrokenPromiseError(f"status {status}, but the log does not say what stopped it")
        counts_add_up(pipe, to_the_end=False)
        return
    if status != 0 or STOPPED in pipe.log:
        raise BrokenPromiseError(f"signal {number} ended the target with {status}")
    counts_add_up(pipe, to_the_end=True)


def ended_with_its_tap(pipe: Pipe, status: int) -> None:
    """A target whose tap was killed takes what came in, or says that the last line was cut off."""
    if status == 0:
        counts_add_up(pipe, to_the_end=True)
    elif status != 1 or NOT_WHOLE not in pipe.log:
        raise BrokenPromiseError(f"its tap was killed, and the target ended with {status}")


def tap_ended(status: int, number: int | None) -> None:
    """A tap ends well, by the signal that it got, or because nobody reads any more what it writes."""
    by_signal = set() if number is None else {-number, 128 + number}
    if status not in {0, *by_signal, *NOBODY_READS}:
        raise BrokenPromiseError(f"the tap ended with {status}")


def covered_by(state: Mapping[str, Any] | None) -> dict[int, int]:
    """Per source, the row version up to which a state says that all is done."""
    stream = (state or {}).get("bookmarks", {}).get("accounts", {})
    values = {int(one["context"]["Division"]): one.get("replication_key_value") for one in stream.get("partitions", ())}
    return {source: int(values.get(source) or 0) for source in SOURCES}
