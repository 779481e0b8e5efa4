"""`python -m kensoku.triggering`: waveforms in, picks out."""

import logging
import sys

from kensoku.bus import Options, open_bus
from kensoku.inference import open_models
from kensoku.runtime import Pulse, configure_logs, run_to_exit_code, serve_pulse, stop_on_signals
from kensoku.settings import describe, from_command_line
from kensoku.triggering.service import run
from kensoku.triggering.settings import TriggeringSettings

log = logging.getLogger("kensoku.triggering")


def main() -> None:
    settings = from_command_line(TriggeringSettings, "python -m kensoku.triggering", "Pick the onsets of waves.")
    configure_logs(settings.log_format, settings.log_level)
    log.info("starting with %s", describe(settings))
    pulse = Pulse()
    with (
        stop_on_signals() as stop,
        serve_pulse(pulse, settings.host, settings.port),
        open_bus(settings.bus, settings.namespace, Options(wait_s=settings.bus_wait_s)) as bus,
        open_models(settings.models_url) as models,
    ):
        run(settings, bus, models, pulse, stop)
    log.info("stopped cleanly")


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
