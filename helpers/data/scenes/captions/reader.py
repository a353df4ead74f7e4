"""Reading captions of one object, in English or Korean, as people type them: what was understood, and what not.

    reading = read_caption("회색 바탕 왼쪽위 커다란 빨강 원")
    reading.words        each stretch of the text with the factor and the value that it states, or why it states none
    reading.factors()    the row of factors (6,), UNSAID where the caption says nothing; ValueError unless all was
                         understood

Word order is free; particles, spaces and articles may be missing. What a scene cannot show is never guessed at or left
out in silence: an unknown word, a negation, a contradiction, a second object, a gray circle, a red background.
"""

from typing import NamedTuple

import torch

from ..drawing import COLUMNS, FACTORS, ROWS, VALUES
from .draft import Draft, Reading, read_background
from .lexicon import UNSAID, WORDS_BY_KIND

_KNOWN_SHADES = ("only a background is black, gray or white; an object can be red, orange, yellow, green, cyan, blue, "
                 "purple or pink")
PLACE = frozenset(["column", "row", "middle", "place"])
LOOKS = frozenset(["colour", "size"])


def read_caption(text: str) -> Reading:
    """What a caption of one object says; its factors() are a row (6,). ValueError for a text that `typed` refuses."""
    draft = Draft(text)
    row = {"background": read_background(draft)}
    every = range(len(draft.tokens))
    row |= read_looks(draft, every) | read_place(draft, every)
    for i in every:
        if draft.open(i, "relation"):
            draft.wrong[i] = f"{draft.tokens[i].text!r} is said of two objects, and this picture shows one"
    return draft.reading(torch.tensor([row[factor] for factor in FACTORS]))


def read_looks(draft: Draft, part: range | list[int], thing: int = 0) -> dict[str, int]:
    """Shape, colour and size that tokens of one object state; what contradicts an earlier word is flagged."""
    row, first = dict.fromkeys(("shape", "colour", "size"), UNSAID), {}
    for i in part:
        if draft.open(i, "shade"):
            draft.wrong[i] = f"{draft.tokens[i].text!r}: {_KNOWN_SHADES}"
        if draft.open(i, *row):
            token = draft.tokens[i]
            if row[token.role] in (UNSAID, token.value):
                row[token.role] = token.value
                first.setdefault(token.role, token.text)
                draft.said[i] = token.role, VALUES[token.role][token.value], thing
            elif token.role == "shape":
                draft.wrong[i] = f"{token.text!r} is a second object, and this picture shows one"
            else:
                draft.wrong[i] = f"the {token.role} is said twice: {first[token.role]!r} and {token.text!r}"
    return row


def read_place(draft: Draft, part: range | list[int], thing: int = 0) -> dict[str, int]:
    """Column and row that tokens of one object state; a middle is what the other words leave it."""
    row, middles = {"column": UNSAID, "row": UNSAID}, []
    for i in part:
        token = draft.tokens[i]
        if draft.open(i, "middle"):
            middles.append(i)
        elif draft.open(i, "column", "row", "place") and not _means_exactly(draft, i):
            stated = dict(zip(row, token.value, strict=True)) if token.role == "place" else {token.role: token.value}
            if any(row[factor] not in (UNSAID, value) for factor, value in stated.items()):
                draft.wrong[i] = f"{token.text!r} contradicts the place that was named before"
                continue
            row |= stated
            factor = token.role if token.role != "place" else "place"
            draft.said[i] = factor, _place_name(stated), thing
    for i in middles:
        stated = _middle(draft, i, row)
        if stated is None:
            draft.wrong[i] = f"{draft.tokens[i].text!r} contradicts the place that was named before"
        else:
            draft.said[i] = ("place" if len(stated) == 2 else next(iter(stated))), _place_name(stated), thing
    for i in middles:
        row |= _middle(draft, i, row) or {}
    for i in part:
        if draft.open(i, "corner") and UNSAID in row.values():
            draft.wrong[i] = f"which {draft.tokens[i].text}? Say left or right, and top or bottom"
    return row


def _middle(draft: Draft, i: int, row: dict[str, int]) -> dict[str, int] | None:
    """What a middle states beside the column and the row that are known; None if it contradicts them."""
    following = draft.skip(i + 1, 1, frozenset(["silent"]))
    line = draft.tokens[following].text if draft.open(following, "line") else ""
    if line in ("column", "열"):
        stated = {"column": 1}
    elif line:
        stated = {"row": 1}
    else:
        free = [factor for factor in row if row[factor] == UNSAID]
        stated = {factor: 1 for factor in free or [factor for factor in row if row[factor] == 1]}
    return stated if stated and all(row[factor] in (UNSAID, 1) for factor in stated) else None


def _place_name(stated: dict[str, int]) -> str:
    if len(stated) == 2:
        return f"{ROWS[stated['row']]} {COLUMNS[stated['column']]}".replace("middle centre", "centre")
    return next(VALUES[factor][value] for factor, value in stated.items())


