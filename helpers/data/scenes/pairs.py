"""Scenes of two small objects, to test whether each attribute stays with its object, and relations.

    en   a red circle left of a blue square on a gray background
    ko   회색 배경에서 빨간 원이 파란 사각형의 왼쪽에 있다

The objects always differ in shape and in colour: to swap either one makes another picture. Their places never
overlap. The same scene can be told from either end, and `canonical` picks one way: left of, or above.
"""

import torch
from torch import Tensor

from .captions.draft import Draft, Reading, read_background
from .captions.korean import with_particle
from .captions.lexicon import UNSAID, WORDS, check_language
from .captions.reader import PLACE, Part, read_looks, split_objects
from .captions.writer import Writer, noun_phrase, with_article
from .drawing import BACKGROUNDS, COLOURS, SHAPES, SIZE, check_factors, draw_objects, pairings
from .judge import FAULTS
from .parser import Parsed, check_images, parse, two_colours

RELATIONS = ("left of", "right of", "above", "below")
PAIR_VALUES = {"shape": SHAPES, "colour": COLOURS, "relation": RELATIONS,
               "other shape": SHAPES, "other colour": COLOURS, "background": BACKGROUNDS}
PAIR_FACTORS = tuple(PAIR_VALUES)

_KOREAN_RELATIONS = ("왼쪽", "오른쪽", "위", "아래")

def sample_pairs(n: int, generator: torch.Generator, split: str = "train") -> Tensor:
    """Draw n rows of pair factors (n, 6), uniformly over what the split allows, which holds for both objects.

    split: "train" (no held-out pairing of shape and colour), "held_out" (those only) or "all".
    """
    allowed = pairings(split)
    both = [(*a, *b) for a in allowed.tolist() for b in allowed.tolist() if a[0] != b[0] and a[1] != b[1]]
    both = torch.tensor(both)
    both = both[torch.randint(len(both), (n,), generator=generator)]
    relation = torch.randint(len(RELATIONS), (n, 1), generator=generator)
    background = torch.randint(len(BACKGROUNDS), (n, 1), generator=generator)
    return torch.cat([both[:, :2], relation, both[:, 2:], background], 1)


