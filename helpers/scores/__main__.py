r"""Print the scores; see helpers/scores/__init__.py."""

from __future__ import annotations

import argparse
import json
import sys

from .. import DATA
from ..checkpoints import CheckpointError
from ..files import write_atomically
from . import Score, compute

PATH = DATA / "scores.json"
COLUMNS = "{:38} {:>9} {:>9} {:>9}  {:8} {}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.scores", description="compute the quoted figures again")
    parser.add_argument("prefix", nargs="?", default="", help="only scores whose names begin so")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", action="store_true", help="write them into data/scores.json as well")
    options = parser.parse_args(argv)
    try:
        found = [shown(score, table=not options.json) for score in compute(options.prefix)]
    except ValueError as error:
        parser.error(str(error))
    except CheckpointError as error:
        sys.exit(f"error: {error}")
    entries = {score.name: score.entry() for score in found if score.value is not None}
    if options.json:
        skipped = {score.name: score.skipped for score in found if score.value is None}
        print(json.dumps({"scores": entries, "skipped": skipped}, indent=1))
    if options.write:
        older = json.loads(PATH.read_text())["scores"] if PATH.exists() else {}
        kept = older if options.prefix or len(entries) < len(found) else {}
        write_atomically(PATH, (json.dumps({"scores": kept | entries}, indent=1) + "\n").encode())
    return int(any(score.verdict == "missed" for score in found))


def shown(score: Score, table: bool) -> Score:
    r"""Print a row of the table as soon as it is known."""
    if table:
        row = (score.name, score.text(), score.text(score.baseline) if score.baseline is not None else "", score.bar)
        print(COLUMNS.format(*row, score.verdict, score.what + (f": {score.skipped}" if score.skipped else "")),
              flush=True)  # fmt: skip
    return score


if __name__ == "__main__":
    print(COLUMNS.format("score", "value", "baseline", "bar", "verdict", "what"), file=sys.stderr)
    sys.exit(main())
