"""Laws of a plan's decisions, for every combination of settings (design: laws 1 to 3 and 5; cases of part B)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

from exactonline_client.entities import ACCOUNTS, CONTACTS
from hypothesis import example, given
from hypothesis import strategies as st
from planning_driver import (
    AT,
    ID,
    OTHER_ID,
    OTHER_SOURCE,
    SOURCE,
    TODAY,
    Company,
    Row,
    desired,
    found,
    holder,
    row,
    tied,
)
from target_exactonline.planning.compare import same
from target_exactonline.planning.decide import decide, digest
from target_exactonline.planning.model import (
    Copy,
    Create,
    Decision,
    Delete,
    Desired,
    Existing,
    FieldRule,
    Holder,
    LoadMethod,
    Nulls,
    OnCodeChange,
    OnCollision,
    OnSourceDeletion,
    Refuse,
    Replace,
    Rules,
    Situation,
    Skip,
    Unchanged,
    Update,
)
from target_exactonline.planning.recovery import Unfinished, recovered

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001
DATES = (INSTANTS | INSTANTS.map(lambda at: at.replace(tzinfo=timezone.utc))).map(datetime.isoformat)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Name": st.sampled_from(["Jan BV", "JAN B.V.", "Piet NV", "Jan BV "]),
    "City": st.sampled_from(["Gent", "Delft", ""]),
    "Email": st.sampled_from(["a@jan.example", "b@piet.example"]),
    "Country": st.sampled_from(["NL", "BE"]),
    "State": st.sampled_from(["UT", "NH"]),
    "Status": st.sampled_from("ASPC"),
    "IsSupplier": st.booleans(),
    "VATNumber": st.sampled_from(["NL1", "nl 1", "BE2"]),
    "Latitude": st.floats(-90, 90),
    "EndDate": DATES,
    "Blocked": st.booleans(),
    "ControlledDate": DATES,
}
"""Of every type of field, and all that decides on its own."""
ROWS = st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in VALUES.items()})
CODES = st.sampled_from(["5", "6"])
TIMES = st.none() | st.sampled_from([AT - timedelta(minutes=1), AT, AT + timedelta(minutes=1)])
NAMES = st.sampled_from(sorted(VALUES))
GONE = st.none() | st.dictionaries(
    st.sampled_from(["Blocked", "EndDate"]), st.tuples(st.none() | st.just("2030-01-01"), st.just(TODAY))
).map(lambda gone: {name: (False, True) if name == "Blocked" else change for name, change in gone.items()})
COPIES = st.builds(
    Copy,
    source=st.just(SOURCE),
    code=CODES,
    target_id=st.just(ID),
    baseline=ROWS,
    written_at=TIMES,
    matched_on=st.none() | st.sampled_from(["Code", "VATNumber"]),
    gone=GONE,
    theirs=st.frozensets(NAMES, max_size=2),
    seen=st.dictionaries(NAMES, st.none(), max_size=2),
    state=st.just("tied"),
)
RULES = st.builds(
    Rules,
    load_method=st.sampled_from(get_args(LoadMethod)),
    nulls=st.sampled_from(get_args(Nulls)),
    on_collision=st.sampled_from(get_args(OnCollision)),
    on_code_change=st.sampled_from(get_args(OnCodeChange)),
    on_source_deletion=st.sampled_from(get_args(OnSourceDeletion)),
    field_rules=st.just({}) | st.dictionaries(NAMES | st.just("*"), st.sampled_from(get_args(FieldRule)), max_size=3),
)
HOLDERS = st.builds(
    Holder,
    source=st.just(OTHER_SOURCE),
    name=st.just("5 of 101"),
    is_deleted=st.booleans(),
    copy=st.none() | COPIES.map(lambda one: replace(one, source=OTHER_SOURCE, target_id=OTHER_ID)),
)


@st.composite
def wishes(draw: st.DrawFn) -> Desired:
    """What travels is a part of the source record, sometimes with a constant in its place."""
    identity = draw(ROWS)
    travels = draw(st.sets(NAMES))
    constants = draw(st.dictionaries(st.just("City"), st.just("Ede")))
    values = {name: value for name, value in identity.items() if name in travels}
    anonymised = draw(st.sampled_from([None, 0, 1]))
    return Desired(SOURCE, draw(CODES), values | constants, {**identity, "IsAnonymised": anonymised})


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """A copy or none, its row or none, and a row under the code or none, which may be another's."""
    copy = draw(st.none() | COPIES)
    tied = draw(st.none() | st.builds(Existing, st.just(ID), CODES, ROWS, TIMES)) if copy is not None else None
    at_code = draw(st.none() | st.builds(Existing, st.just(OTHER_ID), CODES, ROWS, TIMES))
    holder = draw(st.none() | HOLDERS) if at_code is not None else None
    rival = draw(st.none() | st.just(Holder(OTHER_SOURCE, "5 of 101", is_deleted=False)))
    return Situation(copy, tied, at_code, holder, rival)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Desired, Situation]:
    """A wish and its situation, in which no two rows have one code."""
    wish, situation = draw(wishes()), draw(situations())
    tied = situation.tied
    at_code = situation.at_code and replace(situation.at_code, code=wish.code)
    if tied is not None and tied.code == wish.code:
        return wish, replace(situation, at_code=tied, holder=None, rival=None)
    return wish, replace(situation, at_code=at_code)


