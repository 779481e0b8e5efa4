"""Pick records as the live service would have: the same picks, with the same ids."""

from collections.abc import Iterable, Iterator, Mapping

from kensoku.batch._engine import Piece
from kensoku.detection import Cascade, Picker, pick_packets
from kensoku.packets import encode_packet
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket


def pick_as_live(pieces: Iterable[Piece], picker: Picker, stations: Mapping[str, Station]) -> Iterator[Pick]:
    """Each pick once it is measured, half a minute later, with the amplitudes of that half minute."""
    waiting: dict[str, Pick] = {}
    for found in pick_packets(_packets(pieces), Cascade(picker), stations=stations.get):
        if isinstance(found, Pick):
            waiting[found.id] = found
        elif (pick := waiting.pop(found.id, None)) is not None:
            pick.snr = found.snr
            del pick.amplitudes[:]
            pick.amplitudes.extend(found.amplitudes)
            yield pick
    yield from waiting.values()


def _packets(pieces: Iterable[Piece]) -> Iterator[WaveformPacket]:
    for piece in pieces:
        yield encode_packet(piece.network, piece.station, piece.channels, "files", piece.end_ns, TIME_KIND_REPLAY)
