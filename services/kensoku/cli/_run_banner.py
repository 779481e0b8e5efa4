"""What `kensoku run` says once all is ready: where everything is, with the ports that were taken."""

import shutil
import sys
from pathlib import Path

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.cli._models import embedded_or
from kensoku.cli._run_models import ModelServer
from kensoku.cli._run_settings import RunSettings
from kensoku.models import default_repository


def where_to_look(
    address: str, acquisition: AcquisitionSettings | None, settings: RunSettings, server: ModelServer
) -> str:
    source = (
        f"replaying {acquisition.acquisition_source}" if acquisition else "no source: give one with --source FOLDER"
    )
    program = "kensoku" if shutil.which("kensoku") == sys.argv[0] else sys.argv[0]
    home = "" if "home" not in settings.model_fields_set else f"KENSOKU_HOME={settings.home} "
    figures = f", its figures at {server.metrics_url}" if server.metrics_url else ""
    return f"""
Kensoku is running, {source}
  is everything up       {address}/readyz
  figures                {address}/metrics
  models                 {server.url}{figures}
in another terminal:
  {home}{program} tail waveforms
  {home}{program} tail events
  {home}{program} catalog list
  {home}{program} models list{models_option(server.url, settings.model_repository)}
  {home}{program} stations list
Ctrl-C stops it.
"""


def models_option(url: str, repository: Path) -> str:
    """What a command must be told to find these models and their files; nothing where it looks for them."""
    server = "" if url == embedded_or("triton") else f" --models {'local' if url.startswith('local:') else url}"
    return server if repository == default_repository() else f"{server} --model-repository {repository.absolute()}"