WORLDS = worlds()


def is_write(decision: Decision) -> bool:
    return isinstance(decision, (Create, Update, Replace, Delete))


def written_fields(decision: Decision) -> set[str]:
    match decision:
        case Create(values):
            return set(values)
        case Update():
            return set(decision.changes)
        case Replace(block, create):
            return {*(block.changes if block else ()), *create.values}
        case _:
            return set()


@given(WORLDS, RULES)
def test_deciding_is_pure(world: tuple[Desired, Situation], rules: Rules) -> None:
    """Law 1: same values, same plan; nothing that was handed in is changed."""
    wish, situation = world
    before = deepcopy((wish, situation, rules))

    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)

    assert (wish, situation, rules) == before
    assert decide(ACCOUNTS, *deepcopy(world), deepcopy(rules), TODAY) == decision


@given(WORLDS, RULES)
def test_a_second_plan_writes_nothing(world: tuple[Desired, Situation], rules: Rules) -> None:
    """Law 1, and promise 1: once a plan is carried out nothing differs."""
    wish, situation = world
    company = Company(situation)
    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)

    after = company.after(wish, decision)
    again = decide(ACCOUNTS, wish, after.situation, rules, TODAY)

    assert not is_write(again), (decision, again)
    if is_write(decision):
        assert isinstance(again, (Unchanged, Skip)), (decision, again)
        third = after.after(wish, again)
        assert decide(ACCOUNTS, wish, third.situation, rules, TODAY) == again


@given(WORLDS, RULES)
def test_a_second_plan_writes_nothing_even_if_the_first_could_not_be_noted(
    world: tuple[Desired, Situation], rules: Rules
) -> None:
    """Promise 3: a killed run converges; its own writing is known again."""
    wish, situation = world
    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)
    if not isinstance(decision, (Create, Update)) or situation.holder is not None:
        return
    after = Company(situation).after(wish, decision).situation

    found = recovered(ACCOUNTS, Unfinished(SOURCE, wish.code, decision), after.tied, situation.copy)

    assert found is not None
    assert after.copy is not None
    assert found.target_id == after.copy.target_id
    assert not is_write(decide(ACCOUNTS, wish, replace(after, copy=found), rules, TODAY))


@given(situations(), RULES)
def test_a_second_deletion_writes_nothing(situation: Situation, rules: Rules) -> None:
    decision = decide(ACCOUNTS, None, situation, rules, TODAY)

    after = Company(situation).after(None, decision)

    assert not is_write(decide(ACCOUNTS, None, after.situation, rules, TODAY))


@given(WORLDS, RULES)
def test_no_other_field_is_ever_written_than_travels_or_blocks_or_goes_with_its_country(
    world: tuple[Desired, Situation], rules: Rules
) -> None:
    """Law 5, B7: what does not travel is only looked at."""
    wish, situation = world

    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)

    written = written_fields(decision)
    allowed = set(wish.values)
    known = situation.copy if situation.copy is not None else None
    inherited = situation.holder.copy if situation.holder is not None else None
    if isinstance(decision, Replace) or any(one is not None and one.gone for one in (known, inherited)):
        allowed |= {"Blocked", "EndDate"}
    if "Country" in written:
        allowed |= {"State"}
    assert written <= allowed


@given(WORLDS, RULES)
def test_every_change_has_the_row_s_own_value_before_it_and_a_difference(
    world: tuple[Desired, Situation], rules: Rules
) -> None:
    wish, situation = world
    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)
    if not isinstance(decision, Update):
        return
    there = situation.tied if situation.tied and situation.tied.id == decision.target_id else situation.at_code

    assert there is not None
    assert decision.changes
    for name, (before, after) in decision.changes.items():
        assert before == there.values.get(name) or name in ("Blocked", "EndDate")
        beside_country = name == "State" and "Country" in decision.changes
        assert beside_country or not same(ACCOUNTS.fields[name], before, after)


