"""What a QuakeML event says and none of ours can, counted so that nothing is lost in silence."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kensoku.catalogue_files._quakeml_write import REST
from kensoku.catalogue_files._words import FLINN_ENGDAHL

REGIONS = ("region name", FLINN_ENGDAHL)
SAID = {
    "events": {"event_type_certainty": "certainties of types"},
    "origins": {
        "origin_type": "types of origins",
        "composite_times": "composite times",
        "reference_system_id": "reference systems",
        "time_fixed": "fixed times",
        "epicenter_fixed": "fixed epicentres",
    },
    "picks": {
        "onset": "onsets of picks, as impulsive",
        "backazimuth": "backazimuths",
        "horizontal_slowness": "slownesses",
        "filter_id": "filters",
        "method_id": "methods of picks",
    },
    "arrivals": {
        "backazimuth_residual": "residuals of backazimuths",
        "horizontal_slowness_residual": "residuals of slownesses",
    },
    "magnitudes": {"azimuthal_gap": "gaps of magnitudes"},
}


def count_left_out(found: Any, origin: Any, left_out: Counter[str]) -> None:
    """Of ObsPy's event, and of that of its origins that we keep."""
    for name in ("focal_mechanisms", "amplitudes"):
        left_out[name.replace("_", " ")] += len(getattr(found, name))
    arrivals = origin.arrivals if origin is not None else []
    used = {str(arrival.pick_id) for arrival in arrivals}
    picks = [pick for pick in found.picks if str(pick.resource_id) in used]
    left_out["picks without an arrival"] += len({str(pick.resource_id) for pick in found.picks} - used)
    shares = [share for one in found.magnitudes for share in one.station_magnitude_contributions]
    shared = {str(share.station_magnitude_id) for share in shares}
    stations = {str(one.resource_id) for one in found.station_magnitudes}
    left_out["station magnitudes without a magnitude"] += len(stations - shared)
    origins = [] if origin is None else [origin]
    for kind, parts in (
        ("origins", origins),
        ("picks", picks),
        ("arrivals", arrivals),
        ("magnitudes", found.magnitudes),
    ):
        _count_said(kind, parts, left_out)
        left_out[f"comments of {kind}"] += sum(not is_rest(comment) for part in parts for comment in part.comments)
    _count_said("events", [found], left_out)
    regions = sum(one.type in REGIONS for one in found.event_descriptions)
    left_out["descriptions beside a region"] += len(found.event_descriptions) - min(regions, 1)


def _count_said(kind: str, parts: Iterable[Any], left_out: Counter[str]) -> None:
    for part in parts:
        for name, words in SAID[kind].items():
            left_out[words] += bool(getattr(part, name))


def is_rest(comment: Any) -> bool:
    """Whether we wrote it, for what QuakeML has no words."""
    return bool(comment.resource_id) and str(comment.resource_id).endswith(f"/{REST}")
