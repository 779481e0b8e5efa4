"""The program of its own that picks what came too late: each station once nothing more of it fills in."""

import threading
from collections.abc import Callable, Sequence

from prometheus_client import Counter

from kensoku.bus import Bus, Message, Stream, Table
from kensoku.continuous import Times
from kensoku.control import StationSwitches
from kensoku.errors import InputInvalid
from kensoku.packets import read_packet
from kensoku.runtime import Pulse
from kensoku.triggering.backfill import BACKFILL, Ledger, fill_in
from kensoku.triggering.models import Listening
from kensoku.triggering.reading import DISABLED, PACKETS, REJECTS
from kensoku.triggering.telling import Directory, Teller

GROUP = "triggering-backfill"

FILLED = Counter("triggering_filled_in", "Stations picked again because records of them filled in")


class Filling:
    def __init__(
        self,
        bus: Bus,
        listens: Listening,
        inventory: Table,
        control: Table,
        clock_ns: Callable[[], int],
        times: Times,
        most_picks: int,
    ) -> None:
        self._times, self._most_picks = times, most_picks
        self._bus, self._listens, self._clock_ns = bus, listens, clock_ns
        self._directory = Directory(inventory, control)
        self._teller = Teller(bus, self._directory, clock_ns)
        self._is_enabled = StationSwitches(control).is_enabled
        self._ledger = Ledger()

    def run(self, limit: int, pulse: Pulse, stop: threading.Event) -> None:
        with self._bus.subscribe([BACKFILL], GROUP, on_revoked=self._ledger.leave) as stream:
            for batch in stream.batches(limit):
                pulse.beat()
                if stop.is_set():
                    return
                self.turn(stream, batch, pulse)

    def turn(self, stream: Stream, batch: Sequence[Message], pulse: Pulse) -> None:
        PACKETS.inc(len(batch))
        self._directory.refresh()
        for message in batch:
            self._ledger.read(message)
            try:
                if self._is_enabled(message.key):
                    self._ledger.note(message, read_packet(message.value or b""))
                else:
                    DISABLED.inc()
            except InputInvalid as error:
                REJECTS.inc()
                stream.reject(message, str(error))
        due = self._ledger.due()
        for station in due:
            self._fill(station)
            pulse.beat()
            stream.commit(self._ledger.needed())
        if batch:
            stream.commit(self._ledger.needed())

    def _fill(self, station: str) -> None:
        waiting = self._ledger.take(station)
        listens, epoch = self._listens, self._clock_ns()
        try:
            found = fill_in(
                self._bus,
                station,
                waiting,
                listens.front_end,
                self._directory.station,
                listens.second_look,
                self._times,
                self._most_picks,
            )
        except BaseException:  # also when it is told to stop while the models are away
            self._ledger.put_back(station, waiting)
            raise
        for message in found:
            self._teller.tell(message, epoch)
        FILLED.inc()
