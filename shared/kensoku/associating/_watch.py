"""Association of a live stream of picks: what is new after each step of an absolute grid of event time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from kensoku.associating._associate import NS_PER_S, STRETCH_NS, Candidate, without
from kensoku.associating._life import Event, Fate, Known, Matched, content_of, match
from kensoku.associating._messages import association_of, names_of, onset_of, silent_stations, station_of
from kensoku.associating._network import Network
from kensoku.associating._seams import GONE, Seams, claim_of, fits_of, why
from kensoku.associating._stretches import NEIGHBOURS, Stretches
from kensoku.regions import SEAM_KM, Ground
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    EventStatus,
)
from kensoku.v1.pick_pb2 import DECISION_FAINT, Pick, PickMeasurement, Progress

TICK_NS = NS_PER_S // 2


@dataclass(frozen=True, slots=True)
class WatchSettings:
    early_log_odds: float = 8.0  # of a first declaration, while more may come, with as many clear P as suffice
    sure_log_odds: float = 16.0  # with fewer clear P: S and faint P are often those of several earthquakes
    doubt_s: float = 8.0  # after the last word of an event, that whose picks fit no common origin is taken back
    after_p_s: float = 3.0  # after the predicted P, then a station without a pick is silent
    lateness_s: float = 70.0  # of a station: nobody waits longer
    kept_events: int = 20_000  # final ones, for picks that are filled in later


@dataclass
class Watch:
    """What is known of a region; its answers follow from the messages alone, in whatever batches they come."""

    region: str
    network: Network
    settings: WatchSettings = field(default_factory=WatchSettings)
    ground: Ground | None = None  # None: the whole Earth

    def __post_init__(self) -> None:
        self._seams = Seams(self.ground or Ground(self.region), self.settings.kept_events)
        self._stretches = Stretches(self.network, self.settings.lateness_s)
        self._pool, self._listening = self._stretches.pool, self._stretches.listening
        self._events: dict[str, Event] = {}
        self._changed: set[str] = set()  # picks measured since the last step
        self._open: set[str] = set()  # events that may change
        self._contested: set[str] = set()  # events that a neighbour has said something about since the last step
        self._left: dict[str, Association] = {}  # final, and a neighbour's to tell unless its own ends with less

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
            self._contested.add(association.event_id)

    def replace_network(self, network: Network, ground: Ground | None = None) -> None:
        """Of other stations or regions: what is open is thought over."""
        self.network = network
        if ground is not None:
            self._seams.move(ground)
            self._contested |= self._open
        self._stretches.replace_network(network)

    def add(self, pick: Pick) -> bool:
        """Whether it is new and can belong to an event."""
        onset = onset_of(pick)
        if onset is None or pick.id in self._pool.picks or onset.station not in self.network.number:
            return False
        self._reopen(self._stretches.reopened_by(onset.onset_ns))
        self._stretches.put(pick, onset)
        return True

    def measure(self, measurement: PickMeasurement) -> None:
        if measurement.late and (stretches := self._stretches.reopened_by(measurement.onset_ns)):
            self._reopen(stretches)
            self._stretches.search_again(measurement.onset_ns)
        if self._pool.measure(measurement):
            self._changed.add(measurement.id)

    def hear(self, progress: Progress) -> None:
        self._listening.hear(progress)

    def hear_neighbour(self, told: Association) -> bool:
        """Whether what another region has told is new, and may be of an earthquake that we tell or may tell: wherever
        it sees it, for ours may have moved there."""
        is_near = any(station_of(each.pick.instrument) in self.network.number for each in told.picks)
        if not self._seams.hear(told, is_near=is_near):
            return False
        time_ns = told.trial.time_ns
        self._contested |= {name for name, event in self._events.items() if abs(event.time_ns - time_ns) < STRETCH_NS}
        return True

    @property
    def tick_ns(self) -> int:
        """The last step of the grid that event time has passed."""
        return self._listening.clock_ns // TICK_NS * TICK_NS

    # --- what comes out -----------------------------------------------------------------------------------------------

    def step(self) -> list[Association]:
        """What is new: the same for the same picks, whenever it is asked."""
        groups = list(self._own(self._stretches.groups()))
        here = {member[0] for group in groups for member in group.members}  # thought over anew
        self._left = {name: each for name, each in self._left.items() if here.isdisjoint(p.pick.id for p in each.picks)}
        matched = self._matched(groups)
        told = [*self._gone(matched.gone)]
        told += [each for name, group in matched.goes_on.items() if (each := self._goes_on(name, group))]
        told += [each for group, parent in matched.new if (each := self._declared(group, parent))]
        told += self._taken_back()
        told += self._given_up(self._contested | {each.event_id for each in told})
        self._changed.clear()
        self._prune()
        return sorted(told, key=lambda each: (each.trial.time_ns, each.event_id))

    def finish(self) -> list[Association]:
        """What is left when nothing more will come: every event is final."""
        self._listening.end()
        late_ns = round(self.settings.lateness_s * NS_PER_S) + self._stretches.spare_ns()
        self._listening.pass_time(self._listening.clock_ns + late_ns)
        return self.step()

    @property
    def oldest_needed_ns(self) -> int:
        """Onset of the oldest pick that may still count."""
        left = (each.trial.time_ns // STRETCH_NS - 2 for each in self._left.values())
        return (min([self._stretches.closed, *left]) - NEIGHBOURS) * STRETCH_NS

    def __len__(self) -> int:
        return len(self._pool)

    def _own(self, groups: Iterable[Candidate]) -> Iterator[Candidate]:
        """Without the picks of neighbours' earthquakes. Both sides compare what was told; a last word stays."""
        events = [self._events[name] for name in self._open] if self._seams.has_claims else []
        told = {pick: fit for event in events for pick, fit in fits_of(event.association).items()}
        last_words = {pick for event in events if event.is_final for pick in event.picks}
        for group in groups:
            fits = {pick: told.get(pick, (-chance, abs(late_s))) for pick, _, late_s, chance in group.members}
            own = without(group, self._seams.lost(fits) - last_words, self.network.settings.least_picks)
            if own is not None:
                yield own

    def _matched(self, groups: Sequence[Candidate]) -> Matched:
        """The picks of a last word that is not said again stay its own."""
        matched = match(groups, self._known())
        events = {each.members[0][0]: name for name, each in matched.goes_on.items()}  # by the first pick of a group
        kept = {
            pick: name
            for name in self._open
            if (event := self._events[name]).is_final and not self._is_filled_in(event, matched.goes_on.get(name))
            for pick in event.picks
        }
        own = []
        for group in groups:
            mine = events.get(group.members[0][0], "")
            lost = {pick for pick, *_ in group.members if kept.get(pick, mine) != mine}
            own.append(without(group, lost, self.network.settings.least_picks) if lost else group)
        left = [each for each in own if each is not None]
        return matched if own == groups else match(left, self._known())

    def _is_filled_in(self, event: Event, group: Candidate | None) -> bool:
        """Whether late picks have come, or have been measured, that its last word knew nothing of."""
        picks = {member[0] for member in group.members} if group else set()
        return any(self._pool.picks[pick].late for pick in picks - event.picks | picks & self._changed)

    def _known(self) -> Iterator[Known]:
        for name in self._open:
            event = self._events[name]
            if event.association.status not in GONE:
                yield Known(name, event.first, event.picks, event.is_final)

    def _gone(self, gone: Mapping[str, tuple[Fate, str]]) -> Iterator[Association]:
        """Among many earthquakes picks often fit no common origin for a second or two, until more of them come."""
        doubt_ns = round(self.settings.doubt_s * NS_PER_S)
        for name, (fate, into) in gone.items():
            event = self._events[name]
            if fate is Fate.MERGED:
                yield self._ended(name, EVENT_STATUS_MERGED, into, f"its picks are those of {into}")
            elif self.tick_ns >= event.association.tick_ns + doubt_ns or self._stretches.is_over(event.time_ns):
                yield self._ended(name, EVENT_STATUS_RETRACTED, "", "its picks fit no common origin any more")

    def _given_up(self, names: Collection[str]) -> Iterator[Association]:
        """Ours that a neighbour tells as well, and shall tell alone."""
        self._contested = set()
        for name in sorted(names):
            if name in self._events and self._events[name].association.status not in GONE:
                mine = claim_of(self._events[name].association, self._seams.ground)
                if (other := self._seams.leader(mine)) is not None:
                    yield self._ended(name, EVENT_STATUS_MERGED, other.event_id, why(mine, other))

    def _ended(self, name: str, status: EventStatus, into: str, reason: str) -> Association:
        event, association = self._events[name], Association()
        association.CopyFrom(event.association)
        association.status, association.merged_into, association.reason = status, into, reason
        return self._told(association, event.association.revision + 1, event.first)

    def _goes_on(self, name: str, group: Candidate) -> Association | None:
        event = self._events[name]
        is_final = event.is_final or self._stretches.is_final(group)
        picks = {member[0] for member in group.members}
        if event.is_final and not self._is_filled_in(event, group):
            return None
        status = EVENT_STATUS_FINAL if is_final else EVENT_STATUS_UPDATED
        association = self._association(group, status)
        same = content_of(association) == content_of(event.association) and not picks & self._changed
        if same and (status == event.association.status or not is_final):
            return None
        association.event_id, association.split_from = name, event.association.split_from
        association.seam = event.association.seam
        if event.is_final:
            association.reason = "backfill"
        return self._told(association, event.association.revision + 1, event.first)

    def _is_early(self, group: Candidate) -> bool:
        rules = self.network.settings
        clear_p = sum(
            phase == 0 and self._pool.picks[pick].decision != DECISION_FAINT for pick, phase, *_ in group.members
        )
        many_p = clear_p >= rules.least_p
        needed = self.settings.early_log_odds if many_p else self.settings.sure_log_odds
        return group.log_odds >= rules.least_log_odds + needed

    def _declared(self, group: Candidate, parent: str) -> Association | None:
        is_final = self._stretches.is_final(group)
        if not is_final and not self._is_early(group):
            return None
        names = names_of(group, self.region, self._pool.picks)
        mine = self._seams.claim(names[0], group, is_final=is_final)
        onsets_ns = (self._pool.picks[pick].onset_ns for pick in mine.picks)
        is_others = self._seams.is_others(mine, group, onsets_ns, self._listening.clock_ns)
        if is_others and (not is_final or mine.outside_km > SEAM_KM):
            return None
        association = self._association(group, EVENT_STATUS_FINAL if is_final else EVENT_STATUS_PRELIMINARY)
        association.split_from = parent
        for name in names:
            before = self._events.get(name)
            if before is None or before.association.status in GONE:
                association.event_id = name
                break
        place = group.latitude_deg, group.longitude_deg
        association.seam = before.association.seam if before else self._seams.ground.seam(*place)
        association.revision = before.association.revision + 1 if before else 1
        if is_others:
            self._left[association.event_id] = association
            return None
        return self._told(association, association.revision, mine.picks)

    def _taken_back(self) -> Iterator[Association]:
        """Final ones that were left to neighbours, whose own have ended with less or have gone since: perhaps only when
        the picks that would find them here again are forgotten."""
        for name, association in list(self._left.items()):
            rival = self._seams.rival(claim_of(association, self._seams.ground))
            if rival is None or rival.is_final:
                del self._left[name]
            if rival is None:
                lost = self._seams.lost(fits_of(association))
                for each in [each for each in association.picks if each.pick.id in lost]:
                    association.picks.remove(each)
                yield self._told(association, association.revision, frozenset(p.pick.id for p in association.picks))

    def _association(self, group: Candidate, status: EventStatus) -> Association:
        has_heard = partial(self._listening.has_heard, after_s=self.settings.after_p_s)
        codes = silent_stations(group, self.network, self._pool.picks, has_heard)
        silent = [self._listening.instruments[code] for code in codes]
        return association_of(group, status, self.region, self._pool.picks, self._pool.measurements, silent)

    def _told(self, association: Association, revision: int, first: frozenset[str]) -> Association:
        association.revision, association.tick_ns = revision, self.tick_ns
        self._events[association.event_id] = Event(association, first)
        self._open.add(association.event_id)
        return association

    # --- what is kept -------------------------------------------------------------------------------------------------

    def _prune(self) -> None:
        """Forget what can change nothing: stretches before the last ones, and the oldest final events."""
        oldest = self._stretches.forget()
        for name in [
            each for each in self._open if self._events[each].time_ns // STRETCH_NS < oldest - 1
        ]:  # an origin near the edge
            self._open.discard(name)
        if len(self._events) > self.settings.kept_events:
            by_age = sorted(self._events, key=lambda name: (self._events[name].time_ns, name))
            for name in by_age[: len(self._events) - self.settings.kept_events]:
                del self._events[name]
                self._open.discard(name)

    def _reopen(self, stretches: range) -> None:
        """Picks of known events come back beside one that is filled in."""
        for name, event in self._events.items() if stretches else ():
            if event.time_ns // STRETCH_NS in stretches and event.is_final:
                self._open.add(name)
                self._pool.put_back(event.association)
