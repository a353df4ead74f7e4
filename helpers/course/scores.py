r"""Every figure that a notebook or the README quotes, computed again from the shipped weights on held-out data.

    python -m helpers.course.scores                   all of them, with baseline, bar and verdict (make scores)
    python -m helpers.course.scores autoencoder       those whose names begin so
    python -m helpers.course.scores --json            the same as JSON
    python -m helpers.course.scores --write           also into data/scores.json, from which prose is filled

The exit status is 1 if a bar is missed. Seeds are fixed. A figure whose data is not on this computer is skipped, with
the reason; `--write` then keeps the older figures of its group. A figure that nothing computes any more is dropped.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import DATA
from ..data.downloads import DataUnavailable
from ..data.files import print_anywhere, read_json, write_json
from ..training.checkpoints import CheckpointError

PATH = DATA / "scores.json"
ROW = "{:38} {:>9} {:>9} {:>9}  {:8} {}"
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class UnknownPrefixError(ValueError):
    r"""No scores begin with the prefix that was given; the message says which there are."""


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
                "bar": self.bar, "verdict": self.verdict}


LESSONS = Path(__file__).resolve().parents[1] / "lessons"


@functools.cache
def groups() -> dict[str, Callable[[], Iterator[Score]]]:
    r"""{what names begin with: what yields those scores}, from `groups()` in the scores.py of each lesson.

    Two of one name are a mistake: ValueError.
    """
    found = {}
    for lesson in sorted(path.parent.name for path in LESSONS.glob("*/scores.py")):
        for name, scores in importlib.import_module(f"helpers.lessons.{lesson}.scores").groups():
            if name in found:
                raise ValueError(f"two groups of scores are named {name!r}")
            found[name] = scores
    return found


def compute(prefix: str = "") -> Iterator[Score]:
    r"""The scores whose names begin with `prefix`, in order. UnknownPrefixError if there are none."""
    table = groups()
    chosen = [name for name in table if name.startswith(prefix) or prefix.startswith(name)]
    found = 0
    for name in chosen:
        try:
            for score in table[name]():
                if score.name.startswith(prefix):
                    found += 1
                    yield score
        except DataUnavailable as error:
            found += 1
            yield Score(name, "the scores of this group", None, skipped=str(error))
    if not found:
        raise UnknownPrefixError(f"no scores begin with {prefix!r}. There are: {', '.join(table)}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.course.scores", description="compute quoted figures")
    parser.add_argument("prefix", nargs="?", default="", help="only scores whose names begin so")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", action="store_true", help="write them into data/scores.json as well")
    options = parser.parse_args(argv)
    print_anywhere()
    try:
        found = [printed(score, table=not options.json) for score in compute(options.prefix)]
    except UnknownPrefixError as error:
        parser.error(str(error))
    except CheckpointError as error:
        sys.exit(f"error: {error}")
    entries = {score.name: score.entry() for score in found if score.value is not None}
    if options.json:
        skipped = {score.name: score.skipped for score in found if score.value is None}
        print(json.dumps({"scores": entries, "skipped": skipped}, indent=1))
    if options.write:
        write_json(PATH, {"scores": left_as_recorded(options.prefix, found) | entries})
    return int(any(score.verdict == "missed" for score in found))


def left_as_recorded(prefix: str, found: list[Score]) -> dict[str, dict]:
    r"""The recorded figures that a run leaves as they are: those of other prefixes, and those of skipped groups."""
    skipped = tuple(score.name for score in found if score.value is None)
    older = read_json(PATH, absent={}).get("scores", {})
    return {name: entry for name, entry in older.items() if not name.startswith(prefix) or name.startswith(skipped)}


def printed(score: Score, table: bool) -> Score:
    r"""Print a row of the table as soon as it is known."""
    if table:
        row = (score.name, score.text(), score.text(score.baseline) if score.baseline is not None else "", score.bar)
        why = f": {score.skipped}" if score.skipped else ""
        print(ROW.format(*row, score.verdict, score.what + why), flush=True)
    return score


if __name__ == "__main__":
    print(ROW.format("score", "value", "baseline", "bar", "verdict", "what"), file=sys.stderr)
    sys.exit(main())
