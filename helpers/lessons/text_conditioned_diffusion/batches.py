"""What people might type, with what it says, and with scenes: what notebook 13's reader and network learn from."""

from __future__ import annotations

from functools import cache, partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import LANGUAGES, UNSAID, with_particle
from ...data.scenes.captions.korean import PARTICLES
from ...data.scenes.captions.lexicon import SENSES
from ...data.text import Tokenizer, source_batch
from ...training.checkpoints import load
from ..clip.batches import in_languages, scene_pairs

READER = "clip"  # whose words are read
SCENE_READER = "reader-scenes"  # CLIP's text tower, after it learned what captions say
PROMPT_SHARES = {"one": 44, "two": 20}  # of a batch: scenes of one object, and of two
LEFT_OUT = 0.15  # of the captions, for guidance
RARE = 0.3  # of the words: any that the reader of captions knows, not one of the usual ones
ASKED, STRANGE = 0.4, 0.2  # of the captions: those in a request, and those with a word that means nothing
REQUESTS = {
    "en": ("draw {}", "please draw {}", "{} please", "I want {}", "can you draw {}?", "make me {}", "show {}", "{}!"),
    "ko": ("{} 그려 주세요", "{} 그려줘", "{} 그려", "{} 부탁해요", "{} 보여 줘", "{} 만들어 주세요", "{}!"),
}
SIGNS = "!?:;'~()/.,-"
LETTERS = {"en": "abcdefghijklmnopqrstuvwxyz", "ko": "가나다라마바사아자차카타파하거너더러머버서어저"}
ENDS_OF_NOUNS = "원별형모미"  # of the usual Korean words for shapes
FILLERS = {language: [word for word, sense in SENSES[language].items() if sense.role == "glue"]
           for language in LANGUAGES}


