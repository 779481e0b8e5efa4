"""`python -m kensoku.acquisition`: replays waveform files on to the bus."""

import logging
import sys

from kensoku.acquisition.replay import run
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import Options, open_bus
from kensoku.control import StationSwitches
from kensoku.runtime import Pulse, configure_logs, run_to_exit_code, serve_pulse, stop_on_signals
from kensoku.settings import describe, from_command_line

log = logging.getLogger("kensoku.acquisition")


def main() -> None:
    settings = from_command_line(AcquisitionSettings, "python -m kensoku.acquisition", "Replay waveform files.")
    configure_logs(settings.log_format, settings.log_level)
    log.info("starting with %s", describe(settings))
    pulse = Pulse()
    with (
        stop_on_signals() as stop,
        serve_pulse(pulse, settings.host, settings.port),
        open_bus(settings.bus, settings.namespace, Options(wait_s=settings.bus_wait_s)) as bus,
        bus.table("control") as control,
    ):
        run(settings, bus, pulse, stop, StationSwitches(control).is_enabled)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
