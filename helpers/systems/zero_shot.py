"""Pictures and typed texts, compared by a CLIP: class names in, probabilities out, with no training for the classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.batches import in_batches
from ..data.text import Tokenizer, is_token
from ..data.typed import typed_ids
from ..models.clip import CLIP


class ZeroShot:
    """A classifier whose classes are typed (Radford et al. 2021, section 3.1). What it refuses is a ValueError."""

    def __init__(self, model: CLIP):
        self.model = model
        self.words = Tokenizer(model.config["vocabulary"])

    def read(self, texts: Sequence[str]) -> Tensor:
        """Texts -> ids (M, T). ValueError for none, an empty one, one with unknown words, and one that is too long."""
        ids = typed_ids(texts, self.words, self.model.text.context)
        if (empty := (is_token(ids).sum(1) == 1).nonzero()).numel():
            raise ValueError(f"text {int(empty[0]) + 1} is empty: write what the picture may show")
        return ids

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (M, E) of texts."""
        return in_batches(self.model.encode_text, self.read(texts))

    def pictures(self, images: Tensor) -> Tensor:
        """Embeddings (B, E) of pictures (B, C, S, S), float32 in [-1, 1]."""
        channels, side, _ = self.model.image.shape
        if not isinstance(images, Tensor):
            raise ValueError(f"pictures come as a tensor, not as {type(images).__name__}: "
                             "own_picture(file).batch is one")
        if images.ndim != 4 or images.shape[1:] != self.model.image.shape or len(images) == 0:
            raise ValueError(f"this model sees pictures of {side} x {side} pixels in {channels} colours, "
                             f"(B, {channels}, {side}, {side}); these are {tuple(images.shape)}")
        if not images.is_floating_point():
            raise ValueError(f"pictures are float32 in [-1, 1]; these are {images.dtype}: divide by 127.5, subtract 1")
        if not images.isfinite().all() or images.abs().max() > 1.001:
            raise ValueError("pictures lie in [-1, 1], -1 black and 1 white; these leave that range")
        return in_batches(self.model.encode_image, images)

    def classes(self, names: Sequence[str], frames: Sequence[str] = ("{}",)) -> Tensor:
        """An embedding for each class (K, E), of length 1: the mean over its name in each frame, such as "a {}"."""
        if isinstance(names, str) or len(names) < 2:
            raise ValueError("give at least two class names, as a list: with one there is nothing to choose")
        if len(set(names)) < len(names):
            raise ValueError("two of the class names are the same")
        each = self.texts([frame.format(name) for name in names for frame in frames])
        return F.normalize(each.unflatten(0, (len(names), -1)).mean(1), dim=1)

    def classify(self, images: Tensor, names: Sequence[str], frames: Sequence[str] = ("{}",)) -> Tensor:
        """The probability of each class for each picture: (B, K), the softmax over the scaled cosines."""
        classes = self.classes(names, frames)
        with torch.no_grad():
            return self.model.compare(self.pictures(images), classes).softmax(1)
