"""Each switch of the sandbox is one difference that the probe finds, and its file turns that switch again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from exactonline_probe.questions import QUESTIONS
from exactonline_sandbox.found_switches import read_facts
from exactonline_sandbox.loading import read_world
from exactonline_sandbox.opening import open_world
from exactonline_sandbox.options import SWITCH_NAMES, Switches
from probe_driver import EVERY_GROUP, Probe, probed_world
from sandbox_driver import SandboxFactory, World, small_world

CONTRACT_CALLS = 300
"""More than a run needs for everything else."""


def turned() -> list[tuple[str, Any]]:
    """Every value of every switch but the defaults."""
    default, found = Switches(), list[tuple[str, Any]]()
    for name, kind in get_type_hints(Switches).items():
        values = get_args(kind) or (False, True)
        found += [(name, value) for value in values if value != getattr(default, name)]
    return found


def asks(switch: str) -> list[str]:
    """The questions that decide a switch."""
    return [one.id for one in QUESTIONS if any(answer.switch and answer.switch[0] == switch for answer in one.answers)]


def switches_after(path: Path, folder: Path, world: World) -> Switches:
    """The switches of a sandbox that was given a file of facts."""
    storage = open_world(folder / "again.db", world, fresh=True, switches=read_facts(path)[0])
    with storage.transaction() as db:
        found = read_world(db).switches
    storage.close()
    return found


@pytest.mark.parametrize(("switch", "value"), turned())
def test_a_turned_switch_is_the_one_difference_and_the_file_turns_it_again(
    switch: str, value: Any, probe: Probe, tmp_path: Path
) -> None:
    is_contract = switch == "contract_refusal"
    limits = {"per_day_contract": CONTRACT_CALLS} if is_contract else {}
    probe.sandbox.reset(probed_world(switches={switch: value}, limits=limits))

    ran = probe.run("run", *EVERY_GROUP, *(("--contract-calls", str(CONTRACT_CALLS)) if is_contract else ()))

    assert ran.status == 0, ran.output
    assert ran.with_verdict("differs", "new", "undecided", "no access", "no answer") == asks(switch)
    assert ran.with_verdict("not asked") == ([] if is_contract else ["contract_refusal"])
    assert switches_after(probe.files()[-1], tmp_path, small_world()) == Switches(**{switch: value})


def test_the_file_of_a_sandbox_makes_the_same_sandbox(probe: Probe, tmp_path: Path) -> None:
    probe.sandbox.reset(probed_world(limits={"per_day_contract": CONTRACT_CALLS}))

    probe.run("run", *EVERY_GROUP, "--contract-calls", str(CONTRACT_CALLS))

    assert probe.facts()["switches"].keys() == SWITCH_NAMES
    assert switches_after(probe.files()[-1], tmp_path, small_world()) == Switches()


def test_every_answer_names_a_switch_and_a_value_that_the_sandbox_has_or_will_have() -> None:
    named = {answer.switch for one in QUESTIONS for answer in one.answers if answer.switch}
    known = {(name, value) for name, value in named if name in SWITCH_NAMES}

    assert {(name, getattr(Switches(), name)) for name in SWITCH_NAMES} <= known
    assert set(turned()) <= known


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    switches = {"timestamp_as": "number", "codes": "any", "of_a_later_sandbox": True}
    path.write_text(json.dumps({"format": 1, "switches": switches, "facts": []}), encoding="utf-8")
    return path


def test_a_served_sandbox_behaves_as_the_file_says_also_after_a_reset(
    sandbox_factory: SandboxFactory, facts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    served = sandbox_factory(probed_world(), "--facts", str(facts))
    probe = Probe(served, tmp_path)

    ran = probe.run("run", "--group", "reading", "--group", "writing", "--write-to", "100", "--company", "Company 100")

    assert ran.with_verdict("differs", "new") == ["timestamp_type", "code_with_letters"]
    assert "no switch for: of_a_later_sandbox" in capfd.readouterr().err


def test_a_switch_that_a_world_states_stays_as_it_is_stated(
    sandbox_factory: SandboxFactory, facts: Path, tmp_path: Path
) -> None:
    served = sandbox_factory(probed_world(switches={"timestamp_as": "string"}), "--facts", str(facts))

    assert Probe(served, tmp_path).run("run").with_verdict("differs", "new") == []


def test_the_environment_gives_the_file_to_served_and_mounted_sandboxes(
    sandbox_factory: SandboxFactory, facts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXACTONLINE_SANDBOX_FACTS", str(facts))
    open_world(tmp_path / "world.db", probed_world()).close()
    probe = Probe(sandbox_factory(probed_world()), tmp_path)

    served = probe.run("run")
    mounted = probe.run("run", env={"EXACTONLINE_BASE_URL": f"sandbox://{tmp_path / 'world.db'}"})

    assert served.with_verdict("differs") == mounted.with_verdict("differs") == ["timestamp_type"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"switches": {"codes": "roman"}}', "no JSON"])
def test_a_file_that_holds_no_facts_stops_the_sandbox(text: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"facts|codes|Expecting"):
        read_facts(path)
