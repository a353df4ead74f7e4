r"""A small network that says what kind of picture it sees: the encoder of notebook 02 with a number for each kind.

Not a network of a paper: a yardstick for the emoji of notebook 00. Trained with `mlp.classification_loss`.

B batch · C channels of a picture · S its side in pixels · K kinds
"""

from __future__ import annotations

from .autoencoder import PRESETS, Encoder


class PictureClassifier(Encoder):
    r"""Pictures -> logits: (B, C, S, S) in [-1, 1] -> (B, K)."""

    def __init__(self, kinds: int, channels: int = 3, size: int = 32, preset: str = "tiny"):
        super().__init__(kinds, channels, size, **PRESETS[preset])
        self.config = {"kinds": kinds, "channels": channels, "size": size, "preset": preset}
