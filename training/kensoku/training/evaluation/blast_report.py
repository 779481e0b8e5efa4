"""Write what a model of blasts does: `MODEL.json` with every figure and `MODEL.html` for people."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kensoku.training.cuts import CLASSES
from kensoku.training.evaluation import figures as drawn
from kensoku.training.evaluation.blasts import (
    LOST,
    Judged,
    accused,
    by_event,
    counts_of,
    removed,
    threshold_of,
)
from kensoku.training.evaluation.pages import image, number, table, write_json, write_page
from kensoku.training.evaluation.probe import auc, last_layer, matched, probe_auc

WORST = 4  # of each kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    recorded: int
    simulated: int
    auc: float  # of the probe, recorded against simulated earthquakes
    matched: int  # pairs of like SNR
    matched_auc: float


def probe(judged: Sequence[Judged], graph: Path) -> Probe:
    """Earthquakes alone. What is in the counts besides SNR may differ too: distance, instruments, regions."""
    earthquakes = [each for each in judged if not each.is_blast]
    recorded = [each for each in earthquakes if not each.is_simulated]
    simulated = [each for each in earthquakes if each.is_simulated]
    values = {}
    for name, some in (("recorded", recorded), ("simulated", simulated)):
        values[name] = last_layer(graph)(np.stack([each.counts for each in some])) if some else np.zeros((0, 1))
    own, others = matched(*(np.log([each.snr for each in some]) for some in (recorded, simulated)))
    return Probe(
        recorded=len(recorded),
        simulated=len(simulated),
        auc=_auc(values["recorded"], values["simulated"], recorded, simulated),
        matched=len(own),
        matched_auc=_auc(
            values["recorded"][own],
            values["simulated"][others],
            [recorded[n] for n in own],
            [simulated[n] for n in others],
        ),
    )


def _auc(own: Any, others: Any, recorded: Sequence[Judged], simulated: Sequence[Judged]) -> float:
    if not len(own) or not len(others):
        return float("nan")
    groups = [each.example.origin.event or each.example.origin.station for each in [*recorded, *simulated]]
    is_recorded = np.arange(len(groups)) < len(own)
    return probe_auc(np.concatenate([own, others]), is_recorded, groups)


def metrics(judged: Sequence[Judged], probed: Probe | None) -> dict[str, float]:
    """As a card has them; what cannot be said is left out."""
    threshold = threshold_of(judged)
    every, voted, real = removed(judged, threshold)[0], by_event(judged), accused(judged, threshold)[0]
    found = {
        "threshold": threshold,
        "earthquakes_lost": every.lost,
        "blasts_removed": every.removed,
        "blasts_removed_by_events": voted.removed,
        "auc": _auc_of_blasts(judged),
        "recorded_earthquakes_called_blasts": real.accused,
    }
    found |= {} if probed is None else {"probe_auc": probed.auc, "probe_matched_auc": probed.matched_auc}
    return {name: round(value, 4) for name, value in found.items() if math.isfinite(value)}


def _auc_of_blasts(judged: Sequence[Judged]) -> float:
    blasts = np.array([each.blast for each in judged if each.is_simulated and each.is_blast])
    return auc(blasts, np.array([each.blast for each in judged if each.is_simulated and not each.is_blast]))


def write_blasts(
    folder: Path, records: str, model: str, sha256: str, judged: Sequence[Judged], probed: Probe | None
) -> None:
    """Both files under the model's name, so that several may lie in one folder; each is there when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    threshold = threshold_of(judged)
    rows, real = [*removed(judged, threshold), by_event(judged)], accused(judged, threshold)
    figures = {
        "records": records,
        "model": model,
        "sha256": sha256,
        "counts": counts_of(judged),
        "lost": LOST,
        "threshold": threshold,
        "auc": _auc_of_blasts(judged),
        "removed": [asdict(row) for row in rows],
        "recorded_called_blasts": [asdict(row) for row in real],
        "probe": asdict(probed) if probed is not None else None,
        "confusion": confusion(judged, threshold),
        "reliability": reliability_of(judged),
    }
    write_json(folder / f"{model}.json", figures)
    header = ["simulated", "blasts", "removed", "90 %", "earthquakes", "lost"]
    body = f"<p>{model}, sha256 {sha256[:12]}: called a blast above {threshold:.4g}, "
    body += "where 1 % of the simulated earthquakes is lost</p>"
    body += table(
        header,
        [
            [
                row.group,
                row.blasts,
                number(row.removed),
                f"{number(row.low)} to {number(row.high)}",
                row.earthquakes,
                number(row.lost),
            ]
            for row in rows
        ],
    )
    body += "<h3>Recorded earthquakes</h3>" + table(
        ["source", "earthquakes", "called blasts", "90 %"],
        [[row.group, row.earthquakes, number(row.accused), f"{number(row.low)} to {number(row.high)}"] for row in real],
    )
    if probed is not None:
        body += "<h3>Can the last layer tell recorded from simulated earthquakes?</h3>" + table(
            ["", "recorded", "simulated", "AUC"],
            [
                ["all", probed.recorded, probed.simulated, number(probed.auc)],
                ["of like SNR", probed.matched, probed.matched, number(probed.matched_auc)],
            ],
        )
    called = [[name, *row.values()] for name, row in confusion(judged, threshold).items()]
    body += "<h3>What records were called</h3>" + table(["was", *CLASSES["blast"]], called)
    body += "<h3>Probability of a blast</h3>" + image(_histogram(judged, threshold))
    body += (
        "<h3>Reliability</h3><p class='note'>Of simulated records, as if there were as many blasts as earthquakes.</p>"
    )
    body += image(drawn.reliability({"blast": reliability_of(judged)}, "share of blasts"))
    body += (
        "<h3>Worst failures</h3><p class='note'>one of an event; P in the middle, of long cuts in the first half</p>"
        + image(drawn.cuts(worst(judged)))
    )
    write_page(folder / f"{model}.html", f"Blasts on {records}", body)


