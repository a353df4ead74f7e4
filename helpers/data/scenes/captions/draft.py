"""A caption taken word by word: what has been made of each word so far, and what is said of the picture as a whole.

A `Draft` starts with the tokens of a text, and flags what no picture shows: unknown words, denials, numbers of
objects. Then the background takes its words, here, and each object its own, in `reader`. What is left over holds the
sentence together. A finished draft is a `Reading`.
"""

from dataclasses import dataclass, field

from ..drawing import VALUES
from .lexicon import UNSAID, WORDS_BY_KIND
from .words import Word, as_read, nearest, scan

EMPTY = "this says nothing about a picture: write something like 'a big red circle in the top left'"
LEFT_OVER = "has no place in what was understood of this caption"
DENIED = "a picture shows what is there: say that instead of what is not"


@dataclass(frozen=True)
class Reading:
    """What was made of a text, which stands here as it was read: without invisible characters, in small letters."""

    text: str
    words: tuple[Word, ...]
    lacking: tuple[str, ...]                             # what the text as a whole does not say, but had to
    found: object = field(repr=False)                    # the factors, as far as they were understood

    @property
    def problems(self) -> list[str]:
        """Why the text cannot be taken at its word, a sentence for each reason; empty if it can.

        Words that are only left over, because another was not understood, come last.
        """
        found = dict.fromkeys([*(word.problem for word in self.words if word.problem), *self.lacking])
        return sorted(found, key=lambda problem: problem.endswith(LEFT_OVER))

    def factors(self):
        """What the text states; ValueError, with the first problem, unless all of it was understood."""
        if self.problems:
            raise ValueError(self.problems[0])
        return self.found

    def order(self) -> tuple[str, ...]:
        """The factors in the order in which they are said, "place" for column and row."""
        said = [{"column": "place", "row": "place"}.get(word.factor, word.factor) for word in self.words if word.factor]
        return tuple(factor for before, factor in zip(["", *said], said, strict=False) if factor != before)


class Draft:
    """Tokens of a text, and what has been made of each so far."""

    def __init__(self, text: str):
        self.text = as_read(text)
        self.tokens = scan(self.text)
        self.said, self.wrong, self.lacking = {}, {}, []  # token -> (factor, value, thing); token -> problem
        self.glue = set()                                # tokens that turned out to state nothing
        _flag_what_is_no_statement(self)
        _settle_tints(self)

    def open(self, i: int, *roles: str) -> bool:
        """Whether token i exists, has one of the roles, and nothing has been made of it yet."""
        fresh = 0 <= i < len(self.tokens) and i not in self.said and i not in self.wrong and i not in self.glue
        return fresh and self.tokens[i].role in roles

    def skip(self, i: int, step: int, roles: frozenset[str], texts: frozenset[str] = frozenset()) -> int:
        """The first token from i on, in steps of 1 or -1, whose role and text are not among these."""
        while 0 <= i < len(self.tokens) and (
                self.tokens[i].role in roles or self.tokens[i].text in texts or i in self.glue):
            i += step
        return i

    def reading(self, found: object) -> Reading:
        words = []
        for i, token in enumerate(self.tokens):
            if self.open(i, "shape", "colour", "size", "shade", "row", "column", "place", "middle", "relation"):
                self.wrong[i] = f"{token.text!r} {LEFT_OVER}"
            factor, value, thing = self.said.get(i, ("", "", -1))
            words.append(Word(token.start, token.end, token.text, factor, value, thing, self.wrong.get(i, "")))
        if not words or not (self.said or self.wrong or any(token.role == "thing" for token in self.tokens)):
            self.lacking.append(EMPTY)
        return Reading(self.text, tuple(words), tuple(self.lacking), found)


# -- the background ------------------------------------------------------------------------------------------------

# Words that may stand between a ground and its colour, or between "on" and either of them.
_BEFORE_GROUND = WORDS_BY_KIND["plain"] | WORDS_BY_KIND["colour"] | frozenset("의 인 된 -".split())
_AFTER_GROUND = frozenset(": = of in 색 색깔 색상 로 으로".split())
_BETWEEN_ON = WORDS_BY_KIND["plain"] | frozenset("a an the all".split())


def read_background(draft: Draft) -> int:
    """The background that the text states, or UNSAID. Each word for it finds its colour beside it."""
    _settle_on(draft)
    found = []
    for i in range(len(draft.tokens)):
        if draft.open(i, "ground", "picture"):
            j = _colour_of_ground(draft, i)
            if j is not None:
                found.append(j)
            _settle_on_ground(draft, i, j)
        elif draft.open(i, "shade", "colour") and i not in found and _stands_for_ground(draft, i):
            found.append(i)
    value = UNSAID
    for i in found or _alone(draft):
        token = draft.tokens[i]
        if token.role == "colour":
            draft.wrong[i] = f"{token.text!r} is no background: it can be black, gray or white"
        elif value in (UNSAID, token.value):
            value, draft.said[i] = token.value, ("background", VALUES["background"][token.value], -1)
        else:
            draft.wrong[i] = "the background is said twice, and not the same"
    return value


