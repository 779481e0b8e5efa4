"""Where picks go: csv, Parquet or QuakeML by the name of the file, which is there when it is whole."""

import csv
import heapq
import itertools
import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from kensoku.batch import COLUMNS, FAINT, KEPT, NUMBERS, FoundPick
from kensoku.cli._outputs import refuse_file
from kensoku.errors import SettingInvalid
from kensoku.whole_files import written_whole

RUN_PICKS = 100_000  # sorted in memory; more go to a file, so that an archive may have any number
GROUP_PICKS = 50_000  # of a row group of Parquet
DIGITS = {"score": 4, "uncertainty_s": 3, "snr": 1}  # behind the point; of other numbers as many significant ones
SIGNIFICANT = 5
Writer = Callable[[Path, Iterable[FoundPick]], None]


def order(pick: FoundPick) -> tuple[int, str, str, str]:
    return pick.time_ns, pick.instrument, pick.phase, pick.id


def in_order(picks: Iterable[FoundPick]) -> Iterator[FoundPick]:
    """By time, with few of them in memory."""
    left = iter(picks)
    with tempfile.TemporaryDirectory(prefix="kensoku-pick-") as folder:
        runs: list[Iterator[FoundPick]] = []
        for number in itertools.count():
            run = sorted(itertools.islice(left, RUN_PICKS), key=order)
            if len(run) < RUN_PICKS:
                yield from heapq.merge(*runs, run, key=order)
                return
            path = Path(folder) / str(number)
            with path.open("wb") as file:
                for pick in run:
                    pickle.dump(pick, file, pickle.HIGHEST_PROTOCOL)
            runs.append(_load(path))


def _load(path: Path) -> Iterator[FoundPick]:
    with path.open("rb") as file:
        for _ in range(RUN_PICKS):
            yield pickle.load(file)


# --- the formats ------------------------------------------------------------------------------------------------------


def writer_for(path: Path) -> Writer:
    """By the ending; what cannot be written is told before anything is picked."""
    writers: dict[str, Writer] = {
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".xml": _write_quakeml,
        ".quakeml": _write_quakeml,
        ".qml": _write_quakeml,
    }
    if (writer := writers.get(path.suffix.lower())) is None:
        raise SettingInvalid(
            f"--out {path}: found the ending {path.suffix!r}, expected .csv, .parquet, or QuakeML's .xml"
        )
    if writer is _write_parquet:
        _pyarrow()
    refuse_file(path)
    return writer


def write_picks(path: Path, picks: Iterable[FoundPick]) -> Counter[str]:
    """In the order of time; how many they were, by decision."""
    counts = Counter[str]()

    def counted() -> Iterator[FoundPick]:
        for pick in in_order(picks):
            counts[pick.decision] += 1
            yield pick

    writer = writer_for(path)
    with written_whole(path) as temporary:
        writer(temporary, counted())
    return counts


def told(counts: Counter[str]) -> str:
    """`1,234 picks and 12 rejected (quality)`"""
    rejected = [(word, count) for word, count in sorted(counts.items()) if word not in (KEPT, FAINT)]
    parts = [f"{counts[KEPT]:,} picks", *([f"{counts[FAINT]:,} faint"] if counts[FAINT] else [])]
    return " and ".join([*parts, *(f"{n:,} rejected ({word.removeprefix('rejected_')})" for word, n in rejected)])


def _write_csv(path: Path, picks: Iterable[FoundPick]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for pick in picks:
            table.writerow([_text(name, getattr(pick, name)) for name in COLUMNS])


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    digits = 4 if name.endswith("probability") else DIGITS.get(name)
    return f"{value:.{SIGNIFICANT}g}" if digits is None else f"{value:.{digits}f}"


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise SettingInvalid(
            "found no pyarrow, which writes Parquet; install it, pip install 'kensoku[parquet]', or write .csv"
        ) from None
    return pyarrow


def _write_parquet(path: Path, picks: Iterable[FoundPick]) -> None:
    arrow, left = _pyarrow(), iter(picks)
    types = dict.fromkeys(COLUMNS, arrow.string()) | dict.fromkeys(NUMBERS, arrow.float64())
    types["time"] = arrow.timestamp("ns", tz="UTC")
    schema = arrow.schema(list(types.items()))
    with arrow.parquet.ParquetWriter(path, schema, compression="zstd") as file:
        while group := list(itertools.islice(left, GROUP_PICKS)):
            columns = {name: [getattr(pick, name) for pick in group] for name in COLUMNS}
            columns["time"] = [pick.time_ns for pick in group]
            file.write_table(arrow.table(columns, schema=schema))


# --- QuakeML ----------------------------------------------------------------------------------------------------------

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" xmlns:q="http://quakeml.org/xmlns/quakeml/1.2">
 <eventParameters publicID="smi:local/kensoku/picks">
  <event publicID="smi:local/kensoku/picks/unassociated">
   <description><text>picks that nobody has associated yet</text></description>
"""
TAIL = "  </event>\n </eventParameters>\n</q:quakeml>\n"
POLARITIES = {"up": "positive", "down": "negative"}


def _write_quakeml(path: Path, picks: Iterable[FoundPick]) -> None:
    """QuakeML has no picks outside of an event, so one without an origin holds them all."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for pick in picks:
            _write_pick(file, pick)
        file.write(TAIL)


def _write_pick(file: IO[str], pick: FoundPick) -> None:
    network, station, location, _ = pick.instrument.split(".")
    codes = {"networkCode": network, "stationCode": station}
    codes |= {"locationCode": location} if location else {}
    codes |= {"channelCode": _channel(pick)}
    waveform = " ".join(f"{name}={quoteattr(code)}" for name, code in codes.items())
    polarity = POLARITIES.get(pick.polarity, "undecidable")
    remark = f"score {pick.score:.4f}; model {pick.model} {pick.version}"
    status = "" if pick.decision in (KEPT, FAINT) else "<evaluationStatus>rejected</evaluationStatus>"
    remark += f"; {pick.decision}: {pick.decision_reason}" if pick.decision != KEPT else ""
    file.write(
        f'   <pick publicID="smi:local/kensoku/pick/{pick.id}">\n'
        f"    <time><value>{pick.time}</value><uncertainty>{pick.uncertainty_s:.3f}</uncertainty></time>\n"
        f"    <waveformID {waveform}/>\n"
        f"    <methodID>smi:local/kensoku/model/{pick.model}/{pick.version}</methodID>\n"
        f"    <phaseHint>{pick.phase}</phaseHint><polarity>{polarity}</polarity>\n"
        f"    <evaluationMode>automatic</evaluationMode>{status}\n"
        f"    <comment><text>{escape(remark)}</text></comment>\n"
        "   </pick>\n"
    )


def _channel(pick: FoundPick) -> str:
    """A P pick is told of the vertical, an S pick of a horizontal, where these were there."""
    codes = pick.channels.split()
    upright = [code for code in codes if code[-1] in "Z3"]
    lying = [code for code in codes if code not in upright]
    return ((upright + lying) if pick.phase == "P" else (lying + upright))[0]
