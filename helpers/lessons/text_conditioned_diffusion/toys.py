r"""Toys of guidance with exact answers: nothing is trained, so nothing that they show is a network's mistake.

    GaussianClasses    a few classes, each a Gaussian: E[x0 | x_t] in closed form, for one class and for all
    sharpened          p(x) p(c | x)^s in one dimension, beside what guided sampling draws there
    branching_tree     points on a tree; the class of a point is the main branch that it grows on

Notebook 13. Papers: Ho & Salimans 2022; Bradley & Nakkiran, "Classifier-free guidance is a predictor-corrector", 2024,
for what guidance does not draw from; Karras et al., "Guiding a diffusion model with a bad version of itself", 2024,
section 3, for a tree.

n points · D of their numbers, 1 or 2 · K classes
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...diffusion.forward import Schedule
from ...diffusion.guidance import guided
from ...diffusion.ideal import posterior_mean
from ...diffusion.samplers import sample
from ..diffusion.toys import evenly_likely

# -- classes that are Gaussians ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GaussianClasses:
    r"""K classes, each as likely as the others; class k is N(means_k, std^2 I).

    means  (K, D)
    std    one number
    """

    means: Tensor
    std: float

    def log_density(self, x: Tensor, one: int | None = None) -> Tensor:
        r"""log p(x | class `one`), or log p(x) without it: points (n, D) -> (n,)."""
        means = self.means if one is None else self.means[one:one + 1]
        log_each = -(x[:, None] - means).square().sum(2) / (2 * self.std**2)               # (n, K or 1)
        log_scale = means.shape[1] * math.log(self.std * math.sqrt(2 * math.pi)) + math.log(len(means))
        return log_each.logsumexp(1) - log_scale

    def denoiser(self, schedule: Schedule):
        r"""model(x, t, one=None) -> E[x0 | x_t = x], of the class `one` alone, or of all of them.

            E[x0 | x_t] = sum_k p(k | x_t) (m_k + signal std^2 / v (x_t - signal m_k)),   v = signal^2 std^2 + noise^2

        and p(k | x_t) is proportional to N(x_t; signal m_k, v I).
        """
        def model(x: Tensor, t: Tensor, one: int | None = None) -> Tensor:
            means = (self.means if one is None else self.means[one:one + 1]).to(x.dtype)
            signal, noise = schedule.at(t, x)                                              # (B, 1) each
            variance = (signal * self.std).square() + noise.square()
            away = x[:, None] - signal[..., None] * means                                  # (B, K or 1, D)
            share = (-away.square().sum(2) / (2 * variance)).softmax(1)[..., None]         # (B, K or 1, 1)
            return (share * (means + (signal * self.std**2 / variance)[..., None] * away)).sum(1)

        return model


def three_classes(distance: float = 1.0, std: float = 0.5) -> GaussianClasses:
    r"""Three classes in the plane that overlap: their means are at this distance from the origin, 120 degrees apart."""
    angle = torch.tensor([90.0, 210.0, 330.0]).deg2rad()
    return GaussianClasses(distance * torch.stack([angle.cos(), angle.sin()], 1), std)


def three_on_a_line(distance: float = 1.5, std: float = 0.6) -> GaussianClasses:
    r"""Three classes in one dimension, at -distance, 0 and distance."""
    return GaussianClasses(distance * torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64), std)


def guided_path(model, cond: dict, scale: float, schedule: Schedule, noise: Tensor, steps: int = 50) -> Tensor:
    r"""x at every step of DDIM under guidance, from T down to 0: noise (n, D) -> (steps + 1, n, D).

    model, cond, scale  as in `guidance.guided`; without `cond` the model has no condition
    """
    start = noise * schedule.noise[-1].item()
    denoise = guided(model, cond, {}, scale)
    return torch.stack([start, *(x for _, x, _ in sample(denoise, start, schedule, steps))])


def kept_and_spread(world: GaussianClasses, one: int, x: Tensor) -> tuple[float, float]:
    r"""Of samples (n, D): the share within 2 std of the mean of class `one`, and their std in units of the class's."""
    near = (x - world.means[one]).square().sum(1).sqrt() <= 2 * world.std
    own = x.var(0, correction=0).mean().sqrt()
    return near.float().mean().item(), own.item() / world.std


# -- what guided samples are not -----------------------------------------------------------------------------------

LINE = torch.linspace(-6, 6, 2401, dtype=torch.float64)  # where densities of one dimension are given, in steps of .005


