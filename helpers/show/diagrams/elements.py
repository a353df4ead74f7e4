r"""Elements of a figure, and the arrows that join them.

An element knows its size; `layout` places it. An arrow that stands between two cells of a row or a column reaches from
border to border; `connect` joins elements that are no neighbours.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from .marks import LABEL_HIGH, XY, arrow_line, line, line_width, rectangle, tint, written_text

LABEL = 16  # pixels: a line of words under an element
NEAR = 2  # between the end of an arrow and the border that it means

Frame = tuple[float, float, float, float]  # left, top, right, bottom


class Element:
    r"""A thing of a figure: the size of its body, what draws it, and a label under it (lines parted by "\n").

    draw(left, top) returns the marks of a body whose upper left corner is there. (x, y) is the middle of the body,
    once it is placed. `cells` is how many things one above the other it shows, for `fan`.
    """

    def __init__(self, width: float, height: float, draw: Callable[[float, float], list[str]], label: str = "",
                 cells: int = 1):
        self.width, self.height, self.draw, self.cells = width, height, draw, cells
        self.label = label.split("\n") if label else []
        self.x = self.y = 0.0

    def body(self) -> Frame:
        """What an arrow meets: the frame without the label."""
        return (self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2)

    def reach(self) -> Frame:
        """The frame of all that is drawn."""
        left, top, right, bottom = self.body()
        half = max((line_width(text, LABEL_HIGH) for text in self.label), default=0) / 2
        return min(left, self.x - half), top, max(right, self.x + half), bottom + LABEL * len(self.label)

    def at(self, x: float, y: float) -> None:
        """Move the middle of the body to (x, y)."""
        self.x, self.y = x, y

    def marks(self) -> list[str]:
        """All that is drawn, as SVG."""
        left, top, _, bottom = self.body()
        words = [written_text(text, self.x, bottom + LABEL * i + 10, LABEL_HIGH) for i, text in enumerate(self.label)]
        return self.draw(left, top) + words

    def elements(self) -> Iterator[Element]:
        """This element and all that are in it."""
        yield self

    def side(self, name: str) -> XY:
        """Where an arrow ends that comes to the middle of the "left", "right", "top" or "bottom" (under the label)."""
        left, top, right, bottom = self.body()
        return {"left": (left - NEAR, self.y), "right": (right + NEAR, self.y), "top": (self.x, top - NEAR),
                "bottom": (self.x, bottom + LABEL * len(self.label) + NEAR)}[name]


def around(frames) -> Frame:
    """The smallest frame that holds all of them."""
    lefts, tops, rights, bottoms = zip(*frames, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


# -- arrows ----------------------------------------------------------------------------------------


class Arrow(Element):
    """An arrow from one element's side to another's, with words above (or beside) the longest of its pieces.

    In a row or a column it is a cell, `length` pixels long or as long as its words need. detour: how far it leads away
    from both ends before it turns; 0: it goes straight, or turns where it must. upright: it leads down a column.
    """

    def __init__(self, label: str = "", length: float = 34, dashed: bool = False):
        super().__init__(length, length, lambda left, top: [])
        self.words, self.dashed = label.split("\n") if label else [], dashed
        self.ends: tuple[Element, str, Element, str] | None = None
        self.detour = 0.0

    def join(self, start: Element, leaves: str, end: Element, meets: str, detour: float = 0.0) -> Arrow:
        """Lead from the side `leaves` of one element to the side `meets` of another, or of the same: a loop over it."""
        if self.ends is not None:
            raise ValueError("this arrow has both its ends: it cannot stand in a row and in a column at once")
        self.ends, self.detour = (start, leaves, end, meets), detour
        return self

    def points(self) -> list[XY]:
        """The corners of the arrow, from its start to its tip."""
        if self.ends is None:
            raise ValueError("an arrow stands between two elements of a row or a column; elsewhere use connect")
        start, leaves, end, meets = self.ends
        (x0, y0), (x1, y1) = start.side(leaves), end.side(meets)
        across, same = leaves in ("left", "right"), (leaves in ("left", "right")) == (meets in ("left", "right"))
        if start is end:
            out, top = self.detour, start.side("top")[1] - self.detour
            corners = [(x0 + out, y0), (x0 + out, top), (x1 - out, top), (x1 - out, y1)]
        elif not same:
            corners = [(x1, y0)] if across else [(x0, y1)]
        elif self.detour or abs(y0 - y1 if across else x0 - x1) > 0.5:
            a, b = (x0, x1) if across else (y0, y1)
            back = leaves in ("left", "top")
            turn = (min(a, b) - self.detour if back else max(a, b) + self.detour) if self.detour else (a + b) / 2
            corners = [(turn, y0), (turn, y1)] if across else [(x0, turn), (x1, turn)]
        else:
            corners = []
        return [(x0, y0), *corners, (x1, y1)]

    def _written(self) -> list[tuple[str, float, float, str]]:
        """The lines of the words: (text, x, y, align)."""
        lengths = {abs(xa - xb) + abs(ya - yb): ((xa, ya), (xb, yb))
                   for (xa, ya), (xb, yb) in itertools.pairwise(self.points())}
        (xa, ya), (xb, yb) = lengths[max(lengths)]
        x, y, last = (xa + xb) / 2, (ya + yb) / 2, len(self.words) - 1
        if abs(xa - xb) > abs(ya - yb):
            return [(text, x, y - 11 - LABEL * (last - i), "middle") for i, text in enumerate(self.words)]
        return [(text, x + 8, y + LABEL * (i - last / 2), "start") for i, text in enumerate(self.words)]

    def reach(self) -> Frame:
        """The room that it takes in its row or column."""
        wide, high = max((line_width(text, LABEL_HIGH) for text in self.words), default=0), LABEL * len(self.words)
        if self.ends is not None and self.ends[1] == "bottom":
            half = max(self.height, high) / 2
            return self.x - 5, self.y - half, self.x + 8 + wide, self.y + half
        half = max(self.width, wide + 14) / 2
        return self.x - half, self.y - 5 - high, self.x + half, self.y + 5

    def drawn(self) -> Frame:
        """The frame of what is drawn, once both ends are placed."""
        frames = [(x - 4, y - 4, x + 4, y + 4) for x, y in self.points()]
        for text, x, y, align in self._written():
            wide = line_width(text, LABEL_HIGH)
            left = x - wide / 2 if align == "middle" else x
            frames.append((left, y - LABEL / 2, left + wide, y + LABEL / 2))
        return around(frames)

    def marks(self) -> list[str]:
        return [arrow_line(self.points(), self.dashed),
                *(written_text(text, x, y, LABEL_HIGH, align=align) for text, x, y, align in self._written())]


def arrow(label: str = "", length: float = 34, dashed: bool = False) -> Arrow:
    """An arrow between its two neighbours in a row or a column; the label may have lines, parted by a line break."""
    return Arrow(label, length, dashed)


def connect(start: Element, leaves: str, end: Element, meets: str, label: str = "", *, detour: float = 0.0,
         dashed: bool = False) -> Arrow:
    """An arrow from the side "left", "right", "top" or "bottom" of one placed element to a side of another.

    detour   how far it leads away from both before it turns: a skip connection leaves "top", meets "top", and arches
             over what lies between. From an element's "right" to its own "left" it is a loop.
    """
    return Arrow(label, dashed=dashed).join(start, leaves, end, meets, detour)


class Fan(Element):
    """Thin lines from each cell of one element to each cell of another on its right."""

    def __init__(self, start: Element, end: Element):
        super().__init__(0, 0, lambda left, top: [])
        self.start, self.end = start, end

    def drawn(self) -> Frame:
        return around([self.start.body(), self.end.body()])

    def marks(self) -> list[str]:
        ends = itertools.product(_cells(self.start, 2), _cells(self.end, 0))
        return [line(pair, tint("network", 0.3), 0.4) for pair in ends]


def fan(start: Element, end: Element) -> Fan:
    """A dense layer: all cells of `start` joined with all cells of `end`, which stands right of it."""
    return Fan(start, end)


class Enclosure(Element):
    """A pale frame behind elements that belong together."""

    def __init__(self, elements: tuple[Element, ...], quantity: str):
        super().__init__(0, 0, lambda left, top: [])
        self.inside, self.quantity = elements, quantity

    def drawn(self) -> Frame:
        left, top, right, bottom = around(element.reach() for element in self.inside)
        return left - 7, top - 7, right + 7, bottom + 7

    def marks(self) -> list[str]:
        left, top, right, bottom = self.drawn()
        inner, edge = tint(self.quantity, 0.12), tint(self.quantity, 0.35)
        return [rectangle(left, top, right - left, bottom - top, inner, edge, 1, 8)]


def enclose(*elements: Element, quantity: str = "network") -> Enclosure:
    """A pale frame behind elements, in the colour of a quantity: what belongs together, such as an encoder."""
    return Enclosure(elements, quantity)


def _cells(element: Element, side: int) -> list[XY]:
    """The middles of an element's cells at its left (0) or right (2) border."""
    body = element.body()
    high = (body[3] - body[1]) / element.cells
    return [(body[side] + (NEAR if side else -NEAR), body[1] + high * (i + 0.5)) for i in range(element.cells)]
