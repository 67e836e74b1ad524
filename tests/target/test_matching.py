"""First contact by rules, with the mapping step before the target and without: ties, doubts, and what people decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_driver import SOURCE, Account, customer, small_world
from singer_driver import Project, addressed
from singer_group import NORTH, Group, all_of, store_command
from target_exactonline.cli.store_command import main as store_main

ALL_RULES = ["Code", "VATNumber", "ChamberOfCommerce", "Name+Postcode"]
VAT = {1: "BE0403019261", 2: "BE0417497106", 3: "BE0400378485"}


def known(number: int, **fields: Any) -> Account:
    """A customer with a VAT number of its own."""
    return customer(number, **{"VATNumber": VAT[number], "Phone": None, **fields})


def apart(*here: Account, source: list[Account] | None = None) -> dict[str, Any]:
    """A world in which company 201 holds these accounts, and the source customers 1 to 3."""
    return small_world(accounts={SOURCE: source or [known(1), known(2), known(3)], NORTH: list(here)})


@pytest.fixture(params=["fan_out", "mapping step"])
def group(request: pytest.FixtureRequest, project: Project) -> Group:
    return Group(project, request.param)


def run(group: Group, **settings: Any) -> None:
    ran = group.run(all_of(NORTH), **{"match_on": ALL_RULES, **settings})
    assert ran.status == 0, ran.log


def lines(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def outcome(group: Group, code: str) -> dict[str, Any]:
    return group.project.outcome_of(code, NORTH)


def id_of(group: Group, code: str) -> str:
    return str(group.sandbox.account(NORTH, code)["ID"])


def test_a_customer_under_another_code_is_tied_and_goes_on_under_the_code_that_it_has_there(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30", City="Oud"), known(2, Code="31")))

    run(group)

    assert group.sandbox.codes(NORTH) == ["3", "30", "31"]
    assert group.sandbox.account(NORTH, "30")["City"] == "Utrecht"
    tied = {code: outcome(group, code) for code in ("1", "2")}
    assert [tied[code]["outcome"] for code in ("1", "2")] == ["updated", "unchanged"]
    assert [(tied[code]["matched_on"], tied[code]["target_code"]) for code in ("1", "2")] == [
        ("VATNumber", "30"),
        ("VATNumber", "31"),
    ]


def test_later_runs_use_the_tie_and_its_code_says_nothing_of_the_source(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)

    group.sandbox.edit(SOURCE, "1", City="Ede", VATNumber=None)
    run(group, match_on=["Code"])

    assert group.sandbox.account(NORTH, "30")["City"] == "Ede"
    assert (outcome(group, "1")["outcome"], outcome(group, "1")["target_code"]) == ("updated", "30")
    group.first_reading()
    group.sandbox.forget_calls()
    run(group, match_on=["Code"], reconcile=True)
    assert group.kinds(NORTH) == {"1": "unchanged", "2": "unchanged", "3": "unchanged"}
    assert group.project.writes() == []


def test_a_code_that_changes_of_a_row_that_a_number_tied_under_it_is_a_changed_code(group: Group) -> None:
    group.sandbox.reset(apart(known(1)))
    run(group, match_on=["VATNumber"])
    group.sandbox.edit(SOURCE, "1", Code="12")

    run(group, match_on=["VATNumber"])

    assert (outcome(group, "12")["outcome"], outcome(group, "12")["kind"]) == ("refused", "code_changed")


def test_the_code_alone_is_the_default_and_finds_what_it_always_found(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(2, City="Oud")))

    run(group, match_on=None)

    assert group.sandbox.codes(NORTH) == ["1", "2", "3", "30"]
    assert "matched_on" not in outcome(group, "2")


def test_rules_cost_no_call(group: Group) -> None:
    world = apart(known(1, Code="30"), known(2, Code="31"), known(3, Code="32"))
    calls = []
    for rules in (["Code"], ALL_RULES):
        group.sandbox.reset(world)
        group.first_reading()
        (group.project.folder / "store.db").unlink(missing_ok=True)
        run(group, match_on=rules, load_method="append-only", dry_run=True)
        calls.append([(call["method"], call["endpoint"]) for call in group.sandbox.journal()])

    assert calls[0] == calls[1]


def test_a_dry_run_shows_the_ties_that_a_run_makes(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30", City="Oud")))

    run(group, dry_run=True)

    shown = outcome(group, "1")
    assert (shown["outcome"], shown["matched_on"], shown["target_code"]) == ("updated", "VATNumber", "30")
    assert group.project.writes() == []
    run(group)
    done = outcome(group, "1")
    assert {name: done[name] for name in ("outcome", "matched_on", "target_code", "changes")} == {
        name: shown[name] for name in ("outcome", "matched_on", "target_code", "changes")
    }


def test_several_hits_are_refused_and_the_candidates_are_named(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31", Name="Klant Een Holding")))

    run(group)

    refused = outcome(group, "1")
    assert (refused["outcome"], refused["kind"]) == ("refused", "ambiguous")
    assert [part for part in ("30", "31", "VATNumber", "Klant Een Holding") if part not in refused["reason"]] == []
    assert group.sandbox.codes(NORTH) == ["2", "3", "30", "31"]
    (line,) = [one for one in lines(group, "matches") if one["code"] == "1"]
    assert (line["state"], line["name"], line["target_id"]) == ("ambiguous", "Klant 1 B.V.", None)
    assert {one["code"]: "VATNumber" in one["agrees"] for one in line["candidates"]} == {"30": True, "31": True}
    assert {one["id"] for one in line["candidates"]} == {id_of(group, "30"), id_of(group, "31")}


def test_doubles_inside_a_company_are_told(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31"), known(2)))

    ran = group.run(all_of(NORTH), match_on=ALL_RULES)

    told = "Division 201: One party may be here twice, by the same VATNumber of 30 and 31."
    assert told in ran.log
    assert told in (group.project.report / "report.html").read_text(encoding="utf-8")


def test_what_was_ambiguous_is_tied_once_somebody_has_mended_it(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31")))
    run(group)

    group.sandbox.remove(NORTH, "31")
    group.sandbox.edit(SOURCE, "3", City="Ede")
    run(group)

    (line,) = [one for one in lines(group, "matches") if one["code"] == "1"]
    assert (line["state"], line["matched_on"], line["target_code"]) == ("tied", "VATNumber", "30")


def test_a_value_that_several_customers_of_the_source_share_identifies_nobody(group: Group) -> None:
    unity = [known(1, ChamberOfCommerce="30123456"), known(2, VATNumber=VAT[1], ChamberOfCommerce="30123457")]
    group.sandbox.reset(
        apart(customer(2, Code="30", VATNumber=VAT[1], ChamberOfCommerce="30123457"), source=unity),
    )

    run(group)

    assert group.sandbox.codes(NORTH) == ["1", "30"]
    assert outcome(group, "2")["matched_on"] == "ChamberOfCommerce"


def test_a_row_that_is_another_customers_copy_is_a_collision(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Name="Klant 1", VATNumber=VAT[2])))

    run(group)

    refused = outcome(group, "2")
    assert (refused["outcome"], refused["kind"]) == ("refused", "collision")
    assert "Klant 1 B.V." in refused["reason"]
    assert outcome(group, "1")["outcome"] == "updated"


def test_the_better_rule_goes_first_whatever_the_order_of_the_records(group: Group) -> None:
    source = [known(1), customer(9, Phone=None, Name="Klant Negen", Email="negen@klant9.example")]
    group.sandbox.reset(apart(known(1, Code="9", Email="negen@klant9.example"), source=source))

    run(group)

    assert outcome(group, "9")["outcome"] == "updated"
    refused = outcome(group, "1")
    assert (refused["kind"], "Klant Negen" in refused["reason"]) == ("collision", True)


def test_another_party_under_the_code_does_not_hide_the_customer_under_another_one(group: Group) -> None:
    another = {"Code": "1", "Name": "Bakkerij De Zon", "VATNumber": VAT[3], "Status": "C"}
    group.sandbox.reset(apart(another, known(1, Code="30"), source=[known(1)]))

    run(group)

    assert outcome(group, "1")["target_code"] == "30"
    assert group.sandbox.account(NORTH, "1")["Name"] == "Bakkerij De Zon"


def test_a_tie_never_turns_one_party_into_another(group: Group) -> None:
    group.sandbox.reset(
        apart(
            known(1, Code="30", ChamberOfCommerce="30123457"),
            source=[known(1, ChamberOfCommerce="30123456")],
        )
    )

    run(group)

    assert outcome(group, "1")["kind"] == "ambiguous"
    assert "ChamberOfCommerce is 30123457 here and 30123456 at the source" in outcome(group, "1")["reason"]
    assert group.project.writes() == []


def test_without_the_rule_a_row_under_the_code_is_in_the_way(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Name="Klant 1", VATNumber=None)))

    run(group, match_on=["VATNumber"])

    assert outcome(group, "1")["kind"] == "collision"
    assert "match_on does not go by the code" in outcome(group, "1")["reason"]


def test_another_choice_of_rules_is_tried_on_what_was_refused(group: Group) -> None:
    group.sandbox.reset(
        apart(
            customer(1, Code="30", ChamberOfCommerce="30123456"),
            source=[
                customer(1, ChamberOfCommerce="30123456", Email=None),
                customer(2, Email="info@klant1.example", Name="Klant 1"),
            ],
        )
    )
    run(group, match_on=["Code"], load_method="update-only")
    assert group.kinds(NORTH) == {"1": "load_method", "2": "load_method"}

    run(group, match_on=ALL_RULES, load_method="update-only")

    assert [line["target_code"] for line in lines(group, "matches")] == ["30"]


@pytest.mark.parametrize("rules", [["VAT"], [], ["Code", "Code"]])
def test_a_wrong_rule_stops_the_run_before_anything_is_read(group: Group, rules: list[str]) -> None:
    ran = group.run(all_of(NORTH), match_on=rules)

    assert ran.status == 1
    assert "match_on" in ran.errors[-1]
    assert [call for call in group.sandbox.journal() if call["division"] == NORTH] == []


def test_records_that_say_where_they_go_find_their_rows_by_rules_too(project: Project) -> None:
    project.sandbox.reset(apart(known(1, Code="30", City="Oud")))
    wanted = {"Division": NORTH, "Code": "1", "Name": "Klant 1", "VATNumber": VAT[1], "City": "Ede"}

    for dry_run in (True, False):
        project.load(addressed([wanted]), match_on=ALL_RULES, dry_run=dry_run)
        line = project.outcome_of("1", NORTH)
        assert (line["outcome"], line["matched_on"], line["target_code"]) == ("updated", "VATNumber", "30")

    assert project.sandbox.account(NORTH, "30")["City"] == "Ede"
    assert project.sandbox.codes(NORTH) == ["30"]


def test_a_value_that_two_records_of_a_dry_run_share_identifies_nobody_there_either(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), source=[known(1, Name="Een"), known(2, VATNumber=VAT[1])]))

    run(group, dry_run=True)

    assert group.kinds(NORTH) == {"1": "created", "2": "created"}


def test_a_row_that_was_tied_and_deleted_by_hand_is_looked_for_again(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)
    group.sandbox.remove(NORTH, "30")
    group.sandbox.seed(NORTH, [known(1, Code="40", City="Oud")])

    group.sandbox.edit(SOURCE, "1", City="Ede")
    run(group)

    assert outcome(group, "1")["target_code"] == "40"
    assert group.sandbox.account(NORTH, "40")["City"] == "Ede"


# What people decide


def store_refusal(group: Group, *command: str) -> str:
    """What the command line says when it does not obey."""
    config = group.project.folder / "store-settings.json"
    config.write_text(json.dumps(group.project.target_config()), encoding="utf-8")
    ran = CliRunner().invoke(store_main, [*command, "--config", str(config)])
    assert ran.exit_code == 1, ran.output
    return ran.output


def decided(group: Group, *command: str) -> dict[str, Any]:
    (line,) = lines(group, *command, "--division", str(NORTH), "--by", "controller")
    return line


def test_a_tie_by_hand_goes_before_all_rules_and_is_kept_with_who_and_when(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31", City="Oud")))
    run(group)

    line = decided(group, "tie", "--code", "1", "--to", id_of(group, "31"))

    assert (line["state"], line["target_code"], line["by"]) == ("tied", "31", "controller")
    run(group)
    assert group.sandbox.account(NORTH, "31")["City"] == "Utrecht"
    (line,) = [one for one in lines(group, "matches") if one["code"] == "1"]
    assert (line["state"], line["matched_on"], line["target_id"]) == ("tied", "person", id_of(group, "31"))
    assert line["at"] is not None
    group.sandbox.edit(SOURCE, "1", City="Ede")
    run(group)
    assert [group.sandbox.account(NORTH, code)["City"] for code in ("30", "31")] == ["Utrecht", "Ede"]


def test_a_tie_by_hand_is_obeyed_where_the_code_is_the_only_rule(group: Group) -> None:
    group.sandbox.reset(apart({"Code": "77", "Name": "Anders"}, source=[known(1)]))
    run(group, match_on=None, load_method="update-only")
    group.sandbox.forget_calls()

    decided(group, "tie", "--code", "1", "--to", "77")
    run(group, match_on=None)

    assert group.sandbox.codes(NORTH) == ["77"]
    assert group.sandbox.account(NORTH, "77")["Name"] == "Klant 1 B.V."
    assert [call["method"] for call in group.project.writes()] == ["PUT"]


def test_what_was_untied_is_not_tied_again_by_a_rule_and_not_created_either(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)

    line = decided(group, "untie", "--code", "1")

    assert (line["state"], [one["code"] for one in line["candidates"]]) == ("ambiguous", ["30"])
    for _ in range(2):
        group.sandbox.edit(SOURCE, "1", City="Ede")
        group.first_reading()
        run(group)
        assert outcome(group, "1")["kind"] == "ambiguous"
        assert "Untied by controller" in outcome(group, "1")["reason"]
    assert group.sandbox.account(NORTH, "30")["City"] == "Utrecht"
    assert "1" not in group.sandbox.codes(NORTH)


def test_what_was_left_out_stays_out_until_it_is_let_be_new(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31")))
    run(group)

    assert decided(group, "leave-out", "--code", "1")["state"] == "left_out"
    group.first_reading()
    run(group)
    assert outcome(group, "1")["kind"] == "held"
    group.sandbox.forget_calls()
    run(group)
    assert group.project.outcomes == []

    assert decided(group, "as-new", "--code", "1")["state"] == "as_new"
    run(group)
    assert group.sandbox.codes(NORTH) == ["1", "2", "3", "30", "31"]
    assert outcome(group, "1")["outcome"] == "created"


def test_a_copy_that_was_left_out_is_not_written_to(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)
    decided(group, "leave-out", "--code", "1")
    group.sandbox.edit(SOURCE, "1", City="Ede")
    group.sandbox.remove(SOURCE, "2")

    run(group, on_source_deletion="delete")

    assert group.sandbox.account(NORTH, "30")["City"] == "Utrecht"
    assert outcome(group, "1")["kind"] == "held"


def test_a_row_that_is_another_customers_cannot_be_given_away(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)

    refused = store_refusal(group, "tie", "--division", str(NORTH), "--code", "2", "--to", "30")

    assert "the copy of account 1" in refused
    assert "no account nowhere" in store_refusal(
        group, "tie", "--division", str(NORTH), "--code", "2", "--to", "nowhere"
    )
    assert "has the code 99" in store_refusal(group, "untie", "--division", str(NORTH), "--code", "99")
    assert [one["by"] for one in lines(group, "matches")] == [None]


def test_a_person_may_take_a_row_from_one_customer_and_give_it_to_another(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), source=[known(1), customer(2, Name="Klant Een", Phone=None)]))
    run(group)
    decided(group, "untie", "--code", "1")
    decided(group, "as-new", "--code", "1")
    decided(group, "tie", "--code", "2", "--to", "30")

    run(group)

    assert group.sandbox.account(NORTH, "30")["Name"] == "Klant Een"
    assert group.sandbox.account(NORTH, "1")["VATNumber"] == VAT[1]
    assert {one["code"]: one["state"] for one in lines(group, "matches")} == {"1": "as_new", "2": "tied"}


def test_what_was_left_out_is_not_let_in_by_a_release(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30")))
    run(group)
    decided(group, "leave-out", "--code", "1")
    group.sandbox.edit(SOURCE, "1", City="Ede")

    store_command(group.project, "release")
    for _ in range(2):
        run(group)

    assert group.project.outcomes == []
    assert group.sandbox.account(NORTH, "30")["City"] == "Utrecht"


def test_a_row_that_somebody_tied_and_that_was_deleted_since_is_not_made_up(group: Group) -> None:
    group.sandbox.reset(apart(known(1, Code="30"), known(1, Code="31")))
    run(group)
    decided(group, "tie", "--code", "1", "--to", "31")
    group.sandbox.remove(NORTH, "31")

    run(group)

    assert outcome(group, "1")["kind"] == "ambiguous"
    assert "controller tied it" in outcome(group, "1")["reason"]
    assert "1" not in group.sandbox.codes(NORTH)
