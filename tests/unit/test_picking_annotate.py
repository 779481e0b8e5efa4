"""What is said of a sample does not depend on where a record was cut."""

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.errors import InputInvalid
from kensoku.picking import Geometry, annotate

FloatArray = npt.NDArray[np.float32]
GEOMETRY = Geometry(window=512, before=100, after=60, batch=4)


def smooth(counts: FloatArray) -> FloatArray:
    """Sees 100 samples back and 60 ahead; every 16th sample counts twice, as where a network down-samples."""
    assert counts.shape[2] % 16 == 0
    assert counts.shape[0] * counts.shape[2] <= 4 * 512 or len(counts) == 1
    heard = np.nan_to_num(counts).astype(np.float64)
    heard[..., ::16] *= 2
    padded = np.pad(heard, ((0, 0), (0, 0), (100, 60)))
    said = np.stack([padded[..., i : i + counts.shape[2]] * (i + 1) for i in range(161)]).sum(axis=0)
    return np.asarray(said, dtype=np.float32)


def record(length: int = 4001) -> FloatArray:
    return np.random.default_rng(0).integers(-1000, 1000, (3, length)).astype(np.float32)


@pytest.mark.parametrize("start", [0, 16, 345, 12_345_679])
def test_a_long_record_is_said_what_is_said_of_it_whole(start: int) -> None:
    counts = record()
    lead = start % 16
    whole = smooth(np.pad(counts, ((0, 0), (lead, 4016 - 4001 + (-lead) % 16)))[np.newaxis, :, :4016])[0]
    assert np.array_equal(annotate(counts, smooth, GEOMETRY, start)[:, : 4016 - lead], whole[:, lead : lead + 4001])


@pytest.mark.parametrize("cut", [1, 16, 37, 1000])
def test_where_a_record_begins_changes_nothing_further_than_the_model_sees(cut: int) -> None:
    counts = record()
    whole, part = annotate(counts, smooth, GEOMETRY, start=999), annotate(counts[:, cut:], smooth, GEOMETRY, 999 + cut)
    assert np.array_equal(part[:, 100:], whole[:, cut + 100 :])


def test_where_a_record_ends_changes_nothing_further_than_the_model_sees() -> None:
    counts = record()
    assert np.array_equal(
        annotate(counts[:, :3000], smooth, GEOMETRY)[:, :2940], annotate(counts, smooth, GEOMETRY)[:, :2940]
    )


def test_a_record_that_fits_is_asked_whole() -> None:
    lengths = []

    def model(counts: FloatArray) -> FloatArray:
        lengths.append(counts.shape)
        return counts

    counts = record(500)
    assert np.array_equal(annotate(counts, model, GEOMETRY, start=3), counts)
    assert lengths == [(1, 3, 512)]


@pytest.mark.parametrize("length", [40, 512, 700])
def test_several_records_are_told_apart_also_by_a_model_of_one_length(length: int) -> None:
    fixed = Geometry(window=301, before=50, after=51, stride=1, is_fixed=True, batch=4)

    def model(counts: FloatArray) -> FloatArray:
        assert counts.shape[1:] == (3, 301)
        assert len(counts) <= 4
        return counts

    counts = np.stack([record(length) + n for n in range(7)])
    assert np.array_equal(annotate(counts, model, fixed), counts)
    assert np.array_equal(annotate(counts, lambda windows: windows, GEOMETRY), counts)


def test_a_geometry_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InputInvalid, match="found windows of 512 samples, 300 before, 200 after; expected"):
        Geometry(window=512, before=300, after=200)
    with pytest.raises(InputInvalid, match=r"found counts of shape \(1, 4, 100\)"):
        annotate(np.zeros((4, 100), np.float32), smooth, GEOMETRY)
