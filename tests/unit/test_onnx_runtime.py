"""ONNX Runtime is asked not to report to its maker, whoever of us imports it first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kensoku.triton

IN_ITS_PLACE = "import os, sys\nprint(os.environ.get('ORT_DISABLE_TELEMETRY'))\nsys.exit(0)\n"
BACKEND = Path(next(iter(kensoku.triton.__path__))) / "backends" / "onnxruntime" / "model.py"


@pytest.mark.parametrize(
    "importing",
    [
        "import kensoku.inference",
        "import kensoku.training.evaluation.probe",
        f"import runpy; runpy.run_path({str(BACKEND)!r})",
    ],
)
@pytest.mark.parametrize(("given", "found"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_onnx_runtime_finds_its_reports_switched_off_unless_the_user_says_otherwise(
    importing: str, given: dict[str, str], found: str, tmp_path: Path
) -> None:
    (tmp_path / "onnxruntime.py").write_text(IN_ITS_PLACE)
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | given
    environment |= dict.fromkeys(("KENSOKU_ONNXRUNTIME_FOLDER", "KENSOKU_NUMPY_FOLDER"), str(tmp_path))
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {importing}"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == found, done.stderr
