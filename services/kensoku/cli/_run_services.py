"""The services that `kensoku run` and `kensoku playback` start, each as its own settings say.

A service is imported when it is made, since who lists the options of all needs none of them.
"""

import argparse
import logging
import threading
from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus
from kensoku.catalog.settings import CatalogSettings
from kensoku.control import StationSwitches
from kensoku.location.settings import LocationServiceSettings
from kensoku.runtime import Pulse
from kensoku.settings import ServiceSettings, add_flags, load_settings, overrides
from kensoku.supervision import Run, Service
from kensoku.triggering.settings import TriggeringSettings

if TYPE_CHECKING:
    from kensoku.inference import Models

log = logging.getLogger("kensoku.run")

KINDS: tuple[type[ServiceSettings], ...] = (
    TriggeringSettings,
    AssociationServiceSettings,
    LocationServiceSettings,
    CatalogSettings,
)
BY_VARIABLE = {  # no options where services share a command line
    "triggering_backfill",
    "association_batch",
    "association_events",
    "association_lateness_s",
    "association_recall_days",
    "location_batch",
    "location_events",
    "catalog_batch",
    "catalog_database_wait_s",
}
EARTH = {"location_velocity_model", "location_deepest_km", "location_corrections"}  # which association obeys too


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings of all services that work on what acquisition brings."""

    picking: TriggeringSettings
    associating: AssociationServiceSettings
    locating: LocationServiceSettings
    keeping: CatalogSettings

    @property
    def parts(self) -> tuple[ServiceSettings, ...]:
        return self.picking, self.associating, self.locating, self.keeping

    @staticmethod
    def load(options: argparse.Namespace, namespace: str | None = None) -> "Chosen":
        given = {} if namespace is None else {"namespace": namespace}
        return Chosen(
            load_settings(TriggeringSettings, overrides(options, TriggeringSettings) | given),
            load_settings(AssociationServiceSettings, overrides(options, AssociationServiceSettings) | given),
            load_settings(LocationServiceSettings, overrides(options, LocationServiceSettings) | given),
            load_settings(CatalogSettings, overrides(options, CatalogSettings) | given),
        )


def add_service_flags(parser: argparse.ArgumentParser, without: Set[str]) -> None:
    """Options of all these services, but for those that the command has already."""
    for kind in KINDS:
        own = kind.model_fields.keys() - ServiceSettings.model_fields.keys() - BY_VARIABLE - without
        own -= EARTH if kind is AssociationServiceSettings else set()
        title = kind.flag_prefix.removesuffix("_").replace("catalog", "catalogue")
        add_flags(parser.add_argument_group(title), kind, only=own)


def acquire(settings: AcquisitionSettings, bus: Bus) -> Run:
    from kensoku.acquisition import replay

    def run(pulse: Pulse, stop: threading.Event) -> None:
        with bus.table("control") as control:
            replay.run(settings, bus, pulse, stop, StationSwitches(control).is_enabled)

    return run


def triggering_services(settings: TriggeringSettings, bus: Bus, models: "Models") -> list[Service]:
    """Picking, now and of what comes too late, where the repository has a model for it."""
    from kensoku.picking import CARD

    if not (settings.model_repository / settings.triggering_model / CARD).is_file():
        log.warning("found no model %r in %s: nothing is picked", settings.triggering_model, settings.model_repository)
        return []
    from kensoku.triggering import service as triggering

    present, late = (settings.model_copy(update={"triggering_backfill": is_late}) for is_late in (False, True))
    return [
        Service("triggering", lambda pulse, stop: triggering.run(present, bus, models, pulse, stop)),
        Service("backfill", lambda pulse, stop: triggering.run(late, bus, models, pulse, stop)),
    ]


def association_service(settings: AssociationServiceSettings, bus: Bus) -> Service:
    from kensoku.association import service as association

    return Service("association", lambda pulse, stop: association.run(settings, bus, pulse, stop))


def location_service(settings: LocationServiceSettings, bus: Bus) -> Service:
    from kensoku.location import service as location

    return Service("location", lambda pulse, stop: location.run(settings, bus, pulse, stop))


def catalog_service(settings: CatalogSettings, bus: Bus) -> Service:
    from kensoku.catalog import service as catalog

    return Service("catalog", lambda pulse, stop: catalog.run(settings, bus, pulse, stop))
