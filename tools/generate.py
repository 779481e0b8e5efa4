"""Make the generated files anew, or with --check say which committed ones are not what their sources give.

`python -m tools.generate protos` writes shared/kensoku/v1 and protos/contract.txt from protos/, `models` writes
model_repository from training/.
"""

import argparse
import importlib.resources
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from kensoku.training import filter_bank
from tools import contracts

ROOT = Path(__file__).resolve().parent.parent
PROMISES = Path("protos/contract.txt")
STUBS = Path("shared/kensoku/v1")


def generate_protos(output: Path) -> None:
    """Compile every contract to Python modules and their types, and list what others may rely on."""
    python, descriptors = output / "shared", output / "descriptors.binpb"
    python.mkdir(exist_ok=True)
    (output / PROMISES).parent.mkdir(exist_ok=True)
    well_known = str(importlib.resources.files("grpc_tools") / "_proto")
    arguments = ["protoc", f"-I{ROOT / 'protos'}", f"-I{well_known}", f"--descriptor_set_out={descriptors}"]
    arguments += [f"--{kind}_out={python}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main([*arguments, *sorted(str(path) for path in (ROOT / "protos").rglob("*.proto"))]) != 0:
        sys.exit("protoc refused the contracts; its message above names file and line")
    for stub in (output / STUBS).glob("*_pb2_grpc.py"):
        if not re.search(r"^class \w+Stub\b", stub.read_text(), re.MULTILINE):
            stub.unlink()  # a file without a service gives an empty module
    (output / STUBS / "__init__.py").write_text(
        '"""Generated from protos/kensoku/v1 by `make protos`; never edited."""\n'
    )
    promises = contracts.promises(FileDescriptorSet.FromString(descriptors.read_bytes()))
    (output / PROMISES).write_text("\n".join(promises) + "\n")


def generate_models(output: Path) -> None:
    """Build the models that are computed, not trained."""
    filter_bank.write(output / "model_repository")


# What can be generated: its files, as patterns below the root, and the function that makes them below a folder.
GENERATORS: dict[str, tuple[list[str], Callable[[Path], None]]] = {
    "protos": ([f"{STUBS}/*.py*", str(PROMISES)], generate_protos),
    "models": (["model_repository/filter_bank/*/model.onnx"], generate_models),
}


def contents(folder: Path, patterns: list[str]) -> dict[str, bytes]:
    files = [path for pattern in patterns for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refuse_broken_promises(committed: Path, fresh: Path) -> None:
    published = committed.read_text().splitlines() if committed.exists() else []
    if broken := contracts.broken(published, fresh.read_text().splitlines()):
        sys.exit(
            "found contracts that break those who rely on them, expected additions alone:\n  "
            + "\n  ".join(broken)
            + f"\nkeep the field and mark it deprecated, or take the line out of {PROMISES} if nobody has it yet"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="*", choices=[*GENERATORS, []], help="default: everything")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something would change")
    options = parser.parse_args()
    for what in options.what or GENERATORS:
        patterns, generate = GENERATORS[what]
        with tempfile.TemporaryDirectory() as folder:
            generate(Path(folder))
            committed, fresh = contents(ROOT, patterns), contents(Path(folder), patterns)
            if what == "protos":
                refuse_broken_promises(ROOT / PROMISES, Path(folder) / PROMISES)
        stale = sorted(name for name in committed | fresh if committed.get(name) != fresh.get(name))
        if stale and options.check:
            sys.exit(f"not what their sources give: {', '.join(stale)}; run `make {what}` and commit the result")
        for name in stale:
            if name in fresh:
                (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
                (ROOT / name).write_bytes(fresh[name])
            else:
                (ROOT / name).unlink()
            print(f"wrote {name}" if name in fresh else f"removed {name}")


if __name__ == "__main__":
    main()
