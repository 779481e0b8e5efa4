"""What every source of model answers offers, and which one an address means."""

from pathlib import Path
from typing import Protocol, Self

from kensoku.errors import SettingInvalid
from kensoku.inference._local import LocalModels
from kensoku.inference._signature import Tensors
from kensoku.inference._triton import DEADLINE_S, TritonModels

__all__ = ["DEADLINE_S", "Models", "Tensors", "open_models"]


class Models(Protocol):
    """Thread-safe. The first axis of every tensor counts windows, which a model treats independently of each other."""

    def infer(self, model: str, inputs: Tensors, *, version: str = "", deadline_s: float = DEADLINE_S) -> Tensors:
        """The model's outputs; without a version, the latest that is loaded.

        Raises ModelRefused for a call that does not fit the model, ModelUnknown, and ModelServerUnavailable when
        the deadline passed without an answer.
        """
        ...

    def is_ready(self) -> bool: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_models(url: str) -> Models:
    """Models behind `triton://host:port[,host:port...]`, or `local:<model repository>` for ones in this process."""
    scheme, _, rest = url.partition(":")
    if scheme == "local" and rest:
        return LocalModels(Path(rest))
    if scheme == "triton" and rest.startswith("//"):
        return TritonModels(endpoints(url))
    raise SettingInvalid(
        f"models: found {url!r}, expected triton://host:port[,host:port...] or local:<model repository>"
    )


def endpoints(url: str) -> list[str]:
    """The addresses of a `triton://` URL."""
    addresses = url.removeprefix("triton://").rstrip("/").split(",")
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not url.startswith("triton://") or not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise SettingInvalid(f"models: found {address!r} in {url!r}, expected triton://host:port[,host:port...]")
    return addresses
