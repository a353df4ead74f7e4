r"""SimCLR: two views of one picture are brought together, views of other pictures apart; no labels, no words.

Notebook 11. Papers: van den Oord, Li & Vinyals, "Representation learning with contrastive predictive coding", 2018,
eq. 4 (InfoNCE); Chen, Kornblith, Norouzi & Hinton, "A simple framework for contrastive learning of visual
representations", ICML 2020, eq. 1 and figure 2; Wang & Isola, "Understanding contrastive representation learning
through alignment and uniformity on the hypersphere", ICML 2020, eq. 1 and 2.

B batch · C channels of a picture · S its side · D numbers of its features · E numbers of an embedding
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from .autoencoder import PRESETS, Encoder


class SimCLR(nn.Module):
    r"""A tower, whose features are used later, and a head on top of it, which only the loss sees.

    model(x): pictures (B, C, S, S) -> embeddings (B, E) of length 1; model.tower(x): features (B, D).
    The tower is the encoder of notebook 02: convolutions, as the ResNet of the paper.
    features, embedding  D, E;  preset  the sizes of the `Encoder`, by name
    """

    def __init__(self, features: int = 64, embedding: int = 32, channels: int = 3, size: int = 32,
                 preset: str = "tiny"):
        super().__init__()
        self.config = {"features": features, "embedding": embedding, "channels": channels, "size": size,
                       "preset": preset}
        self.tower = Encoder(features, channels, size, **PRESETS[preset])
        self.head = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, embedding))

    def forward(self, x):
        return F.normalize(self.head(self.tower(x)), dim=1)


def info_nce(queries, keys, temperature: float):
    r"""Each query (B, E) has its own key in the same row of (B, E); all other rows are negatives. Lengths are 1.

    The mean of -log of the softmax of the B cosines / temperature, at the own key. log B minus it is at most the
    mutual information of the two, on average.
    """
    return F.cross_entropy(queries @ keys.T / temperature, torch.arange(len(keys), device=keys.device))


def nt_xent(a, b, temperature: float = 0.2):
    r"""SimCLR's loss of two views (B, E) each: each of the 2 B views looks for its partner among the 2 B - 1 others."""
    views = torch.cat([a, b])                                              # (2 B, E)
    logits = views @ views.T / temperature                                 # (2 B, 2 B)
    logits = logits.masked_fill(torch.eye(len(views), dtype=torch.bool, device=a.device), -math.inf)
    partner = torch.arange(len(views), device=a.device).roll(len(a))
    return F.cross_entropy(logits, partner)


def view_alignment(a, b):
    r"""How far apart the two views of a picture lie: the mean squared distance of rows of (B, E). 0 is perfect."""
    return (a - b).square().sum(1).mean()


def uniformity(x):
    r"""The log of the mean of exp(-2 d^2) over pairs of different rows of (B, E): lower is more evenly spread."""
    return torch.pdist(x).square().mul(-2).exp().mean().log()


def two_views_loss(model, batch, temperature: float = 0.2):
    r"""`nt_xent` of a batch of two views (2, B, C, S, S), for `train`."""
    a, b = model(batch.flatten(0, 1)).chunk(2)
    loss = nt_xent(a, b, temperature)
    return loss, {"apart": view_alignment(a, b), "uniformity": uniformity(torch.cat([a, b]).float())}
