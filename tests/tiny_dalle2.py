"""Tiny networks of notebook 17 with random weights, none of them 0: the same at every call."""

import torch

from helpers.data import scenes
from helpers.data.text import EOS, PAD
from helpers.lessons.dalle2 import experiments as own
from helpers.models.clip import CLIP
from helpers.models.glide import GLIDE, with_channels
from helpers.models.kl_autoencoder import KLAutoencoder
from helpers.models.unclip import Prior, UnCLIP
from helpers.systems.dalle2 import DALLE2

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "▁a", "▁red", "▁blue", "▁circle", "▁star"]
TOWER = {"context": 12, "width": 16, "depth": 1, "heads": 2}
IDS = torch.tensor([[4, 5, 7, EOS], [4, 6, EOS, PAD], [EOS, PAD, PAD, PAD]])
CHANNELS = {"channels": 2, "size": 8, "widths": (8, 16), "reads": 1}
PICTURES = scenes.make_scenes(3, 1)[0]


def stirred(model):
    """A model in which no branch is 0, as they are where a training starts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return model.eval()


def tiny_clip():
    torch.manual_seed(0)
    image = {"patch": 8, "width": 16, "depth": 1, "heads": 2}
    return CLIP(WORDS, embedding=8, image=image, text=TOWER).eval().requires_grad_(False)


def tiny_prior():
    torch.manual_seed(1)
    return stirred(Prior(embedding=8, context=16, width=16, depth=2, heads=2))


def tiny_decoder(kind=UnCLIP, **options):
    torch.manual_seed(2)
    return kind(WORDS, TOWER, CHANNELS, **options)


def small_first_stage():
    torch.manual_seed(0)
    model = stirred(KLAutoencoder(2, widths=(8, 16)))
    model.measure(model.posterior(PICTURES)[0], 1)
    return model


def tiny_system():
    decoder, prior = stirred(tiny_decoder(embedding=8)), tiny_prior()
    prior.measure(torch.randn(50, 8, generator=torch.Generator().manual_seed(0)))
    return DALLE2(tiny_clip(), prior, own.decoder_of(decoder, small_first_stage()))


def tiny_filler():
    return own.decoder_of(stirred(with_channels(tiny_decoder(GLIDE), 3)), small_first_stage())
