r"""The weights of notebook 09: two more VAEs like notebook 08's. Its autoencoders are notebook 02's, layer by layer.

    vae-scenes-4-beta-10              and 8: all but the size of the code is vae-scenes-32-beta-10's
    autoencoder-scenes-32-judged      notebook 02's recipe, whose draws are judged too; and so for the VAE. Figures of
                                      other seeds are in data/trials.json, no weights are shipped
"""

from __future__ import annotations

from dataclasses import replace

from ..autoencoder import recipes as autoencoder
from ..vae import recipes as vae
from .experiments import CODE_SIZES, FAMILIES, evaluate, weights_of


def recipes():
    r"""The recipes of this notebook."""
    known = {recipe.name: recipe for recipe in (*autoencoder.recipes(), *vae.recipes())}
    for d in CODE_SIZES:
        if weights_of("VAE", d) not in known:
            yield vae.on_scenes(weights_of("VAE", d), d, vae.CHOSEN)
    for family in FAMILIES:
        name = weights_of(family, max(CODE_SIZES))
        yield replace(known[name], name=f"{name}-judged", evaluate=evaluate)
