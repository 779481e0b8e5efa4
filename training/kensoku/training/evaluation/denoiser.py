"""How many false picks of a classic picker a denoiser removes, and how many real ones it loses.

A pick is real within 0.5 s of a label or of an associated pick. It is noise where the record is known to be quiet, or
where a fault was planted. All others are left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from kensoku.classic import ClassicSettings, also_loud, cut_around, pick_classic
from kensoku.picking import Model, ModelCard, with_missing
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.evaluation.denoiser_faults import SHAPES, plant
from kensoku.training.evaluation.planted import PLANTED, Plant
from kensoku.training.evaluation.summary import interval
from kensoku.training.examples import RATE_HZ, BoolArray, Example, FloatArray, Onset
from kensoku.training.scores import labels_of, quiet_of

REAL_S = 0.5
CLEAR_SNR = 5.0
AROUND_S = (130.0, 20.0)  # of a planted fault: the record that a classic picker needs
APART_S = 8.0  # of planted faults from triggers of the record's own
FALLS_WITHIN_S = 1.0  # after the end of a fault
MOSTLY = 0.9  # of a vertical over which spikes are laid
EACH = 40  # faults of a kind
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
UNIT_S = 60  # picks of one station within a minute are not independent of each other
REAL, QUIET, SPIKE = "real", "quiet", "spike"


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A station's record, with what is known of it."""

    source: str
    station: str
    counts: FloatArray
    real: npt.NDArray[np.float64]  # samples of onsets that a pick may be of
    is_quiet: BoolArray  # where every pick is false
    picks: tuple[float, ...] = ()  # samples of classic ones


def picked(material: Material, settings: ClassicSettings) -> Material:
    """The same with its classic picks."""
    return replace(material, picks=tuple(pick.sample for pick in pick_classic(material.counts, settings)))


@dataclass(frozen=True, slots=True, eq=False)
class JudgedCut:
    """A classic pick whose nature is known, and what the denoiser says of it."""

    kind: str  # real, quiet, spike or a fault's name
    source: str
    station: str
    unit: str  # what it shares with others that are like it for the same reason
    snr: float
    onset_probability: float
    counts: FloatArray  # around it

    @property
    def is_real(self) -> bool:
        return self.kind == REAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    count: int
    share: float
    low: float  # 90 % interval
    high: float


def share_of(cuts: Sequence[JudgedCut], threshold: float) -> Share:
    """Of the cuts that are called noise at a threshold."""
    claims = [cut.onset_probability < threshold for cut in cuts]
    units = {unit: number for number, unit in enumerate(sorted({cut.unit for cut in cuts}))}
    low, high = interval([units[cut.unit] for cut in cuts], claims)
    return Share(count=len(cuts), share=float(np.mean(claims)) if cuts else float("nan"), low=low, high=high)


def judge(card: ModelCard, model: Model, found: Iterable[tuple[JudgedCut, FloatArray]]) -> list[JudgedCut]:
    """The same cuts with what the model says of them."""
    cuts = list(found)
    said: list[float] = []
    ask = also_loud(model)
    for first in range(0, len(cuts), card.geometry.batch):
        asked = np.stack([shown for _, shown in cuts[first : first + card.geometry.batch]])
        said += [float(row[-1]) for row in ask(asked).reshape(len(asked), -1)]
    return [
        JudgedCut(cut.kind, cut.source, cut.station, cut.unit, cut.snr, probability, cut.counts)
        for (cut, _), probability in zip(cuts, said, strict=True)
    ]


# --- picks whose nature is known --------------------------------------------------------------------------------------


def of_example(example: Example, name: str) -> Material:
    real = np.array(sorted(onset.sample for onset in labels_of(example)))
    return Material(example.origin.source, name, example.counts, real, quiet_of(example))


def classic_cuts(material: Material, window: int) -> Iterator[tuple[JudgedCut, FloatArray]]:
    """Real and false picks of a record as it is."""
    for sample in material.picks:
        if kind := _kind(sample, material):
            unit = f"{material.source} {material.station} {int(sample / RATE_HZ / UNIT_S)}"
            yield _cut(kind, material, sample, material.counts, unit, window)


def _kind(sample: float, material: Material) -> str:
    if material.real.size and np.abs(material.real - sample).min() <= REAL_S * RATE_HZ:
        return REAL
    place = min(max(round(sample), 0), len(material.is_quiet) - 1)
    return QUIET if material.is_quiet[place] else ""


