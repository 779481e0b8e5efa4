"""`python -m kensoku.triggering`: waveforms in, picks out."""

import sys

from kensoku.inference import open_models
from kensoku.runtime import run_to_exit_code, service_process
from kensoku.triggering.service import run
from kensoku.triggering.settings import TriggeringSettings


def main() -> None:
    with (
        service_process(TriggeringSettings, "triggering", "Pick the onsets of waves.") as process,
        open_models(process.settings.models_url) as models,
    ):
        run(process.settings, process.bus, models, process.pulse, process.stop)


if __name__ == "__main__":
    sys.exit(run_to_exit_code(main))
