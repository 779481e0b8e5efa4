"""TFRecord files without TensorFlow: each record between its length and checksums, as TensorFlow reads them.

A record is a tf.train.Example; its wire format is the one of protobuf's features map.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import crc32c
import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid

Feature = bytes | npt.NDArray[np.float32] | npt.NDArray[np.int64]
Features = Mapping[str, Feature]

_MASK = 0xA282EAD8  # TensorFlow rotates a checksum by 15 bits and adds this


def write_records(file: BinaryIO, records: Iterable[Features]) -> None:
    for features in records:
        content = encode(features)
        length = struct.pack("<Q", len(content))
        file.write(length + _checksum(length) + content + _checksum(content))


def read_records(path: Path) -> Iterator[dict[str, Feature]]:
    with path.open("rb") as file:
        while head := file.read(12):
            length = struct.unpack("<Q", head[:8])[0] if _checksum(head[:8]) == head[8:] else -1
            content, checksum = (file.read(length), file.read(4)) if length >= 0 else (b"", b"")
            if _checksum(content) != checksum:
                raise InputInvalid(f"{path}: found a record whose checksum is wrong; build the data set again")
            yield decode(content)


def _checksum(content: bytes) -> bytes:
    crc = crc32c.crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


# --- tf.train.Example -------------------------------------------------------------------------------------------------


def encode(features: Features) -> bytes:
    entries = (_field(1, name.encode()) + _field(2, _feature(feature)) for name, feature in features.items())
    return _field(1, b"".join(_field(1, entry) for entry in entries))


def _feature(feature: Feature) -> bytes:
    if isinstance(feature, bytes):
        return _field(1, _field(1, feature))
    if feature.dtype == np.float32:
        return _field(2, _field(1, feature.astype("<f4").tobytes()))
    return _field(3, _field(1, b"".join(_varint(value % 2**64) for value in feature.tolist())))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def decode(content: bytes) -> dict[str, Feature]:
    """What `encode` was given; no other field types are read."""
    [(_, features)] = _fields(content)
    found: dict[str, Feature] = {}
    for _, entry in _fields(features):
        parts = dict(_fields(entry))
        [(kind, values)] = _fields(parts[2])
        value = b"".join(packed for _, packed in _fields(values))
        if kind == 1:
            found[parts[1].decode()] = value
        elif kind == 2:
            found[parts[1].decode()] = np.frombuffer(value, "<f4")
        else:
            found[parts[1].decode()] = np.array(list(_varints(value)), dtype=np.uint64).astype(np.int64)
    return found


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(content):
        key, position = _read_varint(content, position)
        length, position = _read_varint(content, position)
        yield key >> 3, content[position : position + length]
        position += length


def _varints(content: bytes) -> Iterator[int]:
    position = 0
    while position < len(content):
        value, position = _read_varint(content, position)
        yield value


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position
