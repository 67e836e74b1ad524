"""The largest plan that is carried out without somebody looking at it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from exactonline_client.forecast import Forecast
from target_exactonline.planning.safety import Counts, SafetyLimits

NOON = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("settings", "counts", "held", "shown"),
    [
        ({}, Counts(create=10**6, update=10**6, delete=10**6), 1, None),
        ({"max_creates": 5}, Counts(create=5, update=9), 0, None),
        ({"max_creates": 5}, Counts(create=6), 0, ["6 would be created", "max_creates (5)"]),
        ({"max_creates": 0}, Counts(create=1), 0, ["1 would be created", "max_creates (0)"]),
        ({"max_deletes": 5}, Counts(block=3, delete=2), 0, None),
        ({"max_deletes": 5}, Counts(block=3, delete=3), 0, ["6 would be blocked or deleted", "max_deletes (5)"]),
        ({"max_updates_share": 0.29}, Counts(update=29), 100, None),
        ({"max_updates_share": 0.29}, Counts(update=30), 100, ["30 of 100 would change", "max_updates_share (0.29)"]),
        ({"max_updates_share": 0}, Counts(update=1), 100, ["1 of 100 would change"]),
        ({"max_updates_share": "0.5", "max_creates": "3"}, Counts(update=50, create=3), 100, None),
        ({"max_updates_share": "", "max_creates": ""}, Counts(update=50, create=3), 10, None),
    ],
)
def test_a_plan_that_is_larger_than_the_settings_allow_is_unsafe(
    settings: dict[str, Any], counts: Counts, held: int, shown: list[str] | None
) -> None:
    unsafe = SafetyLimits.from_config(settings).unsafe(counts, held)

    if shown is None:
        assert unsafe is None
    else:
        assert unsafe is not None
        assert [part for part in (*shown, "dry_run", "let them through") if part not in unsafe] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_creates", value) for value in ("many", "1.5", -1, True)),
        ("max_deletes", "x"),
        *(("max_updates_share", value) for value in ("many", "-0.1", 1.1, "nan", True, [])),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        SafetyLimits.from_config({name: value})

    assert str(error.value).startswith(f"{name}: {value!r} is not a ")


def test_each_change_is_one_call() -> None:
    assert Counts(1, 2, 3, 4, unchanged=5, refused=6, deferred=7, skipped=8).writes == 10


@pytest.mark.parametrize(
    ("decides", "done_at", "line"),
    [
        ("minute", NOON + timedelta(minutes=20), "7 calls of 4000 left today, done at about 12:20 UTC"),
        ("day", NOON + timedelta(days=1), "7 calls: day limit, done on 28 November"),
        ("contract", NOON + timedelta(days=2), "7 calls: contract limit, done on 29 November"),
    ],
)
def test_the_forecast_names_the_limit_that_decides_and_the_day(decides: Any, done_at: datetime, line: str) -> None:
    counts = Counts(create=4, update=2, block=1)

    told = counts.forecast(201, 4000, Forecast(decides, done_at, 7), NOON)

    assert told == f"Division 201: 4 creates, 2 updates, 1 deletions: {line}"
