r"""DALL-E: one transformer continues a text with the numbers of a picture, one token after another.

Notebook 16. Paper: Ramesh et al., "Zero-shot text-to-image generation", ICML 2021, section 2.2. Words and codes share
one list of tokens, the codes behind the words; each token reads itself and those before it, so a place of the picture
reads the whole text and the places before it. What the codes look like is the VQ-VAE's business. Ramesh et al. learn a
padding token for each position of the text; here filling is never read.

B batch · T tokens of a text · P places of a picture · D width · V words · K codes
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.text import BOS, PAD, is_token
from .layers import Block, Past

IMAGE_WEIGHT = 7 / 8  # of the loss, in nats a token; the text's is the rest: Ramesh et al., section 2.2
ORDERS = ("down", "up")  # in which the rows of a picture are written, each from left to right


class DALLE(nn.Module):
    r"""model(texts, codes): ids (B, T) and codes (B, P) in the order of writing -> logits of the tokens that follow.

    vocabulary  of the `Tokenizer` that makes the ids of texts; V its length
    codes       K; code k is token V + k
    side        of the grid of codes: P = side^2
    context     tokens of the longest text, its EOS counted
    order       "down": the top row first; "up": the bottom row first
    """

    optimizer = "muon"  # of `training.loop`

    def __init__(self, vocabulary: list[str], codes: int, side: int = 8, context: int = 64, width: int = 128,
                 depth: int = 6, heads: int = 4, order: str = "down"):
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"no order is called {order!r}: choose one of {', '.join(ORDERS)}")
        self.config = {"vocabulary": list(vocabulary), "codes": codes, "side": side, "context": context,
                       "width": width, "depth": depth, "heads": heads, "order": order}
        self.words, self.codes, self.places, self.context = len(vocabulary), codes, side * side, context
        self.embed = nn.Embedding(self.words + codes, width)
        self.text_positions = nn.Parameter(0.02 * torch.randn(context, width))
        self.rows, self.columns = (nn.Parameter(0.02 * torch.randn(side, width)) for _ in range(2))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, self.words + codes)
        nn.init.normal_(self.embed.weight, std=0.02)

    # -- grids and rows of tokens ----------------------------------------------------------------------------------

    def written(self, grid: Tensor) -> Tensor:
        r"""Codes (B, side, side) -> (B, P), in the order of writing."""
        return (grid.flip(1) if self.config["order"] == "up" else grid).flatten(1)

    def grid(self, codes: Tensor) -> Tensor:
        r"""The inverse of `written`: (B, P) -> (B, side, side)."""
        grid = codes.unflatten(1, (self.config["side"], -1))
        return grid.flip(1) if self.config["order"] == "up" else grid

    # -- the network -----------------------------------------------------------------------------------------------

    def places_embedded(self, before: Tensor, start: int = 0) -> Tensor:
        r"""Tokens (B, N) -> (B, N, D): what stands before the places from `start` on, and which places these are."""
        positions = (self.rows[:, None] + self.columns).flatten(0, 1)                      # (P, D)
        return self.embed(before) + positions[start:start + before.shape[1]]

    def begin(self, codes: Tensor) -> Tensor:
        r"""Codes (B, N) -> the tokens before each place and the next one: BOS, then the codes' tokens (B, N + 1)."""
        return F.pad(codes + self.words, (1, 0), value=BOS)

    def read(self, texts: Tensor) -> Tensor:
        r"""Ids (B, T) -> (B, T, D), before the first block. ValueError for a text that is too long."""
        if texts.shape[1] > self.context:
            raise ValueError(f"a text has {texts.shape[1]} tokens; this model reads at most {self.context}")
        return self.embed(texts) + self.text_positions[:texts.shape[1]]

    def through(self, h: Tensor, mask: Tensor, past: list[Past] | None = None) -> Tensor:
        r"""Tokens (B, N, D) through all blocks; mask (B, 1, N, all tokens)."""
        for number, block in enumerate(self.blocks):
            h = block(h, mask, past[number] if past else None)
        return self.norm(h)

    def logits(self, h: Tensor, words: bool = False) -> Tensor:
        r"""Tokens (B, N, D) -> logits of the codes (B, N, K), or of the words (B, N, V): the others cannot follow."""
        part = slice(None, self.words) if words else slice(self.words, None)
        return F.linear(h, self.head.weight[part], self.head.bias[part])

    def forward(self, texts: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        r"""(logits of the words that follow each token of the text (B, T, V), of the codes at each place (B, P, K)).

        Those of place i are told the text and the codes before i.
        """
        h = torch.cat([self.read(texts), self.places_embedded(self.begin(codes[:, :-1]))], 1)
        h = self.through(h, reading_mask(texts, codes.shape[1]))                           # (B, T + P, D)
        split = texts.shape[1]
        return self.logits(h[:, :split], words=True), self.logits(h[:, split:])

    # -- one token after another -----------------------------------------------------------------------------------

    def start(self, texts: Tensor, codes: Tensor) -> tuple[Tensor, list[Past]]:
        r"""Ids (B, T) and the first codes (B, N), N = 0 for none -> logits (B, K) of the next, and what is kept."""
        past = [Past() for _ in self.blocks]
        h = torch.cat([self.read(texts), self.places_embedded(self.begin(codes))], 1)
        h = self.through(h, reading_mask(texts, codes.shape[1] + 1), past)
        return self.logits(h[:, -1]), past

    def follow(self, texts: Tensor, code: Tensor, place: int, past: list[Past]) -> Tensor:
        r"""The code (B,) of the place before `place` -> logits (B, K) of the code there; `past` grows by one token."""
        h = self.places_embedded(code[:, None] + self.words, place)
        seen = F.pad(is_token(texts), (0, place + 1), value=True)[:, None, None]           # (B, 1, 1, T + place + 1)
        return self.logits(self.through(h, seen, past)[:, -1])


def reading_mask(texts: Tensor, places: int) -> Tensor:
    r"""Who may read whom, (B, 1, N, N) bool for T tokens of text and some places: itself and what is before, no PAD."""
    total = texts.shape[1] + places
    before = torch.ones(total, total, dtype=torch.bool, device=texts.device).tril()
    return before & F.pad(is_token(texts), (0, places), value=True)[:, None, None]


def dalle_loss(model: DALLE, batch: dict[str, Tensor], image_weight: float = IMAGE_WEIGHT):
    r"""(w image + (1 - w) text, {"image": ..., "text": ...}), both in nats a token.

    batch: {"texts": ids (B, T), "codes": (B, side, side)}. A text's first token and its filling are not guessed.
    """
    texts, codes = batch["texts"], model.written(batch["codes"])
    of_words, of_codes = model(texts, codes)
    image = F.cross_entropy(of_codes.flatten(0, 1).float(), codes.flatten())
    following = of_words[:, :-1].flatten(0, 1).float()
    text = F.cross_entropy(following, texts[:, 1:].flatten(), ignore_index=PAD)
    return image_weight * image + (1 - image_weight) * text, {"image": image.detach(), "text": text.detach()}
