"""What this service told before it was started again: read from its own output, so that nothing is told anew."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from kensoku.bus import Message
from kensoku.continuous import Before, Instrument, index_of
from kensoku.v1.pick_pb2 import Pick, PickMessage, Progress


@dataclass(frozen=True, slots=True)
class Recalled:
    """Of one partition of `waveforms`, by its last Progress."""

    before: Before = Before(0, {})
    picks: tuple[Pick, ...] = ()  # of its instruments, lately


@dataclass(frozen=True, slots=True)
class Recollection:
    by_partition: Mapping[int, Recalled]  # of `waveforms`
    unclaimed: tuple[Pick, ...]  # of instruments in no Progress: who told them ended before it told how far it was
    measured: frozenset[str]  # ids of picks
    progress_ns: int = 0  # the oldest of the partitions' last Progress; 0: none was read

    def of(self, partition: int) -> Recalled:
        known = self.by_partition.get(partition, Recalled())
        return Recalled(known.before, (*known.picks, *self.unclaimed))


@dataclass(slots=True)
class _Told:
    progress: dict[int, Progress] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    picks: dict[str, Pick] = field(default_factory=dict)
    measured: set[str] = field(default_factory=set)


def look_back(
    read_from: Callable[[int], Iterable[Message]], now_ns: int, recall_ns: int, longest_ns: int
) -> Recollection:
    """What was told in so long before now, or longer: half of it lies before the last Progress of each partition.

    Picks told before a Progress may wait for their measurement, and their seconds are not looked at again.
    """
    back_ns = recall_ns
    while True:
        told = recall(read_from(now_ns - back_ns))
        if now_ns - back_ns <= told.progress_ns - recall_ns // 2 or back_ns >= longest_ns:
            return told
        back_ns *= 2


def recall(messages: Iterable[Message]) -> Recollection:
    told = _Told()
    for message in messages:
        try:
            _note(told, PickMessage.FromString(message.value or b""))
        except DecodeError:
            continue  # somebody else's rubbish
    owners = {
        Instrument.of(one.instrument): number
        for number, progress in told.progress.items()
        for one in progress.instruments
    }
    by_partition: dict[int, list[Pick]] = {number: [] for number in told.progress}
    unclaimed: list[Pick] = []
    for pick in told.picks.values():
        number = owners.get(Instrument.of(pick.instrument))
        (unclaimed if number is None else by_partition[number]).append(pick)
    recalled = {
        number: Recalled(_before(progress), tuple(by_partition[number])) for number, progress in told.progress.items()
    }
    progress_ns = min((progress.sent_ns for progress in told.progress.values()), default=0)
    return Recollection(recalled, tuple(unclaimed), frozenset(told.measured), progress_ns)


def _note(told: _Told, message: PickMessage) -> None:
    """Of two owners of a partition the later one is right; of its messages the latest."""
    match message.WhichOneof("content"):
        case "pick":
            told.picks[message.pick.id] = message.pick
        case "measurement":
            told.measured.add(message.measurement.id)
        case "progress":
            number = message.progress.partition
            if message.owner_epoch >= told.epochs.get(number, 0):
                told.epochs[number] = message.owner_epoch
                told.progress[number] = message.progress


def _before(progress: Progress) -> Before:
    known_to = {Instrument.of(one.instrument): index_of(one.evaluated_to_ns) for one in progress.instruments}
    return Before(progress.next_offset, known_to)
