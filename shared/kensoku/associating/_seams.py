"""Of two regions that see one earthquake near the edge between them, which of them tells it."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace

from kensoku.associating._associate import NS_PER_S, Candidate
from kensoku.regions import SEAM_KM, Ground
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED

GONE = (EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED)
SPARE_KM = 5.0  # beyond the seam: what was told before may move so far, or it would go to and fro
COURTESY_NS = 5 * NS_PER_S  # after its fourth pick, in which the region where an event lies may tell it first
ENOUGH = 4  # picks of a first declaration
SAME_SHARE = 0.5  # of the picks of the smaller of two

Fit = tuple[float, float]  # of a pick and its event: the least explains most


@dataclass(frozen=True, slots=True)
class Claim:
    """An event, as one region sees it."""

    event_id: str
    region: str
    picks: frozenset[str]
    outside_km: float  # of its own region
    is_final: bool
    time_ns: int
    is_off_the_map: bool = False  # its region was taken away

    @property
    def rank(self) -> tuple[int, bool, str]:
        """The least leads."""
        return -len(self.picks), self.outside_km > 0, self.event_id

    @property
    def is_out(self) -> bool:
        """Where its region tells nothing new."""
        return self.is_off_the_map or self.outside_km > SEAM_KM + SPARE_KM


def fits_of(told: Association) -> dict[str, Fit]:
    return {each.pick.id: (-each.probability, abs(each.residual_s)) for each in told.picks}


def claim_of(told: Association, ground: Ground) -> Claim:
    picks = frozenset(each.pick.id for each in told.picks)
    own, is_final = Ground(told.region, ground.regions), told.status == EVENT_STATUS_FINAL
    outside_km = own.outside_km(told.trial.latitude_deg, told.trial.longitude_deg)
    return Claim(told.event_id, told.region, picks, outside_km, is_final, told.trial.time_ns, own.is_off_the_map)


def is_same(one: Claim, other: Claim) -> bool:
    """Whether they are of one earthquake. A pick has one id in all regions; places and times would not tell two
    earthquakes of one second and place apart."""
    return _are_same(one.picks, other.picks)


def _are_same(one: Set[str], other: Set[str]) -> bool:
    least = SAME_SHARE * min(len(one), len(other))
    return 0 < least <= len(one & other)


def is_beaten(mine: Claim, other: Claim) -> bool:
    """Of two that were both told: what has moved out of its region is given over; while they grow, what does not
    change decides; in the end the fuller one leads, so that it matters to no catalogue which was told first. A last
    word waits for the other's: the picks to say it again with may be forgotten when that is of less."""
    if mine.is_final and not other.is_final:
        return False
    if mine.is_out != other.is_out:
        return mine.is_out
    return other.rank < mine.rank if mine.is_final else other.event_id < mine.event_id


def is_spared(mine: Claim, other: Claim) -> bool:
    """Whether one that was not told yet need not be, beside another's that was."""
    if mine.is_out != other.is_out:
        return mine.is_out
    return not (mine.is_final and other.is_final) or mine.picks == other.picks or other.rank < mine.rank


class Seams:
    """What a region knows of its neighbours' events; of so many at the most."""

    def __init__(self, ground: Ground, most: int) -> None:
        self.ground = ground
        self._most = most
        self._states: dict[str, tuple[int, int]] = {}  # by event: revision and owner_epoch, the last that was heard
        self._claims: dict[str, Claim] = {}
        self._by_pick: dict[str, dict[str, Fit]] = {}  # and event

    def move(self, ground: Ground) -> None:
        """To another map."""
        self.ground = ground
        self._claims = {
            name: replace(each, is_off_the_map=Ground(each.region, ground.regions).is_off_the_map)
            for name, each in self._claims.items()
        }

    def hear(self, told: Association, *, is_near: bool = True) -> bool:
        """Whether it is new, and of an event that is near, so that it may be one of ours, or was."""
        state = told.revision, told.owner_epoch
        if told.region == self.ground.name or state <= self._states.get(told.event_id, (0, 0)):
            return False
        if not is_near and told.event_id not in self._states:
            return False
        self._forget(told.event_id)
        self._states[told.event_id] = state
        if told.status not in GONE and is_near:
            self._claims[told.event_id] = claim_of(told, self.ground)
            for pick, fit in fits_of(told).items():
                self._by_pick.setdefault(pick, {})[told.event_id] = fit
        while len(self._states) > self._most:
            self._forget(next(iter(self._states)))
        return True

    def same(self, claim: Claim) -> Iterator[Claim]:
        """The neighbours' events that are the same earthquake, the first of all before the others."""
        names = {name for pick in claim.picks for name in self._by_pick.get(pick, ())}
        others = (self._claims[name] for name in names)
        yield from sorted((each for each in others if is_same(claim, each)), key=lambda each: each.event_id)

    @property
    def has_claims(self) -> bool:
        return bool(self._claims)

    def lost(self, fits: Mapping[str, Fit]) -> set[str]:
        """Of an earthquake's picks those of a neighbour's other one, which explains them better or has said its last
        word."""
        return {
            pick
            for pick, mine in fits.items()
            for name, its in self._by_pick.get(pick, {}).items()
            if not _are_same(fits.keys(), (other := self._claims[name]).picks)
            if other.is_final or (its, other.region) < (mine, self.ground.name)
        }

    def leader(self, mine: Claim) -> Claim | None:
        """The neighbour's event that mine, which was told, is given up for."""
        return next((other for other in self.same(mine) if is_beaten(mine, other)), None)

    def is_others(self, mine: Claim, candidate: Candidate, onsets_ns: Iterable[int], clock_ns: int) -> bool:
        """Whether one that was not told yet is a neighbour's to tell: it has told it, or it lies there and it may."""
        if mine.outside_km > SEAM_KM or self.rival(mine):
            return True
        if mine.is_final or mine.outside_km <= 0:
            return False
        is_held = bool(self.ground.holders(candidate.latitude_deg, candidate.longitude_deg))
        return is_held and clock_ns < sorted(onsets_ns)[:ENOUGH][-1] + COURTESY_NS

    def rival(self, mine: Claim) -> Claim | None:
        """The neighbour's event for which mine is not told, one that is final before others."""
        rivals = (other for other in self.same(mine) if is_spared(mine, other))
        return min(rivals, key=lambda each: (not each.is_final, each.event_id), default=None)

    def claim(self, event_id: str, candidate: Candidate, *, is_final: bool) -> Claim:
        """One of our own."""
        picks = frozenset(member[0] for member in candidate.members)
        outside_km = self.ground.outside_km(candidate.latitude_deg, candidate.longitude_deg)
        is_off = self.ground.is_off_the_map
        return Claim(event_id, self.ground.name, picks, outside_km, is_final, candidate.time_ns, is_off)

    def _forget(self, event_id: str) -> None:
        self._states.pop(event_id, None)
        claim = self._claims.pop(event_id, None)
        for pick in claim.picks if claim else ():
            self._by_pick[pick].pop(event_id)
            if not self._by_pick[pick]:
                del self._by_pick[pick]


def why(mine: Claim, other: Claim) -> str:
    """In words, why mine is given up."""
    same = f"the same earthquake as {other.event_id} of region {other.region}"
    if mine.is_off_the_map:
        return f"{same}; region {mine.region} is off the map"
    return f"{same}; it has moved {mine.outside_km:.0f} km out of {mine.region}" if mine.is_out else same
