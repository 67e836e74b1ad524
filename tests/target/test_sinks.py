"""What a message says beside its record: which source record it comes from."""

from __future__ import annotations

from typing import Any

import pytest
from target_exactonline.planning.model import SourceKey
from target_exactonline.sinks import source_key


@pytest.mark.parametrize(
    "named", [None, [], {}, {"Division": "x", "ID": "1"}, {"Division": 100}, {"Division": 1, "ID": ""}], ids=repr
)
def test_what_names_no_source_record_is_none(named: Any) -> None:
    assert source_key(named) is None


def test_a_source_record_is_known_by_its_id_however_that_is_written() -> None:
    assert source_key({"Division": "100", "ID": " 5E2D5A3C "}) == SourceKey(100, "5e2d5a3c")