def _means_exactly(draft: Draft, i: int) -> bool:
    """Whether "right" is the word of "right in the middle"."""
    token, after, before = draft.tokens[i], draft.tokens[i + 1:i + 2], draft.tokens[max(i - 1, 0):i]
    exactly = token.text == "right" and after and after[0].text in ("in", "at", "on") and not (
        before and (before[0].text in ("the", "to", "far", "on", "at", "-") or before[0].role in ("row", "middle")))
    if exactly:
        draft.glue.add(i)
    return bool(exactly)


# -- several objects -------------------------------------------------------------------------------------------------
#
# Each noun that names a shape is the head of an object. Between two heads the text is cut in one place, and what stands
# before the cut belongs to the first. Of all ways to cut, the one is taken in which no object is contradicted and least
# is missing, in which colours and sizes stand before their nouns, and cuts fall on commas and on words like "and". If
# two ways are as good, the text is ambiguous, and that is said.

_SAME_NOUN = WORDS_BY_KIND["shape"] | {":"}              # between two nouns for one object: star shaped object
_CLOSE = 0.25                                            # costs that differ by less are as good
_MISSING, _CONTRADICTION, _AFTER_NOUN, _SPLIT_PLACE = 10.0, 100.0, 1.0, 3.0


class Part(NamedTuple):
    """The tokens of one object: where its noun stands, and all of them in their order."""

    head: int
    tokens: range


def split_objects(draft: Draft, wanted: tuple[str, ...]) -> list[Part]:
    """The parts of a text that speak of one object each. wanted: the factors that each should have."""
    heads = _heads(draft)
    if len(heads) < 2:
        return [Part(first, range(len(draft.tokens))) for first, _ in heads]
    attributes = LOOKS | PLACE if "column" in wanted else LOOKS
    choices = [_cuts(draft, end, start, attributes) for (_, end), (start, _) in zip(heads, heads[1:], strict=False)]
    ways = [(0.0, (0,))]                                 # (cost, cuts so far): the best two for each last cut
    for (first, _), cuts in zip(heads, [*choices, [(len(draft.tokens), 0.0)]], strict=True):
        longer = {}
        for cut, price in cuts:
            found = [(cost + price + _cost(draft, range(before[-1], cut), first, wanted, attributes), (*before, cut))
                     for cost, before in ways]
            longer[cut] = sorted(found)[:2]
        ways = [way for two in longer.values() for way in two]
    ways.sort()
    if len(ways) > 1 and ways[1][0] - ways[0][0] < _CLOSE:
        draft.lacking.append("it is not clear which words belong to which object: put commas between them")
    cuts = ways[0][1]
    return [Part(first, range(a, b)) for (first, _), a, b in zip(heads, cuts, cuts[1:], strict=False)]


def _heads(draft: Draft) -> list[tuple[int, int]]:
    """(first, last) token of each noun: "star", "star shape", 별 모양의 도형. A shape outranks the word for any."""
    heads = []
    for i, token in enumerate(draft.tokens):
        if not draft.open(i, "shape", "thing"):
            continue
        before = draft.skip(i - 1, -1, frozenset(["silent", "of", "is"]), _SAME_NOUN)
        if heads and heads[-1][1] >= before and "thing" in (token.role, draft.tokens[heads[-1][1]].role):
            first, _ = heads.pop()
            heads.append((first, i))
        elif heads and heads[-1][1] >= before and token.value == draft.tokens[heads[-1][1]].value:
            heads[-1] = heads[-1][0], i
        else:
            heads.append((i, i))
    return heads


def _cuts(draft: Draft, end: int, start: int, attributes: frozenset[str]) -> list[tuple[int, float]]:
    """(where, price): the cuts between a noun that ends at one token and the next, which starts at another."""
    stated = [i for i in range(end + 1, start) if draft.open(i, *attributes, "shade")]
    cuts = []
    for i in [*stated, start]:
        between = draft.tokens[max([end, *[j for j in stated if j < i]]) + 1:i]
        roles = {token.role for token in between}
        clause = any(token.text in WORDS_BY_KIND["clause"] for token in between)
        if clause or roles & ({"stop", "and", "relation"} | PLACE):
            price = 0.0
        else:
            price = 0.3 if "subject" in roles else 0.5 if "at" in roles or roles & {"is", "glue"} else 0.7
        cuts.append((i, price))
    return cuts


def _cost(draft: Draft, part: range, head: int, wanted: tuple[str, ...], attributes: frozenset[str]) -> float:
    """How ill the tokens of a part fit together as one object."""
    cost, values, middles, sides = 0.0, {}, 0, set()
    for i in part:
        token = draft.tokens[i]
        if not draft.open(i, *attributes):
            continue
        if token.role in LOOKS:
            cost += _AFTER_NOUN * (i > head)
        else:
            sides.add(i > head)
        if token.role == "middle":
            middles += 1
            continue
        stated = [(token.role, token.value)]
        if token.role == "place":
            stated = zip(("column", "row"), token.value, strict=True)
        for factor, value in stated:
            cost += _CONTRADICTION * (values.setdefault(factor, value) != value)
    if middles:
        free = [factor for factor in ("column", "row") if factor not in values]
        cost += 0.0 if free else _CONTRADICTION
        values |= dict.fromkeys(free, 1)
    return cost + _MISSING * sum(factor not in values for factor in wanted) + _SPLIT_PLACE * (len(sides) == 2)
