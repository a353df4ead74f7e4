"""Pictures blurred by a Gaussian, and the neighbours of their pixels: what `parser` and `judge` look at them with."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .drawing import SIZE


def blur(pictures: Tensor, deviation: float) -> Tensor:
    """Pictures (..., 32, 32) blurred by a Gaussian of that standard deviation in pixels."""
    if deviation == 0:
        return pictures
    matrix = blur_matrix(deviation, pictures.device)
    return matrix @ pictures @ matrix.T


def blur_by(pictures: Tensor, variance: Tensor) -> Tensor:
    """Pictures (m, 32, 32), each blurred by a Gaussian of its own variance (m,); not at all from 0.02 down."""
    matrix = _weights(variance[:, None, None])
    return matrix @ pictures @ matrix.transpose(1, 2)


@cache
def blur_matrix(deviation: float, device: torch.device) -> Tensor:
    """The weights (32, 32) of `blur`."""
    return _weights(torch.tensor(deviation**2, device=device))


def neighbours(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """For each pixel of pictures (m, 32, 32) the one to its left, right, above, below; itself beyond the border."""
    p = F.pad(pictures[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    return p[:, 1:-1, :-2], p[:, 1:-1, 2:], p[:, :-2, 1:-1], p[:, 2:, 1:-1]


def _weights(variance: Tensor) -> Tensor:
    """Gaussian weights (..., 32, 32) of each pixel of a line for each of its places; each row sums to 1."""
    pixel = torch.arange(SIZE, device=variance.device)
    return F.normalize(torch.exp(-0.5 * (pixel[:, None] - pixel).square() / variance.clamp(min=0.02)), p=1, dim=-1)
