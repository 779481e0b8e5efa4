"""`kensoku dataset pick` and `kensoku dataset associate`: labels that models make, for nets to learn from alone."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kensoku.cli._models_run import PICKER, Asked, blocks, card_of, refuse_rate
from kensoku.cli._numbers import real, share
from kensoku.cli._window_files import WindowFile, open_windows
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inference import open_models
from kensoku.models import default_repository

if TYPE_CHECKING:
    from kensoku.training.datasets.association import Ground, Place
    from kensoku.training.datasets.voting import Voter

THRESHOLD = 0.2


def add_actions(actions: Any) -> None:
    command = actions.add_parser("pick", help="let models pick a file, for labels that nobody gave")
    what = "windows (.h5): `window,phase,sample,score`; records that ObsPy reads: `station,phase,utc,score,event,model`"
    command.add_argument("file", type=Path, metavar="FILE", help=what)
    models = "folder of a model, or its name among those that come with kensoku; several times: they vote"
    command.add_argument("--model", action="append", metavar="DIR", help=models)
    command.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="there when it is whole")
    threshold = "least score of a pick: %(default)s"
    command.add_argument("--threshold", type=share, default=THRESHOLD, metavar="X", help=threshold)
    command.set_defaults(execute=execute_pick)
    command = actions.add_parser("associate", help="keep as labels what one earthquake can have made")
    stations = "`id,lat,lon,elev_m`, or what `kensoku inventory` reads"
    command.add_argument("--stations", type=Path, required=True, metavar="FILE", help=stations)
    picks = "of `kensoku dataset pick` or somebody else's; of the same pick in several tables the first one's is taken"
    command.add_argument("--picks", type=Path, action="append", required=True, metavar="FILE.csv", help=picks)
    command.add_argument("--least-score", type=share, default=0.5, metavar="X", help="of a model's pick: %(default)s")
    for phase, usual in (("p", 6.0), ("s", 3.45)):
        velocity, everywhere = real(0.1, 15, "a velocity in km/s"), "everywhere: %(default)s"
        command.add_argument(f"--{phase}-velocity", type=velocity, default=usual, metavar="KM/S", help=everywhere)
    command.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="there when it is whole")
    command.set_defaults(execute=execute_associate)


def execute_pick(options: argparse.Namespace) -> int:
    folders = [folder_of(name) for name in options.model or [PICKER]]
    counts = [0, *tell_picks(options.file, pick_file(options.file, folders, options.out, options.threshold))]
    print(f"{options.out}: {counts[-1]:,} picks")
    return 0


def execute_associate(options: argparse.Namespace) -> int:
    from kensoku.training.datasets.association import Ground

    if options.p_velocity <= options.s_velocity:
        raise SettingInvalid(
            f"found --p-velocity {options.p_velocity:g} and --s-velocity {options.s_velocity:g}; expected P faster"
        )
    ground = Ground(p_km_s=options.p_velocity, s_km_s=options.s_velocity)
    print(associate_tables(options.picks, options.stations, options.out, options.least_score, ground))
    return 0


# --- picks ------------------------------------------------------------------------------------------------------------


def folder_of(name: str) -> Path:
    """`name` alone is one of the models that come with kensoku."""
    return default_repository() / name if "/" not in name else Path(name)


@contextmanager
def open_voters(folders: Sequence[Path]) -> "Iterator[list[Voter]]":
    from kensoku.training.datasets.voting import Voter

    with ExitStack() as stack:
        voters = []
        for folder in folders:
            card = card_of(folder.parent, folder.name, "picker")
            models = stack.enter_context(open_models(f"local:{folder.parent}"))
            voters.append(Voter(card, Asked(folder.name, card, models)))
        yield voters


def pick_file(path: Path, models: Sequence[Path], out: Path, threshold: float) -> Iterator[int]:
    """Writes the table; after each stretch of the file tells how many picks it has so far."""
    with open_voters(models) as voters:
        if path.suffix in (".h5", ".hdf5"):
            with open_windows(path) as windows:
                yield from _pick_windows(windows, voters, out, threshold)
        else:
            yield from _pick_records(path, voters, "+".join(folder.name for folder in models), out, threshold)


def _pick_windows(windows: WindowFile, voters: "Sequence[Voter]", out: Path, threshold: float) -> Iterator[int]:
    from kensoku.training.datasets.missing import mark_missing
    from kensoku.training.datasets.tables import write_table
    from kensoku.training.datasets.voting import vote

    refuse_rate(windows)
    rows: list[tuple[object, ...]] = []
    for first, block in blocks(windows):
        marked = np.stack([mark_missing(counts) for counts in block])
        for number, picks in enumerate(vote(marked, voters, threshold), start=first):
            rows += [(number, pick.phase, f"{pick.sample:.2f}", f"{pick.score:.4f}") for pick in picks]
        yield len(rows)
    write_table(out, ("window", "phase", "sample", "score"), rows)


def _pick_records(path: Path, voters: "Sequence[Voter]", name: str, out: Path, threshold: float) -> Iterator[int]:
    from kensoku.training.datasets.continuous import read_tracks
    from kensoku.training.datasets.tables import TimedPick, write_picks
    from kensoku.training.datasets.voting import vote
    from kensoku.training.examples import RATE_HZ

    found: list[TimedPick] = []
    for track in read_tracks(path):
        [picks] = vote(track.counts[np.newaxis], voters, threshold)
        found += [
            TimedPick(
                station=track.station,
                phase=pick.phase,
                time_s=track.start_s + pick.sample / RATE_HZ,
                score=pick.score,
                model=name,
            )
            for pick in picks
        ]
        yield len(found)
    write_picks(out, found)


def tell_picks(path: Path, found: Iterator[int]) -> Iterator[int]:
    for count in found:
        print(f"{path.name}: {count:,} picks", file=sys.stderr, flush=True)
        yield count


# --- association ------------------------------------------------------------------------------------------------------


def associate_tables(
    tables: Sequence[Path],
    stations: Path,
    out: Path,
    least_score: float,
    ground: "Ground | None" = None,
) -> str:
    """Writes the table, and says what is in it."""
    from kensoku.training.datasets.association import associate, merge
    from kensoku.training.datasets.tables import NO_EVENT, read_picks, write_picks

    taken = [[each for each in read_picks(path) if not each.model or each.score >= least_score] for path in tables]
    picks = merge(taken)
    claim = associate(picks, places_of(stations), ground)
    write_picks(out, claim.picks)
    events = {pick.event for pick in claim.picks} - {NO_EVENT}
    labels = [pick for pick in claim.picks if pick.event != NO_EVENT]
    phases = ", ".join(f"{sum(pick.phase == phase for pick in labels):,} {phase}" for phase in ("P", "S"))
    typical_s = float(np.median(np.abs(list(claim.residuals_s.values())))) if labels else 0.0
    own = sum(bool(pick.model) for pick in labels)
    return (
        f"{out}: {len(labels):,} of {len(picks):,} picks are of {len(events):,} events: {phases}; {own:,} are models'; "
        f"median residual {typical_s:.2f} s"
    )


def places_of(path: Path) -> "dict[str, Place]":
    from kensoku.inventory import read_inventory
    from kensoku.training.datasets.association import Place

    try:
        reading = read_inventory({path.name: path.read_bytes()})
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected stations") from None
    return {
        name: Place(epoch.latitude_deg, epoch.longitude_deg, epoch.elevation_m)
        for name, station in reading.stations.items()
        for epoch in station.epochs[-1:]
    }
