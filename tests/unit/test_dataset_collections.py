"""Examples from SeisBench's format, and from a catalogue with an archive or a web service."""

import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import obspy
import pytest
from obspy.core.event import (
    Arrival,
    Catalog,
    CreationInfo,
    Event,
    Magnitude,
    Pick,
    QuantityError,
    ResourceIdentifier,
    WaveformStreamID,
)
from obspy.core.event import Origin as QuakeOrigin

from kensoku.errors import InputInvalid
from kensoku.training.datasets.catalogue import Catalogue, find_catalogue
from kensoku.training.datasets.completing import PSEUDO
from kensoku.training.datasets.labels import LabelRule
from kensoku.training.datasets.records import load_all
from kensoku.training.datasets.seisbench import SeisBenchFolder, find_seisbench
from kensoku.training.examples import Example, Onset

START = obspy.UTCDateTime("2024-01-01T00:00:00Z")


# --- SeisBench --------------------------------------------------------------------------------------------------------

COLUMNS = (
    "trace_name,trace_category,trace_sampling_rate_hz,trace_Pg_arrival_sample,trace_Pn_arrival_sample,"
    "trace_s_arrival_sample,trace_s_weight,station_network_code,station_code,source_id,source_magnitude,source_type"
)


def write_seisbench(folder: Path) -> None:
    rows = [
        "bucket0$0,:3,:1200,earthquake_local,200,600,400,900,0.5,XX,A,e1,2.5,",
        "bucket0$1,:3,:800,earthquake_local,100,300,,,,XX,B,e2,1.5,quarry blast",
        "alone,noise,100,,,,,XX,C,,,",
    ]
    quoted = [f'"{",".join(row.split(",")[:3])}",{",".join(row.split(",")[3:])}' for row in rows[:2]]
    (folder / "metadata.csv").write_text("\n".join([COLUMNS, *quoted, rows[2]]) + "\n")
    chance = np.random.default_rng(1)
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        file["data/bucket0"] = chance.normal(size=(2, 3, 1200)).astype(np.float32)
        file["data/alone"] = chance.normal(size=(3, 500)).astype(np.float32)
        file["data_format/component_order"] = "EZN"
        file["data_format/dimension_order"] = "CW"


def test_traces_of_buckets_come_with_their_picks_at_100_hz_in_our_order(tmp_path: Path) -> None:
    write_seisbench(tmp_path)
    first, second, third = load_all(
        record for record, _ in find_seisbench(SeisBenchFolder(path=tmp_path, source="s", region="r"))
    )
    assert (first.length, second.length, third.length) == (600, 800, 500)
    assert first.onsets == (Onset("P", 200), Onset("S", 450, 0.5))  # Pn was first, at half of 400
    assert [(span.phase, span.first, span.last) for span in first.unknown] == [
        ("P", 250, 500),
        ("S", 250, 419),
        ("S", 481, 500),
    ]
    assert (second.origin.kind, second.origin.magnitude, second.origin.event) == ("blast", 1.5, "e2")
    assert second.onsets == (Onset("P", 300),)
    assert (third.origin.kind, third.onsets, third.unknown, third.origin.station) == ("noise", (), (), "XX.C")
    with h5py.File(tmp_path / "waveforms.hdf5") as file:
        np.testing.assert_array_equal(third.counts[2], file["data/alone"][0])
        np.testing.assert_array_equal(third.counts[0], file["data/alone"][1])


def test_what_seisbench_says_of_picks_and_rates_is_read(tmp_path: Path) -> None:
    columns = (
        "trace_name,trace_dt_s,trace_P_arrival_sample,trace_P_weight,trace_P_status,trace_Sg_arrival_sample,"
        "trace_Sg_status,trace_Sg_uncertainty_s,source_type"
    )
    rows = ["a,0.02,200,0.5,manual,300,automatic,0.4,earthquake", "a,0.01,200,,autopicker,300,manual,0.05,noise"]
    rows.append(rows[1].replace("noise", "earthquake"))
    (tmp_path / "metadata.csv").write_text("\n".join([columns, *rows]) + "\n")
    with h5py.File(tmp_path / "waveforms.hdf5", "w") as file:
        file["data/a"] = np.random.default_rng(1).normal(size=(3, 800)).astype(np.float32)
    weak, noise, automatic = load_all(
        record for record, _ in find_seisbench(SeisBenchFolder(path=tmp_path, source="s", region="r"))
    )
    assert weak.length == 1600
    assert weak.onsets == (Onset("P", 400, 0.5), Onset("S", 600, PSEUDO * 0.25))
    assert (noise.origin.kind, noise.onsets) == ("noise", ())
    assert automatic.onsets == (Onset("P", 200, PSEUDO), Onset("S", 300))


