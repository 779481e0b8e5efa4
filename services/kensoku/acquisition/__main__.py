"""`python -m kensoku.acquisition`: replays waveform files on to the bus."""

import sys

from kensoku.acquisition.replay import run
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.control import StationSwitches
from kensoku.runtime import run_to_exit_code, service_process


def main() -> None:
    with (
        service_process(AcquisitionSettings, "acquisition", "Replay waveform files.") as process,
        process.bus.table("control") as control,
    ):
        run(process.settings, process.bus, process.pulse, process.stop, StationSwitches(control).is_enabled)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
