"""The association service over a memory bus: picks become candidates, once each, whatever happens on the way."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY

from kensoku.association.service import run
from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus, open_bus
from kensoku.regions import PREFIX
from kensoku.runtime import Pulse
from kensoku.solving import check_association
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.control_pb2 import Control, Region, Vertex
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_PRELIMINARY
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_UNIT_M,
    Amplitude,
    InstrumentProgress,
    PhaseProbabilities,
    Pick,
    PickLatency,
    PickMeasurement,
    PickMessage,
    Progress,
)
from tests import services
from tests.associations import T0_NS, S, make_picks, publish_stations, service_settings

REGION = "default"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> AssociationServiceSettings:
    return service_settings(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def known_stations(bus: Bus) -> None:
    publish_stations(bus)


def publish(bus: Bus, *messages: PickMessage) -> None:
    services.publish(bus, "picks.by-region", ((REGION, message) for message in messages), partition=0)


def of(picks: Sequence[AssociatedPick]) -> list[PickMessage]:
    return [PickMessage(pick=each.pick) for each in sorted(picks, key=lambda each: each.pick.onset_ns)]


def heard_to(picks: Sequence[AssociatedPick], evaluated_to_ns: int) -> PickMessage:
    progress = Progress(partition=0)
    for instrument in {each.pick.instrument.station: each.pick.instrument for each in picks}.values():
        progress.instruments.add(instrument=instrument, evaluated_to_ns=evaluated_to_ns)
    return PickMessage(progress=progress)


def told(bus: Bus) -> list[Association]:
    return services.decoded(bus, "associations", Association)


def serve(settings: AssociationServiceSettings, bus: Bus, until: Callable[[], bool]) -> None:
    services.serve(partial(run, settings, bus, Pulse()), until)


def handled() -> float:
    labels = {"topic": "picks.by-region", "group": "association"}
    return REGISTRY.get_sample_value("bus_handled_messages_total", labels) or 0.0


def has_handled_more(than: float) -> bool:
    return handled() > than


def committed(bus: Bus) -> int:
    lag = bus.lag("picks.by-region", "association")[0]
    return len(list(bus.read("picks.by-region"))) - lag


def is_final(bus: Bus) -> bool:
    return any(one.status == EVENT_STATUS_FINAL for one in told(bus))


def test_picks_of_one_earthquake_become_a_candidate_and_the_last_word_about_it(
    settings: AssociationServiceSettings, bus: Bus
) -> None:
    picks = make_picks()
    publish(bus, *of(picks))
    serve(settings, bus, lambda: len(told(bus)) > 0)
    publish(bus, heard_to(picks, T0_NS + 300 * S))
    serve(settings, bus, lambda: is_final(bus))
    first, last = told(bus)[0], told(bus)[-1]
    assert (first.status, last.status) == (EVENT_STATUS_PRELIMINARY, EVENT_STATUS_FINAL)
    assert {one.event_id for one in told(bus)} == {first.event_id}
    assert [one.revision for one in told(bus)] == list(range(1, len(told(bus)) + 1))
    assert {each.pick.id for each in last.picks} == {each.pick.id for each in picks}
    assert last.region == REGION
    assert last.owner_epoch > first.owner_epoch, "the second run is another owner"
    assert last.decided_ns > 0


def test_an_earthquake_that_very_many_stations_picked_is_told(settings: AssociationServiceSettings, bus: Bus) -> None:
    picks = make_picks()
    for each in picks:  # 3 MB together, as of 500 stations with P and S
        each.pick.amplitudes.extend(Amplitude(channel="HHZ", value=1.0, unit=AMPLITUDE_UNIT_M) for _ in range(10_000))
    publish(bus, *of(picks))
    serve(settings, bus, lambda: len(told(bus)) > 0)
    assert told(bus)[0].ByteSize() > 1_000_000


def test_what_was_told_is_not_told_again_after_a_restart(settings: AssociationServiceSettings, bus: Bus) -> None:
    picks = make_picks()
    publish(bus, *of(picks), heard_to(picks, T0_NS + 300 * S))
    serve(settings, bus, lambda: is_final(bus))
    before = told(bus)
    publish(bus, *of(picks), heard_to(picks, T0_NS + 301 * S))
    count = len(list(bus.read("picks.by-region")))
    start, first = handled(), committed(bus)
    serve(settings, bus, lambda: handled() - start >= count - first)
    assert told(bus) == before


def test_rubbish_is_put_aside_and_the_rest_goes_on(settings: AssociationServiceSettings, bus: Bus) -> None:
    bus.publish("picks.by-region", REGION, b"\x99rubbish", partition=0)
    publish(bus, *of(make_picks()))
    serve(settings, bus, lambda: len(told(bus)) > 0)
    (rejected,) = bus.read("picks.by-region.rejected")
    assert dict(rejected.headers)["reason"] == b"found 8 bytes, expected a PickMessage"


def spoilt(**changes: Any) -> PickMessage:
    """One more pick of the earthquake, as nobody can have made it."""
    message = of(make_picks())[-1]
    message.pick.MergeFrom(Pick(id="spoilt", **changes))
    return message


FAR_NS = T0_NS + 100 * 366 * 86_400 * S
SPOILT = {
    "late onset": spoilt(onset_ns=FAR_NS),
    "late sample": spoilt(latency=PickLatency(last_sample_ns=FAR_NS)),
    "late progress": PickMessage(progress=Progress(instruments=[InstrumentProgress(evaluated_to_ns=FAR_NS)])),
    "no uncertainty": spoilt(onset_uncertainty_s=math.nan),
    "negative uncertainty": spoilt(onset_uncertainty_s=-1.0),
    "endless probability": spoilt(probabilities=PhaseProbabilities(p=math.inf)),
    "measured badly": PickMessage(
        measurement=PickMeasurement(id=make_picks()[0].pick.id, onset_ns=T0_NS, onset_uncertainty_s=math.inf)
    ),
    "of a newer version": PickMessage(),
}


def test_what_cannot_be_is_put_aside_in_words_and_spoils_no_earthquake(
    settings: AssociationServiceSettings, bus: Bus
) -> None:
    picks = make_picks()
    publish(bus, heard_to(picks, T0_NS - 20 * S), *SPOILT.values(), *of(picks), heard_to(picks, T0_NS + 300 * S))
    serve(settings, bus, lambda: is_final(bus))
    assert {each.pick.id for each in told(bus)[-1].picks} == {each.pick.id for each in picks}
    check_association(told(bus)[-1])
    reasons = [dict(message.headers)["reason"].decode() for message in bus.read("picks.by-region.rejected")]
    words = [
        "a year after",
        "a year after",
        "a year after",
        "nan s",
        "-1.0 s",
        "probability inf",
        "inf s",
        "no content",
    ]
    assert all(word in reason for word, reason in zip(words, reasons, strict=True)), reasons


def test_picks_that_come_before_the_stations_wait_for_them(settings: AssociationServiceSettings) -> None:
    now = [T0_NS]

    def later() -> bool:
        now[0] += 6 * S
        return len(told(empty)) > 0

    first, *rest = of(make_picks())
    with (
        open_bus("memory://") as empty,
        services.beside(partial(run, settings, empty, Pulse(), clock_ns=lambda: now[0])) as runs,
    ):
        for each in ([first], rest):
            is_read = partial(has_handled_more, handled())
            publish(empty, *each)
            services.wait_until(is_read, services.LIMIT_S, runs)
            now[0] += 6 * S
        assert committed(empty) == 0
        publish_stations(empty)
        services.wait_until(later, services.LIMIT_S, runs)


# --- regions ----------------------------------------------------------------------------------------------------------


def region(name: str, west_deg: float, east_deg: float, partition: int, reach_km: float = 100) -> Region:
    corners = ((-2, west_deg), (-2, east_deg), (2, east_deg), (2, west_deg))
    polygon = [Vertex(latitude_deg=latitude, longitude_deg=longitude) for latitude, longitude in corners]
    return Region(name=name, polygon=polygon, reach_km=reach_km, partition=partition)


def test_of_two_regions_one_tells_an_event_between_them(settings: AssociationServiceSettings, bus: Bus) -> None:
    picks = make_picks()
    start, given = handled(), [*of(picks), heard_to(picks, T0_NS + 300 * S)]
    for one in (region("east", 0, 4, 0), region("west", -4, 0, 5)):
        services.publish(bus, "control", [(PREFIX + one.name, Control(region=one))])
        services.publish(bus, "picks.by-region", ((one.name, message) for message in given), one.partition)
    serve(settings, bus, lambda: handled() - start >= 2 * len(given) and is_final(bus))
    last = {one.event_id: one for one in told(bus)}
    assert [one.status for one in last.values()] == [EVENT_STATUS_FINAL], (
        "one process tells it once, and merges nothing"
    )
    assert {message.key for message in bus.read("associations")} == {"east|west"}


def test_what_another_process_has_told_is_heard_by_its_stations(settings: AssociationServiceSettings, bus: Bus) -> None:
    picks = make_picks()
    given = [*of(picks), heard_to(picks, T0_NS + 300 * S)]
    for one in (region("east", 0, 4, 0), region("west", -4, 0, 5)):
        services.publish(bus, "control", [(PREFIX + one.name, Control(region=one))])
    services.publish(bus, "picks.by-region", (("west", message) for message in given), 5)
    serve(settings, bus, lambda: is_final(bus))
    services.publish(bus, "picks.by-region", (("east", message) for message in given), 0)
    start = handled()
    serve(settings, bus, lambda: handled() - start >= len(given))
    assert {one.region for one in told(bus)} == {"west"}


def test_a_region_that_hears_too_few_stations_stops_nobody(
    settings: AssociationServiceSettings, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    for one in (region("far", 60, 64, 0), region("here", -4, 4, 1)):
        services.publish(bus, "control", [(PREFIX + one.name, Control(region=one))])
        services.publish(bus, "picks.by-region", ((one.name, each) for each in of(make_picks())), one.partition)
    serve(settings, bus, lambda: len(told(bus)) > 0)
    assert {one.region for one in told(bus)} == {"here"}
    assert "region far: left out its picks: found 0 stations" in caplog.text


HERE = region("here", -4, 4, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [(REGION, Control(region=HERE)), (HERE.name, Control())],
    ids=["the first is made", "the last is taken back"],
)
def test_a_region_taken_off_the_map_says_its_last_word(
    before: str, after: Control, settings: AssociationServiceSettings, bus: Bus
) -> None:
    now, key = [T0_NS], PREFIX + HERE.name
    if before == HERE.name:
        services.publish(bus, "control", [(key, Control(region=HERE))])
    services.publish(bus, "picks.by-region", ((before, each) for each in of(make_picks())), partition=1)
    with services.beside(partial(run, settings, bus, Pulse(), clock_ns=lambda: now[0])) as runs:
        services.wait_until(lambda: len(told(bus)) > 0, services.LIMIT_S, runs)
        services.publish(bus, "control", [(key, after)])

        def is_over() -> bool:
            now[0] += 6 * S
            return is_final(bus)

        services.wait_until(is_over, 60.0, runs)
    assert {each.region for each in told(bus)} == {before}
