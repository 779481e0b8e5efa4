"""What was picked at one station with faults, beside what is picked without them, and which fault is to blame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.bad_day_faults import HARMLESS, Fault
from kensoku.simulation.networks import Station
from kensoku.simulation.telemetry import Delivery, Packet
from kensoku.times import NS_PER_S
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, PHASE_P, Pick

EXPLAINED_NS = NS_PER_S  # so near to an arrival a pick is of it
SAME_NS = NS_PER_S  # so near to one without the faults it is the same
BEFORE_NS, AFTER_NS = NS_PER_S, 5 * NS_PER_S  # of a fault, in which a pick is taken for its own
SEEN_NS = 20 * NS_PER_S  # before an onset that the networks look at
SHOWN_S = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Of one station and stretch."""

    station: Station
    spoilt: list[Packet]  # with disturbances
    calm: list[Packet]
    arrivals_ns: npt.NDArray[np.int64]

    def explains(self, onset_ns: int) -> bool:
        return bool(np.any(np.abs(self.arrivals_ns - onset_ns) <= EXPLAINED_NS))


def is_kept(pick: Pick) -> bool:
    return pick.decision == DECISION_KEPT


def is_rejected(pick: Pick) -> bool:
    """For its samples or by a limit; a faint one is neither kept nor rejected."""
    return pick.decision not in (DECISION_KEPT, DECISION_FAINT)


def true_times(pick: Pick, faults: Iterable[Fault]) -> list[int]:
    """When it may have been: as it says, or by a clock that was wrong about then."""
    clocks = {
        one.clock_ns
        for one in faults
        if one.clock_ns and one.start_ns - AFTER_NS <= pick.onset_ns - one.clock_ns < one.end_ns + AFTER_NS
    }
    return [pick.onset_ns - clock_ns for clock_ns in (0, *sorted(clocks))]


def cause_of(times_ns: Sequence[int], faults: Sequence[Fault]) -> Fault | None:
    """Of the faults that hold it the one whose begin or end is nearest; the harmless only if there is no other."""

    def distance(one: Fault) -> tuple[bool, int]:
        edges = (one.start_ns, one.end_ns)
        return one.kind in HARMLESS, min(abs(time - edge) for time in times_ns for edge in edges)

    holding = [one for one in faults for time in times_ns if one.start_ns - BEFORE_NS <= time < one.end_ns + AFTER_NS]
    return min(holding, key=distance, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One station with faults: what it sent, what was picked, and what is picked without the faults."""

    records: Records
    faults: list[Fault]
    deliveries: list[Delivery]
    found: list[Pick]
    expected: list[Pick]

    def is_explained(self, pick: Pick) -> bool:
        return any(self.records.explains(time) for time in true_times(pick, self.faults))

    def false(self) -> Iterator[dict[str, object]]:
        """Those that are kept, and those that would be but for their samples."""
        for pick in self.found:
            if pick.decision == DECISION_FAINT:
                continue
            times = true_times(pick, self.faults)
            is_there_without = any(abs(one.onset_ns - time) <= SAME_NS for one in self.expected for time in times)
            if not is_there_without and not self.is_explained(pick):
                cause = cause_of(times, self.faults)
                yield {
                    "cause": cause.kind if cause else "none",
                    "station": self.records.station.name,
                    "phase": "P" if pick.phase == PHASE_P else "S",
                    "onset_ns": pick.onset_ns,
                    "score": round(pick.probabilities.p if pick.phase == PHASE_P else pick.probabilities.s, 3),
                    "fault_ns": cause.start_ns if cause else 0,
                    "rejected": pick.decision_reason,
                }

    def lost(self) -> int:
        """Real picks that are gone although there is no fault in what the networks looked at."""
        faults = [replace(one, end_ns=one.end_ns + SEEN_NS) for one in self.faults if one.kind not in HARMLESS]
        return sum(
            is_kept(pick)
            and self.records.explains(pick.onset_ns)
            and not any(
                one.phase == pick.phase and is_kept(one) and abs(time - pick.onset_ns) <= SAME_NS
                for one in self.found
                for time in true_times(one, self.faults)
            )
            and cause_of([pick.onset_ns], faults) is None
            for pick in self.expected
        )


def draw_false(case: Case, folder: Path) -> None:
    """The seismogram around each false pick, as it was sent."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    for told in case.false():
        onset_ns = int(str(told["onset_ns"]))
        figure, axes = plt.subplots(3, 1, figsize=(9, 6), sharex=True)
        for one in case.deliveries:
            for axis, channel in zip(axes, one.packet.channels, strict=False):
                since_s = (channel.start_ns - onset_ns) / NS_PER_S
                if abs(since_s) < SHOWN_S:
                    axis.plot(since_s + np.arange(channel.samples.size) / channel.rate_hz, channel.samples, lw=0.6)
                    axis.set_ylabel(channel.code)
        for axis in axes:
            axis.axvline(0.0, color="red", lw=0.8)
        axes[0].set_title(f"{told['cause']} {told['station']} {told['phase']} {told['score']} {told['rejected']}")
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{told['cause']}_{told['station']}_{onset_ns // 10**7}_{told['phase']}.png", dpi=60)
        plt.close(figure)
