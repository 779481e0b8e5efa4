"""Moments as people write them, to and from nanoseconds since 1970 in UTC; and what is done now and then."""

import re
from datetime import UTC, datetime, timedelta

from kensoku.errors import SettingInvalid

NS_PER_S = 10**9
BEYOND_MICROSECONDS = re.compile(r"[.,]\d{6}(\d{1,3})")
LEAP_SECOND = re.compile(r"(?<=[T ]\d\d:59:)60|(?<=[T ]\d\d59)60")


def iso_time(time_ns: int) -> str:
    """`2026-01-31T12:00:00.000Z`, cut to the millisecond; any integer is answered, a time out of reach as a number."""
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return f"{time_ns} ns"
    return f"{moment.isoformat()}.{rest_ns // 10**6:03d}Z"


def parse_time_ns(text: str) -> int:
    """A moment in ISO 8601; without an offset it is UTC. A leap second is the next one: since 1970 none is counted."""
    before, leaps = LEAP_SECOND.subn("59", text, count=1)
    try:
        moment = datetime.fromisoformat(before) + timedelta(seconds=leaps)
    except (ValueError, OverflowError):
        raise SettingInvalid(f"found {text!r}, expected a time such as 2026-01-31T12:00:00Z") from None
    since_1970 = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    finer = BEYOND_MICROSECONDS.search(text)  # which datetime leaves out
    time_ns = since_1970 // timedelta(microseconds=1) * 1000 + (int(finer[1].ljust(3, "0")) if finer else 0)
    if not -(2**63) <= time_ns < 2**63:
        raise SettingInvalid(f"found {text!r}, expected a time between 1678 and 2262, as nanoseconds reach")
    return time_ns


class Every:
    """Whether so much time has passed since it was so last; nobody waits for a clock that was set back."""

    def __init__(self, period_s: float, since_ns: int = -(2**63)) -> None:
        self._period_ns = round(period_s * NS_PER_S)
        self._since_ns = since_ns

    def has_passed(self, now_ns: int) -> bool:
        if self._since_ns <= now_ns < self._since_ns + self._period_ns:
            return False
        self._since_ns = now_ns
        return True
