"""A question with two to four buttons; the answer and its figure come after the choice, folded where no kernel runs.

    Predict("The code shrinks from 32 numbers to 4. What is lost first?",
            {"the shape": None, "the place": "the place is two numbers, and they move many pixels"},
            answer="the shape", because="With 4 numbers the colours are right and 38 % of the shapes.")

`because` may be a function, for an answer that takes a while to compute or has a figure: it returns a text, or
(picture, text). It is called once, when the answer is first needed.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np

from .card import STYLE, close_all
from .raster import to_png
from .reruns import close_earlier


class Predict:
    """A question to answer before reading on. Put it last in a cell, or pass it to `display`.

    question: one or two sentences.
    choices: two to four labels; or {label: what to say to who chose it, or None}.
    answer: the label that is right.
    because: the answer in words; or a function of nothing that returns them, or (picture, words), the picture
        uint8 (H, W, 3). Words are plain text.
    picture: uint8 (H, W, 3), shown with the question; it must not show the answer.

    ValueError: fewer than two choices, more than four, two of one name, or an answer that is none of them.
    """

    def __init__(self, question: str, choices: Mapping[str, str | None] | Iterable[str], answer: str,
                 because: str | Callable[[], Any], picture: np.ndarray | None = None):
        labels = list(choices)
        if isinstance(choices, str) or not 2 <= len(labels) <= 4 or len(set(labels)) < len(labels):
            raise ValueError(f"a prediction has two to four choices, each another; got {choices!r}")
        if answer not in labels:
            raise ValueError(f"the answer {answer!r} is none of the choices {labels}")
        self.question, self.answer, self._because = question, answer, because
        self.remarks = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(labels)
        self._ask = f'<b style="font-size:1.1em">{html.escape(question)}</b>'
        self._ask += "" if picture is None else _figure(picture, question)
        self._body = None  # the answer as HTML, once it was needed
        self.buttons = widgets.ToggleButtons(options=labels, value=None, layout={"width": "auto", "max_width": "100%"},
                                             style={"button_width": "auto"})
        self.answered = widgets.HTML()
        self.view = widgets.VBox([widgets.HTML(STYLE + self._ask), self.buttons, self.answered])
        self.view.add_class("course-card")
        self.buttons.observe(self._on_choice, names="value")
        close_earlier(self, question)

    def close(self) -> None:
        """Take the question off the page, and let go of all that `because` holds."""
        self._because = None
        close_all(self.view)

    def _on_choice(self, change: dict) -> None:
        label = change["new"]
        right = label == self.answer
        said = f"{'✓' if right else '✗'} You said “{label}”: {'right.' if right else 'not quite.'}"
        remark = f" {self.remarks[label]}" if self.remarks[label] else ""
        head = f"<p><b>{html.escape(said)}</b>{html.escape(remark)}</p>"
        try:
            body = self._explanation()
        except Exception as error:  # a page shows nothing of an error in a handler
            body = f"<p>⚠ The answer cannot be shown ({html.escape(f'{type(error).__name__}: {error}')}).</p>"
        self.answered.value = f'<div role="alert">{head}{body}</div>'

    def _explanation(self) -> str:
        """The right choice and why, with the figure, as HTML."""
        if self._body is None:
            found = self._because() if callable(self._because) else self._because
            picture, words = found if isinstance(found, tuple) and len(found) == 2 else (None, found)
            if not isinstance(words, str):
                raise TypeError("`because` must be text, or a function that returns text or (picture, text)")
            figure = "" if picture is None else _figure(picture, words)
            self._body = f"<p>Answer: <b>{html.escape(self.answer)}</b>. {html.escape(words)}</p>{figure}"
        return self._body

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        # JupyterLab shows the live view; on commit it is dropped, and a page without a kernel shows the HTML.
        labels = "".join(f"<li>{html.escape(label)}</li>" for label in self.remarks)
        remarks = "".join(f"<p>“{html.escape(label)}”: {html.escape(text)}</p>"
                          for label, text in self.remarks.items() if text)
        still = (f"<div>{self._ask}<ul>{labels}</ul><details><summary>Choose one, then open the answer</summary>"
                 f"{self._explanation()}{remarks}</details></div>")
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/html": still, "text/plain": self.question}


def _figure(picture: np.ndarray, alt: str) -> str:
    png = base64.b64encode(to_png(picture)).decode()
    return (f'<p><img src="data:image/png;base64,{png}" alt="{html.escape(alt)}" width="{picture.shape[1]}" '
            'style="max-width:100%;height:auto"></p>')
