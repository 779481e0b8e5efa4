"""A file has its name only once it is whole."""

from pathlib import Path

import pytest

from kensoku.whole_files import written_whole


def test_a_file_that_ended_badly_is_as_it_was_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picks.csv"
    with written_whole(path) as temporary:
        temporary.write_text("whole")
    with pytest.raises(ValueError, match="none"), written_whole(path) as temporary, temporary.open("w") as file:
        file.write(f"half{int('none')}")
    assert path.read_text() == "whole"
    assert [each.name for each in tmp_path.iterdir()] == ["picks.csv"]
