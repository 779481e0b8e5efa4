"""Steim-2: what goes in comes out, ObsPy agrees in both directions, and damage is found instead of believed."""

import io
import struct

import numpy as np
import pytest
from obspy import Stream, Trace, read
from obspy.io.mseed.util import get_record_information

from kensoku import steim
from kensoku.errors import InputInvalid

RECORD_HEADER_BYTES = 64
LARGEST, SMALLEST = 2**31 - 1, -(2**31)


def counts(*values: int) -> steim.Int32Array:
    return np.array(values, dtype=np.int32)


def frames_of(samples: steim.Int32Array) -> bytes:
    (frames,) = steim.encode([samples])
    assert frames is not None
    return frames


def noise(random: np.random.Generator, size: int, width: float) -> steim.Int32Array:
    samples: steim.Int32Array = np.cumsum(random.normal(0, width, size)).astype(np.int32)
    return samples


def record_around(frames: bytes, count: int) -> bytes:
    """A miniSEED 2.4 record: fixed header, blockette 1000, and the frames."""
    header = b"000001D ABC  " + b"  " + b"HHZ" + b"XX"
    header += struct.pack(">HHBBBxH", 2019, 185, 15, 50, 0, 0)  # year, day, time
    header += struct.pack(">HhhBBBBiHH", count, 100, 1, 0, 0, 0, 1, 0, RECORD_HEADER_BYTES, 48)
    blockette = struct.pack(">HHBBBB", 1000, 0, 11, 1, 12, 0)  # Steim-2, big-endian, 2^12 bytes
    return (header + blockette).ljust(RECORD_HEADER_BYTES, b"\0") + frames.ljust(4096 - RECORD_HEADER_BYTES, b"\0")


@pytest.mark.parametrize(
    "samples",
    [
        counts(0),
        counts(-7),
        counts(LARGEST),
        counts(SMALLEST),
        counts(5, 5, 5, 5, 5, 5, 5, 5, 5),
        counts(-1, -2, -3, -1000, 1000, 0),
        counts(0, 2**29 - 1, 0, -(2**29) + 1),
        np.arange(-5000, 5000, dtype=np.int32),
        np.arange(0, 1000, dtype=np.int32)[::3],
    ],
)
def test_samples_come_back_as_they_were(samples: steim.Int32Array) -> None:
    (decoded,) = steim.decode([frames_of(samples)], [samples.size])
    assert decoded.dtype == np.int32
    assert decoded.tolist() == samples.tolist()


def test_every_width_of_difference_comes_back() -> None:
    random = np.random.default_rng(1)
    for bits in (2, 4, 5, 6, 8, 10, 15, 20, 29):
        for size in (1, 2, 7, 100, 101, 500, 1999):
            steps = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size)
            samples = np.clip(np.cumsum(steps), -(2**28), 2**28).astype(np.int32)
            (decoded,) = steim.decode([frames_of(samples)], [size])
            assert np.array_equal(decoded, samples), (bits, size)


@pytest.mark.parametrize(
    "samples", [counts(), counts(0, 2**29), counts(SMALLEST, LARGEST), counts(LARGEST, SMALLEST, LARGEST)]
)
def test_what_steim2_cannot_hold_is_not_encoded(samples: steim.Int32Array) -> None:
    assert steim.encode([samples]) == [None]


def test_a_wide_range_in_small_steps_is_encoded() -> None:
    samples = np.linspace(SMALLEST, LARGEST, 40).astype(np.int32)
    assert np.array_equal(steim.decode([frames_of(samples)], [40])[0], samples)


def test_one_channel_that_does_not_fit_leaves_the_others_alone() -> None:
    frames = steim.encode([counts(1, 2, 3), counts(SMALLEST, LARGEST), counts(4, 5)])
    assert [frame is None for frame in frames] == [False, True, False]


def test_channels_of_different_length_are_decoded_together() -> None:
    random = np.random.default_rng(2)
    channels = [noise(random, size, 300) for size in (1, 1000, 77, 300)]
    frames = [frames_of(samples) for samples in channels]
    for decoded, samples in zip(steim.decode(frames, [s.size for s in channels]), channels, strict=True):
        assert np.array_equal(decoded, samples)


def test_more_words_than_are_unpacked_at_once_come_back() -> None:
    samples = np.random.default_rng(3).integers(-(2**28), 2**28, 200_000).astype(np.int32)
    assert np.array_equal(steim.decode([frames_of(samples)], [samples.size])[0], samples)


def test_obspy_reads_a_record_around_our_frames() -> None:
    samples = noise(np.random.default_rng(4), 400, 50)
    (trace,) = read(io.BytesIO(record_around(frames_of(samples), samples.size)), format="MSEED")
    assert trace.id == "XX.ABC..HHZ"
    assert np.array_equal(trace.data, samples)


@pytest.mark.parametrize("width", [1, 10, 100, 10_000, 1_000_000])
def test_frames_that_obspy_wrote_are_read(width: float) -> None:
    samples = noise(np.random.default_rng(5), 300, width)
    file = io.BytesIO()
    Stream([Trace(samples, {"station": "ABC"})]).write(file, format="MSEED", encoding="STEIM2", reclen=4096)
    record = file.getvalue()[:4096]
    count = get_record_information(io.BytesIO(record))["npts"]
    (offset,) = struct.unpack(">H", record[44:46])
    frames = record[offset:]
    while not any(frames[-steim.FRAME_BYTES :]):
        frames = frames[: -steim.FRAME_BYTES]
    assert np.array_equal(steim.decode([frames], [count])[0], samples[:count])


def test_a_damaged_last_sample_is_found() -> None:
    frames = bytearray(frames_of(counts(1, 2, 3)))
    frames[11] ^= 1  # the last byte of the reverse integration constant
    with pytest.raises(InputInvalid, match="end with 3; expected 2"):
        steim.decode([bytes(frames)], [3])


@pytest.mark.parametrize(
    ("frames", "count", "words"),
    [
        (b"", 1, "0 bytes for 1 samples"),
        (bytes(63), 1, "63 bytes"),
        (bytes(64), 0, "for 0 samples"),
        (bytes(64), 1, "hold 0 samples; expected 1"),
        (bytes(64 * 1000), 100, "at most 448 bytes"),
        (b"\xff" * 64, 10, "hold 0 samples; expected 10"),  # an undefined way to fill a word
    ],
)
def test_what_cannot_be_frames_is_refused(frames: bytes, count: int, words: str) -> None:
    with pytest.raises(InputInvalid, match=words):
        steim.decode([frames], [count])


def test_any_damage_is_refused_or_gives_as_many_samples_as_were_sent() -> None:
    random = np.random.default_rng(6)
    for _ in range(3000):
        samples = noise(random, int(random.integers(1, 300)), 10 ** random.uniform(0, 6))
        frames = bytearray(frames_of(samples))
        for position in random.integers(0, len(frames), random.integers(1, 4)):
            frames[position] = random.integers(256)
        try:
            (decoded,) = steim.decode([bytes(frames)], [samples.size])
        except InputInvalid:
            continue
        assert decoded.shape == samples.shape
