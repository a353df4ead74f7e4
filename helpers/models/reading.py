r"""A text tower that learns what captions say: each fact of a scene, or that it is not said.

Notebook 13: the words that a denoiser reads. What a picture cannot teach a tower quickly, which colour belongs to which
of two shapes, a label can. Imagen (Saharia et al. 2022, section 2.1) reads with a tower that learned from text alone
and is then left as it is; this is that, with labels in place of a web of text.

B texts · T tokens · D width of the tower · F facts, each with so many values
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .clip import TextTower


class SceneReader(nn.Module):
    r"""model(ids): texts (B, T) -> for each fact the logits (B, 1 + its values); the first one: it is not said.

    vocabulary  of the `Tokenizer` that made the ids
    facts       how many values each of the F facts has
    text        sizes of the `TextTower`, by name
    """

    def __init__(self, vocabulary: list[str], facts: list[int], text: dict | None = None):
        super().__init__()
        self.config = {"vocabulary": list(vocabulary), "facts": list(facts), "text": text or {}}
        self.text = TextTower(len(vocabulary), **(text or {}))
        self.answers = nn.Linear(self.text.width, sum(facts) + len(facts))

    def forward(self, ids) -> list:
        sizes = [values + 1 for values in self.config["facts"]]
        return list(self.answers(self.text(ids)).split(sizes, 1))

    @torch.no_grad()
    def said(self, ids):
        r"""Texts (B, T) -> the likeliest value of each fact (B, F); -1: it is not said."""
        return torch.stack([logits.argmax(1) - 1 for logits in self(ids)], 1)


def reading_loss(model, batch):
    r"""Cross-entropy, summed over the facts, for `train`: {"texts": ids (B, T), "said": (B, F), -1 = not said}."""
    said = batch["said"].unbind(1)
    losses = [F.cross_entropy(logits, values + 1) for logits, values in zip(model(batch["texts"]), said, strict=True)]
    return torch.stack(losses).sum(), {"worst": torch.stack(losses).detach().max()}