def test_seisbench_says_when_its_earthquakes_were(tmp_path: Path) -> None:
    rows = ["a,2024-01-01 00:00:10,2024-01-01T00:00:00Z", "b,,2024-01-01T00:00:20Z", "c,,"]
    (tmp_path / "metadata.csv").write_text("\n".join(["trace_name,source_origin_time,trace_start_time", *rows]) + "\n")
    folder = SeisBenchFolder(path=tmp_path, source="s", region="r")
    times_s = [record.time_s for record, _ in find_seisbench(folder)]
    assert times_s == [START.timestamp + 10, START.timestamp + 20, None]


@pytest.mark.parametrize(("order", "dimensions"), [("zne", "CW"), ("ZNE", "NWC")])
def test_axes_are_found_however_seisbench_writes_them(tmp_path: Path, order: str, dimensions: str) -> None:
    samples = np.random.default_rng(1).normal(size=(3, 700)).astype(np.float32)
    write_trace(tmp_path, "a,100", samples if dimensions == "CW" else samples.T, order, dimensions)
    [found] = read_seisbench(tmp_path)
    np.testing.assert_array_equal(found.counts, samples)


@pytest.mark.parametrize(
    ("row", "shape", "order", "told"),
    [
        ("a", (3, 700), "ZNE", "found a row 2 of fewer or more values than columns"),
        ("a,100,7", (3, 700), "ZNE", "found a row 2 of fewer or more values than columns"),
        ("\udcc4,100", (3, 700), "ZNE", "found 'utf-8' codec can't decode"),
        ("a" * 200_000 + ",100", (3, 700), "ZNE", "found field larger than field limit"),
        ("a,inf", (3, 700), "ZNE", "found inf samples a second"),
        ("a,100", (700,), "Z", "found components 'Z' and samples of shape (700,)"),
        ("a,100", (2, 700), "ZNE", "found components 'ZNE' and samples of shape (2, 700)"),
        ("a,100", (3, 700), "UVW", "found components 'UVW' and samples of shape (3, 700)"),
    ],
)
def test_what_is_no_trace_of_seisbench_is_told(
    tmp_path: Path, row: str, shape: tuple[int, ...], order: str, told: str
) -> None:
    write_trace(tmp_path, row, np.ones(shape, np.float32), order)
    with pytest.raises(InputInvalid) as caught:
        read_seisbench(tmp_path)
    assert told in str(caught.value)


