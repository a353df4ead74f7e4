"""The figure of notebook 06: its U-Net, with the features of a noisy picture in it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...show.diagrams import Diagram, arrow, connect, grid, maps, picture, sign


@torch.no_grad()
def unet_layers(net, x) -> Diagram:
    """The boxes of `SmallUNet.forward` on a picture x (1, 3, 32, 32): down, up again, and skips across."""
    full = net.block0(net.stem(x))
    half = net.block1(net.down1(full))
    quarter = net.block2(net.down2(half))
    bottom = net.block3(net.down3(quarter))
    back = [net.up2(bottom, quarter)]
    back.append(net.up1(back[-1], half))
    back.append(net.up0(back[-1], full))
    change = net.picture(F.silu(net.norm(back[-1])))
    down = [maps(h[0], f"{h.shape[1]} × {h.shape[2]}²") for h in (full, half, quarter, bottom)]
    up = [maps(h[0], f"{h.shape[1]} × {h.shape[2]}²") for h in back]
    entry, plus = picture(x[0].clamp(-1, 1), "in\n3 × 32²", 76), sign("+")
    leaves = picture((x + change)[0].clamp(-1, 1), "out\n3 × 32²", 76)
    table = grid([entry, arrow("stem,\nblock0"), down[0], *[None] * 5, up[2], arrow("picture"), plus,
                  arrow(length=18), leaves],
                 [*[None] * 3, down[1], *[None] * 3, up[1]], [*[None] * 4, down[2], None, up[0]],
                 [*[None] * 5, down[3]],
                 gap=(5, 8))
    links = [connect(a, "bottom", b, "left") for a, b in zip(down, down[1:], strict=False)]
    links += [connect(a, "right", b, "bottom") for a, b in zip([down[3], *up], up, strict=False)]
    links += [connect(a, "right", b, "left", "skip", dashed=True) for a, b in zip(down, reversed(up), strict=False)]
    links += [connect(entry, "top", plus, "top", "what comes in, unchanged", detour=22, dashed=True)]
    return Diagram(table, *links, title="A small U-Net",
                   description="Three steps down to small feature maps, three steps up again. At each size the "
                               "features also go straight across, and what comes in is added at the end.")
