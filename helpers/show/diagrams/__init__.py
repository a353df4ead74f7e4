r"""Figures of architectures, drawn as SVG: what a network is, with real data inside.

    drawing = row(picture(x, "x"), arrow("encoder"), vector(z, "code z"), arrow("decoder"), picture(y, "drawing"))
    Diagram(drawing, title="An autoencoder", description="A picture becomes four numbers, and these a picture.")

    marks      SVG elements, the colours of quantities, words as wide as they were measured
    elements   an element, and the arrows, links and fans between elements
    layout     rows, columns and tables; the whole figure
    parts      pictures, vectors, feature maps, words, operations, clouds
"""

from .elements import arrow, connect, enclose, fan
from .layout import Diagram, column, grid, row, show_diagram
from .marks import QUANTITIES, tint
from .parts import cloud, maps, note, operation, picture, sign, vector, weight, words

__all__ = ["QUANTITIES", "Diagram", "arrow", "cloud", "column", "connect", "enclose", "fan", "grid", "maps",
           "note", "operation", "picture", "row", "show_diagram", "sign", "tint", "vector", "weight", "words"]
