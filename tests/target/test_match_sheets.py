"""First contact by the hundred: companies that grew apart, reviewed as a sheet in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from matching_figures import MATCH_ON, figures
from matching_world import MatchingWorld, matching_world
from sandbox_driver import SOURCE, small_world
from singer_driver import Project
from target_exactonline.cli.store_command import main

NORTH, SOUTH = 201, 202


def store(project: Project, *command: str) -> tuple[int, str]:
    config = project.folder / "store.json"
    config.write_text(json.dumps(project.target_config()), encoding="utf-8")
    done = CliRunner().invoke(main, [*command, "--config", str(config)])
    return done.exit_code, done.output


def listed(project: Project, *command: str) -> list[dict[str, Any]]:
    status, output = store(project, *command, "--json")
    assert status == 0, output
    return [json.loads(line) for line in output.splitlines()]


def copy(project: Project, **settings: Any) -> None:
    ran = project.copy(fan_out={"target_divisions": [NORTH, SOUTH]}, match_on=list(MATCH_ON), **settings)
    assert ran.status == 0, ran.log


@pytest.fixture
def world() -> MatchingWorld:
    return matching_world(14, companies=2, customers=100)


@pytest.fixture
def met(project: Project, world: MatchingWorld) -> Project:
    """Two companies that grew apart, after their first run."""
    north, south = world.companies
    held = {SOURCE: world.source, NORTH: north.rows, SOUTH: south.rows}
    project.sandbox.reset(small_world(accounts=held, targets=(NORTH, SOUTH)))
    copy(project)
    return project


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def test_a_run_makes_of_companies_that_grew_apart_what_the_rules_make_of_them(
    met: Project, world: MatchingWorld
) -> None:
    expected = figures(world)

    lines = listed(met, "matches")

    truth = {NORTH: world.companies[0].truth, SOUTH: world.companies[1].truth}
    tied = [line for line in lines if line["state"] == "tied"]
    assert [line for line in tied if line["target_code"] not in truth[line["division"]][line["code"]]] == []
    assert len(tied) == sum(expected.right.values())
    told = [line["state"] for line in lines if line["state"] != "tied"]
    assert {state: told.count(state) for state in set(told)} == expected.told
    created = [line for line in met.outcomes if line["outcome"] == "created"]
    assert len(created) == expected.created
    assert len(met.sandbox.codes(NORTH)) == len(world.companies[0].rows) + sum(
        line["division"] == NORTH for line in created
    )


def test_fifty_lines_of_a_sheet_are_obeyed_and_a_broken_one_is_refused_with_its_number(
    met: Project, world: MatchingWorld
) -> None:
    path = met.folder / "matches.csv"
    status, said = store(met, "matches", "export", str(path))
    assert status == 0, said
    rows = read(path)
    first = {}
    for place, row in enumerate(rows):
        first.setdefault((row["division"], row["code"]), place)
    chosen = [place for place in first.values() if rows[place]["target_id"]][:50]
    wishes = ["leave-out", "tie", "untie"]
    for turn, place in enumerate(chosen):
        rows[place]["decision"] = wishes[turn % 3]
    rows[chosen[7]] |= {"decision": "marry"}
    write(path, rows)

    status, said = store(met, "matches", "import", str(path), "--by", "controller", "--json")

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert (status, len(lines)) == (1, 50)
    (refused,) = [line for line in lines if line["result"] == "refused"]
    assert (refused["line"], "'marry' is no decision" in refused["reason"]) == (chosen[7] + 2, True)
    assert "1 of 50 decisions were refused" in said
    by = {(str(line["division"]), line["code"]): line for line in listed(met, "matches")}
    for turn, place in enumerate(chosen):
        line = by[rows[place]["division"], rows[place]["code"]]
        if turn == 7:
            assert line["by"] is None
            continue
        state = {"leave-out": "left_out", "tie": "tied", "untie": "ambiguous"}[wishes[turn % 3]]
        assert (line["state"], line["by"]) == (state, "controller")
        assert state != "tied" or line["target_id"] == rows[place]["target_id"]


def test_decisions_of_a_sheet_are_obeyed_by_the_next_run(met: Project, world: MatchingWorld) -> None:
    path = met.folder / "matches.csv"
    store(met, "matches", "export", str(path), "--state", "ambiguous", "--division", str(NORTH))
    rows = read(path)
    truth = world.companies[0].truth
    wanted: dict[str, str] = {}
    for row in rows:
        if row["code"] not in wanted and row["target_code"] in truth[row["code"]]:
            row["decision"] = "Tie"
            wanted[row["code"]] = row["target_code"]
    assert len(wanted) >= 3
    write(path, rows, delimiter=";")

    status, said = store(met, "matches", "import", str(path))
    copy(met)

    assert (status, said) == (0, f"{len(wanted)} decisions are kept, and obeyed by the next run.\n")
    tied = {
        line["code"]: line["target_code"]
        for line in listed(met, "matches", "--division", str(NORTH), "--state", "tied")
    }
    assert {code: tied.get(code) for code in wanted} == wanted
    names = {account["Code"]: account["Name"] for account in met.sandbox.accounts(NORTH)}
    of_source = {party["Code"]: party["Name"] for party in world.source}
    assert {code: names[here] for code, here in wanted.items()} == {code: of_source[code] for code in wanted}


HEAD = "decision,division,code,target_id,target_code"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("tie,201,10000,,", "to what"),
        ("tie,201,10000,,nowhere", "has no account nowhere"),
        ("tie,abc,10000,,5", "'abc' is no code of a division"),
        ("leave-out,201,,,", "names no account"),
        ("leave-out,201,99999,,", "No account of the source has the code 99999"),
        ("leave-out,999,10000,,", "known for division 999"),
        ('leave-out,201,"10000,,', "cannot be read"),
        ("leave-out,201,10000,,,,x", "It has 7 cells"),
    ],
)
def test_a_line_that_says_nothing_clear_is_refused_and_the_next_one_obeyed(
    met: Project, line: str, reason: str
) -> None:
    path = met.folder / "matches.csv"
    path.write_text(f"{HEAD}\n{line}\n,201,10001,,\nas-new;\nleave out,201,10002,,\n", encoding="utf-8")

    status, said = store(met, "matches", "import", str(path), "--json")

    lines = [json.loads(one) for one in said.splitlines() if one.startswith("{")]
    assert (status, [(one["line"], one["result"]) for one in lines]) == (
        1, [(2, "refused"), (4, "refused"), (5, "kept")]
    )  # fmt: skip
    assert reason in lines[0]["reason"]
    assert [one["code"] for one in listed(met, "matches", "--state", "left_out")] == ["10002"]


def test_two_decisions_on_one_customer_are_not_both_obeyed(met: Project) -> None:
    path = met.folder / "matches.csv"
    path.write_text(f"{HEAD}\nleave-out,201,10002,,\nas-new,201,10002,,\n", encoding="utf-8")

    status, said = store(met, "matches", "import", str(path))

    assert status == 1
    assert "Line 2 decides on the same account" in " ".join(said.split())
    assert listed(met, "matches", "--code", "10002", "--division", "201")[0]["state"] == "left_out"


def test_a_file_without_the_columns_is_refused_as_a_whole(met: Project) -> None:
    path = met.folder / "matches.csv"
    path.write_text("division,code\n201,10002\n", encoding="utf-8")

    status, said = store(met, "matches", "import", str(path))

    assert (status, "names no column decision" in said) == (1, True)


def test_no_cell_of_a_sheet_is_computed_by_a_spreadsheet(project: Project) -> None:
    source = [{"Code": "7", "Name": '=HYPERLINK("http://x")\nBV', "Status": "C"}]
    here = [{"Code": "7", "Name": "@Piet", "Status": "C"}]
    project.sandbox.reset(small_world(accounts={SOURCE: source, NORTH: here}, targets=(NORTH, SOUTH)))
    copy(project)
    path = project.folder / "matches.csv"

    store(project, "matches", "export", str(path))

    (row,) = read(path)
    assert (row["code"], row["name"], row["target_name"]) == ("7", '\'=HYPERLINK("http://x") BV', "'@Piet")
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 2
    write(path, [{**row, "decision": "as-new"}])
    assert store(project, "matches", "import", str(path))[0] == 0
    copy(project)
    assert [line["state"] for line in listed(project, "matches")] == ["collision"]


def test_a_sheet_that_a_spreadsheet_saved_in_its_own_way_is_understood(met: Project) -> None:
    store(met, "leave-out", "--division", "201", "--code", "10002")
    (line,) = listed(met, "matches", "--state", "left_out")
    text = io.StringIO()
    rows = [["Decision", "Division", "Code", "Source", "name"], ["AS_NEW", "201", "1.0002E4", line["source"], "Café"]]
    csv.writer(text, delimiter="\t").writerows(rows)
    path = met.folder / "matches.txt"
    path.write_bytes(text.getvalue().encode("cp1252"))

    assert store(met, "matches", "import", str(path))[0] == 0

    assert [one["code"] for one in listed(met, "matches", "--state", "as_new")] == ["10002"]
