"""A pick as people take it away: one row of a table, and a table of such rows without a library for tables."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, overload

from kensoku.batch._measured import Heard
from kensoku.events import decision_name
from kensoku.picking import Calibration, Phase
from kensoku.picking import Pick as Onset
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    METHOD_CNN,
    PHASE_P,
    POLARITY_DOWN,
    POLARITY_UP,
    Pick,
    PickMeasurement,
)

NS_PER_US = 1000
MM_PER_M = 1000.0
SHOWN = 20  # rows, where a table shows itself
POLARITIES = {POLARITY_UP: "up", POLARITY_DOWN: "down"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPick:
    """An arrival at one instrument. None: not measured, or not measurable without the instrument's response."""

    station: str  # NET.STA
    phase: Phase
    time: str  # UTC, ISO 8601 with microseconds
    score: float  # of the model, 0 to 1
    uncertainty_s: float  # 68 % of right picks are this near
    probability: float | None  # that an onset of this phase lies within 0.5 s
    decision: str  # kept; faint: below the threshold; rejected_quality: wrong samples; and others of pick.proto
    decision_reason: str  # empty where it is kept
    snr: float | None
    polarity: str  # up, down; empty: undecided or not judged
    polarity_confidence: float | None
    peak_counts: float | None  # as recorded, less its mean
    peak_displacement_m: float | None
    peak_velocity_m_s: float | None
    wood_anderson_mm: float | None  # of magnification 1
    clipped: str  # yes: one of the peaks is a lower bound
    blast_probability: float | None  # of P: that a blast made it rather than an earthquake
    instrument: str  # NET.STA.LOC.HH
    channels: str  # that were there: HHZ HHN HHE
    noise_probability: float
    p_probability: float
    s_probability: float
    model: str
    version: str
    model_sha256: str
    inventory_hash: str  # empty: station unknown
    id: str
    time_ns: int  # UTC, since 1970


KEPT, FAINT = "kept", "faint"
COLUMNS = tuple(field.name for field in fields(FoundPick) if field.name != "time_ns")
NUMBERS = frozenset(field.name for field in fields(FoundPick) if field.type in (float, float | None))


