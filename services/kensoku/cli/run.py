"""`kensoku run`: the whole system on this machine, in one process beside the model server's.

The services share a process because they share its memory bus, and because each would load Python, numpy and ObsPy
anew; what is heavy runs in the model server, or in numpy, which lets other threads work meanwhile. On Kafka they need
not share anything: `python -m kensoku.<service>` starts each on any machine.
"""

import argparse
import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

from prometheus_client import REGISTRY
from pydantic import Field

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import Options, open_bus, serve_bus
from kensoku.cli._run_inventory import add_inventory_flag, inventory_of, publish_inventory
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
from kensoku.errors import EmbeddedServerUnusable, ModelServerUnavailable
from kensoku.inference import Models, open_models
from kensoku.models import default_repository
from kensoku.runtime import Pulse, configure_logs, process_age_s, serve_pulse, stop_on_signals
from kensoku.settings import ServiceSettings, add_flags, describe, load_settings, misspelt, overrides, socket_path
from kensoku.supervision import Service, Supervisor
from kensoku.triton import embedded_triton

log = logging.getLogger("kensoku.run")

BEAT_S = 0.2
MODELS_PERIOD_S = 5.0
STATUS_PERIOD_S = 30.0

DEMO = {  # a minute before an M5.8 beneath six stations, for ever
    "acquisition_source": "sim://aftershocks",
    "acquisition_stations": "XA.0[1-6]",
    "acquisition_start": "2024-06-03T06:14:00Z",
    "acquisition_times": "now",
    "acquisition_loop": True,
    "acquisition_resume": False,
}


class RunSettings(ServiceSettings):
    acquisition_source: Annotated[str | None, Field(description="waveforms to replay; see `--help` of acquisition")] = (
        None
    )
    model_repository: Annotated[Path, Field(description="folder with a folder a model")] = Field(
        default_factory=default_repository
    )
    models_wait_s: Annotated[
        float, Field(gt=0, description="how long models may not answer before the system ends")
    ] = 60.0
    triton_port: Annotated[int, Field(ge=0, le=65535, description="gRPC port of the embedded Triton, 0: any")] = 8001
    triton_metrics_port: Annotated[int, Field(ge=0, le=65535, description="port of its metrics, 0: any")] = 8002


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="simulate a small network for ever, as if it were now")
    add_flags(parser, RunSettings, only=RunSettings.model_fields.keys() - {"acquisition_source"})
    own = AcquisitionSettings.model_fields.keys() - ServiceSettings.model_fields.keys()
    add_flags(parser.add_argument_group("replayed waveforms"), AcquisitionSettings, only=own)
    add_service_flags(parser, without=RunSettings.model_fields.keys())
    add_inventory_flag(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    settings = load_settings(RunSettings, overrides(options, RunSettings))
    acquisition = acquisition_settings(options, settings)
    configure_logs(settings.log_format, settings.log_level)
    chosen = Chosen.load(options)
    log.info("starting with %s", describe(acquisition or settings))
    for sentence in misspelt([RunSettings, AcquisitionSettings, *KINDS]):
        log.warning("%s", sentence)
    inventory = inventory_of(options.inventory, acquisition)
    pulse = Pulse()
    pulse.wait_for("models", "the model server is starting")
    if acquisition:
        pulse.part("acquisition").wait_for("archive", "nobody has looked at it yet")
    with ExitStack() as opened:
        stop = opened.enter_context(stop_on_signals())
        port = opened.enter_context(serve_pulse(pulse, settings.host, settings.port))
        bus = opened.enter_context(open_bus(settings.bus, settings.namespace, Options(wait_s=settings.bus_wait_s)))
        opened.enter_context(serve_bus(bus, socket_path(settings.home)))
        publish_inventory(bus, inventory)
        models = opened.enter_context(serving_models(settings))
        services = [Service("acquisition", acquire(acquisition, bus))] if acquisition else []
        services += triggering_services(chosen.picking, bus, models)
        services += [
            association_service(chosen.associating, bus),
            location_service(chosen.locating, bus),
            catalog_service(chosen.keeping, bus),
        ]
        opened.enter_context(Supervisor(pulse, stop).running(services))
        for _ in watch(pulse, models, stop, settings.models_wait_s):
            log.info("ready after %.1f s", process_age_s())
            print(where_to_look(f"http://{settings.host}:{port}", acquisition, settings), flush=True)
    log.info("stopped cleanly")
    return 0


def acquisition_settings(options: argparse.Namespace, settings: RunSettings) -> AcquisitionSettings | None:
    """What to replay; None when there is nothing."""
    given = overrides(options, AcquisitionSettings)
    if options.demo:
        given |= DEMO
    elif settings.acquisition_source is None:
        return None
    return load_settings(AcquisitionSettings, given)


@contextmanager
def serving_models(settings: RunSettings) -> Iterator[Models]:
    """The models as set; where the embedded server cannot run and nobody insisted on it, those in this process."""
    with ExitStack() as opened:
        url = settings.models
        if url == "triton":
            try:
                url = opened.enter_context(started_triton(settings))
            except EmbeddedServerUnusable as error:
                if "models" in settings.model_fields_set:
                    raise
                log.warning("%s", error)
                log.warning("going on with the models in this process, as with --models local")
                url = "local"
        if url == "local":
            url = f"local:{settings.model_repository}"
        yield opened.enter_context(open_models(url))


@contextmanager
def started_triton(settings: RunSettings) -> Iterator[str]:
    with embedded_triton(
        settings.home,
        settings.model_repository,
        grpc_port=settings.triton_port,
        metrics_port=settings.triton_metrics_port,
    ) as server:
        log.info("the model server is ready at %s", server.url)
        yield server.url


def watch(pulse: Pulse, models: Models, stop: threading.Event, models_wait_s: float) -> Iterator[None]:
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
    """`published in the last 30 s: 180 waveforms; ready`"""
    new = {topic: after[topic] - before.get(topic, 0) for topic in sorted(after)}
    counts = [f"{count:.0f} {topic}" for topic, count in new.items() if count]
    state = "; ".join(f"waiting for {part}: {reason}" for part, reason in waiting.items()) or "ready"
    return f"published in the last {STATUS_PERIOD_S:g} s: {', '.join(counts) or 'nothing'}; {state}"


def where_to_look(address: str, acquisition: AcquisitionSettings | None, settings: RunSettings) -> str:
    source = (
        f"replaying {acquisition.acquisition_source}" if acquisition else "no source: give one with --source FOLDER"
    )
    program = "kensoku" if shutil.which("kensoku") == sys.argv[0] else sys.argv[0]
    home = "" if "home" not in settings.model_fields_set else f"KENSOKU_HOME={settings.home} "
    return f"""
Kensoku is running, {source}
  is everything up       {address}/readyz
  figures                {address}/metrics
in another terminal:
  {home}{program} tail waveforms
  {home}{program} tail events
  {home}{program} catalog list
  {home}{program} models list
  {home}{program} stations list
Ctrl-C stops it.
"""
