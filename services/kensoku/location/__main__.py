"""`python -m kensoku.location`: associations in, events out."""

import sys

from kensoku.location.service import run
from kensoku.location.settings import LocationServiceSettings
from kensoku.runtime import run_to_exit_code, service_process


def main() -> None:
    with service_process(LocationServiceSettings, "location", "Locate, size and judge what was associated.") as process:
        run(process.settings, process.bus, process.pulse, process.stop)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
