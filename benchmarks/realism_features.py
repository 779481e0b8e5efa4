"""Summary numbers of an earthquake's record, measured alike on recorded and on simulated ones.

Of Z, N and E at 100 Hz with the onsets of P and S; from 2 to 30 Hz, which every set holds. Where nothing else is said,
a level is that of the whole vector, and a logarithm has base 10.
"""

import functools
from dataclasses import astuple, dataclass, fields

import numpy as np
import scipy.ndimage
import scipy.signal

from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.visibility import see

RATE_HZ = 100
BAND_HZ = (2.0, 30.0)
NEEDED_BEFORE_S, NEEDED_AFTER_S = 4.0, 10.5  # of P, of S
SHORTEST_S = 0.4  # between P and S
CLIPPED = 3  # samples in a row at a component's largest value
SMOOTH = 5  # samples of envelopes
UNSURE = (30, 40)  # samples by which labels of P and of S are moved at most


@dataclass(frozen=True, slots=True)
class Summary:
    """The names are those of tables; logarithms, except for rectilinearity."""

    s_over_p: float  # of the largest levels
    p_centroid_hz: float
    s_centroid_hz: float
    p_rise_s: float  # from the onset to the largest level
    s_rise_s: float
    coda_2s: float  # rms of the second around 2 s after S, over the largest of S
    coda_5s: float
    coda_10s: float
    p_snr: float  # largest of the first half second over the rms of the second before, best component
    s_snr: float
    p_kurtosis: float  # of the vertical, from 2 s before P to 2 s after it, or three quarters of the way to S
    p_coda: float  # rms from a half to four fifths of the way to S, over the largest of P
    p_h_over_v: float  # rms of a horizontal over that of the vertical in the first second, or before S
    s_h_over_v: float
    p_rectilinearity: float  # of the first half second: 0 in all directions alike, 1 on a line

    @property
    def array(self) -> FloatArray:
        return np.array(astuple(self))


NAMES = tuple(field.name for field in fields(Summary))


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    summary: Summary
    leaving_db: FloatArray
    fading_db: FloatArray


def portray(samples: FloatArray, p: float, s: float) -> Portrait | None:
    """None where the record is too short, dead or clipped."""
    begin, last = round(p - NEEDED_BEFORE_S * RATE_HZ), round(s + NEEDED_AFTER_S * RATE_HZ)
    if begin < 0 or last > samples.shape[1] or s - p < SHORTEST_S * RATE_HZ:
        return None
    cut = np.asarray(samples[:, begin:last], dtype=np.float64)
    if is_spoilt(cut):
        return None
    seen = filtered(cut)
    level, onsets = levels(seen), refine(seen, round(p) - begin, round(s) - begin)
    summary = _measure(cut, seen, level, *onsets)
    return Portrait(summary, leaving_db(seen, *onsets), fading_db(level, onsets[1]))


