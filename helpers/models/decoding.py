r"""Writing one token after another: the search for a probable sentence, and the draw of one; many at once.

Greedy search takes the most probable word each time; beam search keeps the `width` most probable beginnings
(Sutskever et al. 2014, section 3.2). Both feed the model its own words, end a sentence at its end mark, and never
write a start mark or padding. `picked` draws the next token by its probability (notebook 16).

B sources · K width of the beam · S words of a source · T words of a translation · V vocabulary · H hidden
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.text import BOS, EOS, PAD, is_token
from .seq2seq import Memory

LIMIT = 100  # words, where the caller names no other limit


class Translation(NamedTuple):
    r"""What a search found for B sources.

    words  (B, T)  each sentence up to its end mark, then padding; T is at most the search's limit
    log_p  (B,)    log-probability of the sentence, in nats
    """

    words: Tensor
    log_p: Tensor


@torch.no_grad()
def greedy(model, src, limit: int = LIMIT, temperature: float = 1.0) -> Translation:
    r"""The most probable next word, until each sentence has ended or holds `limit` words.

    src  (B, S) sources with their end marks; temperature  of the attention, 1 in training
    """
    check(limit)
    memory = model.encode(src)
    state, last, rows = memory.summary, torch.full_like(src[:, 0], BOS), torch.arange(len(src), device=src.device)
    words, log_p = src.new_full((len(src), limit), PAD), torch.zeros_like(state[:, 0])
    for t in range(limit):
        log_probs, state = next_word(model, last, state, memory, temperature)
        best, last = log_probs.max(1)
        words[rows, t], log_p[rows] = last, log_p[rows] + best
        goes_on = last != EOS
        if not goes_on.all():  # a sentence that has ended costs nothing more
            rows, last, state = rows[goes_on], last[goes_on], state[goes_on]
            memory = Memory(*(part[goes_on] for part in memory))
        if not len(rows):
            break
    return Translation(words[:, :t + 1], log_p)


@torch.no_grad()
def beam_search(model, src, width: int = 5, limit: int = LIMIT, length_power: float = 1.0) -> Translation:
    r"""The best of the `width` beginnings that are kept at every step; width 1 is greedy search.

    Long sentences have low probabilities, so the finished ones are compared by log p / T^length_power (Wu et al.
    2016, eq. 14, with a simpler denominator); 0 compares the probabilities themselves.
    """
    check(limit, width)
    memory = Memory(*(part.repeat_interleave(width, 0) for part in model.encode(src)))
    count, state = len(src), memory.summary                                              # (B K, H)
    words = torch.full((count, width, 1), BOS, device=src.device)
    log_p = torch.full((count, width), float("-inf"), device=src.device)
    log_p[:, 0] = 0  # the beginnings are all the same at first: count one of them
    for _ in range(limit):
        log_probs, state = next_word(model, words[:, :, -1].flatten(), state, memory)     # (B K, V)
        total = log_p[:, :, None] + after_the_end(log_probs.unflatten(0, (count, width)), words[:, :, -1])
        log_p, best = total.flatten(1).topk(width, 1)                                     # (B, K) of K V
        parent, word = best // total.shape[2], best % total.shape[2]
        words = torch.cat([words.gather(1, parent[:, :, None].expand_as(words)), word[:, :, None]], 2)
        state = state.unflatten(0, (count, width)).gather(1, parent[:, :, None].expand(-1, -1, state.shape[1]))
        state = state.flatten(0, 1)
        if has_ended(words[:, :, -1]).all():
            break
    length = is_token(words[:, :, 1:]).sum(2)
    # A sentence cut off at the limit counts only where none has ended: then the first, the most probable.
    best = (log_p / length**length_power).masked_fill(~has_ended(words[:, :, -1]), float("-inf")).argmax(1)
    rows = torch.arange(count, device=src.device)
    return Translation(words[rows, best, 1:1 + int(length[rows, best].max())], log_p[rows, best])


def next_word(model, last, state, memory: Memory, temperature: float = 1.0):
    r"""The words written last (B,) and the states (B, H) -> log-probabilities (B, V) and the next states."""
    logits, state, _ = model.decoder(last[:, None], state, memory, temperature)
    log_probs = F.log_softmax(logits[:, 0], 1)
    log_probs[:, [PAD, BOS]] = float("-inf")  # after the softmax: log_p stays the model's own
    return log_probs, state


def picked(logits: Tensor, luck: Tensor, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
    r"""The next tokens (B,), drawn from softmax(logits / temperature).

    logits  (B, K);  luck  (B,) in [0, 1): it decides, so that the same luck draws the same token
    temperature  0 takes the most probable one, as greedy search does;  top_k  the others are never drawn
    """
    if temperature == 0:
        return logits.argmax(1)
    if top_k is not None:
        least = logits.topk(top_k, 1).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    upto = (logits.double() / temperature).softmax(1).cumsum(1)                          # (B, K), rising to 1
    return torch.searchsorted(upto, luck[:, None].double() * upto[:, -1:], right=True)[:, 0]


def has_ended(last):
    return (last == EOS) | (last == PAD)


def after_the_end(log_probs, last):
    r"""Log-probabilities (B, K, V) in which a sentence that has ended goes on with padding, at no cost."""
    padding = torch.full_like(log_probs[0, 0], float("-inf"))
    padding[PAD] = 0
    return torch.where(has_ended(last)[:, :, None], padding, log_probs)


@torch.no_grad()
def alignment(model, src, words, temperature: float = 1.0) -> Tensor:
    r"""Where the decoder looks while it writes `words` (B, T): weights (B, T, S).

    All steps at once, because the words are known. ValueError for a model without attention.
    """
    if model.decoder.attention is None:
        raise ValueError("this model has no attention: it sees one context vector, and no word of the source")
    memory = model.encode(src)
    before = torch.cat([torch.full_like(words[:, :1], BOS), words[:, :-1]], 1)
    return model.decoder(before, memory.summary, memory, temperature)[2]


def check(limit: int, width: int = 1) -> None:
    if limit < 1 or width < 1:
        raise ValueError(f"limit and width must be at least 1; got limit={limit}, width={width}")
