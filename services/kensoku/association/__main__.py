"""`python -m kensoku.association`: picks in, candidates of earthquakes out."""

import sys

from kensoku.association.service import run
from kensoku.association.settings import AssociationServiceSettings
from kensoku.runtime import run_to_exit_code, service_process


def main() -> None:
    with service_process(AssociationServiceSettings, "association", "Find which picks one earthquake made.") as process:
        run(process.settings, process.bus, process.pulse, process.stop)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
