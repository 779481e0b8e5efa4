"""The server answers to the bit as ONNX Runtime called directly, alone or in company, with numpy 1 and 2."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import ModelRefused, ModelServerUnavailable, ModelUnknown
from kensoku.inference import Models, open_models
from kensoku.triton import EmbeddedTriton, embedded_triton, install
from tests.model_server import CACHE, MODEL, REPOSITORY, ROOT, ask, counts, largest_difference, serving

pytestmark = pytest.mark.triton

# The numpy that constraints.txt pins needs Python 3.12 or newer; this is the last one for 3.11.
NUMPY_2 = (
    "numpy==2.4.6 --only-binary=:all: --hash=sha256:89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedTriton]:
    with serving(REPOSITORY) as started:
        yield started


@pytest.fixture(scope="module")
def models(server: EmbeddedTriton) -> Iterator[Models]:
    with open_models(server.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def direct() -> Iterator[Models]:
    with open_models(f"local:{REPOSITORY}") as opened:
        yield opened


@pytest.mark.parametrize("windows", [1, 2, 3, 7, 64, 255, 256, 600])
def test_answers_equal_those_of_a_direct_call(models: Models, direct: Models, windows: int) -> None:
    samples = counts(windows)
    assert largest_difference(ask(models, samples), ask(direct, samples)) == 0.0


def test_folders_may_have_names_that_a_shell_would_part(tmp_path: Path, direct: Models) -> None:
    home = tmp_path / "Mia's home"
    home.mkdir()
    install(CACHE)
    (home / "triton").symlink_to(CACHE / "triton")
    shutil.copytree(REPOSITORY / MODEL, home / "the models" / MODEL)
    with embedded_triton(home, home / "the models", ready_within_s=20) as server, open_models(server.url) as models:
        assert largest_difference(ask(models, counts(2)), ask(direct, counts(2))) == 0.0


@pytest.mark.parametrize("samples", [1, 57, 401, 3000])
def test_windows_may_have_any_length(models: Models, direct: Models, samples: int) -> None:
    windows = counts(5, samples)
    assert largest_difference(ask(models, windows), ask(direct, windows)) == 0.0


def test_each_of_many_callers_gets_the_answer_to_its_own_call(models: Models, direct: Models) -> None:
    calls = [counts(1 + seed % 5, samples=400 + seed % 2, seed=seed) for seed in range(200)]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda samples: ask(models, samples), calls))
    assert all(
        largest_difference(answer, ask(direct, samples)) == 0.0 for answer, samples in zip(answers, calls, strict=True)
    )


@pytest.mark.parametrize("length", [400, 40_000])  # answers of 40,000 samples lie in memory that goes when freed
def test_answers_are_the_same_when_the_server_merges_calls_of_several_clients(
    server: EmbeddedTriton, direct: Models, length: int
) -> None:
    def client(seed: int) -> float:
        samples = counts(1 + seed % 3, length, seed)
        with open_models(server.url) as models:
            return max(largest_difference(ask(models, samples), ask(direct, samples)) for _ in range(10))

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(client, range(8))) == {0.0}


def test_what_is_wrong_with_a_call_is_told_at_once(models: Models) -> None:
    with pytest.raises(ModelRefused, match=r"found counts float32 \(1, 4, 400\), expected counts float32 \(batch, 3"):
        ask(models, np.zeros((1, 4, 400), np.float32))
    with pytest.raises(ModelUnknown, match="'seismometer'"):
        models.infer("seismometer", {"counts": counts(1)})
    with pytest.raises(ModelUnknown, match="version 9"):
        ask(models, counts(1), version="9")


def test_one_dead_server_of_two_is_worked_around(server: EmbeddedTriton, direct: Models) -> None:
    dead, alive = "127.0.0.1:1", server.url.removeprefix("triton://")
    with open_models(f"triton://{dead},{alive}") as models:
        for seed in range(20):
            samples = counts(2, seed=seed)
            assert largest_difference(ask(models, samples, deadline_s=30), ask(direct, samples)) == 0.0


def test_without_a_server_the_error_says_so_when_the_deadline_has_passed() -> None:
    with open_models("triton://127.0.0.1:1") as models:
        assert not models.is_ready()
        with pytest.raises(ModelServerUnavailable, match=r"127\.0\.0\.1:1: no answer within the deadline.*start it"):
            ask(models, counts(1), deadline_s=0.5)


def test_answers_are_the_same_with_numpy_2() -> None:
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        pytest.skip("every test here runs with numpy 2")
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.test_triton_answers"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(numpy_2())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["numpy 2 in client and server, difference 0.0"], done.stderr


def numpy_2() -> Path:
    folder = CACHE / "numpy2"
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            Path(temporary, "requirements.txt").write_text(NUMPY_2)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            command += [f"--target={temporary}/ready", f"--requirement={temporary}/requirements.txt"]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            Path(temporary, "ready").rename(folder)
    return folder


def main() -> None:
    """What the subprocess does in which numpy 2 hides the one that is installed."""
    with serving(REPOSITORY) as server, open_models(server.url) as models, open_models(f"local:{REPOSITORY}") as direct:
        worst = 0.0
        for windows in (1, 2, 3, 7, 64, 255, 256):
            samples = counts(windows)
            worst = max(worst, largest_difference(ask(models, samples), ask(direct, samples)))
        place = str(Path(np.__file__).parent)
        in_both = np.__version__.startswith("2.") and all(
            place in Path(f"/proc/{pid}/maps").read_text() for pid in children(server.process_id)
        )
        print(f"numpy {'2 in client and server' if in_both else 'differs'}, difference {worst}")


def children(process_id: int | None) -> list[str]:
    """The processes for Python that the server has started, one a model instance."""
    lists = Path("/proc", str(process_id), "task").glob("*/children")
    found = [child for text in lists for child in text.read_text().split()]
    assert found
    return found


if __name__ == "__main__":
    main()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is told by Linux alone")
def test_many_windows_at_once_leave_no_room_behind(tmp_path: Path) -> None:
    """What one rush of stations took would be held for ever."""
    shutil.copytree(ROOT / "model_repository" / "picker_live", tmp_path / "picker_live")
    samples = np.random.default_rng(1).normal(0, 100, (256, 3, 3312)).astype(np.float32)

    sizes_mb = []
    with serving(tmp_path) as alone, open_models(alone.url) as opened:
        for windows in (16, 256):
            for _ in range(3):
                opened.infer("picker_live", {"counts": samples[:windows]})
            sizes_mb.append(resident_mb(alone))
    few, many = sizes_mb
    assert many < few + 60  # 180 if all ran at once


def resident_mb(server: EmbeddedTriton) -> float:
    """Of the server and its processes for Python."""
    assert server.process_id is not None
    group = os.getpgid(server.process_id)
    kilobytes = 0
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(each.name)) == group:
                lines = (each / "smaps_rollup").read_text().splitlines()
                kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024
