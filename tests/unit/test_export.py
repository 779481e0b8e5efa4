"""What is served is what was trained: the graph gives the answers of Keras, and its bits depend on nothing else."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx
import pytest

from kensoku.cli.main import main
from kensoku.errors import InputInvalid
from kensoku.inference import Models, open_models, read_signature, versions_in
from kensoku.picking import annotate, read_card
from kensoku.training.export import to_onnx
from kensoku.training.networks import ClassifierConfig, NetworkConfig, build_classifier, build_picker
from kensoku.training.picker_run import begin_with
from kensoku.training.shipped_weights import load_way_down
from kensoku.training.shipping import LARGEST_DIFFERENCE, reach, ship, trial

FloatArray = npt.NDArray[np.float32]
SMALL = {"channels": (8, 16, 16), "dilations": (1, 3), "mean_samples": 32, "scale_samples": 64}
CONFIGS = {
    "picker": NetworkConfig.model_validate(SMALL),
    "picker_live": NetworkConfig.model_validate(
        {**SMALL, "padding": "causal", "delay": (50, 140), "filter_bank": True}
    ),
}
CUTS = ClassifierConfig(channels=(8, 8, 16), window=200, mean_samples=32, scale_samples=64)


@pytest.fixture(scope="module")
def networks() -> dict[str, keras.Model]:
    keras.utils.set_random_seed(1)
    return {name: build_picker(config) for name, config in CONFIGS.items()} | {"cuts": build_classifier(CUTS)}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, networks: dict[str, keras.Model]) -> Path:
    folder = tmp_path_factory.mktemp("models") / "repository"
    for name, config in CONFIGS.items():
        ship(folder, name, networks[name], config, "of a test")
    ship(folder, "picker_latest", networks["picker_live"], CONFIGS["picker_live"], "of a test", last=64)
    ship(folder, "cuts", networks["cuts"], CUTS, "of a test", classes=("noise", "P", "S"))
    return folder


@pytest.fixture(scope="module")
def models(repository: Path) -> Iterator[Models]:
    with open_models(f"local:{repository}") as opened:
        yield opened


def said(models: Models, name: str, counts: FloatArray) -> FloatArray:
    return np.asarray(models.infer(name, {"counts": counts})["probabilities"])


@pytest.mark.parametrize("name", [*CONFIGS, "cuts"])
@pytest.mark.parametrize("samples", [400, 1008])
def test_answers_are_those_of_keras(networks: dict[str, keras.Model], models: Models, name: str, samples: int) -> None:
    counts = trial(samples)
    expected = keras.ops.convert_to_numpy(networks[name](counts))
    assert said(models, name, counts) == pytest.approx(expected, abs=LARGEST_DIFFERENCE)
    assert expected.std() > 0.01


@pytest.mark.parametrize("name", [*CONFIGS, "cuts"])
def test_the_bits_of_an_answer_depend_on_neither_batch_nor_place_in_memory(models: Models, name: str) -> None:
    windows = np.concatenate([trial(400)] * 8)
    windows += np.arange(32, dtype=np.float32)[:, np.newaxis, np.newaxis] * windows[::-1]
    memory = np.empty(windows.size + 16, np.float32)
    whole = said(models, name, windows)
    for shift in range(16):
        moved = memory[shift : shift + windows.size].reshape(windows.shape)
        moved[:] = windows
        assert np.array_equal(said(models, name, moved[shift : shift + 3]), whole[shift : shift + 3])


@pytest.mark.parametrize("exponent", [-40, 20])
def test_powers_of_two_change_no_bit(models: Models, exponent: int) -> None:
    counts = trial(400)
    plain = said(models, "picker", counts)
    assert np.array_equal(said(models, "picker", counts * np.float32(2.0**exponent)), plain)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_answer_depends_on_no_more_than_its_card_says(models: Models, repository: Path, name: str) -> None:
    geometry, place = read_card(repository, name).geometry, 640
    counts = trial(1280)
    plain = said(models, name, counts)[..., place]
    for stretch in (slice(0, place - geometry.before), slice(place + geometry.after + 1, None)):
        changed = counts.copy()
        changed[..., stretch] = changed[..., stretch][..., ::-1]  # of the same level, beside which sums round alike
        assert said(models, name, changed)[..., place] == pytest.approx(plain, abs=1e-5)


def test_a_live_answer_looks_no_further_ahead_than_its_block(models: Models) -> None:
    counts, stride = trial(800), CONFIGS["picker_live"].stride
    plain = said(models, "picker_live", counts)
    for end in (400, 401, 403):
        changed = counts.copy()
        changed[..., end:] = np.random.default_rng(0).normal(0, 1e9, changed[..., end:].shape)
        last = end - end % stride
        assert np.array_equal(said(models, "picker_live", changed)[..., :last], plain[..., :last])


def test_a_graph_of_the_latest_answers_has_the_bits_of_the_whole_one(models: Models, repository: Path) -> None:
    card = read_card(repository, "picker_latest")
    counts = trial(card.geometry.window)
    latest = said(models, "picker_latest", counts)
    assert latest.shape[2] == card.last == card.geometry.window - card.geometry.before == 64
    assert np.array_equal(latest, said(models, "picker_live", counts)[..., -64:])


def test_records_are_told_alike_by_the_latest_answers(models: Models, repository: Path) -> None:
    counts, card = trial(1000), read_card(repository, "picker_latest")
    geometry = read_card(repository, "picker_live").geometry
    latest = annotate(counts, lambda cut: said(models, "picker_latest", cut), card.geometry, start=5)
    whole = annotate(counts, lambda cut: said(models, "picker_live", cut), geometry, start=5)
    assert latest[..., geometry.before :] == pytest.approx(whole[..., geometry.before :], abs=1e-5)


@pytest.mark.parametrize(("name", "shipped"), [*zip(CONFIGS, CONFIGS, strict=True), ("picker_live", "picker_latest")])
def test_a_network_is_taught_on_from_the_graph_that_was_made_of_it(
    networks: dict[str, keras.Model], repository: Path, name: str, shipped: str
) -> None:
    again = build_picker(CONFIGS[name])
    begin_with(again, repository / shipped / "1" / "model.onnx")
    counts = trial(400)
    assert np.abs(keras.ops.convert_to_numpy(again(counts) - networks[name](counts))).max() < 1e-5


def test_a_classifier_begins_with_the_way_down_of_a_picker(
    networks: dict[str, keras.Model], repository: Path, tmp_path: Path
) -> None:
    graph = repository / "picker" / "1" / "model.onnx"
    cuts = CUTS.model_copy(update={"channels": CONFIGS["picker"].channels})
    taught = build_classifier(cuts)
    assert load_way_down(taught, graph)
    for level in range(len(cuts.channels)):
        here, there = (network.get_layer(f"down_{level}") for network in (taught, networks["picker"]))
        for one, other in ((here.weights_in_use(), there.weights_in_use()), (here.bias, there.bias)):
            assert np.abs(keras.ops.convert_to_numpy(one - other)).max() < 1e-6
    with pytest.raises(InputInvalid, match=r"found \(7, 8, 16\) .* for down_1, expected \(7, 8, 8\)"):
        load_way_down(build_classifier(CUTS), graph)
    ship(tmp_path, "whole", taught, cuts, "of a test", classes=("noise", "P", "S"))
    assert not load_way_down(build_classifier(cuts), tmp_path / "whole" / "1" / "model.onnx"), "it is no larger"


def test_a_graph_of_another_shape_is_told(repository: Path, tmp_path: Path) -> None:
    graph, wide = repository / "picker" / "1" / "model.onnx", CONFIGS["picker"].model_copy(update={"kernel": 5})
    with pytest.raises(InputInvalid, match=r"found .* for .*, expected .* as the settings describe"):
        begin_with(build_picker(wide), graph)
    deep = CONFIGS["picker"].model_copy(update={"dilations": (1, 3, 9)})
    with pytest.raises(InputInvalid, match="expected"):
        begin_with(build_picker(deep), graph)
    for content in (None, b"not a graph"):
        (other := tmp_path / "other.onnx").unlink(missing_ok=True)
        if content:
            other.write_bytes(content)
        with pytest.raises(InputInvalid, match="expected a graph of a model repository"):
            begin_with(build_picker(CONFIGS["picker"]), other)


def test_a_network_that_looks_ahead_cannot_tell_of_its_latest_samples_alone(networks: dict[str, keras.Model]) -> None:
    with pytest.raises(InputInvalid, match="found one that looks ahead"):
        to_onnx(networks["picker"], last=64)


def test_configuration_and_card_are_there(repository: Path) -> None:
    signature = read_signature(repository, "picker")
    assert [str(spec) for spec in signature.inputs] == ["counts float32 (batch, 3, n)"]
    live, full, cuts = (read_card(repository, name) for name in ("picker_live", "picker", "cuts"))
    assert (live.look_ahead_s is not None, full.look_ahead_s, live.p_yields) == (True, None, False)
    assert (live.delay.p, live.delay.s) == (50, 140)
    assert (cuts.kind, cuts.geometry.window) == ("classifier", 200)
    graph = onnx.load(repository / "picker" / "1" / "model.onnx")
    assert (graph.opset_import[0].version, graph.ir_version) == (17, 8)


def test_a_classifier_of_few_rates_and_a_long_window_is_shipped(tmp_path: Path) -> None:
    config = ClassifierConfig(channels=(4, 4), mean_samples=64, scale_samples=64, window=600, classes=2, pooled=True)
    card = ship(tmp_path, "long", build_classifier(config), config, "of a test", classes=("quiet", "loud"))
    assert (card.geometry.window, card.classes) == (600, ("quiet", "loud"))
    with pytest.raises(InputInvalid, match="classes: found quiet, expected 2 names"):
        ship(tmp_path, "long", build_classifier(config), config, "of a test", classes=("quiet",))


def test_a_model_that_is_shipped_again_keeps_what_it_is_for(networks: dict[str, keras.Model], tmp_path: Path) -> None:
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "of a test")
    card = replace(
        read_card(tmp_path, "picker"), intended_use="local earthquakes", licence="ours", limits="of the first"
    )
    (tmp_path / "picker" / "model.json").write_text(card.to_json(), encoding="utf-8")
    again = ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "of another test")
    assert read_card(tmp_path, "picker") == again
    assert (again.intended_use, again.licence, again.limits) == ("local earthquakes", "ours", "of the first")


def test_a_model_is_not_deleted_before_the_next_is_there(
    networks: dict[str, keras.Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "of a test")
    delete, is_there = shutil.rmtree, []

    def deleting(*given: object, **more: object) -> None:
        delete(*given, **more)  # type: ignore[arg-type]
        is_there.append((tmp_path / "picker" / "1" / "model.onnx").is_file())

    monkeypatch.setattr(shutil, "rmtree", deleting)
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "in place of it")
    assert is_there == [True] * len(is_there) != []
    assert [path.name for path in tmp_path.iterdir()] == ["picker"]


def test_versions_that_are_there_stay(networks: dict[str, keras.Model], tmp_path: Path) -> None:
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "of a test")
    graph = (tmp_path / "picker" / "1" / "model.onnx").read_bytes()
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "in place of the only one")
    assert versions_in(tmp_path, "picker") == ["1"]
    (tmp_path / "picker" / "2").mkdir()
    (tmp_path / "picker" / "2" / "model.onnx").write_bytes(graph)
    ship(tmp_path, "picker", networks["picker"], CONFIGS["picker"], "of another test")
    assert versions_in(tmp_path, "picker") == ["1", "2", "3"]
    assert (tmp_path / "picker" / "2" / "model.onnx").read_bytes() == graph


def test_the_shipped_design_keeps_its_look_ahead() -> None:
    live = NetworkConfig(padding="causal", delay=(50, 140))
    before, after = reach(live)
    assert after == live.stride == 16
    assert before < 9000


def test_weights_of_a_run_are_shipped_and_others_are_told(
    tmp_path: Path, networks: dict[str, keras.Model], capsys: pytest.CaptureFixture[str]
) -> None:
    config, weights = tmp_path / "run.toml", tmp_path / "best.weights.h5"
    config.write_text("[network]\nchannels = [8, 16, 16]\ndilations = [1, 3]\nmean_samples = 32\nscale_samples = 64\n")
    networks["picker"].save_weights(weights)
    given = ["models", "ship", "picker", f"--weights={weights}", "--description=of a test"]
    given += [f"--model-repository={tmp_path / 'repository'}"]
    assert main([*given, f"--config={config}"]) == 0
    counts = trial(400)
    with open_models(f"local:{tmp_path / 'repository'}") as shipped:
        expected = keras.ops.convert_to_numpy(networks["picker"](counts))
        assert said(shipped, "picker", counts) == pytest.approx(expected, abs=LARGEST_DIFFERENCE)
    card = replace(read_card(tmp_path / "repository", "picker"), limits="S is late")
    (tmp_path / "repository" / "picker" / "model.json").write_text(card.to_json(), encoding="utf-8")
    assert "limits" not in capsys.readouterr().out
    assert main([*given, f"--config={config}"]) == 0
    assert "limits are of the model before, read whether they hold: S is late" in capsys.readouterr().out
    config.write_text("[network]\nchannels = [8, 16, 24]\n")
    assert main([*given, f"--config={config}"]) == 1
    assert "expected weights of the network in" in capsys.readouterr().err


def test_a_layer_of_which_nothing_is_known_is_told() -> None:
    counts = keras.Input((3, 400))
    model = keras.Model(counts, keras.layers.ReLU()(counts))
    with pytest.raises(InputInvalid, match="found a ReLU, expected one of Add, Bands, Conditioning"):
        to_onnx(model)
