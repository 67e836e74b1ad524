"""Companies that lived apart for years, matched by the rules alone and held against the truth: the short form."""

from __future__ import annotations

import pytest
from exactonline_client.entities import ACCOUNTS
from matching_figures import MATCH_ON, figures
from matching_world import SHARES, matching_world
from target_exactonline.planning.match_keys import key_of


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_customers_of_companies_that_grew_apart_find_their_rows_and_nobody_elses(seed: int) -> None:
    world = matching_world(seed, companies=2, customers=200)

    found = figures(world, MATCH_ON)

    assert found.precision >= 0.999, found.wrong
    assert found.recall >= 0.95
    assert found.missed == []
    assert sum(found.right.values()) + sum(found.told.values()) + found.created == 400
    assert {"VATNumber", "ChamberOfCommerce", "Name+Postcode"} <= found.right.keys()


def test_customers_that_are_there_twice_are_never_created_a_third_time() -> None:
    world = matching_world(4, companies=2, customers=200)

    found = figures(world, MATCH_ON)

    twice = {code for company in world.companies for code, rows in company.truth.items() if len(rows) == 2}
    assert len(twice) == 20
    assert not {code for code, _ in found.missed} & twice
    assert found.told["ambiguous"] >= 18


def test_a_world_has_the_shares_that_it_says_and_is_the_same_for_the_same_seed() -> None:
    world = matching_world(7, companies=1, customers=200)

    fates = list(world.companies[0].fates.values())
    assert {fate: fates.count(fate) / 2 for fate in SHARES} == SHARES
    assert matching_world(7, companies=1, customers=200) == world
    assert len({row["Code"] for row in world.companies[0].rows}) == len(world.companies[0].rows)


def test_some_customers_share_a_vat_number_which_identifies_none_of_them() -> None:
    world = matching_world(7, companies=1, customers=200)

    keys = [key_of(ACCOUNTS, "VATNumber", None, party) for party in world.source]
    assert 0 < len([key for key in keys if key]) - len(set(filter(None, keys))) <= 4
