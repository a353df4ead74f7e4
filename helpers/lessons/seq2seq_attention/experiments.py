"""What notebook 01 measures: sentences that are translated without a mistake, where attention looks, real language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import sets
from ...data.scenes import crowd
from ...data.scenes.drawing import draw_objects
from ...data.text import Tokenizer, source_batch
from ...models.decoding import greedy
from ...show.raster import to_uint8
from ...show.sentences import Translated
from ...systems.translator import Translator

OBJECT_COUNTS = tuple(range(1, crowd.MOST + 1))  # objects in a sentence
HIDDEN_SIZES = (16, 32, 48, 96)  # of the networks that are compared
FRESH_SEED = 1_000_003  # of the sentences that figures are measured on
BEAM = 5  # width of the search whose translations are scored

Pairs = Sequence[tuple[str, str]]


# Sentences of the course's own, as captions and everyday speech are: what the page shows where no data set is at hand.
GERMAN_SENTENCES = (
    ("Ein Hund läuft durch den Schnee.", "A dog runs through the snow."),
    ("Zwei Kinder spielen am Strand.", "Two children are playing on the beach."),
    ("Eine Frau in einem roten Kleid tanzt auf der Straße.", "A woman in a red dress is dancing in the street."),
    ("Ein Mann repariert ein Fahrrad.", "A man is repairing a bicycle."),
    ("Drei Mädchen sitzen auf einer Bank und lachen.", "Three girls are sitting on a bench and laughing."),
    ("Ein alter Mann liest im Park eine Zeitung.", "An old man is reading a newspaper in the park."),
    ("Der Koch schneidet in der Küche Gemüse.", "The cook is cutting vegetables in the kitchen."),
)
KOREAN_SENTENCES = (
    ("나는 물을 마신다.", "I drink water."),
    ("그는 어디에 있어?", "Where is he?"),
    ("오늘은 날씨가 좋다.", "The weather is nice today."),
    ("이 책을 읽고 싶어.", "I want to read this book."),
    ("우리는 학교에 간다.", "We go to school."),
)

# -- sentences about tiny scenes -----------------------------------------------------------------------------------


def fresh_scenes(count: int, n: int, split: str = "test") -> tuple[Tensor, Tensor]:
    """n scenes of `count` objects, always the same ones: objects and background as `sample_crowd` gives them."""
    return crowd.sample_crowd(count, n, torch.Generator().manual_seed(FRESH_SEED + count), split)


def fresh_sentences(count: int, n: int = 400) -> tuple[Tensor, Tensor, Tensor]:
    """src, tgt and the true alignment of n sentences about `count` objects, none of which training shows."""
    scenes = fresh_scenes(count, n)
    return *crowd.crowd_batch(*scenes), crowd.alignments(*scenes)


def without_mistake(model, src: Tensor, tgt: Tensor) -> Tensor:
    """Which sentences (B,) greedy search translates without one wrong word: sources (B, S), targets (B, T)."""
    limit = tgt.shape[1] - 1
    words = greedy(model, src.to(next(model.parameters()).device), limit).words.cpu()
    return (F.pad(words, (0, limit - words.shape[1])) == tgt[:, 1:]).all(1)


def exact(model, count: int, n: int = 400, split: str = "test", **languages) -> float:
    """Share of n fresh sentences about `count` objects that are translated without one wrong word.

    split      "test", or "held_out": of the pairings of shape and colour that no training shows
    languages  source and target of `crowd_batch`, Korean and English
    """
    pair = crowd.crowd_batch(*fresh_scenes(count, n, split), **languages)
    return without_mistake(model, *pair).float().mean().item()


def exact_by_count(model, **languages) -> dict[str, float]:
    """{"exact_1": ..., "exact_5": ...}: what the cards of these networks record."""
    return {f"exact_{count}": exact(model, count, **languages) for count in OBJECT_COUNTS}


def typed_sentences(count: int, n: int = 400) -> tuple[Tensor, Tensor]:
    """src, tgt of n sentences about `count` objects as people type them, of scenes that no training shows."""
    scenes = fresh_scenes(count, n)
    texts = crowd.write_crowd_captions(*scenes, torch.Generator().manual_seed(FRESH_SEED), "ko")
    return source_batch(Tokenizer(crowd.KOREAN_AS_TYPED), texts), crowd.crowd_batch(*scenes)[1]


def exact_as_typed(model) -> dict[str, float]:
    """{"exact_1": ..., "exact_5": ...} of sentences as people type them."""
    pairs = {count: typed_sentences(count) for count in OBJECT_COUNTS}
    return {f"exact_{count}": without_mistake(model, *pair).float().mean().item() for count, pair in pairs.items()}


def noun_first(count_of_sentences: int = 400) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One object's sentences with the same words in another order: 큰 빨간 원이 회색 배경의 왼쪽 위에 있다.

    src, tgt, and for each target token the place of its source token (n, T): where it stands now, and where it stood.
    """
    src, tgt, before = fresh_sentences(1, count_of_sentences)
    at, end = crowd.KOREAN.index("에"), crowd.KOREAN.index("▁있다")
    rows, now = [], before.clone()
    for number, row in enumerate(src.tolist()):
        noun, verb = row.index(at) + 1, row.index(end)
        order = [*range(noun, verb), *range(noun), *range(verb, len(row))]
        rows.append([row[i] for i in order])
        now[number] = torch.tensor([order.index(i) if i >= 0 else -1 for i in before[number].tolist()])
    return torch.tensor(rows), tgt, now, before


