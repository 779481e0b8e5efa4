"""What is measured of picks when their record is there: as the live service does, at once and half a minute later."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kensoku.continuous import RATE_HZ, Timeline
from kensoku.detection import SecondLook, Stations, describe_first, describe_fully
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Pick, PickMeasurement

FIRST_S = {PHASE_P: 1, PHASE_S: 2}  # after an onset that a live pick's first message may have seen at the most

Asked = tuple[Pick, Timeline]


@dataclass(frozen=True, slots=True)
class Heard:
    """A pick with the amplitudes of its first seconds, and what is measured of the half minute after it."""

    pick: Pick
    measurement: PickMeasurement | None = None  # none: of what was never decided to its end


Measure = Callable[[Sequence[Asked]], Iterator[Heard]]


def measuring_with(stations: Stations, again: SecondLook) -> Measure:
    """Of stations that are not known in counts."""

    def measured(asked: Sequence[Asked]) -> Iterator[Heard]:
        for (pick, timeline), refined in zip(asked, again.refine(asked), strict=True):
            station = stations(timeline.instrument.key)
            pick.inventory_hash = station.hash if station else ""
            describe_first(pick, timeline, stations, pick.onset_index + FIRST_S[pick.phase] * RATE_HZ)
            yield Heard(pick, describe_fully(pick, timeline, stations, refined))

    return measured
