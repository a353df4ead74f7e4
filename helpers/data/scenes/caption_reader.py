"""Reading captions back into factors, in English or Korean: the inverse of `captions`, and more forgiving.

Word order is free, and Korean particles may stand apart or be missing. An unknown word is named in the error,
with the known words nearest to it.
"""

import difflib
import re
import unicodedata

import torch
from torch import Tensor

from ..typed import typed
from .captions import ANY_SHAPE, LANGUAGES, PLACES, UNSAID, WORDS
from .drawing import FACTORS

MEANING = {                                              # word -> (factor, value)
    word: (factor, value)
    for language in LANGUAGES
    for factor, words in WORDS[language].items()
    for value, word in enumerate(words)
}
_GROUND = ("background", "배경")
_FILLERS = {*"a an the in on at of with there is 있다".split(), *_GROUND, *ANY_SHAPE.values()}
_PARTICLES = ("에서", "이", "가", "의", "에", "과", "와", "을", "를", "은", "는")
_SYNONYMS = {
    "grey": "gray", "center": "centre", "large": "big", "little": "small",
    "동그라미": "원", "네모": "사각형", "세모": "삼각형",
    "빨강": "빨간", "노랑": "노란", "파랑": "파란", "검정": "검은", "하얀": "흰",
}
_PLACE_OF = {                                            # words of a place, in any order -> (column, row)
    frozenset(phrase.removeprefix("in the ").removesuffix("에").split()): place
    for language in LANGUAGES for place, phrase in PLACES[language].items()
}
for _words, _place in {                                  # what people also say
    ("left", "왼쪽"): (0, UNSAID), ("right", "오른쪽"): (2, UNSAID), ("middle", "가운데"): (1, 1),
    ("top", "위", "위쪽"): (UNSAID, 0), ("bottom", "아래", "아래쪽"): (UNSAID, 2),
}.items():
    _PLACE_OF |= {frozenset([word]): _place for word in _words}
_PLACE_WORDS = frozenset().union(*_PLACE_OF)


def read_caption(text: str) -> Tensor:
    """The row of factors (6,) that a caption of one object states; UNSAID where it says nothing.

    Raises ValueError for an unknown word, for a factor that is named twice, and for what no scene can show
    (a gray circle, a red background, the top bottom).
    """
    words = known_words(text)
    stated = statements(words)
    row = dict.fromkeys(FACTORS, UNSAID)
    for factor, value, word in stated:
        if row[factor] != UNSAID:
            first = next(w for f, _, w in stated if f == factor)
            raise ValueError(f"the caption names the {factor} twice: {first!r} and {word!r}")
        row[factor] = value
    place = [word for word in words if word in _PLACE_WORDS]
    if place:
        if frozenset(place) not in _PLACE_OF:
            known = PLACES["en" if place[0].isascii() else "ko"].values()
            raise ValueError(f"{' '.join(place)!r} is no place in a scene: write one of {', '.join(known)}")
        row["column"], row["row"] = _PLACE_OF[frozenset(place)]
    return torch.tensor(list(row.values()))


def statements(words: list[str]) -> list[tuple[str, int, str]]:
    """(factor, value, word) for each word that names a shape, colour, size or background, in order."""
    stated = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in MEANING:
            factor, value = MEANING[word]
            if (factor == "background") != (following in _GROUND):
                raise ValueError(_misplaced(word, factor))
            stated.append((factor, value, word))
    return stated


def _misplaced(word: str, factor: str) -> str:
    known = WORDS["en" if word.isascii() else "ko"]
    if factor == "background":
        return (f"{word!r} is the colour of a background only, before the word {' or '.join(_GROUND)}; "
                f"shapes can be {', '.join(known['colour'])}")
    return f"{word!r} is no background; backgrounds can be {', '.join(known['background'])}"


def known_words(text: str, also: frozenset[str] = frozenset()) -> list[str]:
    """The words of a text as the vocabulary, or `also`, has them: no particles, synonyms or punctuation."""
    text = unicodedata.normalize("NFC", typed(text)).lower()    # macOS hands out Hangul in pieces (NFD)
    vocabulary = _FILLERS | _PLACE_WORDS | MEANING.keys() | also
    words = [_known(word, vocabulary) for word in re.findall(r"\w+", text) if word not in _PARTICLES]
    if not words:
        raise ValueError("the caption is empty: write something like 'a big red circle in the top left'")
    return words


def _known(word: str, vocabulary: frozenset[str]) -> str:
    """The form of a word that is in the vocabulary; ValueError with the nearest words if there is none."""
    stems = [word] + [word.removesuffix(particle) for particle in _PARTICLES if word.endswith(particle)]
    for stem in stems:
        for form in (stem, _SYNONYMS.get(stem, ""), stem + "색", stem.removesuffix("색")):
            if form in vocabulary:
                return form
    # Hangul taken apart into letters, so that one wrong letter is one difference and not a whole syllable.
    same_script = sorted(known for known in vocabulary - _FILLERS if known.isascii() == word.isascii())
    letters = {unicodedata.normalize("NFD", known): known for known in same_script}
    near = difflib.get_close_matches(unicodedata.normalize("NFD", stems[-1]), letters, 3, 0.6)
    if near:
        hint = f"did you mean {' or '.join(letters[x] for x in near)}?"
    else:
        hint = f"known words: {', '.join(same_script)}"
    raise ValueError(f"unknown word {word!r} in a caption; {hint}")
