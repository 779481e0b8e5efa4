"""What `kensoku run` shows has the ports that were taken, and commands that find what it started."""

from pathlib import Path

import pytest

from kensoku.cli._run_banner import models_option, where_to_look
from kensoku.cli._run_models import ModelServer
from kensoku.cli._run_settings import RunSettings
from kensoku.models import default_repository
from kensoku.triton._server import _usable_ports
from tests.stand_in_models import StandIn


@pytest.mark.parametrize(
    ("url", "repository", "option"),
    [
        ("triton://127.0.0.1:8001", default_repository(), ""),
        ("triton://127.0.0.1:8001", Path("/srv/models"), " --model-repository /srv/models"),
        ("triton://127.0.0.1:35999", default_repository(), " --models triton://127.0.0.1:35999"),
        ("triton://gpu:8001", Path("/srv"), " --models triton://gpu:8001 --model-repository /srv"),
        ("local:/srv/models", Path("/srv/models"), " --models local --model-repository /srv/models"),
    ],
)
def test_commands_are_told_where_the_models_are_where_they_would_look_elsewhere(
    url: str, repository: Path, option: str
) -> None:
    assert models_option(url, repository) == option


def test_any_port_is_shown_as_the_one_that_was_taken(tmp_path: Path) -> None:
    settings = RunSettings(home=tmp_path, port=0, triton_port=0, triton_metrics_port=0)
    server = ModelServer(StandIn(), "triton://127.0.0.1:35999", "http://127.0.0.1:36713/metrics")
    shown = where_to_look("http://127.0.0.1:44451", None, settings, server)
    assert "http://127.0.0.1:44451/readyz" in shown
    assert "triton://127.0.0.1:35999, its figures at http://127.0.0.1:36713/metrics" in shown
    assert "models list --models triton://127.0.0.1:35999\n" in shown
    assert ":0" not in shown


def test_no_free_port_is_given_twice() -> None:
    ports = _usable_ports("127.0.0.1", *[0] * 200)
    assert len(set(ports)) == 200
    assert min(ports) > 0
