"""How much memory this process holds, for what Python's own accounts do not see, such as messages."""

import resource
from pathlib import Path


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
