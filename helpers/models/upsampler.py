r"""A diffusion model that makes pictures larger: it draws the large picture, and sees the small one while it does.

Notebook 17. Papers: Saharia et al., "Image super-resolution via iterative refinement" (SR3), 2021; Ho et al., "Cascaded
diffusion models", 2021, section 3 (what it sees is degraded in training, for what another model drew is never quite
right); Ramesh et al. 2022, section 2.1, whose two upsamplers go from 64 to 256 and on to 1,024 pixels without text,
and by convolutions alone. Ours goes from 32 to 64.

B batch · C channels · s, S side of a small picture and of a large one
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..diffusion.forward import Schedule
from ..diffusion.targets import diffusion_loss, logit_normal_times
from .unet import UNet

BLUR = 0.6  # the most that a small picture is blurred by in training: a Gaussian's standard deviation, in pixels
SPOILED = 0.1  # the largest standard deviation of the noise that it gets, on [-1, 1]
UPSAMPLING_WIDTHS = (16, 32, 48)


def upsampling_unet(size: int = 64, widths=UPSAMPLING_WIDTHS) -> UNet:
    r"""An untrained upsampler to pictures of this size: a `UNet` of convolutions alone, which sees the small one."""
    return UNet(size=size, widths=widths, reads=0, concat=3)


def bicubic(small: Tensor, side: int) -> Tensor:
    r"""Pictures (B, C, s, s) with side pixels along a side, (B, C, S, S): what has to be beaten, and what is seen."""
    return F.interpolate(small, (side, side), mode="bicubic", align_corners=False)


def degraded(small: Tensor, blur: float = BLUR, noise: float = SPOILED) -> Tensor:
    r"""Each of the pictures (B, C, s, s) blurred and under noise, from not at all up to the most; not clamped.

    Random numbers are torch's. Blurring is a 3 x 3 Gaussian, as in Saharia et al. 2021; borders are repeated.
    """
    deviation, strength = torch.rand(2, len(small), 1, 1, 1, device=small.device)
    near = torch.exp(-0.5 / (blur * deviation).clamp(min=1e-3) ** 2)           # (B, 1, 1, 1), of a neighbour; own is 1
    x = small
    for along in (2, 3):
        padded = F.pad(x, (1, 1, 0, 0) if along == 3 else (0, 0, 1, 1), mode="replicate")
        before, after = padded.narrow(along, 0, x.shape[along]), padded.narrow(along, 2, x.shape[along])
        x = (x + near * (before + after)) / (1 + 2 * near)
    return x + noise * strength * torch.randn_like(small)


def upsampling_loss(model: UNet, batch: dict[str, Tensor], schedule: Schedule, target: str = "edm",
                    times=logit_normal_times):
    r"""`diffusion_loss` of large pictures, told the small ones degraded: {"images": (B, C, S, S), "small": ...}."""
    concat = bicubic(degraded(batch["small"]), batch["images"].shape[-1])
    return diffusion_loss(model, batch["images"], schedule, target, {"concat": concat}, times)
