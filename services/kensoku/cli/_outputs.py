"""Whether what a command will write has a place, asked before hours of work."""

import os
from pathlib import Path

from kensoku.errors import InputInvalid


def refuse_file(path: Path) -> None:
    """Unless a file can be written there."""
    if path.is_dir():
        raise InputInvalid(f"--out {path}: found a folder, expected the name of a file; add one")
    if not path.parent.is_dir():
        raise InputInvalid(f"--out {path}: found no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise InputInvalid(f"--out {path}: found that {path.parent} cannot be written to; choose another folder")


def refuse_folder(path: Path) -> None:
    """Unless files can be written into a folder of this name, which may be new."""
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise InputInvalid(f"--out {path}: found the file {there}, expected a folder; give another name")
    if not os.access(there, os.W_OK):
        raise InputInvalid(f"--out {path}: found that {there} cannot be written to; choose another folder")
