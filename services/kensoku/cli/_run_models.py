"""The models that `kensoku run` asks: its own server's, this process's, or somebody else's."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from kensoku.cli._run_settings import RunSettings
from kensoku.errors import EmbeddedServerUnusable
from kensoku.inference import Models, open_models
from kensoku.triton import EmbeddedTriton, embedded_triton

log = logging.getLogger("kensoku.run")


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Who answers, and where others find them."""

    models: Models
    url: str
    metrics_url: str = ""  # of the embedded server


@contextmanager
def serving_models(settings: RunSettings) -> Iterator[ModelServer]:
    """The models as set; where the embedded server cannot run and nobody insisted on it, those in this process."""
    with ExitStack() as opened:
        url, metrics_url = settings.models, ""
        if url == "triton":
            try:
                server = opened.enter_context(started_triton(settings))
                url, metrics_url = server.url, server.metrics_url
            except EmbeddedServerUnusable as error:
                if "models" in settings.model_fields_set:
                    raise
                log.warning("%s", error)
                log.warning("going on with the models in this process, as with --models local")
                url = "local"
        if url == "local":
            url = f"local:{settings.model_repository}"
        yield ModelServer(opened.enter_context(open_models(url)), url, metrics_url)


@contextmanager
def started_triton(settings: RunSettings) -> Iterator[EmbeddedTriton]:
    with embedded_triton(
        settings.home,
        settings.model_repository,
        grpc_port=settings.triton_port,
        metrics_port=settings.triton_metrics_port,
    ) as server:
        log.info("the model server is ready at %s", server.url)
        yield server
