"""The records that judge, with noise of others laid over them: clear records tell good models apart no more."""

from collections.abc import Sequence

import numpy as np

from kensoku.training import augment
from kensoku.training.augment_faults import forget_drowned
from kensoku.training.examples import Example
from kensoku.training.scores import labels_of

DRAWS = 4  # of noise for each record
TRIES = 6  # for a stretch of it in which nothing is doubtful


def under_noise(examples: Sequence[Example], snr: tuple[float, float], seed: int = 0) -> list[Example]:
    """Those with labels several times, their loudest sample so many times the rms of the noise; the others as they are.

    Onsets that cannot be seen any more are unknown. Without a record of noise there are none with labels.
    """
    chance = np.random.default_rng(seed)
    noises = [each for each in examples if each.origin.kind == "noise" and not each.onsets]
    labelled = [each for each in examples if labels_of(each)]
    made = [each for each in examples if not labels_of(each)]
    for example in labelled * (DRAWS if noises else 0):
        long = [each for each in noises if each.length >= example.length] or noises
        for _ in range(TRIES):
            noise = long[chance.integers(len(long))]
            part = augment.cut(noise, example.length, augment.random_start(noise, example.length, chance))
            if not part.unknown:
                break
        size = float(np.exp(chance.uniform(*np.log(snr))))
        made.append(forget_drowned(augment.add_noise(example, part, size)))
    return made
