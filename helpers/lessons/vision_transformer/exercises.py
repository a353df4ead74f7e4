r"""The exercises of notebook 10."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...course.checks import Exercise, assert_close, assert_shape
from ...models.layers import Block
from ...models.vit import VisionTransformer, patchify
from .experiments import multiply_adds


def strided_convolution() -> Exercise:
    r"""10.1: (x (B, C, S, S), weight (D, P P C), bias (D,), P) -> the tokens (B, N, D), by one convolution."""
    generator = torch.Generator().manual_seed(0)

    def check_on(answer, channels: int, size: int, patch: int):
        x = torch.randn(2, channels, size, size, generator=generator, dtype=torch.float64)
        weight = torch.randn(5, patch * patch * channels, generator=generator, dtype=torch.float64)
        bias = torch.randn(5, generator=generator, dtype=torch.float64)
        found, expected = answer(x, weight, bias, patch), F.linear(patchify(x, patch), weight, bias)
        assert isinstance(found, torch.Tensor) and found.ndim == 3, "return tokens (B, N, D): flatten rows and columns"
        assert_shape("the tokens", found, expected.shape)
        wrong = F.conv2d(x, weight.view(5, channels, patch, patch), bias, patch).flatten(2).mT
        mistakes = {"a row of weight holds a patch pixel by pixel, the channels of a pixel side by side: view it as "
                    "(D, P, P, C), then move C to the front": wrong,
                    "where is the bias?": expected - bias}
        explain_mistake("the tokens", found, expected, mistakes)

    return Exercise("10.1", "patches and a linear map are one strided convolution",
                    [lambda answer: check_on(answer, 3, 16, 4), lambda answer: check_on(answer, 1, 12, 6)])


def undo_the_order() -> Exercise:
    r"""10.2: order (N,), a permutation -> index (N,) such that h[order][index] is h again."""
    def check_on(answer, order):
        torch.manual_seed(0)
        block, h = Block(8, 2), torch.randn(1, len(order), 8)
        index = answer(order)
        assert_shape("the index", index, order.shape)
        back = h[:, order][:, index]
        assert not torch.equal(index, order), "order itself undoes only swaps: where did token i go?"
        assert torch.equal(back, h), "h[order][index] is not h: index[i] is the place at which order holds i"
        with torch.no_grad():
            assert_close("a block of tokens in another order, put back", block(h[:, order])[:, index], block(h), 1e-5)

    orders = torch.tensor([2, 0, 3, 1, 4]), torch.randperm(16, generator=torch.Generator().manual_seed(1))
    return Exercise("10.2", "undo the order: a block does not know it",
                    [lambda answer, order=order: check_on(answer, order) for order in orders])


def count_multiply_adds() -> Exercise:
    r"""10.3: (size, patch, channels, width, depth, hidden, classes) -> (tokens, multiply-adds of one picture)."""
    def check_on(answer, **sizes):
        tokens = (sizes["size"] // sizes["patch"]) ** 2 + 1
        found = answer(**sizes)
        assert isinstance(found, tuple) and len(found) == 2, "return two numbers: tokens, multiply-adds"
        assert found[0] != tokens - 1, "one token more: the class token"
        assert found[0] == tokens, f"{found[0]} tokens; expected {tokens}"
        expected = multiply_adds(VisionTransformer(heads=2, **sizes))
        width, depth = sizes["width"], sizes["depth"]
        mistakes = {"scores and means: T x T x D each, in every block": expected - 2 * depth * tokens**2 * width,
                    "only the scores, or only the means: there are two": expected - depth * tokens**2 * width,
                    "query, key, value and one map more, out: four": expected - depth * tokens * width**2,
                    "the head reads the class token alone": expected + (tokens - 1) * width * sizes["classes"],
                    "the class token is not embedded": expected + sizes["patch"] ** 2 * sizes["channels"] * width}
        for hint, value in mistakes.items():
            assert found[1] != value, hint
        assert found[1] == expected, f"{found[1]:,} multiply-adds; expected {expected:,}"

    return Exercise("10.3", "tokens and multiply-adds", [
        lambda answer: check_on(answer, size=32, patch=8, channels=3, width=96, depth=4, hidden=192, classes=7),
        lambda answer: check_on(answer, size=24, patch=4, channels=1, width=32, depth=3, hidden=100, classes=5)])


def explain_mistake(name: str, found, expected, mistakes: dict) -> None:
    r"""AssertionError where found is not expected (1e-6), with the text of the mistake that it is; {text: value}."""
    for text, value in mistakes.items():
        apart = not torch.allclose(value, expected)  # with one channel some mistakes are none
        if apart and found.shape == value.shape and torch.allclose(found, value, atol=1e-6):
            raise AssertionError(f"{name}: {text}")
    assert_close(name, found, expected, 1e-6)
