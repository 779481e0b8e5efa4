"""`kensoku run`: the whole system on this machine, in one process beside the model server's.

The services share a process because they share its memory bus, and because each would load Python, numpy and ObsPy
anew; what is heavy runs in the model server, or in numpy, which lets other threads work meanwhile. On Kafka they need
not share anything: `python -m kensoku.<service>` starts each on any machine.
"""

import argparse
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import open_bus, serve_bus
from kensoku.cli._run_inventory import add_inventory_flag, publish_inventory
from kensoku.cli._run_services import (
    KINDS,
    Chosen,
    acquire,
    add_service_flags,
    association_service,
    catalog_service,
    location_service,
    triggering_services,
)
from kensoku.cli._run_settings import ReplaySettings, RunSettings, acquisition_settings
from kensoku.cli.inventory import read_files
from kensoku.errors import ModelServerUnavailable
from kensoku.runtime import Pulse, bus_options, configure_logs, process_age_s, serve_pulse, stop_on_signals
from kensoku.settings import (
    ServiceSettings,
    add_flags,
    check_settings,
    describe,
    load_settings,
    misspelt,
    overrides,
    socket_path,
)
from kensoku.supervision import Service, Supervisor

if TYPE_CHECKING:
    from kensoku.inference import Models

log = logging.getLogger("kensoku.run")

BEAT_S = 0.2
MODELS_PERIOD_S = 5.0
STATUS_PERIOD_S = 30.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="simulate a small network for ever, as if it were now")
    add_flags(parser, RunSettings, only=RunSettings.model_fields.keys() - {"acquisition_source"})
    own = AcquisitionSettings.model_fields.keys() - ServiceSettings.model_fields.keys()
    add_flags(parser.add_argument_group("replayed waveforms"), AcquisitionSettings, only=own)
    add_service_flags(parser, without=RunSettings.model_fields.keys())
    add_inventory_flag(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    from kensoku.cli._run_banner import where_to_look  # only now: who lists the options needs no models
    from kensoku.cli._run_models import serving_models

    kinds: tuple[type[ServiceSettings], ...] = (RunSettings, ReplaySettings, *KINDS)
    check_settings(*((kind, overrides(options, kind)) for kind in kinds))
    settings = load_settings(RunSettings, overrides(options, RunSettings))
    acquisition = acquisition_settings(options, settings)
    configure_logs(settings.log_format, settings.log_level)
    chosen = Chosen.load(options)
    log.info("starting with %s", describe(settings, *([acquisition] if acquisition else []), *chosen.parts))
    for sentence in misspelt(kinds):
        log.warning("%s", sentence)
    inventory = read_files(options.inventory) if options.inventory else None
    pulse = Pulse()
    pulse.wait_for("models", "the model server is starting")
    if acquisition:
        pulse.part("acquisition").wait_for("archive", "nobody has looked at it yet")
    with ExitStack() as opened:
        stop = opened.enter_context(stop_on_signals())
        port = opened.enter_context(serve_pulse(pulse, settings.host, settings.port))
        bus_set = bus_options(settings.bus_wait_s, pulse, stop)
        bus = opened.enter_context(open_bus(settings.bus, settings.namespace, bus_set))
        opened.enter_context(serve_bus(bus, socket_path(settings.home)))
        publish_inventory(bus, inventory)
        server = opened.enter_context(serving_models(settings))
        services = [Service("acquisition", acquire(acquisition, bus))] if acquisition else []
        services += triggering_services(chosen.picking, bus, server.models)
        services += [
            association_service(chosen.associating, bus),
            location_service(chosen.locating, bus),
            catalog_service(chosen.keeping, bus),
        ]
        opened.enter_context(Supervisor(pulse, stop).running(services))
        for _ in watch(pulse, server.models, stop, settings.models_wait_s):
            log.info("ready after %.1f s", process_age_s())
            print(where_to_look(f"http://{settings.host}:{port}", acquisition, settings, server), flush=True)
    log.info("stopped cleanly")
    return 0


def watch(pulse: Pulse, models: "Models", stop: threading.Event, models_wait_s: float) -> Iterator[None]:
    """Look at the models, and tell now and then how things go, until told to stop; yields once, when all is ready.

    Raises ModelServerUnavailable when the models have not answered for so long: a supervisor shall start us anew.
    """
    answered = next_models = time.monotonic()
    next_status = next_models + STATUS_PERIOD_S
    before = published_messages()
    is_ready = False
    while not stop.wait(BEAT_S):
        pulse.beat()
        now = time.monotonic()
        if now >= next_models:
            next_models = now + MODELS_PERIOD_S
            if models.is_ready():
                answered = now
                pulse.found("models")
            elif now - answered > models_wait_s:
                raise ModelServerUnavailable(
                    f"found no model server that answers for {models_wait_s:g} s, expected one at the address of "
                    "KENSOKU_MODELS; start it, correct the address, or use --models local"
                )
            else:
                pulse.wait_for("models", "the model server does not answer")
        if not is_ready and not pulse.waiting():
            is_ready = True
            yield
        if now >= next_status:
            next_status = now + STATUS_PERIOD_S
            after = published_messages()
            log.info("%s", status_line(before, after, pulse.waiting()))
            before = after


def published_messages() -> dict[str, float]:
    """By topic, how many messages this process has published."""
    return {
        sample.labels["topic"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "bus_published_messages_total"
    }


def status_line(before: dict[str, float], after: dict[str, float], waiting: dict[str, str]) -> str:
    """`messages in the last 30 s: waveforms 180; ready`; those of `picks` are reports of progress for the most part."""
    new = {topic: after[topic] - before.get(topic, 0) for topic in sorted(after)}
    counts = [f"{topic} {count:.0f}" for topic, count in new.items() if count]
    state = "; ".join(f"waiting for {part}: {reason}" for part, reason in waiting.items()) or "ready"
    return f"messages in the last {STATUS_PERIOD_S:g} s: {', '.join(counts) or 'nothing'}; {state}"
