"""Each station has a budget of its own for packets that cannot be used: who spends it is told, and the others go on."""

import time
from collections import deque
from collections.abc import Callable

MINUTE_S = 60.0
SHOWN = 5  # stations in a sentence


class Budgets:
    """Errors of the last minute by station. Bounded: of each station no more are remembered than make it spent."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = a_minute, clock
        self._errors: dict[str, deque[float]] = {}
        self._spent: dict[str, float] = {}  # since when

    def charge(self, station: str) -> bool:
        """One more error; whether with this one the budget is spent."""
        now_s = self._clock()
        errors = self._errors.setdefault(station, deque(maxlen=self._most))
        errors.append(now_s)
        if len(errors) < self._most or now_s - errors[0] > MINUTE_S:
            return False
        is_first = station not in self._spent
        self._spent[station] = now_s
        return is_first

    def is_spent(self, station: str) -> bool:
        """For a minute after the last error that was one too many."""
        return self._clock() - self._spent.get(station, -MINUTE_S) < MINUTE_S

    def refresh(self) -> list[str]:
        """Stations that are well again; what is older than a minute is forgotten."""
        oldest_s = self._clock() - MINUTE_S
        well = [station for station, since_s in self._spent.items() if since_s <= oldest_s]
        for station in well:
            del self._spent[station]
        for station in [station for station, errors in self._errors.items() if errors[-1] <= oldest_s]:
            del self._errors[station]
        return well

    def spent(self) -> list[str]:
        return sorted(self._spent)

    def sentence(self) -> str:
        """For people; empty while no station has spent its budget."""
        spent = self.spent()
        if not spent:
            return ""
        more = f" and {len(spent) - SHOWN} more" if len(spent) > SHOWN else ""
        return (
            f"found {self._most} or more unusable packets a minute from {', '.join(spent[:SHOWN])}{more}, "
            "expected fewer; look at what they send"
        )
