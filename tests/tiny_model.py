"""A model small enough for any test, put where checkpoints look for models: helpers.models.tiny."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import torch
from torch import nn

from helpers import models
from helpers.training.recipes import Recipe


class Tiny(nn.Module):
    def __init__(self, width=4, slope=0.5):
        super().__init__()
        if width > 1000:
            raise ValueError("wider than tiny")
        self.config = {"width": width, "slope": slope}
        self.inner, self.norm, self.outer = nn.Linear(6, width), nn.BatchNorm1d(width), nn.Linear(width, 6)
        self.slope = slope

    def forward(self, x):
        return self.outer(nn.functional.leaky_relu(self.norm(self.inner(x)), self.slope))


class Wide(Tiny):
    """As many weights as an autoencoder of the latent sweep: 590,000."""

    def __init__(self):
        super().__init__()
        self.config = {}
        self.more = nn.ModuleList([nn.Linear(256, 256) for _ in range(9)])


def noise(step):
    return torch.randn(8, 6)


def loss_fn(model, x):
    loss = (model(x) - x).square().mean()
    return loss, {"recon": loss}


def evaluate(model):
    assert not model.training
    x = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return {"mse": (model(x) - x).square().mean().item()}


def recipe(name="tiny-4", **changes):
    options = dict(build=Tiny, batches=lambda steps: noise, loss=loss_fn, evaluate=evaluate, steps=60, seed=3,
                   data="noise, 6 numbers", sizes={"smoke": {"steps": 12}, "gpu": {"build": lambda: Tiny(8)}})
    return Recipe(name, **options | changes)


module = ModuleType(f"{models.__name__}.tiny")
module.__spec__ = ModuleSpec(module.__name__, None)
module.Tiny, module.Wide, module.nn, module.Linear = Tiny, Wide, nn, nn.Linear
Tiny.__module__ = Wide.__module__ = module.__name__
sys.modules[module.__name__] = module
