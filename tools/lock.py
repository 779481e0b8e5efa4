"""Resolve the dependencies of pyproject.toml into constraints.txt: one file of pinned versions with their hashes.

Run by `make lock` with uv on the PATH. The file has a section for each thing one installs, so that
`make install` can have the hashes checked without TensorFlow: build, base, dev, train.
"""

import subprocess
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "constraints.txt"
# PyOcto, which our association is measured against, needs numpy 1 on Python 3.11; both majors are tested.
# Newer pyarrow refuses numpy 1 when it is imported, and its metadata do not say so.
# TensorFlow 2.21 needs an h5py before 3.15, which base would otherwise be given alone.
HELD_BACK = ["numpy<2 ; python_version < '3.12'", "pyarrow<26 ; python_version < '3.12'", "h5py<3.15"]
HEADER = """\
# Pinned versions and the hashes of their files, made by `make lock`; never edited.
# `make install` installs the sections build and base, `make install-dev` also dev, `make install-train` also train.
"""


def resolve(requirements: list[str], constraints: list[str]) -> list[str]:
    """The pinned lines, hashes included, of a requirement set, one entry a package and environment."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, limits = Path(folder, "in.txt"), Path(folder, "limits.txt")
        wanted.write_text("\n".join(requirements))
        limits.write_text("\n".join(constraints))
        command = ["uv", "pip", "compile", str(wanted), "--constraint", str(limits), "--universal", "--quiet"]
        command += ["--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [entry.strip() for entry in text.replace("\\\n", "\0").splitlines() if entry.strip()]


def without_hashes(entries: list[str]) -> list[str]:
    return [entry.split("\0")[0].strip() for entry in entries]


def main() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    build = [*pyproject["build-system"]["requires"], "editables"]
    base = project["dependencies"]
    pins = without_hashes(resolve(build + base + extras["dev"] + extras["train"], HELD_BACK))
    sections = {"build": build, "base": base, "dev": extras["dev"], "train": extras["train"]}
    lines, seen = [HEADER], set[str]()
    for name, requirements in sections.items():
        entries = resolve(requirements, pins)
        new = [entry for entry in entries if without_hashes([entry])[0] not in seen]
        seen.update(without_hashes(new))
        lines.append(f"## {name}")
        lines.extend(entry.replace("\0", "\\\n") for entry in new)
    temporary = OUTPUT.with_suffix(".tmp")
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(OUTPUT)


if __name__ == "__main__":
    main()
