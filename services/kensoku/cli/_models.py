"""Where the models of a command are: which repository, and who answers."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kensoku.cli._bus import CommandSettings
from kensoku.models import default_repository
from kensoku.settings import ServiceSettings
from kensoku.triton import GRPC_PORT


class ModelSettings(CommandSettings):
    model_repository: Annotated[Path, Field(description="folder with a folder a model")] = Field(
        default_factory=default_repository
    )


class AskSettings(ModelSettings):
    """Of commands that ask a model, which need no server."""

    models: Annotated[
        str,
        Field(
            pattern=ServiceSettings.model_fields["models"].metadata[0].pattern,
            description="local (in this process), local:<repository>, triton (embedded) or triton://host:port",
        ),
    ] = "local"

    @property
    def repository(self) -> Path:
        """Where the cards are, also of models that a server answers for."""
        scheme, _, folder = self.models.partition(":")
        return Path(folder) if scheme == "local" and folder else self.model_repository

    @property
    def url(self) -> str:
        if self.models.startswith("local"):
            return f"local:{self.repository}"
        return embedded_or(self.models)


def embedded_or(models: str) -> str:
    """The address of the server that is meant."""
    return f"triton://127.0.0.1:{GRPC_PORT}" if models == "triton" else models
