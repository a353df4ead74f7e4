"""Captions of two objects in English and Korean: written in one fixed pattern or as people type them, and read.

    en   a red circle left of a blue square on a gray background
    ko   회색 배경에서 빨간 원이 파란 사각형의 왼쪽에 있다

One object is said to stand somewhere, seen from the other: the first and the second of the pair factors of `pairs`.
"""

import torch
from torch import Tensor

from .captions.draft import Draft, Reading, read_background
from .captions.korean import with_particle
from .captions.lexicon import UNSAID, WORDS, check_language
from .captions.reader import PLACE, Part, read_looks, split_objects
from .captions.writer import Writer, noun_phrase, with_article
from .drawing import check_factors
from .pairs import PAIR_VALUES, RELATIONS

_KOREAN_RELATIONS = ("왼쪽", "오른쪽", "위", "아래")


def pair_caption(row: Tensor, language: str = "en") -> str:
    """The sentence for one row of pair factors (6,) in the fixed pattern.

    Colours and a background that are UNSAID are left out, and a shape that is becomes the word for any.
    """
    check_language(language)
    check_factors(torch.as_tensor(row)[None], PAIR_VALUES, lowest=UNSAID)
    shape, colour, relation, other_shape, other_colour, background = (int(value) for value in row)
    thing = noun_phrase((shape, colour, UNSAID), language)
    other = noun_phrase((other_shape, other_colour, UNSAID), language)
    ground = "" if background == UNSAID else WORDS[language]["background"][background]
    if language == "en":
        text = f"{with_article(thing)} {RELATIONS[relation]} {with_article(other)}"
        return f"{text} on a {ground} background" if ground else text
    text = f"{with_particle(thing, '이/가')} {other}의 {_KOREAN_RELATIONS[relation]}에 있다"
    return f"{ground} 배경에서 {text}" if ground else text


def write_pair_captions(pairs: Tensor, generator: torch.Generator, language: str = "en",
                        rare: float = 0.0) -> list[str]:
    """A caption as people type them for each row of pair factors (n, 6); rare: as in `write_captions`.

    Shapes, colours and backgrounds may be UNSAID, the relation may not: ValueError.
    """
    check_factors(pairs, PAIR_VALUES, lowest=UNSAID)
    check_factors(pairs[:, 2:3], {"relation": RELATIONS})
    writer = Writer(language, generator, rare)
    return [writer.finished(_told(writer, row)) for row in pairs.tolist()]


def _told(writer: Writer, row: list[int]) -> str:
    shape, colour, relation, other_shape, other_colour, background = row
    pick, english = writer.random.choice, writer.language == "en"
    thing, other = writer.noun([shape, colour, UNSAID]), writer.noun([other_shape, other_colour, UNSAID])
    ground = "" if background == UNSAID else f"{writer.word('shade', background)} {writer.word('ground')}"
    if english:
        thing, other, word = with_article(thing), with_article(other), writer.word("relation", relation)
        text = pick((f"{thing} {word} {other}", f"there is {thing} {word} {other}", f"{word} {other} there is {thing}"))
        return pick((f"on a {ground}, {text}", f"{text} on a {ground}")) if ground else text
    verb, word = pick((" 있다", " 있습니다", " 있어요", "")), _KOREAN_RELATIONS[relation]
    subject = with_particle(thing, pick(("이/가", "은/는")))
    text = pick((f"{subject} {other}의 {word}에{verb}",
                 f"{other}{pick(('의', ''))} {word}에 {with_particle(thing, '이/가')}{verb}",
                 f"{other} {word}에 {thing}"))
    return f"{ground}{pick(('에서', '에'))} {text}" if ground else text


# -- reading -------------------------------------------------------------------------------------------------------


