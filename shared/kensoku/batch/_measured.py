"""What is measured of a pick when all of its record is there."""

from collections.abc import Mapping

from kensoku.batch._engine import Complete
from kensoku.continuous import Timeline, time_of
from kensoku.measuring import FULL, LEAD, Channels, describe_pick, measure
from kensoku.picking import Phase
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, Pick

BESIDE = 20  # samples of room for what a measurement adds to its lead


def measuring_with(stations: Mapping[str, Station]) -> Complete:
    """Amplitudes, SNR and polarity, 30 s after the onset; of stations that are not known in counts."""

    def complete(pick: Pick, timeline: Timeline, index: int) -> None:
        instrument = timeline.instrument
        station = stations.get(instrument.key)
        first, end = index - LEAD - BESIDE, index + FULL
        channels = Channels.of(
            station, instrument.location, instrument.band_instrument, pick.onset_ns, timeline.orientations()
        )
        onset_ns = pick.onset_ns - timeline.offset_ns(index) + timeline.delay_ns(index)
        onset = (onset_ns - time_of(first)) / (time_of(1) - time_of(0))
        counts = timeline.read(first, end)
        phase: Phase = "P" if pick.phase == PHASE_P else "S"
        measured = measure(counts, onset, end - first, channels, phase, pick.onset_uncertainty_s)
        describe_pick(pick, measured, time_of(first))
        pick.inventory_hash = station.hash if station else ""

    return complete
