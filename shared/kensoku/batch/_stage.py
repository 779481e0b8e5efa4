"""The models that decide, and who answers for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku.detection import Picker, Stage
from kensoku.errors import ModelRefused
from kensoku.inference import Models, open_models, versions_in
from kensoku.models import file_sha256
from kensoku.picking import CARD, read_card

FIRST = "picker_first"  # looks at every second where there is one, and the live picker where it sees something


@contextmanager
def open_picker(repository: Path, url: str, name: str, threshold: float | None = None) -> Iterator[Picker]:
    """The newest version of a picker in a repository, answered for at `url`; its threshold may be replaced."""
    with open_models(url) as models:
        final = _stage(repository, models, name)
        if threshold is not None:
            card = replace(final.card, threshold=replace(final.card.threshold, p=threshold, s=threshold))
            final = replace(final, card=card)
        is_live = final.card.look_ahead_s is not None and name != FIRST
        has_first = is_live and (repository / FIRST / CARD).is_file()
        yield Picker(final, _stage(repository, models, FIRST) if has_first else None)


def _stage(repository: Path, models: Models, name: str) -> Stage:
    card = read_card(repository, name)
    if card.kind != "picker":
        raise ModelRefused(f"model {name!r}: found a {card.kind}, expected a picker; name another with --model")
    version = max(versions_in(repository, name), key=int, default="1")

    def ask(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        said = models.infer(name, {"counts": counts}, version=version)
        if "probabilities" not in said:
            raise ModelRefused(f"model {name!r}: found outputs {', '.join(said)}, expected probabilities")
        return np.asarray(said["probabilities"], dtype=np.float32)

    return Stage(name, card, ask, version, file_sha256(repository, name, version))