def doubts(text: str, system: Translator) -> str:
    """Why a translation by a network of the fixed pattern may not be believed; empty where nothing speaks against it.

    What the grammar of captions does not understand; else the words that the network has no number for; else an order
    of words that its training never showed.
    """
    reading, unknown = crowd.read_crowd_caption(text), system.unknown(text)
    if reading.problems:
        return f"Not to be believed: {reading.problems[0]}. "
    if unknown:
        return f"Unknown to this network: {', '.join(unknown)}. "
    seen = ("background", *("place", "size", "colour", "shape") * len(reading.factors()[0]))
    return "" if reading.order() == seen else "This order of words was never in its training. "


def translated(source: str, right: str, written: str) -> Translated:
    """A sentence about tiny scenes for `show_translations`, with the scenes that both English sentences describe."""
    return Translated(source, right, written, scene_of(right), scene_of(written))


def scene_of(english: str) -> np.ndarray | None:
    """The scene (32, 32, 3) uint8 that a sentence describes, or None where it describes none."""
    reading = crowd.read_crowd_caption(english)
    if reading.problems:
        return None
    objects, background = reading.factors()
    return to_uint8(draw_objects(objects[None], torch.tensor([background])))[0]


def follows(weights: Tensor, now: Tensor, before: Tensor) -> tuple[float, float]:
    """Shares of the largest weights (n, T, S) next to where a word stands now, and where it stood, if it moved."""
    moved, largest = (now >= 0) & ((now - before).abs() > 2), weights.argmax(2)
    return tuple(((largest - place).abs() <= 1)[moved].float().mean().item() for place in (now, before))


def alignment_figures(weights: Tensor, truth: Tensor) -> dict[str, float]:
    """How well attention weights (n, T, S) fit the true source token (n, T), -1 where there is none; shares, 0 to 1.

    exact  largest weight on the word that is translated
    near   largest weight on it or a neighbour
    mass   weight on it and its neighbours together
    Only words that have a counterpart count.
    """
    weights, truth = weights[truth >= 0], truth[truth >= 0]                        # (m, S), (m,)
    distance = (torch.arange(weights.shape[1]) - truth[:, None]).abs()
    off = distance.gather(1, weights.argmax(1, keepdim=True))
    return {"exact": (off == 0).float().mean().item(), "near": (off <= 1).float().mean().item(),
            "mass": (weights * (distance <= 1)).sum(1).mean().item()}


# -- real language -------------------------------------------------------------------------------------------------


def emoji_names(split: str) -> Pairs:
    """(Korean, English) names; those of a held-out family are in "test"."""
    emoji = sets.load_emoji(split)
    return list(zip(emoji.names_ko, emoji.names_en, strict=True))


def translate(model, pairs: Pairs, beam: int = BEAM) -> list[str]:
    """What the model makes of the sources of pairs."""
    return Translator(model).translate([source for source, _ in pairs], beam=beam)


def quality(load: Callable[[str], Pairs], model) -> dict[str, float]:
    """BLEU, chrF and the share of exact translations of the test pairs: what the cards record."""
    from ...metrics import sentences  # not at the top: notebooks that don't translate save 10 MB

    pairs = load("test")
    written, right = translate(model, pairs), [target for _, target in pairs]
    return {"bleu": sentences.bleu(written, right), "chrf": sentences.chrf(written, right),
            "exact": sentences.exact_match(written, right)}
