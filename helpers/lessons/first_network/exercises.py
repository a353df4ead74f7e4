"""The exercises of notebook 00b: a line fitted by gradient steps, and the cross-entropy of a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...course.checks import Exercise, assert_close
from .toys import walk, warm_days


def fit_line() -> Exercise:
    """00b.1: (x (n,), y (n,), rate, steps) -> (w, b) after that many gradient steps from w = 0, b = 0."""
    x, y = warm_days(20, seed=3)

    def stays_at_the_start(fit):
        assert_close("(w, b) after no step", torch.as_tensor(fit(x, y, 0.1, 0)), [0.0, 0.0])

    def goes_down(fit):
        first = torch.as_tensor(fit(x, y, 0.1, 1))
        expected = walk(x, y, 0.1, 1, start=(0.0, 0.0))[1]
        assert not torch.allclose(first, -expected, atol=1e-5), "your step goes uphill: the gradient is subtracted"
        assert not torch.allclose(first, expected / 2, atol=1e-5), "the square's derivative has a factor of 2"
        assert not torch.allclose(first, len(x) * expected, atol=1e-4), "take the mean over the points, not the sum"
        assert_close("(w, b) after one step at rate 0.1", first, expected)

    def walks(fit):
        for rate, steps in ((0.1, 2), (0.3, 50)):
            expected = walk(x, y, rate, steps, start=(0.0, 0.0))[-1]
            assert_close(f"(w, b) after {steps} steps at rate {rate}: both move at once, from the same error?",
                         torch.as_tensor(fit(x, y, rate, steps)), expected, tol=1e-4)

    return Exercise("00b.1", "a line, fitted by gradient steps", [stays_at_the_start, goes_down, walks])


def batch_loss() -> Exercise:
    """00b.2: (scores (B, K), right (B,)) -> the mean cross-entropy over the batch, in nats."""
    scores = torch.tensor([[2.0, 0.0, -1.0, 0.5], [0.0, 3.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    right = torch.tensor([0, 3, 2])

    def is_the_mean(loss):
        found, expected = torch.as_tensor(loss(scores.clone(), right.clone())), F.cross_entropy(scores, right)
        assert found.ndim == 0, f"the loss is one number, the mean of all; yours has the shape {tuple(found.shape)}"
        assert not torch.isclose(found, -expected), "the sign is turned: a logarithm of a probability is negative"
        assert not torch.isclose(found, 3 * expected), "that is the sum over the batch: take the mean"
        wrong_way = -scores.softmax(0)[range(3), right].log().mean()
        assert not torch.isclose(found, wrong_way), "your softmax runs over the pictures: use softmax(1)"
        assert_close("the loss of three pictures", found, expected)

    def of_other_sizes(loss):
        many = torch.randn(10, 7, generator=torch.Generator().manual_seed(0))
        labels = torch.arange(10) % 7
        assert_close("the loss of ten pictures and seven classes", loss(many, labels), F.cross_entropy(many, labels))

    return Exercise("00b.2", "the cross-entropy of a batch", [is_the_mean, of_other_sizes])