def kinds_of(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    return {
        "simulated earthquake": [each for each in judged if each.is_simulated and not each.is_blast],
        "simulated blast": [each for each in judged if each.is_simulated and each.is_blast],
        "recorded earthquake": [each for each in judged if not each.is_simulated and not each.is_blast],
    }


def confusion(judged: Sequence[Judged], threshold: float) -> dict[str, dict[str, int]]:
    """What records were called at a threshold, by what they were."""
    counts = {}
    for name, some in kinds_of(judged).items():
        blasts = sum(each.blast > threshold for each in some)
        counts[name] = dict(zip(CLASSES["blast"], (len(some) - blasts, blasts), strict=True))
    return counts


def reliability_of(judged: Sequence[Judged]) -> list[drawn.Step]:
    """Of simulated records."""
    simulated = [each for each in judged if each.is_simulated]
    is_blast = np.array([each.is_blast for each in simulated], dtype=np.bool_)
    stated = np.array([each.blast for each in simulated])
    return drawn.reliable_steps(stated, is_blast, drawn.as_many_of_each(is_blast))


def worst(judged: Sequence[Judged]) -> list[drawn.Panel]:
    """Blasts most like earthquakes and earthquakes most like blasts, one of an event and station."""
    panels = []
    for name, some in kinds_of(judged).items():
        seen: dict[str, Judged] = {}
        for each in sorted(some, key=lambda one: one.blast if one.is_blast else -one.blast):
            seen.setdefault(each.example.origin.event or each.example.origin.station, each)
        for each in list(seen.values())[:WORST]:
            title = f"{name}, {each.example.origin.source}, SNR {each.snr:.1f}: blast {each.blast:.2f}"
            panels.append(drawn.Panel(title, each.counts))
    return panels


def _histogram(judged: Sequence[Judged], threshold: float) -> bytes:
    groups = {
        "simulated earthquakes": [each.blast for each in judged if each.is_simulated and not each.is_blast],
        "recorded earthquakes": [each.blast for each in judged if not each.is_simulated and not each.is_blast],
        "simulated blasts": [each.blast for each in judged if each.is_simulated and each.is_blast],
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        bins = np.linspace(0, 1, 41).tolist()
        for shade, (name, values) in zip(drawn.SHADES, groups.items(), strict=False):
            if values:
                axes.hist(values, bins=bins, histtype="step", density=True, color=shade, label=f"{name}: {len(values)}")
        if np.isfinite(threshold):
            axes.axvline(threshold, color="0.5", linewidth=0.8, linestyle=":")
        axes.set_yscale("log")
        axes.set_xlabel("probability of a blast")
        axes.set_ylabel("density")
        axes.legend(fontsize=7)

    return drawn.to_png(draw, 8, 3)
