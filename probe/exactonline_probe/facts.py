"""The file of facts: what was found, redacted, and the sandbox's switches that follow from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from exactonline_client.errors import ConfigurationError

from exactonline_probe.evidence import of_question
from exactonline_probe.question import Question
from exactonline_probe.runner import DECIDED, Finding

FORMAT = 1
_COUNTRIES = {"nl": "NL", "be": "BE", "de": "DE", "fr": "FR", "uk": "UK", "es": "ES", "com": "US"}
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that two sides answer differently."""

    id: str
    question: str
    left: Mapping[str, Any]
    right: Mapping[str, Any]
    """Each with `answer`, `means` and, where there is any, `evidence`."""


def made_of(findings: Sequence[Finding], *, site: str, today: date, calls: int, errors: int) -> Facts:
    """The facts of a run."""
    return {
        "format": FORMAT,
        "made_by": "exactonline-probe",
        "date": today.isoformat(),
        "site": site_of(site),
        "counts": dict(Counter(finding.verdict for finding in findings)),
        "calls": calls,
        "errors": errors,
        "switches": switches_of(findings),
        "facts": [_fact(finding) for finding in findings],
    }


def switches_of(findings: Sequence[Finding]) -> dict[str, Any]:
    """The sandbox's switches as the answers want them."""
    found: dict[str, Any] = {}
    for finding in findings:
        answer = finding.question.answer(finding.label or "")
        if answer is not None and answer.switch is not None:
            found[answer.switch[0]] = answer.switch[1]
    return found


def site_of(base_url: str) -> str:
    """The country of an address of Exact, or `other`: any other host is somebody's own."""
    host = urlsplit(base_url).hostname or ""
    stem, _, ending = host.rpartition(".")
    known = stem in {"start.exactonline", "start.exactonline.co"}
    return _COUNTRIES.get(ending, "other") if known else "other"


def save(facts: Facts, folder: Path) -> Path:
    """Write them as `exact-facts-DATE.json`, beside those of the same day."""
    folder.mkdir(parents=True, exist_ok=True)
    name, number = f"exact-facts-{facts['date']}", 1
    while (path := folder / f"{name}{f'-{number}' if number > 1 else ''}.json").exists():
        number += 1
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Facts:
    """The facts in a file.

    Raises:
        ConfigurationError: It holds none, or those of a newer program.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The facts in {path} cannot be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("facts"), list):
        raise ConfigurationError(f"{path} holds no facts of this version of exactonline-probe.")
    return facts


def assumed(questions: Sequence[Question]) -> Facts:
    """What the project takes for granted, in the form of a file."""
    return {
        "date": "the project's assumptions",
        "site": "assumed",
        "facts": [
            {
                "id": one.id,
                "question": one.text,
                "verdict": "as_assumed",
                "answer": one.assumed.label,
                "means": one.assumed.means,
            }
            for one in questions
        ],
    }


def name_of(facts: Facts) -> str:
    """How a page and a table call one side."""
    return str(facts["date"]) if facts["site"] == "assumed" else f"{facts['site']} on {facts['date']}"


def differences(left: Facts, right: Facts) -> Iterator[Difference]:
    """Questions that both sides decided, and differently."""
    others = {one["id"]: one for one in left["facts"]}
    for fact in right["facts"]:
        other = others.get(fact["id"])
        if other is None or not {fact["verdict"], other["verdict"]} <= set(DECIDED):
            continue
        if fact["answer"] != other["answer"]:
            yield Difference(fact["id"], fact["question"], other, fact)


def _fact(finding: Finding) -> dict[str, Any]:
    question, answer = finding.question, finding.question.answer(finding.label or "")
    told = {"answer": finding.label, "means": answer.means if answer else "nobody expected this"}
    return {
        "id": question.id,
        "group": question.group,
        "question": question.text,
        "verdict": finding.verdict,
        "assumed": question.assumed.label,
        **(told if finding.verdict in DECIDED else {"why": finding.why}),
        "evidence": of_question(question, finding.replies),
    }
