"""Write an evaluation: `report.json` with every figure, and `report.html` for people, in one file with its pictures."""

import base64
import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kensoku.training.evaluation import figures
from kensoku.training.evaluation.cuts import KINDS, SNRS, CutResults
from kensoku.training.evaluation.results import Results
from kensoku.training.evaluation.summary import GROUPINGS, PhaseFigures, Summary, by_snr, summarise
from kensoku.training.examples import PHASES

HTML, JSON = "report.html", "report.json"
STYLE = (
    "body{font:15px/1.45 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.6rem 0}"
    "td,th{padding:.15rem .6rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}.note{color:#555}"
)
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
    cuts: CutResults | None = None  # of a classifier


def write_report(folder: Path, records: str, models: Sequence[Evaluated]) -> None:
    """Both files; each is there when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    figures_of = {"records": records, "models": [_as_json(each) for each in models]}
    _write(folder / JSON, json.dumps(_finite(figures_of), indent=1) + "\n")
    body = "".join(_section(each) for each in models)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Models on {html.escape(records)}</title>'
        f"<style>{STYLE}</style><h1>Models on {html.escape(records)}</h1>{body}</html>\n"
    )
    _write(folder / HTML, page)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _finite(value: Any) -> Any:
    """What cannot be said is null in JSON."""
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


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
            "confusion": confusion(results),
            "reliability": {
                phase: figures.reliable_steps([made for made in results.made if made.pick.phase == phase])
                for phase in PHASES
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
        }
    return told


def _rows(cuts: CutResults) -> Iterable[tuple[str, list[int]]]:
    return zip(KINDS, cuts.confusion().tolist(), strict=True)


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
    yield "<h3>What labels were picked as</h3>" + _table(
        ["label", "P", "S", "nothing"], [[name, *row.values()] for name, row in confusion(results).items()]
    )
    yield "<h3>Residuals</h3>" + _image(figures.residuals(results))
    for name, groups in GROUPINGS.items():
        if found := groups(results):
            yield f"<h3>By {html.escape(name)}</h3>"
            yield _summaries({key: summarise(results, group) for key, group in found.items()}, name)
    if found := by_snr(results):
        yield "<h3>Precision and recall by SNR</h3>" + _image(figures.precision_recall(results, found))
    yield "<h3>Reliability</h3>" + _image(figures.reliability(results))
    if model.variants:
        yield "<h3>The same records under other conditions</h3>" + _summaries(model.variants, "condition")
    if (picture := figures.worst(results)) is not None:
        yield "<h3>Worst failures</h3><p class='note'>label: line; pick: dotted; P blue, S orange</p>" + _image(picture)


def _classifier(cuts: CutResults) -> Iterable[str]:
    share, low, high = cuts.balanced()
    yield f"<p>{len(cuts.kind)} cuts; balanced accuracy {share:.3f} (90 %: {low:.3f} to {high:.3f})</p>"
    yield _table(["was", *KINDS], [[kind, *row] for kind, row in _rows(cuts)])
    rows = [[f"SNR {snr:g} or more", *_snr_cells(cuts, snr)] for snr in SNRS]
    yield "<h3>Onsets by SNR</h3>" + _table(["", "right", "cuts"], rows)


def _snr_cells(cuts: CutResults, snr: float) -> tuple[str, int]:
    share, count = cuts.right_above(snr)
    return _number(share), count


def _summaries(summaries: Mapping[str, Summary], name: str) -> str:
    rows = []
    for key, summary in summaries.items():
        for phase in PHASES:
            rows.append([f"{key}: {phase}", *_cells(summary.of(phase)), _number(summary.false_per_hour)])
    return _table([name, *COLUMNS.values(), "false an hour"], rows)


def _cells(found: PhaseFigures) -> Iterable[str]:
    for column in COLUMNS:
        if column == "interval":
            yield f"{_number(found.recall_low)} to {_number(found.recall_high)}" if found.labels else "-"
        else:
            yield _number(getattr(found, column))


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _image(content: bytes) -> str:
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
