r"""What of a typed prompt a model with a fixed list of words can read."""

from __future__ import annotations

from ..data.text import Tokenizer
from ..data.typed import named, typed


def understood_words(prompt: str, words: Tokenizer) -> tuple[str, str]:
    r"""The prompt without the words that the tokenizer cannot write, and what to tell the reader of it; "" for nothing.

    ValueError for a text that `typed` refuses.
    """
    text = typed(prompt).strip()
    lost = words.unknown(text)
    kept = " ".join(word for word in text.split() if not words.unknown(word)) if lost else text
    notes = [f"not read: {', '.join(map(named, lost))}"] * bool(lost)
    return kept, "; ".join(notes + ["no caption: anything may come"] * (not kept))
