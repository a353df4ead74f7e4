"""The prompt box: a line of text, and under it a chip for each word that was understood, and one for each that was not.

    PromptBox(read_caption, "큰 빨간 원이 왼쪽 위에 있다", answer=lambda reading: "...")

A chip says in words what it stands for, so that colour is not the only sign. The text is read on Enter, or when the
field is left: so a syllable of Hangul that is still being put together is not taken for a word.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np

from .raster import paragraph, to_png

LONGEST_PROMPT = 300  # characters
# Okabe & Ito 2008, lightened for black text; what was not understood has a frame of their vermilion, and a cross.
_TINTS = {"shape": "#cce5f6", "colour": "#f5dfea", "size": "#fbecc4", "place": "#c9ebe0", "background": "#e4e4e4",
          "relation": "#fbf8cf"}
_CHIP = "display:inline-block;margin:2px;padding:1px 8px;border-radius:9px;color:#000;"


def chips(reading: Any) -> str:
    """HTML for a reading (`helpers.data.scenes.Reading`): its words in their order, then what is lacking."""
    parts = []
    for word in reading.words:
        text = html.escape(word.text)
        if word.problem:
            parts.append(_wrong(f"<b>{text}</b>", word.problem))
        elif word.factor:
            tint = _TINTS["place" if word.factor in ("column", "row") else word.factor]
            number = f" · object {word.thing + 1}" if word.thing > 0 else ""
            meaning = html.escape(f"{word.factor}: {word.value}{number}")
            parts.append(f'<span style="{_CHIP}background:{tint}"><b>{text}</b> {meaning}</span>')
    parts += [_wrong("", lack) for lack in reading.lacking]
    return f'<div role="status" aria-live="polite">{"".join(parts)}</div>'


def _wrong(text: str, problem: str) -> str:
    return (f'<span style="{_CHIP}background:#fff;border:2px solid #d55e00"><span aria-hidden="true">✗</span> {text} '
            f"{html.escape(problem)}</span>")


class PromptBox:
    """A field for one line of text, and the chips of its reading. Put it last in a cell.

    read: text -> Reading; it may raise ValueError for a text that cannot be read at all, whose words are then shown.
    answer: what to write under the chips, plain text, of a reading in which all was understood.
    """

    def __init__(self, read: Callable[[str], Any], value: str = "", label: str = "prompt",
                 answer: Callable[[Any], str] | None = None):
        self.read, self.answer = read, answer
        self.field = widgets.Text(value=value, description=label, continuous_update=False,
                                  style={"description_width": "initial"}, layout={"width": "100%", "max_width": "44em"})
        self.chips, self.answered = widgets.HTML(), widgets.HTML()
        self.view = widgets.VBox([self.field, self.chips, self.answered])
        self.reading = None  # of the text that the field shows; None where it cannot be read
        self._show(value)
        self.field.observe(lambda change: self._show(change["new"]), names="value")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        words = self.reading.words if self.reading else ()
        said = [f"{w.text}: {w.problem or w.factor + ' ' + w.value}" for w in words if w.problem or w.factor]
        lines = [self.field.value or " ", *said, *filter(None, [html.unescape(self.answered.value)])]
        still = np.concatenate([paragraph(line, 900) for line in lines])
        return {"application/vnd.jupyter.widget-view+json": view, "image/png": base64.b64encode(to_png(still)).decode(),
                "text/plain": self.field.value}

    def _show(self, text: str) -> None:
        self.answered.value = ""
        try:
            if len(text) > LONGEST_PROMPT:
                raise ValueError(f"a prompt has at most {LONGEST_PROMPT} characters; this one has {len(text):,}")
            self.reading = self.read(text)
            self.chips.value = chips(self.reading)
        except ValueError as error:
            self.reading, self.chips.value = None, _wrong("", str(error))
        if self.answer and self.reading is not None and not self.reading.problems:
            self.answered.value = html.escape(self.answer(self.reading))
