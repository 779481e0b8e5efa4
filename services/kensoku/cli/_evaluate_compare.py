"""`kensoku evaluate compare`: the picks of two pickers against the same labels."""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kensoku.cli._numbers import real
from kensoku.cli._window_files import EXPECTED, open_windows
from kensoku.errors import InputInvalid

if TYPE_CHECKING:
    from kensoku.training.evaluation import Labelled, Paired
    from kensoku.training.evaluation.paired import Picks

COLUMNS = ("window", "phase", "sample", "score")


def add_action(actions: Any) -> None:
    command = actions.add_parser("compare", help="how much more of the same labels one picker finds than another")
    command.add_argument(
        "--set",
        action="append",
        nargs=3,
        type=Path,
        required=True,
        metavar=("WINDOWS.h5", "OURS.csv", "OTHERS.csv"),
        help="windows with the labels p and s, and the picks of both; once a set",
    )
    command.add_argument(
        "--ours-from", type=real(0, 1, "a score"), default=0.0, metavar="X", help="least score: %(default)s, all"
    )
    command.add_argument(
        "--others-from", type=real(0, 1, "a score"), default=0.0, metavar="X", help="least score: %(default)s, all"
    )
    command.add_argument("--out", type=Path, metavar="FILE.json", help="the same figures")
    command.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    from kensoku.training.evaluation import WITHIN_S, found, paired
    from kensoku.training.evaluation.pages import write_json

    sets = [
        (labelled(windows), read_picks(ours, options.ours_from), read_picks(others, options.others_from))
        for windows, ours, others in options.set
    ]
    names = apart([windows.name for windows, _, _ in sets])
    rows: dict[str, dict[str, Paired]] = {}
    for phase in ("P", "S"):
        for within_s in WITHIN_S:
            each = [found(windows, ours, others, phase, within_s) for windows, ours, others in sets]
            named = {name: paired([one]) for name, one in zip(names, each, strict=True)}
            rows[f"{phase} within {within_s:g} s"] = named | {"all": paired(each)}
    tell(rows)
    if options.out is not None:
        try:
            write_json(
                options.out, {what: {name: asdict(one) for name, one in of.items()} for what, of in rows.items()}
            )
        except FileNotFoundError:
            raise InputInvalid(f"--out {options.out}: found no folder {options.out.parent}; make it first") from None
    return 0


def apart(names: Sequence[str]) -> list[str]:
    """Files of one name in several folders are counted."""
    return [
        f"{name} {before + 1}" if (before := names[:place].count(name)) else name for place, name in enumerate(names)
    ]


def tell(rows: "dict[str, dict[str, Paired]]") -> None:
    width = max(len(name) for of in rows.values() for name in of)
    print(f"{'':<15} {'':<{width}} labels   ours others difference     90 %")
    for what, of in rows.items():
        for name, one in of.items():
            recalls = f"{one.labels:>6} {one.ours:>6.3f} {one.others:>6.3f} {one.difference:>+10.3f}"
            print(f"{what:<15} {name:<{width}} {recalls}     {one.low:+.3f} to {one.high:+.3f}")


def labelled(path: Path) -> "Labelled":
    import numpy as np

    from kensoku.training.evaluation import Labelled

    with open_windows(path) as windows:
        import h5py

        with h5py.File(path, "r") as file:
            if missing := [name for name in ("p", "s") if name not in file]:
                raise InputInvalid(
                    f"{path}: found no {missing[0]!r}, expected a label a window, NaN where there is none"
                )
            labels = {phase: np.asarray(file[name][:], np.float64) for phase, name in (("P", "p"), ("S", "s"))}
        if any(each.shape != (windows.count,) for each in labels.values()):
            raise InputInvalid(f"{path}: found {labels['P'].shape} labels of {windows.count} windows; {EXPECTED}")
        return Labelled(path.stem, labels, windows.rate_hz)  # type: ignore[arg-type]  # the keys are P and S


def read_picks(path: Path, least_score: float) -> "Picks":
    picks: dict[tuple[int, Any], list[float]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if float(row["score"]) >= least_score:
                    picks.setdefault((int(row["window"]), row["phase"]), []).append(float(row["sample"]))
    except FileNotFoundError:
        raise InputInvalid(f"{path}: found no such file, expected picks; see `kensoku models run`") from None
    except KeyError as error:
        raise InputInvalid(f"{path}: found no column {error}, expected {','.join(COLUMNS)}") from None
    except (ValueError, TypeError, csv.Error) as error:
        raise InputInvalid(f"{path}: found {error}, expected the columns {','.join(COLUMNS)}") from None
    return picks
