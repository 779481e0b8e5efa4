"""Fetch the tritonserver that the Python package nvidia-pytriton carries, and unpack the server alone.

The package itself is no dependency: it holds numpy below 2 and brings its own client, and only its binaries are used.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kensoku.errors import EmbeddedServerUnusable

VERSION = "0.7.0"  # carries Triton 2.51
WHEEL_SHA256 = "21f063ff93bb426d0c06b7a55e7eb9efcfe62c0dddd9a908e9877e18710128df"
PYTHONS = [(3, minor) for minor in range(9, 14)]  # which it has a stub for
GLIBC = (2, 35)
NEEDED_BYTES = 300 << 20  # the wheel, what is kept of it, and libpython
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBPYTHON = f"libpython{PYTHON}.so.1.0"
LIBRARIES = Path("nvidia_pytriton.libs")
SERVER = Path("pytriton/tritonserver/bin/tritonserver")
PYTHON_BACKEND = Path("pytriton/tritonserver/backends/python")
STUB = "triton_python_backend_stub"


def unusable_because(
    machine: str = f"{platform.system()} {platform.machine()}",
    python: tuple[int, ...] = sys.version_info[:2],
    libc: tuple[str, str] = platform.libc_ver(),
) -> str:
    """Why the embedded server cannot run on this machine; empty if it can."""
    if machine != "Linux x86_64":
        return f"found {machine}, expected Linux x86_64"
    if python not in PYTHONS:
        found = ".".join(map(str, python))
        return f"found Python {found}, expected 3.{PYTHONS[0][1]} to 3.{PYTHONS[-1][1]}"
    library, version = libc
    if library != "glibc" or tuple(map(int, version.split(".")[:2])) < GLIBC:
        return f"found {library or 'no glibc'} {version}".rstrip() + ", expected glibc 2.35 or newer"
    return ""


def install(home: Path, *, needed_bytes: int = NEEDED_BYTES) -> Path:
    """The folder of the server below `home`, fetched and unpacked if it is not there yet."""
    if reason := unusable_because():
        raise EmbeddedServerUnusable(f"the embedded Triton does not run here: {reason}; use --models local")
    root = home / "triton"
    folder = root / f"{VERSION}-python{PYTHON}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / ".lock"):
            if folder.is_dir():
                return folder
            for abandoned in root.glob(".installing-*"):
                shutil.rmtree(abandoned)
            with tempfile.TemporaryDirectory(dir=root, prefix=".installing-") as temporary:
                _refuse_full_disk(root, needed_bytes)
                ready = Path(temporary, "ready")
                wanted = _unpack(_download_wheel(Path(temporary, "wheel")), ready)
                shutil.copyfile(_find_libpython() or _download_libpython(Path(temporary, "libpython")), wanted)
                ready.rename(folder)
    except OSError as error:  # a disk that fills up meanwhile, a folder that is not ours
        raise EmbeddedServerUnusable(
            f"could not install Triton in {root}: {error}; nothing was kept; make room or choose another KENSOKU_HOME"
        ) from None
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_full_disk(folder: Path, needed_bytes: int) -> None:
    if (free := shutil.disk_usage(folder).free) < needed_bytes:
        raise EmbeddedServerUnusable(
            f"could not install Triton in {folder}: found {free >> 20} MiB free, expected {needed_bytes >> 20}; "
            "make room or choose another KENSOKU_HOME"
        )


def _run(command: Sequence[str]) -> str:
    """Why a command failed, in its own last words; empty if it did not."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except FileNotFoundError:
        return f"there is no {command[0]}"
    return "" if done.returncode == 0 else " ".join(done.stdout.split()[-60:]) or f"exit code {done.returncode}"


def _download_wheel(folder: Path) -> Path:
    folder.mkdir()
    requirements = folder / "requirements.txt"
    requirements.write_text(f"nvidia-pytriton=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", f"--dest={folder}", f"--requirement={requirements}"]
    if failure := _run(command):
        raise EmbeddedServerUnusable(
            f"could not fetch nvidia-pytriton {VERSION} with pip: {failure}; mend that, or use --models local"
        )
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> Path:
    """Unpack the server; the answer is where its stub expects the shared library of this Python."""
    stub = f"pytriton/tritonserver/python_backend_stubs/{PYTHON}/{STUB}"
    libpython = str(LIBRARIES / LIBPYTHON)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(f"{LIBRARIES}/libpython"):
                # Python 3.13's comes with the wheel, under another name; it knows no standard library but its maker's.
                libpython = name if f".{sys.version_info.minor}.so" in name else libpython
            elif name.startswith((f"{LIBRARIES}/", str(SERVER), f"{PYTHON_BACKEND}/")) or ".dist-info/" in name:
                archive.extract(name, folder)
        (folder / PYTHON_BACKEND / STUB).write_bytes(archive.read(stub))
    for program in (SERVER, PYTHON_BACKEND / STUB):
        (folder / program).chmod(0o755)
    return folder / libpython


def _find_libpython() -> Path | None:
    folders = [sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib")]
    folders += [os.path.join(folder, sysconfig.get_config_var("MULTIARCH") or "") for folder in folders]
    paths = [Path(folder, LIBPYTHON) for folder in folders]
    return next((path for path in paths if path.is_file()), None)


def _download_libpython(scratch: Path) -> Path:
    """Take the library from the system's package, which apt verifies and which needs no root to be unpacked.

    The interpreters of Debian and Ubuntu contain the library instead of loading it, so it is often not installed.
    """
    package = f"libpython{PYTHON}"
    lists = scratch / "lists"
    (lists / "partial").mkdir(parents=True)
    private = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={scratch}", "-o", "APT::Sandbox::User="]
    # The system's own lists first; if they are empty or outdated, lists of our own, which need no root either.
    failure = _download(scratch, ["-o", "APT::Sandbox::User="], package)
    if failure:
        failure = _apt(scratch, [*private, "update"]) or _download(scratch, private, package)
    archive = next(scratch.glob("*.deb"), None)
    if archive is not None:
        failure = _run(["dpkg-deb", "--extract", str(archive), str(scratch / "unpacked")])
    found = next(scratch.glob(f"unpacked/**/{LIBPYTHON}"), None)
    if found is None:
        raise EmbeddedServerUnusable(
            f"the embedded Triton needs {LIBPYTHON}, which this Python does not have and apt did not give: {failure}; "
            f"install it with `apt-get install {package}`, or use --models local"
        )
    return found


def _download(folder: Path, options: Sequence[str], package: str) -> str:
    """Ubuntu 24.04 has given the package a new name; `apt-get install` knows the old one, `download` does not."""
    failure = _apt(folder, [*options, "download", package])
    return failure and _apt(folder, [*options, "download", f"{package}t64"]) and failure


def _apt(folder: Path, arguments: Sequence[str]) -> str:
    return _run(["env", f"--chdir={folder}", "apt-get", "--quiet=2", *arguments])
