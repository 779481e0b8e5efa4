"""Write an evaluation: `report.json` with every figure, and `report.html` for people, in one file with its pictures."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kensoku.training.evaluation import figures
from kensoku.training.evaluation.cuts import CLEAR_SNR, KINDS, SNRS, WAS, CutResults
from kensoku.training.evaluation.pages import image, number, table, write_json, write_page
from kensoku.training.evaluation.results import Results
from kensoku.training.evaluation.summary import GROUPINGS, PhaseFigures, Summary, stated, summarise
from kensoku.training.examples import PHASES

HTML, JSON = "report.html", "report.json"
CURVES, POINTS = ("SNR", "distance, km", "S less P, s", "components"), 60
COLUMNS: Mapping[str, str] = {
    "labels": "labels",
    "recall": "recall",
    "interval": "90 %",
    "recall_near": "in 0.1 s",
    "swapped": "swapped",
    "mae_s": "MAE, s",
    "median_s": "bias, s",
    "p95_s": "95 %, s",
    "held": "in stated 68 %",
    "excess": "excess",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One model on one set of records."""

    model: str
    sha256: str
    description: str
    results: Results | None = None  # of a picker
    variants: Mapping[str, Summary] = field(default_factory=dict)
    lost: Mapping[str, Results] = field(default_factory=dict)  # of labelled records
    cuts: CutResults | None = None  # of a classifier


