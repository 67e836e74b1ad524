"""Values whose names are kept once."""

import pytest
from exactonline_client.store import Store
from sqlalchemy import func, select
from target_exactonline.store import tables
from target_exactonline.store.field_sets import FieldSets

VALUES = {"Name": "Bakkerij De Zon", "City": None, "Blocked": False, "CreditLineSales": 0.5}


@pytest.fixture
def store(any_store_url: str) -> Store:
    return Store.open(any_store_url, tables.metadata)


def packed(store: Store, *rows: dict[str, object]) -> list[str]:
    with store.write() as connection:
        return [FieldSets(store).packed(connection, row) for row in rows]


def test_what_is_packed_comes_back_in_another_process(store: Store) -> None:
    texts = packed(store, VALUES, {}, {"Name": "x"})

    assert [FieldSets(store).unpacked(text) for text in texts] == [VALUES, {}, {"Name": "x"}]


def test_the_names_of_many_records_are_kept_once(store: Store) -> None:
    texts = packed(store, VALUES, {**VALUES, "Name": "De Maan"}, dict(reversed(VALUES.items())))

    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.field_sets)).scalar_one() == 1
    assert not any("Blocked" in text for text in texts)


def test_values_with_their_names_are_read_as_they_were_kept_before(store: Store) -> None:
    assert FieldSets(store).unpacked('{"Name":"x","City":null}') == {"Name": "x", "City": None}
