"""Scenes with captions, as CLIP has them, as latents with a hole, or in two sizes: what notebook 17's networks see."""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import masks, scenes
from ...data.scenes.drawing import SIZE
from ...data.text import Tokenizer
from ...models.clip import CLIP
from ...models.unclip import told
from ...systems.filling import what_is_known
from ...training.checkpoints import load
from ..stable_diffusion.experiments import FIRST_STAGE, LATENT_NETWORK
from ..text_conditioned_diffusion.batches import LEFT_OUT, READER, prompt_batches

PRIOR_SHARES = {"one": 64, "two": 32}  # of a batch for the prior: scenes of one object, and of two
DECODER_SHARES = {"one": 44, "two": 20}  # of a batch for the decoder, and for inpainting
UPSAMPLER_SHARES = {"one": 11, "two": 5}  # of a batch for the upsampler
LARGE_SIDE = 64  # pixels along a side of what the upsampler draws
UNTOLD = 0.1  # of the captions that the prior is not given
LEFT_OUT_CLIP, LEFT_OUT_TEXT = 0.1, 0.5  # of what the decoder is told: the paper's shares, section 2.1
ALL_HIDDEN = 0.1  # of the masks: so the network does not forget how to draw a whole picture


def shipped_clip() -> CLIP:
    """Notebook 11's, which learns nothing here."""
    return load(READER)[0].requires_grad_(False)


def words_of(name: str) -> Tokenizer:
    """The words of a shipped network."""
    return Tokenizer(load(name)[0].config["vocabulary"])


def embedded_batches(one: int = PRIOR_SHARES["one"], two: int = PRIOR_SHARES["two"], left_out: float = UNTOLD):
    """step -> {"embeddings": z_i (B, E) of new scenes} and what `told` gives of their captions."""
    clip = shipped_clip()
    prompted = prompt_batches(one, two, left_out, words_of(READER))

    def batches(step):
        batch = prompted(step)
        return told(clip, batch["texts"]) | {"embeddings": clip.encode_image(batch["images"])}

    return batches


def decoder_batches(one: int = DECODER_SHARES["one"], two: int = DECODER_SHARES["two"], left_out: float = LEFT_OUT_TEXT,
                    without_clip: float = LEFT_OUT_CLIP):
    """step -> {"images": latents (B, C, S, S) of new scenes, "texts": ids (B, T), "embeddings": z_i (B, E)}.

    left_out      the share of empty texts
    without_clip  the share of embeddings that are 0: they say nothing
    """
    clip, first_stage = shipped_clip(), load(FIRST_STAGE)[0].requires_grad_(False)
    prompted = prompt_batches(one, two, left_out, words_of(LATENT_NETWORK))

    def batches(step):
        batch = prompted(step)
        z = clip.encode_image(batch["images"])
        z = torch.where(torch.rand(len(z), 1) < without_clip, 0.0, z)
        return {"images": first_stage.encode(batch["images"]), "texts": batch["texts"], "embeddings": z}

    return batches


def fitting_masks(n: int, generator: torch.Generator) -> Tensor:
    """Masks (n, 1, 32, 32): notebook 07's `mixed`, and some that hide everything."""
    whole = torch.rand(n, 1, 1, 1, generator=generator) < ALL_HIDDEN
    return masks.mixed(n, generator=generator) | whole


def filling_batches(one: int = DECODER_SHARES["one"], two: int = DECODER_SHARES["two"], left_out: float = LEFT_OUT):
    """step -> {"images": latents (B, C, S, S), "texts": ids (B, T), "concat": `what_is_known` (B, C + 1, S, S)}.

    Masks are those of `fitting_masks`.
    """
    first_stage = load(FIRST_STAGE)[0].requires_grad_(False)
    prompted = prompt_batches(one, two, left_out, words_of(LATENT_NETWORK))

    def batches(step):
        batch = prompted(step)
        pictures, mask = batch["images"], fitting_masks(len(batch["images"]), torch.default_generator)
        known = what_is_known(first_stage, pictures, mask)
        return {"images": first_stage.encode(pictures), "texts": batch["texts"], "concat": known}

    return batches


def in_two_sizes(draw, factors: Tensor, seed: int, side: int = LARGE_SIDE) -> tuple[Tensor, Tensor]:
    """The same scenes small (n, 3, 32, 32) and large (n, 3, side, side); draw: `scenes.draw` or `scenes.draw_pairs`."""
    small, large = (draw(factors, torch.Generator().manual_seed(seed), pixels) for pixels in (SIZE, side))
    return small, large


def enlarging_batches(one: int = UPSAMPLER_SHARES["one"], two: int = UPSAMPLER_SHARES["two"]):
    """step -> {"small": scenes (B, 3, 32, 32), "images": the same drawn at 64 x 64}, made anew at every step."""

    def batches(step):
        generator, seed = torch.default_generator, int(torch.randint(2**31, ()))
        parts = [in_two_sizes(scenes.draw, scenes.sample_factors(one, generator), seed),
                 in_two_sizes(scenes.draw_pairs, scenes.sample_pairs(two, generator), seed + 1)]
        small, large = (torch.cat(each) for each in zip(*parts, strict=True))
        return {"small": small, "images": large}

    return batches
