"""The service over a memory bus: what it publishes is what batch finds, also after a crash, a reject or an outage."""

import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from kensoku.bus import Bus
from kensoku.bus._partitioner import partition_of
from kensoku.detection import pick_packets
from kensoku.errors import ModelServerUnavailable, SettingInvalid
from kensoku.picking import CARD
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.triggering.reading import LAG_SECONDS
from kensoku.triggering.service import BEHIND_SECONDS, run
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.pick_pb2 import METHOD_CLASSIC, Pick, PickMessage, Progress
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY, TIME_KIND_UNSPECIFIED, TimeKind, WaveformPacket
from tests import services
from tests.stand_in_models import StandIn, write_folders
from tests.streams import START_NS, card, contents, packet, picks, record, seconds, two_stages
from tests.triggering import EXPECTED, LAST, RECORD, found, progress, progressed, publish, serve, told


@pytest.fixture
def settings(tmp_path: Path) -> TriggeringSettings:
    write_folders(tmp_path)
    return load_settings(TriggeringSettings, {"model_repository": tmp_path, "home": tmp_path})


def test_it_tells_what_batch_finds(bus: Bus, settings: TriggeringSettings) -> None:
    publish(bus, seconds(RECORD))
    serve(settings, bus, StandIn(), progressed(bus, 40))
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED
    assert told(bus, "picks.by-region") == told(bus)
    last = progress(bus)[-1].instruments[0]
    assert last.instrument.band_instrument == "HH"
    assert progress(bus)[-1].read_to_ns >= max(message.published_ns for message in bus.read("waveforms"))
    assert last.noise_level == pytest.approx(12, rel=0.2)  # 20 counts of white noise, of which 18 of 50 Hz are seen


def test_it_goes_on_when_the_clock_is_set_back_by_an_hour(bus: Bus, settings: TriggeringSettings) -> None:
    def clock_ns() -> int:
        return time.time_ns() - (3600 * 10**9 if progress(bus) else 0)

    def is_under_way() -> bool:
        if progressed(bus, 20)() and len(list(bus.read("waveforms"))) == 20:
            publish(bus, seconds(RECORD)[20:])
        return progressed(bus, 40)()

    publish(bus, seconds(RECORD)[:20])
    serve(settings, bus, StandIn(), is_under_way, clock_ns=clock_ns)
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED


@pytest.mark.parametrize("is_live", [True, False])
def test_lag_and_latency_are_those_of_live_packets_alone(bus: Bus, settings: TriggeringSettings, is_live: bool) -> None:
    """A record of 2020, or of ten minutes ago: who replays years must not be shown as years late for hours after."""
    told_before = REGISTRY.get_sample_value("triggering_latency_seconds_count") or 0.0
    LAG_SECONDS.tell([0], 0)
    BEHIND_SECONDS.clear()
    shift_ns = time.time_ns() // 10**9 * 10**9 - 600 * 10**9 - START_NS
    publish(bus, [moved(one, shift_ns) for one in seconds(RECORD)] if is_live else of_2020(seconds(RECORD)))
    serve(settings, bus, StandIn(), progressed(bus, 40))
    assert len(picks(found(bus))) == 2
    assert (REGISTRY.get_sample_value("triggering_latency_seconds_count") or 0.0) - told_before == 2 * is_live
    assert (REGISTRY.get_sample_value("triggering_lag_seconds") or 0.0) == pytest.approx(570 * is_live, abs=60)
    behind = REGISTRY.get_sample_value("triggering_station_behind_seconds", {"station": "XX.STA"})
    assert behind == (pytest.approx(570, abs=60) if is_live else None)


def of_2020(packets: list[WaveformPacket]) -> list[WaveformPacket]:
    for one in packets:
        one.start_ns -= 3 * 10**8 * 10**9
        one.arrival_ns -= 3 * 10**8 * 10**9
    return packets


def test_stations_can_be_left_to_the_classic_picker(bus: Bus, settings: TriggeringSettings) -> None:
    publish(bus, seconds(record(6000, events=((4000, 0),))))
    models = StandIn()
    serve(settings.model_copy(update={"triggering_classic": "YY.*,XX.S*"}), bus, models, progressed(bus, 60))
    assert {(pick.method, pick.model.name) for pick in picks(found(bus))} == {(METHOD_CLASSIC, "classic")}
    assert models.windows == 0


def test_a_crash_tells_nothing_twice_and_infers_nothing_again(bus: Bus, settings: TriggeringSettings) -> None:
    packets = [*seconds(RECORD), LAST]
    models = StandIn()
    publish(bus, packets[:26])
    serve(settings, bus, models, progressed(bus, 26))
    before = models.windows
    publish(bus, packets[26:])
    serve(settings, bus, models, progressed(bus, len(packets)))
    expected = contents(pick_packets(packets, two_stages()))
    assert [len(contents(found(bus))), len(set(contents(found(bus))))] == [len(expected), len(expected)]
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED
    assert models.windows - before < before


