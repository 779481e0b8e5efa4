"""`kensoku triton`: install and run the embedded model server."""

import argparse
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kensoku.models import default_repository
from kensoku.runtime import configure_logs, stop_on_signals
from kensoku.settings import ServiceSettings, add_flags, load_settings, overrides
from kensoku.triton import GRPC_PORT, METRICS_PORT, embedded_triton, install


class TritonSettings(ServiceSettings):
    model_repository: Annotated[Path, Field(description="folder with a folder a model")] = Field(
        default_factory=default_repository
    )
    triton_host: Annotated[str, Field(min_length=1, description="address the server listens on")] = "127.0.0.1"
    triton_port: Annotated[int, Field(ge=0, le=65535, description="its gRPC port, 0: any")] = GRPC_PORT
    triton_metrics_port: Annotated[int, Field(ge=0, le=65535, description="port of its metrics, 0: any")] = METRICS_PORT


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetch = actions.add_parser("install", help="fetch and unpack the server below KENSOKU_HOME")
    add_flags(fetch, TritonSettings, only=["home"])
    fetch.set_defaults(execute=install_server)
    run = actions.add_parser("run", help="serve a model repository until stopped")
    own = TritonSettings.model_fields.keys() - ServiceSettings.model_fields.keys()
    add_flags(run, TritonSettings, only={"home", "log_format", "log_level", *own})
    run.set_defaults(execute=run_server)


def install_server(options: argparse.Namespace) -> int:
    print(install(load_settings(TritonSettings, overrides(options, TritonSettings)).home))
    return 0


def run_server(options: argparse.Namespace) -> int:
    settings = load_settings(TritonSettings, overrides(options, TritonSettings))
    configure_logs(settings.log_format, settings.log_level)
    with (
        stop_on_signals() as stop,
        embedded_triton(
            settings.home,
            settings.model_repository,
            host=settings.triton_host,
            grpc_port=settings.triton_port,
            metrics_port=settings.triton_metrics_port,
        ) as server,
    ):
        print(f"serving {settings.model_repository} at {server.url}, metrics at {server.metrics_url}", flush=True)
        while not stop.wait(1.0):  # without a limit, Python may sleep through a signal that comes as it goes to sleep
            pass
    return 0
