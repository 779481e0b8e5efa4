"""The services that `kensoku run` and `kensoku playback` start, each as its own settings say."""

import logging
import threading

from kensoku.acquisition import replay
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import Bus
from kensoku.catalog import service as catalog
from kensoku.catalog.settings import CatalogSettings
from kensoku.control import StationSwitches
from kensoku.inference import Models
from kensoku.picking import CARD
from kensoku.runtime import Pulse
from kensoku.supervision import Run, Service
from kensoku.triggering import service as triggering
from kensoku.triggering.settings import TriggeringSettings

log = logging.getLogger("kensoku.run")


def acquire(settings: AcquisitionSettings, bus: Bus) -> Run:
    def run(pulse: Pulse, stop: threading.Event) -> None:
        with bus.table("control") as control:
            replay.run(settings, bus, pulse, stop, StationSwitches(control).is_enabled)

    return run


def triggering_services(settings: TriggeringSettings, bus: Bus, models: Models) -> list[Service]:
    """Picking, now and of what comes too late, where the repository has a model for it."""
    if not (settings.model_repository / settings.triggering_model / CARD).is_file():
        log.warning("found no model %r in %s: nothing is picked", settings.triggering_model, settings.model_repository)
        return []
    present, late = (settings.model_copy(update={"triggering_backfill": is_late}) for is_late in (False, True))
    return [
        Service("triggering", lambda pulse, stop: triggering.run(present, bus, models, pulse, stop)),
        Service("backfill", lambda pulse, stop: triggering.run(late, bus, models, pulse, stop)),
    ]


def catalog_service(settings: CatalogSettings, bus: Bus) -> Service:
    return Service("catalog", lambda pulse, stop: catalog.run(settings, bus, pulse, stop))
