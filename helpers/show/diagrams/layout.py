r"""Where the elements of a figure stand: in rows, columns and tables, so that no figure holds coordinates."""

from __future__ import annotations

import base64
import html
import itertools
import re
from collections.abc import Iterator, Sequence

from IPython.display import display

from .elements import Arrow, Element, Enclosure, Fan, Frame, around
from .marks import GROUND, outlines, rectangle

WIDEST = 760  # pixels: a figure of that width can be read where a page leaves 560
MARGIN = 18  # what a figure leaves free at its border


class Group(Element):
    """Elements in rows and columns, each cell's middle on the axes of its row and column; None is an empty cell."""

    def __init__(self, rows: Sequence[Sequence[Element | None]], gaps: tuple[float, float]):
        super().__init__(0, 0, lambda left, top: [])
        self.columns, self.rows, self.gaps = list(itertools.zip_longest(*rows)), rows, gaps
        self.inside = [cell for cells in rows for cell in cells if cell is not None]
        for cells in self.rows:
            _join(cells, "right", "left")
        for cells in self.columns:
            _join(cells, "bottom", "top")
        self.at(0.0, 0.0)

    def at(self, x: float, y: float) -> None:
        xs, ys = _axes(self.columns, 0, self.gaps[0]), _axes(self.rows, 1, self.gaps[1])
        for cells, middle in zip(self.rows, ys, strict=True):
            for cell, centre in zip(cells, xs, strict=False):
                if cell is not None:
                    cell.at(centre, middle)
        left, top, right, bottom = self.body()
        dx = x - (xs[0] if len(xs) == 1 else (left + right) / 2)
        dy = y - (ys[0] if len(ys) == 1 else (top + bottom) / 2)
        for cell in self.inside:
            cell.at(cell.x + dx, cell.y + dy)
        self.x, self.y = x, y

    def body(self) -> Frame:
        return around(cell.body() for cell in self.inside if not isinstance(cell, Arrow))

    def reach(self) -> Frame:
        return around(cell.reach() for cell in self.inside)

    def marks(self) -> list[str]:
        return [mark for cell in self.inside for mark in cell.marks()]

    def elements(self) -> Iterator[Element]:
        yield self
        for cell in self.inside:
            yield from cell.elements()


def _join(cells: Sequence[Element | None], leaves: str, meets: str) -> None:
    """Tell each arrow between two cells of a row, or else of a column, what it joins."""
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        apart = before is not None and after is not None and not isinstance(before, Arrow)
        if isinstance(cell, Arrow) and cell.ends is None and apart and not isinstance(after, Arrow):
            cell.join(before, leaves, after, meets)


def _axes(lines, axis: int, gap: float) -> list[float]:
    """The middles of columns (axis 0) or rows (axis 1), so that what they hold lies `gap` apart."""
    place, middles = 0.0, []
    for cells in lines:
        reaches = [(cell.reach(), (cell.x, cell.y)[axis]) for cell in cells if cell is not None]
        before = max((middle - reach[axis] for reach, middle in reaches), default=0)
        after = max((reach[axis + 2] - middle for reach, middle in reaches), default=0)
        middles.append(place + before)
        place += before + after + gap
    return middles


def row(*elements: Element | None, gap: float = 4) -> Group:
    """Elements from left to right, `gap` pixels apart."""
    return Group([elements], (gap, 0))


def column(*elements: Element | None, gap: float = 4) -> Group:
    """Elements from top to bottom, `gap` pixels apart."""
    return Group([[element] for element in elements], (0, gap))


def grid(*rows: Sequence[Element | None], gap: tuple[float, float] = (4, 4)) -> Group:
    """Elements in a table, `gap` pixels apart across and down; None leaves a cell empty."""
    return Group(rows, gap)


# -- the whole -------------------------------------------------------------------------------------


class Diagram:
    """A figure: an element, usually a group, and the links, fans and enclosures of elements in it.

    title   what it is, in a few words; description   what it shows, for who does not see it
    ValueError when it is wider than WIDEST: its words would be too small on a narrow page.
    """

    def __init__(self, root: Element, *links: Arrow | Fan | Enclosure, title: str, description: str):
        self.root, self.links, self.title, self.description = root, links, title, description
        left, top, right, bottom = around([root.reach(), *(join.drawn() for join in self.arrows()),
                                           *(each.drawn() for each in links)])
        self.left, self.top = left - MARGIN, top - MARGIN
        self.width, self.height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
        if self.width > WIDEST:
            raise ValueError(f"{title!r} is {self.width:.0f} pixels wide; a page has room for {WIDEST}")

    def arrows(self) -> list[Arrow]:
        """The arrows that stand in rows and columns."""
        return [element for element in self.root.elements() if isinstance(element, Arrow)]

    def _repr_svg_(self) -> str:
        """The figure as an SVG that holds all it needs, pictures and letters too."""
        behind = [mark for each in self.links if not isinstance(each, Arrow) for mark in each.marks()]
        arrows = [mark for each in self.links if isinstance(each, Arrow) for mark in each.marks()]
        marks = "\n".join([rectangle(self.left, self.top, self.width, self.height, GROUND, radius=10), *behind,
                           *self.root.marks(), *arrows])
        words = [html.unescape(found) for found in re.findall(r'aria-label="([^"]*)"', marks)]
        name, text = html.escape(self.title), html.escape(self.description)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height:.0f}" '
                f'viewBox="{self.left:.1f} {self.top:.1f} {self.width:.1f} {self.height:.1f}" '
                f'style="max-width:100%;height:auto" role="img" aria-label="{name}"><title>{name}</title>'
                f"<desc>{text}</desc>{outlines(words)}\n{marks}</svg>")

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """An HTML image of it: JupyterLab shows an SVG by itself without its text, and in a new copy not at all."""
        data = base64.b64encode(self._repr_svg_().encode()).decode()
        text = f"{self.title}: {self.description}"
        return {"text/html": f'<img src="data:image/svg+xml;base64,{data}" width="{self.width:.0f}" '
                             f'alt="{html.escape(text)}" style="max-width:100%;height:auto">', "text/plain": text}


def show_diagram(diagram: Diagram, caption: str) -> None:
    """Show a figure above a caption that says what to notice (Markdown)."""
    display(diagram)
    display({"text/markdown": caption, "text/plain": caption}, raw=True)
