"""Networks hear any instrument alike, look where they may, and answer the same for a cut and for its record."""

from collections.abc import Callable

import keras
import numpy as np
import onnxruntime
import pytest
from pydantic import ValidationError

from kensoku.training.conditioning import Conditioning, Conditions
from kensoku.training.examples import FloatArray
from kensoku.training.export import to_onnx
from kensoku.training.layers import BINOMIAL, Bands, Convolution, Doubling, Halving, Padding
from kensoku.training.networks import ClassifierConfig, NetworkConfig, build_classifier, build_picker

Answer = Callable[[FloatArray], FloatArray]
FULL = NetworkConfig(channels=(8, 8, 8, 8, 8), dilations=(1, 2, 4), mean_samples=64, scale_samples=128)
LIVE = FULL.model_copy(update={"padding": "causal", "delay": (50, 140)})
SHORT = Conditions(64, 128)
REACH = 128 + 64 + 700  # samples that an answer of these looks back, conditioning included; ahead 700 at most


def records(windows: int = 1, samples: int = 2400, seed: int = 1) -> FloatArray:
    """Whole counts of ground noise with an offset, and a wave in the middle."""
    random = np.random.default_rng(seed)
    counts = np.cumsum(random.normal(0, 30, (windows, 3, samples)), axis=2) + random.normal(
        0, 100, (windows, 3, samples)
    )
    at = samples // 2
    counts[..., at : at + 300] += random.normal(0, 3000, (windows, 3, 300)) * np.exp(-np.arange(300) / 80)
    whole: FloatArray = np.round(counts + 20_000).astype(np.float32)
    return whole


def by_keras(model: keras.Model) -> Answer:
    def answer(counts: FloatArray) -> FloatArray:
        found: FloatArray = np.asarray(model.predict_on_batch(counts))
        return found

    return answer


def by_onnx(model: keras.Model) -> Answer:
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])

    def answer(counts: FloatArray) -> FloatArray:
        found: FloatArray = session.run(["probabilities"], {"counts": counts})[0]
        return found

    return answer


@pytest.fixture(scope="module")
def full() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_picker(FULL)


@pytest.fixture(scope="module")
def live() -> keras.Model:
    keras.utils.set_random_seed(2)
    return build_picker(LIVE)


@pytest.fixture(scope="module", params=[by_keras, by_onnx], ids=["keras", "onnx"])
def answer(request: pytest.FixtureRequest, full: keras.Model) -> Answer:
    return request.param(full)  # type: ignore[no-any-return]  # pytest does not know


def conditioned(counts: FloatArray, how: Conditions = SHORT) -> FloatArray:
    return np.asarray(Conditioning(how)(counts)).transpose(0, 2, 1)


def test_a_digitizer_of_another_gain_gives_the_same_bits(answer: Answer) -> None:
    counts = records()
    plain = answer(counts)
    assert all(np.array_equal(plain, answer(counts * np.float32(2.0**power))) for power in (-46, -10, 7, 20))
    assert plain.std() > 0.01


def test_offsets_do_not_matter(answer: Answer) -> None:
    assert np.array_equal(answer(records()), answer(records() + np.float32(8_000_000)))


def test_probabilities_add_up_to_one_whatever_is_missing(answer: Answer) -> None:
    counts = records(5)
    counts[0] = np.nan
    counts[1, 1:] = np.nan
    counts[2, :, 700:900] = np.nan
    counts[3, 0], counts[4, :, :1000] = 5.0, np.nan
    found = answer(counts)
    assert found.shape == (5, 3, 2400)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (found >= 0).all()


def test_a_cut_agrees_with_its_record(answer: Answer) -> None:
    record = records()
    first, end = 320, 2240
    cut = answer(record[..., first:end])
    assert np.abs(cut[..., REACH:-700] - answer(record)[..., first + REACH : end - 700]).max() < 1e-5


def test_the_full_network_hears_half_a_minute() -> None:
    context = sum(2 * dilation for dilation in NetworkConfig().dilations) * NetworkConfig().stride
    assert context / 100 > 30


@pytest.mark.parametrize("by", [by_keras, by_onnx])
@pytest.mark.parametrize("later", ["zeros", "missing", "noise", "large"])
def test_what_comes_later_changes_no_bit_of_a_live_answer(
    by: Callable[[keras.Model], Answer], later: str, live: keras.Model
) -> None:
    answer, counts, now = by(live), records(), 1216  # in the middle of the wave; blocks are of 16 samples
    changed = counts.copy()
    noise = np.random.default_rng(3).normal(0, 1e3, changed[..., now:].shape)
    changed[..., now:] = {"zeros": 0, "missing": np.nan, "noise": noise, "large": 1e4 * counts[..., now:]}[later]
    before, after = answer(counts), answer(changed)
    assert np.array_equal(before[..., :now], after[..., :now])
    assert not np.array_equal(before[..., now:], after[..., now:])


def test_conditioned_noise_is_of_the_order_of_one_and_without_offset() -> None:
    waves = conditioned(np.random.default_rng(1).normal(5e4, 300, (2, 3, 3000)).astype(np.float32))[:, :3, 500:]
    assert np.abs(waves.mean()) < 0.02
    assert 0.4 < np.abs(waves).mean() < 0.8


