"""What was found, for the person at the terminal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from exactonline_probe.facts import Difference, Facts, name_of
from exactonline_probe.runner import DECIDED, Finding, Verdict

WORDS: dict[Verdict, str] = {
    "as_assumed": "as assumed",
    "differs": "differs",
    "new": "new",
    "undecided": "undecided",
    "not_served": "not served here",
    "no_access": "no access",
    "no_answer": "no answer",
    "not_asked": "not asked",
}


def as_line(finding: Finding) -> str:
    """One line of the table."""
    told = finding.label if finding.verdict in DECIDED else finding.why
    if finding.verdict == "differs":
        told = f"{finding.label}, not {finding.question.assumed.label}"
    return f"{WORDS[finding.verdict]:<15}  {finding.question.id:<24}  {told}"


def summary(findings: Sequence[Finding]) -> str:
    """One line of counts: `asked 61: 48 as assumed, 9 differ, 4 new`."""
    counts = Counter(finding.verdict for finding in findings)
    asked = len(findings) - counts["not_asked"]
    shown = [f"{counts['as_assumed']} as assumed", f"{counts['differs']} differ", f"{counts['new']} new"]
    shown += [f"{counts[one]} {WORDS[one]}" for one in WORDS if one not in {*DECIDED, "not_asked"} and counts[one]]
    rest = f"; {counts['not_asked']} not asked" if counts["not_asked"] else ""
    return f"asked {asked}: {', '.join(shown)}{rest}"


def as_comparison(left: Facts, right: Facts, found: Sequence[Difference]) -> str:
    """The differences between two files, and how much they agree on."""
    lines = [f"{one.id:<24}  {one.left['answer']:<24}  {one.right['answer']}" for one in found]
    heading = [f"{'':<24}  {name_of(left):<24}  {name_of(right)}"] if lines else []
    decided = [{fact["id"] for fact in side["facts"] if fact["verdict"] in DECIDED} for side in (left, right)]
    same = len(decided[0] & decided[1]) - len(found)
    alone = len(decided[0] ^ decided[1])
    return "\n".join([*heading, *lines, f"{len(found)} differ, {same} are the same, {alone} are decided by one alone"])