def read_pair_caption(text: str) -> Reading:
    """What a caption of two objects says; its factors() are a row of pair factors (6,), UNSAID where it names nothing.

    The object that stands somewhere is the first, the one that it is seen from the second. ValueError for a text that
    `typed` refuses.
    """
    draft = Draft(text)
    background = read_background(draft)
    parts = split_objects(draft, ())
    if len(parts) != 2:
        draft.lacking.append(f"this speaks of {len(parts) or 'no'} object{'s' * (len(parts) > 1)}, and two are asked: "
                             "write something like 'a red circle left of a blue square'")
    looks = [read_looks(draft, part.tokens, number) for number, part in enumerate(parts)]
    first, relation = _read_relation(draft, parts) if len(parts) == 2 else (0, UNSAID)
    for i in range(len(draft.tokens)):
        if draft.open(i, *PLACE, "corner", "relation"):
            draft.wrong[i] = f"{draft.tokens[i].text!r}: of two objects only where one is beside the other is said"
        if draft.said.get(i, ("",))[0] == "size":
            del draft.said[i]
            draft.wrong[i] = f"{draft.tokens[i].text!r}: two objects are always small, so leave the size out"
    looks = (looks + [{}, {}])[:2]
    one, other = ((look.get("shape", UNSAID), look.get("colour", UNSAID)) for look in (looks[first], looks[1 - first]))
    return draft.reading(torch.tensor([*one, relation, *other, background]))


def _read_relation(draft: Draft, parts: list[Part]) -> tuple[int, int]:
    """Which of two objects, 0 or 1, stands where as seen from the other, or UNSAID if that is not clear.

    The words that say it are marked.
    """
    found = []
    for i, token in enumerate(draft.tokens):
        if draft.open(i, "column", "row", "relation") and not (token.role != "relation" and token.value == 1):
            found.append((i, token.value if token.role == "relation" else token.value // 2 + 2 * (token.role == "row")))
    if len(found) == 1:
        (i, relation), = found
        korean = "가" <= draft.tokens[i].text[-1] <= "힣"
        first = (_korean_figure if korean else _english_figure)(draft, i, [part.head for part in parts])
    elif len(found) == 2 and found[0][1] == found[1][1] ^ 1 and _take_turns(found, parts):
        first, relation = 0, found[0][1]                 # one on the left, the other on the right
    else:
        draft.lacking.append("where do the two stand? Say it once: left of, right of, above or below")
        return 0, UNSAID
    for i, value in found:
        draft.said[i] = "relation", RELATIONS[value], -1
    return first, relation


def _take_turns(found: list[tuple[int, int]], parts: list[Part]) -> bool:
    """Whether words of place and nouns alternate."""
    (a, _), (b, _) = found
    return a < parts[0].head < b < parts[1].head or parts[0].head < a < parts[1].head < b


def _korean_figure(draft: Draft, i: int, heads: list[int]) -> int:
    """The object that 왼쪽 is said of. A noun right before it is what it is seen from: 원의 왼쪽에, 원 왼쪽에."""
    before = draft.skip(i - 1, -1, frozenset(["of", "silent", "glue"]))
    if before in heads:
        return 1 - heads.index(before)
    return max(sum(head < i for head in heads) - 1, 0)   # 원이 왼쪽에; 왼쪽에 원이


def _english_figure(draft: Draft, i: int, heads: list[int]) -> int:
    """The object that "left" is said of: before "left of", after "on its left"."""
    tokens = draft.tokens
    around = {token.text for token in tokens[max(i - 2, 0):i + 3]}
    passed = sum(head < i for head in heads)
    towards = tokens[i].role == "relation" or tokens[i + 1:i + 2] and tokens[i + 1].text in ("of", "from")
    if passed == 2 or passed == 1 and around & {"it", "its"}:
        return 1                                         # a circle with a square above; a circle, below it a square
    if passed == 0:
        return int(bool(towards) and tokens[i + 1].role != "stop")
    apart = [token.role in ("stop", "and", "with") for token in (*tokens[heads[0]:i], *tokens[i:heads[1]])]
    before, after = any(apart[:i - heads[0]]), any(apart[i - heads[0]:])
    return int(not towards and before and not after)     # a circle, on the left a square
