"""What notebook 02 measures: the error of a code of d numbers, and PCA's, on pictures that were never trained on."""

from __future__ import annotations

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, padded_mnist
from ...metrics.pca import PCA
from ...metrics.pictures import mse, reconstruct, scene_accuracy, squared_error

SCENE_LATENTS = (1, 2, 3, 4, 6, 8, 12, 32, 128)
EMOJI_LATENTS = (1, 2, 4, 8, 16, 32, 128)


def error_on_scenes(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = reconstruct(model, x)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"]}


def error_on_emoji(model) -> dict[str, float]:
    x = sets.load_emoji("test").images
    return {"mse": mse(x, reconstruct(model, x)).mean().item()}


def error_on_mnist(model) -> dict[str, float]:
    x = padded_mnist("test")
    return {"squared_error": squared_error(x, reconstruct(model, x)).mean().item()}


def scene_pca(d: int = 128) -> PCA:
    """PCA of 8,000 training scenes."""
    return PCA.fit(scenes.make_scenes(8000, seed=0)[0], d)
