r"""How long notebook 15's studio takes for a grid, for an upscale and for a zoom.

    python -m tests.benchmarks.studio              the median of seven, each with another seed, on two threads
    python -m tests.benchmarks.studio --record     writes it into data/trials.json, too, where the scores read it
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from helpers.lessons.midjourney.experiments import shipped_studio
from helpers.lessons.midjourney.scores import studio_timed
from helpers.systems.studio import Session
from helpers.training import tuning

REPEATS = 7


def timings() -> dict[str, float]:
    r"""{name: seconds}, the medians; what is slow the first time only does not count."""
    session, found = Session(shipped_studio()), {}
    for repeat in range(REPEATS + 1):
        for name, text in (("grid", f"/imagine prompt: a big red circle --seed {repeat}"), ("upscale", "U2"),
                           ("zoom", f"Zoom Out 2x --seed {repeat}"),
                           ("emoji", f"/imagine prompt: tiger --emoji --seed {repeat}")):
            began = time.perf_counter()
            session.say(text).png()
            if repeat:
                found.setdefault(name, []).append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in found.items()}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.studio", description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write it into data/trials.json")
    options = parser.parse_args(argv)
    torch.set_num_threads(2)
    found = timings()
    print("\n".join(f"{name}: {1000 * seconds:.0f} ms" for name, seconds in found.items()))
    if options.record:
        tuning.record(studio_timed(), {f"{name}_seconds": round(seconds, 4) for name, seconds in found.items()})


if __name__ == "__main__":
    main()
