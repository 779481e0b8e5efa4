"""`kensoku triton`: install and run the embedded model server."""

import argparse
from pathlib import Path

from kensoku.models import default_repository
from kensoku.runtime import configure_logs, stop_on_signals
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import embedded_triton, install

GRPC_PORT, METRICS_PORT = 8001, 8002  # Triton's own defaults


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetch = actions.add_parser("install", help="fetch and unpack the server below KENSOKU_HOME")
    fetch.set_defaults(execute=install_server)
    run = actions.add_parser("run", help="serve a model repository until stopped")
    run.add_argument("--repository", type=Path, default=default_repository(), help="default: %(default)s")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    run.add_argument("--grpc-port", type=int, default=GRPC_PORT, help="default: %(default)s; 0: a free one")
    run.add_argument("--metrics-port", type=int, default=METRICS_PORT, help="default: %(default)s; 0: a free one")
    run.set_defaults(execute=run_server)


def install_server(_: argparse.Namespace) -> int:
    print(install(load_settings(ServiceSettings).home))
    return 0


def run_server(options: argparse.Namespace) -> int:
    settings = load_settings(ServiceSettings)
    configure_logs(settings.log_format)
    with (
        stop_on_signals() as stop,
        embedded_triton(
            settings.home,
            options.repository,
            host=options.host,
            grpc_port=options.grpc_port,
            metrics_port=options.metrics_port,
        ) as server,
    ):
        print(f"serving {options.repository} at {server.url}, metrics at {server.metrics_url}; Ctrl-C stops it")
        stop.wait()
    return 0
