"""Attention maps and shaded words show each weight at its place, in Hangul too."""

import time
import warnings

import numpy as np
import pytest
import torch
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from helpers.show import attention, figures
from helpers.show.heatmaps import shade, written
from helpers.show.raster import draw_text

SOURCE = "▁회색 ▁배경 의 ▁한가운데 에 ▁작은 ▁별 이 ▁있다 </s>".split()
TARGET = "▁a ▁small ▁star ▁in ▁the ▁centre ▁on ▁a ▁gray ▁background </s>".split()
T, S = len(TARGET), len(SOURCE)
WEIGHTS = torch.rand(T, S, generator=torch.Generator().manual_seed(0)).softmax(1)


def occurrences(picture, part):
    """How often a part occurs in a picture, to the pixel."""
    views = np.lib.stride_tricks.sliding_window_view(picture[..., 0], part.shape[:2])
    middle = part.shape[0] // 2
    places = np.argwhere((views[:, :, middle] == part[middle, :, 0]).all(2))  # most differ in one line already
    return sum((picture[y : y + part.shape[0], x : x + part.shape[1]] == part).all() for y, x in places)


def test_tokens_are_grouped_into_words():
    assert attention.word_groups(SOURCE) == [[0], [1, 2], [3, 4], [5], [6, 7], [8], [9]]
    assert attention.word_groups(["이", ",", "▁큰"]) == [[0, 1], [2]] and attention.word_groups([]) == []


# -- attention map ---------------------------------------------------------------------------------


def drawn(**options):
    figure = attention.attention_map(WEIGHTS, SOURCE, TARGET, **options)
    return figure, figure.axes[0]


def test_the_map_shows_every_weight_on_a_fixed_scale():
    figure, axes = drawn()
    image = axes.images[0]
    assert np.allclose(image.get_array(), WEIGHTS) and image.get_clim() == (0, 1)
    assert image.get_extent() == [-0.5, S - 0.5, T - 0.5, -0.5], "the first step is on top"
    assert figure.axes[1].get_ylim() == (0, 1) and any(isinstance(c, QuadMesh) for c in figure.axes[1].collections)


def test_the_map_names_tokens_without_marks_and_parts_words():
    _, axes = drawn(title="T")
    assert [label.get_text() for label in axes.get_xticklabels()] == [token.replace("▁", "") for token in SOURCE]
    assert [label.get_text() for label in axes.get_yticklabels()] == [token.replace("▁", "") for token in TARGET]
    assert list(axes.xaxis.get_minorticklocs()) == [0.5, 2.5, 4.5, 5.5, 7.5, 8.5]
    assert len(axes.yaxis.get_minorticklocs()) == T - 1 and axes.get_title("left") == "T"


def test_the_map_turns_names_that_do_not_fit():
    assert drawn()[1].get_xticklabels()[0].get_rotation() == 0
    many = attention.attention_map(np.zeros((1, 40)), ["▁한가운데"] * 40, ["▁a"])
    assert many.axes[0].get_xticklabels()[0].get_rotation() == 90
    assert many.get_size_inches()[0] < 10


def test_the_map_outlines_the_truth():
    truth = [-1, 5, 6, -1, -1, 3, -1, -1, 0, 1, -1]
    frames = [patch for patch in drawn(truth=truth)[1].patches if isinstance(patch, Rectangle)]
    assert [tuple(frame.get_xy()) for frame in frames] == [(j - 0.5, i - 0.5) for i, j in enumerate(truth) if j >= 0]
    assert not drawn()[1].patches
    assert len(drawn(truth=torch.tensor(truth))[1].patches) == 5


def test_the_map_is_drawn_with_hangul():
    figure, _ = drawn(title="어텐션")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every missing glyph
        assert figures.figure_png(figure)


# -- one step --------------------------------------------------------------------------------------


def rows(weights, chosen=0, **options):
    return attention.word_rows(weights, SOURCE, TARGET, chosen, **options)


def test_a_step_shades_each_word_by_its_weight():
    weights = np.arange(S) / 10
    picture = rows(weights)
    assert picture.dtype == np.uint8 and picture.shape[1:] == (900, 3)
    line = picture[2]  # above the text, inside the boxes of the first line
    found = [tuple(colour) for colour in line.tolist()]
    order = [found.index(tuple(shade(weight).tolist())) for weight in weights]
    assert order == sorted(order)


