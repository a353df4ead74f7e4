"""A sitting in the studio, in a real page: twenty moves by mouse and by keyboard, a reload, a restart, a saved file."""

import json

import pytest

from helpers import ROOT
from helpers.lessons.midjourney import by_itself
from helpers.systems.studio import read_png

from .lab import JupyterLab, NoBrowserError, browser, find_chromium

# What the picture shows: (its size on the page, the mean of its pixels, how many colours it has, from its own data).
LOOK = """img => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(img, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return {shown: img.clientWidth, width: canvas.width, height: canvas.height, colours: colours.size, alt: img.alt,
            source: img.src};
}"""
WIDER = """pane => [...pane.querySelectorAll('*')].filter(part => part.getClientRects().length
    && part.getBoundingClientRect().right > Math.min(innerWidth, pane.getBoundingClientRect().right) + 1
    && !part.closest('.studio-cells')).map(part => part.className + part.textContent.slice(0, 40))"""


class Sitting:
    """The pane in the page, as someone uses it."""

    def __init__(self, page):
        self.page = page.page
        self.pane = self.page.locator(".jp-OutputArea-output .studio").first
        self.pane.wait_for(timeout=120_000)

    def type(self, text):
        field = self.pane.locator("input[type=text]").first
        field.click()
        field.fill(text)
        self.page.keyboard.press("Enter")

    def press(self, label):
        """Focus a button and press the space bar: no mouse."""
        self.pane.locator("button", has_text=label).first.focus()
        self.page.keyboard.press("Space")

    def job(self, number, ends):
        """Wait until this job is shown; look at its picture."""
        self.pane.get_by_text(f"Job {number}", exact=True).wait_for(timeout=120_000)
        line = self.pane.locator(".studio-line").inner_text()
        assert ends in line, line
        seen = self.pane.locator(".studio-picture img").evaluate(LOOK)
        assert seen["colours"] > 3 and seen["alt"].split(":")[0] in ("four pictures", "one picture")
        return seen

    def says(self, words):
        self.pane.locator(".studio-says").get_by_text(words).wait_for(timeout=120_000)


@pytest.fixture(scope="module", params=[1366, 800])
def sitting(request, tmp_path_factory):
    try:
        find_chromium()
    except NoBrowserError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("studio")
    (folder / "studio.ipynb").write_text(json.dumps(by_itself.page_of_one_cell(True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        with JupyterLab(folder) as lab, browser(request.param, 900) as chromium:
            chromium.set_default_timeout(120_000)  # a busy machine takes its time
            page = lab.open(chromium, "studio.ipynb")
            page.run_all()
            yield lab, chromium, page, folder


def test_a_sitting_of_twenty_moves(sitting):
    lab, chromium, page, folder = sitting
    here = Sitting(page)
    here.type("/imagine prompt: a big red circle --seed 7")                                             # 1
    grid = here.job(1, "--seed 7")
    assert grid["width"] == grid["height"] > 250 and not here.pane.evaluate(WIDER)
    here.press("U2")                                                                                    # 2
    one = here.job(2, "> U2")
    assert one["width"] == 128 and one["alt"].startswith("one picture")
    here.press("Vary Subtle")                                                                           # 3
    here.job(3, "> U2 > Vary Subtle --seed")
    here.press("V3")                                                                                    # 4
    here.job(4, "> V3 --seed")
    here.press("Reroll")                                                                                # 5
    here.job(5, "> V3 --seed")
    here.press("U1")                                                                                    # 6
    here.job(6, "> U1")
    here.press("Region")                                                                                # 7
    cells = here.pane.locator(".studio-cells button")
    cells.nth(0).click()
    cells.nth(1).focus()
    here.page.keyboard.press("Space")
    here.pane.locator("button", has_text="Draw the region anew").click()                                # 8
    here.job(7, "> Region 0,0-1,0 --seed")
    here.press("U4")                                                                                    # 9
    here.job(8, "> U4")
    here.press("Zoom Out 1.5x")                                                                         # 10
    here.job(9, "> Zoom Out 1.5x --seed")
    here.press("U1")                                                                                    # 11
    here.job(10, "> U1")
    here.press("Pan →")                                                                                 # 12
    wide = here.job(11, "> Pan right --seed")
    assert wide["width"] > 1.4 * wide["height"] and not here.pane.evaluate(WIDER)
    here.press("Pan →")                                                                                 # 13
    here.says("press U1 to U4 first")
    here.type("/imagine prompt: 큰 초록 별 --chaos 100 --seed 3")                                        # 14
    here.job(12, "큰 초록 별")
    here.type("/imagine prompt: a star --sed 3")                                                        # 15
    here.says("did you mean --seed?")
    here.type("/imagine prompt: red apple --emoji --style fluent --stylize 1000 --seed 3")              # 16
    here.job(13, "--style fluent")
    here.pane.locator(".studio-thumbs button").nth(0).click()                                           # 17
    again = here.job(2, "> U2")
    assert again["source"] == one["source"], "what was drawn once never changes"
    with here.page.expect_download() as download:
        here.pane.locator("a[download]").click()                                                        # 18
    saved = folder / "saved.png"
    download.value.save_as(saved)
    assert read_png(saved.read_bytes())[0].presses[0].what == "2"

    page.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")  # 19
    page.page.wait_for_timeout(2000)
    page.page.close()
    page = lab.open(chromium, "studio.ipynb")                                                           # 20: reload
    page.run_all()
    here = Sitting(page)
    with here.page.expect_file_chooser() as chooser:  # the button's field for files is not in the page
        here.pane.locator("button.widget-upload, button.jupyter-widget-upload").first.click()
    chooser.value.set_files(saved)
    here.says("the same byte for byte")
    assert here.job(1, "> U2")["source"] == one["source"], "a saved file is the picture in any sitting"
    here.press("Vary Strong")
    here.job(2, "> U2 > Vary Strong --seed")


def test_a_burst_is_answered_in_order(sitting):
    lab, chromium, _, _ = sitting
    page = lab.open(chromium, "studio.ipynb")
    page.run_all()
    here = Sitting(page)
    here.type("/imagine prompt: a star --seed 1")
    here.job(1, "--seed 1")
    variation = here.pane.locator("button", has_text="V1").first
    variation.evaluate("button => { for (let i = 0; i < 50; i++) button.click(); }")
    page.page.wait_for_function("""() => [...document.querySelectorAll('.studio-says')].some(
        line => /dropped|job \\d+/.test(line.textContent))""", timeout=120_000)
    page.page.wait_for_timeout(12_000)
    jobs = here.pane.locator(".studio-thumbs button:visible").count()
    assert 2 <= jobs <= 12 and not here.pane.get_by_text("could not be drawn").count()
    here.type("U1")
    here.pane.locator(".studio-line").get_by_text("> V1").first.wait_for(timeout=120_000)
