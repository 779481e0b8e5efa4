"""How far stations have been listened to, as triggering tells it."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import reduce

from kensoku.associating._associate import NS_PER_S
from kensoku.associating._messages import station_of
from kensoku.v1.pick_pb2 import Instrument, Progress

MARK_NS = 2 * NS_PER_S  # of event time, between two marks
MOST_MARKS = 10_800
BESIDE_NS = NS_PER_S // 2  # of a gap nothing is picked
MOST_GAPS = 1_000  # of a station
PATIENCE_NS = 6 * 3600 * NS_PER_S  # of event time: longer nobody is waited for

Gap = tuple[int, int]  # begin and end, ns


class Listening:
    """A station that falls behind by the lateness, or was never heard of, is waited for no longer; but if triggering
    has not read yet what came from it until others were so far. After an outage it reads some minutes of one
    station, then of another."""

    def __init__(self, lateness_s: float) -> None:
        self._lateness_ns = round(lateness_s * NS_PER_S)
        self.evaluated_ns: dict[str, int] = {}
        self.instruments: dict[str, Instrument] = {}
        self.gaps_ns: dict[str, list[Gap]] = {}  # in which no instrument of a station recorded anything
        self.clock_ns = 0  # event time
        self._partition: dict[str, int] = {}  # of a station
        self._read_to_ns: dict[int, int] = {}  # by partition, wall-clock
        self._marks: list[tuple[int, int]] = []  # event time, and wall-clock to which the first was read that got there
        self._is_over = False

    def hear(self, progress: Progress) -> None:
        read_to_ns = self._read_to_ns[progress.partition] = max(
            self._read_to_ns.get(progress.partition, 0), progress.read_to_ns
        )
        gaps = defaultdict[str, list[Sequence[Gap]]](list)
        for one in progress.instruments:
            code = station_of(one.instrument)
            if not one.idle:
                gaps[code].append([(gap.start_ns - BESIDE_NS, gap.end_ns + BESIDE_NS) for gap in one.gaps])
            self.instruments.setdefault(code, one.instrument)
            self._partition[code] = progress.partition
            if one.evaluated_to_ns > self.evaluated_ns.get(code, 0):
                self.evaluated_ns[code] = one.evaluated_to_ns
                self.pass_time(one.evaluated_to_ns)
                self._mark(one.evaluated_to_ns, read_to_ns)
        for code, told in gaps.items():
            if common := reduce(_both, told):
                self.gaps_ns[code] = _united([*self.gaps_ns.get(code, ()), *common])[-MOST_GAPS:]

    def has_heard(self, code: str, at_ns: int, after_s: float) -> bool:
        """Whether a station was listened to at a moment, and so long after it."""
        known = self.gaps_ns.get(code, ())
        number = bisect_right(known, at_ns, key=lambda gap: gap[1])
        is_in_gap = number < len(known) and known[number][0] <= at_ns
        return not is_in_gap and self.evaluated_ns.get(code, 0) > at_ns + round(after_s * NS_PER_S)

    def pass_time(self, to_ns: int) -> None:
        self.clock_ns = max(self.clock_ns, to_ns)

    def end(self) -> None:
        """Nothing more will come."""
        self._is_over = True

    @property
    def given_up_ns(self) -> int:
        """Nothing before this is waited for."""
        waited_for = (each for code, each in self.evaluated_ns.items() if not self._is_given_up(code))
        return min(self.clock_ns - self._lateness_ns, min(waited_for, default=self.clock_ns))

    def is_past(self, end_ns: int, codes: Collection[str]) -> bool:
        """Whether each of these stations that is not given up has been listened to so far."""
        ends = {code: self.evaluated_ns[code] for code in codes if code in self.evaluated_ns}
        waited_for = (code for code, each in ends.items() if each < end_ns)
        if end_ns > self.clock_ns - self._lateness_ns and (
            end_ns > self.clock_ns or not any(each >= end_ns for each in self.evaluated_ns.values())
        ):
            return False
        return all(self._is_given_up(code) for code in waited_for)

    def _is_given_up(self, code: str) -> bool:
        deadline_ns = self.evaluated_ns[code] + self._lateness_ns
        if deadline_ns > self.clock_ns:
            return False
        read_to_ns = self._read_to_ns.get(self._partition[code], 0)
        if not read_to_ns or self._is_over or deadline_ns < self.clock_ns - PATIENCE_NS:
            return True
        mark = bisect_left(self._marks, (deadline_ns, 0))
        return mark < len(self._marks) and self._marks[mark][1] <= read_to_ns

    def _mark(self, event_ns: int, read_to_ns: int) -> None:
        if not self._marks or event_ns >= self._marks[-1][0] + MARK_NS:
            self._marks.append((event_ns, read_to_ns))
            del self._marks[:-MOST_MARKS]


def _both(one: Sequence[Gap], other: Sequence[Gap]) -> Sequence[Gap]:
    """What is in a gap of either."""
    common = [(max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other]
    return [gap for gap in common if gap[0] < gap[1]]


def _united(gaps: Sequence[Gap]) -> list[Gap]:
    """Sorted; those that touch are one."""
    united: list[Gap] = []
    for begin, end in sorted(gaps):
        if united and begin <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((begin, end))
    return united
