"""Run our programs as a person does, in an environment without settings of the test runner's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KENSOKU = str(Path(sys.executable).with_name("kensoku"))
LIMIT_S = 120.0


def environment(home: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KENSOKU_")}
    return kept | {"KENSOKU_HOME": str(home), "KENSOKU_PORT": "0"} | settings


def run(home: Path, command: list[str], **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=environment(home, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def kensoku(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return run(home, [KENSOKU, *arguments], **settings)


def acquisition(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return run(home, [sys.executable, "-m", "kensoku.acquisition", *arguments], **settings)


@contextmanager
def service(name: str, home: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m kensoku.NAME`, what it says in `home/log`; gone when the block ends."""
    with (home / "log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"kensoku.{name}"],
            env=environment(home, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
