"""What must be true after a run whose answers were spoiled, and after the runs that mend it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from click.testing import CliRunner
from companies import TARGETS, Place, Values, plain
from sandbox_driver import SOURCE
from singer_driver import Project, Ran
from target_exactonline.cli.store_command import main as store_command

Wanted = Mapping[Place, "Values | None"]
Held = Mapping[int, Mapping[str, Values]]
Call = Mapping[str, Any]

ERROR_STATUSES = {400, 401, 403, 404}
"""They count in Exact's rule of ten errors an hour."""
ERRORS_ALLOWED = 8
DONE = {"created", "updated", "unchanged", "deleted"}
OPEN = {"parked", "refused"}
EXPLAINS = {"fault", "unreachable", "no_access", "error_limit", "contract_limit", "minute_limit", "rejected"}
"""Kinds that a spoiled answer can end in."""
FAILING = {"fault", "unreachable", "no_access"}
"""Kinds of which the documentation says: Exact refused, or gave answers that more tries did not mend."""
QUIET_CALLS = 5
VERDICT = "Bestaat reeds: Btw-nummer"
"""The one text among those of `every_way` that is about the record."""
OTHER_COMPANY = "Exact answered for division "
TAKEN = "Gegeven bestaat reeds."
SHOWN = 5


class BrokenPromiseError(Exception):
    """Something that is promised is not so."""


@dataclass(frozen=True)
class Copying:
    """One run of tap, mapping step and target."""

    project: Project
    read: Ran
    loaded: Ran
    before: dict[str, Any] | None

    @property
    def state(self) -> dict[str, Any] | None:
        """What the next run begins with."""
        return self.loaded.state or self.before

    @property
    def lines(self) -> dict[Place, dict[str, Any]]:
        """How each place ended; the last word counts."""
        return {(line["division"], line["code"]): line for line in self.project.outcomes}

    def waiting(self) -> dict[Place, dict[str, Any]]:
        """What the store says is parked or refused."""
        config = self.project.folder / "target-exactonline.json"
        found: dict[Place, dict[str, Any]] = {}
        for state in ("parked", "refused"):
            said = CliRunner().invoke(store_command, [state, "--json", "--config", str(config)])
            assert said.exit_code == 0, said.output
            rows = [json.loads(line) for line in said.stdout.splitlines()]
            found |= {(row["division"], row["code"]): row for row in rows}
        return found


def every_difference_is_told(copying: Copying, calls: Sequence[Call], wanted: Wanted, held: Held) -> Counter[str]:
    """Every place is right, or an outcome says that it is not, why, and the store remembers it; counts by kind.

    One thing nobody can know: that an empty list came from another company than the source. What it hid comes with the
    next reading.
    """
    lines, waiting, told = copying.lines, copying.waiting(), Counter[str]()
    is_hidden = any(call["division"] == SOURCE and call["fault"] == "misrouted" for call in calls)
    for place in sorted(wrong(wanted, held)):
        line = lines.get(place)
        if line is None:
            if is_hidden:
                told["hidden by an empty list"] += 1
            elif copying.read.status:
                told["the tap failed"] += 1
            else:
                raise BrokenPromiseError(f"{place} is not right, and nothing says so: {copying.loaded.errors}")
            continue
        kind = line["kind"]
        if line["outcome"] in OPEN:
            if kind not in EXPLAINS or not line["reason"]:
                raise BrokenPromiseError(f"{place} ended without a kind that explains it: {line}")
            if copying.loaded.states and waiting.get(place, {}).get("kind") != kind:
                raise BrokenPromiseError(f"{place} is parked, and the store has {waiting.get(place)}: {line}")
            told[kind] += 1
        elif line["outcome"] == "skipped" and line["reason"] and not copying.loaded.states:
            told["skipped, and no STATE passed"] += 1
        else:
            raise BrokenPromiseError(f"{place} is not right, and the outcome is {line}")
    return told


def every_outcome_is_true(copying: Copying, wanted: Wanted, held: Held) -> None:
    """What is told as done is so; what is told as refused by Exact was said by Exact."""
    places = wrong(wanted, held)
    lies = [line for place, line in copying.lines.items() if line["outcome"] in DONE and place in places]
    if lies:
        raise BrokenPromiseError(f"{len(lies)} outcomes are not true: {lies[:SHOWN]}")
    refused = [line for line in copying.lines.values() if line["outcome"] == "refused"]
    invented = [line for line in refused if VERDICT not in line["reason"]]
    if invented:
        raise BrokenPromiseError(f"refused for what Exact did not say of the record: {invented[:SHOWN]}")


def other_companies_are_named(copying: Copying, calls: Sequence[Call]) -> None:
    """After a write that went to another company, or was answered for one, both are named and no STATE passes."""
    reasons = [line["reason"] for line in copying.lines.values() if line["outcome"] == "parked"]
    named = [reason for reason in reasons if OTHER_COMPANY in reason]
    if named and covered_by(copying.state) != covered_by(copying.before):
        raise BrokenPromiseError(f"a STATE passed after an answer of another company: {named[0]}")
    for call in calls:
        if call["method"] == "POST" and call["fault"] in {"misrouted", "mislabelled"} and call["status"] == 201:
            code, division = _code(call), call["division"]
            words = f"account {code} may now be in division "
            if not any(words in one and f"when division {division} was asked" in one for one in named):
                raise BrokenPromiseError(f"nothing says where {code} went from {division}: {named[:1]}")


