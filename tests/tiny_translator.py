"""Translators of a few words with random weights, and sources for them."""

import torch

from helpers.data.text import EOS, SPECIALS, pad
from helpers.models.seq2seq import Seq2Seq

SOURCE, TARGET = [*SPECIALS, *"abcdefgh"], [*SPECIALS, *"vwxyz"]


def translator(score="scaled", seed=0, target=TARGET, ends=0.0, **options):
    """In double precision, so that the order of sums decides nothing.

    The weights are larger than a fresh model's, and none is zero or one by design: what it writes is a clear choice
    that depends on all it reads. ends: added to the logit of the end mark, for longer sentences or shorter ones.
    """
    with torch.random.fork_rng([]), torch.no_grad():
        torch.manual_seed(seed)
        model = Seq2Seq(SOURCE, target, **{"embedding": 6, "hidden": 8} | options, score=score).double().eval()
        for weight in model.parameters():
            weight.mul_(2.5).add_(0.3 * torch.randn_like(weight))
        model.decoder.bias[EOS] += ends
    return model


def sources(*lengths, seed=0):
    """Random sentences of so many words, each with its end mark, padded: (B, S)."""
    generator = torch.Generator().manual_seed(seed)
    words = (torch.randint(len(SPECIALS), len(SOURCE), (n,), generator=generator).tolist() for n in lengths)
    return pad([*sentence, EOS] for sentence in words)


def alone(rows, n):
    """Row n without its padding: (1, S)."""
    return rows[n : n + 1, rows[n] != 0]
