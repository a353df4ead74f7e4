r"""Classifier-free guidance: the same network asked twice, with the caption and without, and the difference enlarged.

Notebook 13. Paper: Ho & Salimans, "Classifier-free diffusion guidance", 2022.
"""

from __future__ import annotations

import math

from torch import Tensor


def guided(model, cond: dict, uncond: dict, scale: float):
    r"""denoise(x, t) = uncond + scale (cond - uncond): 0 unconditional, 1 conditional, above 1 more of the caption.

    Ho & Salimans, equation 6, has (1 + w) cond - w uncond, so scale = 1 + w. eps, x0, v and flow are straight-line
    functions of each other at a given x and t, so it does not matter of which of them this is said; clamp afterwards.
    model   model(x, t, ...) -> (B, ...), such as `targets.as_denoiser` makes
    cond    arguments of the model by their names, such as {"context": (B, N, D)}
    uncond  those that stand for no caption; or a caption to keep away from, a negative prompt
    At scale 0 and 1 the model is asked once a step, else twice. ValueError for a scale that is not finite.
    """
    if not math.isfinite(scale):
        raise ValueError(f"a guidance scale is a finite number; got {scale}")

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        if scale == 1:
            return model(x, t, **cond)
        without = model(x, t, **uncond)
        return without if scale == 0 else without + scale * (model(x, t, **cond) - without)

    return denoise


def composed(model, conds: list[dict], uncond: dict, scale: float):
    r"""denoise(x, t) = uncond + scale mean_i (cond_i - uncond): several captions at once, each with the same weight.

    Liu et al., "Compositional visual generation with composable diffusion models", ECCV 2022, equation 11, where each
    has a weight of its own, here scale / n. With scale n the score is that of p(x) prod_i p(x | c_i) / p(x): captions
    that do not depend on each other given x. One caption, or the same one n times, is `guided`.
    conds  at least one, each as `guided` takes it. ValueError for none, and for a scale that is not finite.
    """
    if not conds:
        raise ValueError("there is nothing to compose: give at least one condition")

    def together(x: Tensor, t: Tensor, parts: list[dict]) -> Tensor:
        return sum(model(x, t, **cond) for cond in parts) / len(parts)

    return guided(together, {"parts": conds}, {"parts": [uncond]}, scale)
