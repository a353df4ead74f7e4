"""Prose in JupyterLab on a narrow screen: no displayed equation is wider than the page, and what may wait is folded."""

import re

import nbformat
import pytest

from helpers import ROOT
from helpers.course import notebook_files

from .lab import JupyterLab, NoBrowserError, browser, find_chromium

DISPLAYED = re.compile(r"\$\$.+?\$\$", re.DOTALL)
NARROW = 800  # pixels
WIDE = r"$$ w = " + " + ".join(["x_{long}^{2}"] * 40) + " $$"  # the check must see this one
# The cells whose equation reaches beyond its cell, or that MathJax could not read.
TOO_WIDE = """cells => cells.map((cell, number) => {
    const equation = cell.querySelector('mjx-container[display]');
    const room = cell.querySelector('.jp-RenderedMarkdown').getBoundingClientRect();
    const wide = part => part.getBoundingClientRect().right > room.right + 1;
    return !equation || cell.querySelector('mjx-merror') || [...equation.children].some(wide) ? number : -1;
}).filter(number => number >= 0)"""


def equations():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in notebook_files.read_page(path).cells:
            if cell.cell_type == "markdown":
                yield from ((path.name, found) for found in DISPLAYED.findall(cell.source))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    try:
        find_chromium()
    except NoBrowserError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("prose")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_markdown_cell(text) for text in (*(text for _, text in equations()), WIDE)]
    later = nbformat.v4.new_markdown_cell("## What may wait", metadata={notebook_files.FOLDED: True})
    cells += [later, nbformat.v4.new_markdown_cell("a long proof"), nbformat.v4.new_markdown_cell("## What comes next")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "prose.ipynb")
    with JupyterLab(folder) as lab, browser(NARROW, 768) as chromium:
        page = lab.open(chromium, "prose.ipynb").page
        page.set_default_timeout(30_000)
        page.get_by_role("heading", name="What comes next").wait_for()
        yield page


def test_equations_fit_on_a_narrow_screen(page):
    names = [*(f"{name}: {text}" for name, text in equations()), "the wide one"]
    cells = ".jp-MarkdownCell"
    page.wait_for_function("n => document.querySelectorAll('mjx-container[display]').length >= n", arg=len(names))
    found = page.eval_on_selector_all(cells, TOO_WIDE)
    assert [names[number] for number in found if number < len(names)] == ["the wide one"]


def test_a_part_that_may_wait_is_folded_and_opens(page):
    proof = page.locator(".jp-RenderedMarkdown", has_text="a long proof")
    assert not proof.is_visible()
    page.locator(".jp-MarkdownCell", has_text="What may wait").locator(".jp-showHiddenCellsButton").click()
    proof.wait_for()
