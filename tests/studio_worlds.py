"""The studio over networks so small that a grid takes a few milliseconds; they have learned nothing."""

from functools import cache
from itertools import count

import torch

from helpers.lessons.stable_diffusion import experiments, recipes
from helpers.lessons.text_conditioned_diffusion.experiments import as_system
from helpers.models.kl_autoencoder import KLAutoencoder
from helpers.systems.studio import Session, Studio, World


@cache
def tiny_worlds():
    """(scenes, in latents; emoji, in pixels), each with two steps."""
    torch.manual_seed(0)
    latent = recipes.reading_as_taught(channels=2, size=8, widths=(8, 16), reads=1).eval()
    pixels = recipes.reading_as_taught(channels=3, size=32, widths=(8, 16), reads=1).eval()
    for model in (latent, pixels):
        for weight in model.parameters():
            if not weight.any():
                torch.nn.init.normal_(weight, std=0.1)
    first_stage = KLAutoencoder(2, widths=(8, 16)).eval()
    return (World(experiments.in_latents(latent, first_stage), 2.0, 2, 3.0),
            World(as_system(pixels), 2.0, 2, 3.0, lambda prompt, hand: f"{prompt} by {hand}"))


def tiny_session():
    """A new sitting; its seeds are 101, 102, ..."""
    return Session(Studio(*tiny_worlds()), count(101).__next__)
