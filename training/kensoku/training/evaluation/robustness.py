"""What a picker does when nothing that matters has changed, when faults are planted, and when it sees 4 s alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kensoku.picking import Model, ModelCard
from kensoku.training.evaluation import fault_figures
from kensoku.training.evaluation.asking import asker
from kensoku.training.evaluation.false_picks import FaultFigures, judge_faults
from kensoku.training.evaluation.gap_edges import GapFigures, judge_gaps
from kensoku.training.evaluation.invariance import Change, scaled, shifted
from kensoku.training.evaluation.look_ahead import LookAhead, judge_look_ahead
from kensoku.training.evaluation.pages import image, number, table, write_json, write_page
from kensoku.training.evaluation.planted import BESIDE, OF_INSTRUMENTS, PLANTED
from kensoku.training.evaluation.triggered import TriggeredFigures, by_phase_and_weight, judge_triggered
from kensoku.training.examples import Example
from kensoku.training.scores import labels_of

HTML, JSON = "robustness.html", "robustness.json"
PARTS = ("shifts", "sizes", "gaps", "faults", "triggered", "look-ahead")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """One picker; what was not asked for is empty."""

    model: str
    sha256: str
    description: str
    records: int
    shifts: Sequence[Change] = ()
    sizes: Sequence[Change] = ()
    gaps: Sequence[GapFigures] = ()
    faults: Sequence[FaultFigures] = ()
    triggered: Mapping[str, Mapping[str, TriggeredFigures]] = field(default_factory=dict)  # by threshold
    look_ahead: Sequence[LookAhead] = ()


def judge_robustness(
    card: ModelCard,
    model: Model,
    examples: Sequence[Example],
    *,
    name: str,
    sha256: str = "",
    parts: Sequence[str] = PARTS,
    faults: int = 100,
    tell: Tell = lambda _: None,
) -> Robustness:
    """Shifts, sizes, triggers and look-ahead of records with labels; gaps and faults also of the others."""
    ask, ask_low = asker(card, model), asker(card, model, is_low=True)
    labelled = [each for each in examples if labels_of(each)]
    counts = [each.counts for each in labelled]
    ways: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "shifts": ("shifts", lambda: shifted(ask, ask_low, card, counts)),
        "sizes": ("sizes", lambda: scaled(ask, ask_low, card, counts)),
        "gaps": ("gaps", lambda: judge_gaps(ask, examples)),
        "faults": ("faults", lambda: judge_faults(ask, examples, faults)),
        "triggered": (
            "triggered",
            lambda: {
                "its own": by_phase_and_weight(judge_triggered(ask, labelled)),
                "the lowest": by_phase_and_weight(judge_triggered(ask_low, labelled)),
            },
        ),
        "look-ahead": ("look_ahead", lambda: judge_look_ahead(ask, card, counts)),
    }
    found = {}
    for part in parts:
        tell(f"{name}: {part}")
        place, judge = ways[part]
        found[place] = judge()
    return Robustness(model=name, sha256=sha256, description=card.description, records=len(examples), **found)


# --- report -----------------------------------------------------------------------------------------------------------


def write_robustness(folder: Path, records: str, models: Sequence[Robustness]) -> None:
    """Both files; each is there when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / JSON, {"records": records, "models": [_as_json(each) for each in models]})
    body = "".join(f"<h2>{each.model}</h2>" + "".join(_sections(each)) for each in models)
    write_page(folder / HTML, f"Robustness on {records}", body)


def _as_json(each: Robustness) -> dict[str, Any]:
    return {
        "model": each.model,
        "sha256": each.sha256,
        "description": each.description,
        "records": each.records,
        "shifts": [asdict(change) for change in each.shifts],
        "sizes": [asdict(change) for change in each.sizes],
        "gaps": [asdict(figures) for figures in each.gaps],
        "faults": {one.kind: {"planted": len(one.faults), "false": one.false} for one in each.faults},
        "triggered": {
            threshold: {name: asdict(one) for name, one in groups.items()}
            for threshold, groups in each.triggered.items()
        },
        "look_ahead": [asdict(one) for one in each.look_ahead],
    }


def _sections(each: Robustness) -> Sequence[str]:
    parts = []
    for title, changes in (("Where the record begins", each.shifts), ("How large the counts are", each.sizes)):
        if changes:
            parts.append(f"<h3>{title}</h3>{_changes(changes)}")
    if each.gaps:
        parts.append(f"<h3>Gaps</h3>{_gaps(each.gaps)}")
    if each.faults:
        parts.append(f"<h3>Planted faults</h3>{_faults(each.faults)}{image(fault_figures.draw(each.faults))}")
    for threshold, groups in each.triggered.items():
        parts.append(f"<h3>4 s around a trigger, at {threshold} threshold</h3>{_triggered(groups)}")
    if each.look_ahead:
        rows = [[one.replacement, one.asked, one.picks, one.changed] for one in each.look_ahead]
        parts.append("<h3>What comes later</h3>" + table(["replaced by", "times", "picks", "changed"], rows))
    return parts


def _changes(changes: Sequence[Change]) -> str:
    header = [
        "",
        "picks",
        "same bits",
        "median, s",
        "95 %, s",
        "beyond 0.02 s",
        "sure",
        "lost",
        "beyond 1 sample, 0.001",
    ]
    rows = [
        [
            each.name + (", same bits expected" if each.must_be_identical else ""),
            each.picks,
            number(each.records_identical),
            f"{each.median_s:.4f}",
            f"{each.p95_s:.4f}",
            number(each.far),
            each.sure,
            number(each.lost),
            number(each.beyond),
        ]
        for each in changes
    ]
    return table(header, rows)


def _gaps(gaps: Sequence[GapFigures]) -> str:
    header = ["gap", "where", "filled with", "gaps", "new within 0.5 s", "new within 5 s", "labels", "lost"]
    rows = [
        [
            f"{each.length_s:g} s",
            each.where,
            each.filling,
            each.gaps,
            each.new_at_edge,
            each.new_beside,
            each.labels,
            each.lost,
        ]
        for each in gaps
    ]
    return table(header, rows)


def _faults(faults: Sequence[FaultFigures]) -> str:
    groups = {"of instruments": OF_INSTRUMENTS, "beside the station": BESIDE, "all": PLANTED}
    totals = {name: [each for each in faults if each.kind in kinds] for name, kinds in groups.items()}
    rows = [_fault_row(each.kind, [each]) for each in faults]
    return table(
        ["fault", "planted", "false picks", "faults with one", "false picks per 100"],
        [*rows, *(_fault_row(name, group) for name, group in totals.items())],
    )


def _fault_row(name: str, group: Sequence[FaultFigures]) -> Sequence[object]:
    planted, false = sum(len(each.faults) for each in group), sum(each.false for each in group)
    return [name, planted, false, sum(each.deceived for each in group), f"{100 * false / max(planted, 1):.1f}"]


def _triggered(groups: Mapping[str, TriggeredFigures]) -> str:
    header = ["label", "cuts", "within 0.5 s", "90 %", "MAE, s", "missed", "outliers"]
    rows = [
        [
            name,
            each.cuts,
            number(each.hits),
            f"{number(each.low)} to {number(each.high)}",
            number(each.mae_s),
            number(each.missed),
            number(each.outliers),
        ]
        for name, each in groups.items()
    ]
    return table(header, rows)