def test_after_an_hour_of_downtime_nothing_is_told_twice(bus: Bus, settings: TriggeringSettings) -> None:
    packets = [*seconds(RECORD), LAST]
    publish(bus, packets[:26])
    serve(settings, bus, StandIn(), progressed(bus, 26))
    publish(bus, packets[26:])
    later = lambda: time.time_ns() + 3600 * 10**9  # noqa: E731
    serve(settings, bus, StandIn(), progressed(bus, len(packets)), clock_ns=later)
    expected = contents(pick_packets(packets, two_stages()))
    assert [len(contents(found(bus))), len(set(contents(found(bus))))] == [len(expected), len(expected)]


@pytest.mark.parametrize("kind", [TIME_KIND_LIVE, TIME_KIND_UNSPECIFIED])
@pytest.mark.parametrize("is_stamped", [True, False])
def test_a_packet_of_ten_years_ahead_makes_no_other_station_silent(
    bus: Bus, settings: TriggeringSettings, kind: TimeKind, is_stamped: bool
) -> None:
    """All of a live log; one of another station says that it came, or is of, in ten years."""
    quick = settings.model_copy(update={"triggering_future_s": 5.0})
    now_ns = time.time_ns() // 10**9 * 10**9
    shift_ns = now_ns - 600 * 10**9 - START_NS
    packets = [moved(one, shift_ns) for one in [*seconds(RECORD), LAST]]
    expected = sorted(pick.id for pick in picks(pick_packets(packets, two_stages())))
    beside = next(
        name for name in map(str, range(1000)) if partition_of(f"XX.{name}", 48) == partition_of("XX.STA", 48)
    )
    ahead = moved(packet(RECORD, 0, 100, station=beside), shift_ns + 10 * 365 * 86_400 * 10**9)
    ahead.time_kind = kind
    if not is_stamped:
        ahead.arrival_ns = 0
    publish(bus, [*packets[:20], ahead, *packets[20:]])
    serve(quick, bus, StandIn(), progressed(bus, len(packets)))
    assert sorted(pick.id for pick in picks(found(bus))) == expected
    wanted = {one.id: one for one in pick_packets(packets, two_stages()) if not isinstance(one, Pick)}
    measured = {one.id: one for one in found(bus) if not isinstance(one, Pick)}
    assert {key: list(one.amplitudes) for key, one in measured.items()} == {
        key: list(one.amplitudes) for key, one in wanted.items()
    }


def moved(one: WaveformPacket, by_ns: int) -> WaveformPacket:
    """As live, at another time."""
    there = WaveformPacket.FromString(one.SerializeToString())
    there.time_kind, there.arrival_ns = TIME_KIND_LIVE, one.arrival_ns + by_ns
    there.start_ns += by_ns
    for channel in there.channels:
        if channel.HasField("start_ns"):
            channel.start_ns += by_ns
    return there


def test_what_was_told_before_any_progress_is_not_told_again(bus: Bus, settings: TriggeringSettings) -> None:
    """By one that was killed in its first second."""
    packets = [*seconds(RECORD), LAST]
    expected = list(pick_packets(packets, two_stages()))
    services.publish(bus, "picks", (("XX.STA", PickMessage(pick=pick)) for pick in picks(expected)))
    publish(bus, packets)
    serve(settings, bus, StandIn(), progressed(bus, len(packets)))
    assert contents(found(bus)) == contents(expected)


def test_replicas_that_come_and_go_tell_what_one_tells(bus: Bus, settings: TriggeringSettings) -> None:
    """Of four stations; a second replica comes when 20 seconds are there, the first leaves after 30."""
    names = ("STA", "STB", "STC", "STD")
    stations = [
        seconds(record(4000, number, ((1800, 0), (2400, 1))), station=name) for number, name in enumerate(names)
    ]
    packets = [packet for second in zip(*stations, strict=True) for packet in second]
    expected = sorted(pick.id for pick in picks(pick_packets(packets, two_stages())))
    first, second = (partial(run, settings, bus, StandIn(), Pulse()) for _ in range(2))

    def is_read(seconds_each: int) -> bool:
        newest: dict[int, Progress] = {one.partition: one for one in progress(bus)}
        return len(newest) == len(names) and all(one.next_offset >= seconds_each for one in newest.values())

    with ExitStack() as stays, ExitStack() as leaves:
        publish(bus, packets[:80])
        runs = leaves.enter_context(services.beside(first))
        services.wait_until(partial(is_read, 20), goes_on=runs)
        runs = stays.enter_context(services.beside(second))
        publish(bus, packets[80:120])
        services.wait_until(partial(is_read, 30), goes_on=runs)
        leaves.close()
        publish(bus, packets[120:])
        services.wait_until(partial(is_read, 40), goes_on=runs)
    assert sorted({pick.id for pick in picks(found(bus))}) == expected
    assert len(expected) >= 8


def test_models_that_are_away_are_waited_for(bus: Bus, settings: TriggeringSettings) -> None:
    publish(bus, seconds(RECORD))
    serve(settings, bus, StandIn(away=2), progressed(bus, 40))
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED


