r"""Muon: gradient descent with the directions of a matrix made equally long; for networks that AdamW trains slowly.

Paper: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024 (a note with code);
Bernstein & Newhouse, "Old optimizer, new norm", 2024. The gradient of a weight matrix has a few large singular values
and many small ones. Muon replaces all of them by about 1 and keeps the singular vectors, so what is rarely asked for
is learned as fast as the rest. Only matrices have singular values: everything else is left to AdamW.
"""

from __future__ import annotations

import torch
from torch import nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the odd polynomial below: Jordan's, steep at 0
ROUNDS = 5  # of it; singular values from 0.01 to 1 then lie between about 0.7 and 1.2
MOMENTUM = 0.95
RATIO = 10.0  # the step of matrices beside AdamW's lr


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    r"""U V^T, about, where matrix = U S V^T: Newton-Schulz rounds X <- a X + (b A + c A^2) X, with A = X X^T."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix) / (matrix.norm() + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.AdamW):
    r"""AdamW for all parameters but the weights of linear and convolutional layers, which take Muon's steps.

    A convolution (out, in, k, k) counts as a matrix (out, in k k). lr is AdamW's, that of matrices is RATIO times it.
    """

    def __init__(self, model: nn.Module, lr: float, betas=(0.9, 0.99), fused: bool = False):
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        matrices = {id(layer.weight): layer.weight for layer in layers if layer.weight.requires_grad}
        rest = [p for p in model.parameters() if id(p) not in matrices]
        super().__init__([{"params": rest}, {"params": list(matrices.values())}], lr, betas, fused=fused)

    @torch.no_grad()
    def step(self, closure=None):
        rest, matrices = self.param_groups
        for weight in matrices["params"]:
            if weight.grad is not None:
                state = self.state[weight]
                if not state:  # AdamW, which loads the state, looks for a step in each
                    state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(weight)}
                state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1)   # Nesterov's momentum
                longer = max(1, ahead.shape[0] / ahead.shape[1]) ** 0.5            # so that outputs move alike
                weight.sub_(orthogonal(ahead).view(weight.shape), alpha=RATIO * rest["lr"] * longer)
                weight.grad = None                                                 # done: AdamW passes it by
        return super().step(closure)