def sharpened(world: GaussianClasses, one: int, scale: float) -> Tensor:
    r"""p(x) p(one | x)^scale, normalised, at the points of `LINE`: what guidance is often said to draw from.

    By Bayes it is p(x)^(1 - scale) p(x | one)^scale but for a constant; its score at t = 0 is the guided one.
    """
    x = LINE[:, None]
    log_density = (1 - scale) * world.log_density(x) + scale * world.log_density(x, one)
    density = (log_density - log_density.max()).exp()
    return density / torch.trapezoid(density, LINE)


def standard_quantiles(n: int) -> Tensor:
    r"""n points (n, 1) of N(0, 1), each of which stands for as much of the probability, in their order."""
    return torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)[:, None]


def guided_line(world: GaussianClasses, one: int, scale: float, schedule: Schedule, n: int = 600,
                steps: int = 160) -> Tensor:
    r"""Where DDIM under guidance takes evenly likely points of the noise: (n, 1), in their order.

    Paths of an equation dx/dt = f(x, t) never cross, so the i-th point of the noise becomes the i-th of the samples:
    these are quantiles of what guidance draws, with no luck in them.
    """
    model = world.denoiser(schedule)
    return guided_path(model, {"one": one}, scale, schedule, standard_quantiles(n), steps)[-1].sort(0).values


def sharpened_line(world: GaussianClasses, one: int, scale: float, schedule: Schedule, n: int = 200,
                   steps: int = 120) -> Tensor:
    r"""`guided_line` for a denoiser that is right for `sharpened` at *every* t: it does draw from it. (n, 1)."""
    denoise = posterior_mean(evenly_likely(LINE, sharpened(world, one, scale), 4 * n)[:, None], schedule)
    return guided_path(denoise, {}, 1, schedule, standard_quantiles(n), steps)[-1].sort(0).values


def share_apart(samples: Tensor, density: Tensor, width: float = 0.05) -> float:
    r"""The share of probability by which quantiles (n, 1) and a density on `LINE` differ: 0 the same, 1 no overlap.

    Taken over bins of this width.
    """
    edges = np.arange(LINE[0].item(), LINE[-1].item() + width / 2, width)
    share = (np.arange(len(samples)) + 0.5) / len(samples)
    found = np.interp(edges, samples[:, 0], share, left=0.0, right=1.0)
    mass = np.interp(edges, LINE[1:], torch.cumulative_trapezoid(density, LINE), left=0.0)
    outside = found[0] + 1 - found[-1]
    return float(np.abs(np.diff(found) - np.diff(mass)).sum() + outside) / 2


# -- a tree --------------------------------------------------------------------------------------------------------


OFF_THE_TREE = 0.025  # a point farther from the tree than this is not on it; the tree is 1.6 wide


class Tree(NamedTuple):
    r"""Points (n, 2) of a tree, the main branch (n,) of each, and its way from the root (n,), 1 at the leaves."""

    points: Tensor
    branch: Tensor
    way: Tensor


def branching_tree(branches: int = 4, forks: int = 3, spread: float = 28.0, every: float = 0.02) -> Tree:
    r"""A tree whose main branches leave the root in all directions and fork again and again.

    forks   how often a branch becomes two     spread  degrees by which the two turn away
    every   the distance between neighbouring points on a branch; the tree is about 1.6 wide
    """
    found = []

    def grow(root: complex, angle: float, length: float, way: float, branch: int, left: int) -> None:
        step = complex(math.cos(angle), math.sin(angle))
        count = round(length / every)
        found.extend((root + step * length * i / count, branch, way + length * i / count) for i in range(1, count + 1))
        for turn in (-spread, spread) if left else ():
            grow(root + step * length, angle + math.radians(turn), 0.72 * length, way + length, branch, left - 1)

    for number in range(branches):
        grow(0j, 2 * math.pi * (number + 0.5) / branches, 0.36, 0.0, number, forks)
    places, branch, way = zip(*found, strict=True)
    points = torch.tensor([[place.real, place.imag] for place in places])
    return Tree(points, torch.tensor(branch), torch.tensor(way) / max(way))


def tree_denoiser(tree: Tree, schedule: Schedule):
    r"""model(x, t, branch=None): the ideal denoiser of the points of one main branch, or of all points."""
    every = posterior_mean(tree.points, schedule)
    each = [posterior_mean(tree.points[tree.branch == number], schedule) for number in tree.branch.unique()]
    return lambda x, t, branch=None: every(x, t) if branch is None else each[branch](x, t)


def on_the_tree(tree: Tree, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Of points (n, 2): main branch and way from the root of the nearest point of the tree, and its distance."""
    distance, nearest = torch.cdist(x, tree.points).min(1)
    return tree.branch[nearest], tree.way[nearest], distance
