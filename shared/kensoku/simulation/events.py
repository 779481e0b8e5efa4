"""One source, as everything that makes waves of it needs to know it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from kensoku.simulation import sources
from kensoku.simulation.catalogue import Catalogue, Happening
from kensoku.simulation.propagation import Hypocentre
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sequences import Emitter, Quarry
from kensoku.simulation.sources import Ripple, SourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One source."""

    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    mw: float
    corner_hz: float  # of S
    kind: SourceKind = SourceKind.EARTHQUAKE
    strike_deg: float = 0.0
    dip_deg: float = 90.0
    rake_deg: float = 0.0
    p_over_s_corner: float = 1.4
    ripple: Ripple = field(default_factory=Ripple)  # of a blast
    resonance_hz: float = 1.5  # of a volcanic long-period event
    quality: float = 15.0

    @property
    def identity(self) -> str:
        return f"{self.time_ns}/{self.latitude_deg:.5f}/{self.longitude_deg:.5f}/{self.mw:.4f}"

    @property
    def cell(self) -> str:
        """What lies around it: sources of one cell share their paths."""
        return f"{10 * self.latitude_deg:.0f}/{10 * self.longitude_deg:.0f}/{0.2 * self.depth_km:.0f}"

    @property
    def hypocentre(self) -> Hypocentre:
        return Hypocentre(self.latitude_deg, self.longitude_deg, self.depth_km, self.kind)

    @property
    def tensor(self) -> FloatArray:
        """Its moment tensor, for a moment of 1."""
        if self.kind is SourceKind.BLAST:
            return sources.blast_tensor()
        if self.kind in (SourceKind.ICEQUAKE, SourceKind.LONG_PERIOD):
            along, _ = sources.plane_axes(self.strike_deg, self.dip_deg)
            return sources.crack_tensor(np.array([-along[1], along[0], 0.0]))
        return sources.moment_tensor(self.strike_deg, self.dip_deg, self.rake_deg)


def events_of(catalogue: Catalogue, sequences: Sequence[Happening] = ()) -> Iterator[Event]:
    """The rows of a catalogue, in its order; quarries and volcanoes among the sequences say how they sound."""
    named = {sequence.name: sequence for sequence in sequences}
    for row in range(len(catalogue)):
        sequence = named.get(str(catalogue.sequence[row]))
        yield Event(
            time_ns=int(catalogue.time_ns[row]),
            latitude_deg=float(catalogue.latitude_deg[row]),
            longitude_deg=float(catalogue.longitude_deg[row]),
            depth_km=float(catalogue.depth_km[row]),
            mw=float(catalogue.mw[row]),
            corner_hz=float(catalogue.corner_hz[row]),
            kind=SourceKind(str(catalogue.kind[row])),
            strike_deg=float(catalogue.strike_deg[row]),
            dip_deg=float(catalogue.dip_deg[row]),
            rake_deg=float(catalogue.rake_deg[row]),
            ripple=sequence.ripple if isinstance(sequence, Quarry) else Ripple(),
            resonance_hz=sequence.resonance_hz if isinstance(sequence, Emitter) else 1.5,
            quality=sequence.quality if isinstance(sequence, Emitter) else 15.0,
        )
