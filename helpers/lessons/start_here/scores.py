r"""The parser and the caption reader of the tiny scenes against the truth (notebook 00)."""

from __future__ import annotations

from ...course.scores import Score
from ...data.scenes.__main__ import all_six, read_back, writing_rate


def parser():
    yield Score("scenes.parser.clean", "pictures with all six factors read right", all_six(4000), ".2%", bar=">= 1")
    yield Score("scenes.parser.noisy", "the same under noise of 0.05 on [0, 1]", all_six(4000, noise=0.05), ".2%",
                bar=">= 0.995")
    yield Score("scenes.parser.pairs", "two-object scenes read right", all_six(2000, pairs=True), ".2%", bar=">= 0.99")


def captions():
    for language, name in (("en", "English"), ("ko", "Korean")):
        for kind in ("one", "pairs", "crowds"):
            yield Score(f"scenes.captions.{language}.{kind}", f"{name} captions ({kind}), as people type them, read "
                        "as they were written, of 20,000", read_back(kind, language), ".2%", bar=">= 1")
        yield Score(f"scenes.captions.{language}.rate", f"{name} captions of one object written a second, one thread",
                    writing_rate(language), ",.0f", bar=">= 5000")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "scenes.parser", parser
    yield "scenes.captions", captions
