"""What commands that look into a running system share: how they reach its bus, and who is at the keyboard."""

import argparse
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from kensoku.bus import Bus, Options, open_bus
from kensoku.settings import ServiceSettings, add_flags, load_settings, overrides, socket_path


class CommandSettings(ServiceSettings):
    bus_wait_s: Annotated[float, Field(gt=0, description="how long to wait for a broker that does not answer")] = 10.0


def add_bus_flags(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, CommandSettings, only=["bus", "bus_wait_s", "namespace", "home"])


@contextmanager
def open_running_bus(options: argparse.Namespace) -> Iterator[Bus]:
    """The bus as set; `memory://` stands for that of the system that runs on this machine."""
    settings = load_settings(CommandSettings, overrides(options, CommandSettings))
    url = f"memory://{socket_path(settings.home)}" if settings.bus == "memory://" else settings.bus
    with open_bus(url, settings.namespace, Options(wait_s=settings.bus_wait_s)) as bus:
        yield bus


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
