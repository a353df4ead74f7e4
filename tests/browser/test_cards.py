"""The card of a sweep and a prediction in a real page: nothing is cut, nothing jumps, answers wait for the choice."""

import nbformat
import pytest

from helpers import ROOT

from .lab import PICTURE, SLIDER, JupyterLab, NoBrowserError, browser, find_chromium

SWEEP = """
import time
import numpy as np
from helpers.show.widgets import Sweep, choice, integer, number, pick, text_box

def render(side, kind, size, text, slow):
    time.sleep(slow)
    return np.full((12 * side, 300, 3), 20 * side, np.uint8), f"side {side}, " + "words of the line, " * side

Sweep(render, {"side": integer("side of the picture", 1, 9, 5),
               "size": choice("steps of the training with one vector", [4, 32, 3600]),
               "kind": pick("decoder sees", ["one vector, 900 steps of training", "one vector, 3,600 steps of training",
                                             "attention, 900 steps of training"]),
               "text": text_box("a sentence"), "slow": number("seconds of drawing", 0, 1, step=1)},
      "What to notice.", still=[{"side": 9}], question="Which of the three decoders keeps the order of the words?")
"""
PREDICT = """
from helpers.show.predict import Predict
LONG = "the colour of the background: it is everywhere, and a code of four numbers has no room for all that"
Predict("What is lost first?", ["the shape", "the place", LONG],
        answer="the shape", because=lambda: (np.zeros((40, 900, 3), np.uint8), "Four numbers have no room for it."))
"""
# Words that are wider than their box, sliders too short to use, and parts that reach beyond the card or the window.
CUT = """card => {
    const right = Math.min(card.getBoundingClientRect().right, card.parentElement.getBoundingClientRect().right,
                           innerWidth) + 0.5;
    const find = kinds => [...card.querySelectorAll(kinds)].filter(part => part.getClientRects().length);
    const box = part => part.getBoundingClientRect();
    const small = part => part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 3;
    return [...find('button, .widget-label, .widget-readout, .widget-html-content').filter(small),
            ...find('.noUi-base').filter(track => box(track).width < 120),
            ...find('img').filter(one => Math.abs(box(one).width / box(one).height
                                                  - one.naturalWidth / one.naturalHeight) > 0.05),
            ...find('*:not(.course-spoken)').filter(part => box(part).right > right)]
        .map(part => part.className + ': ' + part.textContent);
}"""
# Where the parts of a card lie, from its own corner: a page may scroll under it.
PLACES = """card => {
    const at = card.getBoundingClientRect();
    return [card, ...card.querySelectorAll('img, button, .noUi-base, .widget-label, .widget-html')]
        .filter(part => part.getClientRects().length)
        .map(part => part.getBoundingClientRect()).map(box => [box.x - at.x, box.y - at.y, box.width, box.height]);
}"""
OPEN = "import ipywidgets.widgets.widget as part; print(len(part._instances))"


@pytest.fixture(scope="module", params=[(1366, 1), (800, 1), (1366, 2)], ids=["laptop", "narrow", "at 200 %"])
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
    width, zoom = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        with JupyterLab(folder) as lab, browser(width, 768, zoom) as chromium:
            page = lab.open(chromium, "cards.ipynb")
            page.page.set_default_timeout(10_000)
            page.run_all()
            yield page


def test_nothing_of_a_card_is_cut_and_its_picture_keeps_its_place(page):
    card = page.sweeps().first
    picture, sliders = card.locator(PICTURE), card.locator(f"{SLIDER}:visible")
    picture.wait_for()
    assert sliders.count() == 2, "three knobs are in view: two sliders and the buttons"
    assert not card.evaluate(CUT)
    below = card.get_by_text("side 5, ").bounding_box()["y"]
    assert below >= picture.bounding_box()["y"] + picture.bounding_box()["height"], "the line stands below"

    places = card.evaluate(PLACES)
    sliders.first.focus()
    for side in (4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9):
        now = int(sliders.first.get_attribute("aria-valuenow").split(".")[0])
        page.page.keyboard.press("ArrowLeft" if side < now else "ArrowRight")
        card.get_by_text(f"side {side}, ").wait_for()
        assert card.evaluate(PLACES) == places, "it jumped"
        assert not card.evaluate(CUT)


def test_more_knobs_open_by_keyboard_and_the_value_is_read_out(page):
    card = page.sweeps().first
    sliders = card.locator(f"{SLIDER}:visible")
    card.locator("button", has_text="2 more knobs").focus()
    page.page.keyboard.press("Enter")
    sliders.nth(2).wait_for()
    assert card.locator("input[type=text]").is_visible() and not card.evaluate(CUT)
    sliders.nth(1).focus()
    page.page.keyboard.press("ArrowRight")
    spoken = card.get_by_role("alert").filter(has_text="steps of the training with one vector: 32.")
    spoken.wait_for(state="attached")
    assert spoken.bounding_box()["width"] <= 1, "read out, not seen"


def test_a_mark_says_that_the_picture_is_not_yet_drawn(page):
    card = page.sweeps().first
    mark, places = card.locator(".course-drawing"), card.evaluate(PLACES)
    card.locator(f"{SLIDER}:visible").nth(2).focus()
    page.page.keyboard.press("ArrowRight")
    mark.wait_for()
    page.page.wait_for_function("() => getComputedStyle(document.querySelector('.course-drawing')).opacity > 0.9")
    assert card.evaluate(PLACES) == places
    mark.wait_for(state="detached")
    assert card.evaluate(PLACES) == places


def test_the_answer_comes_after_the_choice_which_can_be_changed(page):
    card = page.page.locator(".jp-OutputArea-output .course-card", has_text="What is lost first?")
    card.locator("button").first.wait_for()
    assert not card.get_by_text("Four numbers have no room").count() and not card.locator("img").count()
    assert not page.page.get_by_text("Choose one, then open the answer").count(), "the folded form is for other pages"
    assert not card.evaluate(CUT)
    card.locator("button", has_text="the place").focus()
    page.page.keyboard.press("Enter")
    card.get_by_text("✗ You said “the place”: not quite.").wait_for()
    assert card.get_by_text("Four numbers have no room").is_visible() and card.locator("img").is_visible()
    assert not card.evaluate(CUT)
    card.locator("button", has_text="the shape").click()
    card.get_by_text("✓ You said “the shape”: right.").wait_for()
    assert not card.get_by_text("not quite").count()


def test_a_cell_that_runs_again_closes_its_old_card(page):
    before = page.execute(OPEN)
    page.run_all()
    assert page.execute(OPEN) == before, "the old widgets are still alive in the kernel"
    assert page.sweeps().count() == 1
