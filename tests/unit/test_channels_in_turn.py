"""A channel that is renamed, or goes on at another rate: how the record was cut into pieces changes nothing."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kensoku.batch import Listener, Piece, hear_pieces, open_listener
from kensoku.continuous import Instrument, Timeline, index_of
from kensoku.detection import pick_packets
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket
from tests.streams import SAMPLE_NS, START_NS, contents, picks, record, two_stages
from tests.tiny_models import write_repository

FIRST = index_of(START_NS)
SENSOR = Instrument("XX", "STA", "", "HH")
RENAMED, HEARD = 4_000, 10_000  # samples at 100 Hz: HH1 ends, and HHN has been alone for a minute
LENGTH = 16_000
ONSETS = ((1800, 0), (2405, 1), (8820, 0), (9311, 1), (12_020, 0), (12_605, 1))
RECORD = record(LENGTH, events=())
for onset, row in ONSETS:
    RECORD[row] += np.round(500 * np.exp(-0.5 * ((np.arange(LENGTH) - onset) / 3) ** 2)).astype(np.int32)
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

cuts = st.lists(st.integers(1, LENGTH - 1), max_size=8).map(lambda ends: sorted({0, *ends, LENGTH}))


def one(code: str, component: int, first: int, last: int) -> ChannelSamples:
    return ChannelSamples("", code, START_NS + first * SAMPLE_NS, 100.0, RECORD[component, first:last])


def between(first: int, last: int) -> list[ChannelSamples]:
    """Z all along, and the horizontals under the names that they had."""
    channels = [one("HHZ", 0, first, last)]
    for component, old, new in ((1, "HH1", "HHN"), (2, "HH2", "HHE")):
        channels += [one(old, component, first, min(last, RENAMED))] if first < RENAMED else []
        channels += [one(new, component, max(first, RENAMED), last)] if last > RENAMED else []
    return channels


def packets(ends: Sequence[int]) -> list[WaveformPacket]:
    return [
        encode_packet("XX", "STA", between(first, last), "test", START_NS + last * SAMPLE_NS, TIME_KIND_REPLAY)
        for first, last in pairwise(ends)
    ]


@QUICK
@given(cuts)
def test_a_new_name_counts_from_a_minute_after_the_old_one_on(ends: list[int]) -> None:
    timeline = Timeline(SENSOR)
    for first, last in pairwise(ends):
        for channel in between(first, last):
            timeline.write({"Z": 0, "1": 1, "N": 1, "2": 2, "E": 2}[channel.code[2]], channel)
    north = timeline.read(FIRST, FIRST + LENGTH)[1]
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(north)), np.arange(RENAMED, HEARD))
    np.testing.assert_array_equal(north[HEARD:], RECORD[1, HEARD:])
    assert [timeline.orientations(FIRST + at) for at in (RENAMED - 1, HEARD)] == ["Z12", "ZNE"]
    assert timeline.channels(FIRST, FIRST + LENGTH) == ["HHZ", "HHN", "HH1", "HHE", "HH2"]


@QUICK
@given(cuts)
def test_live_picks_are_the_same_to_the_byte(ends: list[int]) -> None:
    found = contents(pick_packets(packets(ends), two_stages()))
    assert found == contents(pick_packets(packets(range(0, LENGTH + 1, 100)), two_stages()))


def test_live_picks_before_and_after_have_all_components() -> None:
    found = picks(pick_packets(packets(range(0, LENGTH + 1, 100)), two_stages()))
    at = {round((pick.onset_index - FIRST) / 100): " ".join(pick.channels) for pick in found}
    assert at == {
        18: "HHZ HH1 HH2", 24: "HHZ HH1 HH2", 88: "HHZ", 120: "HHZ HHN HHE", 126: "HHZ HHN HHE"
    }  # fmt: skip


@pytest.fixture(scope="module")
def full_context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    repository: Path = write_repository(tmp_path_factory.mktemp("models"))
    with open_listener(repository, f"local:{repository}", "picker") as opened:
        yield opened


def heard(pieces: Sequence[Piece], listener: Listener) -> list[bytes]:
    with ThreadPoolExecutor(1) as executor:
        found = [each.pick for each in hear_pieces(pieces, listener, {}, executor, lambda *_: None)]
    assert all(isinstance(pick, Pick) for pick in found)
    return contents(found)


def pieces(ends: Sequence[int]) -> list[Piece]:
    times = [(START_NS + first * SAMPLE_NS, START_NS + last * SAMPLE_NS) for first, last in pairwise(ends)]
    return [
        Piece("XX", "STA", tuple(between(first, last)), *time)
        for (first, last), time in zip(pairwise(ends), times, strict=True)
    ]


@QUICK
@given(cuts)
def test_picks_of_files_are_the_same_to_the_byte(full_context: Listener, ends: list[int]) -> None:
    whole = heard(pieces([0, LENGTH]), full_context)
    assert len(whole) == 5  # the horizontals that are left out have one
    assert heard(pieces(ends), full_context) == whole


@pytest.mark.parametrize("rate_hz", [50.0, 200.0])
@QUICK
@given(order=st.permutations(range(1, 5)))
def test_another_rate_counts_from_a_minute_later_on_in_any_order(rate_hz: float, order: list[int]) -> None:
    """Three pieces at 100 Hz and three at another rate, of which those of the first minute come in any order."""
    slow = [one("HHZ", 0, first, first + 1000) for first in (0, 1000, 2000)]
    fast = [
        ChannelSamples("", "HHZ", START_NS + first * SAMPLE_NS, rate_hz, np.full(round(lasts_s * rate_hz), first))
        for first, lasts_s in ((3000, 10), (4000, 10), (5000, 100))
    ]
    timeline, in_order = Timeline(SENSOR), Timeline(SENSOR)
    for number in (0, *order, 5):
        timeline.write(0, [*slow, *fast][number])
    for piece in (*slow, *fast):
        in_order.write(0, piece)
    found = timeline.read(FIRST, FIRST + 15_000)[0]
    np.testing.assert_array_equal(found, in_order.read(FIRST, FIRST + 15_000)[0])
    np.testing.assert_array_equal(found[:3000], RECORD[0, :3000])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), np.arange(3000, 9000))
    assert [timeline.delay_ns(FIRST + at) > 0 for at in (2999, 9000)] == [False, True]


def test_a_moment_of_a_wrong_rate_takes_nothing_over() -> None:
    timeline = Timeline(SENSOR)
    timeline.write(0, one("HHZ", 0, 0, 1000))
    wrong = replace(one("HHZ", 0, 1000, 1100), rate_hz=50.0)
    assert timeline.beside(0, wrong).startswith("found 50 Hz, expected 100 Hz as before")
    assert not timeline.write(0, wrong)
    timeline.write(0, one("HHZ", 0, 1100, 2000))
    found = timeline.read(FIRST, FIRST + 2000)[0]
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), np.arange(1000, 1100))
    assert not timeline.beside(0, replace(wrong, start_ns=START_NS + 8000 * SAMPLE_NS))


def test_a_name_that_comes_back_counts_again() -> None:
    timeline, long = Timeline(SENSOR), 200 * 10**9
    for start_ns, code in ((0, "HH1"), (long, "HHN"), (2 * long, "HH1")):
        assert timeline.write(1, replace(one(code, 1, 0, 1000), start_ns=START_NS + start_ns))
    assert [timeline.orientations(FIRST + n * 20_000) for n in range(3)] == ["Z1E", "ZNE", "Z1E"]
