"""Make the generated files anew, or with --check say whether the committed ones are what the sources give.

`python tools/generate.py protos` writes shared/kensoku/v1 from protos/, `models` writes model_repository from training/.
"""

import argparse
import importlib.resources
import re
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = Path("kensoku/v1")


def generate_protos(output: Path) -> None:
    """Compile every contract to Python modules and their types, below `output`."""
    sources = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    well_known = str(importlib.resources.files("grpc_tools") / "_proto")
    arguments = ["protoc", f"-I{PROTOS}", f"-I{well_known}", f"--python_out={output}", f"--pyi_out={output}"]
    if protoc.main([*arguments, f"--grpc_python_out={output}", *sources]) != 0:
        sys.exit("protoc refused the contracts; its message above names file and line")
    for stub in (output / GENERATED).glob("*_pb2_grpc.py"):
        if not re.search(r"^class \w+Stub\b", stub.read_text(), re.MULTILINE):
            stub.unlink()  # a file without a service gives an empty module
    (output / GENERATED / "__init__.py").write_text('"""Generated from protos/kensoku/v1 by `make protos`; never edited."""\n')


def differences(committed: Path, fresh: Path) -> list[str]:
    """Names of the files that differ, are missing, or should not be there."""
    names = {path.relative_to(folder) for folder in (committed, fresh) for path in folder.rglob("*.py*") if "__pycache__" not in path.parts}
    return sorted(
        str(name)
        for name in names
        if not ((committed / name).is_file() and (fresh / name).is_file())
        or (committed / name).read_bytes() != (fresh / name).read_bytes()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=["protos"], default="protos")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something would change")
    options = parser.parse_args()
    if not options.check:
        for old in (ROOT / "shared" / GENERATED).glob("*_pb2*"):
            old.unlink()
        generate_protos(ROOT / "shared")
        return
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate_protos(fresh)
        stale = differences(ROOT / "shared" / GENERATED, fresh / GENERATED)
    if stale:
        sys.exit(f"shared/{GENERATED} is not what protos/ gives: {', '.join(stale)}; run `make protos` and commit the result")


if __name__ == "__main__":
    main()
