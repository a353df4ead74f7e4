"""The exercises of notebook 11."""

from __future__ import annotations

import math

import torch

from ...course.checks import Exercise, assert_close, assert_shape
from ...data import scenes
from ...models.clip import clip_loss, pair_prior
from .batches import fits


def example_logits(n: int = 4):
    """Logits (n, n) to try an answer on; always the same."""
    return 3 * torch.randn(n, n, generator=torch.Generator().manual_seed(11))


def symmetric_loss() -> Exercise:
    """11.1: logits (B, B), pairs on the diagonal -> the symmetric cross-entropy, one number."""
    logits = example_logits()
    rows, columns = (-part.diagonal().mean() for part in (logits.log_softmax(1), logits.log_softmax(0)))

    def is_the_mean_of_both(answer):
        found = answer(logits)
        assert isinstance(found, torch.Tensor) and found.ndim == 0, "return one number, as a tensor"
        hints = {"that is one half: pictures choose among texts; texts must choose among pictures too": rows,
                 "that is the other half: pictures must choose among texts as well": columns,
                 "the mean of both directions, not their sum": rows + columns,
                 "its sign: a cross-entropy is never negative": -clip_loss(logits)}
        for hint, value in hints.items():
            assert not torch.allclose(found, value, atol=1e-6), hint
        assert_close("the loss", found, clip_loss(logits), 1e-6)

    def stands_large_logits(answer):
        assert answer(100 * example_logits(8)).isfinite(), "exp of a large logit overflows: use log_softmax"

    return Exercise("11.1", "the symmetric cross-entropy", [is_the_mean_of_both, stands_large_logits])


def false_negatives() -> Exercise:
    """11.2: factors (B, 6) of pictures and what captions say (B, 6), UNSAID = -1 -> for each picture how many of the
    other captions fit it (B,)."""
    generator = torch.Generator().manual_seed(11)
    factors = scenes.sample_factors(40, generator)
    said = scenes.drop_factors(factors, generator)
    table = fits(factors, said)

    def counts(answer):
        found = answer(factors, said)
        assert_shape("the counts", found, (40,))
        found = found.long()
        hints = {"a picture's own caption is no negative: leave the diagonal out": table.sum(1),
                 "you counted pictures for each caption; count captions for each picture": table.sum(0) - 1,
                 "what a caption does not say, -1, agrees with everything":
                     (factors[:, None] == said[None]).all(2).sum(1) - (factors == said).all(1).long()}
        for hint, value in hints.items():
            assert not torch.equal(found, value), hint
        assert torch.equal(found, table.sum(1) - 1), f"the counts begin {found[:5].tolist()}, " \
                                                     f"expected {(table.sum(1) - 1)[:5].tolist()}"

    return Exercise("11.2", "false negatives of a batch", [counts])


def prior_bias() -> Exercise:
    """11.3: the size of a batch N -> the constant logit b that makes SigLIP's loss least if cosines say nothing."""

    def is_least(answer):
        for batch in (16, 128, 32_768):
            found, expected = float(answer(batch)), pair_prior(batch)
            hints = {"one of N is right, and N - 1 are wrong: the odds are 1 : (N - 1)": -math.log(batch),
                     "its sign: nearly all answers are no": -expected,
                     "-10 is for batches of 32,768; what is it for yours?": -10.0,
                     "that is the probability; b is a logit": 1 / batch}
            for hint, value in hints.items():
                if abs(value - expected) > 1e-3:
                    assert abs(found - value) > 1e-6, hint
            assert_close(f"b for batches of {batch:,}", found, expected, 1e-4)

    return Exercise("11.3", "SigLIP's bias for your batch", [is_least])
