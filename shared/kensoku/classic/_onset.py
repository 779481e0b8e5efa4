"""AR-AIC: the sample at which noise that predicts itself ends and something else begins.

The record is predicted by an autoregressive model of the noise in front (Sleeman and van Eck, 1999); the error of that
prediction is small before an onset and large after it, and Akaike's criterion finds the change.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_toeplitz

from kensoku.classic._settings import RATE_HZ, FloatArray, Floats

ORDER = 6
MODELLED = 0.5  # share of the window that is taken for noise
LEAST = 15  # samples on either side of an onset
RIDGE = 1e-6  # of the noise's power, so that pure tones have a model too
# Neighbouring errors are alike, so that a window holds fewer than its samples: measured on manual picks.
INDEPENDENT = 0.12


@dataclass(frozen=True, slots=True)
class AicOnset:
    sample: float  # from the first of the window
    width_s: float  # 68 %, as the criterion's valley has it


def find_onset(components: FloatArray) -> AicOnset | None:
    """Of all components given together, (components, samples); None where too little is there.

    Samples that are missing before the first of a component that is whole from there on are none of the window's.
    """
    there = [row for row in components if not np.isnan(row).any()]
    if not there or components.shape[1] < 4 * (ORDER + LEAST):
        return None
    return _valley(np.sum([_criterion(_errors(row.astype(np.float64))) for row in there], axis=0))


def _errors(samples: Floats) -> Floats:
    """What a model of the noise in front does not foresee, from sample ORDER on."""
    waves = samples - samples[0]
    noise = waves[: round(MODELLED * len(waves))]
    noise = noise - noise.mean()
    power = np.correlate(noise, noise, "full")[len(noise) - 1 : len(noise) + ORDER]
    if power[0] <= 0:
        steps: Floats = np.diff(waves[ORDER - 1 :])
        return steps
    power[0] *= 1 + RIDGE
    coefficients = solve_toeplitz(power[:ORDER], power[1:])
    waves = waves - waves[: len(noise)].mean()
    errors: Floats = np.convolve(waves, np.concatenate(([1.0], -coefficients)), "valid")
    return errors


def _criterion(errors: Floats) -> Floats:
    """Akaike's, of an onset before each error but the outer ones; infinite there."""
    count = len(errors)
    smallest = np.finfo(np.float64).tiny
    sums, squares = np.cumsum(errors), np.cumsum(np.square(errors))
    before = np.arange(1, count)
    after = count - before
    variance_before = squares[:-1] / before - np.square(sums[:-1] / before)
    variance_after = (squares[-1] - squares[:-1]) / after - np.square((sums[-1] - sums[:-1]) / after)
    floor = max(squares[-1] / count * 1e-12, smallest)
    found = np.full(count, np.inf)
    found[1:] = before * np.log(np.maximum(variance_before, floor)) + after * np.log(np.maximum(variance_after, floor))
    found[:LEAST] = found[count - LEAST :] = np.inf
    return found


def _valley(criterion: Floats) -> AicOnset:
    """The mean of the valley and its width, by Akaike's weights."""
    lowest = int(np.argmin(criterion))
    weights = np.exp(-0.5 * INDEPENDENT * (criterion - criterion[lowest]))
    places = np.arange(len(criterion)) - lowest
    spread = float(np.sqrt(np.sum(weights * np.square(places)) / np.sum(weights)))
    return AicOnset(float(lowest + ORDER), max(spread, 0.5) / RATE_HZ)
