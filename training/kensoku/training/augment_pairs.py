"""One record seen several ways: with and without noise for denoising, and turned for a vote at use."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import stft

from kensoku.training.augment import add_noise, fill
from kensoku.training.augment_waves import rotate_horizontals
from kensoku.training.examples import RATE_HZ, Example, FloatArray

SEGMENT = 64  # samples of a spectrum
TURNS = 3  # horizontals as they are, and turned by a third and two thirds of half a circle


@dataclass(frozen=True, slots=True, eq=False)
class DenoisePair:
    """A clean record, the same in noise, and what share of each time and frequency is the record's."""

    clean: Example
    noisy: Example
    mask: FloatArray  # (3, frequencies, times), 0 to 1


def denoise_pair(clean: Example, noise: Example, snr: float) -> DenoisePair:
    noisy = add_noise(clean, noise, snr)
    signal, added = fill(clean.counts)[0], fill(noisy.counts - clean.counts)[0]
    wanted, unwanted = _spectrum(signal), _spectrum(added)
    total = wanted + unwanted
    mask = np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)
    return DenoisePair(clean, noisy, mask)


def _spectrum(rows: FloatArray) -> FloatArray:
    scale = np.abs(rows).max()
    _, _, found = stft(rows / scale if scale > 0 else rows, fs=RATE_HZ, nperseg=SEGMENT)
    amplitude: FloatArray = (np.abs(found) * scale).astype(np.float32)
    return amplitude


def views(example: Example) -> list[Example]:
    """The record in both polarities and with its horizontals turned: onsets are where they are in all of them."""
    turned = [rotate_horizontals(example, np.pi * turn / TURNS) for turn in range(TURNS)]
    distinct = turned if turned[1] is not example else turned[:1]
    flipped = [Example(-each.counts, each.onsets, each.unknown, each.origin) for each in distinct]
    return [*distinct, *flipped]
