"""The pages of the documentation: what they show is there, and small enough to be kept with the code."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LARGEST_FIGURE = 80_000  # bytes


@pytest.mark.parametrize("page", sorted(page.name for page in DOCS.glob("*.md")))
def test_figures_and_pages_that_a_page_names_are_there(page: str) -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (DOCS / page).read_text("utf-8"))
    assert [name for name in named if not (DOCS / name).exists()] == []
    figures = [DOCS / name for name in named if name.endswith(".png")]
    assert [figure.name for figure in figures if figure.stat().st_size > LARGEST_FIGURE] == []
