"""A real PostgreSQL server, started by whoever needs it in a folder of its own; it refuses to run as root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.broker import free_ports

NEEDED = ("initdb", "pg_ctl")
USER = "nobody"  # when the tests run as root
SETTINGS = "-c fsync=off -c max_connections=30 -c shared_buffers=16MB -c listen_addresses=127.0.0.1"
UNAVAILABLE = next((f"found no program {name} of PostgreSQL" for name in NEEDED if shutil.which(name) is None), "")
needs_postgresql = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)


class Database:
    """The server may be stopped and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self._folder = folder
        self._pid = folder / "data" / "postmaster.pid"
        self._names = 0

    def url(self, database: str = "postgres", user: str = "kensoku") -> str:
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def new_url(self) -> str:
        """An empty database."""
        self._names += 1
        name = f"test{self._names}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        if not (self._folder / "data").exists():
            self._run("initdb", "-A", "trust", "-U", "kensoku", "-E", "UTF8", "--locale=C", "--no-sync", "-D", "data")
        settings = f"{SETTINGS} -p {self.port} -k {self._folder}"
        self._run("pg_ctl", "-D", "data", "-w", "-t", "90", "-l", "server.log", "-o", settings, "start")

    def stop(self) -> None:
        if self._pid.exists():
            self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """As the administrator."""
        where = f"host=127.0.0.1 port={self.port} user=kensoku dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, *command: str) -> None:
        try:
            subprocess.run(
                [*_as_user(), *command],
                cwd=self._folder,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # the server would keep a pipe open
                stderr=subprocess.DEVNULL if command[-1] == "start" else subprocess.PIPE,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self._folder)},
            )
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{command[0]} failed: {error.stderr}\n{self.log_tail()}") from error

    def log_tail(self) -> str:
        log = self._folder / "server.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""


def _as_user() -> Sequence[str]:
    return ["setpriv", f"--reuid={USER}", "--clear-groups", f"--regid={_group()}"] if os.getuid() == 0 else []


def _group() -> int:
    import pwd

    return pwd.getpwnam(USER).pw_gid


@contextmanager
def running_database() -> Iterator[Database]:
    """The server, and all it has stored, are gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="kensoku-pg-"))  # a socket's path must be short
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    database = Database(folder)
    try:
        database.start()
        yield database
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)
