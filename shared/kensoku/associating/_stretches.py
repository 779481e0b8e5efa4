"""Picks as they come, and what was found among them: a stretch of time is searched anew when something in it is."""

from collections.abc import Collection

import numpy as np

from kensoku.associating._associate import (
    NS_PER_S,
    STRETCH_NS,
    Candidate,
    at_once,
    candidates,
    resolve,
    span_of,
    stretches_of,
)
from kensoku.associating._listening import Listening
from kensoku.associating._messages import distances_km, station_of
from kensoku.associating._network import Network
from kensoku.associating._pool import Pool
from kensoku.associating._values import Onset
from kensoku.v1.pick_pb2 import Pick

NEIGHBOURS = 4  # stretches whose events compete for picks
EXPECTED_AT = 1.5  # times the distance of the farthest station that picked it, an event may still be picked
EXPECTED_KM = 50.0  # at the least
NOT_KNOWN = 1 << 62


class Stretches:
    """Of a region's time, those that may still change."""

    def __init__(self, network: Network, lateness_s: float) -> None:
        self.pool, self.listening = Pool(), Listening(lateness_s)
        self._network = network
        self._found: dict[int, list[Candidate]] = {}
        self._stale: set[int] = set()
        self._incomplete: set[int] = set()  # that were searched while more was to come
        self._closed = 0  # this one and all before it are settled
        self._whole = NOT_KNOWN  # of this one and all after it no pick was forgotten
        self._reopened: set[int] = set()  # since the last step

    def replace_network(self, network: Network) -> None:
        self._network = network
        self._stale.update(self._found)

    def reopened_by(self, onset_ns: int) -> range:
        """Stretches whose picks were forgotten and must be there again beside such an onset, wherever it is sought."""
        stretch, earliest = onset_ns // STRETCH_NS, stretches_of(np.array([onset_ns]), self._network)[0]
        self._closed = self._closed or stretch - 2 * NEIGHBOURS
        if earliest >= self._whole or stretch in self._reopened:
            return range(0)
        self._reopened.add(stretch)
        self._closed = min(self._closed, stretch)
        return range(stretch - NEIGHBOURS, stretch + NEIGHBOURS + 1)

    def put(self, pick: Pick, onset: Onset) -> None:
        self.pool.put(pick, onset)
        self.search_again(onset.onset_ns)
        self._stale.update(self._found.keys() & {onset.onset_ns // STRETCH_NS + 1})  # its event may compete for others
        self.listening.pass_time(max(pick.latency.last_sample_ns, onset.onset_ns))

    def search_again(self, onset_ns: int) -> None:
        """Wherever an event may have begun that made such an onset."""
        self._stale.update(stretches_of(np.array([onset_ns]), self._network))

    def groups(self) -> list[Candidate]:
        """All events in what is open, the surest first; what is new is searched."""
        self._stale.update(each for each in self._incomplete if self._is_closed(each))
        for stretch in self._stale:
            (self._incomplete.discard if self._is_closed(stretch) else self._incomplete.add)(stretch)
        stale, self._stale = sorted(self._stale), set()
        self._found.update(zip(stale, at_once(self._search, stale), strict=True))
        everything = [each for stretch in self._found.values() for each in stretch]
        return sorted(resolve(everything, self._network.settings.least_picks), key=lambda each: each.rank)

    def _search(self, stretch: int) -> list[Candidate]:
        onsets = self.pool.span(stretch, self._network)
        known = self.listening
        return candidates(stretch, onsets, self._network, known.evaluated_ns, known.clock_ns, known.gaps_ns)

    @property
    def closed(self) -> int:
        """This one and all before it are settled."""
        return self._closed

    def forget(self) -> int:
        """What can change nothing; returns the oldest stretch that is kept."""
        self._closed = max(self._closed, (self.listening.given_up_ns - span_of(0, self._network)[1]) // STRETCH_NS)
        while self._is_closed(self._closed + 1):
            self._closed += 1
        oldest = self._closed - NEIGHBOURS
        self._whole = oldest if self._whole == NOT_KNOWN else max(self._whole, oldest)
        self._reopened.clear()
        for stretch in [each for each in self._found if each < oldest]:
            del self._found[stretch]
            self._incomplete.discard(stretch)
        self.pool.forget_before(oldest - 1)
        return oldest

    def spare_ns(self) -> int:
        """After its end a stretch is settled so much later at the latest."""
        return round(self._network.longest_s * NS_PER_S) + NEIGHBOURS * STRETCH_NS

    def _is_closed(self, stretch: int) -> bool:
        """Every station that is not given up has been listened to past all picks that decide about it."""
        return self._is_past(stretch, self._network.codes)

    def is_over(self, time_ns: int) -> bool:
        """Whether no more picks will come for an event of then: event time may stand, as when one station is ahead."""
        return self._is_closed(time_ns // STRETCH_NS + 1)

    def is_final(self, group: Candidate) -> bool:
        """The same, of those stations that may still pick the event: one that is slow far away delays it not."""
        if span_of(group.stretch + 1, self._network)[1] > self.listening.clock_ns:
            return False
        distances = dict(zip(self._network.codes, distances_km(group, self._network), strict=True))
        heard = {station_of(self.pool.picks[member[0]].instrument) for member in group.members}
        farthest_km = max(EXPECTED_AT * max(distances.get(code, 0.0) for code in heard), EXPECTED_KM)
        return self._is_past(group.stretch + 1, [code for code, km in distances.items() if km <= farthest_km])

    def _is_past(self, stretch: int, codes: Collection[str]) -> bool:
        return self.listening.is_past(span_of(stretch, self._network)[1], codes)
