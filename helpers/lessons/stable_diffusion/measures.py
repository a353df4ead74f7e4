r"""What notebook 14's scores measure beyond `experiments`: lost lines, edits, what lies between, breaks, and costs.

n pictures (n, 3, 32, 32) in [-1, 1]
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import FACTORS, UNSAID
from ...metrics.pictures import reconstruct
from ...models.kl_autoencoder import KLAutoencoder
from ...systems import edits
from ...systems.text_to_image import TextToImage
from ..diffusion.experiments import right_part
from ..text_conditioned_diffusion.experiments import prompts_of_one
from ..text_conditioned_diffusion.verdicts import Asked, shares_drawn
from . import experiments as own

COLOUR = FACTORS.index("colour")
THEIR_SCALE = 0.18215  # Stable Diffusion's, of its own first stage
MIDWAY_STRENGTH = 0.6  # with which a picture between two others is drawn anew

# -- the first stage -----------------------------------------------------------------------------------------------


def with_a_line(pictures: Tensor, seed: int = 0) -> Tensor:
    r"""The pictures, each with a line one pixel wide across it, in white on black and gray, in black on white."""
    rows = torch.randint(2, pictures.shape[2] - 2, (len(pictures),), generator=torch.Generator().manual_seed(seed))
    there = torch.arange(pictures.shape[2]) == rows[:, None]                                   # (n, S)
    ink = torch.where(pictures[:, :1, :1, :1] > 0.5, -1.0, 1.0)
    return torch.where(there[:, None, :, None], ink, pictures)


def line_kept(first_stage: KLAutoencoder, n: int = 300) -> float:
    r"""How much of such a line comes back from n scenes of one object: 1 all of it, 0 nothing.

    It is the share of the line in what the line changes in the decoded picture: <d, e> / <d, d>, where d is what it
    changes in the picture, and e in that which comes back.
    """
    plain = own.unseen_scenes(n)[0]
    lined = with_a_line(plain)
    drawn, came_back = lined - plain, reconstruct(first_stage, lined) - reconstruct(first_stage, plain)
    return ((drawn * came_back).sum() / drawn.square().sum()).item()


def with_scale(system: TextToImage, scale: float) -> TextToImage:
    r"""The system with another scale in its first stage: 1 is a forgotten one, `THEIR_SCALE` one that was copied."""
    first_stage = copy.deepcopy(system.first_stage)
    first_stage.scale.fill_(scale)
    return own.in_latents(system.model, first_stage)


@torch.no_grad()
def decoded_noise(system: TextToImage, n: int, seed: int = 0) -> Tensor:
    r"""What the decoder makes of n draws from N(0, I): the first stage as if it were notebook 08's generator."""
    z = system.noise(n, torch.Generator().manual_seed(seed))
    return system.decode(z).clamp(-1, 1)


@torch.no_grad()
def midway(system: TextToImage, n: int = 200, seed: int = 0) -> dict[str, Tensor]:
    r"""Pictures in the middle between n unseen scenes and n others.

    "pixels": the mean of both, a double exposure; "latents": the decoded mean of their latents; "drawn": that one
    under noise, and drawn from there on without a prompt.
    """
    a, b = own.unseen_scenes(2 * n)[0].split(n)
    between = system.decode((system.encode(a) + system.encode(b)) / 2).clamp(-1, 1)
    drawn = edits.image_to_image(system, between, [""] * n, MIDWAY_STRENGTH, scale=1.0, seed=seed)
    return {"pixels": (a + b) / 2, "latents": between, "drawn": drawn}


# -- drawing from something ----------------------------------------------------------------------------------------


def recolourings(n: int, seed: int = NEW_SCENES_SEED) -> tuple[Tensor, list[str], Tensor]:
    r"""n scenes of one object; for each a prompt that names another colour and nothing else; and the factors (n, 6) of
    the scene in that colour."""
    pictures, factors = scenes.make_scenes(n, seed)
    generator = torch.Generator().manual_seed(seed)
    wanted = factors.clone()
    step = torch.randint(1, len(scenes.COLOURS), (n,), generator=generator)
    wanted[:, COLOUR] = (factors[:, COLOUR] + step) % len(scenes.COLOURS)
    said = torch.full_like(factors, UNSAID)
    said[:, COLOUR] = wanted[:, COLOUR]
    return pictures, scenes.write_captions(said, generator), wanted


def edit_shares(system: TextToImage, strength: float, n: int = 200) -> dict[str, float]:
    r"""Of n scenes drawn on in another colour: the share that has it ("obeyed"), the share of the other five factors
    that are as they were ("kept"), of pictures with all of that ("both"), and of valid ones."""
    pictures, prompts, wanted = recolourings(n)
    parsed = scenes.parse(edits.image_to_image(system, pictures, prompts, strength))
    right = parsed.factors == wanted
    obeyed, others = right[:, COLOUR], torch.arange(len(FACTORS)) != COLOUR
    shares = {"obeyed": obeyed, "kept": right[:, others], "both": right.all(1), "valid": parsed.valid}
    return {name: values.float().mean().item() for name, values in shares.items()}


def repaint_shares(system: TextToImage, n: int = 100) -> dict[str, float]:
    r"""`shares_drawn` of n scenes whose right part was hidden and is drawn anew as a full prompt says."""
    prompts, asked = prompts_of_one(n)
    pictures = scenes.draw(asked.said, torch.Generator().manual_seed(0))
    mask = right_part().expand(n, 1, *pictures.shape[2:])
    return shares_drawn(edits.repainted(system, pictures, mask, prompts), Asked(asked.said))


# -- costs ---------------------------------------------------------------------------------------------------------


class MultiplyAdds(TorchFunctionMode):
    r"""Counts, in `count`, the multiplications of all matrix products and convolutions while it is entered.

    Each has an addition with it. torch's own FlopCounterMode counts both; it takes 80 MB to import.
    """

    count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        answer = function(*args, **(kwargs or {}))
        if function in (F.conv2d, F.linear):  # weight (channels or numbers out, what one of them reads)
            self.count += answer.numel() * args[1][0].numel()
        elif function in (torch.matmul, Tensor.matmul, Tensor.__matmul__):
            self.count += answer.numel() * args[0].shape[-1]
        return answer


@torch.no_grad()
def counted_multiply_adds(run: Callable[[], object]) -> int:
    r"""The multiplications, each with its addition, of all matrix products and convolutions of a call."""
    with MultiplyAdds() as counter:
        run()
    return counter.count


def step_multiply_adds(system: TextToImage) -> int:
    r"""Those of one answer of the denoiser for one picture, its prompt already read."""
    x, cond = system.noise(1, torch.Generator().manual_seed(0)), system.model.read(system.read(["a red circle"]))
    return counted_multiply_adds(lambda: system.model(x, torch.tensor([500]), **cond))


def decoding_multiply_adds(system: TextToImage) -> int:
    r"""Those of decoding one latent."""
    z = system.noise(1, torch.Generator().manual_seed(0))
    return counted_multiply_adds(lambda: system.decode(z))


def drawing_seconds(systems: dict[str, TextToImage], count: int = 16, steps: int = 20,
                    repeats: int = 5) -> dict[str, float]:
    r"""{name: seconds that `count` pictures take}, guided, the median over repeats in which all take turns."""
    prompts = prompts_of_one(count)[0]
    found = {name: [] for name in systems}
    for repeat in range(repeats + 1):
        for name, system in systems.items():
            began = time.perf_counter()
            system.draw(prompts, steps=steps)
            if repeat:  # what is slow the first time only
                found[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in found.items()}