def iso_microseconds(time_ns: int) -> str:
    """`2026-01-31T12:00:00.123456Z`, to the nearest microsecond."""
    seconds, microseconds = divmod((time_ns + NS_PER_US // 2) // NS_PER_US, NS_PER_S // NS_PER_US)
    return f"{iso_time(seconds * NS_PER_S)[:-5]}.{microseconds:06d}Z"


def found_pick(heard: Heard, calibration: Calibration | None = None) -> FoundPick:
    """As a row; with the calibration of the network that picks, how probable the pick is if it is one of its own."""
    pick, measured = heard.pick, heard.measurement or heard.pick
    said, where = pick.probabilities, pick.instrument
    phase: Phase = "P" if pick.phase == PHASE_P else "S"
    calibrated = calibration if pick.method == METHOD_CNN else None
    score = said.p if phase == "P" else said.s
    return FoundPick(
        station=f"{where.network}.{where.station}",
        phase=phase,
        time=iso_microseconds(pick.onset_ns),
        score=score,
        uncertainty_s=pick.onset_uncertainty_s,
        probability=calibrated.probability(Onset(phase, 0.0, score, 0.0)) if calibrated else None,
        decision=decision_name(pick).lower(),
        decision_reason=pick.decision_reason,
        snr=measured.snr or None,
        polarity=POLARITIES.get(pick.polarity, ""),
        polarity_confidence=pick.polarity_confidence if pick.polarity in POLARITIES else None,
        peak_counts=_largest(measured, AMPLITUDE_KIND_PEAK_RAW),
        peak_displacement_m=_largest(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT),
        peak_velocity_m_s=_largest(measured, AMPLITUDE_KIND_PEAK_VELOCITY),
        wood_anderson_mm=_largest(measured, AMPLITUDE_KIND_WOOD_ANDERSON, MM_PER_M),
        clipped="yes" if any(amplitude.clipped for amplitude in measured.amplitudes) else "",
        blast_probability=measured.blast_probability if measured.HasField("blast_probability") else None,
        instrument=f"{where.network}.{where.station}.{where.location}.{where.band_instrument}",
        channels=" ".join(pick.channels),
        noise_probability=said.noise,
        p_probability=said.p,
        s_probability=said.s,
        model=pick.model.name,
        version=pick.model.version,
        model_sha256=pick.model.sha256,
        inventory_hash=pick.inventory_hash,
        id=pick.id,
        time_ns=pick.onset_ns,
    )


def _largest(measured: Pick | PickMeasurement, kind: int, factor: float = 1.0) -> float | None:
    return max((amplitude.value * factor for amplitude in measured.amplitudes if amplitude.kind == kind), default=None)


class PickTable(Sequence[FoundPick]):
    """Picks in the order of time; `pandas.DataFrame(table.columns())` and a notebook's display need no more.

    `faint` are those below the model's threshold, `rejected` those whose samples are wrong, or that another rule
    refused, each with its reason.
    """

    def __init__(
        self,
        picks: Iterable[FoundPick],
        rejected: "PickTable | None" = None,
        faint: "PickTable | None" = None,
    ) -> None:
        self._picks = tuple(sorted(picks, key=lambda pick: (pick.time_ns, pick.instrument, pick.phase)))
        self._rejected = rejected
        self._faint = faint

    @classmethod
    def of(cls, picks: Iterable[FoundPick]) -> "PickTable":
        """Of kept, faint and rejected ones together."""
        judged = list(picks)
        rejected = cls(pick for pick in judged if pick.decision not in (KEPT, FAINT))
        faint = cls(pick for pick in judged if pick.decision == FAINT)
        return cls((pick for pick in judged if pick.decision == KEPT), rejected, faint)

    @property
    def faint(self) -> "PickTable":
        return PickTable(()) if self._faint is None else self._faint

    @property
    def rejected(self) -> "PickTable":
        return PickTable(()) if self._rejected is None else self._rejected

    @overload
    def __getitem__(self, place: int) -> FoundPick: ...
    @overload
    def __getitem__(self, place: slice) -> "PickTable": ...
    def __getitem__(self, place: int | slice) -> "FoundPick | PickTable":
        return PickTable(self._picks[place]) if isinstance(place, slice) else self._picks[place]

    def __len__(self) -> int:
        return len(self._picks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PickTable) and self._picks == other._picks

    def __hash__(self) -> int:
        return hash(self._picks)

    def columns(self) -> dict[str, list[Any]]:
        """Each column's values, under the names of the csv file."""
        return {name: [getattr(pick, name) for pick in self._picks] for name in COLUMNS}

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame, with times as such, where pandas is installed; NaN: not measured."""
        import pandas

        kinds: dict[str, Any] = dict.fromkeys(COLUMNS, str) | dict.fromkeys(
            NUMBERS, float
        )  # also where there is no value
        columns = self.columns() | {"time": [pick.time_ns for pick in self._picks]}
        kinds["time"] = "datetime64[ns, UTC]"
        return pandas.DataFrame({name: pandas.Series(columns[name], dtype=kinds[name]) for name in COLUMNS})

    def __repr__(self) -> str:
        shown = [f"{pick.time}  {pick.phase}  {pick.score:.2f}  {pick.instrument}" for pick in self._picks[:SHOWN]]
        more = [f"... {len(self._picks) - SHOWN} more"] if len(self._picks) > SHOWN else []
        return "\n".join([f"{len(self._picks)} picks", *shown, *more])

    def _repr_html_(self) -> str:
        names = COLUMNS[: COLUMNS.index("polarity_confidence")]
        head = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(getattr(pick, name)))}</td>" for name in names) + "</tr>"
            for pick in self._picks[:SHOWN]
        )
        count = f"<p>{len(self._picks)} picks</p>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{count}"


def _shown(value: object) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
