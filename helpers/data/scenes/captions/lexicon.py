"""What each word of a caption means, in English and Korean, and which of the words the writer uses.

A word has a *role*, and a value where the role asks for one:

    shape, colour, size     a value of that factor
    shade                   black, gray or white: the colour of a background, and of nothing else
    column, row, middle     where: `middle` is the centre of a row, of a column or of the picture, as its company says
    place                   a corner: column and row in one word
    corner, line            what needs both a column and a row; the words row and column themselves
    ground, picture         the word background; words like canvas or page, which may mean it
    thing                   the word shape or object: a noun that names no shape
    relation                above, below, to the left of: between two objects
    tint                    dark or bright, 0; pale, 1: said of a colour
    on, with, and, is, not, count, glue

Some words without a value are of a *kind* as well, named behind their role ("glue plain"), for the reader to look for:

    plain                   plain, solid: between an article and the ground's colour
    colour, size, shape     what names a factor, not a value of it: colour, sized, 모양
    clause                  있고: one object is told, and another follows

Words of several parts are written with a space and are found with a hyphen or joined as well. A shade, a size and a
colour that is next to one of the world's counts as that one (crimson, navy); one that lies between two of them does
not (magenta, teal, 연두).
"""

from typing import NamedTuple

from ..drawing import BACKGROUNDS, COLOURS, SHAPES, SIZES
from .english import ENGLISH_ROLES, ENGLISH_VALUES
from .korean import KOREAN_ROLES, KOREAN_VALUES

LANGUAGES = ("en", "ko")
UNSAID = -1                                              # in a row of factors: one that a caption does not mention

WORDS = {                                                # the fixed pattern's word for each value
    "en": {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "background": BACKGROUNDS},
    "ko": {
        "shape": ("원", "사각형", "삼각형", "별"),
        "colour": ("빨간", "주황색", "노란", "초록색", "하늘색", "파란", "보라색", "분홍색"),
        "size": ("작은", "큰"),
        "background": ("검은", "회색", "흰"),
    },
}
ANY_SHAPE = {"en": "shape", "ko": "도형"}

_VALUES, _ROLES = {"en": ENGLISH_VALUES, "ko": KOREAN_VALUES}, {"en": ENGLISH_ROLES, "ko": KOREAN_ROLES}
_CORNERS = ((0, 0), (2, 0), (0, 2), (2, 2))              # (column, row) of the values of "place"


class Sense(NamedTuple):
    """What a word means: its role, and the value that it has there, an index or a pair (column, row)."""

    role: str
    value: int | tuple[int, int] | None = None


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.replace("/", ",").split(",") if word.strip()]


def _senses(language: str) -> dict[str, Sense]:
    senses = {word: Sense(role.split()[0]) for role, words in _ROLES[language].items() for word in _listed(words)}
    for role, text in _VALUES[language].items():
        for index, words in enumerate(text.split("|")):
            value = _CORNERS[index] if role == "place" else index
            senses |= {word: Sense(role, value) for word in _listed(words)}
    return senses


def _written(language: str, usual: bool) -> dict[str, list[tuple[str, ...]]]:
    texts = _VALUES[language] | {role: _ROLES[language][role] for role in ("middle", "ground")}
    return {role: [tuple(_listed(words.split("/")[0] if usual else words)) for words in text.split("|")]
            for role, text in texts.items()}


def _by_kind() -> dict[str, frozenset[str]]:
    found = {}
    for role, words in [item for roles in _ROLES.values() for item in roles.items()]:
        for kind in role.split()[1:]:
            found[kind] = found.get(kind, frozenset()) | frozenset(_listed(words))
    return found


SENSES = {language: _senses(language) for language in LANGUAGES}         # word -> what it means
USUAL = {language: _written(language, True) for language in LANGUAGES}   # role -> for each value, what is written
EVERY = {language: _written(language, False) for language in LANGUAGES}  # the same, and rare words
WORDS_BY_KIND = _by_kind()                                               # kind -> its words in both languages


def check_language(language: str) -> None:
    """Raise ValueError unless captions are written in this language."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: captions are written in {' or '.join(LANGUAGES)}")
