"""Classic picks: a trigger, the onset that AR-AIC finds in front of it, and whether it looks like P or S."""

from dataclasses import dataclass

import numpy as np

from kensoku.classic._onset import AicOnset, find_onset
from kensoku.classic._settings import RATE_HZ, ClassicSettings, FloatArray
from kensoku.classic._triggers import Trigger, find_triggers
from kensoku.picking import Phase

EDGE = 50  # samples: half a second from a gap nothing is picked, as by networks
PASSED = 30  # samples after a trigger in which its own onset has passed: the next is sought later
SAME = 10  # samples between P and S in which they are one onset; of two of a phase it is PASSED
SHORTEST = 120  # samples in which an onset is sought
NOISE_S, WAVE_S = 2.0, 0.5  # before and after an onset, for the signal-to-noise ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicPick:
    phase: Phase  # a guess, by which components rose more
    sample: float  # absolute
    width_s: float  # 68 %, from the valley of the criterion
    snr: float  # rms of the steps from sample to sample, after over before; of the best component
    band_hz: tuple[float, float]  # in which it rose most
    trigger: Trigger
    decided: int  # nothing from this sample on was looked at


def pick_classic(counts: FloatArray, settings: ClassicSettings, first: int = 0) -> list[ClassicPick]:
    """Those of a record (3, samples), Z N E at 100 Hz, NaN where missing; `first` is its first sample's number."""
    picks = (pick_trigger(each, counts, settings, first) for each in find_triggers(counts, settings, first))
    return [pick for pick in picks if pick is not None]


def pick_trigger(trigger: Trigger, counts: FloatArray, settings: ClassicSettings, first: int) -> ClassicPick | None:
    """None where the onset lies at a gap, is that of the trigger before, or the record does not hold what is needed."""
    pick = _pick(trigger, counts, settings, first)
    if pick is None or trigger.earlier is None or pick.sample > trigger.previous + settings.after + PASSED:
        return pick
    before = _pick(trigger.earlier, counts, settings, first)
    return None if before is not None and _are_one(before, pick) else pick


def _are_one(before: ClassicPick, pick: ClassicPick) -> bool:
    return pick.sample - before.sample < (PASSED if pick.phase == before.phase else SAME)


def _pick(trigger: Trigger, counts: FloatArray, settings: ClassicSettings, first: int) -> ClassicPick | None:
    decided = trigger.sample + settings.after
    begin = max(trigger.sample - settings.before, min(trigger.previous + PASSED, decided - SHORTEST))
    window = counts[:, max(0, begin - first) : decided - first]
    phase: Phase = "S" if trigger.horizontal > trigger.vertical else "P"
    onset = _onset(window, phase)
    if onset is None:
        return None
    sample = max(begin, first) + onset.sample
    place = round(sample - max(begin, first))
    if _is_at_gap(counts[:, max(0, round(sample) - EDGE - first) : min(round(sample) + EDGE, decided) - first]):
        return None
    return ClassicPick(
        phase=phase,
        sample=sample,
        width_s=onset.width_s,
        snr=_snr(window, place),
        band_hz=settings.bands_hz[trigger.band],
        trigger=trigger,
        decided=decided,
    )


def _is_at_gap(around: FloatArray) -> bool:
    """Whether a component begins or stops here."""
    is_missing = np.isnan(around)
    return bool((is_missing.any(axis=1) & ~is_missing.all(axis=1)).any())


def _onset(window: FloatArray, phase: Phase) -> AicOnset | None:
    """P on the vertical, S on the horizontals; on the others where those are missing."""
    vertical, horizontals = window[:1], window[1:]
    first, second = (vertical, horizontals) if phase == "P" else (horizontals, vertical)
    return find_onset(first) or find_onset(second)


def _snr(window: FloatArray, place: int) -> float:
    steps = np.diff(window.astype(np.float64), axis=1)
    before = steps[:, max(0, place - round(NOISE_S * RATE_HZ)) : max(1, place - 5)]
    after = steps[:, place : place + round(WAVE_S * RATE_HZ)]
    if not after.shape[1]:
        return 0.0
    quiet, loud = (np.sqrt(np.mean(np.square(part), axis=1)) for part in (before, after))
    known = np.isfinite(quiet) & np.isfinite(loud) & (quiet > 0)
    return float((loud[known] / quiet[known]).max()) if known.any() else 0.0
