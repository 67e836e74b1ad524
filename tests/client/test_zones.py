"""The time zone of a country's site."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from exactonline_client.zones import CENTRAL_EUROPE, zone_of_offset, zone_of_site
from hypothesis import given
from hypothesis import strategies as st

JULY = datetime(2026, 7, 1, tzinfo=timezone.utc)
ZONES = [CENTRAL_EUROPE, ZoneInfo("Europe/London"), ZoneInfo("America/New_York")]
INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("site", "zone"),
    [
        ("https://start.exactonline.nl", "Europe/Amsterdam"),
        ("https://START.EXACTONLINE.BE", "Europe/Brussels"),
        ("https://start.exactonline.de", "Europe/Berlin"),
        ("https://start.exactonline.fr", "Europe/Paris"),
        ("https://start.exactonline.es", "Europe/Madrid"),
        ("http://127.0.0.1:8065", "Europe/Amsterdam"),
    ],
)
def test_a_site_shows_the_wall_time_of_its_country(site: str, zone: str) -> None:
    assert zone_of_site(site) == ZoneInfo(zone)


@pytest.mark.parametrize("site", ["https://start.exactonline.co.uk", "https://start.exactonline.com"])
def test_only_exact_can_tell_the_time_of_the_kingdom_and_the_states(site: str) -> None:
    assert zone_of_site(site) is None


@given(st.sampled_from(ZONES), INSTANTS)
def test_a_zone_is_recognised_by_its_offset_at_any_time_of_the_year(zone: ZoneInfo, at: datetime) -> None:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None

    assert zone_of_offset(offset.total_seconds(), at) == zone


@given(st.integers(-14 * 4, 14 * 4).map(lambda quarters: quarters * 900), INSTANTS)
def test_any_offset_gives_a_zone_that_has_it(seconds: int, at: datetime) -> None:
    zone: tzinfo = zone_of_offset(seconds, at)

    assert at.astimezone(zone).utcoffset() == timedelta(seconds=seconds)


def test_an_offset_of_no_known_zone_is_a_fixed_one() -> None:
    assert zone_of_offset(19800, JULY) == timezone(timedelta(hours=5, minutes=30))
