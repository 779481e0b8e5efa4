"""How far stations have been listened to, as triggering tells it."""

from collections.abc import Collection

from kensoku.associating._associate import NS_PER_S
from kensoku.associating._messages import station_of
from kensoku.v1.pick_pb2 import Instrument, Progress


class Listening:
    """A station that falls behind by the lateness, or was never heard of, is waited for no longer."""

    def __init__(self, lateness_s: float) -> None:
        self._lateness_ns = round(lateness_s * NS_PER_S)
        self.evaluated_ns: dict[str, int] = {}
        self.instruments: dict[str, Instrument] = {}
        self.clock_ns = 0  # event time

    def hear(self, progress: Progress) -> None:
        for one in progress.instruments:
            code = station_of(one.instrument)
            self.instruments.setdefault(code, one.instrument)
            if one.evaluated_to_ns > self.evaluated_ns.get(code, 0):
                self.evaluated_ns[code] = one.evaluated_to_ns
                self.pass_time(one.evaluated_to_ns)

    def pass_time(self, to_ns: int) -> None:
        self.clock_ns = max(self.clock_ns, to_ns)

    @property
    def given_up_ns(self) -> int:
        """Nothing before this is waited for."""
        return self.clock_ns - self._lateness_ns

    def is_past(self, end_ns: int, codes: Collection[str]) -> bool:
        """Whether each of these stations that is not given up has been listened to so far."""
        if end_ns <= self.given_up_ns:
            return True
        if end_ns > self.clock_ns or not any(each >= end_ns for each in self.evaluated_ns.values()):
            return False
        ends = [self.evaluated_ns[code] for code in codes if code in self.evaluated_ns]
        return all(each >= end_ns for each in ends if each > self.given_up_ns)
