"""The studio's pane without a browser: what is typed and pressed, shown and said, and the cells of a region."""

import asyncio
import base64
import re

import numpy as np
import pytest
from studio_worlds import tiny_session

from helpers.show.pane import RegionCells, StudioPane, boxes_of
from helpers.show.pane.chat import IN_GALLERY, ON_A_GRID, ON_ONE
from helpers.systems.studio.session import MOST_WAITING


@pytest.fixture
def pane(monkeypatch):
    monkeypatch.setenv("COURSE_SYNC_WIDGETS", "1")
    return StudioPane(tiny_session(), lambda job: f"words about {job.number}")


def typed(pane, text):
    pane.typed.value = text
    pane.send.click()


def test_what_is_typed_is_drawn_and_the_line_is_empty_again(pane):
    typed(pane, "/imagine prompt: a red circle")
    assert pane.job.number == 1 and pane.typed.value == ""
    assert 'alt="four pictures: words about 1"' in pane.picture.value and "Download PNG" in pane.line.value
    assert "/imagine prompt: a red circle --seed 101" in pane.line.value and "job 1 is drawn" in pane.says.value


def test_enter_sends_and_leaving_the_field_does_not(pane):
    pane.typed.value = "/imagine prompt: a star"
    assert not pane.session.jobs
    pane.typed._handle_string_msg(None, {"event": "submit"}, [])
    assert len(pane.session.jobs) == 1


def test_every_button_sends_its_own_command_to_the_job_that_is_shown(pane):
    typed(pane, "/imagine prompt: a red circle")
    for label in ON_A_GRID:
        pane._pick(0)
        pane.buttons[label].click()
        assert pane.job.number == len(pane.session.jobs) and f"job {pane.job.number}" in pane.says.value
    lines = [job.text.split(" > ")[-1] for job in pane.session.jobs[1:9]]
    assert lines[:4] == ["U1", "U2", "U3", "U4"] and [line[:2] for line in lines[4:]] == ["V1", "V2", "V3", "V4"]
    assert pane.session.jobs[9].line.presses == () and pane.session.jobs[9].line.asked.seed != 101
    for label in ON_ONE:
        if label != "Region":
            pane._show(pane.session.jobs[1], "")
            pane.buttons[label].click()
            assert pane.job.text.startswith(f"{pane.session.jobs[1].text} > {label} --seed")


def test_a_button_that_does_not_apply_says_why_and_stays(pane):
    pane.buttons["U1"].click()
    assert "there is no picture yet" in pane.says.value
    typed(pane, "/imagine prompt: a red circle")
    for label in ON_ONE:
        pane.buttons[label].click()
        assert "press U1 to U4 first" in pane.says.value and len(pane.session.jobs) == 1
        assert "studio-idle" in pane.buttons[label]._dom_classes
    pane.buttons["U1"].click()
    pane.buttons["V1"].click()
    assert "here is one alone" in pane.says.value
    assert "studio-idle" in pane.buttons["V1"]._dom_classes and "studio-idle" not in pane.buttons["Region"]._dom_classes


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "/imagine <b>"])
def test_nothing_that_is_typed_becomes_html(pane, text):
    typed(pane, text)
    shown = pane.says.value + pane.line.value + pane.picture.value
    assert "<script" not in shown and "onerror=alert(1)>" not in shown and "<b>&lt" not in shown
    assert shown.count("<img") == len(pane.session.jobs)


def test_the_gallery_shows_the_last_jobs_and_brings_one_back(pane):
    for k in range(IN_GALLERY + 3):
        typed(pane, f"/imagine prompt: a star --seed {k}")
    assert pane.thumb_style.value.count("background-image") == IN_GALLERY
    assert "--seed 3" in pane.thumbs[0].tooltip
    pane.thumbs[0].click()
    assert pane.job.line.asked.seed == 3 and "studio-current" in pane.thumbs[0]._dom_classes
    pane.buttons["U2"].click()
    assert pane.job.text == "/imagine prompt: a star --seed 3 > U2"