def scenes_of_one(n: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
    """n scenes and their captions, every other one Korean; half of these leave factors out."""
    pairs = scene_pairs(n, generator, rare=RARE)
    return pairs.images, pairs.texts


def told_of_two(n: int, generator: torch.Generator, split: str = "train") -> tuple[Tensor, Tensor]:
    """n pair factors (n, 6), and what captions say of them (n, 6): half leave out colours or the background."""
    pairs = scenes.sample_pairs(n, generator, split)
    dropped = (torch.rand(n, 6, generator=generator) < 0.4) & torch.tensor([False, True, False, False, True, True])
    dropped &= torch.rand(n, 1, generator=generator) < 0.5
    return pairs, torch.where(dropped, UNSAID, pairs)


def captions_of_two(said: Tensor, generator: torch.Generator) -> list[str]:
    """Captions of pair factors (n, 6), every other one Korean."""
    return in_languages(partial(scenes.write_pair_captions, rare=RARE), said, generator, LANGUAGES)


def scenes_of_two(n: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
    """n scenes of two objects, as `scenes_of_one`; what may be left out are colours and the background."""
    pairs, said = told_of_two(n, generator)
    return scenes.draw_pairs(pairs, generator), captions_of_two(said, generator)


def facts_of(said: Tensor, two: bool) -> Tensor:
    """Factors or pair factors (n, 6) as captions say them -> facts (n, 18): those of one object, then those of two.

    UNSAID are those of the other kind. A pair's are told twice, in the order of the caption and `canonical`: the second
    is the same for all captions that mean the same, and cannot be learned before the first, which says who is who.
    """
    nothing = torch.full_like(said, UNSAID)
    return torch.cat([nothing, said, scenes.canonical(said)] if two else [said, nothing, nothing], 1)


def captions_to_read(one: int, two: int, generator: torch.Generator, split: str = "train") -> tuple[Tensor, list[str]]:
    """Facts (one + two, 18) and the texts that say them, of one object and of two, as people might type them."""
    factors = scenes.sample_factors(one, generator, split)
    whole = torch.rand(one, 1, generator=generator) < 0.5
    said = torch.where(whole, factors, scenes.drop_factors(factors, generator))
    texts = in_languages(partial(scenes.write_captions, rare=RARE), said, generator, LANGUAGES)
    _, pairs = told_of_two(two, generator, split)
    texts += captions_of_two(pairs, generator)
    facts = torch.cat([facts_of(said, False), facts_of(pairs, True)])
    return facts, [as_typed(text, generator) for text in texts]


def reading_batches(one: int = 64, two: int = 64):
    """step -> {"texts": ids (B, T), "said": facts (B, 18)}, made anew at every step."""
    words = prompt_tokenizer()

    def batches(step):
        facts, texts = captions_to_read(one, two, torch.default_generator)
        return {"texts": source_batch(words, texts), "said": facts}

    return batches


def language_of(text: str) -> str:
    """"ko" where a text has a Korean syllable, else "en"."""
    return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"


def as_typed(text: str, generator: torch.Generator) -> str:
    """A caption as a request, at times, and at times with a word in it that means nothing, or is made up."""
    language = language_of(text)

    def chance(share: float) -> bool:
        return torch.rand((), generator=generator).item() < share

    def pick(many):
        return many[torch.randint(len(many), (), generator=generator).item()]

    if chance(STRANGE):
        words = text.split(" ")
        place = torch.randint(len(words), (), generator=generator).item()
        made_up = "".join(pick(LETTERS[language]) for _ in range(2 + chance(0.5) + 2 * (language == "en")))
        text = " ".join([*words[:place], pick(FILLERS[language]) if chance(0.5) else made_up, *words[place:]])
    if not chance(ASKED):
        return text
    if language == "ko" and text[-1] in ENDS_OF_NOUNS and chance(0.5):
        text = with_particle(text, "을/를")
    return pick(REQUESTS[language]).format(text)


@cache
def prompt_tokenizer() -> Tokenizer:
    """That of notebook 11's CLIP, and behind its tokens the letters that it lacks of words which the reader knows."""
    known = load(READER)[0].config["vocabulary"]  # to learn it anew takes all the emoji, 800 MB
    letters = "".join([*(word for senses in SENSES.values() for word in senses), *PARTICLES, *LETTERS.values(), SIGNS])
    return Tokenizer([*known, *(letter for letter in dict.fromkeys(letters) if letter not in {*known, " "})])


@torch.no_grad()
def judge_reading(model, n: int = 1000) -> dict[str, float]:
    """Shares of new captions of which every fact is read: of one object and of two, taught pairings and held-out."""
    generator, words, found = torch.Generator().manual_seed(NEW_SCENES_SEED), prompt_tokenizer(), {}
    for split in ("train", "held_out"):
        for kind, counts in (("one", (n, 0)), ("two", (0, n))):
            facts, texts = captions_to_read(*counts, generator, split)
            found[f"{kind}.{split}"] = (model.said(source_batch(words, texts)) == facts).all(1).float().mean().item()
    return found


def prompt_batches(one: int = PROMPT_SHARES["one"], two: int = PROMPT_SHARES["two"], left_out: float = LEFT_OUT,
                   words: Tokenizer | None = None):
    """step -> {"images": (B, 3, 32, 32), "texts": ids (B, T)}, made anew at every step; some texts are empty.

    words: what makes ids of the texts; None: `prompt_tokenizer`
    """
    words = prompt_tokenizer() if words is None else words

    def batches(step):
        generator = torch.default_generator
        (single, texts), (pair, others) = scenes_of_one(one, generator), scenes_of_two(two, generator)
        asked = [as_typed(text, generator) for text in texts + others]
        kept = (torch.rand(len(asked), generator=generator) >= left_out).tolist()
        said = [text if keep else "" for text, keep in zip(asked, kept, strict=True)]
        return {"images": torch.cat([single, pair]), "texts": source_batch(words, said)}

    return batches
