"""The card of a sweep and a prediction in a real page: nothing is cut, nothing jumps, the answer waits for the choice."""

import nbformat
import pytest

from helpers import ROOT

from .lab import PICTURE, SLIDER, JupyterLab, NoBrowserError, browser, find_chromium

SWEEP = """
import numpy as np
from helpers.show.widgets import Sweep, choice, integer, number, pick, text_box

def render(side, kind, size, text, temperature):
    return np.full((12 * side, 180, 3), 20 * side, np.uint8), f"side {side}, " + "words of the line, " * side

Sweep(render, {"side": integer("side of the picture", 1, 9, 5),
               "size": choice("steps of the training with one vector", [4, 32, 3600]),
               "kind": pick("decoder sees", ["one vector, 900 steps", "one vector, 3,600 steps", "attention, 900 steps"]),
               "text": text_box("a sentence"), "temperature": number("temperature", 0, 9)},
      "What to notice.", still=[{"side": 9}], question="Which of the three decoders keeps the order of the words?")
"""
PREDICT = """
from helpers.show.predict import Predict
Predict("What is lost first?", ["the shape", "the place", "the colour of the background, for it is everywhere else"],
        answer="the shape", because=lambda: (np.zeros((40, 900, 3), np.uint8), "Four numbers have no room for it."))
"""
# Words that are wider than their box, and parts that reach beyond the card's frame.
CUT = """card => {
    const right = card.getBoundingClientRect().right + 0.5, seen = part => part.getClientRects().length;
    const find = kinds => [...card.querySelectorAll(kinds)].filter(seen);
    const words = find('button, .widget-label, .widget-readout, .widget-html-content');
    const parts = find('*:not(.course-spoken)');
    const small = part => part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 3;
    return [...words.filter(small),
            ...parts.filter(part => part.getBoundingClientRect().right > right)]
        .map(part => part.className + ': ' + part.textContent);
}"""


@pytest.fixture(scope="module", params=[1366, 800, 683], ids=["laptop", "narrow", "laptop at 200 %"])
def page(request, tmp_path_factory):
    try:
        find_chromium()
    except NoBrowserError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("cards")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (SWEEP, PREDICT)]
    nbformat.write(notebook, folder / "cards.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        with JupyterLab(folder) as lab, browser(request.param, 768) as chromium:
            page = lab.open(chromium, "cards.ipynb")
            page.run_all()
            yield page


def test_nothing_of_a_card_is_cut_and_its_picture_keeps_its_place(page):
    card = page.sweeps().first
    picture, sliders = card.locator(PICTURE), card.locator(f"{SLIDER}:visible")
    picture.wait_for()
    assert sliders.count() == 2, "three knobs are in view: two sliders and the buttons"
    assert not card.evaluate(CUT)
    assert card.evaluate("card => card.parentElement.scrollWidth <= card.parentElement.clientWidth"), "it fits the page"

    below = card.get_by_text("What to notice.", exact=True)
    box, note = picture.bounding_box(), below.bounding_box()
    sliders.first.focus()
    for side in (4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9):
        now = int(sliders.first.get_attribute("aria-valuenow").split(".")[0])
        page.page.keyboard.press("ArrowLeft" if side < now else "ArrowRight")
        card.get_by_text(f"side {side}, ").wait_for(timeout=5000)
        assert picture.bounding_box() == box and below.bounding_box() == note, "it jumped"
        assert not card.evaluate(CUT)


def test_more_knobs_open_by_keyboard_and_the_value_is_read_out(page):
    card = page.sweeps().first
    sliders = card.locator(f"{SLIDER}:visible")
    card.locator("button", has_text="2 more knobs").focus()
    page.page.keyboard.press("Enter")
    sliders.nth(2).wait_for(timeout=5000)
    assert card.locator("input[type=text]").is_visible() and not card.evaluate(CUT)
    sliders.nth(1).focus()
    page.page.keyboard.press("ArrowRight")
    spoken = card.locator("[role=alert]", has_text="steps of the training with one vector: 32")
    spoken.wait_for(timeout=5000, state="attached")


def test_the_answer_comes_after_the_choice_which_can_be_changed(page):
    card = page.page.locator(".jp-OutputArea-output .course-card", has_text="What is lost first?")
    card.locator("button").first.wait_for()
    assert not card.get_by_text("Four numbers have no room").count() and not card.locator("img").count()
    assert not page.page.get_by_text("Choose one, then open the answer").count(), "the folded form is for other pages"
    assert not card.evaluate(CUT)
    card.locator("button", has_text="the place").focus()
    page.page.keyboard.press("Enter")
    card.get_by_text("✗ You said “the place”: not quite.").wait_for(timeout=5000)
    assert card.get_by_text("Four numbers have no room").is_visible() and card.locator("img").is_visible()
    assert not card.evaluate(CUT)
    card.locator("button", has_text="the shape").click()
    card.get_by_text("✓ You said “the shape”: right.").wait_for(timeout=5000)
    assert not card.get_by_text("not quite").count()
