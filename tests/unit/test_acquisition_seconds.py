"""Cutting archives into seconds: every sample once, in the order of time, each with its exact time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kensoku.acquisition.schedule import Schedule
from kensoku.acquisition.seconds import Span, StationSecond, indices_at, station_seconds
from kensoku.acquisition.waveform_files import Fault, Piece, Segment, Stretch

SECOND_NS = 10**9
START_NS = 1_562_255_400 * SECOND_NS


def segment(
    first: int, count: int, offset_ns: int = 0, code: str = "HHZ", station: str = "PASC", rate_hz: float = 100.0
) -> Segment:
    """`count` samples from sample `first` after START_NS on, each its own number."""
    start_ns = START_NS + round(first * 1e9 / rate_hz) + offset_ns
    return Segment("CI", station, "", code, start_ns, rate_hz, np.arange(first, first + count, dtype=np.int32))


def replay(*files: Sequence[Piece], span: Span | None = None) -> list[StationSecond]:
    """Each file is a stretch of pieces."""
    pieces = {Path(str(number)): file for number, file in enumerate(files)}
    stretches = [_stretch(path, file) for path, file in pieces.items()]

    def read(stretch: Stretch) -> Iterator[Piece]:
        return iter(pieces[stretch.path])

    items = list(station_seconds(stretches, read, span or Span()))
    return [item for item in items if isinstance(item, StationSecond)]


def _stretch(path: Path, file: Sequence[Piece]) -> Stretch:
    segments = [part for piece in file for part in piece if isinstance(part, Segment)]
    start_ns = min(s.start_ns for s in segments)
    return Stretch(path, 0, 1, 512, start_ns, max(s.time_ns(s.samples.size - 1) for s in segments), {})


def samples_of(seconds: Sequence[StationSecond], code: str = "HHZ", station: str = "PASC") -> list[int]:
    channels = [c for second in seconds if second.station == station for c in second.channels if c.code == code]
    return [int(sample) for channel in channels for sample in channel.samples]


def test_a_second_holds_all_channels_of_a_station() -> None:
    seconds = replay(*([[segment(0, 300, code=code)]] for code in ("HHZ", "HHN", "HHE")))
    assert [(s.key, s.second, [c.code for c in s.channels]) for s in seconds] == [
        ("CI.PASC", 1_562_255_400 + k, ["HHE", "HHN", "HHZ"]) for k in range(3)
    ]
    assert all(channel.samples.size == 100 for second in seconds for channel in second.channels)


def test_stations_are_interleaved_in_the_order_of_time() -> None:
    seconds = replay([[segment(100, 300)]], [[segment(0, 300, station="ADO")]])
    assert [(s.second - 1_562_255_400, s.station) for s in seconds] == [
        (0, "ADO"), (1, "ADO"), (1, "PASC"), (2, "ADO"), (2, "PASC"), (3, "PASC"),
    ]  # fmt: skip


def test_a_component_that_comes_late_holds_nobody_up() -> None:
    seconds = replay([[segment(0, 200)]], [[segment(150, 50, code="HHN")]])
    assert [[c.code for c in s.channels] for s in seconds] == [["HHZ"], ["HHN", "HHZ"]]


def test_where_pieces_meet_nothing_shows() -> None:
    seconds = replay([[segment(0, 130)], [segment(130, 200)], [segment(330, 70)]])
    assert [[c.samples.size for c in s.channels] for s in seconds] == [[100], [100], [100], [100]]
    assert samples_of(seconds) == list(range(400))


def test_a_gap_is_left_as_it_is() -> None:
    seconds = replay([[segment(0, 120), segment(150, 50), segment(100_000, 10)]])
    assert [[(c.start_ns - START_NS, c.samples.size) for c in s.channels] for s in seconds] == [
        [(0, 100)],
        [(SECOND_NS, 20), (1_500_000_000, 50)],
        [(1000 * SECOND_NS, 10)],
    ]


def test_overlaps_are_passed_on_as_they_are() -> None:
    seconds = replay([[segment(0, 100)]], [[segment(40, 60)]])
    assert [[c.samples.size for c in s.channels] for s in seconds] == [[100, 60]]


def test_offsets_from_the_grid_are_kept_to_the_nanosecond() -> None:
    first, second = replay([[segment(0, 150, offset_ns=2_986_123)]])
    assert first.channels[0].start_ns == START_NS + 2_986_123
    assert second.channels[0].start_ns == START_NS + SECOND_NS + 2_986_123


def test_jitter_under_half_a_sample_is_no_gap_and_one_over_it_is() -> None:
    assert len(replay([[segment(0, 50)], [segment(50, 50, offset_ns=4_900_000)]])[0].channels) == 1
    assert len(replay([[segment(0, 50)], [segment(50, 49, offset_ns=5_100_000)]])[0].channels) == 2


@pytest.mark.parametrize("rate_hz", [0.3, 1.0, 20.0, 99.9987, 100.0, 128.0, 1000 / 3, 4000.0])
def test_every_sample_is_in_the_second_of_its_time(rate_hz: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        whole = segment(int(random.integers(5000)), 700, int(random.integers(-(10**9), 10**9)), rate_hz=rate_hz)
        seconds = replay([[whole]])
        assert samples_of(seconds) == whole.samples.tolist()
        for second in seconds:
            (channel,) = second.channels
            last_ns = channel.start_ns + round((channel.samples.size - 1) * 1e9 / rate_hz)
            assert second.second * SECOND_NS <= channel.start_ns
            assert last_ns <= second.end_ns  # its first sample's rounding may add a nanosecond


def test_the_index_is_the_first_sample_that_is_not_before() -> None:
    for rate_hz in (0.7, 99.9987, 100.0, 1000 / 3):
        whole = segment(0, 10_000, 123_456_789, rate_hz=rate_hz)
        times_ns = np.array([whole.time_ns(index) for index in (0, 1, 77, 9_998)])
        assert indices_at(whole, times_ns).tolist() == [0, 1, 77, 9_998]
        assert indices_at(whole, times_ns + 1).tolist() == [1, 2, 78, 9_999]


def test_random_archives_lose_no_sample_and_repeat_none() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        files = []
        expected: dict[str, list[int]] = {}
        for station in ("ADO", "PASC", "SVD"):
            first, pieces = int(random.integers(500)), []
            for _ in range(random.integers(1, 6)):
                first += int(random.integers(2)) * int(random.integers(2, 1000))
                part = segment(first, int(random.integers(1, 400)), station=station)
                expected.setdefault(station, []).extend(part.samples.tolist())
                pieces.append([part])
                first += part.samples.size
            files.append(pieces)
        seconds = replay(*files)
        assert [(s.second, s.key) for s in seconds] == sorted({(s.second, s.key) for s in seconds})
        assert {station: samples_of(seconds, station=station) for station in expected} == expected


def test_only_the_wanted_times_are_replayed() -> None:
    span = Span(START_NS + 1_500_000_000, START_NS + 3_200_000_000)
    assert samples_of(replay([[segment(0, 200)], [segment(200, 300)]], span=span)) == list(range(150, 320))


def test_a_fault_is_handed_on_and_the_rest_is_replayed() -> None:
    fault = Fault(Path("0"), 512, "damaged", b"x")
    stretch = _stretch(Path("0"), [[segment(0, 300)]])
    pieces: list[Piece] = [[segment(0, 100)], [fault], [segment(200, 100)]]
    items = list(station_seconds([stretch], lambda _: iter(pieces), Span()))
    assert [item for item in items if isinstance(item, Fault)] == [fault]
    assert samples_of([i for i in items if isinstance(i, StationSecond)]) == [*range(100), *range(200, 300)]


def test_two_pieces_of_a_file_are_in_memory_at_a_time() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[Piece]:
        for number in range(100):
            asked.append(number)
            yield [segment(1000 * number, 1000)]

    stretch = Stretch(Path("0"), 0, 1, 512, START_NS, START_NS + 1000 * SECOND_NS, {})
    for item in station_seconds([stretch], lambda _: pieces(), Span()):
        assert isinstance(item, StationSecond)
        assert len(asked) <= (item.second - 1_562_255_400) // 10 + 2


# --- the schedule -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "due_s"), [(1.0, 30.0), (10.0, 3.0), (float("inf"), 0.0)])
def test_a_second_is_due_by_its_distance_from_the_first(speed: float, due_s: float) -> None:
    schedule = Schedule(speed, archive_ns=START_NS, clock_ns=5)
    assert schedule.due_ns(START_NS + 30 * SECOND_NS) == 5 + due_s * SECOND_NS


def test_nobody_waits_longer_than_a_minute_for_a_gap() -> None:
    schedule = Schedule(1.0, START_NS, 0).without_gap(START_NS, START_NS + 86_400 * SECOND_NS)
    assert schedule.due_ns(START_NS + 86_400 * SECOND_NS) == 60 * SECOND_NS
    assert schedule.without_gap(START_NS, START_NS + 59 * SECOND_NS) == schedule
