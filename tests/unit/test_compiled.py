"""What a change of source makes loops be compiled again for."""

from pathlib import Path

import kensoku.associating._block
from kensoku.compiled import _with_loops


def test_only_modules_with_loops_and_what_those_take_from_count() -> None:
    package = Path(kensoku.associating._block.__file__).parent
    names = {path.stem for path in _with_loops(package)}
    assert {"_block", "_fit", "_judge", "_amplitudes", "_arrays"} <= names
    assert not {"_watch", "_life", "_messages", "__init__"} & names


def test_what_a_loop_takes_from_by_way_of_another_module_counts(tmp_path: Path) -> None:
    package = tmp_path / "waves"
    package.mkdir()
    (package / "_loops.py").write_text("from kensoku.compiled import lean\nfrom kensoku.waves._sums import add\n")
    (package / "_sums.py").write_text("from kensoku.waves._numbers import ONE\n")
    (package / "_numbers.py").write_text("ONE = 1\n")
    (package / "_pages.py").write_text("from kensoku.waves._loops import run\n")
    assert [path.stem for path in _with_loops(package)] == ["_loops", "_numbers", "_sums"]
