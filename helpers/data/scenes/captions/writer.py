"""Writing captions of tiny scenes in English and Korean, whole or in part: in a fixed pattern, or as people type them.

    en   a big red circle in the top left on a gray background
    ko   회색 배경의 왼쪽 위에 큰 빨간 원이 있다

In the fixed pattern, `caption`, the two languages say the same in another order: background and place come last in
English, first in Korean. `write_captions` draws among orders, words and endings; the pattern is one of the sentences
that it may write. A caption may leave factors out: in a row of factors, UNSAID marks those that it does not mention.
"""

import random
from itertools import product

import torch
from torch import Tensor

from ..drawing import COLUMNS, ROWS, check_factors
from .korean import with_particle
from .lexicon import ANY_SHAPE, EVERY, UNSAID, USUAL, WORDS, check_language


def caption(row: Tensor, language: str = "en") -> str:
    """The sentence for one row of factors (6,) in the fixed pattern. Factors that are UNSAID are left out."""
    check_language(language)
    check_factors(torch.as_tensor(row)[None], lowest=UNSAID)
    _, _, _, column, line, background = (int(value) for value in row)
    thing, place = noun_phrase(row, language), PLACES[language].get((column, line), "")
    ground = "" if background == UNSAID else WORDS[language]["background"][background]
    if language == "en":
        return " ".join(filter(None, [with_article(thing), place, ground and f"on a {ground} background"]))
    ground = ground and f"{ground} 배경" + ("의" if place else "에")
    return " ".join(filter(None, [ground, place, with_particle(thing, "이/가"), "있다"]))


def write_captions(rows: Tensor, generator: torch.Generator, language: str = "en", rare: float = 0.0) -> list[str]:
    """A caption as people type them for each row of factors (n, 6); factors that are UNSAID are left out.

    rare: the share of words that are drawn from all that the reader knows, and not from the usual ones.
    """
    check_factors(rows, lowest=UNSAID)
    writer = Writer(language, generator, rare)
    return [writer.sentence([row[:5]], row[5]) for row in rows.tolist()]


def noun_phrase(row: Tensor, language: str = "en") -> str:
    """Size, colour and shape, the first three factors of a row, without an article: "big red circle"."""
    shape, colour, size = (int(value) for value in row[:3])
    words = WORDS[language]
    return " ".join([words["size"][size]] * (size != UNSAID) + [words["colour"][colour]] * (colour != UNSAID)
                    + [ANY_SHAPE[language] if shape == UNSAID else words["shape"][shape]])