def test_before_anything_is_asked_it_is_not_ready_without_models(bus: Bus, settings: TriggeringSettings) -> None:
    pulse, models, are_there = Pulse(), StandIn(), [False]
    models.is_ready = lambda: are_there[0]  # type: ignore[method-assign]
    serve(settings, bus, models, lambda: "models" in pulse.waiting(), pulse)
    are_there[0] = True
    serve(settings, bus, models, lambda: not pulse.waiting(), pulse)


def test_models_that_stay_away_end_it_with_nothing_committed(bus: Bus, settings: TriggeringSettings) -> None:
    publish(bus, seconds(RECORD))
    short = settings.model_copy(update={"models_wait_s": 0.01})
    with pytest.raises(ModelServerUnavailable):
        serve(short, bus, StandIn(away=1000), lambda: False)
    assert not told(bus)
    serve(settings, bus, StandIn(), progressed(bus, 40))
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED


def test_rubbish_is_put_aside_with_its_reason(bus: Bus, settings: TriggeringSettings) -> None:
    packets = seconds(RECORD)
    publish(bus, packets[:10])
    bus.publish("waveforms", "XX.STA", b"\xff\xff rubbish")
    publish(bus, packets[10:])
    serve(settings, bus, StandIn(), progressed(bus, 41))
    (rejected,) = bus.read("waveforms.rejected")
    assert b"cannot be read" in dict(rejected.headers)["reason"]
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED


def test_a_station_of_rubbish_spends_its_own_budget_and_the_others_go_on(
    bus: Bus, settings: TriggeringSettings
) -> None:
    few = settings.model_copy(update={"triggering_errors_a_minute": 3, "triggering_batch": 20})
    pulse, packets = Pulse(), [*seconds(RECORD), LAST]
    wrong = seconds(RECORD, station="BAD")
    for one in wrong:
        one.channels[0].steim2 = b"\0" * 64
    for good, bad in zip(packets, [*wrong, wrong[-1]], strict=True):
        publish(bus, [bad, good])
        bus.publish("waveforms", "XX.BAD", b"\xff\xff rubbish")
    good_is_read = progressed(bus, len(packets))
    serve(few, bus, StandIn(), lambda: good_is_read() and "stations" in pulse.notes(), pulse)
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED
    assert len(list(bus.read("waveforms.rejected"))) == 3
    assert "XX.BAD" in pulse.notes()["stations"]


class Notes(Pulse):
    """Remembers what was noted."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def note(self, part: str, sentence: str) -> None:
        self.noted += [sentence] if part == "lag" and sentence else []
        super().note(part, sentence)


@pytest.mark.parametrize(("kind", "is_behind"), [(TIME_KIND_LIVE, True), (TIME_KIND_REPLAY, False)])
def test_a_live_record_that_is_read_late_is_told_in_full_once_there_is_time(
    bus: Bus, settings: TriggeringSettings, kind: TimeKind, is_behind: bool
) -> None:
    packets, pulse = seconds(RECORD), Notes()
    for one in packets:
        one.time_kind = kind
    publish(bus, packets)
    of_its_time = {"triggering_future_s": 1e9}  # the record is of another time than its publication
    all_low = settings.model_copy(update={"triggering_postponed_below": 1.0, "triggering_batch": 10, **of_its_time})
    began_ns, hour_later_ns = time.monotonic_ns(), packets[0].arrival_ns + 3600 * 10**9
    clock_ns = lambda: hour_later_ns + time.monotonic_ns() - began_ns  # noqa: E731  # a clock of another time
    serve(all_low, bus, StandIn(), lambda: len(picks(found(bus))) >= len(EXPECTED), pulse, clock_ns)
    assert sorted(pick.id for pick in picks(found(bus))) == EXPECTED
    assert bool(pulse.noted) == is_behind
    assert not any(pick.late for pick in picks(found(bus)))


def test_what_is_too_late_goes_to_backfill(bus: Bus, settings: TriggeringSettings) -> None:
    quick = settings.model_copy(update={"triggering_lateness_s": 10.0})
    packets = seconds(RECORD)
    publish(bus, [*packets[:5], *packets[6:], packet(RECORD, 500, 600, delay_s=34.0)])
    serve(quick, bus, StandIn(), progressed(bus, 40))
    (late,) = bus.read("waveforms.backfill")
    assert WaveformPacket.FromString(late.value or b"").start_ns == packets[5].start_ns
    assert [(span.end_ns - span.start_ns) / 1e9 for one in progress(bus) for span in one.instruments[0].gaps] in (
        [],
        [1.0],
    )  # told where a second's Progress saw both its ends


def test_a_model_of_full_context_is_refused(bus: Bus, settings: TriggeringSettings) -> None:
    path = settings.model_repository / "picker_live" / CARD
    path.write_text(
        card(0.4).to_json().replace('"look_ahead_s": {\n  "p": 1.0,\n  "s": 2.0\n }', '"look_ahead_s": null')
    )
    with pytest.raises(SettingInvalid, match="look-ahead"):
        serve(settings, bus, StandIn(), lambda: False)
