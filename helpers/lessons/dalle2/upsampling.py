r"""What notebook 17 measures of the upsampler and of inpainting.

n pictures · small (n, 3, 32, 32) and large (n, 3, 64, 64), in [-1, 1] · mask boolean (n, 1, 32, 32), True = hidden
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import masks, scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...diffusion.samplers import finished, sample, within
from ...diffusion.targets import as_denoiser
from ...models.kl_autoencoder import KLAutoencoder
from ...models.unet import UNet
from ...models.upsampler import bicubic, degraded
from ...systems import edits, filling
from ...systems.text_to_image import TextToImage
from ...training.checkpoints import load
from ..denoising.experiments import mean_psnr
from ..diffusion.experiments import SCHEDULE, right_part
from ..stable_diffusion.experiments import TUNED_STAGE, in_latents
from ..text_conditioned_diffusion.experiments import prompts_of_one
from ..text_conditioned_diffusion.verdicts import Asked, shares_drawn
from .batches import LARGE_SIDE, in_two_sizes
from .experiments import FILLER, UPSAMPLER

UPSAMPLING_TARGET = "edm"
ENLARGING_STEPS = 8


# -- larger --------------------------------------------------------------------------------------------------------


def as_upsampler(model: UNet, steps: int = ENLARGING_STEPS, seed: int = 0):
    r"""small -> large, by DDIM in so many steps from noise of this seed, for `DALLE2`."""
    denoise = as_denoiser(model, SCHEDULE, UPSAMPLING_TARGET)

    def enlarge(small: Tensor) -> Tensor:
        side = model.config["size"]
        x = torch.randn(len(small), 3, side, side, generator=torch.Generator().manual_seed(seed)).to(small)
        seen = bicubic(small, side)
        return finished(sample(within(lambda x, t: denoise(x, t, concat=seen)), x, SCHEDULE, steps))

    return enlarge


def shipped_upsampler(steps: int = ENLARGING_STEPS):
    r"""`as_upsampler` of the course's network."""
    return as_upsampler(load(UPSAMPLER)[0], steps)


def enlarging_figures(enlarge, n: int = 200) -> dict[str, float]:
    r"""PSNR against the scene drawn at 64 x 64, in dB, of `enlarge` and of bicubic, and the first less the second.

    "one", "two": scenes of one object, and of two; "degraded": those of one, seen blurred and under noise
    """
    found, bigger, generator = {}, partial(bicubic, side=LARGE_SIDE), torch.Generator().manual_seed(NEW_SCENES_SEED)
    kinds = {"one": (scenes.draw, scenes.sample_factors(n, generator)),
             "two": (scenes.draw_pairs, scenes.sample_pairs(n, generator))}
    for name, (draw, factors) in kinds.items():
        small, large = in_two_sizes(draw, factors, NEW_SCENES_SEED + 1)
        seen = {name: small}
        if name == "one":
            with torch.random.fork_rng([]):
                torch.manual_seed(0)
                seen["degraded"] = degraded(small)
        for kind, pictures in seen.items():
            network, plain = (mean_psnr(large, in_batches(make, pictures)) for make in (enlarge, bigger))
            found |= {f"{kind}.psnr": network, f"{kind}.bicubic": plain, f"{kind}.gain": network - plain}
    return found


def judge_upsampler(model: UNet, n: int = 200, steps: int = ENLARGING_STEPS) -> dict[str, float]:
    return enlarging_figures(as_upsampler(model, steps), n)


# -- filled in -----------------------------------------------------------------------------------------------------


def standard_masks(n: int) -> dict[str, Tensor]:
    r"""{"box": notebook 07's hole at random places, "half": notebook 12's right part}, (n, 1, 32, 32) each."""
    generator = torch.Generator().manual_seed(0)
    return {"box": masks.box(n, generator=generator), "half": right_part().expand(n, 1, 32, 32)}


def shipped_filler() -> TextToImage:
    r"""The course's network for inpainting, in latents."""
    return in_latents(load(FILLER)[0], load(TUNED_STAGE)[0])


def known_psnr(drawn: Tensor, pictures: Tensor, mask: Tensor) -> float:
    r"""PSNR, in dB, over all known pixels of all pictures."""
    return -10 * masks.error_inside(pictures, drawn, ~mask).mean().log10().item()


def edge_error(drawn: Tensor, pictures: Tensor, mask: Tensor, width: int = 2) -> float:
    r"""The mean squared error on [0, 1] to the true picture over hidden pixels at most `width` from a known one."""
    near = F.max_pool2d((~mask).float(), 2 * width + 1, 1, width).bool() & mask
    return masks.error_inside(pictures, drawn, near).nanmean().item()


def filling_figures(system: TextToImage, replaced: TextToImage | None = None, n: int = 200) -> dict[str, float]:
    r"""Of n scenes with a hole, drawn as a full caption says: `shares_drawn`, the known part's PSNR before it is pasted
    back, and the error along the edge of the hole; for each of `standard_masks`.

    replaced: a network without such channels, whose known places are replaced at each step, in one round and in four
    """
    prompts, asked = prompts_of_one(n)
    pictures = scenes.draw(asked.said, torch.Generator().manual_seed(0))
    ways = {"network": partial(filling.filled_by_network, system)}
    if replaced is not None:
        ways |= {f"replaced.{rounds}": partial(edits.repainted, replaced, rounds=rounds) for rounds in (1, 4)}
    found = {}
    for kind, mask in standard_masks(n).items():
        for name, fill in ways.items():
            drawn = fill(pictures, mask, prompts)
            found |= {f"{kind}.{name}.{key}": value for key, value in shares_drawn(drawn, Asked(asked.said)).items()}
            found[f"{kind}.{name}.edge"] = edge_error(drawn, pictures, mask)
        whole = filling.filled_by_network(system, pictures, mask, prompts, pasted=False)
        found[f"{kind}.network.known"] = known_psnr(whole, pictures, mask)
    return found


def judge_filler(model, first_stage: KLAutoencoder | None = None, n: int = 200) -> dict[str, float]:
    r"""`filling_figures` of the network alone; None: the shipped first stage."""
    return filling_figures(in_latents(model, first_stage or load(TUNED_STAGE)[0]), n=n)
