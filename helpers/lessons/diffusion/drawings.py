"""Figures of notebook 12: its U-Net with a noisy picture in it, and strips of what a sampler guesses."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...data import scenes
from ...show.diagrams import Diagram, arrow, connect, grid, maps, operation, picture
from ...show.raster import tile


@torch.no_grad()
def timed_unet(net, x, t) -> Diagram:
    """The boxes of `UNet.forward` on a noisy picture x (1, 3, 32, 32) at time t."""
    e = net.embed_time(torch.as_tensor(t).expand(1))
    h = net.stem(x) + net.positions
    down, up = [], []
    for i, level in enumerate(net.down):
        h = level(F.avg_pool2d(h, 2) if i else h, e)
        down.append(h)
    h = net.middle(h, e)
    for i, level in enumerate(net.up):
        h = level(torch.cat([F.interpolate(h, scale_factor=2.0) if i else h, down[-1 - i]], 1), e)
        up.append(h)
    answer = net.answer(F.silu(net.norm(h)))

    def box(features, note=""):
        return maps(features[0], f"{features.shape[1]} × {features.shape[2]}²{note}")

    left, right = [box(h) for h in down[:-1]], [box(h) for h in reversed(up[1:])]
    entry, leaves = picture(x[0].clamp(-1, 1), "x_t", 64), picture(answer[0].clamp(-1, 1), "its answer", 64)
    rows = [[entry, arrow("stem"), left[0]]] + [[None, None, *[None] * i, part] for i, part in enumerate(left[1:], 1)]
    rows[1][0] = operation("time", note=f"{t}: as\n{e.shape[1]} numbers")
    for i, part in enumerate(right):
        rows[i] += [*[None] * (2 * (len(left) - i) - 1), part]
    rows[0] += [arrow("answer"), leaves]
    table = grid(*rows, [*[None] * (2 + len(left)), bottom := box(up[0], "\nthree levels")], gap=(5, 8))
    links = [connect(a, "bottom", b, "left") for a, b in zip(left, [*left[1:], bottom], strict=True)]
    links += [connect(a, "right", b, "bottom") for a, b in zip([bottom, *right[:0:-1]], right[::-1], strict=True)]
    links += [connect(a, "right", b, "left", "kept", dashed=True) for a, b in zip(left, right, strict=True)]
    return Diagram(table, *links, title="A U-Net that is told the time",
                   description="A noisy picture goes down to small maps and up again; at each size the maps are kept "
                               "and joined on the way up. The time enters at every block.")


def strip(times, noisy, guesses, scale: int = 3):
    """One path as a picture of two rows: x_t above, the guess of x0 made there below, with the judge's word on it.

    times of k steps, noisy and guesses (k, 3, S, S). Returns the uint8 picture.
    """
    words = scenes.parse(guesses.clamp(-1, 1)).words
    rows = torch.cat([noisy.clamp(-1, 1), guesses.clamp(-1, 1)])
    labels = [f"t = {t}" for t in times] + [word or "✓" for word in words]
    return tile(rows, len(times), scale=scale, labels=labels, row_labels=["x_t", "guess"])
