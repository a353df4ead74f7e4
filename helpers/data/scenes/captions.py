"""Captions of tiny scenes in English and Korean, whole or in part.

    en   a big red circle in the top left on a gray background
    ko   회색 배경의 왼쪽 위에 큰 빨간 원이 있다

The two languages say the same in another order: background and place come last in English, first in Korean.
A caption may leave factors out. In a row of factors, UNSAID marks those that it does not mention.
"""

from itertools import product

import torch
from torch import Tensor

from .drawing import BACKGROUNDS, COLOURS, COLUMNS, ROWS, SHAPES, SIZES, check_factors

UNSAID = -1
LANGUAGES = ("en", "ko")

WORDS = {
    "en": {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "background": BACKGROUNDS},
    "ko": {
        "shape": ("원", "사각형", "삼각형", "별"),
        "colour": ("빨간", "주황색", "노란", "초록색", "하늘색", "파란", "보라색", "분홍색"),
        "size": ("작은", "큰"),
        "background": ("검은", "회색", "흰"),
    },
}
ANY_SHAPE = {"en": "shape", "ko": "도형"}


def caption(row: Tensor, language: str = "en") -> str:
    """The sentence for one row of factors (6,). Factors that are UNSAID are left out."""
    check_language(language)
    check_factors(torch.as_tensor(row)[None], lowest=UNSAID)
    _, _, _, column, line, background = (int(value) for value in row)
    thing, place = noun_phrase(row, language), PLACES[language].get((column, line), "")
    ground = "" if background == UNSAID else WORDS[language]["background"][background]
    if language == "en":
        return " ".join(filter(None, [with_article(thing), place, ground and f"on a {ground} background"]))
    ground = ground and f"{ground} 배경" + ("의" if place else "에")
    return " ".join(filter(None, [ground, place, with_particle(thing, "이/가"), "있다"]))


def noun_phrase(row: Tensor, language: str = "en") -> str:
    """Size, colour and shape, the first three factors of a row, without an article: "big red circle"."""
    shape, colour, size = (int(value) for value in row[:3])
    words = WORDS[language]
    return " ".join([words["size"][size]] * (size != UNSAID) + [words["colour"][colour]] * (colour != UNSAID)
                    + [ANY_SHAPE[language] if shape == UNSAID else words["shape"][shape]])


def with_article(phrase: str) -> str:
    """Put "a" or "an" before an English phrase."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def with_particle(word: str, pair: str) -> str:
    """Append the Korean particle that the last syllable asks for.

    pair: "이/가", "과/와", "을/를" or "은/는": the form after a final consonant, then the form after a vowel.
    Raises ValueError for another pair, or a word that does not end in a Hangul syllable.
    """
    if pair not in ("이/가", "과/와", "을/를", "은/는"):
        raise ValueError(f"unknown pair of particles {pair!r}: use 이/가, 과/와, 을/를 or 은/는")
    if not word or not "가" <= word[-1] <= "힣":
        raise ValueError(f"{word!r} does not end in a Hangul syllable, so its particle is not known")
    # Unicode orders syllables by first consonant, vowel and final consonant; the first of 28 finals is none.
    has_final = (ord(word[-1]) - ord("가")) % 28 != 0
    return word + pair.split("/")[0 if has_final else 1]


def drop_factors(factors: Tensor, generator: torch.Generator, p: float = 0.5) -> Tensor:
    """Factors (n, 6) with each one UNSAID with probability p: the rows of partial captions."""
    return torch.where(torch.rand(factors.shape, generator=generator) < p, UNSAID, factors)


def check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: captions are written in {' or '.join(LANGUAGES)}")


def _english_place(column: int, line: int) -> str:
    if line == UNSAID:
        return f"in the {COLUMNS[column]} column"
    if column == UNSAID:
        return f"in the {ROWS[line]} row"
    return f"in the {ROWS[line]} {COLUMNS[column]}".replace("middle centre", "centre")


def _korean_place(column: int, line: int) -> str:
    if line == UNSAID:
        return ("왼쪽", "가운데", "오른쪽")[column] + " 열에"
    if column == UNSAID:
        return ("윗줄", "가운뎃줄", "아랫줄")[line] + "에"
    if COLUMNS[column] == "centre":
        return ("위쪽 가운데", "한가운데", "아래쪽 가운데")[line] + "에"
    return ("왼쪽", "", "오른쪽")[column] + " " + ("위", "가운데", "아래")[line] + "에"


_SAID = [place for place in product((UNSAID, 0, 1, 2), repeat=2) if place != (UNSAID, UNSAID)]
PLACES = {                                               # (column, row) -> words
    "en": {place: _english_place(*place) for place in _SAID},
    "ko": {place: _korean_place(*place) for place in _SAID},
}
