r"""A small network that says what kind of picture it sees: the encoder of notebook 02 with a number for each kind.

Not a network of a paper: a yardstick for the emoji of notebook 00, and the convolutions that notebook 10 sets beside
its Vision Transformer. Trained with `mlp.classification_loss`.

B batch · C channels of a picture · S its side in pixels · K kinds
"""

from __future__ import annotations

from . import autoencoder

PRESETS = autoencoder.PRESETS | {
    "as-vit": {"width": 48, "bottom": 48, "hidden": 314},  # as many weights as the Vision Transformer of notebook 10
}


class PictureClassifier(autoencoder.Encoder):
    r"""Pictures -> logits: (B, C, S, S) in [-1, 1] -> (B, K)."""

    def __init__(self, kinds: int, channels: int = 3, size: int = 32, preset: str = "tiny"):
        super().__init__(kinds, channels, size, **PRESETS[preset])
        self.config = {"kinds": kinds, "channels": channels, "size": size, "preset": preset}
