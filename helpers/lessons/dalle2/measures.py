r"""What notebook 17 measures of the whole: three arms, what CLIP keeps, text diffs, diversity, binding, passes.

n pictures (n, 3, 32, 32) in [-1, 1] · E numbers of an embedding
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import FACTORS, PAIR_FACTORS, UNSAID
from ...metrics.pca import PCA
from ...systems import variations as apart
from ...systems.dalle2 import DALLE2
from ..stable_diffusion.measures import COLOUR, recolourings
from ..text_conditioned_diffusion.experiments import prompts_of_two, with_less
from ..text_conditioned_diffusion.verdicts import Asked, read_pictures, shares_drawn
from . import experiments as own

PAPERS_PASSES = {"DALL·E": 1024, "DALL·E 2": 64 + 250 + 27 + 15}  # a token each; prior, decoder, two upsamplers
BOUND = [PAIR_FACTORS.index(name) for name in ("shape", "colour", "other shape", "other colour")]


# -- what z_i holds ------------------------------------------------------------------------------------------------


def kept_shares(pictures: Tensor, factors: Tensor) -> dict[str, float]:
    r"""{factor: the share of pictures that show it as in factors (n, 6)}, and "all_six", "valid"."""
    read = scenes.parse(pictures)
    right = read.factors == factors
    shares = dict(zip(FACTORS, right.float().mean(0).tolist(), strict=True))
    return shares | {"all_six": right.all(1).float().mean().item(), "valid": read.valid.float().mean().item()}


def variation_shares(system: DALLE2, eta: float, n: int = 200) -> dict[str, float]:
    r"""`kept_shares` of a variation of each of n new scenes; "moved" is how far its object moves within its place.

    "moved" is the root mean square of what changes in pixels between the picture and its variation, over those that
    show all six factors: two draws of the same factors differ by the size and the place that have no name.
    """
    pictures, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    varied = torch.cat([apart.variations(system, part, eta, seed) for seed, part in enumerate(pictures.split(100))])
    same = (scenes.parse(varied).factors == factors).all(1)
    moved = (varied - pictures)[same].square().mean().sqrt().item() if same.any() else float("nan")
    return kept_shares(varied, factors) | {"moved": moved}


def component_shares(system: DALLE2, kept: Sequence[int], n: int = 200) -> dict[int, dict[str, float]]:
    r"""{d: `kept_shares` of n new scenes drawn from the first d components of z_i}; those of 2,000 other scenes."""
    pca = PCA.fit(system.embed(scenes.make_scenes(2000, own.KNOWN_SEED)[0]), max(kept))
    pictures, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    drawn = apart.in_fewer_numbers(system, pca, pictures, kept)
    return {d: kept_shares(part, factors) for d, part in zip(kept, drawn, strict=True)}


# -- the arms ------------------------------------------------------------------------------------------------------


def arm_shares(system: DALLE2, n: int = 300, language: str = "en") -> dict[str, dict[str, float]]:
    r"""`shares_drawn` for n whole captions, by what the decoder is told: z of each of `bridges`, the text alone, and
    the prior's z with the text. Ramesh et al. 2022, section 5.1, and the baselines that matter here."""
    known = own.EmbeddedScenes(system.clip, own.KNOWN_SCENES, own.KNOWN_SEED)
    new = own.EmbeddedScenes(system.clip, n, NEW_SCENES_SEED, language)
    found = own.bridges(system, known, new)
    drawn = {name: own.drawn_from_z(system, z) for name, z in found.items()}
    nothing = torch.zeros_like(new.z_image)
    drawn |= {"text alone": own.drawn_from_z(system, nothing, new.texts),
              "prior and text": own.drawn_from_z(system, found["prior"], new.texts)}
    return {name: shares_drawn(pictures, Asked(new.factors)) for name, pictures in drawn.items()}


def binding_duel(system: DALLE2, n: int = 300) -> dict[str, dict[str, float]]:
    r"""Of n pictures of two objects, the shares that show both shapes ("shapes"), and each in its colour ("bound").

    "GLIDE": the text alone; "unCLIP": the prior's z alone; "unCLIP + text". All by the same decoder.
    """
    texts, asked = prompts_of_two(n)
    z = own.imagined(system, texts)
    arms = {"GLIDE": (torch.zeros_like(z), texts), "unCLIP": (z, None), "unCLIP + text": (z, texts)}
    found = {}
    for name, (told, said) in arms.items():
        right = read_pictures(own.drawn_from_z(system, told, said), asked)[1][:, BOUND]
        found[name] = {"shapes": right[:, [0, 2]].all(1).float().mean().item(),
                       "bound": right.all(1).float().mean().item()}
    return found


