"""A sweep draws the newest values, few times, and says what went wrong; on ipywidgets 7.7.1 as on 8."""

import ast
import asyncio
import base64
import gc
import io
import selectors
import subprocess
import sys
import threading
import weakref

import ipywidgets
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel
from PIL import Image

from helpers import ROOT
from helpers.show.widgets import Sweep, choice, integer, number, pick, text_box

# What ipywidgets 7.7.1 and 8.1 both have. Stack, TagsInput, TimePicker and Tab(titles=...) came with 8.
SHARED = {
    "IntSlider", "FloatSlider", "FloatLogSlider", "SelectionSlider", "Dropdown", "ToggleButtons",
    "RadioButtons", "Checkbox", "Button", "ToggleButton", "Text", "Textarea", "Combobox", "Label", "HTML", "Image",
    "Output", "Tab", "Accordion", "HBox", "VBox", "GridBox", "Play", "IntProgress", "Layout", "Widget",
}


def grey(level=0, **others):
    """A picture of one grey, and the level in words."""
    if level == 13:
        raise RuntimeError("no picture for <13>")
    return np.full((6, 8, 3), level, np.uint8), f"level {level}"


def decode(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def sweep(**options) -> Sweep:
    return Sweep(grey, {"level": integer("grey level", 0, 255)}, "Grey is grey.", **options)


@pytest.fixture
def live(monkeypatch):
    """As in a learner's kernel: a render is scheduled, not run inside its handler."""
    monkeypatch.delenv("COURSE_SYNC_WIDGETS", raising=False)


@pytest.fixture
def sync(monkeypatch):
    """As in the course's own test run."""
    monkeypatch.setenv("COURSE_SYNC_WIDGETS", "1")


class NoWait(selectors.DefaultSelector):
    """Where the event loop would sleep, the clock of the loop is put forward instead."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0
        return super().select(timeout and 0)


def run_unhurried(task):
    """asyncio.run in time that passes only while all sleep: pauses are as long as they say on any machine."""
    def factory():
        loop = asyncio.SelectorEventLoop(selector := NoWait())
        loop.time = lambda: selector.now
        return loop

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(task)


# -- one move --------------------------------------------------------------------------------------


def test_a_move_changes_the_picture_and_the_status(sync):
    s = sweep()
    first = s.image.value
    s.knobs["level"].value = 200
    assert s.image.value != first
    assert (decode(s.image.value) == 200).all()
    assert "level 200" in s.status.value


def test_under_test_an_error_reaches_the_test_and_the_reader(sync):
    s = sweep()
    last = s.image.value
    with pytest.raises(RuntimeError, match="no picture"):
        s.knobs["level"].value = 13
    assert "cannot be drawn" in s.status.value and "no picture for &lt;13&gt;" in s.status.value
    assert s.image.value == last
    s.knobs["level"].value = 14
    assert "level 14" in s.status.value, "the next setting works again"


def test_a_live_error_is_shown_and_the_sweep_goes_on(live):
    async def run():
        s = sweep()
        for level in (13, 14):
            s.knobs["level"].value = level
            await asyncio.sleep(0.05)
            assert ("cannot be drawn" in s.status.value) == (level == 13)

    run_unhurried(run())


def test_without_a_kernel_each_move_is_drawn_at_once(live):
    s = sweep()
    s.knobs["level"].value = 5
    assert (decode(s.image.value) == 5).all()


def test_words_are_escaped(sync):
    s = Sweep(lambda text: (np.zeros((2, 2, 3), np.uint8), text), {"text": text_box("prompt")}, "A <b> caption")
    s.knobs["text"].value = "<script>alert(1)</script>"
    assert "<script>" not in s.status.value and "&lt;script&gt;" in s.status.value
    assert "A &lt;b&gt; caption" in s.view.children[-1].value


# -- bursts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [0, 0.001, 0.003])
def test_a_burst_of_100_events_makes_at_most_two_renders_and_the_last_one_wins(live, pause):
    async def run():
        s = sweep()
        s.renders = 0
        for level in range(100, 200):
            s.knobs["level"].value = level
            await asyncio.sleep(pause)
        await asyncio.sleep(0.1)
        return s

    s = run_unhurried(run())
    assert s.renders <= 2
    assert (decode(s.image.value) == 199).all()


def test_a_single_move_is_drawn_at_once_and_a_long_drag_is_followed(live):
    async def run():
        s = sweep()
        s.renders = 0
        s.knobs["level"].value = 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert s.renders == 1, "the first event must not wait"
        for level in range(2, 250):  # one second without a pause
            s.knobs["level"].value = level
            await asyncio.sleep(0.004)
        return s.renders

    assert run_unhurried(run()) >= 2


def test_events_from_another_thread_are_drawn_on_the_kernels_loop(live):
    seen = set()

    def render(level):
        seen.add(threading.get_ident())
        return grey(level)

    async def run():
        s = Sweep(render, {"level": integer("level", 0, 255)}, "c")
        for level in (50, 60):
            await asyncio.to_thread(setattr, s.knobs["level"], "value", level)
            await asyncio.sleep(0.05)
        assert (decode(s.image.value) == 60).all()

    run_unhurried(run())
    assert seen == {threading.get_ident()}


KERNEL_CODE = f"""
import os, sys; sys.path.insert(0, {str(ROOT)!r}); os.environ.pop("COURSE_SYNC_WIDGETS", None)
import numpy as np
from helpers.show import widgets
from helpers.show.widgets import Sweep, integer
widgets.REST, widgets.LONGEST_WAIT = 0.5, 30  # messages that a busy machine brings late are still of one burst
render = lambda level: (np.full((96, 96, 3), level, np.uint8), str(level))
s = Sweep(render, {{"level": integer("level", 0, 255)}}, "caption")
s.renders = 0
print(s.knobs["level"].model_id)
"""


def test_100_queued_slider_messages_make_at_most_two_renders_in_a_real_kernel():
    manager, client = start_new_kernel()
    printed = []

    def run(code):
        printed.clear()
        hook = lambda message: printed.append(message["content"].get("text", ""))  # noqa: E731
        reply = client.execute_interactive(code, timeout=60, output_hook=hook)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed).strip()

    try:
        model = run(KERNEL_CODE)
        for level in range(1, 101):
            state = {"method": "update", "state": {"value": level}, "buffer_paths": []}
            client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": model, "data": state}))
        run("import asyncio\nwhile s._drawn < 100: await asyncio.sleep(0.1)")
        renders, line = run("print(s.renders, s.status.value)").split(maxsplit=1)
        assert "<b>100</b>" in line
        assert int(renders) <= 2
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_moves_leave_nothing_behind(sync):
    s = sweep()
    s.knobs["level"].value = 1

    def alive():
        gc.collect()
        return sum(issubclass(type(thing), ipywidgets.Widget) for thing in gc.get_objects())

    before = alive()
    for level in range(20, 120):
        s.knobs["level"].value = level
    assert alive() == before


CELL = """
import numpy as np
from helpers.show.widgets import Sweep, integer
big = np.zeros(1_000_000)
def make(kept):
    render = lambda level: (np.full((2, 2, 3), level + kept[0], np.uint8), "")
    return Sweep(render, {"level": integer("n", 0, 9)}, "big")
made = make(big)
made
"""


def test_a_cell_that_is_run_again_frees_what_its_last_widget_held():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    held, counts, keep = [], [], []
    for _ in range(3):
        shell.run_cell(CELL, store_history=True).raise_error()
        held.append(weakref.ref(shell.user_ns["big"]))
        keep.append(shell.user_ns["made"])  # as Out does
        gc.collect()
        found = [thing for thing in gc.get_objects() if issubclass(type(thing), ipywidgets.Widget)]
        counts.append(sum(thing.comm is not None for thing in found))
    assert [big() is None for big in held] == [True, True, False]
    assert counts[0] == counts[1] == counts[2]
    keep[-1].knobs["level"].value = 3
    assert (decode(keep[-1].image.value) == 3).all(), "the newest works"
    with pytest.raises(RuntimeError, match="run again"):
        keep[0].sheet()


def test_two_widgets_of_one_run_both_live():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell(CELL + "other = make(big)", store_history=True).raise_error()
    for name in ("made", "other"):
        shell.user_ns[name].sheet()


# -- the card ------------------------------------------------------------------------------------


def sized(side, wide=1):
    return np.full((side, 2 * side * wide, 3), side, np.uint8), "word " * side


def test_the_picture_keeps_the_size_of_the_largest_and_the_line_its_height(sync):
    s = Sweep(sized, {"side": integer("side", 10, 60), "wide": choice("wide", [1, 2])}, "c", still=[{"side": 40}])
    s._repr_mimebundle_()
    assert decode(s.image.value).shape == (40, 80, 3), "the still's largest picture holds the room from the start"
    width, height = s.image.layout.width, s.status.layout.min_height
    for side in (20, 10, 40):
        s.knobs["side"].value = side
        picture = decode(s.image.value)
        assert picture.shape == (40, 80, 3) and (picture[:side, : 2 * side] == side).all()
        assert (picture[side:] == 255).all() and (picture[:, 2 * side :] == 255).all(), "the rest is white paper"
        assert (s.image.layout.width, s.status.layout.min_height) == (width, height)
    s.knobs["side"].value = 60
    s.knobs["side"].value = 10
    assert decode(s.image.value).shape == (60, 120, 3), "room is never given back"
    assert float(s.status.layout.min_height[:-2]) > float(height[:-2])


def test_a_small_picture_is_enlarged_and_a_large_one_is_not():
    def width(*shape):
        s = Sweep(lambda: (np.zeros((*shape, 3), np.uint8), ""), {}, "c")
        return int(s.image.layout.width[:-2])

    assert width(50, 60) == 180 and width(200, 300) == 600 and width(350, 800) == 800
    assert width(400, 1200) == 1200, "the page, not we, makes it smaller"


def test_while_a_picture_is_drawn_the_line_says_so_and_keeps_its_words(sync):
    seen = []

    def render(level):
        seen.append(s.status.value if level else "")
        return grey(level)

    s = Sweep(render, {"level": integer("level", 0, 255)}, "c")
    s.knobs["level"].value = 5
    assert "drawing …" in seen[-1] and "level 0" in seen[-1] and 'role="alert"' not in seen[-1]
    assert "drawing" not in s.status.value
    s = Sweep(grey, {"level": integer("level", 0, 255)}, "c")
    with pytest.raises(RuntimeError):
        s.knobs["level"].value = 13
    assert "drawing" not in s.status.value


def test_at_most_three_knobs_are_in_view_until_the_button_is_pressed(sync):
    def shown(count):
        knobs = {f"k{i}": integer(f"knob {i}", 0, 9) for i in range(count)}
        s = Sweep(lambda **levels: grey(sum(levels.values())), knobs, "c")
        return s, s.view.children[1].children

    s, board = shown(5)
    assert list(board[:3]) == [s.knobs[f"k{i}"] for i in range(3)] and board[3] is s.card.more
    assert s.card.hidden.children == (s.knobs["k3"], s.knobs["k4"]) and s.card.hidden.layout.display == "none"
    s.knobs["k4"].value = 7
    assert "level 7" in s.status.value, "a hidden knob works"
    assert "2 more knobs" in s.card.more.description
    s.card.more.value = True
    assert s.card.hidden.layout.display is None
    s.card.more.value = False
    assert s.card.hidden.layout.display == "none"
    assert shown(4)[0].card.more.description.endswith("1 more knob")
    s, board = shown(3)
    assert s.card.more.layout.display == "none" and not s.card.hidden.children


def test_the_value_that_a_slider_stands_on_is_read_out_and_not_its_index(sync):
    s = Sweep(grey, {"level": choice("code <size>", [4, 32, 128])}, "c")
    assert "code" not in s.status.value
    s.knobs["level"].value = 128
    assert '<span class="course-spoken" role="alert">code &lt;size&gt;: 128. </span><b>level 128' in s.status.value


def test_the_question_stands_above_the_knobs_and_in_print(sync):
    s = sweep(question="Which <grey>?")
    assert ">Which &lt;grey&gt;?</b>" in s.view.children[0].value and "<b" not in sweep().view.children[0].value
    assert len(s.sheet()) > len(sweep().sheet()), "the still has the question above it"


# -- the page --------------------------------------------------------------------------------------


def test_the_last_line_of_a_cell_and_display_give_one_output_in_three_forms():
    from IPython.core.interactiveshell import InteractiveShell

    s = sweep(still=[{"level": 10}, {"level": 20}])
    data, metadata = InteractiveShell.instance().display_formatter.format(s)
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == s.view.model_id
    assert data["text/plain"] == metadata["image/png"]["alt"] == "Grey is grey."
    assert (decode(base64.b64decode(data["image/png"])) == s.sheet()).all()


def test_the_still_shows_every_setting_with_the_other_knobs_as_they_were_first():
    drawn = []

    def render(level, start):
        drawn.append((level, start))
        return np.full((30, 300, 3), level, np.uint8), "status"

    knobs = {"level": choice("level", [7, 70, 170], value=70), "start": integer("start", 0, 9, value=4)}
    s = Sweep(render, knobs, "caption", still=[{"level": 7}, {"level": 70}, {"level": 170}])
    knobs["start"].value = 5
    drawn.clear()
    sheet = s.sheet()
    assert drawn == [(7, 4), (70, 4), (170, 4)]
    for level in (7, 70, 170):
        assert (sheet == level).all(-1).sum() >= 30 * 300, f"the picture of level {level} is missing"
    assert sheet.shape[1] <= 980
    bare = Sweep(render, knobs, "caption").sheet()
    assert (bare == 70).all(-1).sum() >= 30 * 300, "without settings the still is the first picture"


def test_render_must_return_a_picture_and_a_line():
    with pytest.raises(TypeError, match="picture, status line"):
        Sweep(lambda a: np.zeros((2, 2, 3), np.uint8), {"a": integer("a", 0, 1)}, "c")
    with pytest.raises(ValueError, match="uint8"):
        Sweep(lambda a: (np.zeros((2, 2, 3)), "s"), {"a": integer("a", 0, 1)}, "c")
    with pytest.raises(ValueError, match=r"\['other'\]; the knobs are \['level'\]"):
        sweep(still=[{"other": 1}])


def test_a_slow_render_waits_for_the_slider_to_be_let_go():
    assert sweep().knobs["level"].continuous_update is True
    assert sweep(continuous=False).knobs["level"].continuous_update is False
    assert text_box("prompt").continuous_update is False


def test_the_knobs():
    assert choice("size", [1, 2, 4], value=2).value == 2 and choice("size", [1, 2]).value == 1
    assert integer("n", 3, 9, step=2).value == 3 and number("x", 0.5, 2).value == 0.5
    assert isinstance(pick("kind", ["a", "b"]), ipywidgets.ToggleButtons)
    assert isinstance(pick("kind", list("abcde"), value="c"), ipywidgets.Dropdown)
    with pytest.raises(Exception, match="(?i)invalid|not found"):
        choice("size", [1, 2], value=3)


# -- ipywidgets 7.7.1 ------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["widgets", "card", "predict", "prompt_box", "stepper"])
def test_only_widgets_that_7_and_8_share_are_used(file):
    tree = ast.parse((ROOT / "helpers" / "show" / f"{file}.py").read_text("utf-8"))
    used = {node.attr for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "widgets"}
    assert used and used <= SHARED, f"not in ipywidgets 7.7.1: {sorted(used - SHARED)}"
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    traits = {keyword.arg for call in calls for keyword in call.keywords}
    assert not traits & {"titles", "behavior", "tabbable"}, "traits that came with ipywidgets 8"


def test_the_rest_does_not_need_ipywidgets():
    modules = "helpers.show.figures, helpers.course.checks, helpers.show.source"
    code = f"import sys, {modules}; assert 'ipywidgets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
