r"""DALL·E 2, or unCLIP: a text becomes CLIP's embedding of a picture, and that becomes the picture.

    text -> (CLIP) z_t -> (prior) z_i -> (decoder) 32 x 32 -> (upsampler) 64 x 64

Notebook 17. Ramesh et al. 2022, "Hierarchical text-conditional image generation with CLIP latents".
B pictures · T tokens of a text · E numbers of an embedding · C, S channels and side of what the decoder draws
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.text import Tokenizer
from ..data.typed import typed_ids
from ..diffusion.forward import Schedule, cosine_schedule
from ..diffusion.guidance import guided
from ..diffusion.samplers import FRESH, finished, sample
from ..diffusion.targets import as_denoiser
from ..models.clip import CLIP
from ..models.unclip import Prior, told
from .text_to_image import TextToImage

PRIOR_SCHEDULE = cosine_schedule()


class DALLE2:
    r"""Prompts in, pictures out, by way of z_i.

    clip, prior  they belong together: the prior guesses this CLIP's embeddings
    decoder      a `TextToImage` around an `UnCLIP`
    upsampler    pictures (B, 3, 32, 32) -> (B, 3, 64, 64); None: pictures stay small
    """

    def __init__(self, clip: CLIP, prior: Prior, decoder: TextToImage, upsampler=None,
                 schedule: Schedule = PRIOR_SCHEDULE):
        self.clip, self.prior, self.decoder, self.upsampler, self.schedule = clip, prior, decoder, upsampler, schedule
        self.words = Tokenizer(clip.config["vocabulary"])

    def draw(self, prompts: Sequence[str], seed: int = 0, **options) -> Tensor:
        r"""A picture for each prompt (B, 3, 64, 64) in [-1, 1]; options as of `decode`."""
        pictures = self.decode(self.imagine(prompts, seed=seed), seed=seed, **options)
        return pictures if self.upsampler is None else self.upsampler(pictures)

    # -- the prior -------------------------------------------------------------------------------------------------

    def read(self, prompts: Sequence[str]) -> Tensor:
        r"""Prompts -> CLIP's ids (B, T). ValueError as of `typed_ids`."""
        return typed_ids(prompts, self.words, self.clip.text.context, "prompt")

    @torch.no_grad()
    def embed(self, pictures: Tensor) -> Tensor:
        r"""Pictures (B, 3, 32, 32) -> z_i (B, E) of length 1."""
        return self.clip.encode_image(pictures)

    @torch.no_grad()
    def embed_texts(self, prompts: Sequence[str]) -> Tensor:
        r"""Prompts -> z_t (B, E) of length 1."""
        return self.clip.encode_text(self.read(prompts))

    @torch.no_grad()
    def imagine(self, prompts: Sequence[str], seed: int = 0, scale: float = 1.0, steps: int = 16,
                samples: int = 2) -> Tensor:
        r"""z_i (B, E) of length 1 for each prompt: of `samples` guesses the one most alike to z_t (section 2.2).

        scale, steps: of guidance, and of the prior's diffusion, DDPM's; the paper takes 64 steps
        """
        if samples < 1:
            raise ValueError(f"the best of one sample or more; got {samples}")
        said = self.read(prompts), self.read([""] * len(prompts))
        cond, uncond = (told(self.clip, ids.repeat(samples, 1)) for ids in said)
        denoise = guided(as_denoiser(self.prior, self.schedule, "x0"), cond, uncond, scale)
        chance = torch.Generator().manual_seed(seed)
        x = torch.randn(cond["text"].shape, generator=chance).to(cond["text"])
        *_, (_, z, _) = sample(denoise, x, self.schedule, steps, 1.0, generator=chance)
        z = F.normalize(z, dim=1).unflatten(0, (samples, -1))                  # (samples, B, E)
        alike = (z * cond["text"].unflatten(0, (samples, -1))).sum(2)          # (samples, B)
        return z[alike.argmax(0), torch.arange(len(prompts))]

    # -- the decoder -----------------------------------------------------------------------------------------------

    def decode(self, z: Tensor, prompts: Sequence[str] | None = None, scale: float = 2.0, steps: int = 20,
               seed: int = 0, eta: float = FRESH, x: Tensor | None = None) -> Tensor:
        r"""Pictures (B, 3, 32, 32) in [-1, 1] of embeddings z (B, E).

        prompts  one for each, told beside z; None: z alone
        scale    of guidance, away from a decoder that is told nothing
        x        what to start from at T, (B, C, S, S), such as `variations.inverted` finds; None: noise of this seed
        """
        chance = torch.Generator().manual_seed(seed)
        x = self.decoder.noise(len(z), chance) if x is None else x
        path = sample(self.told(z, prompts, scale), x, self.decoder.schedule, steps, eta, generator=chance)
        return finished(path, self.decoder.decode)

    @torch.no_grad()
    def told(self, z: Tensor, prompts: Sequence[str] | None = None, scale: float = 1.0):
        r"""denoise(x, t) of the decoder under guidance, for `samplers`; arguments as of `decode`."""
        model, nothing = self.decoder.model, self.decoder.read([""] * len(z))
        cond = model.read(nothing if prompts is None else self.decoder.read(prompts), z)
        return guided(self.decoder.denoise, cond, model.read(nothing), scale)
