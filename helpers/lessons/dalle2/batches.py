"""Scenes with captions, as CLIP has them, as latents with a hole, or in two sizes: what notebook 17's networks see."""

from __future__ import annotations

import torch
from torch import Tensor

from ...data.text import Tokenizer
from ...models.clip import CLIP
from ...models.unclip import told
from ...training.checkpoints import load
from ..stable_diffusion.experiments import FIRST_STAGE, LATENT_NETWORK
from ..text_conditioned_diffusion.batches import READER, prompt_batches

EMBEDDED = {"one": 64, "two": 32}  # of a batch for the prior: scenes of one object, and of two
DECODED = {"one": 44, "two": 20}  # of a batch for the decoder
UNTOLD = 0.1  # of the captions that the prior is not given
LEFT_OUT_CLIP, LEFT_OUT_TEXT = 0.1, 0.5  # of what the decoder is told: the paper's shares, section 2.1


def shipped_clip() -> CLIP:
    """Notebook 11's, which learns nothing here."""
    return load(READER)[0].requires_grad_(False)


def words_of(name: str) -> Tokenizer:
    """The words of a shipped network."""
    return Tokenizer(load(name)[0].config["vocabulary"])


def embedded_batches(one: int = EMBEDDED["one"], two: int = EMBEDDED["two"], left_out: float = UNTOLD):
    """step -> {"embeddings": z_i (B, E) of new scenes} and what `told` gives of their captions."""
    clip = shipped_clip()
    prompted = prompt_batches(one, two, left_out, words_of(READER))

    def batches(step):
        batch = prompted(step)
        return told(clip, batch["texts"]) | {"embeddings": clip.encode_image(batch["images"])}

    return batches


def decoder_batches(one: int = DECODED["one"], two: int = DECODED["two"], left_out: float = LEFT_OUT_TEXT,
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
