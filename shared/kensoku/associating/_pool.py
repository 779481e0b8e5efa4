"""The picks that may still count, and what was measured of them."""

from kensoku.associating._associate import STRETCH_NS, one_a_site, span_of
from kensoku.associating._messages import onset_of
from kensoku.associating._network import Network
from kensoku.associating._values import Onset
from kensoku.v1.association_pb2 import Association
from kensoku.v1.pick_pb2 import Pick, PickMeasurement


class Pool:
    """By the minute of their onsets."""

    def __init__(self) -> None:
        self.picks: dict[str, Pick] = {}
        self.measurements: dict[str, PickMeasurement] = {}
        self._onsets: dict[int, dict[str, Onset]] = {}

    def __len__(self) -> int:
        return len(self.picks)

    def put(self, pick: Pick, onset: Onset) -> None:
        self.picks[pick.id] = pick
        self._onsets.setdefault(onset.onset_ns // STRETCH_NS, {})[pick.id] = onset

    def measure(self, measurement: PickMeasurement) -> bool:
        """Whether it is the first of a pick that is here."""
        is_first = measurement.id in self.picks and measurement.id not in self.measurements
        if is_first:
            self.measurements[measurement.id] = measurement
        return is_first

    def span(self, stretch: int, network: Network) -> list[Onset]:
        """Those that decide what happened in it."""
        begin, end = span_of(stretch, network)
        numbers = range(begin // STRETCH_NS, end // STRETCH_NS + 1)
        onsets = (onset for number in numbers for onset in self._onsets.get(number, {}).values())
        return [each for each in one_a_site(onsets, network) if begin <= each.onset_ns < end]

    def put_back(self, association: Association) -> None:
        """What an event was told of, when it was forgotten meanwhile."""
        for each in association.picks:
            onset = onset_of(each.pick)
            if onset is not None and each.pick.id not in self.picks:
                self.put(each.pick, onset)
                if each.HasField("measurement"):
                    self.measurements[each.pick.id] = each.measurement

    def forget_before(self, stretch: int) -> None:
        for number in [each for each in self._onsets if each < stretch]:
            for pick in self._onsets.pop(number):
                del self.picks[pick]
                self.measurements.pop(pick, None)
