r"""Every figure that a notebook or the README quotes, computed again from the shipped weights on held-out data.

    python -m helpers.scores                   all of them, with baseline, bar and verdict (make scores)
    python -m helpers.scores autoencoder       those whose names begin so
    python -m helpers.scores --json            the same as JSON
    python -m helpers.scores --write           also into data/scores.json, from which prose is filled

The exit status is 1 if a bar is missed. Seeds are fixed. A figure whose data is not on this computer is skipped, with
the reason; `--write` then keeps the older figure.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..downloads import DataUnavailable

COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class Score:
    r"""One figure.

    name      what prose calls it by, such as "autoencoder.scenes.ratio.8"
    what      the figure in words
    value     None where it could not be computed; `skipped` says why
    form      how it is printed, a format specification: ".2f", ".0%"
    baseline  the figure to compare with, of the same kind
    bar       what the course asks of it, such as ">= 3.5", or "" where it asks nothing
    """

    name: str
    what: str
    value: float | None
    form: str = ".3g"
    baseline: float | None = None
    bar: str = ""
    skipped: str = ""

    @property
    def verdict(self) -> str:
        r""" "met" or "missed"; "skipped" without a value, "-" without a bar."""
        if self.value is None:
            return "skipped"
        if not self.bar:
            return "-"
        sign, limit = self.bar.split()
        return "met" if COMPARE[sign](self.value, float(limit)) else "missed"

    def text(self, value: float | None = None) -> str:
        value = self.value if value is None else value
        return "" if value is None else format(value, self.form)

    def entry(self) -> dict:
        r"""As data/scores.json holds it."""
        return {"what": self.what, "value": self.value, "text": self.text(), "baseline": self.baseline,
                "bar": self.bar, "verdict": self.verdict}  # fmt: skip


GROUPS: dict[str, Callable[[], Iterator[Score]]] = {}


def group(name: str):
    r"""Register a generator of the scores whose names begin with `name`."""

    def register(function):
        GROUPS[name] = function
        return function

    return register


def compute(prefix: str = "") -> Iterator[Score]:
    r"""The scores whose names begin with `prefix`, in order. ValueError if there are none."""
    chosen = [name for name in GROUPS if name.startswith(prefix) or prefix.startswith(name)]
    found = 0
    for name in chosen:
        try:
            for score in GROUPS[name]():
                if score.name.startswith(prefix):
                    found += 1
                    yield score
        except DataUnavailable as error:
            found += 1
            yield Score(name, "the scores of this group", None, skipped=str(error))
    if not found:
        raise ValueError(f"no scores begin with {prefix!r}. There are: {', '.join(GROUPS)}")


from . import autoencoder, compared, compression, denoising, generation, inpainting, mlp, seq2seq, tiny_scenes, vae  # noqa: E402, F401  (they register, so they come last)