def _colour_of_ground(draft: Draft, i: int) -> int | None:
    """The token that says how the ground of token i looks: gray background, 배경은 회색. None if none does."""
    left = draft.skip(i - 1, -1, frozenset(["silent", "tint"]), _BEFORE_GROUND)
    right = draft.skip(i + 1, 1, frozenset(["is", "subject", "silent", "tint"]), _AFTER_GROUND)
    linked = any(t.role in ("is", "subject") or t.text in _AFTER_GROUND for t in draft.tokens[i + 1:right])
    if draft.open(left, "shade"):
        return left
    if draft.open(right, "shade") and (linked or not _describes_object(draft, right)):
        return right
    if draft.open(left, "colour"):
        return left
    ground = draft.tokens[i].role == "ground"
    if draft.open(right, "colour") and ground and (linked or not _describes_object(draft, right)):
        return right
    return None


def _describes_object(draft: Draft, i: int) -> bool:
    """Whether the colour of token i stands before a noun that has no other colour: gray big circle."""
    following = draft.skip(i + 1, 1, frozenset(["silent", "size", "tint"]), _BEFORE_GROUND)
    return draft.open(following, "shape", "thing")


def _stands_for_ground(draft: Draft, i: int) -> bool:
    """Whether a colour alone means the ground: on white, 흰색 위에, 흰색에."""
    before = draft.skip(i - 1, -1, frozenset(["tint"]), _BETWEEN_ON)
    if draft.open(before, "on") and not _describes_object(draft, i):
        return True
    after = draft.skip(i + 1, 1, frozenset(), frozenset(["색"]))
    if draft.tokens[i].role == "colour" or not after < len(draft.tokens):
        return False
    following = draft.tokens[after + 1:after + 2]
    if draft.tokens[after].text == "위" and following and following[0].role in ("at", "of"):
        draft.glue.add(after)
        return True
    return draft.tokens[after].role == "at"


def _alone(draft: Draft) -> list[int]:
    """A shade between two marks, where the object has a colour of its own: "a red star, top left, black"."""
    ends = [i for i, token in enumerate(draft.tokens) if token.role == "stop"] + [-1, len(draft.tokens)]
    shades = [i for i, token in enumerate(draft.tokens) if draft.open(i, "shade")]
    coloured = any(token.role == "colour" for token in draft.tokens)
    return shades if len(shades) == 1 and coloured and shades[0] - 1 in ends and shades[0] + 1 in ends else []


def _settle_on(draft: Draft) -> None:
    """Over, on top of, left of: of a background they say "on" and where; of an object they are a relation."""
    for i, token in enumerate(draft.tokens):
        place = token.text in ("left of", "right of")
        if token.role == "relation" and (place or token.text in ("over", "on top of", "atop")):
            j = draft.skip(i + 1, 1, frozenset(["tint"]), _BETWEEN_ON)
            if draft.open(j, "ground", "picture") or draft.open(j, "shade") and not _describes_object(draft, j):
                where = token._replace(role="column", value=2 * token.value)
                draft.tokens[i] = where if place else token._replace(role="on")


def _settle_on_ground(draft: Draft, i: int, colour: int | None) -> None:
    """배경 위에: on the background, not at its top, which is 배경의 위에, 배경 위쪽에 or 배경 위 왼쪽에."""
    is_ground = draft.tokens[i].role == "ground" or colour is not None
    if is_ground and i + 1 < len(draft.tokens) and draft.tokens[i + 1].text == "위":
        if not draft.open(i + 2, "column", "middle"):
            draft.glue.add(i + 1)


# -- what no picture shows -----------------------------------------------------------------------------------------


def _flag_what_is_no_statement(draft: Draft) -> None:
    """Flag unknown words, numbers of objects, and denials together with what they deny."""
    for i, token in enumerate(draft.tokens):
        if token.role == "unknown":
            near = nearest(token)
            hint = f": did you mean {' or '.join(near)}?" if near else ""
            draft.wrong[i] = f"{token.text!r} is no word of these captions{hint}"
        elif token.role == "middle" and draft.tokens[i + 1:i + 2] and draft.tokens[i + 1].text in WORDS_BY_KIND["size"]:
            draft.wrong[i] = f"{token.text!r}: an object is small or big"
        elif token.role == "count":
            draft.wrong[i] = f"{token.text!r}: name each object by itself"
        elif token.role == "not":
            draft.wrong[i] = f"{token.text!r}: {DENIED}"
            step = -1 if "가" <= token.text[-1] <= "힣" else 1
            j = draft.skip(i + step, step, frozenset("glue is subject object at of silent".split()))
            if draft.open(j, "shape", "colour", "size", "shade", "ground", "row", "column", "middle", "place", "thing"):
                draft.wrong[j] = f"{draft.tokens[j].text!r} is denied: {DENIED}"


def _settle_tints(draft: Draft) -> None:
    """Dark and bright leave a colour what it is, pale only gray and pink; a pale blue is the cyan of these scenes."""
    for i, token in enumerate(draft.tokens):
        if token.role != "tint":
            continue
        j = draft.skip(i + 1, 1, frozenset(["silent", "tint"]))
        is_gray = draft.open(j, "shade") and draft.tokens[j].value == 1
        name = VALUES["colour"][draft.tokens[j].value] if draft.open(j, "colour") else ""
        if token.value == 1 and name == "blue":
            draft.tokens[j] = draft.tokens[j]._replace(value=VALUES["colour"].index("cyan"))
        elif not (is_gray or (name and token.value == 0) or name == "pink"):
            draft.wrong[i] = f"{token.text!r}: each colour has one tone here, so leave this word out"
