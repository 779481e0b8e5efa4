"""What was measured of a pick, in the messages that carry it."""

from collections.abc import Iterator
from dataclasses import replace

from kensoku.measuring._measure import Measured
from kensoku.measuring._stretch import RATE_HZ
from kensoku.times import NS_PER_S
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_JMA_VELOCITY,
    AMPLITUDE_KIND_PEAK_ACCELERATION,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    AMPLITUDE_UNIT_COUNT,
    AMPLITUDE_UNIT_M,
    AMPLITUDE_UNIT_M_PER_S,
    AMPLITUDE_UNIT_M_PER_S2,
    POLARITY_DOWN,
    POLARITY_UNDECIDABLE,
    POLARITY_UNSPECIFIED,
    POLARITY_UP,
    Amplitude,
    Pick,
    PickMeasurement,
)

UNITS = {
    AMPLITUDE_KIND_PEAK_RAW: AMPLITUDE_UNIT_COUNT,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT: AMPLITUDE_UNIT_M,
    AMPLITUDE_KIND_WOOD_ANDERSON: AMPLITUDE_UNIT_M,
    AMPLITUDE_KIND_PEAK_VELOCITY: AMPLITUDE_UNIT_M_PER_S,
    AMPLITUDE_KIND_JMA_VELOCITY: AMPLITUDE_UNIT_M_PER_S,
    AMPLITUDE_KIND_PEAK_ACCELERATION: AMPLITUDE_UNIT_M_PER_S2,
}
EARLY_KINDS = (AMPLITUDE_KIND_PEAK_DISPLACEMENT, AMPLITUDE_KIND_PEAK_VELOCITY)  # of which magnitudes are made early
POLARITIES = {"up": POLARITY_UP, "down": POLARITY_DOWN, "undecidable": POLARITY_UNDECIDABLE}


def describe_pick(pick: Pick, measured: Measured, first_sample_ns: int) -> None:
    """Fill in SNR, amplitudes and polarity; `first_sample_ns` is the time of the record's first sample."""
    pick.snr = measured.snr
    del pick.amplitudes[:]
    pick.amplitudes.extend(_amplitudes(measured, first_sample_ns))
    motion = measured.first_motion
    pick.polarity = POLARITIES[motion.sense] if motion else POLARITY_UNSPECIFIED
    pick.polarity_confidence = motion.confidence if motion else 0.0


def pick_measurement(
    pick: Pick, measured: Measured, first_sample_ns: int, early: Measured | None = None
) -> PickMeasurement:
    """Onset and probabilities are those of the pick, until somebody who knows better writes over them.

    `early` is of the same record over the first seconds alone.
    """
    message = PickMeasurement(
        id=pick.id,
        instrument=pick.instrument,
        phase=pick.phase,
        onset_ns=pick.onset_ns,
        onset_uncertainty_s=pick.onset_uncertainty_s,
        probabilities=pick.probabilities if pick.HasField("probabilities") else None,
        snr=measured.snr,
        amplitudes=_amplitudes(measured, first_sample_ns),
        characteristic_period_s=measured.tau_c_s,
        inventory_hash=pick.inventory_hash,
        late=pick.late,
    )
    if early is not None:
        sooner = [a for a in early.amplitudes if a.kind in EARLY_KINDS and a not in measured.amplitudes]
        message.amplitudes.extend(_amplitudes(replace(early, amplitudes=tuple(sooner)), first_sample_ns))
    if pick.HasField("blast_probability"):
        message.blast_probability = pick.blast_probability
    return message


def _amplitudes(measured: Measured, first_sample_ns: int) -> Iterator[Amplitude]:
    for amplitude in measured.amplitudes:
        yield Amplitude(
            kind=amplitude.kind,
            unit=UNITS[amplitude.kind],
            value=amplitude.value,
            channel=amplitude.channel,
            time_ns=first_sample_ns + (measured.first + amplitude.sample) * NS_PER_S // RATE_HZ,
            period_s=amplitude.period_s,
            window_s=amplitude.window_s,
            clipped=amplitude.is_clipped,
            noise=amplitude.noise,
            high_pass_hz=amplitude.high_pass_hz,
        )