def wrong(wanted: Wanted, held: Held) -> set[Place]:
    """Places that do not hold what they should, and those that should not be there."""
    extra = {(division, code) for division in TARGETS for code in held[division]} - wanted.keys()
    return extra | {place for place, values in wanted.items() if dated(values) != dated(held[place[0]].get(place[1]))}


def dated(values: Values | None) -> Values | None:
    """Values without the day on which an account was blocked: which day that is depends on the run."""
    found = plain(values)
    return None if found is None else {name: value for name, value in found.items() if name != "EndDate"}


def all_equal(wanted: Wanted, held: Held) -> None:
    """Every company holds what it should."""
    places = wrong(wanted, held)
    if places:
        shown = [(place, dated(wanted.get(place)), held[place[0]].get(place[1])) for place in sorted(places)[:SHOWN]]
        raise BrokenPromiseError(f"{len(places)} places are not right after a run that was left alone: {shown}")


def nothing_doubled(calls: Sequence[Call]) -> None:
    """No create met an account that a create of ours had made, unless that one went astray into this company.

    Nor could a look for it be believed that another company answered: its empty list names no company.
    """
    posts = [call for call in calls if call["method"] == "POST" and call["endpoint"] == "crm/Accounts"]
    astray = {_code(call) for call in posts if call["fault"] == "misrouted"}
    made = Counter((call["division"], _code(call)) for call in posts if not call["fault"] and call["status"] == 201)
    twice = [place for place, count in made.items() if count > 1]
    looks = (call for call in calls if call["method"] == "GET" and call["fault"] == "misrouted")
    misled = "".join(unquote(call["target"]) for call in looks)
    met = [
        call
        for call in posts
        if (call["error"] or "").startswith(TAKEN) and _code(call) not in astray and f" {_code(call)}'" not in misled
    ]
    if twice or met:
        raise BrokenPromiseError(f"sent twice: {twice[:SHOWN]} {met[:SHOWN]}")


def covered_by(state: Mapping[str, Any] | None) -> list[Any]:
    """What a state says is done of each stream of the source."""
    bookmarks = (state or {}).get("bookmarks", {})
    return [bookmarks[name] for name in ("accounts", "deleted_accounts") if name in bookmarks]


def _code(call: Call) -> str:
    return str(call["body"]["Code"]).strip()


def errors_are_few(calls: Sequence[Call]) -> int:
    """No company got more errors than are allowed in an hour; the most that one got."""
    found = Counter(call["division"] for call in calls if call["status"] in ERROR_STATUSES and call["division"])
    most = max(found.values(), default=0)
    if most > ERRORS_ALLOWED:
        raise BrokenPromiseError(f"errors by company: {dict(found)}")
    return most


def ended_as_documented(copying: Copying) -> None:
    """The exit status follows from what became of the records."""
    kinds = {line["kind"] for line in copying.lines.values() if line["outcome"] == "parked"}
    due = 1 if kinds & FAILING or copying.loaded.errors else 0
    if "Traceback" in copying.loaded.log:
        raise BrokenPromiseError(f"the target shows its code: {copying.loaded.log[-3000:]}")
    if copying.loaded.status != due:
        tail = copying.loaded.log[-1500:]
        raise BrokenPromiseError(f"the target ended with {copying.loaded.status}, parked were {kinds}: {tail}")


def tap_failed_plainly(read: Ran) -> None:
    """A tap that cannot go on ends with 1 and one line that says why."""
    if read.status != 1 or len(read.errors) != 1 or "Traceback" in read.log:
        raise BrokenPromiseError(f"the tap ended with {read.status}: {read.log[-3000:]}")


def mapped(ran: Ran) -> None:
    """The mapping step meets no answers, so it ends well whatever came."""
    if ran.status:
        raise BrokenPromiseError(f"the mapping step ended with {ran.status}: {ran.log[-3000:]}")


def ended_well(copying: Copying) -> None:
    """A run that was left alone ends with 0."""
    for ran in (copying.read, copying.loaded):
        if ran.status:
            raise BrokenPromiseError(f"left alone, it ended with {ran.status}: {ran.log[-3000:]}")


def nothing_waits(copying: Copying) -> None:
    """Nothing is parked or refused any more."""
    waiting = copying.waiting()
    if waiting:
        raise BrokenPromiseError(f"{len(waiting)} records wait: {list(waiting.values())[:SHOWN]}")


def nothing_written(calls: Sequence[Call]) -> None:
    """Only reads, as few as a run into which nothing came may make, and requests for tokens."""
    made = [call for call in calls if call["endpoint"] != "oauth2/token"]
    if len(made) > QUIET_CALLS:
        raise BrokenPromiseError(f"{len(made)} calls in a run into which nothing came")
    writes = [call for call in calls if call["method"] != "GET" and call["endpoint"] != "oauth2/token"]
    if writes:
        raise BrokenPromiseError(f"{len(writes)} writes where none is due: {writes[:SHOWN]}")