def refine(seen: FloatArray, p: int, s: int) -> tuple[int, int]:
    """Onsets of P on the vertical and of S on the horizontals, close to their labels.

    Analysts, programs and theory mean different things by an onset, which would tell sets apart by who labelled them.
    """
    p_reach, s_reach = (min(reach, (s - p) // 4) for reach in UNSURE)
    return _onset(seen[:1], p, p_reach), _onset(seen[1:], s, s_reach)


def _onset(seen: FloatArray, label: int, reach: int) -> int:
    """Where two stretches of white noise fit best: Akaike's criterion, Maeda (1985)."""
    begin = label - 2 * reach
    power = np.square(seen[:, begin : label + 2 * reach])
    count = np.arange(1, power.shape[1])
    before = np.cumsum(power, axis=1)[:, :-1]
    after = power.sum(axis=1, keepdims=True) - before
    floor = 1e-9 * power.mean()
    misfit = count * np.log(before / count + floor) + count[::-1] * np.log(after / count[::-1] + floor)
    tried = slice(reach, 3 * reach)
    return begin + reach + 1 + int(np.argmin(misfit.sum(axis=0)[tried]))


# --- numbers ----------------------------------------------------------------------------------------------------------


def is_spoilt(samples: FloatArray) -> bool:
    """A component that is dead or constant for half a second, or clipped."""
    for component in samples - samples.mean(axis=1, keepdims=True):
        steady = np.diff(component, prepend=np.nan) == 0
        largest = np.abs(component) >= 0.999 * np.abs(component).max()
        if _longest(steady) >= RATE_HZ // 2 or _longest(largest & steady) >= CLIPPED - 1:
            return True
    return False


def _longest(flags: FloatArray) -> int:
    labels, count = scipy.ndimage.label(flags)
    return int(np.bincount(labels)[1:].max()) if count else 0


def _measure(samples: FloatArray, seen: FloatArray, level: FloatArray, p: int, s: int) -> Summary:
    p_end = p + int(0.9 * (s - p))
    p_peak, s_peak = level[p:p_end].max(), level[s : s + RATE_HZ * 5].max()
    after_p, after_s = min(p_end, p + RATE_HZ), s + RATE_HZ
    coda_2s, coda_5s, coda_10s = (np.log10(coda_level(level, s, after_s) / s_peak) for after_s in (2, 5, 10))
    visible = see(samples, RATE_HZ)
    around = seen[0, p - 2 * RATE_HZ : min(p + 3 * (s - p) // 4, p + 2 * RATE_HZ)]  # S may begin before its label
    before_s = level[p + (s - p) // 2 : p + 4 * (s - p) // 5]
    return Summary(
        np.log10(s_peak / p_peak),
        np.log10(centroid_hz(seen[:, p : min(p_end, p + 2 * RATE_HZ)])),
        np.log10(centroid_hz(seen[:, s : s + 2 * RATE_HZ])),
        np.log10(rise_s(level[p:p_end])),
        np.log10(rise_s(level[s : s + 5 * RATE_HZ])),
        coda_2s,
        coda_5s,
        coda_10s,
        np.log10(snr(visible, p)),
        np.log10(snr(visible, s)),
        np.log10(np.mean(around**4) / np.mean(around**2) ** 2),
        np.log10(_rms(before_s) / p_peak),
        np.log10(_rms(seen[1:, p:after_p]) / _rms(seen[0, p:after_p])),
        np.log10(_rms(seen[1:, s:after_s]) / _rms(seen[0, s:after_s])),
        rectilinearity(seen[:, p : min(p_end, p + RATE_HZ // 2)]),
    )


@functools.cache
def _band() -> FloatArray:
    sections: FloatArray = scipy.signal.butter(3, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    return sections


def filtered(samples: FloatArray) -> FloatArray:
    """Causal, so that nothing comes before its onset."""
    seen: FloatArray = scipy.signal.sosfilt(_band(), samples - samples[:, :1])
    return seen


def levels(seen: FloatArray) -> FloatArray:
    """Of the whole vector, smoothed over 0.05 s, which the last of them begins."""
    power = scipy.ndimage.uniform_filter1d(np.square(seen).sum(axis=0), SMOOTH)
    return np.asarray(np.sqrt(np.maximum(power, 1e-12 * power.max())))


def coda_level(level: FloatArray, s: int, after_s: float) -> float:
    middle = s + round(after_s * RATE_HZ)
    return _rms(level[middle - RATE_HZ // 2 : middle + RATE_HZ // 2])


def centroid_hz(seen: FloatArray) -> float:
    """Of the power of all components within the band."""
    tapered = seen * scipy.signal.windows.tukey(seen.shape[1], 0.1)
    power = np.square(np.abs(np.fft.rfft(tapered, 1024))).sum(axis=0)
    hz = np.fft.rfftfreq(1024, 1 / RATE_HZ)
    within = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    return float((hz * power)[within].sum() / power[within].sum())


def rise_s(level: FloatArray) -> float:
    return float(np.argmax(level) + 1) / RATE_HZ


def snr(visible: FloatArray, onset: int) -> float:
    """As `visibility` has it, by what one sees who does not know the waves."""
    rms = np.sqrt(np.square(visible[:, onset - RATE_HZ : onset]).mean(axis=1))
    return float((np.abs(visible[:, onset : onset + RATE_HZ // 2]).max(axis=1) / rms).max())


def rectilinearity(seen: FloatArray) -> float:
    smallest, middle, largest = np.linalg.eigvalsh(seen @ seen.T)
    return float(1 - (smallest + middle) / (2 * largest))


def _rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.square(samples).mean()))


# --- curves -----------------------------------------------------------------------------------------------------------

LEAVING_S = np.arange(0.1, 2.01, 0.1)  # after P
FADING_S = np.geomspace(0.25, 10.0, 20)  # after S
HALF_WIDTH = 5  # samples


def leaving_db(seen: FloatArray, p: int, s: int) -> FloatArray:
    """A horizontal over the vertical, at times after P; NaN from S on."""
    power = scipy.ndimage.uniform_filter1d(np.square(seen), 2 * HALF_WIDTH, axis=1)
    places = p + np.rint(LEAVING_S * RATE_HZ).astype(int)
    ratio = 10 * np.log10((power[1] + power[2])[places] / 2 / power[0][places])
    return np.where(places + HALF_WIDTH < s, ratio, np.nan)


def fading_db(level: FloatArray, s: int) -> FloatArray:
    """Level of half a second over the largest of S, at times after S."""
    smooth = np.sqrt(scipy.ndimage.uniform_filter1d(np.square(level), RATE_HZ // 2))
    places = s + np.rint(FADING_S * RATE_HZ).astype(int)
    return np.asarray(20 * np.log10(smooth[places] / level[s : s + 5 * RATE_HZ].max()))
