"""Earthquake, blast, teleseism or low-frequency earthquake: prior shares, times how well each suits what is known.

All is said against an event of which nothing is known ("unknown", for which every observation is as likely as any
other): a factor of 2 for blasts means that blasts show this twice as often as events at large.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from statistics import median

from kensoku.errors import SettingInvalid
from kensoku.magnitudes._evidence import TypeEvidence
from kensoku.magnitudes._quarries import Quarry
from kensoku.v1.event_pb2 import (
    EVENT_TYPE_BLAST,
    EVENT_TYPE_EARTHQUAKE,
    EVENT_TYPE_LOW_FREQUENCY,
    EVENT_TYPE_TELESEISM,
    EVENT_TYPE_UNKNOWN,
    EventType,
    TypeProbabilities,
)

EARTHQUAKE, BLAST, TELESEISM, LOW_FREQUENCY, UNKNOWN = "earthquake", "blast", "teleseism", "low_frequency", "unknown"
TYPES = {
    EARTHQUAKE: EVENT_TYPE_EARTHQUAKE,
    BLAST: EVENT_TYPE_BLAST,
    TELESEISM: EVENT_TYPE_TELESEISM,
    LOW_FREQUENCY: EVENT_TYPE_LOW_FREQUENCY,
    UNKNOWN: EVENT_TYPE_UNKNOWN,
}
NS_PER_S = 10**9
MOST_LOG_ODDS = 30.0  # what a float can tell from 1
TOLD = 1.05  # a factor nearer to 1 is not worth a word

PRIOR = {EARTHQUAKE: 0.87, BLAST: 0.08, TELESEISM: 0.02, LOW_FREQUENCY: 0.02, UNKNOWN: 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSettings:
    """Of one region."""

    prior: Mapping[str, float] = field(default_factory=lambda: dict(PRIOR))  # shares of events; they add up to one
    stands_out: float = 0.6  # probability that the most probable type must have
    largest_factor: float = 100.0  # of one kind of evidence, either way
    votes_correlation: float = 0.3  # between stations' errors: 1, and many say no more than one
    largest_vote: float = 0.98  # no single station is surer
    utc_offset_h: float | None = None  # of the local time; None: of the sun
    working_hours: tuple[float, float] = (7.0, 18.0)
    in_working_hours: float = 0.96  # share of blasts
    working_days: int = 6  # a week, from Monday
    on_working_days: float = 0.97  # share of blasts
    typical_depth_km: float = 10.0  # of earthquakes; their depths fall off exponentially
    blast_depth_km: float = 1.0  # how far locations of blasts are from the surface, beside their own uncertainty
    quarry_km: float = 2.0  # the same of their epicentres
    quarry_factor: float = 15.0  # how many times more blasts there are at a quarry than elsewhere
    from_quarries: float = 0.8  # share of blasts that come from the known ones

    def __post_init__(self) -> None:
        if set(self.prior) != set(TYPES) or abs(sum(self.prior.values()) - 1) > 1e-6 or min(self.prior.values()) <= 0:
            expected = f"expected a share above 0 for each of {', '.join(TYPES)}, 1 together"
            raise SettingInvalid(f"prior shares of event types: found {dict(self.prior)}; {expected}")
        for name in ("stands_out", "votes_correlation", "in_working_hours", "on_working_days", "from_quarries"):
            if not 0 < getattr(self, name) < 1:
                raise SettingInvalid(f"event types, {name}: found {getattr(self, name)}; expected between 0 and 1")
        if not 0 <= self.working_hours[0] < self.working_hours[1] <= 24 or not 1 <= self.working_days <= 7:
            found = f"{self.working_hours} on {self.working_days} days"
            raise SettingInvalid(f"event types: found working hours {found}; expected [first, last] of 24 on 1 to 7")


@dataclass(frozen=True, slots=True)
class TypeDecision:
    type: EventType
    probabilities: TypeProbabilities
    reasons: tuple[str, ...]  # each kind of evidence, with the factors that it gave


@dataclass(frozen=True, slots=True)
class _Clue:
    words: str
    log_factors: Mapping[str, float]  # by type, natural; those left out are 0


def classify(
    evidence: TypeEvidence, quarries: Sequence[Quarry] = (), settings: TypeSettings | None = None
) -> TypeDecision:
    rules = settings or TypeSettings()
    clues = [clue for find in CLUES for clue in find(evidence, rules)]
    clues += _quarries(evidence, quarries, rules)
    most = math.log(rules.largest_factor)
    total = {name: math.log(share) for name, share in rules.prior.items()}
    for clue in clues:
        for name, factor in clue.log_factors.items():
            total[name] += max(-most, min(most, factor))
    largest = max(total.values())
    weights = {name: math.exp(value - largest) for name, value in total.items()}
    probabilities = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    best = max(probabilities, key=lambda name: probabilities[name])
    stands_out = probabilities[best] >= rules.stands_out
    return TypeDecision(
        type=TYPES[best] if stands_out else EVENT_TYPE_UNKNOWN,
        probabilities=TypeProbabilities(**probabilities),
        reasons=tuple(_reasons(clues, best, probabilities[best], rules, most)),
    )


def _reasons(clues: Sequence[_Clue], best: str, probability: float, rules: TypeSettings, most: float) -> Iterator[str]:
    for clue in clues:
        limited = {name: math.exp(max(-most, min(most, factor))) for name, factor in clue.log_factors.items()}
        told = [f"{name} x{factor:.2g}" for name, factor in limited.items() if max(factor, 1 / factor) >= TOLD]
        yield f"{clue.words}: {', '.join(told) if told else 'speaks for nothing'}"
    if not clues:
        yield "nothing is known that tells types apart: prior shares alone"
    if probability < rules.stands_out:
        yield f"{best} is most probable with {probability:.2f}, below {rules.stands_out:g}: unknown"


# --- clues ------------------------------------------------------------------------------------------------------------


def _votes(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """Log odds of the stations, each limited; their mean counts as often as there are independent ones among them."""
    if not evidence.blast_probabilities:
        return
    most, count = _logit(rules.largest_vote), len(evidence.blast_probabilities)
    odds = [max(-most, min(most, _logit(each))) for each in evidence.blast_probabilities]
    independent = count / (1 + (count - 1) * rules.votes_correlation)
    log_odds = max(-MOST_LOG_ODDS, min(MOST_LOG_ODDS, sum(odds) / count * independent))
    together = 1 / (1 + math.exp(-log_odds))
    words = f"votes of {count} stations, a blast with {together:.2f} together"
    yield _Clue(words, {BLAST: math.log(2 * together), EARTHQUAKE: math.log(2 * (1 - together))})


def _logit(probability: float) -> float:
    inside = min(1 - 1e-9, max(1e-9, probability))
    return math.log(inside / (1 - inside))


def _hour(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """Earthquakes keep no hours."""
    solar = rules.utc_offset_h is None
    offset_h = evidence.longitude_deg / 15 if rules.utc_offset_h is None else rules.utc_offset_h
    seconds = evidence.time_ns // NS_PER_S
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    local = local.astimezone(timezone(timedelta(minutes=round(60 * offset_h))))
    first, last = rules.working_hours
    hours, days = (last - first) / 24, rules.working_days / 7
    by_hour = _share(first <= local.hour + local.minute / 60 < last, rules.in_working_hours, hours)
    by_day = _share(local.weekday() < rules.working_days, rules.on_working_days, days)
    words = f"{local:%A %H:%M} local {'solar ' if solar else ''}time"
    yield _Clue(words, {BLAST: math.log(by_hour * by_day)})


def _share(is_inside: bool, share_inside: float, at_large: float) -> float:
    """How many times more often blasts are here than events at large."""
    if at_large >= 1:
        return 1.0
    return share_inside / at_large if is_inside else (1 - share_inside) / (1 - at_large)


def _depth(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """Blasts are at the surface, as far as their location can tell."""
    if evidence.depth_km is None:
        return
    sd_km = min(evidence.depth_sd_km, 10 * rules.typical_depth_km)
    depth_km = max(evidence.depth_km, 0.0)  # in a mountain is as good as at the surface
    blast_sd_km = math.hypot(sd_km, rules.blast_depth_km)
    log_blast = -0.5 * (depth_km / blast_sd_km) ** 2 - math.log(blast_sd_km * math.sqrt(2 * math.pi))
    log_earthquake = _log_smeared_exponential(depth_km, sd_km, rules.typical_depth_km)
    words = f"depth {evidence.depth_km:.1f} km, uncertain by {evidence.depth_sd_km:.1f} km"
    yield _Clue(words, {BLAST: log_blast - log_earthquake})


def _log_smeared_exponential(depth_km: float, sd_km: float, mean_km: float) -> float:
    """Density of depths that fall off exponentially below the surface, read with a normal error."""
    z = (sd_km / mean_km - depth_km / sd_km) / math.sqrt(2)
    density = math.erfc(z) / (2 * mean_km)
    return math.log(max(density, 1e-300)) + 0.5 * (sd_km / mean_km) ** 2 - depth_km / mean_km


TYPICAL_PERIOD = -0.5  # log10 of s, of an earthquake of whatever magnitude
LEAST_PERIOD = -0.8  # of the smallest: the ground lets nothing shorter pass
TELESEISM_PERIOD = 0.2
LATER_PERIOD = 0.6  # by which those of low-frequency earthquakes are longer: four times
PERIOD_SD, STATION_PERIOD_SD = 0.2, 0.3  # of events of a magnitude; of stations of an event


def _period(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """log10 of tau_c, normal for every type; earthquakes follow Wu & Kanamori (2005) of their magnitude."""
    if not evidence.periods_s:
        return
    tau_c_s, magnitude = median(evidence.periods_s), evidence.magnitude
    x, sd = math.log10(tau_c_s), math.hypot(PERIOD_SD, STATION_PERIOD_SD / math.sqrt(len(evidence.periods_s)))
    expected = TYPICAL_PERIOD if magnitude is None else max(0.221 * magnitude - 1.113, LEAST_PERIOD)
    at_large = _log_normal(x, expected + LATER_PERIOD / 3, 2.5 * PERIOD_SD)
    local = _log_normal(x, expected, sd if magnitude is not None else 2 * sd) - at_large
    factors = {EARTHQUAKE: local, BLAST: local, TELESEISM: _log_normal(x, TELESEISM_PERIOD, sd) - at_large}
    words = f"period of P {tau_c_s:.2f} s at {len(evidence.periods_s)} stations"
    if magnitude is not None:
        factors[LOW_FREQUENCY] = _log_normal(x, expected + LATER_PERIOD, sd) - at_large
        words += f", {10**expected:.2f} s expected of M {magnitude:.1f}"
    yield _Clue(words, factors)


def _log_normal(x: float, mean: float, sd: float) -> float:
    return -0.5 * ((x - mean) / sd) ** 2 - math.log(sd)


LOCAL_SLOWNESS_S_KM = 0.118  # of Pn (8.5 km/s); no wave of a local source is faster across a network, but below it
TELESEISM_SLOWNESS_S_KM = 0.09  # from 25 degrees on
CURVED_S = 0.25  # of an onset, by which a plane must not be worse than the located source
MOST_RMS_S = 0.6  # of a plane through onsets of a teleseism, which picks find late


def _incidence(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """A teleseism comes from below, as a plane wave; so does an earthquake right below, but for its curvature."""
    plane = evidence.plane
    if plane is None:
        return
    middle = (LOCAL_SLOWNESS_S_KM + TELESEISM_SLOWNESS_S_KM) / 2
    steep = 0.5 * (1 + math.erf((middle - plane.slowness_s_km) / plane.uncertainty_s_km / math.sqrt(2)))
    curved = plane.stations * max(0.0, plane.rms_s**2 - plane.local_rms_s**2) / CURVED_S**2
    flat = math.exp(-0.5 * ((plane.rms_s / MOST_RMS_S) ** 2 + curved))
    is_tele = steep * flat
    local, words = math.log(1 - 0.9 * is_tele), f"P crosses {plane.stations} stations at "
    words += f"{1 / max(plane.slowness_s_km, 1e-3):.0f} km/s, a plane within {plane.rms_s:.2f} s"
    yield _Clue(
        words, {TELESEISM: math.log(0.02 + 10 * is_tele), EARTHQUAKE: local, BLAST: local, LOW_FREQUENCY: local}
    )


FAR_KM, FAR_GAP_DEG = 200.0, 240.0


def _far(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    if evidence.nearest_station_km > FAR_KM and evidence.azimuthal_gap_deg > FAR_GAP_DEG:
        words = f"{evidence.nearest_station_km:.0f} km from the nearest station, gap {evidence.azimuthal_gap_deg:.0f}"
        yield _Clue(words, {TELESEISM: math.log(5), BLAST: math.log(0.5)})


S_SAYS, WITHOUT_S = 2, 6  # stations


def _s_waves(evidence: TypeEvidence, rules: TypeSettings) -> Iterator[_Clue]:
    """S of a teleseism is minutes away."""
    if evidence.s_stations >= S_SAYS:
        yield _Clue(f"S suits the origin at {evidence.s_stations} stations", {TELESEISM: math.log(0.05)})
    elif evidence.s_stations == 0 and evidence.p_stations >= WITHOUT_S:
        yield _Clue(
            f"no S at {evidence.p_stations} stations with P", {TELESEISM: math.log(4), EARTHQUAKE: math.log(0.7)}
        )


CLUES: tuple[Callable[[TypeEvidence, TypeSettings], Iterator[_Clue]], ...] = (
    _votes,
    _hour,
    _depth,
    _period,
    _incidence,
    _far,
    _s_waves,
)


def _quarries(evidence: TypeEvidence, quarries: Sequence[Quarry], rules: TypeSettings) -> Iterator[_Clue]:
    """The less an epicentre is known, the less it says to be near a quarry."""
    if not quarries:
        return
    place = evidence.latitude_deg, evidence.longitude_deg
    distance_km, nearest = min((quarry.distance_km(*place), quarry.name) for quarry in quarries)
    sd_km = math.hypot(rules.quarry_km, evidence.horizontal_uncertainty_km)
    at_it = rules.quarry_factor * (rules.quarry_km / sd_km) ** 2 * math.exp(-0.5 * (distance_km / sd_km) ** 2)
    words = f"in {nearest}" if distance_km == 0 else f"{distance_km:.1f} km from {nearest}"
    factor = 1 - rules.from_quarries + rules.from_quarries * at_it
    yield _Clue(words, {BLAST: math.log(factor)})
