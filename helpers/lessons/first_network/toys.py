"""The toys of notebook 00b: days of an ice-cream stand, steps down a slope, a wave for bent layers, four stamps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAMPS = {  # 3 x 3 numbers each, for a convolution
    "left and right differ": torch.tensor([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]]) / 3,
    "top and bottom differ": torch.tensor([[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]]) / 3,
    "the mean of nine": torch.full((3, 3), 1 / 9),
    "only the middle": torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}


def warm_days(n: int = 30, seed: int = 0) -> tuple[Tensor, Tensor]:
    """How warm n made-up days were, and how much ice cream was sold: (n,) each, near the line y = 0.8 x + 0.3."""
    generator = torch.Generator().manual_seed(seed)
    x = 3 * torch.rand(n, generator=generator) - 1.5
    return x, 0.8 * x + 0.3 + 0.2 * torch.randn(n, generator=generator)


def line_loss(x: Tensor, y: Tensor, w: Tensor | float, b: Tensor | float) -> Tensor:
    """The mean squared error of the line w x + b, for points (n,); w and b may be tables (..., 1) of one shape."""
    return (w * x + b - y).square().mean(-1)


def best_line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """(w, b) of the line with the least mean squared error."""
    w = ((x - x.mean()) * (y - y.mean())).mean() / (x - x.mean()).square().mean()
    return w.item(), (y.mean() - w * x.mean()).item()


def walk(x: Tensor, y: Tensor, rate: float, steps: int, start: tuple[float, float] = (-1.2, 1.6)) -> Tensor:
    """The lines (steps + 1, 2) of w and b that gradient descent on `line_loss` passes."""
    line = torch.tensor(start)
    way = [line]
    for _ in range(steps):
        error = line[0] * x + line[1] - y
        line = line - rate * 2 * torch.stack([(error * x).mean(), error.mean()])
        way.append(line)
    return torch.stack(way)


def wave_points(n: int = 60, seed: int = 0) -> tuple[Tensor, Tensor]:
    """n points on a wave with a little noise, (n, 1) each: what no straight line comes near to."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(-1.5, 1.5, n)[:, None]
    return x, torch.sin(3 * x) + 0.08 * torch.randn(n, 1, generator=generator)


def bent_net(units: int, bend: bool, seed: int = 0) -> nn.Sequential:
    """One number in, one out, a hidden layer of `units` between; with ReLU after it, or with nothing."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(1, units), nn.ReLU() if bend else nn.Identity(), nn.Linear(units, 1))


def fit_net(net: nn.Module, x: Tensor, y: Tensor, steps: int = 500, rate: float = 0.03) -> float:
    """Train a net in place on points (n, 1), all of them at each step; returns the mean squared error it ends with."""
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    for _ in range(steps):
        loss = (net(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
