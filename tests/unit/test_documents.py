"""The pages of the documentation: what they show is there, and small enough to be kept with the code."""

import argparse
import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kensoku.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in DOCS.glob("*.md"))]
LARGEST_FIGURE = 80_000  # bytes
CODE = [path for part in ("shared", "services", "training", "deploy_k8s") for path in (ROOT / part).rglob("*.*")]
KNOWN = "\n".join(path.read_text("utf-8") for path in CODE if path.suffix in {".py", ".yaml", ".yml"})


@pytest.mark.parametrize("page", sorted(page.name for page in DOCS.glob("*.md")))
def test_figures_and_pages_that_a_page_names_are_there(page: str) -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (DOCS / page).read_text("utf-8"))
    assert [name for name in named if not (DOCS / name).exists()] == []
    figures = [DOCS / name for name in named if name.endswith(".png")]
    assert [figure.name for figure in figures if figure.stat().st_size > LARGEST_FIGURE] == []


@pytest.mark.parametrize("page", PAGES)
def test_python_that_a_page_shows_imports_what_there_is(page: str) -> None:
    for language, block in blocks(page):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kensoku"):
                module = importlib.import_module(str(node.module))
                assert [each.name for each in node.names if not is_in(module, each.name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_page_shows_have_the_options_that_it_gives_them(page: str) -> None:
    for language, block in blocks(page):
        for line in re.sub(r"\\?\n {4,}", " ", block).splitlines() if language in ("", "sh") else ():
            if found := re.match(r"(?:\.venv/bin/)?kensoku ([a-z-]+)(?: ([a-z]+))?\b", line):
                given = re.findall(r"(?<!\S)\[?(--[a-z][a-z-]*)", line.partition("#")[0])
                assert [option for option in given if option not in options_of(*found.groups())] == [], line


@pytest.mark.parametrize("page", PAGES)
def test_variables_that_a_page_names_are_heeded(page: str) -> None:
    named = set(re.findall(r"\bKENSOKU_[A-Z][A-Z0-9_]*[A-Z0-9]\b(?![_*])", (ROOT / page).read_text("utf-8")))
    assert {name for name in named if name not in KNOWN and name.removeprefix("KENSOKU_").lower() not in KNOWN} == set()


def blocks(page: str) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def is_in(module: object, name: str) -> bool:
    try:
        return hasattr(module, name) or bool(importlib.import_module(f"{module.__name__}.{name}"))  # type: ignore[attr-defined]
    except ModuleNotFoundError:
        return False


def options_of(command: str, action: str | None) -> set[str]:
    assert command in COMMANDS, f"kensoku {command}"
    parser = argparse.ArgumentParser()
    importlib.import_module(f"kensoku.cli.{command}").configure(parser)
    found = set(parser._option_string_actions)
    for each in parser._actions:
        if isinstance(each, argparse._SubParsersAction) and action in each.choices:
            found |= set(each.choices[action]._option_string_actions)
    return found
