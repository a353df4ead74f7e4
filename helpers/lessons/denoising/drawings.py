"""The figure of notebook 06: its U-Net, with the features of a noisy picture in it."""

from __future__ import annotations

from contextlib import ExitStack

import torch

from ...show.diagrams import Diagram, arrow, connect, grid, maps, picture, sign


@torch.no_grad()
def unet_layers(net, x) -> Diagram:
    """The boxes of `SmallUNet.forward` on a picture x (1, 3, 32, 32): down, up again, and skips across."""
    answer, down, up = run_small_unet(net, x)
    entry, plus = picture(x[0].clamp(-1, 1), "in\n3 × 32²", 76), sign("+")
    leaves = picture(answer[0].clamp(-1, 1), "out\n3 × 32²", 76)
    after = [arrow("picture"), plus, arrow(length=18), leaves]
    table, links = u_shape(down, up, [entry, arrow("stem,\nblock0")], after)
    links += [connect(entry, "top", plus, "top", "what comes in, unchanged", detour=22, dashed=True)]
    return Diagram(table, *links, title="A small U-Net",
                   description="Three steps down to small feature maps, three steps up again. At each size the "
                               "features also go straight across, and what comes in is added at the end.")


def run_small_unet(net, x):
    """What a `SmallUNet` answers to x (1, C, S, S), and its features: four maps on the way down, three on that up."""
    found = []
    with ExitStack() as hooks:
        for part in (net.block0, net.block1, net.block2, net.block3, net.up2, net.up1, net.up0):
            hooks.enter_context(part.register_forward_hook(lambda _, given, made: found.append(made)))
        answer = net(x)
    return answer, found[:4], found[4:]


def u_shape(down, up, before, after, below=None):
    """A U-Net's feature maps as a table, and the links between them.

    before, after: what stands left and right of the topmost maps; below: what stands under the first of `before`.
    """
    down, up = ([maps(h[0], f"{h.shape[1]} × {h.shape[2]}²") for h in part] for part in (down, up))
    left = len(before)
    table = grid([*before, down[0], *[None] * 5, up[2], *after],
                 [below, *[None] * left, down[1], *[None] * 3, up[1]],
                 [*[None] * (left + 2), down[2], None, up[0]], [*[None] * (left + 3), down[3]], gap=(5, 8))
    links = [connect(a, "bottom", b, "left") for a, b in zip(down, down[1:], strict=False)]
    links += [connect(a, "right", b, "bottom") for a, b in zip([down[3], *up], up, strict=False)]
    links += [connect(a, "right", b, "left", "skip", dashed=True) for a, b in zip(down, reversed(up), strict=False)]
    return table, links
