"""Scenes with what people might type to get them, or with nothing: what notebook 13's network learns from."""

from __future__ import annotations

from functools import cache, partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.scenes import LANGUAGES, UNSAID, with_particle
from ...data.scenes.captions.korean import PARTICLES
from ...data.scenes.captions.lexicon import SENSES
from ...data.text import Tokenizer, source_batch
from ...training.checkpoints import load
from ..clip.batches import in_languages, scene_pairs

READER = "clip"  # whose words are read
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
