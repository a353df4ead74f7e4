r"""What notebook 17 measures of the prior and the decoder: is z_i what was asked for, and is the picture?

n prompts or pictures · E numbers of an embedding · pictures (n, 3, 32, 32) in [-1, 1]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...data.scenes import FACTORS
from ...data.text import Tokenizer, source_batch
from ...models.clip import CLIP
from ...models.kl_autoencoder import KLAutoencoder
from ...models.unclip import Prior, UnCLIP
from ...systems.dalle2 import DALLE2
from ...training.checkpoints import load
from ..clip.probes import linear_probe, standardised
from ..stable_diffusion.experiments import TUNED_STAGE, in_latents
from ..text_conditioned_diffusion.batches import READER
from ..text_conditioned_diffusion.experiments import PROMPTS_AT_ONCE, prompts_of_one
from ..text_conditioned_diffusion.verdicts import Asked, shares_drawn

PRIOR, DECODER, UPSAMPLER, FILLER = "unclip-prior", "unclip-decoder", "upsampler-scenes", "inpainting-latents"
KNOWN_SCENES, KNOWN_SEED = 4000, 2_000_005  # pairs that regression and nearest caption know, and probes learn from


def decoder_of(model: UnCLIP, first_stage: KLAutoencoder | None = None):
    r"""The decoder with its schedule and the first stage that its latents are of; None: the shipped one."""
    return in_latents(model, first_stage or load(TUNED_STAGE)[0])


def shipped_dalle2() -> DALLE2:
    r"""The course's networks together; the upsampler is `upsampling.shipped_upsampler`, where one wants it."""
    return DALLE2(load(READER)[0], load(PRIOR)[0], decoder_of(load(DECODER)[0]))


# -- from z_t to z_i -----------------------------------------------------------------------------------------------


class EmbeddedScenes:
    r"""Scenes of one object, their factors (n, 6), and what a CLIP makes of them and of whole captions, (n, E) each.

    Captions are of the given language, English or Korean.
    """

    def __init__(self, clip: CLIP, n: int, seed: int, language: str = "en"):
        self.texts, asked = prompts_of_one(n, language, seed=seed)
        self.factors = asked.said
        self.pictures = scenes.draw(self.factors, torch.Generator().manual_seed(seed + 1))
        ids = source_batch(Tokenizer(clip.config["vocabulary"]), self.texts)
        self.z_text, self.z_image = in_batches(clip.encode_text, ids), in_batches(clip.encode_image, self.pictures)


def regression(known: EmbeddedScenes, z_text: Tensor) -> Tensor:
    r"""z_i (n, E) of length 1 by least squares with bias from z_t, fitted to known pairs."""
    x, x_new = (F.pad(z, (0, 1), value=1.0) for z in (known.z_text, z_text))
    return F.normalize(x_new @ torch.linalg.lstsq(x, known.z_image).solution, dim=1)


def nearest_caption(known: EmbeddedScenes, z_text: Tensor) -> Tensor:
    r"""z_i (n, E) of the known picture whose caption is most alike."""
    return known.z_image[(z_text @ known.z_text.T).argmax(1)]


def bridges(system: DALLE2, known: EmbeddedScenes, new: EmbeddedScenes, seed: int = 0) -> dict[str, Tensor]:
    r"""{"picture": the true z_i, "text": z_t as it is, "regression", "nearest", "prior": (n, E)}, for new captions."""
    return {"picture": new.z_image, "text": new.z_text, "regression": regression(known, new.z_text),
            "nearest": nearest_caption(known, new.z_text), "prior": imagined(system, new.texts, seed)}


def imagined(system: DALLE2, texts, seed: int = 0, **options) -> Tensor:
    r"""`DALLE2.imagine` for many prompts, `PROMPTS_AT_ONCE` at a time, each part with the next seed."""
    parts = [texts[start:start + PROMPTS_AT_ONCE] for start in range(0, len(texts), PROMPTS_AT_ONCE)]
    return torch.cat([system.imagine(part, seed + i, **options) for i, part in enumerate(parts)])


def factor_probes(known: EmbeddedScenes) -> Callable[[Tensor], Tensor]:
    r"""z_i (n, E) -> factors (n, 6) as linear probes, one a factor, read them; they learn from known pictures."""
    mean, std = known.z_image.mean(0), known.z_image.std(0).clamp(min=1e-6)
    x, _ = standardised(known.z_image, known.z_image)
    probes: list[nn.Linear] = [linear_probe(x, known.factors[:, i]) for i in range(len(FACTORS))]
    return lambda z: torch.stack([probe((z - mean) / std).argmax(1) for probe in probes], 1)


def bridge_figures(found: dict[str, Tensor], probes, new: EmbeddedScenes) -> dict[str, dict[str, float]]:
    r"""Of each way to z_i: the mean cosine to the true one, the distance of its mean from the true mean ("gap"), and
    the shares of factors that probes read in it as asked, by name and "all_six"."""
    rows = {}
    for name, z in found.items():
        right = probes(z) == new.factors
        rows[name] = {"cosine": (z * new.z_image).sum(1).mean().item(),
                      "gap": (z.mean(0) - new.z_image.mean(0)).norm().item(),
                      **dict(zip(FACTORS, right.float().mean(0).tolist(), strict=True)),
                      "all_six": right.all(1).float().mean().item()}
    return rows


def judge_prior(prior: Prior, n: int = 500) -> dict[str, float]:
    r"""The figures of a prior, and all six of each other way to z_i, for new captions in English and Korean."""
    clip = load(READER)[0]
    known, system = EmbeddedScenes(clip, min(8 * n, KNOWN_SCENES), KNOWN_SEED), DALLE2(clip, prior, None)
    probes, figures = factor_probes(known), {"scale": prior.scale.item()}
    for language in scenes.LANGUAGES:
        new = EmbeddedScenes(clip, n, NEW_SCENES_SEED, language)
        rows = bridge_figures(bridges(system, known, new), probes, new)
        figures |= {f"{language}.{name}": value for name, value in rows["prior"].items()}
        figures |= {f"{language}.{name}.all_six": row["all_six"] for name, row in rows.items() if name != "prior"}
    return figures


# -- from z_i to a picture -----------------------------------------------------------------------------------------


def drawn_from_z(system: DALLE2, z: Tensor, texts=None, seed: int = 0, **options) -> Tensor:
    r"""`DALLE2.decode` of many embeddings (n, E), `PROMPTS_AT_ONCE` at a time, each part with the next seed."""
    found = []
    for i, start in enumerate(range(0, len(z), PROMPTS_AT_ONCE)):
        part = slice(start, start + PROMPTS_AT_ONCE)
        found.append(system.decode(z[part], None if texts is None else texts[part], seed=seed + i, **options))
    return torch.cat(found)


def judge_decoder(model: UnCLIP, first_stage: KLAutoencoder | None = None, n: int = 300) -> dict[str, float]:
    r"""`shares_drawn` of n scenes drawn from their own z_i alone, and from z_i with the caption."""
    clip = load(READER)[0]
    new, system = EmbeddedScenes(clip, n, NEW_SCENES_SEED), DALLE2(clip, None, decoder_of(model, first_stage))
    draw, figures = partial(drawn_from_z, system, new.z_image), {}
    for name, texts in (("alone", None), ("with_text", new.texts)):
        shares = shares_drawn(draw(texts), Asked(new.factors))
        figures |= {f"{name}.{key}": value for key, value in shares.items()}
    return figures
