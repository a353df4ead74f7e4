"""What notebook 03 measures: defects in pictures and the alarm for them; sentences that are copied and repaired."""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.masks import error_inside
from ...data.scenes import COLUMNS, ROWS, VALUES, crowd
from ...data.text import EOS, MARK, PAD, SPECIALS, UNK
from ...metrics.pictures import mse, reconstruct
from ..seq2seq_attention.experiments import OBJECT_COUNTS

# The networks that meet defects: percent of the training pictures that have one, size of the code, steps.
DEFECT_SHARES, DEFECT_CODES, DEFECT_STEPS = (0, 30, 100), (4, 64), (1200, 6000)
DEFECT_SIDE = 3  # pixels
MAGENTA = (1.0, -1.0, 1.0)  # of no scene
WATCHER_CODES = (4, 16, 128)  # of the networks that know two shapes only

COPY = {"source": "en", "target": "en"}  # languages, for `crowd_batch`
HIDDEN_WORDS = 0.15  # share of a sentence's words that the denoiser must repair, as in Devlin et al. 2019
# What the best guess at a hidden word finds where nothing else in the sentence tells it. For shape and colour the other
# one of the two is seen, and only 28 of their 32 pairings occur.
BEST_GUESS = {"size": 1 / 2, "background": 1 / 3, "shape": 8 / 28, "colour": 4 / 28}


# -- pictures with a defect ----------------------------------------------------------------------------------------


def with_defect(x: Tensor, share: float = 1.0) -> tuple[Tensor, Tensor]:
    """Pictures x (B, 3, S, S) with a magenta square at a random place of each, and where it is (B, 1, S, S).

    share: the probability that a picture gets one; the mask is False all over where it got none.
    """
    corner = torch.randint(x.shape[-1] - DEFECT_SIDE + 1, (len(x), 2, 1))
    along = torch.arange(x.shape[-1])
    rows, columns = ((along >= corner) & (along < corner + DEFECT_SIDE)).unbind(1)            # (B, S) each
    mask = (rows[:, :, None] & columns[:, None, :])[:, None] & (torch.rand(len(x), 1, 1, 1) < share)
    return torch.where(mask, torch.tensor(MAGENTA)[:, None, None], x), mask


def marked_scenes(n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    """n new scenes, the same with a defect each, and the masks."""
    x, _ = scenes.make_scenes(n, NEW_SCENES_SEED)
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        return x, *with_defect(x)


def evaluate_defects(model) -> dict[str, float]:
    """The error inside the defects, to the clean picture and to the defect, and the error of clean pictures."""
    x, marked, mask = marked_scenes()
    y = reconstruct(model, marked)
    figures = {"to_clean": error_inside(x, y, mask), "to_defect": error_inside(marked, y, mask),
               "mse": anomaly_score(model, x)}
    return {name: each.mean().item() for name, each in figures.items()}


# -- the alarm -----------------------------------------------------------------------------------------------------


def anomaly_score(model, x: Tensor) -> Tensor:
    """s(x) = |x - model(x)|^2 of each picture, per pixel and channel on [0, 1]: (B, 3, S, S) -> (B,)."""
    return mse(x, reconstruct(model, x))


def distance_to_nearest(x: Tensor, stored: Tensor) -> Tensor:
    """The mean squared error on [0, 1] of each picture x (B, 3, S, S) to the nearest of `stored` (N, 3, S, S) -> (B,).

    A score as `anomaly_score` is, of a memory instead of a network.
    """
    nearest = torch.cdist(x.flatten(1), stored.flatten(1)).min(1).values
    return (nearest / 2).square() / x[0].numel()


def auroc(usual: Tensor, odd: Tensor) -> float:
    """The probability that an odd one scores higher than a usual one, ties counted half: scores (N,), (M,).

    It is the area under the curve of hits against false alarms (Hanley & McNeil 1982). 0.5 is chance, 1 perfect.
    """
    difference = odd[:, None] - usual
    return ((difference > 0).float() + (difference == 0).float() / 2).mean().item()


def of_shapes(known: bool, n: int, generator: torch.Generator) -> Tensor:
    """n scenes of circles and squares or, where not `known`, of triangles and stars."""
    factors = scenes.sample_factors(4 * n, generator)  # about twice as many as are wanted
    return scenes.draw(factors[(factors[:, 0] < 2) == known][:n], generator)


def odd_pictures(n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    """n new scenes of the shapes that `shapes-*` know, the same with a defect each, and n of the other shapes."""
    generator = torch.Generator().manual_seed(NEW_SCENES_SEED)
    known, odd = of_shapes(True, n, generator), of_shapes(False, n, generator)
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        return known, with_defect(known)[0], odd


def evaluate_alarm(model) -> dict[str, float]:
    known, marked, odd = odd_pictures()
    usual = anomaly_score(model, known)
    return {"auroc_shapes": auroc(usual, anomaly_score(model, odd)),
            "auroc_defects": auroc(usual, anomaly_score(model, marked))}


# -- sentences -----------------------------------------------------------------------------------------------------


def hide_words(src: Tensor) -> Tensor:
    """Sources (B, S) with each word hidden, as UNK, with probability HIDDEN_WORDS; end marks and padding stay."""
    hidden = (torch.rand(src.shape) < HIDDEN_WORDS) & (src != EOS) & (src != PAD)
    return src.masked_fill(hidden, UNK)


def kinds_of_words() -> dict[str, list[int]]:
    """The words of the English sentences by what they say: {"colour": ids, ..., "grammar": the rest}."""
    names = {name: VALUES[name] for name in ("size", "colour", "shape", "background")} | {"place": ROWS + COLUMNS}
    number = {token.removeprefix(MARK): i for i, token in enumerate(crowd.ENGLISH) if i >= len(SPECIALS)}
    kinds = {kind: [number.pop(word) for word in dict.fromkeys(words)] for kind, words in names.items()}
    return {"grammar": list(number.values())} | kinds


@torch.no_grad()
def repairs(model, n: int = 2000) -> tuple[Tensor, Tensor]:
    """The words (m,) that were hidden in n new sentences, and which of them (m,) the model writes.

    It is given the right words before each, as in training.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        told = crowd.sample_crowd(OBJECT_COUNTS, n, torch.default_generator, "test")
        src, tgt = crowd.crowd_batch(*told, **COPY)
        seen = hide_words(src)
    written = model(seen, tgt[:, :-1]).argmax(2)
    return src[seen != src], (written == src)[seen != src]


def repair_rates(model) -> dict[str, float]:
    """Share of the hidden words that the model writes, by what they say."""
    hidden, found = repairs(model)
    return {kind: found[torch.isin(hidden, torch.tensor(ids))].float().mean().item()
            for kind, ids in kinds_of_words().items()}


def evaluate_repairs(model) -> dict[str, float]:
    return {"repaired": repairs(model)[1].float().mean().item()}
