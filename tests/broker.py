"""A real Apache Kafka broker of one node, fetched from Maven Central and started by whoever needs it."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kensoku.bus import Options, open_bus

KAFKA_VERSION = "4.3.0"
CACHE = Path(os.environ.get("KENSOKU_CACHE", Path(__file__).parent.parent / ".cache")) / "kafka"
CLUSTER_ID = "S2Vuc29rdVRlc3RCcm9rZQ"  # 22 characters, base64 of 16 bytes, as Kafka wants it

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kensoku</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""

# The last three only make tests short: they cut waits that a real cluster of several nodes does not have.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={logs}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=16777216
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


class Broker:
    """The process may be killed and started again on the same data."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Java's `options` come after the usual ones."""
        self._options = options
        self.port, controller_port = free_ports(2)
        self.folder = folder
        self._properties = folder / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(port=self.port, controller_port=controller_port, logs=folder / "logs")
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Return when a metadata request is answered; an open port is not readiness."""
        if not (self.folder / "logs").exists():
            self._format()
        with (self.folder / "broker.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*die_with_parent(), *java("kafka.Kafka", self._options), str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            open_bus(self.url, options=Options(wait_s=90)).close()
        except Exception as error:
            self.kill()
            raise RuntimeError(f"the broker did not start:\n{self.log_tail()}") from error

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self, timeout_s: float = 30.0) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self) -> str:
        return (self.folder / "broker.log").read_text(errors="replace")[-4000:]

    def _format(self) -> None:
        command = [*java("kafka.tools.StorageTool"), "format", "-t", CLUSTER_ID, "-c", str(self._properties)]
        subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running_broker(folder: Path, options: Sequence[str] = ()) -> Iterator[Broker]:
    """Give it an empty folder; the broker is gone when the block ends."""
    broker = Broker(folder, options)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def java(main_class: str, options: Sequence[str] = ()) -> list[str]:
    usual = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    return ["java", *usual, *options, "-cp", f"{jars()}/*", main_class]


def jars() -> Path:
    """The broker's 46 files; fetched once (44 MB), then found in the cache."""
    folder = CACHE / f"jars-{KAFKA_VERSION}"
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:  # tests run at once, and Maven's own folder is for one at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    partial, pom = folder.with_name(folder.name + ".partial"), CACHE / "pom.xml"
    shutil.rmtree(partial, ignore_errors=True)
    pom.write_text(POM)
    command = ["mvn", "-B", "-q", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    subprocess.run([*command, f"-DoutputDirectory={partial}"], check=True)
    partial.rename(folder)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


def die_with_parent() -> list[str]:
    """So that a killed test run leaves no broker behind."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
