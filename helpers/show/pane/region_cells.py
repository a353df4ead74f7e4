"""A picture in cells that can be marked: by mouse, or by Tab and the space bar; or as a box, with two sliders."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Set

import ipywidgets as widgets
import numpy as np

from ..raster import to_png
from .markup import cells_style

LARGE_CELL, SMALL_CELL, FEW_CELLS = 44, 26, 8  # pixels of a cell: where a side has `FEW_CELLS` at most, and else
_NUMBERS = itertools.count()


def boxes_of(cells: Set[tuple[int, int]]) -> str:
    """Cells (column, row) as boxes "left,top-right,bottom+...", as a region is written; "" for none.

    Runs of a row are boxes; a run that stands below one of the same columns makes it higher.
    """
    boxes: list[list[int]] = []
    for row in sorted({row for _, row in cells}):
        columns = sorted(column for column, at in cells if at == row)
        runs = [[columns[0], columns[0]]]
        for column in columns[1:]:
            if column == runs[-1][1] + 1:
                runs[-1][1] = column
            else:
                runs.append([column, column])
        for left, right in runs:
            above = next((box for box in boxes if (box[0], box[2], box[3]) == (left, right, row - 1)), None)
            if above:
                above[3] = row
            else:
                boxes.append([left, row, right, row])
    return "+".join(f"{left},{top}-{right},{bottom}" for left, top, right, bottom in boxes)


class RegionCells:
    """The cells of one picture, and below them sliders for a box, words for the region, and two buttons.

    picture: uint8 (H, W, 3), a cell being `cell` of its pixels. done(text) is called with "Region ...", or with "" by
    who thought better of it.
    """

    def __init__(self, picture: np.ndarray, cell: int, done: Callable[[str], None]):
        self.rows, self.columns = (length // cell for length in picture.shape[:2])
        self.done, many = done, max(self.rows, self.columns) > FEW_CELLS
        name = f"studio-cells-{next(_NUMBERS)}"
        shared = widgets.Layout()  # one for all: a cell costs one widget, not three
        self.cells = {(column, row): widgets.ToggleButton(description=" ", layout=shared,
                                                          tooltip=f"column {column}, row {row}")
                      for row in range(self.rows) for column in range(self.columns)}
        for (column, row), button in self.cells.items():
            button.add_class(f"studio-cell-{column}-{row}")
        side = SMALL_CELL if many else LARGE_CELL
        table = widgets.GridBox(list(self.cells.values()), layout={
            "grid_template_columns": f"repeat({self.columns}, {side}px)", "overflow": "auto"})
        for word in ("studio-cells", name, *["studio-many"] * many):
            table.add_class(word)
        self.across = self._slider("columns", self.columns)
        self.down = self._slider("rows", self.rows)
        self.words = widgets.Text(description="with", placeholder="words of its own, or none: a blue star",
                                  style={"description_width": "initial"}, layout={"width": "100%", "max_width": "30em"})
        self.draw = self._button("Draw the region anew", self._drawn)
        self.draw.add_class("studio-send")
        self.cancel = self._button("Cancel", lambda _: self.done(""))
        style = widgets.HTML(cells_style(name, to_png(picture), self.columns, self.rows, side))
        hint = widgets.HTML("Mark cells on the picture: click, or Tab and space. Or mark a box with the two sliders.")
        self.view = widgets.VBox([style, hint, table, self.across, self.down, self.words,
                                  widgets.HBox([self.draw, self.cancel])])

    def _slider(self, label: str, count: int) -> widgets.IntRangeSlider:
        slider = widgets.IntRangeSlider(description=label, min=0, max=count - 1, value=(0, 0),
                                        layout={"width": "100%", "max_width": "30em"})
        slider.observe(self._box, names="value")
        return slider

    @staticmethod
    def _button(label: str, press: Callable) -> widgets.Button:
        button = widgets.Button(description=label, layout={"width": "auto"})
        button.on_click(press)
        return button

    def _box(self, change: dict) -> None:
        (left, right), (top, bottom) = self.across.value, self.down.value
        for (column, row), button in self.cells.items():
            button.value = left <= column <= right and top <= row <= bottom

    def _drawn(self, button: widgets.Button) -> None:
        words = self.words.value.strip()
        self.done(f"Region {self.marked()}" + f": {words}" * bool(words))

    def marked(self) -> str:
        """The cells that are marked, as `boxes_of` writes them."""
        return boxes_of({place for place, button in self.cells.items() if button.value})
