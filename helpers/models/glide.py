r"""A diffusion model that reads a prompt: a text transformer and a U-Net, trained together.

Notebook 13. Paper: Nichol et al., "GLIDE: towards photorealistic image generation and editing with text-guided
diffusion models", 2022, section 2.1: the tokens of the text are what the U-Net's places read, and the last token's
features are added to the time. Left out captions are for guidance: Ho & Salimans 2022, section 3.1.

B batch · T tokens of a text · D width of the text tower
"""

from __future__ import annotations

import torch
from torch import nn

from ..data.text import is_token
from ..diffusion.forward import Schedule
from ..diffusion.targets import diffusion_loss, logit_normal_times
from .clip import TextTower
from .unet import UNet

TOWER = {"context": 64, "width": 64, "depth": 2, "heads": 4}


class GLIDE(nn.Module):
    r"""model(x, t, **model.read(ids)): the answer of the U-Net at x_t (B, C, S, S), told the texts.

    vocabulary  of the `Tokenizer` that made the ids
    text, unet  sizes of the two networks, by name
    """

    optimizer = UNet.optimizer

    def __init__(self, vocabulary: list[str], text: dict | None = None, unet: dict | None = None):
        super().__init__()
        text = TOWER | (text or {})
        self.config = {"vocabulary": list(vocabulary), "text": text, "unet": unet or {}}
        self.text = TextTower(len(vocabulary), **text)
        self.unet = UNet(context=text["width"], vector=text["width"], **(unet or {}))

    def read(self, ids) -> dict:
        r"""Ids (B, T) of texts -> what `forward` takes: context (B, T, D), mask (B, T), vector (B, D).

        An empty text is its EOS alone: that is how "no caption" is said.
        """
        context, mask = self.text.tokens(ids), is_token(ids)
        last = mask.sum(1) - 1                                                 # (B,)
        return {"context": context, "mask": mask, "vector": context[torch.arange(len(ids), device=ids.device), last]}

    def forward(self, x, t, context, mask, vector, concat=None):
        r"""concat: channels (B, K, S, S) beside those of x, for a model that `with_channels` made."""
        return self.unet(x, t, context, mask, vector, concat)


def prompt_loss(model, batch, schedule: Schedule, target: str = "edm", times=logit_normal_times):
    r"""`diffusion_loss` of pictures with their texts, for `train`: {"images": (B, C, S, S), "texts": (B, T)}.

    Where the batch has "concat" (B, K, S, S), the model sees that, too.
    """
    cond = model.read(batch["texts"]) | {name: batch[name] for name in ("concat",) if name in batch}
    return diffusion_loss(model, batch["images"], schedule, target, cond, times)


def with_channels(model: GLIDE, count: int) -> GLIDE:
    r"""A copy of a model that sees `count` more channels, which change nothing until it has learned to read them.

    GLIDE, section 4.3: their weights in the first layer begin at 0, and the model learns on. For inpainting they hold
    what is known of the picture, and the mask. ValueError for a model that has such channels already.
    """
    if model.unet.config["concat"] is not None:
        raise ValueError(f"this model sees {model.unet.config['concat']} channels more already")
    config, state = model.config, model.state_dict()
    wider = type(model)(**config | {"unet": config["unet"] | {"concat": count}})
    stem = state["unet.stem.weight"]                                           # (W, C, 3, 3)
    state["unet.stem.weight"] = torch.cat([stem, stem.new_zeros(len(stem), count, *stem.shape[2:])], 1)
    wider.load_state_dict(state)
    return wider
