"""The exercises of notebook 04: count parameters, collapse a linear stack, and check a gradient by differences."""

from __future__ import annotations

import itertools

import torch

from ...course.checks import Exercise, assert_close, assert_shape
from ...models.mlp import MLP


def count_parameters() -> Exercise:
    """04.1: sizes, such as [2, 32, 32, 2] -> the number of weights and biases of that MLP, an int."""

    def is_exact(count):
        for sizes in ([3, 1], [2, 32, 2], [2, 32, 32, 2], [5, 4, 3, 2, 1], [3072, 160, 128, 8]):
            expected = sum(p.numel() for p in MLP(sizes).parameters())
            found = count(list(sizes))
            weights = sum(n * m for n, m in itertools.pairwise(sizes))
            assert found != weights, f"{found} for {sizes} are the weights alone: each unit also has a bias"
            assert found == expected, f"an MLP of sizes {sizes} has {expected} parameters; you return {found}"

    return Exercise("04.1", "the parameters of an MLP, counted from its sizes", [is_exact])


def collapse() -> Exercise:
    """04.2: [(W (m, n), b (m,)), ...], first layer first -> (W, b) of the one layer that does the same."""

    def stack(*sizes):
        generator = torch.Generator().manual_seed(0)
        return [(torch.randn(m, n, generator=generator).double() / n**0.5, torch.randn(m, generator=generator).double())
                for n, m in itertools.pairwise(sizes)]

    def run(layers, x):
        for weight, bias in layers:
            x = x @ weight.T + bias
        return x

    def does_the_same(solve):
        for sizes in ((3, 3), (2, 7, 3), (4, 4, 4, 4), (5, 9, 2, 9, 4, 6)):
            layers, name = stack(*sizes), f"of a stack of sizes {list(sizes)}"
            weight, bias = solve([(weight.clone(), bias.clone()) for weight, bias in layers])
            assert_shape(f"W {name}", weight, (sizes[-1], sizes[0]))
            assert_shape(f"b {name}", bias, (sizes[-1],))
            zero, x = torch.zeros(sizes[0]).double(), torch.eye(sizes[0]).double()
            assert_close(f"b {name}", bias, run(layers, zero))
            assert_close(f"W {name}", weight, (run(layers, x) - run(layers, zero)).T)

    return Exercise("04.2", "a stack of linear layers as one matrix and one bias", [does_the_same])


def finite_differences() -> Exercise:
    """04.3: (f, w, step) -> the gradient of f at w by central differences, of w's shape; f: tensor -> number."""

    def is_central(estimate):
        w = torch.tensor([1.0, -2.0]).double()
        found = estimate(lambda w: (w**2).sum(), w.clone(), 0.1)
        ahead = torch.allclose(torch.as_tensor(found).double(), 2 * w + 0.1, atol=1e-6)
        assert not ahead, "a difference to one side is off by the step: look ahead and back"
        assert_close("the gradient of the sum of squares at [1, -2]", found, 2 * w, 1e-6)

    def agrees_with_autograd(estimate):
        numbers = torch.randn(52, generator=torch.Generator().manual_seed(0)).double()
        x, target, w = numbers[:30].view(10, 3), numbers[30:40].view(10, 1), numbers[40:].view(4, 3)

        def loss(w):
            return (torch.tanh(x @ w.T).sum(1, keepdim=True) - target).square().mean()

        before, leaf = w.clone(), w.clone().requires_grad_()
        loss(leaf).backward()
        found = estimate(loss, w, 1e-4)
        assert torch.equal(w, before), "your function leaves w changed: put each entry back, or work on a copy"
        assert_shape("your gradient", found, (4, 3))
        assert_close("your gradient, against autograd's", found, leaf.grad, 1e-6)

    return Exercise("04.3", "a gradient without any calculus", [is_central, agrees_with_autograd])
