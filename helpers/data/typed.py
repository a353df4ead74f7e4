"""What a learner types, as a model may read it: without the characters that nobody sees, and not too long."""

import unicodedata
from collections.abc import Sequence

from torch import Tensor

from .text import Tokenizer, is_token, source_batch

LONGEST = 1000  # characters; the longest sentence of the course's data has 537
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks that are drawn as nothing


def typed(text: str) -> str:
    """The text without invisible characters; ValueError for one that is too long, or that holds half a character."""
    if len(text) > LONGEST:
        raise ValueError(f"this text has {len(text):,} characters; at most {LONGEST:,} are read, so give it in parts")
    half = next((c for c in text if unicodedata.category(c) == "Cs"), None)
    if half:
        raise ValueError(f"this text holds half a character ({named(half)}): delete it, and type it anew")
    return "".join(c for c in text if not invisible(c))


def invisible(character: str) -> bool:
    """Whether a character is drawn as nothing and is no space: a joiner, a mark of direction, a control character."""
    unseen = unicodedata.category(character) in ("Cc", "Cf") and not character.isspace()
    return unseen or character in UNSEEN or "\ufe00" <= character <= "\ufe0f"  # selectors of a variant


def named(word: str) -> str:
    """A word that can be seen: as it is, or the numbers of its characters where some cannot be drawn."""
    return word if word.isprintable() else " ".join(f"U+{ord(character):04X}" for character in word)


def typed_ids(texts: Sequence[str], tokenizer: Tokenizer, longest: int, what: str = "text") -> Tensor:
    """Typed texts as ids (B, T), for a model that reads at most `longest` tokens; empty ones are their EOS alone.

    what: how one is called in messages. ValueError for a single string, for none, and for a text that is refused by
    `typed`, has words that the tokenizer cannot write, or is too long.
    """
    if isinstance(texts, str):
        raise ValueError(f"give the {what}s as a list, also a single one: [{what}]")
    clean = [typed(text).strip() for text in texts]
    if not clean:
        raise ValueError(f"the list of {what}s is empty: give at least one")
    for text in clean:
        if unknown := tokenizer.unknown(text):
            raise ValueError(f"{text[:40]!r} has words that this model never met: {', '.join(map(named, unknown))}")
    ids = source_batch(tokenizer, clean)
    if ids.shape[1] > longest:
        text = clean[int(is_token(ids).sum(1).argmax())]
        raise ValueError(f"{text[:40]!r}... has {ids.shape[1]} tokens, and {longest} are read at most: say it shorter")
    return ids