def test_missing_components_are_zero_and_the_others_are_heard_louder() -> None:
    counts = records()
    alone = counts.copy()
    alone[:, 1:] = np.nan
    heard = conditioned(alone)
    assert (heard[:, 1:3] == 0).all()
    assert (heard[:, 3] == 1).all()
    assert (heard[:, 4:] == 0).all()
    quiet = conditioned(alone, Conditions(64, 128, is_boosted=False))
    assert np.allclose(heard[:, 0], 3 * quiet[:, 0])


def test_a_joint_scale_keeps_the_ratio_of_components_and_one_for_each_does_not() -> None:
    counts = np.random.default_rng(1).normal(0, 100, (1, 3, 3000)).astype(np.float32)
    counts[:, 0] *= 10
    joint, each = (
        np.abs(conditioned(counts, Conditions(is_joint=is_joint))[0, :3, 2500:]).mean(axis=1)
        for is_joint in (True, False)
    )
    assert joint[0] > 3 * joint[1]
    assert each[0] == pytest.approx(each[1], rel=0.1)


def test_the_size_of_waves_is_that_of_the_seconds_before() -> None:
    """Sums that double agree with a mean written out."""
    counts = records(samples=1200)
    found = conditioned(counts)[0, 0]
    level = counts[0].astype(np.float64) - counts[0, :, :1]
    waves = np.array([level[:, i] - level[:, max(0, i - 63) : i + 1].mean(axis=1) for i in range(1200)]).T
    i = 700
    scaled = waves[0, i] / np.abs(waves[:, i - 127 : i + 1]).mean()
    assert found[i] == pytest.approx(scaled / np.sqrt(1 + abs(scaled)), abs=1e-4)


def test_the_filter_bank_hears_each_band_apart() -> None:
    time_s = np.arange(3000) / 100
    slow, fast = (np.tile(np.sin(2 * np.pi * hz * time_s), (1, 3, 1)) for hz in (4.0, 20.0))
    for wave, quiet, loud in ((slow, 1, 0), (fast, 0, 1)):
        heard = np.concatenate([wave, np.ones_like(wave)], axis=1).transpose(0, 2, 1).astype(np.float32)
        found = np.asarray(Bands()(heard)).transpose(0, 2, 1)
        assert found.shape == (1, 12, 3000)
        assert np.array_equal(found[:, :6], heard.transpose(0, 2, 1))
        for component in range(3):
            bands = np.abs(found[0, 6 + 2 * component : 8 + 2 * component, 500:]).max(axis=1)
            assert bands[loud] > 0.9
            assert bands[quiet] < 0.05


def test_halving_removes_what_the_lower_rate_cannot_show() -> None:
    tone = np.cos(2 * np.pi * np.array([[0.02], [0.48]]) * np.arange(400))[..., None].astype(np.float32)
    slow, fast = np.asarray(Halving("same")(tone))[:, 10:-10]
    assert np.abs(slow).max() > 0.98
    assert np.abs(fast).max() < 1e-3
    assert sum(BINOMIAL) == 1


def test_filters_are_standardised() -> None:
    layer = Convolution(4, 7, "same", is_rectified=False)
    layer.build((None, None, 6))
    weights = np.asarray(layer.weights_in_use())
    assert np.allclose(weights.mean(axis=(0, 1)), 0, atol=1e-6)
    assert np.allclose(np.square(weights).sum(axis=(0, 1)), 1, atol=1e-4)


def test_a_classifier_answers_for_a_cut_and_every_sixteen_samples_of_a_record() -> None:
    keras.utils.set_random_seed(3)
    model = build_classifier(ClassifierConfig(channels=FULL.channels))
    answer = by_keras(model)
    record = records(samples=400 + 16 * 20)
    whole = answer(record)
    assert answer(record[..., :400]).shape == (1, 3, 1)
    assert whole.shape == (1, 3, 21)
    assert np.allclose(answer(record[..., :400]), whole[..., :1], atol=1e-6)
    changed = record.copy()
    changed[..., 16 * 7 + 400 :] = np.nan
    assert np.allclose(answer(changed)[..., :8], whole[..., :8], atol=1e-6)
    assert not np.allclose(answer(changed)[..., 8:], whole[..., 8:], atol=1e-6)


@pytest.mark.parametrize("by", [by_keras, by_onnx])
def test_a_long_window_is_summed_up(by: Callable[[keras.Model], Answer]) -> None:
    keras.utils.set_random_seed(4)
    config = ClassifierConfig(channels=(8,) * 7, window=3000, classes=2, pooled=True)
    model = build_classifier(config)
    record = records(samples=3000 + 2 * config.stride)
    found = by(model)(record)
    assert found.shape == (1, 2, 3)
    assert np.allclose(found, by_keras(model)(record), atol=1e-5)
    assert model.count_params() < 10_000


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mean_samples": 500}, "found a mean over 500 samples, expected a power of two"),
        ({"window": 100}, "found a window of 100 samples, too short for 5 rates"),
        ({"widths": (8, 8)}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_description_is_told(wrong: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ClassifierConfig(**wrong)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(("padding", "late"), [("same", 0.0), ("causal", 0.5)])
def test_the_higher_rate_interpolates_the_lower_one(padding: Padding, late: float) -> None:
    """Sample i of the lower rate is the middle of 2 i and 2 i + 1; a causal network has it half a sample later."""
    slope = np.arange(50, dtype=np.float32)[None, :, None]
    found = np.asarray(Doubling(padding, is_smooth=True)(slope))[0, 2:-2, 0]
    assert np.allclose(found, (np.arange(2, 98) - 0.5 - late) / 2, atol=1e-5)
