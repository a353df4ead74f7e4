"""Sentences about one to five objects at different places, as data for translation.

    en   a big red circle in the top left, a small blue star in the centre and a big green square in the bottom
         right on a gray background
    ko   회색 배경의 왼쪽 위에 큰 빨간 원이, 한가운데에 작은 파란 별이, 오른쪽 아래에 큰 초록색 사각형이 있다

The objects come in the same order in both languages, but inside each the place is last in English and first in
Korean, and so is the background in the sentence: the order of words differs in two nested ways. Each sentence is
known three times over: as text, as ids (`crowd_batch`), and word for word (`alignments`).

    objects     (n, k, 5) int64  shape, colour, size, column, row; rows of UNSAID after the last object
    background  (n,) int64
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from ..text import BOS, EOS, MARK, PAD, SPECIALS, Tokenizer, pad
from .captions.draft import Draft, Reading, read_background
from .captions.korean import with_particle
from .captions.lexicon import UNSAID, USUAL, WORDS, check_language
from .captions.reader import read_looks, read_place, split_objects
from .captions.writer import PLACES, Writer, noun_phrase, with_article
from .crowd_sampling import MOST, sample_crowd  # noqa: F401 (the scenes that these sentences tell)
from .drawing import BACKGROUNDS, COLUMNS, FACTORS, ROWS, VALUES, check_factors

NONE = -1                                                # no counterpart
_VALUES = {name: VALUES[name] for name in FACTORS[:5]}
_SEPARATORS = {"en": (", ", " and "), "ko": (", ", ", ")}    # between objects, and before the last
_GROUND = {"en": "background", "ko": "배경"}
_PLACE_WORDS = {"en": (*ROWS, *COLUMNS), "ko": "왼쪽 오른쪽 위 아래 위쪽 아래쪽 가운데 한가운데".split()}


def _vocabulary(language: str, pieces: str, words: str) -> tuple[str, ...]:
    named = [word for names in WORDS[language].values() for word in names]
    words = [*words.split(), _GROUND[language], *_PLACE_WORDS[language], *named]
    return *SPECIALS, *pieces.split(), *(MARK + word for word in words)


# Tokens for helpers.data.text.Tokenizer: all that these sentences need, and no other. Not "an", which no size asks for,
# nor 가, which no shape asks for: a token that no sentence teaches would be translated by chance, not be unknown.
ENGLISH, KOREAN = _vocabulary("en", ",", "a in the on and"), _vocabulary("ko", ", 의 에 이", "있다")
VOCABULARIES = {"en": ENGLISH, "ko": KOREAN}

# What `write_crowd_captions` needs in Korean, whatever it draws.
_USUAL = [word for role in ("shape", "colour", "size", "shade", "column", "row", "middle", "ground")
          for words in USUAL["ko"][role] for word in words]
KOREAN_AS_TYPED = (*SPECIALS, *", . 의 에 이 가 은 는 이고".split(),
                   *(MARK + word for word in [*_USUAL, *"한가운데 정중앙 있다 있습니다 있어요 있고 있는".split()]))


def crowd_caption(objects: Tensor, background: int, language: str = "en") -> str:
    """The sentence for objects (k, 5), in their order, on a background. Rows of UNSAID at the end are left out.

    Raises ValueError where there is no object, or where a factor is no index into its names.
    """
    check_language(language)
    _check(objects[None], torch.tensor([background := int(background)]))
    said = [_phrase(row, language) for row in objects.tolist() if row[0] != UNSAID]
    comma, last = _SEPARATORS[language]
    before, after = _frame(background, language)
    return f"{before} {last.join(filter(None, [comma.join(said[:-1]), said[-1]]))} {after}".strip()


def crowd_batch(objects: Tensor, background: Tensor, source: str = "ko", target: str = "en") -> tuple[Tensor, Tensor]:
    """The sentences of objects (n, k, 5) on background (n,) as ids: src (n, S), tgt (n, T), padded.

    Equal to `source_batch` and `target_batch` of helpers.data.text for the captions in the two languages and the
    vocabularies ENGLISH and KOREAN, but looked up in tables: a fresh batch for every step costs next to nothing.
    """
    src, tgt = (_sentences(objects, background, language)[..., 0] for language in (source, target))
    return src, F.pad(tgt, (1, 0), value=BOS)


def alignments(objects: Tensor, background: Tensor, source: str = "ko", target: str = "en") -> Tensor:
    """For each target token, the index of the source token that it translates (n, T), or NONE.

    Columns count like those of `crowd_batch`: of src, and of tgt without its BOS, that is, the decoder's steps.
    Sizes, colours, shapes and backgrounds have a counterpart, the word background too, and so do the words of a
    place: top 위, left 왼쪽, centre 가운데; for the middle of the picture, centre 한가운데. Articles, prepositions,
    particles, commas, "and", 있다, EOS and PAD have none.
    """
    here, there = (_sentences(objects, background, language)[..., 1] for language in (target, source))
    same = (here[:, :, None] == there[:, None, :]) & (here[:, :, None] != NONE)          # (n, T, S)
    return torch.where(same.any(2), same.int().argmax(2), NONE)


def alignment(objects: Tensor, background: int, source: str = "ko", target: str = "en") -> list[int]:
    """`alignments` for the tokens of one sentence about objects (k, 5), without EOS."""
    return alignments(objects[None], torch.tensor([int(background)]), source, target)[0, :-1].tolist()


def write_crowd_captions(objects: Tensor, background: Tensor, generator: torch.Generator, language: str = "en"
                         ) -> list[str]:
    """A sentence as people type them for each scene: objects (n, k, 5), in their order, on background (n,)."""
    _check(objects, background)
    writer = Writer(language, generator)
    scenes = zip(objects.tolist(), background.tolist(), strict=True)
    return [writer.sentence([row for row in rows if row[0] != UNSAID], ground) for rows, ground in scenes]


def read_crowd_caption(text: str) -> Reading:
    """What a sentence about one to five objects says: factors() are the objects (k, 5), in order, and the background.

    Every object has to have all its factors, and the sentence a background: it is to be translated, and nothing may be
    made up.
    """
    draft = Draft(text)
    background, rows = read_background(draft), []
    for number, part in enumerate(split_objects(draft, tuple(_VALUES))):
        row = read_looks(draft, part.tokens, number) | read_place(draft, part.tokens, number)
        rows.append([row[name] for name in _VALUES])
        missing = [name for name in _VALUES if row[name] == UNSAID]
        if missing:
            noun = draft.tokens[part.head].text
            draft.lacking.append(f"object {number + 1} ({noun}) has no {' and no '.join(missing)}")
    if background == UNSAID:
        draft.lacking.append("the sentence names no background")
    if not 1 <= len(rows) <= MOST:
        draft.lacking.append(f"the sentence speaks of {len(rows) or 'no'} objects, and 1 to {MOST} are asked")
    return draft.reading((torch.tensor(rows).view(-1, 5), background))


def _check(objects: Tensor, background: Tensor) -> None:
    """Raise ValueError unless objects (n, k, 5) and background (n,) are scenes that can be told."""
    if objects.ndim != 3 or objects.shape[2] != 5 or background.shape != objects.shape[:1]:
        raise ValueError(f"objects must be (n, k, 5) and background (n,); got {tuple(objects.shape)} and "
                         f"{tuple(background.shape)}")
    check_factors(background[:, None], {"background": BACKGROUNDS})
    absent = (objects == UNSAID).all(2)
    check_factors(objects[~absent], _VALUES)
    if not objects.numel() or absent[:, 0].any() or (absent[:, :-1] & ~absent[:, 1:]).any():
        raise ValueError("each scene needs an object, and rows of UNSAID only after its last one")


def _phrase(row: Sequence[int], language: str) -> str:
    """What a sentence says about one object (5,): "a big red circle in the top left", "왼쪽 위에 큰 빨간 원이"."""
    thing, place = noun_phrase(row, language), PLACES[language][tuple(row[3:])]
    return f"{with_article(thing)} {place}" if language == "en" else f"{place} {with_particle(thing, '이/가')}"


def _frame(background: int, language: str) -> tuple[str, str]:
    """What a sentence says before its objects and after them."""
    ground = WORDS[language]["background"][background]
    return ("", f"on a {ground} background") if language == "en" else (f"{ground} 배경의", "있다")


# -- the same by table lookup ----------------------------------------------------------------------
#
# A sentence is put together from phrases, and so are its ids: each phrase is tokenized once, when first needed. Beside
# each id stands a *role*, which says what the token is about: one of the object's five factors, 0 to 4, the colour of
# the background, 5, or the word background, 6; NONE for the rest.


def _sentences(objects: Tensor, background: Tensor, language: str) -> Tensor:
    """(id, role) of each token (n, L, 2), with EOS. Here factor f of object i has role 7 i + f."""
    check_language(language)
    _check(objects, background)
    n, position = len(objects), torch.arange(objects.shape[1])
    things, separators, before, after = _tables(language)
    present = objects[..., 0] != UNSAID                                                  # (n, k)
    number = (objects * torch.tensor([144, 18, 9, 3, 1])).sum(2).where(present, -1)      # as _tables counts them
    said = things[number]                                                                # (n, k, L, 2)
    said[..., 1] += 7 * position[:, None] * (said[..., 1] != NONE)
    last = position == present.sum(1, keepdim=True) - 1
    separator = (1 + last.long()) * (present & (position > 0))                           # none, comma, the last
    middle = torch.cat([separators[separator], said], 2).flatten(1, 2)
    end = torch.tensor([EOS, NONE]).expand(n, 1, 2)
    tokens = torch.cat([before[background], middle, after[background], end], 1)
    empty = tokens[..., 0] == PAD                                # moved behind the tokens, which keep their order
    order = empty.int().argsort(dim=1, stable=True)[:, : int((~empty).sum(1).max())]
    return tokens.gather(1, order[..., None].expand(-1, -1, 2))


@cache
def _tables(language: str) -> list[Tensor]:
    """(id, role) of the tokens of every phrase, (m, L, 2) each.

    The objects in the order of their five factors, then no object; no separator, then the two; what the sentence
    says before its objects and after them, for each background.
    """
    rows = list(product(*(range(len(names)) for names in _VALUES.values())))
    frames = [_frame(ground, language) for ground in range(len(BACKGROUNDS))]
    before, after = zip(*frames, strict=True)
    tables = [_table(texts, language) for texts in (("", *_SEPARATORS[language]), before, after)]
    return [_table([*(_phrase(row, language) for row in rows), ""], language), *tables]


def _table(texts: Sequence[str], language: str) -> Tensor:
    tokenizer = Tokenizer(VOCABULARIES[language])
    ids = pad(tokenizer.encode(text) for text in texts)
    roles = pad([1 + role for role in _roles(tokenizer.tokens(text), language)] for text in texts) - 1
    return torch.stack([ids, roles], 2)


def _roles(tokens: Sequence[str], language: str) -> list[int]:
    words = [token.removeprefix(MARK) for token in tokens]
    place = [word for word in words if word in _PLACE_WORDS[language]]
    # 왼쪽 위 says the column first; "top left" and 위쪽 가운데 the row. One word, centre or 한가운데, counts as row.
    factors = (3, 4) if place[:1] in (["왼쪽"], ["오른쪽"]) else (4, 3)
    roles = {word: FACTORS.index(factor) for factor, named in WORDS[language].items() for word in named}
    roles |= dict(zip(place, factors, strict=False)) | {_GROUND[language]: 6}
    return [roles.get(word, NONE) for word in words]
