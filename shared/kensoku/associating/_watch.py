"""Association of a live stream of picks: what is new after each step of an absolute grid of event time."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from kensoku.associating._associate import (
    NS_PER_S,
    STRETCH_NS,
    Candidate,
    candidates,
    one_a_site,
    resolve,
    span_of,
    stretches_of,
)
from kensoku.associating._life import Fate, Known, match
from kensoku.associating._messages import (
    association_of,
    names_of,
    onset_of,
    silent_stations,
    station_of,
)
from kensoku.associating._network import Network
from kensoku.associating._values import Onset
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    EventStatus,
)
from kensoku.v1.pick_pb2 import Instrument, Pick, PickMeasurement, Progress

TICK_NS = NS_PER_S // 2
NEIGHBOURS = 4  # stretches whose events compete for picks
GONE = (EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    early_log_odds: float = 4.0  # of a first declaration, while more may come
    after_p_s: float = 3.0  # after the predicted P, then a station without a pick is silent
    lateness_s: float = 70.0  # of a station: nobody waits longer
    kept_events: int = 20_000  # final ones, for picks that are filled in later


@dataclass(slots=True)
class Event:
    """As it was last told."""

    association: Association
    first: frozenset[str]

    @property
    def picks(self) -> frozenset[str]:
        return frozenset(each.pick.id for each in self.association.picks)

    @property
    def is_final(self) -> bool:
        return bool(self.association.status == EVENT_STATUS_FINAL)


@dataclass
class Watch:
    """What is known of a region; its answers follow from the messages alone, in whatever batches they come."""

    region: str
    network: Network
    settings: WatchSettings = field(default_factory=WatchSettings)

    def __post_init__(self) -> None:
        self._picks: dict[str, Pick] = {}
        self._measurements: dict[str, PickMeasurement] = {}
        self._onsets: dict[int, dict[str, Onset]] = {}  # by stretch
        self._found: dict[int, list[Candidate]] = {}
        self._stale: set[int] = set()
        self._evaluated_ns: dict[str, int] = {}
        self._instruments: dict[str, Instrument] = {}
        self._events: dict[str, Event] = {}
        self._changed: set[str] = set()  # picks measured since the last step
        self._open: set[str] = set()  # events that may change
        self._incomplete: set[int] = set()  # stretches that were searched while more was to come
        self._clock_ns = 0
        self._closed = 0  # this stretch and all before it are settled

    # --- what comes in ------------------------------------------------------------------------------------------------

    def recall(self, told: Iterable[Association]) -> None:
        """One's own output, oldest first: these events keep their ids, and no older revision is told again."""
        for association in told:
            before = self._events.get(association.event_id)
            if before and (before.association.revision, before.association.owner_epoch) >= (
                association.revision,
                association.owner_epoch,
            ):
                continue
            picks = frozenset(each.pick.id for each in association.picks)
            self._events[association.event_id] = Event(association, before.first if before else picks)
            self._open.add(association.event_id)

    def replace_network(self, network: Network) -> None:
        """Of other stations: what is open is thought over."""
        self.network = network
        self._stale.update(self._found)

    def add(self, pick: Pick) -> bool:
        """Whether it is new and can belong to an event."""
        onset = onset_of(pick)
        if onset is None or pick.id in self._picks or onset.station not in self.network.number:
            return False
        stretch = onset.onset_ns // STRETCH_NS
        self._closed = self._closed or stretch - 2 * NEIGHBOURS
        if stretch < self._closed - NEIGHBOURS:
            self._reopen(stretch)
        self._picks[pick.id] = pick
        self._onsets.setdefault(stretch, {})[pick.id] = onset
        self._stale.update(stretches_of(np.array([onset.onset_ns]), self.network))
        self._clock_ns = max(self._clock_ns, pick.latency.last_sample_ns, onset.onset_ns)
        return True

    def measure(self, measurement: PickMeasurement) -> None:
        if measurement.id in self._picks and measurement.id not in self._measurements:
            self._measurements[measurement.id] = measurement
            self._changed.add(measurement.id)

    def hear(self, progress: Progress) -> None:
        for one in progress.instruments:
            code = station_of(one.instrument)
            self._instruments.setdefault(code, one.instrument)
            if one.evaluated_to_ns > self._evaluated_ns.get(code, 0):
                self._evaluated_ns[code] = one.evaluated_to_ns
                self._clock_ns = max(self._clock_ns, one.evaluated_to_ns)

    @property
    def tick_ns(self) -> int:
        """The last step of the grid that event time has passed."""
        return self._clock_ns // TICK_NS * TICK_NS

    # --- what comes out -----------------------------------------------------------------------------------------------

    def step(self) -> list[Association]:
        """What is new: the same for the same picks, whenever it is asked."""
        self._stale.update(each for each in self._incomplete if self._is_closed(each))
        for stretch in sorted(self._stale):
            (self._incomplete.discard if self._is_closed(stretch) else self._incomplete.add)(stretch)
            self._found[stretch] = candidates(
                stretch, self._span(stretch), self.network, self._evaluated_ns, self._clock_ns
            )
        self._stale.clear()
        everything = [each for stretch in self._found.values() for each in stretch]
        groups = sorted(resolve(everything, self.network.settings.least_picks), key=lambda each: each.rank)
        matched = match(groups, self._known())
        told = [*self._gone(matched.gone)]
        told += [each for name, group in matched.goes_on.items() if (each := self._goes_on(name, group))]
        told += [each for group, parent in matched.new if (each := self._declared(group, parent))]
        self._changed.clear()
        self._prune()
        return sorted(told, key=lambda each: (each.trial.time_ns, each.event_id))

    def finish(self) -> list[Association]:
        """What is left when nothing more will come: every event is final."""
        self._clock_ns += round((self.network.longest_s + self.settings.lateness_s) * NS_PER_S) + 4 * STRETCH_NS
        return self.step()

    @property
    def oldest_needed_ns(self) -> int:
        """Onset of the oldest pick that may still count."""
        return (self._closed - NEIGHBOURS) * STRETCH_NS

    def __len__(self) -> int:
        return len(self._picks)

    def _span(self, stretch: int) -> list[Onset]:
        begin, end = span_of(stretch, self.network)
        numbers = range(begin // STRETCH_NS, end // STRETCH_NS + 1)
        onsets = (onset for number in numbers for onset in self._onsets.get(number, {}).values())
        return [each for each in one_a_site(onsets, self.network) if begin <= each.onset_ns < end]

    def _known(self) -> Iterator[Known]:
        for name in self._open:
            event = self._events[name]
            if event.association.status not in GONE:
                yield Known(name, event.first, event.picks, event.is_final)

    def _gone(self, gone: Mapping[str, tuple[Fate, str]]) -> Iterator[Association]:
        for name, (fate, into) in gone.items():
            last = self._events[name].association
            status = EVENT_STATUS_MERGED if fate is Fate.MERGED else EVENT_STATUS_RETRACTED
            reason = f"its picks are those of {into}" if into else "its picks fit no common origin any more"
            association = Association()
            association.CopyFrom(last)
            association.status, association.merged_into, association.reason = status, into, reason
            yield self._told(association, last.revision + 1, self._events[name].first)

    def _goes_on(self, name: str, group: Candidate) -> Association | None:
        event = self._events[name]
        is_final = event.is_final or self._is_closed(group.stretch + 1)
        picks = {member[0] for member in group.members}
        if event.is_final and not any(self._picks[pick].late for pick in picks - event.picks):
            return None
        status = EVENT_STATUS_FINAL if is_final else EVENT_STATUS_UPDATED
        association = self._association(group, status)
        same = _content(association) == _content(event.association) and not picks & self._changed
        if same and (status == event.association.status or not is_final):
            return None
        association.event_id, association.split_from = name, event.association.split_from
        if event.is_final:
            association.reason = "backfill"
        return self._told(association, event.association.revision + 1, event.first)

    def _declared(self, group: Candidate, parent: str) -> Association | None:
        is_final = self._is_closed(group.stretch + 1)
        if not is_final and group.log_odds < self.network.settings.least_log_odds + self.settings.early_log_odds:
            return None
        association = self._association(group, EVENT_STATUS_FINAL if is_final else EVENT_STATUS_PRELIMINARY)
        association.split_from = parent
        for name in names_of(group, self.region, self._picks):
            before = self._events.get(name)
            if before is None or before.association.status in GONE:
                association.event_id = name
                break
        revision = before.association.revision + 1 if before else 1
        return self._told(association, revision, frozenset(member[0] for member in group.members))

    def _association(self, group: Candidate, status: EventStatus) -> Association:
        codes = silent_stations(group, self.network, self._picks, self._evaluated_ns, self.settings.after_p_s)
        silent = [self._instruments[code] for code in codes if code in self._instruments]
        return association_of(group, status, self.region, self._picks, self._measurements, silent)

    def _told(self, association: Association, revision: int, first: frozenset[str]) -> Association:
        association.revision, association.tick_ns = revision, self.tick_ns
        self._events[association.event_id] = Event(association, first)
        self._open.add(association.event_id)
        return association

    # --- what is kept -------------------------------------------------------------------------------------------------

    def _prune(self) -> None:
        """Forget what can change nothing: stretches before the last ones, and the oldest final events."""
        while self._is_closed(self._closed + 1):
            self._closed += 1
        oldest = self._closed - NEIGHBOURS
        for stretch in [each for each in self._found if each < oldest]:
            del self._found[stretch]
            self._incomplete.discard(stretch)
        for name in [each for each in self._open if self._stretch(each) < oldest - 1]:  # an origin near the edge
            self._open.discard(name)
        for stretch in [each for each in self._onsets if each < oldest - 1]:
            for pick in self._onsets.pop(stretch):
                del self._picks[pick]
                self._measurements.pop(pick, None)
        if len(self._events) > self.settings.kept_events:
            by_age: list[tuple[int, str]] = []
            for name, event in self._events.items():
                insort(by_age, (event.association.trial.time_ns, name))
            for _, name in by_age[: len(self._events) - self.settings.kept_events]:
                del self._events[name]
                self._open.discard(name)

    def _stretch(self, name: str) -> int:
        return int(self._events[name].association.trial.time_ns // STRETCH_NS)

    def _is_closed(self, stretch: int) -> bool:
        """Every station that is not given up has been listened to past all picks that decide about it."""
        end_ns = span_of(stretch, self.network)[1]
        given_up_ns = self._clock_ns - round(self.settings.lateness_s * NS_PER_S)
        return end_ns <= given_up_ns or (
            end_ns <= self._clock_ns
            and any(each >= end_ns for each in self._evaluated_ns.values())
            and all(each >= end_ns for each in self._evaluated_ns.values() if each > given_up_ns)
        )

    def _reopen(self, stretch: int) -> None:
        """Picks of known events come back beside one that is filled in."""
        begin, end = (stretch - NEIGHBOURS) * STRETCH_NS, (stretch + NEIGHBOURS + 1) * STRETCH_NS
        self._closed = min(self._closed, stretch)
        for name, event in self._events.items():
            if not begin <= event.association.trial.time_ns < end or event.association.status in GONE:
                continue
            self._open.add(name)
            for each in event.association.picks:
                onset = onset_of(each.pick)
                if onset is not None and each.pick.id not in self._picks:
                    self._picks[each.pick.id] = each.pick
                    self._onsets.setdefault(onset.onset_ns // STRETCH_NS, {})[onset.id] = onset
                    if each.HasField("measurement"):
                        self._measurements[each.pick.id] = each.measurement


def _content(association: Association) -> tuple[object, ...]:
    """What makes a new revision when it changes."""
    return tuple((each.pick.id, each.phase) for each in association.picks)
