"""The exercises of notebook 12."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close, assert_shape
from ...diffusion.forward import cosine_schedule
from ...diffusion.samplers import reverse_step
from ...diffusion.targets import TARGETS
from .experiments import nearest_of


def example_step(schedule, n: int = 4):
    """x_t, x0 and eps (n, 3, 2, 2) at t = 600 of a schedule; always the same."""
    x0, eps = torch.randn(2, n, 3, 2, 2, generator=torch.Generator().manual_seed(12))
    return schedule.add_noise(x0, 600, eps), x0, eps


def ddim_step() -> Exercise:
    """12.1: step(x, x0, signal_t, noise_t, signal_s, noise_s) -> x at the earlier time s, without fresh noise."""
    schedule = cosine_schedule()
    x, x0, eps = example_step(schedule)
    at = {t: (schedule.signal[t].item(), schedule.noise[t].item()) for t in (0, 500, 600)}

    def goes_one_step(answer):
        found = answer(x, x0, *at[600], *at[500])
        assert_shape("x at s", found, x.shape)
        hints = {"that is x at t again: the levels of s make the new picture": x,
                 "the guess alone: the noise that is left belongs to it": at[500][0] * x0,
                 "the noise of time t is still in it: use that of s": at[500][0] * x0 + at[600][1] * eps}
        for hint, value in hints.items():
            assert not torch.allclose(found, value, atol=1e-4), hint
        assert_close("x at s = 500", found, reverse_step(x, x0, schedule, 600, 500, 0.0)[0], 1e-5)

    def ends_at_the_guess(answer):
        assert_close("x at s = 0, where no noise is left", answer(x, x0, *at[600], *at[0]), x0, 1e-5)

    return Exercise("12.1", "a DDIM step", [goes_one_step, ends_at_the_guess])


def from_v() -> Exercise:
    """12.2: x0_and_eps(x, v, signal, noise) -> (x0, eps), where signal^2 + noise^2 = 1."""
    schedule = cosine_schedule()
    x, x0, eps = example_step(schedule)
    signal, noise = schedule.signal[600].item(), schedule.noise[600].item()
    v = TARGETS["v"].of(x0, eps, signal, noise)

    def gives_both(answer):
        found = answer(x, v, signal, noise)
        assert isinstance(found, tuple) and len(found) == 2, "return two tensors: x0, eps"
        assert not torch.allclose(found[0], eps, atol=1e-4), "in the order x0, eps"
        assert not torch.allclose(found[0], signal * x + noise * v, atol=1e-4), "a sign: x0 = signal x - noise v"
        assert_close("x0", found[0], x0, 1e-5)
        assert_close("eps", found[1], eps, 1e-5)

    def adds_up(answer):
        back, noise_in_it = answer(x, v, signal, noise)
        assert_close("signal x0 + noise eps", signal * back + noise * noise_in_it, x, 1e-5)

    return Exercise("12.2", "x0 and eps from v", [gives_both, adds_up])


def how_near() -> Exercise:
    """12.3: pictures (n, 3, S, S) and known ones (N, 3, S, S) -> each picture's distance to the nearest known one (n,),
    root mean square."""
    known = torch.randn(30, 3, 4, 4, generator=torch.Generator().manual_seed(12))
    pictures = torch.cat([known[[7, 3]], known[:5] + 0.1])

    def finds_the_nearest(answer):
        found = answer(pictures, known)
        assert_shape("the distances", found, (7,))
        right = nearest_of(pictures, known)[0]
        assert not torch.allclose(found, right * 48**0.5, atol=1e-4), "root of the *mean* over the 48 numbers"
        assert not torch.allclose(found, right.square(), atol=1e-4) or right[2] < 1e-3, "take the root"
        assert_close("the distances", found, right, 1e-2)
        assert found[:2].max() < 0.01, "two of these pictures are known: their distance is 0"

    return Exercise("12.3", "learned by heart?", [finds_the_nearest])