def write_report(folder: Path, records: str, models: Sequence[Evaluated]) -> None:
    """Both files; each is there when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    figures_of = {"records": records, "models": [_as_json(each) for each in models]}
    write_json(folder / JSON, figures_of)
    write_page(folder / HTML, f"Models on {records}", "".join(_section(each) for each in models))


# --- figures ----------------------------------------------------------------------------------------------------------


def _as_json(model: Evaluated) -> dict[str, Any]:
    told: dict[str, Any] = {"model": model.model, "sha256": model.sha256, "description": model.description}
    if (results := model.results) is not None:
        told |= {
            "threshold": dict(zip("PS", results.threshold, strict=True)),
            "overall": asdict(summarise(results)),
            "by": {
                name: {key: asdict(summarise(results, group)) for key, group in groups(results).items()}
                for name, groups in GROUPINGS.items()
            },
            "variants": {name: asdict(summary) for name, summary in model.variants.items()},
            "stated": [asdict(row) for row in stated(results)],
            "confusion": confusion(results),
            "reliability": figures.picks_reliability(results.made),
            "precision_recall": {
                name: {key: _curves(group) for key, group in of.items()} for name, of in curve_groups(model).items()
            },
        }
    if (cuts := model.cuts) is not None:
        balanced, low, high = cuts.balanced()
        told |= {
            "balanced_accuracy": {"share": balanced, "low": low, "high": high},
            "cut_confusion": {kind: dict(zip(KINDS, row, strict=True)) for kind, row in _rows(cuts)},
            "right_by_snr": {
                f"{snr:g}": dict(zip(("share", "cuts"), cuts.right_above(snr), strict=True)) for snr in SNRS
            },
            "clear_centred": dict(zip(("share", "cuts"), cuts.clear_centred(), strict=True)),
            "reliability": cuts.reliability(),
        }
    return told


def curve_groups(model: Evaluated) -> dict[str, dict[str, figures.Group]]:
    """Records of which the precision and recall are told apart; with components lost, those with labels."""
    if (results := model.results) is None:
        return {}
    found: dict[str, dict[str, figures.Group]] = {
        name: {key: (results, group) for key, group in GROUPINGS[name](results).items()} for name in CURVES
    }
    if model.lost:
        labelled = {label.record for label in results.labels}
        lost = {name: (each, range(len(each.examples))) for name, each in model.lost.items()}
        found["components lost"] = {"as recorded": (results, labelled), **lost}
    return {name: groups for name, groups in found.items() if any(map(_has_labels, groups.values()))}


def _has_labels(group: figures.Group) -> bool:
    results, records = group
    return bool({label.record for label in results.labels} & set(records))


def _curves(group: figures.Group) -> dict[str, list[dict[str, float]]]:
    """No more points than a drawing needs, the first and the last among them."""
    results, records = group
    told = {}
    for phase in PHASES:
        points = figures.curve(results, phase, set(records))
        places = np.unique(np.linspace(0, len(points) - 1, min(POINTS, len(points))).round().astype(int))
        told[str(phase)] = [asdict(points[place]) for place in places.tolist()]
    return told


def _rows(cuts: CutResults) -> Iterable[tuple[str, list[int]]]:
    return zip(WAS, cuts.confusion().tolist(), strict=True)


def confusion(results: Results) -> dict[str, dict[str, int]]:
    """Labels by what was picked within 0.5 s of them."""
    counts = {phase: {"P": 0, "S": 0, "nothing": 0} for phase in PHASES}
    for label in results.labels:
        other = PHASES[1 - PHASES.index(label.phase)]
        counts[label.phase][label.phase if label.is_found else other if label.is_swapped else "nothing"] += 1
    return {str(phase): row for phase, row in counts.items()}


# --- page -------------------------------------------------------------------------------------------------------------


def _section(model: Evaluated) -> str:
    parts = [f"<h2>{html.escape(model.model)}</h2>"]
    parts.append(f'<p class="note">{html.escape(model.description)}; sha256 {model.sha256[:12]}</p>')
    if model.results is not None:
        parts += _picker(model, model.results)
    if model.cuts is not None:
        parts += _classifier(model.cuts)
    return "".join(parts)


def _picker(model: Evaluated, results: Results) -> Iterable[str]:
    overall = summarise(results)
    yield (
        f"<p>{overall.records} records; thresholds P {results.threshold[0]:.3g}, S {results.threshold[1]:.3g}; "
        f"{overall.false_per_hour:.2f} false picks an hour in {overall.quiet_hours:.2f} h of quiet</p>"
    )
    yield _summaries({"all": overall}, "records")
    yield "<h3>What labels were picked as</h3>" + table(
        ["label", "P", "S", "nothing"], [[name, *row.values()] for name, row in confusion(results).items()]
    )
    yield "<h3>Residuals</h3>" + image(figures.residuals(results))
    for name, groups in GROUPINGS.items():
        if found := groups(results):
            yield f"<h3>By {html.escape(name)}</h3>"
            yield _summaries({key: summarise(results, group) for key, group in found.items()}, name)
    for name, curves in curve_groups(model).items():
        yield f"<h3>Precision and recall by {html.escape(name)}</h3>" + image(figures.precision_recall(curves))
    yield "<h3>Reliability</h3>"
    yield image(figures.reliability(figures.picks_reliability(results.made), "share that is right"))
    rows = [[f"{row.phase}, {row.snr}", row.picks, number(row.held), number(row.stated_s)] for row in stated(results)]
    yield "<h3>Stated uncertainty by SNR of the label</h3>" + table(["", "picks", "in stated 68 %", "median, s"], rows)
    if model.variants:
        yield "<h3>The same records under other conditions</h3>" + _summaries(model.variants, "condition")
    if (picture := figures.worst(results)) is not None:
        yield "<h3>Worst failures</h3><p class='note'>label: line; pick: dotted; P blue, S orange</p>" + image(picture)


def _classifier(cuts: CutResults) -> Iterable[str]:
    share, low, high = cuts.balanced()
    yield f"<p>{len(cuts.kind)} cuts; balanced accuracy {share:.3f} (90 %: {low:.3f} to {high:.3f})</p>"
    yield table(["was", *KINDS], [[kind, *row] for kind, row in _rows(cuts)])
    rows = [[f"SNR {snr:g} or more", *_share_cells(*cuts.right_above(snr))] for snr in SNRS]
    rows.append([f"SNR {CLEAR_SNR:g} or more, in the middle", *_share_cells(*cuts.clear_centred())])
    yield "<h3>Onsets by SNR</h3>" + table(["", "right", "cuts"], rows)
    yield "<h3>Reliability</h3><p class='note'>Each class against the others, as if all had as many cuts.</p>"
    yield image(figures.reliability(cuts.reliability(), "share that is of the class"))
    if panels := cuts.worst():
        yield "<h3>Worst failures</h3><p class='note'>the surest wrong answers of each kind; onset: line</p>"
        yield image(figures.cuts(panels))


def _share_cells(share: float, count: int) -> tuple[str, int]:
    return number(share), count


def _summaries(summaries: Mapping[str, Summary], name: str) -> str:
    rows = []
    for key, summary in summaries.items():
        for phase in PHASES:
            rows.append([f"{key}: {phase}", *_cells(summary.of(phase)), number(summary.false_per_hour)])
    return table([name, *COLUMNS.values(), "false an hour"], rows)


def _cells(found: PhaseFigures) -> Iterable[str]:
    for column in COLUMNS:
        if column == "interval":
            yield f"{number(found.recall_low)} to {number(found.recall_high)}" if found.labels else "-"
        else:
            yield number(getattr(found, column))
