"""Text that can be seen: translations with their differences marked, beside pictures of what they say; and tables.

    show_translations([Translated("빨간 원", "a red circle", "a blue circle", scene, wrong)], "Which word is wrong?")

A word that should not be there is struck through, one that is lacking is underlined: colour is not the only sign.
"""

from __future__ import annotations

import base64
import difflib
import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from IPython.display import display

from .raster import to_png

# Okabe & Ito 2008, lightened: vermilion for what is wrong, blue for what is lacking; the text on them is black.
_WRONG = "background:#f6cfb8;color:#000;text-decoration:line-through"
_LACKING = "background:#cce5f6;color:#000;text-decoration:underline"
_CELL = "text-align:left;vertical-align:middle;padding:4px 10px;white-space:normal"
_NUMBER = "text-align:right;padding:4px 10px"


class Translated(NamedTuple):
    """One sentence: its source, the right translation and the one that was written.

    meant, drawn: uint8 pictures (H, W, 3) of the scene that the right and the written sentence describe, or None.
    """

    source: str
    right: str
    written: str
    meant: np.ndarray | None = None
    drawn: np.ndarray | None = None


def show_translations(rows: Sequence[Translated], caption: str) -> None:
    """Show each sentence with what was written, word by word against the right one. ValueError for no rows."""
    if not rows:
        raise ValueError("there are no translations to show")
    body, lines = [], []
    drawn = any(row.meant is not None or row.drawn is not None for row in rows)
    for row in rows:
        same = row.right == row.written
        right, written = marked_differences(row.right, row.written)
        both = written if same else f"{written}<br>{right}"
        pictures = (_picture(row.meant, row.right), _picture(row.drawn, row.written)) if drawn else ()
        cells = (html.escape(row.source), *pictures, "✓" if same else "✗", both)
        body.append("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>")
        lines.append(f"{'✓' if same else '✗'} {row.source}\n  written: {row.written}")
        lines += [] if same else [f"  right:   {row.right}"]
    _show("", body, caption, "\n".join(lines))


def marked_differences(right: str, written: str) -> tuple[str, str]:
    """HTML of both sentences: what `right` has and `written` lacks, and what `written` has in its place, are marked."""
    a, b = right.split(), written.split()
    marked_a, marked_b = [], []
    for kind, a0, a1, b0, b1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for words, style, marked in ((a[a0:a1], _LACKING, marked_a), (b[b0:b1], _WRONG, marked_b)):
            text = html.escape(" ".join(words))
            if text:
                tag = "ins" if style is _LACKING else "del"
                marked.append(text if kind == "equal" else f'<{tag} style="{style}">{text}</{tag}>')
    return " ".join(marked_a), " ".join(marked_b)


def show_table(rows: Sequence[Sequence[Any]], columns: Sequence[str], caption: str) -> None:
    """Show rows under their columns' names; the first column names the row, columns with figures stand at the right.

    ValueError unless each row has one entry a column.
    """
    if not rows or any(len(row) != len(columns) for row in rows):
        raise ValueError(f"each of the {len(rows)} rows needs one entry for each of the columns {list(columns)}")
    styles = [_CELL, *(_NUMBER if any(map(_is_figure, column)) else _CELL for column in [*zip(*rows, strict=True)][1:])]
    head = "".join(f'<th scope="col" style="{style}">{html.escape(name)}</th>'
                   for name, style in zip(columns, styles, strict=True))
    body = []
    for row in rows:
        first, *rest = (html.escape(str(x)) for x in row)
        cells = "".join(f'<td style="{style}">{x}</td>' for x, style in zip(rest, styles[1:], strict=True))
        body.append(f'<tr><th scope="row" style="{_CELL}">{first}</th>{cells}</tr>')
    text = [[str(x) for x in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*text, strict=True)]
    plain = "\n".join("  ".join(x.ljust(w) for x, w in zip(row, widths, strict=True)).rstrip() for row in text)
    _show(f"<thead><tr>{head}</tr></thead>", body, caption, plain)


def _is_figure(entry: Any) -> bool:
    return str(entry).lstrip("-−±<>≤≥ ")[:1].isdigit()


def _picture(picture: np.ndarray | None, alt: str) -> str:
    if picture is None:
        return "no scene"
    data = base64.b64encode(to_png(picture)).decode()
    return (f'<img src="data:image/png;base64,{data}" alt="scene: {html.escape(alt)}" width="64" height="64" '
            'style="image-rendering:pixelated;max-width:none">')


def _show(head: str, body: list[str], caption: str, plain: str) -> None:
    note = f'<caption style="caption-side:bottom;text-align:left;opacity:0.75">{html.escape(caption)}</caption>'
    page = (f'<div style="overflow-x:auto" tabindex="0"><table style="margin-left:0;font-size:100%">{note}{head}'
            f"<tbody>{''.join(body)}</tbody></table></div>")
    display({"text/html": page, "text/plain": f"{plain}\n{caption}"}, raw=True)