def test_a_file_is_opened_by_either_version_of_ipywidgets(pane):
    typed(pane, "/imagine prompt: a red circle")
    png = pane.job.png()
    for value in (({"content": memoryview(png)},), {"studio-1.png": {"content": png}}):
        pane._opened({"new": value})
        assert "byte for byte" in pane.says.value
    pane._opened({"new": ({"content": b"no picture"},)})
    assert "no PNG" in pane.says.value and "studio-refused" in pane.says.value and len(pane.session.jobs) == 3


def test_the_downloaded_file_is_the_job(pane):
    typed(pane, "/imagine prompt: 빨간 원")
    name, data = re.search(r'download="([^"]+)" href="data:image/png;base64,([^"]+)"', pane.line.value).groups()
    assert name == "studio-1.png" and base64.b64decode(data) == pane.job.png()


def test_a_burst_on_the_kernel_s_loop_is_answered_in_order_and_the_rest_is_dropped(monkeypatch):
    monkeypatch.delenv("COURSE_SYNC_WIDGETS", raising=False)
    said = []

    async def burst():
        pane = StudioPane(tiny_session())
        pane.says.observe(lambda change: said.append(change["new"]), names="value")
        for k in range(50):
            typed(pane, f"/imagine prompt: a star --seed {k}")
        assert not pane.session.jobs, "nothing is drawn in the handler"
        while pane.session.waiting or pane._answering:
            await asyncio.sleep(0.01)
        return pane

    pane = asyncio.run(burst())
    assert [job.line.asked.seed for job in pane.session.jobs] == list(range(MOST_WAITING))
    assert sum("dropped" in words for words in said) == 50 - MOST_WAITING
    assert pane.job is pane.session.jobs[-1]


def test_without_a_kernel_there_is_a_sheet_of_the_jobs(pane):
    bundle, metadata = pane._repr_mimebundle_()
    assert "image/png" not in bundle
    typed(pane, "/imagine prompt: a red circle")
    pane.buttons["U1"].click()
    bundle, metadata = pane._repr_mimebundle_()
    assert bundle["image/png"] and "1: /imagine prompt: a red circle" in metadata["image/png"]["alt"]


# -- regions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cells", "boxes"), [
    (set(), ""), ({(3, 2)}, "3,2-3,2"), ({(c, r) for c in (1, 2) for r in (4, 5, 6)}, "1,4-2,6"),
    ({(0, 0), (1, 0), (0, 1)}, "0,0-1,0+0,1-0,1"), ({(0, 0), (2, 0)}, "0,0-0,0+2,0-2,0"),
    ({(0, 0), (0, 2)}, "0,0-0,0+0,2-0,2"),
])
def test_cells_as_boxes(cells, boxes):
    assert boxes_of(cells) == boxes


def test_cells_are_marked_one_by_one_or_as_a_box():
    heard = []
    region = RegionCells(np.zeros((32, 48, 3), np.uint8), 4, heard.append)
    assert len(region.cells) == 12 * 8 and region.cells[3, 2].tooltip == "column 3, row 2"
    region.cells[11, 7].value = True
    assert region.marked() == "11,7-11,7"
    region.across.value = (1, 3)
    region.down.value = (2, 4)
    assert region.marked() == "1,2-3,4", "the box takes the place of what was marked"
    region.cells[2, 3].value = False
    region.words.value = " a blue star "
    region.draw.click()
    region.cancel.click()
    assert heard == ["Region 1,2-3,2+1,3-1,3+3,3-3,3+1,4-3,4: a blue star", ""]


def test_a_region_is_marked_and_drawn(pane):
    typed(pane, "/imagine prompt: a red circle")
    pane.buttons["U1"].click()
    pane.buttons["Region"].click()
    table = pane.region.children[0].children[2]
    table.children[9].value = True
    draw, cancel = pane.region.children[0].children[-1].children
    draw.click()
    assert pane.job.text.endswith("> U1 > Region 1,1-1,1 --seed 102") and pane.region.children == ()
    pane._show(pane.session.jobs[1], "")
    pane.buttons["Region"].click()
    pane.region.children[0].children[-1].children[0].click()
    assert "no cell is marked" in pane.says.value and len(pane.session.jobs) == 3
    pane.buttons["Region"].click()
    pane.region.children[0].children[-1].children[1].click()
    assert pane.region.children == () and len(pane.session.jobs) == 3
