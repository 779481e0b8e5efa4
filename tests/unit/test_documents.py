"""The pages of the documentation: what they show is there, and small enough to be kept with the code."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from kensoku.bus.topics import declared_topics
from kensoku.training.datasets.description import read_description
from kensoku.traveltime import load_model

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
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for node in (node for block in blocks for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("kensoku"):
            assert [each.name for each in node.names if not is_in(str(node.module), each.name)] == []


def test_tables_of_settings_that_a_page_shows_are_taken(tmp_path: Path) -> None:
    description, model = (block_of(page, "toml") for page in ("training-data.md", "traveltime.md"))
    assert [source.name for source in read_description(description, "a page").sources] == ["new-zealand"]
    (tmp_path / "basin.toml").write_text(model)
    assert load_model(str(tmp_path / "basin.toml")).name == "basin"


def test_the_python_that_draws_a_catalogue_runs_as_it_stands() -> None:
    found: dict[str, Any] = {}
    exec(block_of("simulation-catalogue.md", "python"), found)
    assert len(found["catalogue"]) > 30_000


def test_the_page_of_the_architecture_names_every_topic() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    names = {topic.name for topic in declared_topics() if not topic.name.endswith(".rejected")}
    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES)
def test_variables_that_a_page_names_are_heeded(page: str) -> None:
    named = set(re.findall(r"\bKENSOKU_[A-Z][A-Z0-9_]*[A-Z0-9]\b(?![_*])", (ROOT / page).read_text("utf-8")))
    assert {name for name in named if name not in KNOWN and name.removeprefix("KENSOKU_").lower() not in KNOWN} == set()


def block_of(page: str, language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return str(block)


def is_in(module: str, name: str) -> bool:
    return hasattr(importlib.import_module(module), name) or importlib.util.find_spec(f"{module}.{name}") is not None