def draw_pairs(pairs: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw pictures (n, 3, 32, 32) in [-1, 1] of pair factors (n, 6).

    generator: draws where the two stand together, and their radii and positions; None takes the middle.
    """
    return draw_objects(pair_objects(pairs, generator), pairs[:, 5], generator)


def pair_objects(pairs: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """The two objects (n, 2, 5) of pair factors (n, 6), both small. generator: as in `draw_pairs`."""
    check_factors(pairs, PAIR_VALUES)
    n, first = len(pairs), (pairs[:, 2] % 2) * 2                 # cell of the first object: 0 left of, above
    if generator is None:
        across = torch.ones(n, dtype=torch.long)
    else:
        across = torch.randint(3, (n,), generator=generator)
    along = torch.stack([first, 2 - first], 1)                   # (n, 2)
    across = across.to(pairs.device)[:, None].expand(n, 2)
    upright = (pairs[:, 2] >= 2)[:, None]
    place = torch.stack([torch.where(upright, across, along), torch.where(upright, along, across)], 2)
    looks = pairs[:, [0, 1, 3, 4]].view(n, 2, 2)                 # shape and colour of the two
    return torch.cat([looks, torch.zeros_like(looks[..., :1]), place], 2)


def make_pairs(n: int, seed: int, split: str = "train") -> tuple[Tensor, Tensor]:
    """n pictures of two objects and their pair factors (n, 6). The same seed gives the same bytes."""
    generator = torch.Generator().manual_seed(seed)
    pairs = sample_pairs(n, generator, split)
    return draw_pairs(pairs, generator), pairs


def canonical(pairs: Tensor) -> Tensor:
    """Scenes (n, 6) told with "left of" or "above" only: rows that mean the same become equal."""
    swapped = pairs[:, [3, 4, 2, 0, 1, 5]] - torch.tensor([0, 0, 1, 0, 0, 0], device=pairs.device)
    return torch.where((pairs[:, 2] % 2 == 1)[:, None], swapped, pairs)      # "right of" and "below" are odd


def parse_pairs(images: Tensor) -> Parsed:
    """Read the pair factors, in canonical form, of pictures (n, 3, 32, 32) in [-1, 1].

    A cut down the middle, or across, leaves each half a scene of one object: the cut that fewer colours cross, and
    that has an object on either side. A picture is valid if both halves are, and both objects are small and stand
    where `draw_pairs` puts them.
    """
    check_images(images)
    background = two_colours(images.float())[0][:, :, None, None]
    ink = (images - background).square().sum(1)                              # (n, 32, 32)
    half = SIZE // 2
    upright = _score(ink, 1, half) > _score(ink, 2, half)                    # one above the other
    first = torch.arange(SIZE, device=images.device) < half
    part = torch.where(upright[:, None, None], first[:, None], first)[:, None]
    a, b = (parse(torch.where(kept, images, background)) for kept in (part, ~part))
    relation = torch.where(upright, 2, 0)[:, None]
    factors = torch.cat([a.factors[:, :2], relation, b.factors[:, :2], a.factors[:, 5:]], 1)
    along, across = (torch.stack([x.factors[:, [3, 4]].gather(1, axis[:, None])[:, 0] for x in (a, b)], 1)
                     for axis in (upright.long(), 1 - upright.long()))       # (n, 2) each
    apart = (along == along.new_tensor([0, 2])).all(1) & (across[:, 0] == across[:, 1])
    small = (a.factors[:, 2] == 0) & (b.factors[:, 2] == 0)
    fault = torch.where(a.fault > 0, a.fault, b.fault)
    fault = torch.where((fault == 0) & ~small, FAULTS.index("too big"), fault)
    fault = torch.where((fault == 0) & ~apart, FAULTS.index("no such relation"), fault)
    return Parsed(factors, fault, a.nameable & b.nameable & apart)


def _score(ink: Tensor, axis: int, half: int) -> Tensor:
    """How well a cut across an axis parts two objects (n,): the ink of the emptier side, less that on the cut."""
    lines = ink.sum(3 - axis)                                                # (n, 32)
    return torch.minimum(lines[:, :half].sum(1), lines[:, half:].sum(1)) - 8 * lines[:, half - 1:half + 1].sum(1)


def pair_caption(row: Tensor, language: str = "en") -> str:
    """The sentence for one row of pair factors (6,) in the fixed pattern. Colours and a background that are UNSAID are left out."""
    check_language(language)
    check_factors(torch.as_tensor(row)[None], PAIR_VALUES, lowest=UNSAID)
    shape, colour, relation, other_shape, other_colour, background = (int(value) for value in row)
    thing = noun_phrase((shape, colour, UNSAID), language)
    other = noun_phrase((other_shape, other_colour, UNSAID), language)
    ground = "" if background == UNSAID else WORDS[language]["background"][background]
    if language == "en":
        return f"{with_article(thing)} {RELATIONS[relation]} {with_article(other)}" + f" on a {ground} background" * bool(ground)
    return f"{ground} 배경에서 " * bool(ground) + f"{with_particle(thing, '이/가')} {other}의 {_KOREAN_RELATIONS[relation]}에 있다"


def write_pair_captions(pairs: Tensor, generator: torch.Generator, language: str = "en") -> list[str]:
    """A caption as people type them for each row of pair factors (n, 6). Colours and backgrounds may be UNSAID, shapes too;
    the relation may not."""
    check_factors(pairs, PAIR_VALUES, lowest=UNSAID)
    check_factors(pairs[:, 2:3], {"relation": RELATIONS})
    writer = Writer(language, generator)
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
    text = pick((f"{subject} {other}의 {word}에{verb}", f"{other}{pick(('의', ''))} {word}에 {with_particle(thing, '이/가')}{verb}",
                 f"{other} {word}에 {thing}"))
    return f"{ground}{pick(('에서', '에'))} {text}" if ground else text


# -- reading -------------------------------------------------------------------------------------------------------


def read_pair_caption(text: str) -> Reading:
    """What a caption of two objects says; its factors() are a row of pair factors (6,), UNSAID for a colour or background that
    it does not name. The object that stands somewhere is the first, the one that it is seen from the other."""
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
            draft.wrong[i] = f"{draft.said.pop(i) and draft.tokens[i].text!r}: two objects are always small, so leave the size out"
    looks = (looks + [{}, {}])[:2]
    one, other = ((look.get("shape", UNSAID), look.get("colour", UNSAID)) for look in (looks[first], looks[1 - first]))
    return draft.reading(torch.tensor([*one, relation, *other, background]))


def _read_relation(draft: Draft, parts: list[Part]) -> tuple[int, int]:
    """Which of two objects, 0 or 1, stands where as seen from the other; the words are marked. UNSAID if it is not clear."""
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
