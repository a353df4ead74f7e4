r"""The exact optimal denoiser of the scene world: E[x0 | x_t], for whatever `scenes.draw` can have drawn.

Notebook 12. `diffusion.ideal` knows a list of pictures; this world is a continuum. But it is a mixture whose parts are
known: six factors, and in each a place (x, y) and a radius r that are uniform in a box. A picture is

    bg + cover (colour - bg),    cover = scenes.drawing.coverage(shape, x, y, r)

so all that x_t says of a picture are three products of x_t with its cover, one a channel, and covers are few: no
picture is ever drawn. The box is integrated by the midpoint rule. Where noise is low, the posterior is narrower than
a cell of that grid; there each part that is still possible gets a new grid around its own posterior, several times.

B pictures · P pixels · C colours · G backgrounds · H parts (shape, size, column, row) · J points of a grid · K = H J
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ...data.scenes import drawing
from ...data.scenes.drawing import FACTORS, VALUES
from ...diffusion.forward import Schedule

PLACED = ("shape", "size", "column", "row")  # the factors that a cover depends on
COARSE_GRID = (7, 7, 3)  # midpoints of x, y and r in the whole box
SHARP = 2.5              # noise / signal below which they are too few: the error of the mean is then .2 % of its own
FINE_GRID = (6, 6, 6)    # of the grids around a posterior,
STDS = 3.0               # each of which reaches so many standard deviations from the mean;
FALL = 2.0               # the noise falls by this factor from one to the next
UNLIKELY = 3e-4          # a part with less of the probability is dropped
AT_ONCE = 4              # pictures whose probabilities are held at a time, each 2 MB
DRAWN_AT_ONCE = 1024     # covers
BACKGROUND = drawing.BACKGROUND_PALETTE[:, 0].double()                               # (G,): they are greys
DIFFERENCE = drawing.PALETTE.double()[:, None] - BACKGROUND[:, None]                 # (C, G, 3)


class Covers(NamedTuple):
    r"""Covers of several parts at points of their boxes.

    part    (K,), which of the H parts      points  (K, 3), x, y and r in pixels      cover  (K, P)
    area    (K,), the sum of each cover     energy  (K,), of its squares
    """

    part: Tensor
    points: Tensor
    cover: Tensor
    area: Tensor
    energy: Tensor


class Posterior(NamedTuple):
    r"""What x_t leaves open of one picture: share (K, C, G), which sums to 1, of each of the covers."""

    share: Tensor
    covers: Covers


class SceneOptimum:
    r"""denoise(x, t) -> E[x0 | x_t = x], the best denoiser of scenes that there can be: a call is like a model's.

    split  of `scenes.sample_factors`: which pairings of shape and colour the world has
    grid   midpoints of x, y and r; sharp: 0 never looks closer than this grid
    x is (B, 3, 32, 32), t one number or (B,) from 1 to T. It computes in float64 on a CPU.
    """

    def __init__(self, schedule: Schedule, split: str = "train", grid=COARSE_GRID, sharp: float = SHARP):
        self.schedule, self.sharp = schedule, sharp
        self.allowed = torch.zeros(len(drawing.SHAPES), len(drawing.COLOURS), dtype=torch.bool)
        self.allowed[tuple(drawing.pairings(split).T)] = True
        self.parts, self.low, self.high, self.covers = everywhere(tuple(grid))

    def __call__(self, x: Tensor, t: int | Tensor) -> Tensor:
        means = [mean_picture(posterior) for posterior in self.posteriors(x, t)]
        return torch.stack(means).reshape(x.shape).to(x.dtype)

    def factors(self, x: Tensor, t: int | Tensor) -> dict[str, Tensor]:
        r"""{factor: (B, number of its values)}: the probability of each value, given x_t."""
        found = [self.factor_shares(posterior) for posterior in self.posteriors(x, t)]
        return {name: torch.stack([each[name] for each in found]) for name in FACTORS}

    def factor_shares(self, posterior: Posterior) -> dict[str, Tensor]:
        r"""{factor: (number of its values,)} of one picture."""
        share, parts = posterior.share, self.parts[posterior.covers.part]           # (K, C, G), (K, 4)
        of_cover = share.sum((1, 2))
        found = {name: of_cover.new_zeros(len(VALUES[name])).index_add_(0, values, of_cover)
                 for name, values in zip(PLACED, parts.T, strict=True)}
        return found | {"colour": share.sum((0, 2)), "background": share.sum((0, 1))}

    @torch.no_grad()
    def posteriors(self, x: Tensor, t: int | Tensor):
        r"""Yields a `Posterior` for each picture of x (B, 3, 32, 32).

        ValueError for pictures of another size, and for t = 0, where nothing is hidden.
        """
        if x.shape[1:] != (3, drawing.SIZE, drawing.SIZE):
            raise ValueError(f"scenes are (B, 3, {drawing.SIZE}, {drawing.SIZE}); got {tuple(x.shape)}")
        y = x.flatten(2).double()                                                   # (B, 3, P)
        signal, noise = (level.expand(len(y), 1, 1) for level in self.schedule.at(t, y))
        if (noise == 0).any():
            raise ValueError("at t = 0 no noise hides the picture: ask from t = 1 on")
        softer = torch.maximum(noise, self.sharp * signal)
        for rows in torch.arange(len(y)).split(AT_ONCE):
            logits = self.log_likelihood(y[rows], self.covers, signal[rows], softer[rows])
            for i, each in zip(rows.tolist(), logits, strict=True):
                found = Posterior(softmax(each), self.covers)
                sharp = noise[i] < softer[i]
                yield self.closer(y[i : i + 1], found, signal[i], noise[i], softer[i]) if sharp else found

    def log_likelihood(self, y: Tensor, covers: Covers, signal: Tensor, noise: Tensor) -> Tensor:
        r"""log N(y; signal x0, noise^2 I) of every x0, but for a term that is the same for all: (B, K, C, G).

        y (B, 3, P), signal and noise (B, 1, 1). With d = colour - bg, x0 = bg + cover d, so
        <y, x0> = bg sum(y) + sum_i d_i <y_i, cover> and |x0|^2 = 3 P bg^2 + 2 bg sum(d) sum(cover) + |d|^2 |cover|^2.
        """
        bg, d = BACKGROUND, DIFFERENCE                                              # (G,), (C, G, 3)
        along = torch.einsum("bki,cgi->bkcg", (y.to(covers.cover) @ covers.cover.T).double().mT, d)
        along += (bg * y.sum((1, 2))[:, None])[:, None, None]
        length = (3 * y.shape[2] * bg**2 + 2 * bg * d.sum(2) * covers.area[:, None, None]
                  + d.square().sum(2) * covers.energy[:, None, None])               # (K, C, G)
        signal, noise = signal[..., None], noise[..., None]
        logits = along.sub_(signal / 2 * length).mul_(signal / noise**2)
        return logits.masked_fill_(~self.allowed[self.parts[covers.part, 0], :, None], -torch.inf)

    def closer(self, y: Tensor, found: Posterior, signal: Tensor, noise: Tensor, level: Tensor) -> Posterior:
        r"""The posterior at `noise` of y (1, 3, P), from that at a higher `level`, by ever narrower grids."""
        kept = torch.arange(len(self.parts))
        while level > noise:
            weight = found.share.sum((1, 2)).reshape(len(kept), -1)                 # (H, J)
            likely = weight.sum(1) > UNLIKELY
            weight, points = weight[likely], found.covers.points.reshape(*weight.shape, 3)[likely]
            kept = kept[likely]
            low, high = narrowed(points, weight / weight.sum(1, keepdim=True), self.low[kept], self.high[kept])
            level = torch.maximum(level / FALL, noise)
            covers = cover_points(self.parts, kept, midpoints(low, high, FINE_GRID))
            logits = self.log_likelihood(y, covers, signal[None], level[None])[0].unflatten(0, (len(kept), -1))
            # a part with a smaller grid has less of the prior in it
            logits += ((high - low) / (self.high - self.low)[kept]).prod(1).log()[:, None, None, None]
            found = Posterior(softmax(logits.flatten(0, 1)), covers)
        return found


@cache
def everywhere(grid: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor, Covers]:
    r"""All parts (H, 4), the lowest and the highest x, y, r of each (H, 3), and their covers: made once for a grid."""
    parts = torch.cartesian_prod(*(torch.arange(len(VALUES[name])) for name in PLACED))              # (H, 4)
    low, high = jitter_box(parts)
    # float32 is exact enough for noise of SHARP and above; below, differences of large exponents decide
    covers = cover_points(parts, torch.arange(len(parts)), midpoints(low, high, grid), torch.float32)
    return parts, low, high, covers


def cover_points(parts: Tensor, kept: Tensor, points: Tensor, dtype=torch.float64) -> Covers:
    r"""The covers of those of `parts` (H, 4) that are `kept` (h,), at points (h, J, 3)."""
    part, points = kept.repeat_interleave(points.shape[1]), points.flatten(0, 1)
    cover = torch.empty(len(part), drawing.SIZE**2, dtype=dtype)
    energy = torch.empty(len(part), dtype=torch.float64)
    for rows in torch.arange(len(part)).split(DRAWN_AT_ONCE):  # what lies between is several times as large
        x, y, radius = points[rows].float().unbind(1)
        cover[rows] = drawing.coverage(parts[part[rows], 0], x, y, radius).flatten(1).to(dtype)
        energy[rows] = torch.linalg.vecdot(cover[rows], cover[rows]).double()
    return Covers(part, points, cover, cover.sum(1).double(), energy)


def jitter_box(parts: Tensor) -> tuple[Tensor, Tensor]:
    r"""The lowest and the highest x, y, r of parts (H, 4): (H, 3) each."""
    centre = torch.tensor(drawing.CENTRES)[parts[:, 2:]]                            # (H, 2)
    radius = torch.tensor(drawing.RADII)[parts[:, 1]]                               # (H, 2)
    ends = (torch.cat([centre + side * drawing.JITTER, radius[:, i : i + 1]], 1) for i, side in enumerate((-1, 1)))
    return tuple(end.double() for end in ends)


def midpoints(low: Tensor, high: Tensor, grid: tuple[int, ...]) -> Tensor:
    r"""The midpoints of the cells of boxes from low to high (H, 3): (H, J, 3), J the product of the grid."""
    shares = torch.cartesian_prod(*((torch.arange(n).double() + 0.5) / n for n in grid))             # (J, 3)
    return low[:, None] + shares * (high - low)[:, None]


def narrowed(points: Tensor, weight: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    r"""Boxes around the mean of points (H, J, 3) with weight (H, J), inside low to high (H, 3): its two ends."""
    mean = (weight[..., None] * points).sum(1)                                      # (H, 3)
    std = (weight[..., None] * (points - mean[:, None]).square()).sum(1).sqrt()
    return torch.maximum(low, mean - STDS * std), torch.minimum(high, mean + STDS * std)


def mean_picture(posterior: Posterior) -> Tensor:
    r"""The mean of bg + cover (colour - bg): (3, P)."""
    share, cover = posterior.share, posterior.covers.cover
    along = torch.einsum("kcg,cgi->ik", share, DIFFERENCE)                          # (3, K)
    return (share.sum((0, 1)) * BACKGROUND).sum() + (along.to(cover) @ cover).double()


def softmax(logits: Tensor) -> Tensor:
    return logits.flatten().softmax(0).reshape(logits.shape)
