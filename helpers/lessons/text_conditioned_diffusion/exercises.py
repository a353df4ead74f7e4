"""The exercises of notebook 13."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close, assert_shape


def example_answers() -> tuple[torch.Tensor, torch.Tensor]:
    """What a network says with a prompt and without, (2, 3, 4, 4) each; always the same."""
    with_prompt, without = torch.randn(2, 2, 3, 4, 4, generator=torch.Generator().manual_seed(13))
    return with_prompt, without


def guidance_line() -> Exercise:
    """13.1: guide(cond, uncond, s) -> the guided answer, for the scale s of this course."""
    cond, uncond = example_answers()

    def is_this_scale(answer):
        found = answer(cond, uncond, 2.0)
        assert_shape("the answer at s = 2", found, cond.shape)
        hints = {"that is the paper's w, and s = 1 + w": 3 * cond - 2 * uncond,
                 "with and without the prompt have changed places": 2 * uncond - cond,
                 "a sign: that leads away from the prompt": 3 * uncond - 2 * cond}
        for hint, value in hints.items():
            assert not torch.allclose(found, value, atol=1e-4), hint
        assert_close("the answer at s = 2", found, 2 * cond - uncond, 1e-5)

    def has_both_ends(answer):
        for s, expected in ((0.0, uncond), (1.0, cond)):
            assert_close(f"the answer at s = {s:g}", answer(cond, uncond, s), expected, 1e-5)

    return Exercise("13.1", "guidance in one line", [is_this_scale, has_both_ends])


def frontier_scale() -> Exercise:
    """13.2: best(scales, asked, valid) -> the scale at which most pictures are both, given a row a scale, (S, n) bool.

    In the example the largest share of "asked", of "valid", of their product and of the smaller of the two each stand
    at another scale than the largest share of pictures that are both.
    """
    scales = [0.0, 1.0, 2.0, 4.0, 8.0]
    counts = [(0, 2, 9), (3, 2, 4), (5, 0, 0), (2, 6, 2), (1, 9, 0)]  # of 10: both, asked alone, valid alone
    rows = [[(True, True)] * both + [(True, False)] * asked + [(False, True)] * valid for both, asked, valid in counts]
    pictures = torch.tensor([(row + [(False, False)] * 12)[:12] for row in rows])                  # (S, 12, 2)
    asked, valid = pictures.unbind(2)

    def finds_it(answer):
        found = answer(scales, asked, valid)
        shares = asked.float().mean(1), valid.float().mean(1)
        wrong = {"the largest share with what was asked for: it must be valid, too": shares[0],
                 "the largest share of valid ones: nobody need have asked for them": shares[1],
                 "two shares do not say how many pictures are both: look at each picture": shares[0] * shares[1]}
        assert not isinstance(found, torch.Tensor) or found.ndim == 0, "return one of the scales"
        for hint, share in wrong.items():
            assert float(found) != scales[share.argmax()], hint
        assert float(found) in scales, "return the scale, not its place in the list or a share"
        assert_close("the scale", float(found), 2.0, 0)

    return Exercise("13.2", "the best scale", [finds_it])


def negative_prompt() -> Exercise:
    """13.3: lead(model, x, t, cond, away, s) -> the guided answer that is led towards `cond` and away from `away`.

    model(x, t, **cond) is a network's answer; cond and away are what it takes for the two prompts.
    """
    first, second = example_answers()
    x = torch.zeros_like(first)

    def model(x, t, words):
        return x + words + 0.01 * t

    def replaces_no_prompt(answer):
        found = answer(model, x, 100, {"words": first}, {"words": second}, 3.0)
        right = second + 1 + 3 * (first - second)
        assert_shape("the answer", found, x.shape)
        hints = {"the two prompts have changed places": first + 1 + 3 * (second - first),
                 "`away` is added: it takes the place of no prompt": first + 1 + 3 * (second + 1),
                 "t is lost: ask the model at x and t": right - 1}
        for hint, value in hints.items():
            assert not torch.allclose(found, value, atol=1e-4), hint
        assert_close("the answer at s = 3", found, right, 1e-4)

    def has_both_ends(answer):
        for s, words in ((0.0, second), (1.0, first)):
            found = answer(model, x, 0, {"words": first}, {"words": second}, s)
            assert_close(f"the answer at s = {s:g}", found, words, 1e-5)

    return Exercise("13.3", "a negative prompt", [replaces_no_prompt, has_both_ends])
