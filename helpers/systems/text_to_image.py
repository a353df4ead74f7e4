r"""Text in, picture out: a denoiser that reads, a schedule, guidance and a sampler, put together.

Notebooks 13, in pixels, and 14, in latents. What is refused is a ValueError that says what to do.

B pictures · C, S channels and side of what the denoiser sees, pixels or latents · T tokens of a prompt · W words of it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.text import EOS, Tokenizer, is_token
from ..data.typed import named, typed, typed_ids
from ..diffusion.forward import Schedule
from ..diffusion.guidance import composed
from ..diffusion.samplers import FRESH, finished, sample, within
from ..diffusion.targets import as_denoiser
from ..models.glide import GLIDE
from ..models.kl_autoencoder import KLAutoencoder
from ..models.layers import CrossAttention
from ..show.attention import plain, word_groups

LARGEST_SCALE = 30.0
END = "(end)"  # how the mark behind the last word is named


class TextToImage:
    r"""Prompts in, pictures out. Two objects with the same model and schedule draw the same.

    model        read(ids) -> its condition; model(x, t, **condition) -> its answer: a `GLIDE`
    schedule     the one that the model was trained on
    target       what it was trained to say, a row of `targets.TARGETS`
    limit        each guess is clamped to [-limit, limit], the range of pictures; None, for latents: it is not
    first_stage  pictures -> latents, which are then what the denoiser sees, and back; None: it sees pictures
    """

    def __init__(self, model: GLIDE, schedule: Schedule, target: str = "edm", limit: float | None = 1.0,
                 first_stage: KLAutoencoder | None = None):
        self.model, self.schedule, self.limit = model, schedule, limit
        self.first_stage = first_stage
        self.words = Tokenizer(model.config["vocabulary"])
        self.denoise = as_denoiser(model, schedule, target)

    # -- prompts ---------------------------------------------------------------------------------------------------

    def read(self, prompts: Sequence[str]) -> Tensor:
        r"""Prompts -> ids (B, T). An empty one is allowed, and says nothing: it stands for no caption.

        ValueError for no prompt, a single string, one with unknown words, and one that is too long.
        """
        ids = typed_ids(prompts, self.words, self.model.text.context, "prompt")
        return ids.to(next(self.model.parameters()).device)

    def known(self, prompt: str) -> tuple[str, str]:
        r"""The prompt without the words that the model never met, and what to tell the reader of it; "" for nothing."""
        text = typed(prompt).strip()
        lost = self.words.unknown(text)
        kept = " ".join(word for word in text.split() if not self.words.unknown(word)) if lost else text
        notes = [f"not read: {', '.join(map(named, lost))}"] * bool(lost)
        return kept, "; ".join(notes + ["no caption: anything may come"] * (not kept))

    # -- pictures --------------------------------------------------------------------------------------------------

    def draw(self, prompts: Sequence[str], scale: float = 1.5, steps: int = 20, seed: int = 0,
             eta: float = FRESH, keep_away: str | None = None) -> Tensor:
        r"""A picture for each prompt, (B, 3, 32, 32) in [-1, 1]; the arguments are those of `path`."""
        return finished(self.path(prompts, scale, steps, seed, eta, keep_away), self.decode)

    def both(self, prompts: Sequence[str], others: Sequence[str], scale: float = 4.0, steps: int = 20, seed: int = 0,
             eta: float = FRESH) -> Tensor:
        r"""A picture for each pair of prompts, each of which pulls with half the scale: (B, 3, 32, 32) in [-1, 1].

        `guidance.composed`: at scale 4 both pull as one does at scale 2.
        """
        if len(prompts) != len(others):
            raise ValueError(f"prompts come in pairs; got {len(prompts)} and {len(others)}")
        return finished(self._path([prompts, others], scale, steps, seed, eta, None), self.decode)

    def path(self, prompts: Sequence[str], scale: float = 1.5, steps: int = 20, seed: int = 0,
             eta: float = FRESH, keep_away: str | None = None):
        r"""A generator that yields (t, x, x0) after every step, as `samplers.sample` does; x is not decoded.

        scale      of guidance: 0 no prompt, 1 the prompt, above 1 more of it; -30 to 30
        seed       of the noise to start from: the i-th picture of a seed starts from the same noise whatever the
                   prompts, their number, the scale and the steps
        eta        0 DDIM, 1 DDPM, or more, up to all noise fresh: as in `sample`
        keep_away  a prompt to be led away from, in place of no prompt: a negative prompt
        """
        return self._path([prompts], scale, steps, seed, eta, keep_away)

    def _path(self, groups, scale, steps, seed, eta, keep_away):
        generator = torch.Generator().manual_seed(seed)
        denoise, x = self.guided_by(groups, scale, keep_away), self.noise(len(groups[0]), generator)
        return sample(denoise, x, self.schedule, steps, eta, generator=generator)

    @torch.no_grad()
    def guided_by(self, groups: Sequence[Sequence[str]], scale: float, keep_away: str | None = None):
        r"""denoise(x, t) -> x0 (B, C, S, S) under guidance, for `samplers.sample`.

        groups  one list of B prompts, or several, which pull together; scale and keep_away as in `path`
        """
        if not (math.isfinite(scale) and abs(scale) <= LARGEST_SCALE):
            raise ValueError(f"a guidance scale is a number from -{LARGEST_SCALE:g} to {LARGEST_SCALE:g}; got {scale}: "
                             "far outside of what training saw, pictures only burn out")
        conds = [self.model.read(self.read(prompts)) for prompts in groups]
        uncond = self.model.read(self.read([keep_away or ""] * len(groups[0])))
        return within(composed(self.denoise, conds, uncond, scale), self.limit)

    def noise(self, count: int, generator: torch.Generator | Callable) -> Tensor:
        r"""What pictures start from, (B, C, S, S): one after the other, so that the first do not depend on the last.

        generator: torch's, or a function of the shape that draws noise, as in `sample`
        """
        unet = self.model.unet.config
        shape = (unet["channels"], unet["size"], unet["size"])
        if callable(generator):
            x = generator((count, *shape))
        else:
            x = torch.stack([torch.randn(shape, generator=generator) for _ in range(count)])
        return (x * self.schedule.noise[-1].item()).to(next(self.model.parameters()).device)

    def encode(self, pictures: Tensor) -> Tensor:
        r"""Pictures (B, 3, 32, 32) in [-1, 1] -> what the denoiser sees of them without noise, (B, C, S, S)."""
        return pictures if self.first_stage is None else self.first_stage.encode(pictures)

    def decode(self, x: Tensor) -> Tensor:
        r"""What the denoiser sees (B, C, S, S) -> pictures (B, 3, 32, 32), not clamped."""
        return x if self.first_stage is None else self.first_stage.decode(x)

    # -- attention -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def attention(self, prompts: Sequence[str], x: Tensor, t: int) -> list[tuple[list[str], Tensor]]:
        r"""Where each word is read, at x (B, C, S, S) of time t: for each prompt its W words, and maps (W, S, S).

        Means over the heads and over the layers that read words, enlarged to the size of x. What one place reads sums
        to 1 over the words; the last of them, `END`, is the mark behind the prompt.
        """
        ids = self.read(prompts)
        maps = torch.stack([F.interpolate(part, x.shape[2:]) for part in layer_maps(self.model, x, t, ids)]).mean(0)
        found = []
        for row, part in zip(ids, maps, strict=True):                          # (T,) and (T, S, S)
            tokens = [self.words.vocabulary[number] for number in row[is_token(row)].tolist()]
            groups = word_groups(tokens)
            names = ["".join(plain(tokens[i]) for i in group) for group in groups]
            names[-1] = END if row[len(tokens) - 1] == EOS else names[-1]
            found.append((names, torch.stack([part[group].sum(0) for group in groups])))
        return found


def layer_maps(model: GLIDE, x: Tensor, t: int, ids: Tensor) -> list[Tensor]:
    r"""The weights with which the places of each layer read tokens, the mean over heads: (B, T, side, side) each."""
    found = []

    def keep(layer: CrossAttention, arguments: tuple) -> None:
        weights = layer.read(*arguments)[1].mean(1)                            # (B, N, T)
        side = math.isqrt(weights.shape[1])
        found.append(weights.mT.unflatten(2, (side, side)))

    handles = [layer.register_forward_pre_hook(keep) for layer in model.modules() if isinstance(layer, CrossAttention)]
    try:
        model(x, t, **model.read(ids))
    finally:
        for handle in handles:
            handle.remove()
    return found
