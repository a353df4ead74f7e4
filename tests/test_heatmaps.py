"""Shades keep their scale and stay readable; a table shows each number at its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.show import heatmaps
from helpers.show.raster import draw_text


def luminance(colour):
    """WCAG 2's relative luminance of a uint8 colour."""
    c = np.asarray(colour) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ np.array([0.2126, 0.7152, 0.0722])


# -- shades ----------------------------------------------------------------------------------------


def test_shades_darken_evenly():
    colours = heatmaps.shade(np.linspace(0, 1, 17))
    lightness = 116 * np.cbrt(luminance(colours)) - 16  # of CIELAB
    steps = -np.diff(lightness)
    assert lightness[0] > 97 and lightness[-1] < 25
    assert steps.min() > 0.9 * steps.mean() and steps.max() < 1.1 * steps.mean()
    assert (colours[0] == heatmaps.shade(0)).all() and (colours[-1] == heatmaps.shade(1.0)).all()


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_ink_can_be_read_on_any_colour(colour):
    low, high = sorted((luminance(colour), luminance(heatmaps.ink_on(colour))))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_text_is_written_in_its_ink_on_the_shade():
    for value in (0, 0.3, 0.6, 1):
        colour = heatmaps.shade(value)
        picture = heatmaps.written("■ 0.50 한글", colour, 15)
        assert (picture[0] == colour).all() and (picture == heatmaps.ink_on(colour)).all(2).sum() > 20


# -- tables ----------------------------------------------------------------------------------------


TABLE = np.array([[0.99, 0.61, 0.0], [1.0, 0.95, 0.5]])
TITLES = {"row_title": "은닉 크기", "column_title": "objects"}


def occurrences(picture, part):
    """How often a part occurs in a picture, to the pixel."""
    views = np.lib.stride_tricks.sliding_window_view(picture[..., 0], part.shape[:2])
    middle = part.shape[0] // 2
    places = np.argwhere((views[:, :, middle] == part[middle, :, 0]).all(2))  # most differ in one line already
    return sum((picture[y : y + part.shape[0], x : x + part.shape[1]] == part).all() for y, x in places)


def test_a_table_shows_each_value_at_its_place():
    picture = heatmaps.heatmap(TABLE, [16, 48], [1, 3, 5], **TITLES)
    assert picture.dtype == np.uint8
    for r in range(2):
        for c in range(3):
            y, x = picture.shape[0] - 34 * (2 - r), picture.shape[1] - 56 * (3 - c)
            cell, colour = picture[y : y + 34, x : x + 56], heatmaps.shade(TABLE[r, c])
            assert (cell[2, 2:-2] == colour).all()
            assert occurrences(cell, heatmaps.written(f"{TABLE[r, c]:.2f}", colour)) == 1


def test_a_table_names_its_rows_and_columns():
    picture = heatmaps.heatmap(TABLE, ["six", "four"], ["one", "two", "three"], **TITLES)
    for r, name in enumerate(["six", "four"]):
        y = picture.shape[0] - 34 * (2 - r)
        assert occurrences(picture[y : y + 34, : -3 * 56], draw_text(name)) == 1
    for c, name in enumerate(["one", "two", "three"]):
        x = picture.shape[1] - 56 * (3 - c)
        assert occurrences(picture[:-68, x : x + 56], draw_text(name)) == 1
    for title in TITLES.values():
        assert occurrences(picture[:-68], draw_text(title, ink=heatmaps.SOFT)) == 1


def test_a_table_frames_a_cell_and_changes_nothing_else():
    plain, marked = (heatmaps.heatmap(TABLE, "ab", "cde", mark=mark) for mark in (None, (1, 2)))
    rows, columns = np.nonzero((plain != marked).any(2))
    assert rows.min() == plain.shape[0] - 34 and columns.min() == plain.shape[1] - 56
    assert (marked[-1, -1] == heatmaps.FRAME).all()


def test_a_wide_title_is_not_cut():
    titles = {"row_title": "r" * 30, "column_title": "c" * 60}
    picture = heatmaps.heatmap([[0.5]], "a", "b", **titles)
    for title in titles.values():
        assert occurrences(picture, draw_text(title, ink=heatmaps.SOFT)) == 1


def test_wrong_tables():
    with pytest.raises(ValueError, match=r"values must have the shape \(2, 2\).*got \(2, 3\)"):
        heatmaps.heatmap(TABLE, "ab", "cd")
    with pytest.raises(ValueError, match=r"shape \(0, 2\).*and some"):
        heatmaps.heatmap(np.zeros((0, 2)), "", "ab")
    with pytest.raises(ValueError, match="nan"):
        heatmaps.heatmap(TABLE * np.nan, "ab", "cde")
    for mark in ((2, 0), (0, 3), (-1, 0)):
        with pytest.raises(ValueError, match="table of 2 x 3"):
            heatmaps.heatmap(TABLE, "ab", "cde", mark=mark)