def with_article(phrase: str) -> str:
    """Put "a" or "an" before an English phrase."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def drop_factors(factors: Tensor, generator: torch.Generator, p: float = 0.5) -> Tensor:
    """Factors (n, 6) with each one UNSAID with probability p: the rows of partial captions."""
    return torch.where(torch.rand(factors.shape, generator=generator) < p, UNSAID, factors)


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


# -- as people type ------------------------------------------------------------------------------------------------


class Writer:
    """Draws words and orders. One generator, one series of captions, however many are asked for at a time."""

    def __init__(self, language: str, generator: torch.Generator, rare: float = 0.0):
        check_language(language)
        self.language, self.rare = language, rare
        self.random = random.Random(int(torch.randint(2**62, (), generator=generator)))

    def sentence(self, objects: list[list[int]], background: int) -> str:
        """Objects, five factors each, on a background; what is UNSAID is left out."""
        text = (self.english if self.language == "en" else self.korean)(objects, background)
        text = " ".join(text.split()).replace(" ,", ",")
        return self.finished(text)

    def finished(self, text: str) -> str:
        """With a full stop or without, with capitals or in small letters; Korean also with fewer spaces."""
        chance = self.random.random()
        if self.language == "en":
            text = text[0].upper() + text[1:] if chance < 0.3 else text.upper() if chance < 0.33 else text
        elif chance < 0.08:
            text = text.replace(" ", "")
        elif chance < 0.2:
            text = "".join(c for c in text if c != " " or self.random.random() < 0.6)
        return text + "." * (self.random.random() < 0.25)

    def word(self, role: str, value: int = 0) -> str:
        words = EVERY if self.rare and self.random.random() < self.rare else USUAL
        return self.random.choice(words[self.language][role][value])

    def noun(self, row: list[int]) -> str:
        """Size, colour and shape, at times with the colour first."""
        said = [self.word(role, value) for role, value in (("size", row[2]), ("colour", row[1])) if value != UNSAID]
        if self.random.random() < 0.25:
            said.reverse()
        return " ".join([*said, ANY_SHAPE[self.language] if row[0] == UNSAID else self.word("shape", row[0])])

    # English: every object a noun and a place, in one order or the other; the background before or behind.

    def english(self, objects: list[list[int]], background: int) -> str:
        draw, bare = self.random.random, self.random.random() < 0.2
        nouns = [self.noun(row) if bare else with_article(self.noun(row)) for row in objects]
        places = [self.english_place(*row[3:], bare) for row in objects]
        first = draw() < 0.3                             # places before nouns
        things = [f"{place} {noun}" if first else f"{noun} {place}" for noun, place in zip(nouns, places, strict=True)]
        last = self.random.choice((", ", " and ", ", and ")) if len(things) > 1 else ""
        text = last.join(filter(None, [", ".join(things[:-1]), things[-1]]))
        if draw() < 0.2 and not bare:
            text = f"there {'is' if len(objects) == 1 else 'are'} {text}"
        if background == UNSAID:
            return text
        ground = f"{self.word('shade', background)} {self.word('ground')}"
        if bare:
            return f"{ground}, {text}" if draw() < 0.5 else f"{text}, {ground}"
        if draw() < 0.15 and not text.startswith("there"):
            return f"a {ground} with {text}"
        return f"on a {ground}{self.random.choice((',', ''))} {text}" if draw() < 0.4 else f"{text} on a {ground}"

    def english_place(self, column: int, line: int, bare: bool) -> str:
        if column == line == UNSAID:
            return ""
        if UNSAID in (column, line):
            value, kind = (line, "row") if column == UNSAID else (column, "column")
            word = self.word("middle") if value == 1 else USUAL["en"][kind][value][0]
            short = "" if value == 1 or self.random.random() < 0.4 else "at the " if kind == "row" else "on the "
            return f"{short}{word}" if short else f"in the {word} {kind}"
        if column == line == 1:
            words = self.word("middle")
        else:
            middle = "middle" if line == 1 and self.random.random() < 0.5 else self.word("middle")
            words = f"{middle if line == 1 else self.word('row', line)}{self.random.choice(' -  ')[0]}" \
                    f"{self.word('middle') if column == 1 else self.word('column', column)}"
            words += " corner" * (1 not in (column, line) and self.random.random() < 0.2)
        return words if bare else f"{self.random.choice(('in', 'at'))} the {words}"

    # Korean: place and noun in either order; the background before, behind, or between the first noun and its place.

    def korean(self, objects: list[list[int]], background: int) -> str:
        pick, draw = self.random.choice, self.random.random
        ground = "" if background == UNSAID else f"{self.word('shade', background)} {self.word('ground')}"
        nouns, places = [self.noun(row) for row in objects], [self.korean_place(*row[3:]) for row in objects]
        bare, first = draw() < 0.25, draw() < 0.6       # without particles and verb; places before nouns
        if bare:
            things = [f"{place} {noun}" if first else f"{noun} {place}"
                      for noun, place in zip(nouns, places, strict=True)]
            text = ", ".join(things)
            return pick((f"{ground}{pick((' ', ', '))}{text}", f"{text}, {ground}")) if ground else text
        subject = pick(("이/가", "이/가", "은/는"))
        nouns = [with_particle(noun, subject) for noun in nouns]
        places = [place and place + "에" for place in places]
        links = ["" if first else pick(("", " 있고"))] * (len(nouns) - 1) + [""]
        things = [f"{place} {noun}" if first else f"{noun} {place}{link}"
                  for noun, place, link in zip(nouns, places, links, strict=True)]
        text, verb = ", ".join(things), pick(("있다", "있습니다", "있어요", ""))
        if not ground:
            return f"{text} {verb}"
        if not first and places[0] and draw() < 0.4:     # 큰 빨간 원이 회색 배경의 왼쪽 위에
            return f"{nouns[0]} {ground}의 {text.removeprefix(nouns[0])} {verb}"
        if draw() < 0.25:
            return f"{text} 있는 {ground}"
        if draw() < 0.15:
            shade = USUAL["ko"]["shade"][background][-1]
            return f"{with_particle(self.word('ground'), '은/는')} {shade}이고 {text} {verb}"
        follows = "의" if first and places[0] else pick(("에", "에는"))
        return f"{ground}{follows}{pick((',', '', ''))} {text} {verb}"

    def korean_place(self, column: int, line: int) -> str:
        if column == line == UNSAID:
            return ""
        if column == UNSAID:
            return self.random.choice((("위쪽", "상단", "윗줄"), ("가운뎃줄",), ("아래쪽", "하단", "아랫줄"))[line])
        if line == UNSAID:
            return f"{USUAL['ko']['middle'][0][0] if column == 1 else self.word('column', column)} 열"
        if column == line == 1:
            return self.random.choice(("한가운데", "정중앙", *USUAL["ko"]["middle"][0]))
        words = [self.word("middle") if value == 1 else self.word(role, value)
                 for role, value in (("column", column), ("row", line))]
        return " ".join(words if self.random.random() < 0.7 else reversed(words))
