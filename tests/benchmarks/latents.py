r"""How long notebook 14's network draws, in latents, beside notebook 13's, in pixels.

    python -m tests.benchmarks.latents              16 pictures of 20 guided steps, on one thread, in turns
    python -m tests.benchmarks.latents --record     writes it into data/trials.json, too, where the scores read it
"""

from __future__ import annotations

import argparse

import torch

from helpers.lessons.stable_diffusion import experiments as latent
from helpers.lessons.stable_diffusion.measures import drawing_seconds
from helpers.lessons.stable_diffusion.scores import timed
from helpers.lessons.text_conditioned_diffusion.experiments import shipped_system
from helpers.training import tuning


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.latents", description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write it into data/trials.json")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    found = drawing_seconds({"latents": latent.shipped_in_latents(), "pixels": shipped_system()})
    print("\n".join(f"{name}: {seconds:.2f} s" for name, seconds in found.items()))
    if options.record:
        tuning.record(timed(), {f"{name}_seconds": round(seconds, 2) for name, seconds in found.items()})


if __name__ == "__main__":
    main()
