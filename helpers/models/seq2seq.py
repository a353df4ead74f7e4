r"""Seq2Seq: an encoder reads a sentence, a decoder writes another one, word by word.

Notebook 01. Papers: Cho et al. 2014 and Sutskever et al. 2014 for the encoder and the decoder with one context
vector between them; Bahdanau et al. 2015 and Luong et al. 2015 for attention, one context vector for each word.
The decoder's recurrence does not wait for the attention (Luong et al. 2015, without input feeding): given the right
words, all its states are computed in one sweep, and all its context vectors after them, in one.

B batch · S words of the source, with the end mark · T words of the target · E embedding · H hidden · V vocabulary
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..data.text import PAD, is_token
from .layers import attend

SCORES = ("additive", "dot", "general", "scaled")


class Memory(NamedTuple):
    r"""What the encoder leaves for the decoder, the same for every word that is written.

    states   (B, S, H)  one for each word of the source; without attention (B, S, 2H), and nobody looks at them
    keys     as states  what a query is compared with: the states, transformed once as the score function asks
    mask     (B, S)     True at words, False at padding
    summary  (B, H)     the whole sentence in one vector: where the decoder starts, and without attention all it sees
    """

    states: Tensor
    keys: Tensor
    mask: Tensor
    summary: Tensor


class Encoder(nn.Module):
    r"""A bidirectional GRU: (B, S) word numbers -> states and their summary (B, H).

    The states are (B, S, 2H), both directions side by side; if the decoder will attend to them, (B, S, H): brought to
    the size of its own state.
    """

    def __init__(self, vocabulary: int, embedding: int, hidden: int, layers: int, dropout: float, attended: bool):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(embedding, hidden, layers, batch_first=True, bidirectional=True,
                          dropout=dropout if layers > 1 else 0.0)
        self.join = nn.Linear(2 * hidden, hidden) if attended else nn.Identity()
        self.summarise = nn.Linear(2 * hidden, hidden)

    def forward(self, src):
        lengths = is_token(src).sum(1).cpu()
        x = self.dropout(self.embed(src))                                          # (B, S, E)
        # Packed, so that neither direction reads padding: the backward one would begin with it.
        x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        h, last = self.gru(x)
        h, _ = pad_packed_sequence(h, batch_first=True, total_length=src.shape[1])  # (B, S, 2H)
        ends = torch.cat([last[-2], last[-1]], 1)                                   # (B, 2H): of both directions
        return self.dropout(self.join(h)), torch.tanh(self.summarise(ends))


class Attention(nn.Module):
    r"""Scores of decoder states s against encoder states h, and the context vectors that follow from them.

    score   e(s, h)                     source
    additive   v . tanh(W s + U h)      Bahdanau et al. 2015, section A.1.2
    dot        s . h                    Luong et al. 2015, section 3.1
    general    s . W h / sqrt(H)        Luong et al. 2015, section 3.1, whose W is our W / sqrt(H)
    scaled     s . h / sqrt(H)          Vaswani et al. 2017, eq. 1
    """

    def __init__(self, hidden: int, score: str):
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"unknown score function {score!r}: choose one of {', '.join(SCORES)}, or None")
        self.score = score
        if score == "additive":
            self.query, self.key = nn.Linear(hidden, hidden, bias=False), nn.Linear(hidden, hidden)
            self.v = nn.Linear(hidden, 1, bias=False)
        if score == "general":
            self.key = nn.Linear(hidden, hidden, bias=False)
            # The score starts as the scaled one. From a random W, or a small one beside which Adam's steps are large,
            # tiny scenes were learned without attention: 1 % of five objects' sentences right after 1,800 steps.
            nn.init.eye_(self.key.weight)

    def keys(self, states):
        r"""(B, S, H) -> (B, S, H): the part of the score that does not depend on the query, computed once."""
        return self.key(states) if self.score in ("additive", "general") else states

    def scores(self, queries, keys):
        r"""(B, T, H) queries against (B, S, H) keys -> (B, T, S)."""
        if self.score == "additive":
            return self.v(torch.tanh(self.query(queries)[:, :, None] + keys[:, None])).squeeze(-1)
        return queries @ keys.mT / (1 if self.score == "dot" else math.sqrt(queries.shape[-1]))

    def forward(self, queries, memory: Memory, temperature: float = 1.0):
        r"""Queries (B, T, H) -> context vectors (B, T, H) and weights (B, T, S); the scores are divided by
        `temperature`, above 0: near 0 one word takes all the weight, towards infinity all words share it evenly."""
        if not temperature > 0:
            raise ValueError(f"the temperature of an attention lies above 0; got {temperature}")
        return attend(self.scores(queries, memory.keys) / temperature, memory.states, memory.mask[:, None])


class Decoder(nn.Module):
    r"""A GRU language model of the target that starts from the summary and looks at a context vector per word.

    A word's logit is the product of the readout with its embedding: one matrix serves both (Press & Wolf 2017).
    """

    def __init__(self, vocabulary: int, embedding: int, hidden: int, score: str | None, dropout: float):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        nn.init.normal_(self.embed.weight, std=embedding**-0.5)  # the usual 1 would make the first logits large
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(embedding, hidden, batch_first=True)
        self.attention = Attention(hidden, score) if score else None
        self.readout = nn.Linear(2 * hidden, embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, words, state, memory: Memory, temperature: float = 1.0):
        r"""Word numbers (B, T) and a state (B, H) -> logits (B, T, V), the state after them, weights (B, T, S).

        Without attention every context vector is the summary, and the weights are None.
        """
        x = self.dropout(self.embed(words))                                        # (B, T, E)
        s, state = self.gru(x, state[None])                                        # (B, T, H)
        if self.attention:
            context, weights = self.attention(s, memory, temperature)              # (B, T, H), (B, T, S)
        else:
            context, weights = memory.summary[:, None].expand_as(s), None
        h = torch.tanh(self.readout(torch.cat([s, context], 2)))                   # (B, T, E)
        return F.linear(self.dropout(h), self.embed.weight, self.bias), state[0], weights


class Seq2Seq(nn.Module):
    r"""p(y | x), a product over the words of y: p(y_t | y_<t, x).

    source, target   the vocabularies: their tokens in the order of their numbers (see helpers.data.text)
    embedding, hidden   E and H
    score   the score function of the attention; None for a network without attention
    layers  of the encoder
    dropout   share of the embeddings, states and outputs that training hides
    """

    def __init__(self, source: list[str], target: list[str], embedding: int = 32, hidden: int = 48,
                 score: str | None = "scaled", layers: int = 1, dropout: float = 0.0):
        super().__init__()
        self.config = {"source": list(source), "target": list(target), "embedding": embedding, "hidden": hidden,
                       "score": score, "layers": layers, "dropout": dropout}
        self.encoder = Encoder(len(source), embedding, hidden, layers, dropout, attended=score is not None)
        self.decoder = Decoder(len(target), embedding, hidden, score, dropout)

    def encode(self, src) -> Memory:
        r"""Sources (B, S), each with its end mark, padded behind -> Memory. ValueError for other rows, or for none."""
        mask = is_token(src)
        if src.ndim != 2 or not src.numel() or not mask[:, 0].all() or (mask[:, 1:] & ~mask[:, :-1]).any():
            raise ValueError(f"sources are rows (B, S), an end mark at least, padded behind; got {tuple(src.shape)}")
        states, summary = self.encoder(src)
        attention = self.decoder.attention
        return Memory(states, attention.keys(states) if attention else states, mask, summary)

    def forward(self, src, tgt):
        r"""Sources (B, S) and the words before each word to write (B, T) -> logits (B, T, V)."""
        memory = self.encode(src)
        return self.decoder(tgt, memory.summary, memory)[0]


def translation_loss(model, pair, smoothing: float = 0.0):
    r"""(loss, {"accuracy": ...}): the mean over words of -log p(y_t | y_<t, x), in nats.

    pair = (src (B, S), tgt (B, T)), tgt from the start mark to the end mark. Each word is predicted from the right
    words before it, not from the model's own: teacher forcing (Williams & Zipser 1989).
    smoothing   share of the target's probability spread over all words (Szegedy et al. 2016, section 7)
    accuracy    share of words whose most probable prediction is right
    """
    src, tgt = pair
    return word_loss(model(src, tgt[:, :-1]), tgt[:, 1:], smoothing)


def free_running_loss(model, pair):
    r"""The same without teacher forcing: each word is predicted from the model's own words before it."""
    src, tgt = pair
    memory = model.encode(src)
    state, last, logits = memory.summary, tgt[:, :1], []
    for _ in range(tgt.shape[1] - 1):
        step, state, _ = model.decoder(last, state, memory)
        last = step.argmax(2)  # (B, 1); the choice of a word has no gradient
        logits.append(step)
    return word_loss(torch.cat(logits, 1), tgt[:, 1:])


def word_loss(logits, truth, smoothing: float = 0.0):
    r"""Logits (B, T, V) against the words (B, T), padding left out; returns as `translation_loss`."""
    loss = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=PAD, label_smoothing=smoothing)
    right = (logits.argmax(2) == truth)[is_token(truth)]
    return loss, {"accuracy": right.float().mean()}