@given(WORLDS, RULES)
def test_a_decision_on_a_tied_copy_keeps_its_tie(world: tuple[Desired, Situation], rules: Rules) -> None:
    """Law 3, B5 and B8: the row is found by the tie, whatever row bears the code."""
    wish, situation = world
    if situation.tied is None:
        return

    for decision in (
        decide(ACCOUNTS, wish, situation, rules, TODAY),
        decide(ACCOUNTS, None, situation, rules, TODAY),
    ):
        match decision:
            case Update(target_id) | Unchanged(target_id) | Delete(target_id):
                assert target_id == ID
            case Replace(block, _):
                assert block is None or block.target_id == ID
            case Create():
                raise AssertionError(decision)
            case Refuse() | Skip():
                pass


@given(WORLDS, RULES)
def test_a_row_that_is_another_source_record_s_copy_is_never_touched(
    world: tuple[Desired, Situation], rules: Rules
) -> None:
    """Law 3, B5."""
    wish, situation = world
    if situation.holder is None or situation.holder.is_deleted:
        return

    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)

    assert not isinstance(decision, Update | Unchanged | Delete) or decision.target_id == ID
    assert not isinstance(decision, Create | Replace)


@given(wishes(), wishes(), RULES)
def test_two_source_records_with_one_code_never_both_create(one: Desired, other: Desired, rules: Rules) -> None:
    """Law 3, B5: of two that are planned in one run, the first has the better claim; later the row has a holder."""
    first, second = Holder(one.source, "5 of 100", is_deleted=False), replace(other, source=OTHER_SOURCE, code=one.code)
    created = decide(ACCOUNTS, one, Situation(), rules, TODAY)

    in_the_same_run = decide(ACCOUNTS, second, Situation(rival=first), rules, TODAY)
    assert not is_write(in_the_same_run)

    there = Company(Situation()).after(one, created).situation.tied
    if there is not None:
        later = decide(ACCOUNTS, second, Situation(at_code=there, holder=first), rules, TODAY)
        assert isinstance(later, Refuse | Skip)


@given(ROWS, ROWS, RULES)
def test_codes_that_change_hands_move_no_party(one: Row, other: Row, rules: Rules) -> None:
    """Law 3, B5 and B6: two copies whose source records swap their codes; each row keeps its party."""
    rows = Existing(ID, "5", one, AT), Existing(OTHER_ID, "6", other, AT)
    copies = Copy(SOURCE, "5", ID, one, AT), Copy(OTHER_SOURCE, "6", OTHER_ID, other, AT)
    wishes_now = Desired(SOURCE, "6", one, one), Desired(OTHER_SOURCE, "5", other, other)

    for mine, theirs in ((0, 1), (1, 0)):
        holds = Holder(copies[theirs].source, "the other", is_deleted=False, copy=copies[theirs])
        situation = Situation(copies[mine], rows[mine], rows[theirs], holds)

        decision = decide(ACCOUNTS, wishes_now[mine], situation, rules, TODAY)

        assert not is_write(decision)
        if rules.on_code_change != "ignore":
            assert isinstance(decision, Refuse)


@given(WORLDS, RULES)
def test_the_load_method_is_kept_to(world: tuple[Desired, Situation], rules: Rules) -> None:
    wish, situation = world

    for decision in (
        decide(ACCOUNTS, wish, situation, rules, TODAY),
        decide(ACCOUNTS, None, situation, rules, TODAY),
    ):
        if rules.load_method == "append-only":
            assert not isinstance(decision, Update | Delete | Replace)
        if rules.load_method == "update-only":
            assert not isinstance(decision, Create | Delete | Replace)


def with_nulls(rules: Rules, nulls: Nulls) -> Rules:
    return replace(rules, nulls=nulls, field_rules={})


@given(WORLDS, RULES)
@example((desired(Country="BE", State=None), tied(row(Country="NL", State="UT"))), Rules())
def test_an_emptied_source_field_empties_what_the_setting_says(world: tuple[Desired, Situation], rules: Rules) -> None:
    """`keep` empties nothing, `follow` what we wrote, `clear` all; but for a State whose country changes."""
    wish, situation = world
    wish = replace(wish, identity={**wish.identity, "IsAnonymised": 0})
    situation = replace(situation, copy=situation.copy and replace(situation.copy, gone=None), holder=None)

    for nulls in get_args(Nulls):
        decision = decide(ACCOUNTS, wish, situation, with_nulls(rules, nulls), TODAY)
        if not isinstance(decision, Update):
            continue
        emptied = {name for name, value in decision.values.items() if value in (None, "")}
        emptied -= {"State"} if "Country" in decision.changes else set()
        ours = situation.copy.baseline if situation.tied is not None and situation.copy is not None else {}
        allowed = {
            "keep": set(),
            "follow": {name for name in ours if ours[name] not in (None, "")},
            "clear": set(wish.values),
        }
        assert emptied <= allowed[nulls]
        assert "Name" not in emptied


