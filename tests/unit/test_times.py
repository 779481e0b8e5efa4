"""Moments as people write them."""

import pytest

from kensoku.errors import SettingInvalid
from kensoku.times import NS_PER_S, Every, iso_time, parse_time_ns


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_562_261_599_123_999_999, "2019-07-04T17:33:19.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (2_177_452_800 * 10**9, "2039-01-01T00:00:00.000Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854Z"),
        (10**30, f"{10**30} ns"),
    ],
)
def test_a_time_is_written_to_the_millisecond(time_ns: int, text: str) -> None:
    assert iso_time(time_ns) == text


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("2019-07-04T17:33:19.123Z", 1_562_261_599_123_000_000),
        ("2019-07-04 17:33:19", 1_562_261_599_000_000_000),
        ("2019-07-04T19:33:19+02:00", 1_562_261_599_000_000_000),
        ("1969-12-31T23:59:59.999999Z", -1_000),
        ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000_000),
        ("2017-01-01T08:59:60+09:00", 1_483_228_800_000_000_000),
        ("20150630T235960Z", 1_435_708_800_000_000_000),
        ("2019-07-04T17:33:19.123456789Z", 1_562_261_599_123_456_789),
        ("1969-12-31T23:59:59.9999995+00:00", -500),
    ],
)
def test_a_written_time_is_utc_unless_it_says_otherwise(text: str, time_ns: int) -> None:
    assert parse_time_ns(text) == time_ns


@pytest.mark.parametrize("text", ["yesterday", "2016-12-31T23:58:60Z", "2016-12-31T23:59:61Z", "9999-12-31T23:59:60Z"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingInvalid, match=f"found '{text}', expected a time such as 2026-01-31T12:00:00Z"):
        parse_time_ns(text)


@pytest.mark.parametrize("text", ["1677-01-01", "3012-01-01T00:00:00Z"])
def test_a_time_beyond_what_nanoseconds_reach_is_refused(text: str) -> None:
    with pytest.raises(SettingInvalid, match="expected a time between 1678 and 2262"):
        parse_time_ns(text)


def test_what_is_done_every_second_goes_on_when_the_clock_is_set() -> None:
    now_ns, every = 1_700_000_000 * NS_PER_S, Every(1.0)
    assert every.has_passed(now_ns)
    assert not every.has_passed(now_ns + NS_PER_S - 1)
    assert every.has_passed(now_ns + NS_PER_S)
    hour_before_ns = now_ns - 3600 * NS_PER_S
    assert every.has_passed(hour_before_ns)
    assert not every.has_passed(hour_before_ns + NS_PER_S - 1)
    assert every.has_passed(now_ns + 86_400 * NS_PER_S)
