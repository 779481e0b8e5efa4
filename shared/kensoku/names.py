"""Names of files, which need not be text."""

from pathlib import Path


def text_of(name: str | Path) -> str:
    """As messages and files can hold it: bytes that are no UTF-8, as names from an old disk have, are escaped."""
    return str(name).encode(errors="backslashreplace").decode()
