"""The pictures of `kensoku detect`: a page an event, of the records that it was found in."""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kensoku.acquisition.seconds import Span
from kensoku.acquisition.waveform_files import Stretch
from kensoku.cli._associating import Earth
from kensoku.cli._pick_files import Faults, Wanted, pieces
from kensoku.cli._pick_progress import Bar
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.event_pb2 import Event
from kensoku.v1.inventory_pb2 import Station

BEFORE_S, AFTER_S = 10, 90  # of the origin
MOST_PICTURES = 200
PICTURES = "pictures"
NAMES = "????-??-??T??????_*.png"  # as `draw` calls them


def remove_pictures(out: Path) -> None:
    """Of another run."""
    for stale in (out / PICTURES).glob(NAMES):
        stale.unlink(missing_ok=True)


def draw(
    events: Sequence[Event],
    options: argparse.Namespace,
    stretches: Sequence[Stretch],
    stations: Mapping[str, Station],
    earth: Earth,
) -> None:
    """A page for each, the strongest first where there are too many."""
    from kensoku.pictures import event_picture

    folder = options.out / PICTURES
    folder.mkdir(exist_ok=True)
    chosen = sorted(events, key=lambda event: -len(event.arrivals))[:MOST_PICTURES]
    with Bar("drawing", len(chosen)) as bar:
        for event in sorted(chosen, key=lambda event: event.origin.time_ns):
            path = folder / f"{iso_time(event.origin.time_ns)[:19].replace(':', '')}_{event.id}.png"
            event_picture(
                event, records_of(event, options.stations, stretches), path, stations=stations, model=earth.model
            )
            bar.step(1)
    if len(chosen) < len(events):
        print(f"{folder}: {len(chosen)} of {len(events):,} events, those with the most arrivals")


def records_of(event: Event, stations: str, stretches: Sequence[Stretch]) -> Any:
    """An ObsPy Stream of the minutes around it; what cannot be read has been told."""
    import obspy

    begin_ns, end_ns = (event.origin.time_ns + seconds * NS_PER_S for seconds in (-BEFORE_S, AFTER_S))
    wanted = Wanted(stations, Span(begin_ns, end_ns))
    by_rate = defaultdict[float, obspy.Stream](obspy.Stream)  # which ObsPy joins only if it is one
    near = [stretch for stretch in stretches if stretch.start_ns < end_ns and begin_ns < stretch.end_ns]
    for piece in pieces(near, wanted, Faults(is_quiet=True), lambda _: None):
        for channel in piece.channels:
            header: dict[str, Any] = {"network": piece.network, "station": piece.station, "location": channel.location}
            header |= {"channel": channel.code, "sampling_rate": channel.rate_hz}
            header["starttime"] = obspy.UTCDateTime(ns=channel.start_ns)
            by_rate[channel.rate_hz].append(obspy.Trace(channel.samples.astype("float64"), header))
    return sum((stream.merge() for stream in by_rate.values()), obspy.Stream())
