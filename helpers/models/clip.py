r"""CLIP: a picture and its caption are brought to the same place, all other captions of the batch elsewhere.

Notebook 11. Paper: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021,
section 2.3 and figure 3. Each picture and each text becomes one point on a sphere; the logit of a pair is the cosine of
the two, times a learned scale. SigLIP (Zhai et al., "Sigmoid loss for language image pre-training", ICCV 2023) asks of
every pair by itself whether it belongs together.

B batch · S side of a picture · N patches · T tokens of a text · D width of a tower · E numbers of an embedding
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..data.text import is_token
from .layers import Block, grid_positions
from .vit import patchify

START = math.log(1 / 0.07)  # of logit_scale: the paper's temperature
LARGEST = 100.0  # that a cosine is multiplied by
TOWERS = {"image": {"width": 96, "depth": 4, "heads": 4}, "text": {"width": 64, "depth": 3, "heads": 4}}


class ImageTower(nn.Module):
    r"""Pictures (B, C, S, S) -> their features (B, D): a Vision Transformer, and the mean of its tokens.

    patch  side of a patch in pixels;  width  D
    """

    def __init__(self, patch: int = 8, channels: int = 3, size: int = 32, width: int = 96, depth: int = 4,
                 heads: int = 4):
        super().__init__()
        if patch < 1 or size % patch:
            raise ValueError(f"a picture of {size} pixels has no whole number of patches of {patch}")
        self.patch, self.width, self.shape = patch, width, (channels, size, size)
        self.embed = nn.Linear(patch * patch * channels, width)
        self.blocks = nn.ModuleList(Block(width, heads, 2 * width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.register_buffer("positions", grid_positions(size // patch, size // patch, width), persistent=False)

    def forward(self, x):
        if x.shape[1:] != self.shape:
            raise ValueError(f"expected pictures (B, {', '.join(map(str, self.shape))}); got {tuple(x.shape)}")
        h = self.embed(patchify(x, self.patch)) + self.positions   # (B, N, D)
        for block in self.blocks:
            h = block(h)                                           # (B, N, D)
        return self.norm(h).mean(1)                                # (B, D)


class TextTower(nn.Module):
    r"""Texts (B, T) of token ids, each ended by EOS, filled with PAD -> their features (B, D), those of EOS.

    words    in the vocabulary
    context  tokens of the longest text, EOS counted
    Every token may read every other; filling is never read.
    """

    def __init__(self, words: int, context: int = 64, width: int = 64, depth: int = 3, heads: int = 4):
        super().__init__()
        self.context, self.width = context, width
        self.embed = nn.Embedding(words, width)
        self.positions = nn.Parameter(0.02 * torch.randn(context, width))
        self.blocks = nn.ModuleList(Block(width, heads, 2 * width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.embed.weight, std=0.02)

    def tokens(self, ids):
        r"""One feature vector for each token (B, T, D): what cross-attention reads in notebook 13."""
        if ids.shape[1] > self.context:
            raise ValueError(f"a text has {ids.shape[1]} tokens; this model reads at most {self.context}")
        h = self.embed(ids) + self.positions[: ids.shape[1]]       # (B, T, D)
        mask = is_token(ids)[:, None, None]                        # (B, 1, 1, T)
        for block in self.blocks:
            h = block(h, mask)                                     # (B, T, D)
        return self.norm(h)

    def forward(self, ids):
        last = is_token(ids).sum(1) - 1                            # (B,)
        return self.tokens(ids)[torch.arange(len(ids), device=ids.device), last]


class CLIP(nn.Module):
    r"""model(images, texts): pictures (B, C, S, S) and ids (M, T) -> logits (B, M), a row for each picture.

    vocabulary  of the `Tokenizer` that made the ids
    embedding   E
    scale       the first value of logit_scale: cosines are multiplied by its exponential, at most 100
    bias        the first value of what is added to every logit, for `siglip_loss`; None: nothing is added
    image, text  sizes of the towers, by name
    """

    def __init__(self, vocabulary: list[str], embedding: int = 64, scale: float = START, bias: float | None = None,
                 image: dict | None = None, text: dict | None = None):
        super().__init__()
        image, text = TOWERS["image"] | (image or {}), TOWERS["text"] | (text or {})
        self.config = {"vocabulary": list(vocabulary), "embedding": embedding, "scale": scale, "bias": bias,
                       "image": image, "text": text}
        self.image, self.text = ImageTower(**image), TextTower(len(vocabulary), **text)
        self.from_image = nn.Linear(self.image.width, embedding, bias=False)
        self.from_text = nn.Linear(self.text.width, embedding, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(float(scale)))
        self.logit_bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))

    def encode_image(self, images):
        r"""Pictures (B, C, S, S) -> embeddings (B, E) of length 1."""
        return F.normalize(self.from_image(self.image(images)), dim=1)

    def encode_text(self, texts):
        r"""Ids (B, T) -> embeddings (B, E) of length 1."""
        return F.normalize(self.from_text(self.text(texts)), dim=1)

    def compare(self, image, text):
        r"""Embeddings (B, E) and (M, E) -> logits (B, M)."""
        logits = self.logit_scale.exp().clamp(max=LARGEST) * image @ text.T
        return logits if self.logit_bias is None else logits + self.logit_bias

    def forward(self, images, texts):
        return self.compare(self.encode_image(images), self.encode_text(texts))


# -- losses --------------------------------------------------------------------------------------------------------


def clip_loss(logits, positives=None):
    r"""The symmetric cross-entropy: each picture chooses among the texts, each text among the pictures; the mean.

    logits     (B, B), those of pairs on the diagonal
    positives  (B, B) bool, True where a text fits a picture, on the diagonal at least; a row that has k of them wants
               the probability 1 / k of each. None: the diagonal alone, as in the paper
    """
    fits = torch.eye(len(logits), device=logits.device) if positives is None else positives.to(logits.dtype)
    of_images = F.cross_entropy(logits, fits / fits.sum(1, keepdim=True))
    of_texts = F.cross_entropy(logits.T, (fits / fits.sum(0)).T)
    return (of_images + of_texts) / 2


def siglip_loss(logits, positives=None):
    r"""Of each of the B x B pairs: does it belong together? Minus the log-likelihood, summed, divided by B.

    logits = t cos + b, as Algorithm 1 of the paper adds b (its equation subtracts it). At the start nearly all answers
    are no, so b starts at -log(B - 1), the log-odds of a pair: `pair_prior`. positives as in `clip_loss`.
    """
    fits = torch.eye(len(logits), device=logits.device) if positives is None else positives.to(logits.dtype)
    return -F.logsigmoid((2 * fits - 1) * logits).sum() / len(logits)


def pair_prior(batch: int) -> float:
    r"""The log-odds that a picture and a text of a batch are a pair: -log(B - 1), which is -10.4 at SigLIP's 32,768."""
    return -math.log(batch - 1)


def soft_target_loss(image, text, temperature: float = 1.0):
    r"""What a much copied notebook trains in place of CLIP's loss; here to be compared with it.

    image, text  (B, E), not normalised. The targets are not the pairs but the softmax of the mean of how alike the
    pictures are among themselves and the texts among themselves, both as the model itself has them, with a gradient.
    """
    logits = text @ image.T / temperature
    targets = ((image @ image.T + text @ text.T) / 2 * temperature).softmax(1)
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets.T)) / 2


def pair_loss(model, batch, loss=clip_loss):
    r"""The loss of a batch {"images", "texts", "positives"}, the last one as in `clip_loss`, for `train`."""
    logits = model(batch["images"], batch["texts"])
    value = loss(logits, batch.get("positives"))
    return value, {"scale": model.logit_scale.detach().exp().clamp(max=LARGEST)}
