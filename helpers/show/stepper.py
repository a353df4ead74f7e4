"""A knob for what is done one step at a time: a slider over counts, and a button beside it that adds one.

    Sweep(render, {"steps": stepper("steps", "one more step", 30)}, ...)

Only the widgets and traits that ipywidgets 7.7.1 (Colab) and 8 share are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets


class Stepper(widgets.HBox):
    """The slider and the button as one knob: it has the slider's `value` and `description`, and is observed like it."""

    def __init__(self, label: str, button: str, high: int, value: int = 0):
        self.slider = widgets.IntSlider(description=label, min=0, max=high, value=value,
                                        style={"description_width": "initial"},
                                        layout={"flex": "1 1 auto", "width": "auto"})
        self.button = widgets.Button(description=button, layout={"flex": "0 0 auto", "width": "auto"})
        super().__init__([self.slider, self.button], layout={"width": "100%", "max_width": "44em"})
        self.button.on_click(self._add_one)

    @property
    def description(self) -> str:
        return self.slider.description

    @property
    def value(self) -> int:
        return self.slider.value

    @value.setter
    def value(self, count: int) -> None:
        self.slider.value = count

    def observe(self, handler: Callable, names: Any = "value", **how) -> None:
        """Call the handler when the count changes; what else is observed is the box's own."""
        of = self.slider if names == "value" else super()
        of.observe(handler, names=names, **how)

    def _add_one(self, button: widgets.Button) -> None:
        self.value += 1  # the slider stays within its range


def stepper(label: str, button: str, high: int, value: int = 0) -> Stepper:
    """A count from 0 to `high` that starts at `value`; `button` is what stands on the button that adds one."""
    return Stepper(label, button, high, value)
