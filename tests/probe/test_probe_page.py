"""docs/probe.md says what the probe says and does; a comparison of two files says what differs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from exactonline_probe.questions import QUESTIONS
from exactonline_sandbox.demo import demo_world
from probe_driver import Probe
from sandbox_driver import SandboxFactory
from warm_start import BIN

PAGE = (Path(__file__).parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")
COMPANY, NAME = 2000101, "Van der Linden Noord B.V."
SHOWN_DATE = "2026-11-27"


@pytest.fixture
def demo(sandbox_factory: SandboxFactory, tmp_path: Path) -> Probe:
    """The probe on the demo world, with its settings in the environment."""
    demo, sandbox = demo_world(), sandbox_factory()
    env = {
        "EXACTONLINE_CLIENT_ID": demo["apps"][0]["client_id"],
        "EXACTONLINE_CLIENT_SECRET": demo["apps"][0]["client_secret"],
        "EXACTONLINE_REFRESH_TOKEN": demo["users"][0]["refresh_token"],
    }
    return Probe(sandbox, tmp_path, env)


def shown(mark: str) -> str:
    """What stands between two marks of the page."""
    return PAGE.partition(f"<!-- {mark} -->\n\n```text\n")[2].partition("```\n")[0]


def test_the_transcript_of_the_page_is_what_the_program_says(demo: Probe) -> None:
    done = subprocess.run(
        [BIN / "exactonline-probe", "run"],
        cwd=demo.folder,
        env={**os.environ, **{name: value for name, value in demo.env.items() if value}},
        capture_output=True,
        text=True,
        check=False,
    )

    said = re.sub(r"exact-facts-\d{4}-\d\d-\d\d", f"exact-facts-{SHOWN_DATE}", done.stdout)
    assert shown("transcript") == f"$ exactonline-probe run\n{said}", said


def test_the_page_tells_what_a_run_that_writes_does_to_the_company(demo: Probe) -> None:
    demo.run("run", "--write-to", str(COMPANY), "--company", NAME)

    calls = [call for call in demo.sandbox.journal(division=COMPANY) if call["method"] != "GET"]
    counts = Counter((call["method"], call["endpoint"], call["status"]) for call in calls)
    lines = [f"{number:3} {method:<6} {path} {status}" for (method, path, status), number in sorted(counts.items())]
    assert shown("writes") == "\n".join([*lines, ""]), "\n".join(lines)


def test_the_page_counts_the_questions() -> None:
    assert f"{len(QUESTIONS)} small questions" in PAGE


def facts(folder: Path, name: str, **answers: str) -> Path:
    path = folder / f"{name}.json"
    rows: list[dict[str, Any]] = [
        {"id": one, "question": "Is it?", "verdict": "as_assumed", "answer": answer, "means": "much"}
        for one, answer in answers.items()
    ]
    path.write_text(json.dumps({"format": 1, "date": SHOWN_DATE, "site": name, "facts": rows}), encoding="utf-8")
    return path


def test_a_comparison_names_what_differs_and_counts_the_rest(probe: Probe) -> None:
    one = facts(probe.folder, "NL", timestamp_type="string", path_case="answered", post_id="used")
    other = facts(probe.folder, "BE", timestamp_type="number", path_case="answered")
    page = probe.folder / "page.html"

    ran = probe.run("diff", str(one), str(other), "--page", str(page))

    assert ["timestamp_type", "string", "number"] in [line.split() for line in ran.output.splitlines()]
    assert "1 differ, 1 are the same, 1 are decided by one alone" in ran.output
    assert f"NL on {SHOWN_DATE}" in page.read_text(encoding="utf-8")


def test_two_runs_on_one_sandbox_do_not_differ(probe: Probe) -> None:
    probe.run("run")
    probe.run("run")

    ran = probe.run("diff", *map(str, probe.files()))

    assert (ran.status, ran.output.splitlines()[-1][:8]) == (0, "0 differ")


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"format": 2, "facts": []}'])
def test_a_file_that_holds_no_facts_is_told_in_one_line(text: str, probe: Probe) -> None:
    path = probe.folder / "facts.json"
    path.write_text(text, encoding="utf-8")

    ran = probe.run("diff", str(path), str(path))

    assert ran.status == 1
    assert len(ran.errors.splitlines()) == 1
    assert str(path) in ran.errors
