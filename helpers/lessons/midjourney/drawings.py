"""The figure of notebook 15: where each part of a command goes. What stands in it is real."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, column, connect, grid, maps, operation, picture, row
from ...systems.studio import Studio, read_line
from ...systems.studio.chaos import SpreadNoise, own_share

FOUR = 4  # pictures of a grid


@torch.no_grad()
def command_map(studio: Studio, prompt: str, seed: int = 7, chaos: int = 60) -> Diagram:
    """A command taken apart: its words go to the text tower, its seed and chaos to the noise, the rest to the loop."""
    canvases = studio.draw(read_line(f"/imagine prompt: {prompt} --seed {seed} --chaos {chaos}")).canvases
    system = studio.worlds[False].system
    noise = system.noise(FOUR, SpreadNoise(seed, own_share(chaos)))
    words = column(operation(prompt, "words"), operation("--no", "words"), gap=6)
    noises = column(operation(f"--seed {seed}", "words"), operation(f"--chaos {chaos}", "words"), gap=6)
    rest = column(operation("--ar, --stop", "words"), gap=6)
    tower, source = operation("TextTower", note="notebook 11"), operation("SpreadNoise")
    starts = row(*(maps(each[:1].repeat_interleave(6, 1).repeat_interleave(6, 2), "", "noise", side=44)
                   for each in noise), gap=4)
    loop = operation("sample", note="notebooks 12 to 14")
    drawn = row(*(picture(each, "", 52) for each in canvases), gap=4)
    table = grid([words, arrow(length=20), tower, None, None],
                 [noises, arrow(length=20), source, arrow(length=20), starts],
                 [rest, None, None, None, loop], [None, None, None, None, drawn], gap=(14, 20))
    return Diagram(table, connect(tower, "right", loop, "right", "context", detour=150),
                   connect(starts, "bottom", loop, "top", "x_T"), connect(rest, "right", loop, "left"),
                   connect(loop, "bottom", drawn, "top"),
                   title="A command, taken apart", description="The words of a prompt go through the text tower. Seed "
                   "and chaos make four noises, in part alike. The sampler goes from each noise to a picture, guided "
                   "by the words.")
