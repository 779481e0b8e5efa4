"""Examples come back from files as they were written, also through TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.training.datasets.shards import FORMATS, read_shard, write_shard
from kensoku.training.examples import Example, Onset, Origin, Span

FAR = Origin(source="a", region="b", station="XX.FAR", event="七", kind="earthquake", magnitude=1.5, distance_km=9.5)
NOISE = Origin(source="a", region="b", station="XX.NEAR", kind="noise", is_simulated=True)


def examples() -> list[Example]:
    counts = np.arange(30, dtype=np.float32).reshape(3, 10) * np.float32(1e-14)
    counts[1] = np.nan
    onsets = (Onset("P", -3.5), Onset("S", 4.25, 0.5))
    return [
        Example(counts, onsets, (Span("S", 0, 3),), FAR),
        Example(np.ones((3, 4), np.float32), (), (), NOISE),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_examples_of_any_length_come_back(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"train-00000.{form}"
    write_shard(path, examples())
    found = list(read_shard(path))
    for was, now in zip(examples(), found, strict=True):
        np.testing.assert_array_equal(was.counts, now.counts)
        assert (was.onsets, was.unknown, repr(was.origin)) == (now.onsets, now.unknown, repr(now.origin))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_examples_make_the_same_bytes(tmp_path: Path, form: str) -> None:
    first, second = (write_shard(tmp_path / f"{name}.{form}", examples()) for name in "ab")
    assert first == second


def test_a_broken_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "train-00000.tfrecord"
    write_shard(path, examples())
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputInvalid, match="checksum"):
        list(read_shard(path))


def test_tensorflow_reads_the_records(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    path = tmp_path / "train-00000.tfrecord"
    write_shard(path, examples())
    features = {
        "counts": tf.io.FixedLenFeature([], tf.string),
        "onset_phase": tf.io.VarLenFeature(tf.int64),
        "onset_sample": tf.io.VarLenFeature(tf.float32),
        "station": tf.io.FixedLenFeature([], tf.string),
        "magnitude": tf.io.FixedLenFeature([], tf.float32),
        "is_simulated": tf.io.FixedLenFeature([], tf.int64),
    }
    first, second = (tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(str(path)))
    np.testing.assert_array_equal(
        tf.reshape(tf.io.decode_raw(first["counts"], tf.float32), (3, -1)).numpy(), examples()[0].counts
    )
    assert first["onset_phase"].values.numpy().tolist() == [0, 1]
    assert first["onset_sample"].values.numpy().tolist() == [-3.5, 4.25]
    assert (first["station"].numpy(), float(first["magnitude"])) == (b"XX.FAR", 1.5)
    assert int(second["is_simulated"]) == 1
