r"""Text in, picture out, one place after another: a VQ-VAE, and a transformer that writes its codes.

Notebook 16. What is refused is a ValueError that says what to do. The pictures of a seed are the same whatever the
number of prompts, and with or without a cache.

B pictures · P places, side x side · K codes · N candidates for a picture · T tokens of a prompt
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..data.text import Tokenizer
from ..data.typed import typed_ids
from ..models.dalle import DALLE
from ..models.decoding import picked
from ..models.vqvae import VQVAE
from .prompts import understood_words
from .zero_shot import ZeroShot

TEMPERATURE = 1.0


class DallE:
    r"""Prompts in, pictures out.

    model        the transformer
    first_stage  codes -> pictures and back; the K that the transformer writes are its
    """

    def __init__(self, model: DALLE, first_stage: VQVAE):
        if model.codes != first_stage.codes:
            raise ValueError(f"the transformer writes {model.codes} codes, the first stage has {first_stage.codes}: "
                             "take the first stage that it was trained with")
        self.model, self.first_stage = model, first_stage
        self.words = Tokenizer(model.config["vocabulary"])

    def read(self, prompts: Sequence[str]) -> Tensor:
        r"""Prompts -> ids (B, T). ValueError for no prompt, a single string, unknown words, or one that is too long."""
        ids = typed_ids(prompts, self.words, self.model.context, "prompt")
        return ids.to(next(self.model.parameters()).device)

    def known(self, prompt: str) -> tuple[str, str]:
        r"""The prompt without the words that the model never met, and what to tell the reader of it; "" for nothing."""
        return understood_words(prompt, self.words)

    # -- writing ---------------------------------------------------------------------------------------------------

    def draw(self, prompts: Sequence[str], **options) -> Tensor:
        r"""A picture for each prompt, (B, 3, 32, 32) in [-1, 1]; the options are those of `path`."""
        return self.decode(self.codes(prompts, **options))

    def codes(self, prompts: Sequence[str], **options) -> Tensor:
        r"""The codes that are written for prompts: (B, side, side). The options are those of `path`."""
        *_, found = self.path(prompts, **options)
        return self.model.grid(found)

    @torch.no_grad()
    def path(self, prompts: Sequence[str], temperature: float = TEMPERATURE, top_k: int | None = None, seed: int = 0,
             known: Tensor | None = None, cache: bool = True) -> Iterator[Tensor]:
        r"""A generator that yields the codes so far, (B, 0) to (B, P) in the order of writing, after every token.

        temperature  logits are divided by it: below 1 surer, above 1 wilder; 0 takes the most probable code
        top_k        only so many of the most probable codes are drawn from; None: all
        seed         of the luck: the i-th picture of a seed has the same luck whatever the prompts and their number
        known        codes (B, n) in the order of writing that are given; it goes on behind them
        cache        keep keys and values of the tokens so far; without it all of them are read anew for each token
        """
        check_sampling(temperature, top_k, self.model.codes)
        texts = self.read(prompts)
        codes = texts.new_zeros(len(texts), 0) if known is None else known
        luck = self.luck(len(texts), seed).to(texts.device)
        yield codes
        past = None
        for place in range(codes.shape[1], self.model.places):
            if past is None or not cache:
                logits, past = self.model.start(texts, codes)
            else:
                logits = self.model.follow(texts, codes[:, -1], place, past)
            codes = torch.cat([codes, picked(logits, luck[:, place], temperature, top_k)[:, None]], 1)
            yield codes

    def luck(self, count: int, seed: int) -> Tensor:
        r"""Even numbers in [0, 1) for each picture and place, (B, P): more pictures do not change them."""
        return torch.rand(count, self.model.places, generator=torch.Generator().manual_seed(seed))

    def complete(self, prompts: Sequence[str], pictures: Tensor, rows: int, **options) -> Tensor:
        r"""The rest of pictures (B, 3, S, S) of which the first `rows` rows of places are given: (B, 3, S, S).

        First in the order of writing: the upper ones of a model that writes downwards. Its codes of these are kept;
        the encoder is shown the whole picture, and each code looks at its place and a few pixels around it.
        ValueError for a number of rows that is none of 0, ..., side.
        """
        side = self.model.config["side"]
        if not 0 <= rows <= side:
            raise ValueError(f"a picture has {side} rows of places: from 0 to {side} of them can be given, not {rows}")
        known = self.model.written(self.encode(pictures))[:, :rows * side]
        return self.draw(prompts, known=known, **options)

    # -- pictures --------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        r"""Pictures (B, 3, S, S) in [-1, 1] -> their codes (B, side, side)."""
        return self.first_stage.encode(pictures)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        r"""Codes (B, side, side) -> pictures (B, 3, S, S) in [-1, 1]."""
        return self.first_stage.decode(codes).clamp(-1, 1)

    def unfinished(self, codes: Tensor, filling: int = 0) -> Tensor:
        r"""The picture of the first codes (B, n) in the order of writing, the other places filled with one code."""
        rest = codes.new_full((len(codes), self.model.places - codes.shape[1]), filling)
        return self.decode(self.model.grid(torch.cat([codes, rest], 1)))


@torch.no_grad()
def best_of(system: DallE, judge: ZeroShot, prompts: Sequence[str], candidates: int, seed: int = 0,
            **options) -> tuple[Tensor, Tensor]:
    r"""For each prompt `candidates` pictures (B, N, 3, S, S), and how alike CLIP finds picture and prompt (B, N).

    Ramesh et al., section 2.6, take the one of the highest score. Cosines; the generator learns nothing from them.
    """
    if candidates < 1:
        raise ValueError(f"there is at least one candidate; got {candidates}")
    repeated = [prompt for prompt in prompts for _ in range(candidates)]
    pictures = system.draw(repeated, seed=seed, **options)
    texts = judge.texts(prompts)                                               # (B, E)
    seen = judge.pictures(pictures).unflatten(0, (len(prompts), candidates))   # (B, N, E)
    return pictures.unflatten(0, (len(prompts), candidates)), torch.einsum("bne,be->bn", seen, texts)


def check_sampling(temperature: float, top_k: int | None, codes: int) -> None:
    r"""ValueError for a temperature below 0 or not finite, or a top_k that is none of 1, ..., codes."""
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"a temperature is 0 or more, such as 1; got {temperature}")
    if top_k is not None and not 1 <= top_k <= codes:
        raise ValueError(f"top_k is a number of codes, from 1 to {codes}; got {top_k}")
