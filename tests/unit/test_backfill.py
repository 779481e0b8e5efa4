"""What fills in: which of it has still to be read after a restart, and as what it is read."""

from kensoku.bus import Bus, Message
from kensoku.triggering.backfill import Ledger, packets_of
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests import services
from tests.streams import START_NS, packet, record

RECORD = record(1000, events=())
POSITION = ("waveforms.backfill", 3)


def noted(ledger: Ledger, offset: int, station: str, one: WaveformPacket) -> None:
    message = Message(*POSITION, offset, station, one.SerializeToString(), 0)
    ledger.read(message)
    ledger.note(message, one)


def test_the_oldest_station_that_waits_holds_its_position_until_it_is_filled() -> None:
    ledger = Ledger()
    for offset, station in enumerate(("XX.A", "XX.B", "XX.A")):
        noted(ledger, offset, station, packet(RECORD, 100 * offset, 100 * offset + 100))
    assert ledger.needed() == {POSITION: 0}
    ledger.take("XX.A")
    assert ledger.needed() == {POSITION: 1}
    ledger.take("XX.B")
    assert ledger.needed() == {POSITION: 3}


def test_what_filled_in_is_read_as_if_each_packet_had_come_at_its_own_end(bus: Bus) -> None:
    sent = [packet(RECORD, 100, 200, delay_s=3600.0), packet(RECORD, 0, 100, delay_s=7200.0)]
    services.publish(bus, "waveforms.backfill", [("XX.STA", one) for one in sent])
    found = packets_of(bus, "XX.STA", START_NS, START_NS + 10 * 10**9, START_NS)
    assert [(one.arrival_ns - START_NS) / 1e9 for one in found] == [1.0, 2.0]
