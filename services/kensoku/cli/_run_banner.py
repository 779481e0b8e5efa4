"""What `kensoku run` says once all is ready: where everything is, with the ports that were taken."""

import shutil
import sys

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.cli._models import embedded_or
from kensoku.cli._run_models import ModelServer
from kensoku.cli._run_settings import RunSettings


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
  {home}{program} models list{models_option(server.url)}
  {home}{program} stations list
Ctrl-C stops it.
"""


def models_option(url: str) -> str:
    """What a command must be told to find these models; nothing where it looks for them."""
    if url == embedded_or("triton"):
        return ""
    scheme, _, folder = url.partition(":")
    return f" --models local --model-repository {folder}" if scheme == "local" else f" --models {url}"
