"""Steim-2, the compression of miniSEED: first differences, packed one to seven into a 32-bit word, 15 words a frame.

Frames are those of the SEED 2.4 manual, appendix B, without a record header and without the empty words at their end.
Encoding calls libmseed's own packer, which ObsPy's wheels carry; decoding is numpy. libmseed's decoder is not called,
because it reports damaged frames through callbacks that ObsPy frees after each of its own calls: a damaged packet could
then end the process.
"""

import ctypes
import functools
from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid

Int32Array = npt.NDArray[np.int32]

FRAME_BYTES = 64
WORD_BYTES = 4
LARGEST_DIFFERENCE = 2**29 - 1  # 30 bits with a sign
WORDS = 16  # a frame
WORDS_AT_ONCE = 2**16  # a whole number of frames; bounds what unpacking needs to a few megabytes


def largest_payload(count: int) -> int:
    """Bytes of `count` samples in the worst case, one sample a word; the two integration constants take a word each."""
    return FRAME_BYTES * -(-(count + 2) // 15)


# --- encoding ---------------------------------------------------------------------------------------------------------


@functools.cache
def _packer() -> Callable[..., int] | None:
    """libmseed 2's `msr_encode_steim2`; None where ObsPy's library is another version or does not export it.

    PyDLL keeps the interpreter's lock: a packet takes microseconds, but getting the lock back may take 5 ms.
    """
    from obspy.io.mseed.headers import clibmseed  # here, because who only decodes should not pay for the import

    library = ctypes.PyDLL(clibmseed.lib._name)
    if not hasattr(library, "msr_init") or not hasattr(library, "msr_encode_steim2"):  # libmseed 3 has other arguments
        return None
    pack = library.msr_encode_steim2  # samples, count, frames, bytes there, difference before the first, name, swap
    text, integer = ctypes.c_char_p, ctypes.c_int
    pack.argtypes = (text, integer, ctypes.c_void_p, integer, ctypes.c_int32, text, integer)
    return pack


def encode(channels: Sequence[Int32Array]) -> list[bytes | None]:
    """The frames of each channel; None where Steim-2 cannot hold it: no sample, or a difference of over 30 bits."""
    pack = _packer()
    if pack is None:
        return [None] * len(channels)
    together = np.concatenate(channels)
    all_fit = together.size > 0 and int(together.max()) - int(together.min()) <= LARGEST_DIFFERENCE
    return [_pack(pack, samples) if samples.size and (all_fit or _fits(samples)) else None for samples in channels]


def _fits(samples: Int32Array) -> bool:
    differences = np.diff(samples.astype(np.int64))
    return int(np.abs(differences).max(initial=0)) <= LARGEST_DIFFERENCE


def _pack(pack: Callable[..., int], samples: Int32Array) -> bytes:
    """libmseed writes into as many frames as the worst case needs, and reads no more than the samples."""
    frames = ctypes.create_string_buffer(largest_payload(samples.size))
    pack(samples.tobytes(), samples.size, frames, len(frames), 0, b"", 1)
    payload = frames.raw
    used_bytes = len(payload.rstrip(b"\0"))  # a frame in use begins with what its words hold, which is never 0
    return payload[: -(-used_bytes // WORD_BYTES) * WORD_BYTES]


# --- decoding ---------------------------------------------------------------------------------------------------------

# The four nibbles of a byte, each times four.
_FOUR_NIBBLES = ((np.arange(256)[:, np.newaxis] >> np.arange(6, -2, -2)) & 3).astype(np.intp) * 4

# How many differences a word holds and of how many bits, by its nibble and its own upper two bits.
_LAYOUTS = {0b01: [(4, 8)] * 4, 0b10: [(0, 0), (1, 30), (2, 15), (3, 10)], 0b11: [(5, 6), (6, 5), (7, 4), (0, 0)]}


def _tables() -> tuple[Int32Array, Int32Array, Int32Array]:
    """By code (4 x nibble + upper bits): how many differences; by code and difference: shift left, and back right."""
    counts, left, right = np.zeros(16, np.int32), np.zeros((16, 7), np.int32), np.zeros((16, 7), np.int32)
    for nibble, layouts in _LAYOUTS.items():
        for upper, (count, bits) in enumerate(layouts):
            code = 4 * nibble + upper
            counts[code] = count
            left[code, :count] = 32 - bits * np.arange(count, 0, -1)
            right[code, :count] = 32 - bits
    return counts, left, right


_COUNTS, _LEFT, _RIGHT = _tables()
_HOLDS = np.arange(7) < _COUNTS[:, np.newaxis]


def decode(payloads: Sequence[bytes], counts: Sequence[int]) -> list[Int32Array]:
    """The samples of several channels, unpacked together because three cost little more than one."""
    if not payloads:
        return []
    for payload, count in zip(payloads, counts, strict=True):
        _check_length(len(payload), count)
    payloads = [payload.ljust(-(-len(payload) // FRAME_BYTES) * FRAME_BYTES, b"\0") for payload in payloads]
    together = b"".join(payloads)
    words = np.frombuffer(together, dtype=">i4").astype(np.int32)
    ends = list(accumulate(len(payload) // FRAME_BYTES for payload in payloads))
    starts = [0, *ends[:-1]]
    codes = _codes(np.frombuffer(together, dtype=np.uint8).reshape(-1, FRAME_BYTES), starts)
    held = _COUNTS.take(codes).cumsum()
    differences = _unpack(words, codes)
    decoded, position = [], 0
    for count, start, end in zip(counts, starts, ends, strict=True):
        _, first, last = words[WORDS * start : WORDS * start + 3].tolist()
        next_position = int(held[WORDS * end - 1])
        decoded.append(_integrate(differences[position:next_position], count, first, last))
        position = next_position
    return decoded


def _check_length(length: int, count: int) -> None:
    if length == 0 or length % WORD_BYTES or count < 1 or length > largest_payload(count):
        raise InputInvalid(
            f"Steim-2 payload of {length} bytes for {count} samples; expected words of {WORD_BYTES} bytes in frames of "
            f"{FRAME_BYTES}, at most {largest_payload(max(count, 0))} bytes; the sender must encode again"
        )


def _codes(octets: npt.NDArray[np.uint8], first_frames: Sequence[int]) -> npt.NDArray[np.intp]:
    """What every word of the frames holds: four times its nibble, and its own upper two bits."""
    codes = _FOUR_NIBBLES.take(octets[:, :4], 0).reshape(-1, WORDS)
    codes |= octets[:, ::4] >> 6
    codes[:, 0] = 0  # the nibbles themselves
    for frame in first_frames:
        codes[frame, 1:3] = 0  # first and last sample
    return codes.ravel()


def _unpack(words: Int32Array, codes: npt.NDArray[np.intp]) -> Int32Array:
    if words.size > WORDS_AT_ONCE:
        parts = [slice(i, i + WORDS_AT_ONCE) for i in range(0, words.size, WORDS_AT_ONCE)]
        return np.concatenate([_unpack(words[part], codes[part]) for part in parts])
    differences = words[:, np.newaxis] << _LEFT.take(codes, 0)
    differences >>= _RIGHT.take(codes, 0)
    held: Int32Array = differences[_HOLDS.take(codes, 0)]
    return held


def _integrate(differences: Int32Array, count: int, first: int, last: int) -> Int32Array:
    if differences.size < count:
        raise InputInvalid(
            f"Steim-2 frames hold {differences.size} samples; expected {count}; the sender must encode again"
        )
    samples = differences[:count]  # the last word may have been filled up
    samples[0] = first  # instead of the difference to a sample that is not here
    samples = samples.cumsum(dtype=np.int32)
    if samples[-1] != last:
        raise InputInvalid(f"Steim-2 frames end with {samples[-1]}; expected {last} as they say; they were damaged")
    return samples
