"""What came too late for the live service is picked by who fills in afterwards: late, once, and as batch finds it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from kensoku.bus import Bus
from kensoku.detection import pick_packets
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.settings import load_settings
from kensoku.triggering import backfill
from kensoku.triggering.backfill import is_same
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket
from tests import services
from tests.stand_in_models import StandIn, write_folders
from tests.streams import START_NS, picks, record, seconds, two_stages
from tests.triggering import EXPECTED, LAST_OF_LONG, RECORD, found, progress, progressed, publish, serve


@pytest.fixture
def settings(tmp_path: Path) -> TriggeringSettings:
    write_folders(tmp_path)
    return load_settings(TriggeringSettings, {"model_repository": tmp_path, "home": tmp_path})


def fill_in(settings: TriggeringSettings, bus: Bus, late: Sequence[WaveformPacket], until: Callable[[], bool]) -> None:
    services.publish(bus, "waveforms.backfill", (("XX.STA", one) for one in late))
    serve(settings.model_copy(update={"triggering_backfill": True}), bus, StandIn(), until)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "QUIET_S", 0.2)


@pytest.mark.usefixtures("soon")
def test_a_station_that_sends_all_it_kept_is_picked_and_said_to_be_late(bus: Bus, settings: TriggeringSettings) -> None:
    fill_in(settings, bus, seconds(RECORD), lambda: len(found(bus)) >= 2 * len(EXPECTED))
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED
    assert {one.late for one in found(bus)} == {True}
    assert progress(bus) == []


@pytest.mark.usefixtures("soon")
def test_a_piece_of_another_year_in_a_packet_hides_nothing_from_back_fill(
    bus: Bus, settings: TriggeringSettings
) -> None:
    codes, years_ns = ("HHZ", "HHN", "HHE"), 10 * 365 * 86_400 * 10**9
    pieces = [ChannelSamples("", code, START_NS, 100.0, row) for code, row in zip(codes, RECORD, strict=True)]
    other = ChannelSamples("", "HHN", START_NS + years_ns, 100.0, RECORD[1, :100])
    one = encode_packet("XX", "STA", [other, *pieces], "test", START_NS + years_ns, TIME_KIND_REPLAY)
    fill_in(settings, bus, [one], lambda: len(found(bus)) >= 2 * len(EXPECTED))
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED


LONG = record(12_000, events=((2500, 0), (2900, 1), (5600, 0), (6010, 1), (9000, 0), (9400, 1)))


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("outage", [(48, 70), (54, 58), (20, 110)])
def test_after_an_outage_and_what_fills_it_all_is_told_that_batch_finds(
    bus: Bus, settings: TriggeringSettings, outage: tuple[int, int]
) -> None:
    first, last = outage
    packets = seconds(LONG)
    expected = picks(pick_packets([*packets, *LAST_OF_LONG], two_stages()))
    publish(bus, [*packets[:first], *packets[last:], *LAST_OF_LONG])
    serve(settings, bus, StandIn(), progressed(bus, len(packets) - (last - first) + 1))
    before = picks(found(bus))

    def is_told(pick: Pick) -> bool:
        return any(is_same(pick, other) for other in picks(found(bus)))

    fill_in(
        settings, bus, packets[first:last], lambda: all(any(is_same(a, b) for b in picks(found(bus))) for a in expected)
    )
    after = picks(found(bus))
    assert len(before) < len(after) == len(expected) == 6
    assert all(any(is_same(pick, other) for other in expected) for pick in after)
    assert {pick.id for pick in after if pick.late}.isdisjoint(pick.id for pick in before)
    assert {pick.id for pick in after if pick.late} <= {pick.id for pick in expected}


@pytest.mark.usefixtures("soon")
def test_what_was_told_already_is_not_told_again_by_who_fills_in(bus: Bus, settings: TriggeringSettings) -> None:
    publish(bus, seconds(RECORD))
    serve(settings, bus, StandIn(), progressed(bus, 40))
    told_before = len(found(bus))
    lag = partial(bus.lag, "waveforms.backfill", "triggering-backfill")
    fill_in(settings, bus, seconds(RECORD)[10:20], lambda: sum(lag().values()) == 0)
    assert len(found(bus)) == told_before
