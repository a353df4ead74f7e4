"""A caption as a list of tokens: words that the lexicon knows, and words that it does not.

English is split at spaces; words of several parts may be hyphenated or joined (top-left, skyblue). A Korean stretch
between two spaces may hold several words, each with particles (회색바탕의, 왼쪽위에는): of all ways to take it apart,
the cheapest is taken.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from ...typed import typed
from .korean import PARTICLES
from .lexicon import SENSES, Sense

CONTENT = frozenset("shape colour size shade row column place middle ground relation".split())
_STRETCH = re.compile(r"[0-9]*[가-힣]+|[^\W_가-힣]+(?:'[^\W_가-힣]+)*|\S")
_STOPS, _SILENT = frozenset(",;.:()/|=，、。"), frozenset("!?~·…*#-–—_\"'`“”「」[]{}<>")
_LONGEST_PHRASE = 5                                      # words
# What it costs to read a piece as a word; a known word costs 1.
_UNKNOWN, _UNKNOWN_LETTER, _UNKNOWN_AGAIN, _PARTICLE, _LOOSE = 10.0, 0.6, 5.0, 0.7, 12.0


class Token(NamedTuple):
    """A piece of the text: where it stands, and what it means.

    role    one of the lexicon or of the particles; "stop", a mark that separates; "silent", one that does not;
            "unknown"
    value   as in `Sense`
    """

    start: int
    end: int
    text: str
    role: str
    value: int | tuple[int, int] | None = None


class Word(NamedTuple):
    """A stretch text[start:end] of what was typed, and what it was understood as.

    factor, value   by their names: "colour", "red"; a middle that is both a column and a row states the "place"
                    "centre". Both are empty for a word that only holds the sentence together
    thing           the number of the object that it speaks of, from 0; -1 for none
    problem         why it was not understood; empty where it was
    """

    start: int
    end: int
    text: str
    factor: str = ""
    value: str = ""
    thing: int = -1
    problem: str = ""


def as_read(text: str) -> str:
    """The text as it is read: typed, composed (macOS hands out Hangul in pieces), in small letters, one for one."""
    text = unicodedata.normalize("NFC", typed(text)).replace("’", "'")
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def scan(text: str) -> list[Token]:
    """The tokens of a cleaned text, in their order."""
    found = [(m.start(), m.end()) for m in _STRETCH.finditer(text)]
    tokens, i = [], 0
    while i < len(found):
        length, sense = _phrase(text, found[i:i + _LONGEST_PHRASE])
        if length:
            start, end = found[i][0], found[i + length - 1][1]
            tokens.append(Token(start, end, text[start:end], *sense))
        else:
            start, end = found[i]
            tokens += [Token(start + a, start + b, text[start + a:start + b], *sense)
                       for a, b, sense in _taken_apart(text[start:end])]
        i += max(length, 1)
    return tokens


def _phrase(text: str, spans: list[tuple[int, int]]) -> tuple[int, Sense | None]:
    """How many of the stretches at the beginning are one entry of the lexicon, and its sense; 0 if none."""
    words = [text[a:b] for a, b in spans]
    parts = [(number, word) for number, word in enumerate(words, 1) if word != "-"]
    for length in range(len(parts), 0, -1):
        number, _ = parts[length - 1]
        between = [text[a:b].strip(" \t") for (_, a), (b, _) in pairwise(spans[:number])]
        entry = " ".join(word for _, word in parts[:length])
        for senses in SENSES.values():
            if entry in senses and not any(between) and words[0] != "-":
                return number, senses[entry]
    return 0, None


@cache
def _taken_apart(stretch: str) -> list[tuple[int, int, Sense]]:
    """(start, end, sense) of the words of one stretch between two spaces."""
    if len(stretch) == 1 and not stretch.isalnum():
        return [(0, 1, Sense(_role_of_mark(stretch)))]
    if stretch in PARTICLES:
        return [(0, len(stretch), Sense(PARTICLES[stretch]))]
    korean = "가" <= stretch[-1] <= "힣"
    best = {0: (0.0, [])}                                # end -> (cost, words): the cheapest way to get there
    for end in range(1, len(stretch) + 1):
        ways = [(best[start][0] + cost, best[start][1] + [(start, end, sense)])
                for start in list(best) for cost, sense in _readings(stretch, start, end, best[start][1], korean)]
        if ways:
            best[end] = min(ways, key=lambda way: way[0])
    found = best[len(stretch)][1]
    if not korean and len(found) > 1 and found[-1][2].role not in ("shape", "ground", "column", "row", "middle"):
        return [(0, len(stretch), Sense("unknown"))]     # "starred" is no red star
    return found


def _role_of_mark(mark: str) -> str:
    if mark in "&+":
        return "and"
    return "stop" if mark in _STOPS else "silent" if mark in _SILENT else "unknown"


def _readings(stretch: str, start: int, end: int, before: list[tuple[int, int, Sense]], korean: bool
              ) -> Iterator[tuple[float, Sense]]:
    """(cost, sense) of each way to read stretch[start:end] as one word. before: the words in front of it."""
    piece = stretch[start:end]
    after_unknown = bool(before) and before[-1][2].role == "unknown"
    if korean or piece == stretch:
        yield _UNKNOWN + _UNKNOWN_LETTER * len(piece) + _UNKNOWN_AGAIN * after_unknown, Sense("unknown")
    if not korean:
        if piece in _JOINED:
            yield 1, _JOINED[piece]
        return
    if sense := SENSES["ko"].get(piece):
        # A syllable that is glue is also a part of many words (거위, 인형): it stands alone, or in a long stretch.
        loose = len(piece) == 1 and sense.role not in CONTENT | {"line"} and len(stretch) < 5
        rest = stretch[:start] + stretch[end:]
        yield _LOOSE if loose and rest and rest not in PARTICLES else 1, sense
    if start and piece in PARTICLES and not after_unknown:
        yield _PARTICLE, Sense(PARTICLES[piece])


# English words that may be run together: topleft, skyblue, bigredcircle. Not those that are parts of many other words.
_PARTS_OF_WORDS = frozenset("down ball dot box rose mini".split())
_JOINED = {word.replace(" ", ""): sense for word, sense in SENSES["en"].items()
           if sense.role in CONTENT - {"relation"} and len(word) > 2 and word not in _PARTS_OF_WORDS}


def nearest(token: Token) -> list[str]:
    """Up to three known words that are spelled nearly like an unknown one."""
    korean = "가" <= token.text[-1] <= "힣"
    # Hangul is taken apart into letters, so that one wrong letter is one difference and not a whole syllable.
    known = {unicodedata.normalize("NFD", word): word for word, sense in SENSES["ko" if korean else "en"].items()
             if sense.role in CONTENT or sense.role == "thing"}
    stems = [token.text] + [token.text.removesuffix(p) for p in PARTICLES if token.text.endswith(p)]
    near = [difflib.get_close_matches(unicodedata.normalize("NFD", stem), known, 3, 0.65) for stem in stems if stem]
    return list(dict.fromkeys(known[word] for words in near for word in words))[:3]
