"""`python -m kensoku.catalog`: events in, the database's rows out."""

import logging
import sys

from kensoku.bus import Options, open_bus
from kensoku.catalog.service import run
from kensoku.catalog.settings import CatalogSettings
from kensoku.runtime import Pulse, configure_logs, run_to_exit_code, serve_pulse, stop_on_signals
from kensoku.settings import describe, from_command_line

log = logging.getLogger("kensoku.catalog")


def main() -> None:
    settings = from_command_line(CatalogSettings, "python -m kensoku.catalog", "Keep the catalogue in a database.")
    configure_logs(settings.log_format, settings.log_level)
    log.info("starting with %s", describe(settings))
    pulse = Pulse()
    with (
        stop_on_signals() as stop,
        serve_pulse(pulse, settings.host, settings.port),
        open_bus(settings.bus, settings.namespace, Options(wait_s=settings.bus_wait_s)) as bus,
    ):
        run(settings, bus, pulse, stop)
    log.info("stopped cleanly")


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
