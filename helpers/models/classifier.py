r"""Small networks that say what kind of picture they see: a number for each kind. Not networks of a paper.

`ConvClassifier` is the first network that a reader of the course builds (notebook 00b). `PictureClassifier` is the
encoder of notebook 02: a yardstick for the emoji of notebook 00, and the convolutions that notebook 10 sets beside its
Vision Transformer. Both are trained with `mlp.classification_loss`.

B batch · C channels of a picture · S its side in pixels · K kinds
"""

from __future__ import annotations

from torch import nn

from . import autoencoder

PRESETS = autoencoder.PRESETS | {
    "as-vit": {"width": 48, "bottom": 48, "hidden": 314},  # as many weights as the Vision Transformer of notebook 10
}


class PictureClassifier(autoencoder.Encoder):
    r"""Pictures -> logits: (B, C, S, S) in [-1, 1] -> (B, K)."""

    def __init__(self, kinds: int, channels: int = 3, size: int = 32, preset: str = "tiny"):
        super().__init__(kinds, channels, size, **PRESETS[preset])
        self.config = {"kinds": kinds, "channels": channels, "size": size, "preset": preset}


class ConvClassifier(nn.Module):
    r"""Pictures -> logits: (B, 3, 32, 32) in [-1, 1] -> (B, K). Three convolutions with ReLU, then a dense layer."""

    def __init__(self, kinds: int):
        super().__init__()
        self.config = {"kinds": kinds}
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(),               # (B, 16, 16, 16)
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),              # (B, 32, 8, 8)
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),              # (B, 64, 4, 4)
            nn.Flatten(), nn.Linear(64 * 4 * 4, kinds),                        # (B, K)
        )

    def forward(self, x):
        return self.layers(x)
