"""What notebook 11 measures of a CLIP: retrieval, zero-shot classes, binding, the gap between its two kinds of points.

Figures of scenes are measured on scenes that no training saw (`NEW_SCENES_SEED`), those of emoji on what the three
splits of `load_emoji` hold out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...data.emoji import load_emoji
from ...data.scenes import COLOURS, LANGUAGES, SHAPES, UNSAID
from ...data.text import Tokenizer, source_batch
from ...metrics.retrieval import ranks, recall
from ...systems.zero_shot import ZeroShot
from ..start_here.experiments import TAUGHT

CANDIDATES = 256  # scenes of different captions, among which each is to be found
CLASSES = [(shape, colour) for shape in range(len(SHAPES)) for colour in range(len(COLOURS))]  # the 32 classes


def generator_of(seed: int = NEW_SCENES_SEED) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# -- scenes --------------------------------------------------------------------------------------------------------


def different_scenes(n: int = CANDIDATES) -> tuple[Tensor, Tensor]:
    """n scenes (n, 3, 32, 32) of the training split, all with other factors (n, 6)."""
    generator = generator_of()
    factors = scenes.sample_factors(4 * n, generator).unique(dim=0)
    factors = factors[torch.randperm(len(factors), generator=generator)[:n]]
    return scenes.draw(factors, generator), factors


def scene_recall(model, language: str = "en", n: int = CANDIDATES, first: int = 1) -> float:
    """R@first among n pictures for captions as people type them, all factors named."""
    clip, (images, factors) = ZeroShot(model), different_scenes(n)
    texts = clip.texts(scenes.write_captions(factors, generator_of(), language))
    return recall(texts @ clip.pictures(images).T, torch.arange(n), first)


def looks_said(others: Tensor | None = None) -> Tensor:
    """The rows of factors (32, 6) that name shape and colour of each class; others (4,): what they say besides."""
    rows = torch.full((len(CLASSES), 6), UNSAID)
    rows[:, :2] = torch.tensor(CLASSES)
    if others is not None:
        rows[:, 2:] = others
    return rows


def named_looks(model, split: str = "train", language: str = "en", whole: bool = False, n: int = 1000) -> Tensor:
    """Which of the 32 captions is nearest to each of n scenes, and which would be right: (2, n).

    whole: the captions also say size, place and background, which are the picture's own.
    """
    clip, (images, factors) = ZeroShot(model), scenes.make_scenes(n, NEW_SCENES_SEED, split)
    pictures = clip.pictures(images)
    if whole:
        rows = torch.cat([looks_said(row[2:]) for row in factors])
        texts = clip.texts([scenes.caption(row, language) for row in rows]).view(n, len(CLASSES), -1)
        nearest = (texts @ pictures[:, :, None])[..., 0].argmax(1)
    else:
        texts = clip.texts([scenes.caption(row, language) for row in looks_said()])
        nearest = (pictures @ texts.T).argmax(1)
    return torch.stack([nearest, factors[:, 0] * len(COLOURS) + factors[:, 1]])


def zero_shot(model, *arguments, **options) -> float:
    """The share of scenes whose shape and colour are named, of 32 classes; arguments as of `named_looks`."""
    found, right = named_looks(model, *arguments, **options)
    return (found == right).float().mean().item()


def ensemble(model, split: str, wordings: int, language: str = "en", n: int = 1000, seed: int = 0) -> float:
    """`zero_shot` with each class told in several wordings, drawn among those that people type, their mean taken."""
    clip, (images, factors) = ZeroShot(model), scenes.make_scenes(n, NEW_SCENES_SEED, split)
    said = looks_said().repeat_interleave(wordings, 0)
    texts = clip.texts(scenes.write_captions(said, generator_of(seed), language))
    classes = F.normalize(texts.unflatten(0, (len(CLASSES), wordings)).mean(1), dim=1)
    found = (clip.pictures(images) @ classes.T).argmax(1)
    return (found == factors[:, 0] * len(COLOURS) + factors[:, 1]).float().mean().item()


SWAPS = {"colours": [0, 4, 2, 3, 1, 5], "shapes": [3, 1, 2, 0, 4, 5]}  # of the columns of pair factors


def kept_apart(model, swap: str, language: str = "en", n: int = 1000) -> float:
    """Of pictures of two objects the share that is nearer to the true caption than to one with a swap. Chance: half.

    swap: "colours", "shapes", or "relation" (left for right, above for below).
    """
    clip, (images, factors) = ZeroShot(model), scenes.make_pairs(n, NEW_SCENES_SEED)
    wrong = factors.clone()
    if swap == "relation":
        wrong[:, 2] ^= 1
    else:
        wrong = wrong[:, SWAPS[swap]]
    pictures = clip.pictures(images)
    true, false = (clip.texts([scenes.pair_caption(row, language) for row in rows]) for rows in (factors, wrong))
    return ((pictures * true).sum(1) > (pictures * false).sum(1)).float().mean().item()


# -- emoji ---------------------------------------------------------------------------------------------------------


def emoji_ranks(model, by: str, language: str = "en", hands: Sequence[str] = TAUGHT, split: str = "test"):
    """The rank of the right name of each picture (N,), among the names of all of that split, and how many those are."""
    emoji = load_emoji(split, hands, by)
    names = emoji.names_en if language == "en" else emoji.names_ko
    candidates = sorted(set(names))
    own = torch.tensor([candidates.index(name) for name in names])
    ids = source_batch(Tokenizer(model.config["vocabulary"]), candidates)  # also names with letters that are unknown
    pictures, texts = in_batches(model.encode_image, emoji.images), in_batches(model.encode_text, ids)
    return ranks(pictures @ texts.T, own), len(candidates)


def emoji_recall(model, by: str, first: int, *arguments, **options) -> float:
    return (emoji_ranks(model, by, *arguments, **options)[0] < first).float().mean().item()


# -- the two kinds of points ---------------------------------------------------------------------------------------


def modality_gap(model, n: int = 500) -> dict[str, float]:
    """How far the mean picture lies from the mean caption, and cosines within and across.

    "gap" is the distance of the two means (Liang et al. 2022); "pairs" the mean cosine of a picture and its caption,
    "others" of a picture and another's; "pictures" and "captions" between different ones of a kind.
    """
    clip, (images, factors) = ZeroShot(model), scenes.make_scenes(n, NEW_SCENES_SEED)
    x, y = clip.pictures(images), clip.texts([scenes.caption(row) for row in factors])

    def off_diagonal(a, b):
        return ((a @ b.T).sum() - (a * b).sum()).item() / (n * (n - 1))

    return {"gap": (x.mean(0) - y.mean(0)).norm().item(), "pairs": (x * y).sum(1).mean().item(),
            "others": off_diagonal(x, y), "pictures": off_diagonal(x, x), "captions": off_diagonal(y, y)}


# -- false negatives -----------------------------------------------------------------------------------------------


def chance_of_fit(drop: float, whole: float = 0.0) -> float:
    """The probability that a caption fits another picture, of the training split.

    A share `whole` of the captions names all factors; of the others each factor is left out with probability `drop`.
    """
    allowed = scenes.drawing.pairings("train")
    same = [(allowed[:, None, i] == allowed[None, :, i]).float() for i in range(2)]

    def fit(p):
        looks = ((p + (1 - p) * same[0]) * (p + (1 - p) * same[1])).mean().item()
        for name in scenes.FACTORS[2:]:
            looks *= p + (1 - p) / len(scenes.VALUES[name])
        return looks

    return whole * fit(0.0) + (1 - whole) * fit(drop)


# -- what a card says ----------------------------------------------------------------------------------------------


def scene_figures(model, languages: Sequence[str] = LANGUAGES) -> dict[str, float]:
    """The figures of one that learned scenes alone."""
    found = {}
    for language in languages:
        found[f"recall_{language}"] = scene_recall(model, language)
        found[f"zero_shot_{language}"] = zero_shot(model, "train", language)
        found[f"held_out_{language}"] = zero_shot(model, "held_out", language)
    return found | modality_gap(model)


def course_figures(model) -> dict[str, float]:
    """The figures of the course's CLIP."""
    found = scene_figures(model) | {f"kept_apart_{swap}": kept_apart(model, swap) for swap in (*SWAPS, "relation")}
    for language in LANGUAGES:
        found[f"emoji_family_10_{language}"] = emoji_recall(model, "family", 10, language)
        found[f"emoji_hand_1_{language}"] = emoji_recall(model, "hand", 1, language)
    return found

