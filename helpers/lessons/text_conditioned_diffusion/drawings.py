"""Figures of notebook 13: how a prompt enters the U-Net, and what guidance buys at which scale."""

from __future__ import annotations

import torch

from ...course.scores import PATH
from ...data.files import read_json
from ...models.glide import GLIDE
from ...show.attention import plain
from ...show.diagrams import Diagram, arrow, column, connect, grid, maps, operation, picture, row, sign, vector
from ...show.figures import curves
from ...systems.text_to_image import END, TextToImage
from ..ae_vs_vae.experiments import standard_error
from .experiments import GUIDANCE_SCALES

VECTOR_CELLS = 7  # numbers of a token's vector


@torch.no_grad()
def text_enters(system: TextToImage, prompt: str, x, t: int) -> Diagram:
    """A prompt on its way into the U-Net, which answers at x (1, 3, S, S) of time t.

    Maps are those of the network: what it has made of x before the coarse levels read, and after the middle.
    """
    model, ids = system.model, system.read([prompt])
    cond = model.read(ids)
    before, after = features_around(model, x, t, cond)
    tokens = [operation(plain(token), "words") for token in system.words.tokens(prompt)] + [operation(END, "words")]
    context = row(*(vector(each[:VECTOR_CELLS], "", "hidden", cell=8) for each in cond["context"][0]), gap=4)
    tower, join, time = operation("TextTower"), sign("+"), operation("time", note=f"t = {t}")
    noisy, leaves = picture(x[0].clamp(-1, 1), "x_t", 64), picture(model(x, t, **cond)[0].clamp(-1, 1), "answer", 64)
    fine, up = maps(before, "fine levels", side=64), operation("fine\nlevels")
    coarse = maps(after, "coarse levels: places\nread places and words", side=64)
    laid = model.unet.lay_under(torch.zeros_like(x), cond["vector"], torch.ones(len(x)))[0]
    layout = picture(laid / laid.abs().max().clamp(min=1e-6), "layout", 64)
    text = row(column(*tokens, gap=3), arrow(length=20), tower, arrow(length=20), context)
    table = grid([None, None, None, None, text, None, join, None, time], [layout],
                 [noisy, arrow(length=20), fine, arrow(), coarse, None, up, arrow(length=20), leaves], gap=(4, 20))
    return Diagram(table, connect(context, "bottom", coarse, "top", "context", dashed=True),
                   connect(context, "right", join, "left", "last"),
                   connect(context, "bottom", layout, "right"), connect(layout, "bottom", noisy, "top"),
                   connect(time, "left", join, "right"), connect(coarse, "right", up, "left"),
                   connect(join, "bottom", up, "top", "to every\nblock"),
                   title="How a prompt enters", description="The tokens of a prompt go through a text tower. All of "
                   "them are the context that places read at the coarse levels; the last one is added to the time, "
                   "and becomes a faint picture under the noisy one.")


def features_around(model: GLIDE, x, t, cond: dict):
    """Feature maps (W, side, side) of a picture x (1, 3, S, S): before the levels that read, and after the middle."""
    unet, found = model.unet, []
    first = unet.down[len(unet.down) - unet.config["reads"]]
    with (first.register_forward_pre_hook(lambda _, given: found.append(given[0][0])),
          unet.middle.register_forward_hook(lambda _, given, answer: found.append(answer[0]))):
        model(x, t, **cond)
    return found


# -- what guidance buys --------------------------------------------------------------------------------------------


def recorded_frontier() -> dict[str, list[float]]:
    """{"asked", "valid", "both": the recorded share of pictures at each of `GUIDANCE_SCALES`}."""
    scores = read_json(PATH)["scores"]
    return {name: [scores[f"prompted.frontier.{scale:g}.{name}"]["value"] for scale in GUIDANCE_SCALES]
            for name in ("asked", "valid", "both")}


def frontier_figure(shares: dict[str, list[float]], n: int):
    """Shares of n pictures along `GUIDANCE_SCALES` as curves, with 95 % intervals."""
    fig = curves({name: (GUIDANCE_SCALES, values) for name, values in shares.items()}, "guidance scale s",
                 f"share of {n:,} pictures", ylim=(0, 1.05))
    for line, values in zip(fig.axes[0].get_lines(), shares.values(), strict=True):
        reach = [1.96 * standard_error(value, n) for value in values]
        fig.axes[0].errorbar(GUIDANCE_SCALES, values, reach, fmt="none", ecolor=line.get_color(), elinewidth=1.2,
                             capsize=3)
    return fig