def test_a_step_writes_each_weight_under_its_word():
    def count(text):
        return occurrences(picture[30:52], draw_text(text, attention.NUMBER, attention.SOFT))

    picture = rows([0.25] * 4 + [0] * (S - 4))
    assert (count("0.25"), count("0.00"), count("0.26")) == (4, S - 4, 0)


def test_a_step_writes_each_word_on_its_shade():
    picture = rows([0, 0, 0, 1, 0.4] + [0] * (S - 5))
    for text, value in (("회색", 0), ("한가운데", 1), ("에", 0.4)):
        assert occurrences(picture[:30], written(text, shade(value), attention.WORD)) == 1


def test_a_step_changes_with_the_weights_and_marks_the_chosen_word():
    one, two = (rows(WEIGHTS[i].double() * 5, i) for i in (1, 2))
    assert one.shape == two.shape and (one != two).any()
    vermilion = (np.array(to_rgb(figures.PALETTE["vermilion"])) * 255).round()
    lower = [np.argwhere((picture == vermilion).all(2)) for picture in (one, two)]
    assert all(len(places) for places in lower)
    assert lower[0][:, 1].max() < lower[1][:, 1].min(), "the second word's frame stands right of the first's"
    assert all(places[:, 0].min() > 52 for places in lower), "in the target's line"


def test_pieces_of_a_word_stay_together_where_lines_wrap():
    tokens = ["▁가나다라", "마바사"] * 12
    for width in range(300, 420, 7):
        picture = attention.word_rows([0.0] * 24, tokens, ["▁a"], 0, width=width)
        assert picture.shape[1] == width
        wide, narrow = (draw_text(token.strip("▁"), attention.WORD).shape[1] + 6 for token in tokens[:2])
        left = 16 + max(draw_text(name).shape[1] for name in ("source", "output"))
        fit = 1 + (width - left - wide - narrow - 2) // (wide + narrow + 11)
        assert picture.shape[0] == -(-12 // fit) * 54 + 10 + 36


def test_a_word_longer_than_a_line_is_broken():
    for width in range(300, 330, 6):
        picture = attention.word_rows([0.0] * 30, ["▁긴"] + ["말"] * 29, ["▁a"], 0, width=width)
        assert occurrences(picture, written("말", shade(0), attention.WORD)) == 29


def test_a_step_is_drawn_fast_enough_for_a_slider():
    # The processor's own time, and the best of ten: neighbours on a busy machine do not count.
    generator, seconds = np.random.default_rng(0), []
    for i in range(10):
        weights = generator.dirichlet(np.ones(5 * S))
        start = time.process_time()
        figures.to_png(attention.word_rows(weights, SOURCE * 5, TARGET * 5, i))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05, f"{min(seconds) * 1000:.0f} ms"  # 5 ms when measured


# -- errors ----------------------------------------------------------------------------------------

NAN = torch.full((T, S), torch.nan)


@pytest.mark.parametrize("weights, message", [
    (WEIGHTS.T, rf"weights must have the shape \({T}, {S}\).*got \({S}, {T}\)"),
    (WEIGHTS[0], rf"got \({S},\)"),
    (NAN, r"must lie in \[0, 1\].*nan"),
    (WEIGHTS + 0.99, r"must lie in \[0, 1\]; these run from"),
    (WEIGHTS - 0.5, r"must lie in \[0, 1\]; these run from -"),
])
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        attention.attention_map(weights, SOURCE, TARGET)
    if weights.ndim == 2 and weights.shape == (T, S):
        with pytest.raises(ValueError, match=message):
            rows(weights[0] if weights.min() < 0 or weights.isnan().any() else weights.max(0).values)


def test_other_wrong_arguments():
    with pytest.raises(ValueError, match=rf"shape \({S},\)"):
        rows(WEIGHTS[0, :-1])
    with pytest.raises(ValueError, match=r"shape \(0,\).*and some"):
        attention.word_rows([], [], TARGET, 0)
    for chosen in (-1, T):
        with pytest.raises(ValueError, match=f"one of {T} target tokens, got {chosen}"):
            rows(WEIGHTS[0], chosen)
    for truth in ([-1] * (T - 1), [S] + [-1] * (T - 1), [-2] * T):
        with pytest.raises(ValueError, match=f"truth must hold {T} indices from -1 to {S - 1}"):
            drawn(truth=truth)