# -- diversity -----------------------------------------------------------------------------------------------------


def differing(readings: Tensor, said: Tensor) -> float:
    r"""How often two drawings for a prompt differ in a factor it leaves open: readings (k, n, 6), said (n, 6)."""
    open_ = said == UNSAID                                                     # (n, 6)
    pairs = [(readings[i] != readings[j])[open_] for i, j in combinations(range(len(readings)), 2)]
    return torch.cat(pairs).float().mean().item()


def diverse_and_right(draw: Callable[[list[str], int], Tensor], n: int = 50, k: int = 4,
                      named: int = 3) -> dict[str, float]:
    r"""{"asked": ..., "valid": ..., "diverse": `differing`} of k drawings for each of n prompts that name some factors.

    draw: (prompts, seed) -> pictures
    """
    texts, asked = with_less(n, named)
    drawings = [draw(texts, 1000 * seed) for seed in range(k)]
    shares = shares_drawn(torch.cat(drawings), Asked(asked.said.repeat(k, 1)))
    readings = torch.stack([scenes.parse(pictures).factors for pictures in drawings])
    return {"asked": shares["asked"], "valid": shares["valid"], "diverse": differing(readings, asked.said)}


def guided_diversity(system: DALLE2, scales: Sequence[float], **options) -> dict[str, dict[float, dict[str, float]]]:
    r"""{"GLIDE", "unCLIP": {scale: `diverse_and_right`}}: the same decoder told the text alone, or the prior's z.

    Figure 9 of the paper: guidance takes diversity from GLIDE, hardly from unCLIP, whose z_i is drawn before it.
    """
    def by_text(texts, seed, scale):
        return own.drawn_from_z(system, torch.zeros_like(system.embed_texts(texts)), texts, seed, scale=scale)

    def by_prior(texts, seed, scale):
        return own.drawn_from_z(system, own.imagined(system, texts, seed), None, seed, scale=scale)

    return {name: {scale: diverse_and_right(lambda texts, seed, draw=draw, scale=scale: draw(texts, seed, scale),
                                            **options) for scale in scales}
            for name, draw in (("GLIDE", by_text), ("unCLIP", by_prior))}


# -- text diffs ----------------------------------------------------------------------------------------------------


def recoloured(n: int) -> tuple[Tensor, list[str], list[str], Tensor]:
    r"""n new scenes, their captions, captions that name another colour and are the same else, and those factors."""
    (pictures, _, wanted), (_, factors) = recolourings(n), scenes.make_scenes(n, NEW_SCENES_SEED)
    before, after = ([scenes.caption(row) for row in rows] for rows in (factors, wanted))
    return pictures, before, after, wanted


def diff_shares(system: DALLE2, thetas: Sequence[float], n: int = 100, **options) -> dict[float, dict[str, float]]:
    r"""{theta: {"obeyed": has the new colour, "kept": has all other five factors, "both", "valid"}} of n text diffs."""
    pictures, before, after, wanted = recoloured(n)
    others, found = torch.arange(len(FACTORS)) != COLOUR, {}
    for theta, drawn in zip(thetas, apart.text_diff(system, pictures, before, after, thetas, **options), strict=True):
        read = scenes.parse(drawn)
        right = read.factors == wanted
        shares = {"obeyed": right[:, COLOUR], "kept": right[:, others].all(1), "both": right.all(1),
                  "valid": read.valid}
        found[theta] = {name: values.float().mean().item() for name, values in shares.items()}
    return found


# -- passes --------------------------------------------------------------------------------------------------------


def counted_passes(networks: dict[str, nn.Module], run: Callable[[], object]) -> dict[str, int]:
    r"""How often each of the networks is called while run() runs, by name."""
    counts = dict.fromkeys(networks, 0)

    def count(name):
        def hook(*_):
            counts[name] += 1
        return hook

    handles = [network.register_forward_hook(count(name)) for name, network in networks.items()]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return counts
