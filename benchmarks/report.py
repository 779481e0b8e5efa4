"""Show the figures of a benchmark: a table for people, and with --json one object on the last line for programs."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

Figures = Mapping[str, float]


def machine_name() -> str:
    """The processor, its cores and the Python that the figures belong to."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


def show(title: str, figures: Figures) -> None:
    print(f"{title}\n{machine_name()}\n")
    width = max(len(name) for name in figures)
    for name, figure in figures.items():
        print(f"  {name:<{width}}  {figure:>14,.3f}")


def main(title: str, measure: Callable[[], Figures]) -> None:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args()
    figures = measure()
    show(title, figures)
    if options.json:
        print(json.dumps({"machine": machine_name(), **figures}))