def write_trace(folder: Path, row: str, samples: npt.NDArray[np.float32], order: str, dimensions: str = "CW") -> None:
    text = f"trace_name,trace_sampling_rate_hz\n{row}\n"
    (folder / "metadata.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        file["data/a"], file["data_format/component_order"] = samples, order
        file["data_format/dimension_order"] = dimensions


def read_seisbench(folder: Path) -> list[Example]:
    return list(load_all(record for record, _ in find_seisbench(SeisBenchFolder(path=folder, source="s", region="r"))))


def seisbench_record(folder: Path, arrivals: dict[str, int]) -> Example:
    columns = ["trace_name", "trace_sampling_rate_hz", *(f"trace_{name}_arrival_sample" for name in arrivals)]
    row = ["a", "100", *(f"{sample}" for sample in arrivals.values())]
    (folder / "metadata.csv").write_text("\n".join([",".join(columns), ",".join(row)]) + "\n")
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        file["data/a"] = np.random.default_rng(1).normal(size=(3, 5000)).astype(np.float32)
    [found] = load_all(record for record, _ in find_seisbench(SeisBenchFolder(path=folder, source="s", region="r")))
    return found


def test_where_only_what_came_by_way_of_the_surface_was_picked_nothing_is_known(tmp_path: Path) -> None:
    found = seisbench_record(tmp_path, {"pP": 1300, "sP": 1500})
    assert found.onsets == ()
    assert {(span.first, span.last) for span in found.unknown} == {(0, 4999)}


def test_what_came_by_way_of_the_surface_is_neither_onset_nor_noise(tmp_path: Path) -> None:
    found = seisbench_record(tmp_path, {"P": 1000, "pP": 1300, "sP": 1500, "S": 3000})
    assert found.onsets == (Onset("P", 1000), Onset("S", 3000))
    assert {(span.first, span.last) for span in found.unknown} == {(1250, 1700)}


# --- catalogue --------------------------------------------------------------------------------------------------------


def pick(station: str, phase: str, after_s: float, mode: str = "manual") -> Pick:
    code = WaveformStreamID("XX", station, "", "HHZ")
    return Pick(time=START + after_s, phase_hint=phase, waveform_id=code, evaluation_mode=mode)


def event(name: str, picks: list[Pick], kind: str = "earthquake") -> Event:
    arrivals = [Arrival(pick_id=each.resource_id, phase=each.phase_hint, distance=0.5) for each in picks]
    origin = QuakeOrigin(time=START, latitude=0, longitude=0, depth=1000, arrivals=arrivals)
    return Event(
        resource_id=ResourceIdentifier(f"smi:local/{name}"),
        picks=picks,
        origins=[origin],
        magnitudes=[Magnitude(mag=1.5)],
        event_type=kind,
    )


def records() -> obspy.Stream:
    chance = np.random.default_rng(1)
    header = {"network": "XX", "station": "A", "starttime": START, "sampling_rate": 100.0}
    return obspy.Stream(
        obspy.Trace(chance.integers(-99, 99, 12000).astype(np.int32), {**header, "channel": f"HH{component}"})
        for component in "ZNE"
    )


def write_catalogue(folder: Path) -> Catalogue:
    first = event("e1", [pick("A", "Pg", 30), pick("A", "Sg", 34), pick("B", "P", 31)])
    second = event("e2", [pick("A", "P", 45), pick("A", "S", 48.5, "automatic")], "quarry blast")
    Catalog([first, second]).write(str(folder / "events.xml"), format="QUAKEML")
    (folder / "archive").mkdir()
    return Catalogue(
        events=folder / "events.xml",
        archive=folder / "archive",
        service="",
        source="c",
        region="r",
        before_s=10,
        after_s=20,
        manual_only=True,
        rule=LabelRule(longest_s_minus_p_s=10),
    )


def read(catalogue: Catalogue) -> list[Example]:
    return list(load_all(find_catalogue(catalogue)))


def check(examples: list[Example]) -> None:
    """Station B has picks and no samples."""
    assert [(each.origin.station, each.origin.event, each.origin.kind) for each in examples] == [
        ("XX.A", "e1", "earthquake"),
        ("XX.A", "e2", "blast"),
    ]
    first, second = examples
    assert first.origin.distance_km == pytest.approx(55.6, abs=0.1)
    assert [(each.phase, round(each.sample)) for each in first.onsets] == [("P", 1000), ("S", 1400), ("P", 2500)]
    assert [(each.phase, round(each.sample)) for each in second.onsets] == [("P", 1000)]
    assert any(span.phase == "S" and span.first <= 1350 <= span.last for span in second.unknown)  # automatic


def test_two_authorities_may_give_one_number(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    events = [event("here/7", [pick("A", "P", 30)]), event("there/7", [pick("A", "P", 60)]), event("8", [])]
    Catalog(events).write(str(catalogue.events), format="QUAKEML")
    records().write(str(tmp_path / "archive" / "a.mseed"), format="MSEED")
    found = list(find_catalogue(catalogue))
    assert [each.origin.event for each in found] == ["smi:local_here_7", "smi:local_there_7"]
    assert [each.time_s - START.timestamp for each in found if each.time_s] == pytest.approx([30, 60])


def test_an_archive_of_any_files(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    records().write(str(tmp_path / "archive" / "day.mseed"), format="MSEED")
    (tmp_path / "archive" / "readme.txt").write_text("none of ours")
    check(read(catalogue))
    assert [record.time_s for record in find_catalogue(catalogue)] == [START.timestamp + 30, START.timestamp + 45]


def pick_by(after_s: float, author: str, status: str = "confirmed", error_s: float | None = None) -> Pick:
    made = pick("A", "P", after_s, "automatic" if author == "kensoku" else "manual")
    made.creation_info, made.evaluation_status = CreationInfo(author=author), status
    made.time_errors = QuantityError(uncertainty=error_s)
    return made


def onsets_of(folder: Path, picks: list[Pick], **changes: object) -> list[tuple[int, float]]:
    catalogue = replace(write_catalogue(folder), **changes)  # type: ignore[arg-type]  # one case differs in a field
    Catalog([event("e1", picks)]).write(str(catalogue.events), format="QUAKEML")
    records().write(str(folder / "archive" / "day.mseed"), format="MSEED")
    return [(round(onset.sample), round(onset.weight, 3)) for each in read(catalogue) for onset in each.onsets]


def test_an_operators_pick_stands_in_the_place_of_the_programs(tmp_path: Path) -> None:
    picks = [pick_by(30.0, "kensoku"), pick_by(30.4, "anna", error_s=0.2), pick_by(29.5, "ben", "rejected")]
    assert onsets_of(tmp_path, picks) == [(1000, 0.5)]


def test_a_programs_pick_teaches_and_does_not_judge(tmp_path: Path) -> None:
    assert onsets_of(tmp_path, [pick_by(30.0, "kensoku")]) == []
    (tmp_path / "any").mkdir()
    assert onsets_of(tmp_path / "any", [pick_by(30.0, "kensoku")], manual_only=False) == [(1000, PSEUDO)]


def test_a_second_wave_of_a_phase_is_neither_onset_nor_noise(tmp_path: Path) -> None:
    """Pg after Pn, and what came by way of the surface."""
    catalogue = write_catalogue(tmp_path)
    picks = [pick("A", "Pn", 30), pick("A", "Pg", 33), pick("A", "sP", 36), pick("A", "Sn", 39)]
    Catalog([event("e1", picks)]).write(str(catalogue.events), format="QUAKEML")
    records().write(str(tmp_path / "archive" / "day.mseed"), format="MSEED")
    [found] = read(catalogue)
    assert [(onset.phase, round(onset.sample)) for onset in found.onsets] == [("P", 1000), ("S", 1900)]
    assert {(span.first, span.last) for span in found.unknown} == {(1200, 1400), (1500, 1700)}


def test_whose_picks_are_trusted_can_be_named(tmp_path: Path) -> None:
    picks = [pick_by(30.0, "trainee"), pick_by(30.4, "anna", error_s=0.2)]
    assert onsets_of(tmp_path, picks, authors=("anna", "ben")) == [(1000, 0.5)]


def test_a_stated_error_weighs(tmp_path: Path) -> None:
    assert onsets_of(tmp_path, [pick_by(30.0, "anna", error_s=0.4)]) == [(1000, 0.25)]


def test_what_was_no_event_teaches_nothing(tmp_path: Path) -> None:
    """An operator's P of an earthquake, and P and S of an event that was found to be none, 15 s later."""
    catalogue = write_catalogue(tmp_path)
    none = event("none", [pick("A", "P", 45), pick("A", "S", 48)], "not existing")
    Catalog([event("e1", [pick("A", "P", 30)]), none]).write(str(catalogue.events), format="QUAKEML")
    records().write(str(tmp_path / "archive" / "day.mseed"), format="MSEED")
    [found] = read(catalogue)
    assert [(onset.phase, round(onset.sample)) for onset in found.onsets] == [("P", 1000)]
    assert [(span.first, span.last) for span in found.unknown if span.phase == "P"] == [(2400, 2600), (2700, 2900)]


def test_an_archive_in_sds(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    for trace in records():
        channel = trace.stats.channel
        folder = tmp_path / "archive" / "2024" / "XX" / "A" / f"{channel}.D"
        folder.mkdir(parents=True)
        trace.write(str(folder / f"XX.A..{channel}.D.2024.001"), format="MSEED")
    check(read(catalogue))


@contextmanager
def service() -> Iterator[tuple[str, list[str]]]:
    """An FDSN web service that has station A."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802  # the standard library's name
            asked.append(self.path)
            content = self.content()
            self.send_response(200 if content else 204)
            self.end_headers()
            self.wfile.write(content)

        def content(self) -> bytes:
            if self.path.endswith("application.wadl"):
                return WADL if "dataselect" in self.path else b""
            if "station=A" not in self.path:
                return b""
            written = io.BytesIO()
            records().write(written, format="MSEED")
            return written.getvalue()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


PARAMETERS = ("network", "station", "location", "channel", "starttime", "endtime")
WADL = (
    '<?xml version="1.0"?><application xmlns="http://wadl.dev.java.net/2009/02">'
    '<resources base="http://localhost/fdsnws/dataselect/1/"><resource path="/"><resource path="query">'
    '<method name="GET" id="query"><request>'
    + "".join(f'<param name="{name}" style="query" required="false" type="xs:string"/>' for name in PARAMETERS)
    + "</request></method></resource></resource></resources></application>"
).encode()


def test_a_service_is_asked_once_for_each(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path)
    with service() as (address, asked):
        check(read(replace(catalogue, service=address)))
        queries = [path for path in asked if "query" in path]
        assert len(queries) == 3  # e1 at A and at B, e2 at A
        check(read(replace(catalogue, service=address)))
        assert [path for path in asked if "query" in path] == queries


def test_a_service_that_is_away_is_told(tmp_path: Path) -> None:
    catalogue = replace(write_catalogue(tmp_path), service="http://127.0.0.1:10")
    with pytest.raises(InputInvalid, match="127.0.0.1:10"):
        read(catalogue)
