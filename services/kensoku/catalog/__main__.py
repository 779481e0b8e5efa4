"""`python -m kensoku.catalog`: events in, the database's rows out."""

import sys

from kensoku.catalog.service import run
from kensoku.catalog.settings import CatalogSettings
from kensoku.runtime import run_to_exit_code, service_process


def main() -> None:
    with service_process(CatalogSettings, "catalog", "Keep the catalogue in a database.") as process:
        run(process.settings, process.bus, process.pulse, process.stop)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
