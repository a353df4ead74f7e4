"""Pictures keep their range and their place, PNG bytes decode to the same, and curves can be told apart."""

import base64
import io
import re
import time
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import ROOT
from helpers.data.sets import load_emoji
from helpers.show import figures, raster
from helpers.show.raster import draw_text

RED = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None]


def decode(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture
def shown(monkeypatch):
    """What the functions under test hand to the notebook: a list of (bundle, metadata)."""
    outputs = []

    def display(bundle, raw, metadata=None):
        outputs.append((bundle, metadata))

    monkeypatch.setattr(figures, "display", display)
    return outputs


# -- range -----------------------------------------------------------------------------------------


def test_to_uint8_maps_the_fixed_range_and_nothing_else():
    x = torch.tensor([-1.0, 0.0, 1.0]).reshape(3, 1, 1, 1).expand(3, 3, 2, 2)
    assert figures.to_uint8(x)[:, 0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3]
    dim = figures.to_uint8(torch.full((1, 1, 2, 2), -0.5))
    assert dim.shape == (1, 2, 2, 3) and (dim == 64).all(), "a dim picture must stay dim, not be stretched"


@given(st.integers(0, 255))
def test_to_uint8_inverts_the_usual_scaling(level):
    x = torch.full((1, 3, 1, 1), level / 127.5 - 1)
    assert (figures.to_uint8(x) == level).all()
    assert (figures.to_uint8(figures.to_uint8(x)) == level).all()


@pytest.mark.parametrize(
    "images, message",
    [
        (torch.full((1, 3, 2, 2), 1.2), r"from 1.2 to 1.2.*clamp"),
        (torch.full((1, 3, 2, 2), torch.nan), r"\[-1, 1\]"),
        (torch.zeros(3, 2, 2), r"\(B, C, H, W\)"),
        (torch.zeros(1, 2, 2, 2), r"C = 1 or 3"),
        (torch.zeros(1, 3, 2, 2, dtype=torch.int64), "int64"),
    ],
)
def test_to_uint8_refuses_what_would_hide_a_mistake(images, message):
    with pytest.raises(ValueError, match=message):
        figures.to_uint8(images)


def test_error_map_has_a_fixed_scale():
    black, white = -torch.ones(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    top = (np.array(matplotlib.colormaps["magma"](1.0)[:3]) * 255).astype(np.uint8)
    assert figures.error_map(black, black).max() <= 4
    assert (figures.error_map(black, white) == top).all()
    assert (figures.error_map(black, black + 1, limit=0.5) == top).all(), "half of the range is the limit"
    halves = figures.error_map(black, black + 0.5)
    assert (halves == figures.error_map(white, white - 0.5)).all(), "the sign must not matter"
    with pytest.raises(ValueError, match="one shape"):
        figures.error_map(black, white[:, :1])


# -- tiles -----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 4), st.integers(1, 3))
def test_tile_puts_every_picture_in_its_place(count, columns, scale, gap, size):
    x = np.random.default_rng(0).integers(0, 255, (count, size, size + 1, 3), dtype=np.uint8)
    canvas = figures.tile(x, columns, scale=scale, gap=gap)
    across, rows = min(columns, count), -(-count // columns)
    height, width = size * scale, (size + 1) * scale
    edge = 1 if gap >= 2 else 0  # the hairline
    border = 2 * edge - gap
    assert canvas.shape == (rows * (height + gap) + border, across * (width + gap) + border, 3)
    used = np.zeros(canvas.shape[:2], bool)
    for i in range(count):
        y, z = i // across * (height + gap) + edge, i % across * (width + gap) + edge
        assert (canvas[y : y + height, z : z + width] == np.kron(x[i], np.ones((scale, scale, 1)))).all()
        used[y - edge : y + height + edge, z - edge : z + width + edge] = True
        if edge:
            assert (canvas[y - 1, z - 1 : z + width + 1] == raster.FRAME).all()
    assert (canvas[~used] == 255).all()


def test_tile_takes_rows_as_a_list_and_labels_them():
    x = RED.expand(4, 3, 8, 8)
    canvas = figures.tile([x, -x], 4, scale=3, row_labels=["input", "output"], column_labels="abcd")
    plain = figures.tile([x, -x], 4, scale=3)
    assert (canvas[-plain.shape[0] :, -plain.shape[1] :] == plain).all()
    margin = canvas[:, : -plain.shape[1]]
    assert (margin < 128).any(), "the row labels are drawn in the margin"
    assert (canvas[: -plain.shape[0]] < 128).any(), "the column labels are drawn above"
    under = figures.tile(x, 4, scale=3, labels=["one", "two", "three", "four"])
    assert (under[24:] < 128).any()


def test_a_row_without_labels_keeps_no_room_for_them():
    x = torch.zeros(4, 3, 8, 8)
    kinds = (None, ["a", "", "", ""], list("abcd"))
    none, one, both = (figures.tile(x, 2, labels=labels).shape[0] for labels in kinds)
    assert one - none == both - one > 0
    low = figures.tile(x, 2, labels=["", "", "c", "d"])
    assert low.shape[0] == one and (low[-10:] < 128).any(), "the words stand under their own row"


def test_the_longest_row_label_does_not_touch_the_edge():
    canvas = figures.tile(torch.zeros(2, 3, 32, 32), 1, row_labels=["a", "a much longer one"])
    assert (canvas[:, :5] == 255).all() and (canvas[:, 5:10] < 200).any()


def test_tile_says_which_labels_do_not_fit():
    x = RED.expand(3, 3, 4, 4)
    with pytest.raises(ValueError, match="row_labels must hold 2"):
        figures.tile(x, 2, row_labels=["only one"])
    with pytest.raises(ValueError, match="no picture"):
        figures.tile(x[:0])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_png_decodes_to_the_same_picture(height, width, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert (decode(figures.to_png(picture)) == picture).all()


def test_png_refuses_floats():
    with pytest.raises(ValueError, match="uint8"):
        figures.to_png(np.zeros((2, 2, 3)))


def test_a_grid_is_written_faster_than_by_a_general_encoder():
    picture = figures.tile(torch.rand(64, 3, 32, 32).round() * 2 - 1, 8, scale=3)  # noise, the worst case
    seconds = {figures.to_png: [], lambda x: Image.fromarray(x).save(io.BytesIO(), "PNG"): []}
    for _ in range(5):  # in turn, so that a busy machine slows both
        for write, taken in seconds.items():
            start = time.perf_counter()
            write(picture)
            taken.append(time.perf_counter() - start)
    ours, general = map(min, seconds.values())
    assert ours < general, f"{ours * 1000:.0f} ms against {general * 1000:.0f} ms"


def test_paragraph_keeps_every_word():
    text = "With one number almost nothing of the picture survives"
    wide, narrow = raster.paragraph(text, 600), raster.paragraph(text, 120)
    assert wide.shape[1] == 600 and narrow.shape[0] > 2 * wide.shape[0]
    ink = [(255 - p.astype(int)).sum() for p in (wide, narrow)]
    assert ink[1] == pytest.approx(ink[0], rel=0.05), "wrapping must not lose words"


def test_hangul_is_drawn_by_the_shipped_font():
    assert raster.course_fonts(), "data/fonts holds no font"
    assert (draw_text("가") != draw_text("나")).any(), "both are drawn as the same empty box"
    figure = figures.curves({"오토인코더": ([1, 2], [1, 2])}, "잠재 벡터", "오차 −1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every missing glyph
        figures.figure_png(figure)


# Multi30k's German, and what the emoji's names need besides.
FOREIGN = "ÄÖÜßàäèéñöü–‘’“”„Åãçéíñôü"


def test_no_letter_of_the_data_is_drawn_as_a_box():
    emoji = load_emoji("all")
    letters = sorted(set("".join([*emoji.names_ko, *emoji.names_en, FOREIGN])) - {" "})
    box = draw_text("\U0010ffff")  # no font has it
    assert not [letter for letter in letters if np.array_equal(draw_text(letter), box)]
    figure, (axes,) = figures.new_figure()
    with warnings.catch_warnings(), matplotlib.rc_context(figures.style()):
        axes.text(0, 0, "".join(letters), in_layout=False)
        warnings.filterwarnings("error", message="Glyph")  # matplotlib warns of every one that is missing
        figures.figure_png(figure, density=0.5)


def test_a_line_of_two_fonts_is_as_wide_as_it_is_measured():
    assert [number for number, _ in raster.runs("São Tomé")] == [0, 1, 0]
    text = "Åland, São Tomé, „Äpfel“"
    assert abs(draw_text(text).shape[1] - raster.text_width(text)) <= 3


# -- showing ---------------------------------------------------------------------------------------


def test_every_picture_has_a_visible_caption(shown):
    figures.show_images(RED.expand(2, 3, 4, 4), "Two red squares.", columns=2)
    (picture, metadata), (caption, _) = shown
    assert decode(base64.b64decode(picture["image/png"])).shape[:2] == (18, 38)
    assert metadata["image/png"] == {"width": 38, "height": 18, "alt": "Two red squares."}
    assert picture["text/plain"] == caption["text/markdown"] == "Two red squares."


def test_a_figure_is_sharp_and_has_its_size_on_the_page(shown):
    figures.show_figure(figures.curves({"a": ([1, 2], [1, 2])}, "x", "y"), "Rising.")
    size = shown[0][1]["image/png"]
    pixels = decode(base64.b64decode(shown[0][0]["image/png"])).shape
    assert (size["height"] * 2, size["width"] * 2) == pixels[:2]


# -- curves ----------------------------------------------------------------------------------------


def test_lines_differ_in_more_than_colour_and_their_names_do_not_collide():
    series = {name: ([1, 2, 3], [3, 2, 1 + i / 1000]) for i, name in enumerate("abcdef")}
    figure = figures.curves(series, "x", "y")
    axes = figure.axes[0]
    looks = [(line.get_color(), line.get_marker(), str(line._dash_pattern)) for line in axes.lines]
    for kind in zip(*looks, strict=True):
        assert len(set(kind)) == 6
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
    for lower, upper in zip(boxes, boxes[1:], strict=False):
        assert upper.y0 >= lower.y0 + 12
    assert boxes[-1].y1 <= figure.bbox.y1


def test_curves_options_reach_the_axes():
    series = {"a": ([1, 2, 4], [1.0, np.nan, 0.1])}
    axes = figures.curves(series, "size", "error", title="T", log="xy", xticks=[1, 4], marks={"six": 2},
                           levels={"bar": 0.5}).axes[0]
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlabel(), axes.get_title("left")) == (
        "log", "log", "size", "T")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "4"]
    assert {text.get_text() for text in axes.texts} == {"a", "six", "bar"}


def test_the_name_of_a_line_that_ends_early_stands_at_its_end():
    axes = figures.curves({"early": ([1, 2], [1, 2]), "late": ([1, 9], [1, 3])}, "x", "y").axes[0]
    places = {text.get_text(): text.xy for text in axes.texts}
    assert places["early"] == (2, 2) and places["late"][0] == 1, "in data, and as a share of the width"


@pytest.mark.parametrize("ylim", [None, (0.45, 1.02), (0, None)])
def test_a_lines_name_stands_at_the_height_of_its_end_also_in_a_range_that_was_asked_for(ylim):
    """Notebook 04 set the range after the names had their places, and each stood beside another line."""
    axes = figures.curves({"low": ([1, 2], [0.5, 0.6]), "high": ([1, 2], [0.5, 0.9])}, "x", "y", ylim=ylim).axes[0]
    axes.figure.draw_without_rendering()
    for text in axes.texts:
        end = axes.transData.transform((2, {"low": 0.6, "high": 0.9}[text.get_text()]))[1]
        box = text.get_window_extent()
        assert abs((box.y0 + box.y1) / 2 - end) < 4, "pixels"
    assert ylim is None or axes.get_ylim()[0] == ylim[0]


def test_curves_draws_into_given_axes_and_changes_nothing_global():
    before = dict(matplotlib.rcParams)
    figure, (left, right) = figures.new_figure(2)
    assert figures.curves({"a": ([1], [1])}, "x", "y", ax=right) is figure
    assert not left.lines and right.lines
    figures.figure_png(figure)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("series, message", [({}, "at least one"), ({"a": ([1, 2], [1])}, "'a' needs"),
                                             ({"b": ([1], [np.nan])}, "'b' needs")])
def test_curves_says_what_is_wrong_with_a_series(series, message):
    with pytest.raises(ValueError, match=message):
        figures.curves(series, "x", "y")


def test_no_module_imports_pyplot():
    for path in (ROOT / "helpers").rglob("*.py"):
        found = re.search(r"^\s*(from|import)\b.*pyplot", path.read_text("utf-8"), re.MULTILINE)
        assert not found, f"{path} imports pyplot, whose global figures a widget's callback corrupts"
