r"""The parser of the tiny scenes against the truth (notebook 00)."""

from __future__ import annotations

from ...course.scores import Score
from ...data.scenes.__main__ import all_six


def parser():
    yield Score("scenes.parser.clean", "pictures with all six factors read right", all_six(4000), ".2%", bar=">= 1")
    yield Score("scenes.parser.noisy", "the same under noise of 0.05 on [0, 1]", all_six(4000, noise=0.05), ".2%",
                bar=">= 0.995")
    yield Score("scenes.parser.pairs", "two-object scenes read right", all_six(2000, pairs=True), ".2%", bar=">= 0.99")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "scenes", parser
