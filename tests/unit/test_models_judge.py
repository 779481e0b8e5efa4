"""What `kensoku models judge` and `settle` write of the data into a card."""

from hashlib import sha256
from pathlib import Path

import pytest

from kensoku.cli._models_judge import with_data
from tests.tiny_models import card


def test_a_card_keeps_the_data_that_its_model_was_trained_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text('{"files": {}}')
    found = with_data(card(), tmp_path)
    assert found.data_sha256 == sha256(b'{"files": {}}').hexdigest()
    assert capsys.readouterr().out == ""
    (tmp_path / "manifest.json").write_text('{"files": {} }')
    assert with_data(found, tmp_path) == found
    assert f"data_sha256 stays {found.data_sha256[:12]}, of the training" in capsys.readouterr().out
