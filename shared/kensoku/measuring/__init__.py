"""What is measured of a pick: amplitudes for magnitudes, SNR, first motion and characteristic period.

Pure: a finite stretch of an instrument's counts around an onset, and its response, to values; values to messages. The
same stretch gives the same values, live and in batch.
"""

from kensoku.measuring._amplitudes import Amplitude
from kensoku.measuring._channels import Channel, Channels
from kensoku.measuring._measure import Measured, measure
from kensoku.measuring._messages import describe_pick, pick_measurement
from kensoku.measuring._polarity import FirstMotion
from kensoku.measuring._stretch import EARLY, FULL, LEAD
from kensoku.measuring.snr import see

__all__ = [
    "EARLY",
    "FULL",
    "LEAD",
    "Amplitude",
    "Channel",
    "Channels",
    "FirstMotion",
    "Measured",
    "describe_pick",
    "measure",
    "pick_measurement",
    "see",
]
