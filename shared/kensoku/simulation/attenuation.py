"""How waves fade on their way: by spreading, and by what rock absorbs of each frequency."""

from dataclasses import dataclass

import numpy as np

from kensoku.simulation.quantities import Positive, Share
from kensoku.simulation.randomness import FloatArray
from kensoku.traveltime import Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Attenuation:
    """How waves fade: geometry, and Q = q_1hz * f^exponent above 1 Hz, apart for P and S (Yoshimoto et al., 1993)."""

    spreading: Positive = 1.0  # amplitude falls with distance^-spreading
    far_spreading: Positive = 0.5  # beyond `far_km`
    far_km: Positive = 100.0
    q_p_1hz: Positive = 150.0
    q_p_exponent: Share = 0.7
    q_s_1hz: Positive = 220.0
    q_s_exponent: Share = 0.65


def spread_per_m(hypocentral_km: FloatArray, attenuation: Attenuation) -> FloatArray:
    near_km = np.minimum(hypocentral_km, attenuation.far_km)
    beyond = np.maximum(hypocentral_km / attenuation.far_km, 1.0)
    amplitude: FloatArray = 1e-3 * near_km**-attenuation.spreading * beyond**-attenuation.far_spreading
    return amplitude


def quality(attenuation: Attenuation, wave: Wave, hz: FloatArray) -> FloatArray:
    at_1hz, exponent = (
        (attenuation.q_p_1hz, attenuation.q_p_exponent)
        if wave == "P"
        else (attenuation.q_s_1hz, attenuation.q_s_exponent)
    )
    q: FloatArray = at_1hz * np.maximum(hz, 1.0) ** exponent
    return q