@given(WORLDS, RULES)
def test_what_the_target_owns_is_never_written(world: tuple[Desired, Situation], rules: Rules) -> None:
    """field_rules: `theirs` lasts as long as the rule is not `source`, but for what was anonymised."""
    wish, situation = world
    wish = replace(wish, identity={**wish.identity, "IsAnonymised": None})
    copy = situation.copy
    if situation.tied is None or copy is None or copy.gone:
        return

    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)

    if isinstance(decision, Update):
        owned = {name for name in copy.theirs if rules.rule_of(name) != "source"}
        owned |= {name for name in copy.baseline if rules.rule_of(name) == "initial"}
        owned -= {"State"} if "Country" in decision.changes else set()
        assert owned.isdisjoint(decision.changes)
        assert {name for name in copy.theirs if rules.rule_of(name) != "source"} <= decision.theirs


@given(ROWS, ROWS, st.sampled_from(["initial", "target"]))
def test_a_field_that_somebody_in_the_target_changed_is_left_to_them(ours: Row, edits: Row, rule: FieldRule) -> None:
    """field_rules `initial` and `target`: an edit by hand outlives any later change of the source."""
    first = Desired(SOURCE, "5", {**ours, "Name": "Jan BV"}, ours)
    rules = Rules(field_rules={"*": rule}, on_collision="overwrite")
    company = Company(Situation()).after(first, decide(ACCOUNTS, first, Situation(), rules, TODAY))
    there = company.situation.tied
    assert there is not None
    edited = replace(there, values={**there.values, **edits}, modified_at=AT + timedelta(hours=1))
    changed = {name for name in edits if not same(ACCOUNTS.fields[name], edits[name], there.values.get(name))}
    situation = replace(company.situation, tied=edited, at_code=edited)
    seen = decide(ACCOUNTS, first, situation, rules, TODAY)
    noticed = Company(situation).after(first, seen, AT + timedelta(hours=2)).situation

    later = {name: "X" for name in ("Name", "City", "Email") if name in first.values}
    decision = decide(ACCOUNTS, replace(first, values={**first.values, **later}), noticed, rules, TODAY)

    assert changed.isdisjoint(written_fields(seen) - {"State"})
    assert changed.isdisjoint(written_fields(decision) - {"State"})
    if rule == "target":
        assert {name for name in later if name not in changed} <= written_fields(decision)


@given(WORLDS, RULES)
def test_a_change_has_one_digest_until_what_is_sent_differs(world: tuple[Desired, Situation], rules: Rules) -> None:
    wish, situation = world
    decision = decide(ACCOUNTS, wish, situation, rules, TODAY)
    if not isinstance(decision, Create | Update | Replace | Delete):
        return

    assert digest(decision) == digest(deepcopy(decision))
    if isinstance(decision, Create):
        assert digest(Create({**decision.values, "Fax": "0"})) != digest(decision)


def test_the_laws_reach_every_kind_of_decision() -> None:
    """Guard: the examples that the laws speak of do occur."""
    wanted = desired(Name="Jan BV")
    there = tied(row(Name="Jan BV", City="Gent"))
    decisions = [
        decide(ACCOUNTS, wanted, found(), Rules(), TODAY),
        decide(ACCOUNTS, desired(Name="Jan BV", City="Ede"), there, Rules(), TODAY),
        decide(ACCOUNTS, desired("6", Name="Jan"), replace(there, at_code=None), Rules(on_code_change="block"), TODAY),
        decide(ACCOUNTS, None, there, Rules(on_source_deletion="delete"), TODAY),
        decide(ACCOUNTS, wanted, there, Rules(), TODAY),
        decide(ACCOUNTS, wanted, found(there.tied, holder=holder()), Rules(), TODAY),
        decide(ACCOUNTS, wanted, there, Rules(load_method="append-only"), TODAY),
        decide(CONTACTS, replace(wanted, orphan="Not yet."), Situation(), Rules(), TODAY),
    ]

    assert [type(one) for one in decisions] == list(get_args(Decision))
