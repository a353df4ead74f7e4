r"""The exercises of notebook 17.

B pictures or embeddings · E numbers of an embedding, of length 1
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ...course.checks import Exercise, assert_close, assert_shape
from ...models.inpainting import BLANK
from ...models.vae import slerp

STAGES_COUNTED = (((64, 4.0), (250, 3.0), (27, 1.0), (15, 1.0)), ((16, 1.0), (20, 2.0), (8, 1.0)), ((20, 0.0),))
SHIFTS = (8, 16, 20)  # pixels


def unit(seed: int, count: int = 6, numbers: int = 64) -> torch.Tensor:
    r"""Embeddings (count, numbers) of length 1."""
    return F.normalize(torch.randn(count, numbers, generator=torch.Generator().manual_seed(seed)), dim=1)


def on_the_sphere() -> Exercise:
    r"""17.1: way(a, b, share) -> (B, E): from a to b along the sphere, at an even pace."""
    a, b = unit(1), unit(2)

    def check_on(answer, share):
        found, right = answer(a.clone(), b.clone(), share), slerp(a, b, share)
        assert_shape("the way", found, a.shape)
        mean = torch.lerp(a, b, share)
        assert not torch.allclose(found, mean, atol=1e-4) or share in (0, 1), (
            "a straight line leaves the sphere: its points are shorter than 1")
        assert not torch.allclose(found, F.normalize(mean, dim=1), atol=1e-4) or share in (0, 0.5, 1), (
            "all on the sphere, but not at an even pace: the angle from a grows with the share")
        assert not torch.allclose(found, slerp(b, a, share), atol=1e-4) or share == 0.5, "a stands at 0, b at 1"
        lengths = found.norm(dim=1)
        assert torch.allclose(lengths, torch.ones(len(a)), atol=1e-4), f"lengths go from {lengths.min():.3f} on: not 1"
        assert_close(f"at {share:g}", found, right, 1e-4)

    return Exercise("17.1", "along the sphere", [lambda answer, share=share: check_on(answer, share)
                                                 for share in (0.0, 1.0, 0.5, 0.2)])


def told_by_a_text() -> Exercise:
    r"""17.2: edit(z, before, after, theta) -> (B, E): z of the picture, turned as two texts differ."""
    z, before, after = unit(3), unit(4), unit(5)

    def check_on(answer, theta):
        found = answer(z.clone(), before.clone(), after.clone(), theta)
        assert_shape("the new z", found, z.shape)
        step = F.normalize(after - before, dim=1)
        right = slerp(z, step, theta)
        mistakes = [(slerp(z, -step, theta), "the other way round: from `before` to `after`"),
                    (slerp(z, after, theta), "this goes to the second text; follow the difference of the two"),
                    (slerp(z, after - before, theta), "the difference has to have length 1 before you turn to it"),
                    (slerp(step, z, theta), "start at z: theta = 0 is the picture itself"),
                    (F.normalize(z + theta * step, dim=1), "turn, as slerp does; do not add"),
                    (z + theta * (after - before), "turn, as slerp does; do not add")]
        for wrong, words in mistakes:
            assert not torch.allclose(found, wrong, atol=1e-4) or torch.allclose(wrong, right, atol=1e-4), words
        assert_close(f"theta {theta:g}", found, right, 1e-4)

    return Exercise("17.2", "a text diff", [lambda answer, theta=theta: check_on(answer, theta)
                                            for theta in (0.25, 0.5, 0.0)])


def passes_of(stages: Sequence[tuple[int, float]]) -> int:
    r"""How often networks are asked, for stages of (steps, scale of guidance): twice a step, but once at 0 and 1."""
    return sum(steps * (1 if scale in (0, 1) else 2) for steps, scale in stages)


def count_the_passes() -> Exercise:
    r"""17.3: passes(stages) -> how often a network is asked for one picture; stages: (steps, scale of guidance)."""
    def check_on(answer, stages):
        found, steps = answer([tuple(stage) for stage in stages]), sum(count for count, _ in stages)
        right = passes_of(stages)
        assert isinstance(found, int), f"return a whole number, not {type(found).__name__}"
        assert found != steps or right == steps, (
            "these are the steps: with guidance a step asks twice, with the caption and without")
        assert found != 2 * steps or right == 2 * steps, "at a scale of 0 or 1 one of the two answers suffices"
        assert found == right, f"{found} passes; expected {right}"

    return Exercise("17.3", "count the passes", [lambda answer, stages=stages: check_on(answer, stages)
                                                 for stages in STAGES_COUNTED])


def one_step_outwards() -> Exercise:
    r"""17.4: begin(pictures, pixels) -> (window, mask): what is known and what is hidden, so many pixels to the right.

    pictures (B, 3, S, S); the window has their size, the mask is boolean (B, 1, S, S), True = hidden.
    """
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(17)) * 2 - 1

    def check_on(answer, pixels):
        found = answer(pictures.clone(), pixels)
        assert isinstance(found, tuple) and len(found) == 2, "return two things: the window, the mask"
        window, mask = found
        assert_shape("the window", window, pictures.shape), assert_shape("the mask", mask, (2, 1, 32, 32))
        assert mask.dtype == torch.bool, f"a mask is boolean, True = hidden; got {mask.dtype}"
        hidden = (torch.arange(32) >= 32 - pixels).expand(2, 1, 32, 32)
        assert not torch.equal(mask, ~hidden) or pixels == 16, "True is *hidden*, not known"
        assert not torch.equal(mask, hidden.flip(3)), "the window moves to the right: what is new lies on its right"
        assert torch.equal(mask, hidden), f"the last {pixels} columns are hidden, and nothing else"
        known = window.masked_fill(hidden, BLANK)[..., :32 - pixels]
        assert not torch.equal(known, pictures[..., :32 - pixels]), (
            "the picture stays where it is on the canvas; so in the window it moves to the left")
        assert_close("what is known", known, pictures[..., pixels:], 1e-6)
        assert not (window[..., 32 - pixels:] != BLANK).any(), "what is hidden is blank (0): else it could be copied"

    return Exercise("17.4", "one step outwards", [lambda answer, pixels=pixels: check_on(answer, pixels)
                                                  for pixels in SHIFTS])
