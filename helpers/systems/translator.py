r"""Text in, something to read or to look at out: the systems of the course, each a few lines of composition.

    Translator      notebook 01   a Seq2Seq model between its two tokenizers
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..data.text import Tokenizer, is_token, source_batch
from ..data.typed import named, typed
from ..models import decoding

BATCH = 100  # sentences that are translated at a time


class Translator:
    r"""Sentences in, sentences out, for a `Seq2Seq` model; its config holds the vocabularies of both languages."""

    def __init__(self, model):
        self.model = model
        self.source, self.target = Tokenizer(model.config["source"]), Tokenizer(model.config["target"])

    def unknown(self, text: str) -> list[str]:
        r"""The words of a text that the model has no number for: it would read each as the same unknown word."""
        return [named(word) for word in self.source.unknown(typed(text))]

    def translate(self, texts: Sequence[str], beam: int = 1, temperature: float = 1.0, **options) -> list[str]:
        r"""The translations of texts, by greedy search, or by beam search with `beam` > 1.

        temperature  of the attention, 1 in training; greedy search only
        options      limit and, for beam search, length_power: see `models.decoding`
        Raises TypeError for a single string, which would be read as a list of characters, and ValueError for options
        that contradict each other or lie outside their range.
        """
        if isinstance(texts, str):
            raise TypeError("translate takes a list of texts: put the sentence in brackets")
        if beam < 1 or beam > 1 and temperature != 1:
            raise ValueError(f"beam is at least 1, and 1 with a temperature; got beam={beam}, {temperature=}")
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # so that a batch needs little padding
        found = {}
        for start in range(0, len(order), BATCH):
            rows = order[start:start + BATCH]
            src = self.read([texts[i] for i in rows])
            if beam > 1:
                words = decoding.beam_search(self.model, src, beam, **options).words
            else:
                words = decoding.greedy(self.model, src, temperature=temperature, **options).words
            found |= zip(rows, map(self.target.decode, words.tolist()), strict=True)
        return [found[i] for i in range(len(texts))]

    def read(self, texts: Sequence[str]) -> Tensor:
        r"""Texts -> (B, S), on the model's device; ValueError for one that `typed` refuses."""
        return source_batch(self.source, map(typed, texts)).to(next(self.model.parameters()).device)

    def align(self, text: str, temperature: float = 1.0) -> tuple[list[str], list[str], Tensor]:
        r"""What the model reads, what it writes (greedy), and where it looks: tokens (S), tokens (T), weights (T, S).

        Both lists end with the end mark. ValueError for a model without attention.
        """
        src = self.read([text])
        words = decoding.greedy(self.model, src, temperature=temperature).words
        weights = decoding.alignment(self.model, src, words, temperature)[0].cpu()
        return self.named(self.source, src[0]), self.named(self.target, words[0]), weights

    @staticmethod
    def named(tokenizer: Tokenizer, ids: Tensor) -> list[str]:
        return [tokenizer.vocabulary[number] for number in ids[is_token(ids)].tolist()]
