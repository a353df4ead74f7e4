r"""How long notebook 16 takes to write 16 pictures, with the cache of keys and values and without.

    python -m tests.benchmarks.dalle              the medians of five, on two threads
    python -m tests.benchmarks.dalle --record     writes them into data/trials.json, too, where the scores read them
"""

from __future__ import annotations

import argparse

import torch

from helpers.lessons.dalle.experiments import shipped_dalle, writing_seconds
from helpers.lessons.dalle.scores import writing_timed
from helpers.training import tuning


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dalle", description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write it into data/trials.json")
    options = parser.parse_args(argv)
    torch.set_num_threads(2)
    found = writing_seconds(shipped_dalle())
    print("\n".join(f"{name}: {1000 * seconds / 16:.0f} ms a picture" for name, seconds in found.items()))
    if options.record:
        tuning.record(writing_timed(), {f"{name}_seconds": round(seconds, 4) for name, seconds in found.items()})


if __name__ == "__main__":
    main()