def _cut(
    kind: str, material: Material, sample: float, counts: FloatArray, unit: str, window: int
) -> tuple[JudgedCut, FloatArray]:
    shown = cut_around(counts, 0, sample, window)
    snr = onset_snr(counts, Onset("P", sample))
    wide = cut_around(counts, 0, sample, 2 * window)
    return JudgedCut(kind, material.source, material.station, unit, snr, float("nan"), wide), shown


def planted_cuts(
    materials: Sequence[Material], settings: ClassicSettings, window: int, each: int = EACH
) -> Iterator[tuple[JudgedCut, FloatArray]]:
    """What a classic picker triggers on in faults that are laid over quiet records."""
    chance = np.random.default_rng(0)
    places = [(material, place) for material in materials for place in _quiet_places(material)]
    kinds: dict[str, Plant] = {name: partial(plant, name) for name in SHAPES}
    kinds |= {f"{name} (2)": kind for name, kind in PLANTED.items()}
    for name, kind in kinds.items() if places else ():
        for number in range(each):
            material, place = places[chance.integers(len(places))]
            first = max(0, place - round(AROUND_S[0] * RATE_HZ))
            record = material.counts[:, first : place + round(AROUND_S[1] * RATE_HZ)]
            planted = kind(record, place - first, chance)
            last = planted.end + FALLS_WITHIN_S * RATE_HZ
            counts = with_missing(planted.counts, is_causal=False)
            for pick in pick_classic(counts, settings, 0):
                if place - first - REAL_S * RATE_HZ <= pick.sample <= last:
                    yield _cut(name, material, pick.sample, counts, f"{name} {number}", window)


def _quiet_places(material: Material) -> Iterator[int]:
    """One in ten seconds, with a quiet record around it in which nothing triggers."""
    aside, step = round(APART_S * RATE_HZ), 10 * RATE_HZ
    own = np.array(material.picks)
    before = min(round(AROUND_S[0] * RATE_HZ), material.counts.shape[1] // 2)
    for place in range(before, material.counts.shape[1] - round(AROUND_S[1] * RATE_HZ), step):
        around = slice(place - aside, place + aside)
        if not material.is_quiet[around].all() or np.isnan(material.counts[:, around]).all(axis=0).any():
            continue
        if not own.size or np.abs(own - place).min() > aside:
            yield place


def spike_cuts(
    records: Sequence[Example], materials: Sequence[Material], settings: ClassicSettings, window: int
) -> Iterator[tuple[JudgedCut, FloatArray]]:
    """Each of the records laid over a quiet vertical, as large as chance will have it, and triggered on."""
    chance = np.random.default_rng([0, 1])
    whole = [material for material in materials if np.isfinite(material.counts[0]).mean() > MOSTLY]
    places = [(material, place) for material in whole for place in _quiet_places(material)]
    for record in records if places else ():
        spikes = np.nan_to_num(record.counts[0])
        material, place = places[chance.integers(len(places))]
        first = max(0, place - round(AROUND_S[0] * RATE_HZ))
        counts = material.counts[:, first : place + round(AROUND_S[1] * RATE_HZ)].copy()
        steps = float(np.nanstd(np.diff(counts[0].astype(np.float64))))
        size = steps * np.exp(chance.uniform(np.log(5), np.log(300))) / max(float(np.abs(spikes).max()), 1e-9)
        part = counts[0, place - first : place - first + len(spikes)]
        part += (spikes[: len(part)] * size).astype(np.float32)
        last = place - first + len(part) + FALLS_WITHIN_S * RATE_HZ
        spiked = Material(record.origin.source, record.origin.station, counts, material.real, material.is_quiet)
        for pick in pick_classic(counts, settings):
            if place - first - REAL_S * RATE_HZ <= pick.sample <= last:
                yield _cut(SPIKE, spiked, pick.sample, counts, record.origin.station, window)


def alone(records: Sequence[Example], window: int) -> Iterator[tuple[JudgedCut, FloatArray]]:
    """The same records by themselves, around their largest sample; nothing before and after, and no other component."""
    for record in records:
        spikes, origin = record.counts, record.origin
        largest = int(np.nanargmax(np.abs(np.nan_to_num(spikes[0]))))
        material = Material(origin.source, origin.station, spikes, np.zeros(0), np.zeros(0, np.bool_))
        yield _cut("spike alone", material, largest, spikes, origin.station, window)


__all__ = [
    "CLEAR_SNR",
    "THRESHOLDS",
    "JudgedCut",
    "Material",
    "Share",
    "alone",
    "classic_cuts",
    "judge",
    "of_example",
    "picked",
    "planted_cuts",
    "share_of",
    "spike_cuts",
]
