"""The figure of notebook 14: Stable Diffusion, assembled from what earlier notebooks built."""

from __future__ import annotations

import torch

from ...show.attention import plain
from ...show.diagrams import Diagram, arrow, column, connect, grid, maps, operation, picture, row, vector
from ...systems.text_to_image import END, TextToImage
from .experiments import LATENT_ETA, LATENT_SCALE

VECTOR_NUMBERS = 7  # of a token's vector that are drawn


@torch.no_grad()
def assembled(system: TextToImage, prompt: str, x, seed: int = 0, steps: int = 20) -> Diagram:
    """Text tower, denoiser and first stage around a prompt and a picture x (1, 3, S, S), each with its notebook.

    What stands in it is real: the latent of x, the noise of this seed, the latent and the picture drawn from it.
    """
    cond = system.model.read(system.read([prompt]))
    *_, (_, z, _) = system.path([prompt], LATENT_SCALE, steps, seed, LATENT_ETA)
    noise = system.noise(1, torch.Generator().manual_seed(seed))
    tokens = [operation(plain(token), "words") for token in [*system.words.tokens(prompt), END]]
    context = row(*(vector(each[:VECTOR_NUMBERS], "", "hidden", cell=8) for each in cond["context"][0]), gap=4)
    tower = operation("TextTower", note="notebook 11")
    unet = operation("UNet", note="notebooks 12, 13:\nguided, step by step")
    decoder, encoder = (operation(name, note="notebooks 02, 08") for name in ("Decoder", "Encoder"))
    start, end, code = channels(noise, "noise z_T", "noise"), channels(z, "z₀"), channels(system.encode(x), "latent")
    text = row(column(*tokens, gap=3), arrow(length=20), tower, arrow(length=20), context)
    drawn = picture(system.decode(z)[0].clamp(-1, 1), "picture", 72)
    table = grid([None, None, text], [start, arrow(length=20), unet, arrow(length=20), end, arrow(length=20), decoder,
                                      arrow(length=20), drawn],
                 [code, None, None, None, None, None, encoder, None, picture(x[0], "a picture", 72)], gap=(4, 22))
    known = table.rows[2]
    return Diagram(table, connect(context, "bottom", unet, "top", "context"),
                   connect(known[8], "left", encoder, "right", dashed=True),
                   connect(encoder, "left", code, "right", "for training, and to redraw", dashed=True),
                   connect(code, "top", start, "bottom", "noise", dashed=True),
                   title="Stable Diffusion, assembled", description="A text tower reads the prompt. A U-Net starts "
                   "from noise of the size of a latent and takes it away step by step, guided by what it reads. A "
                   "decoder makes the picture. The encoder is for training, and to redraw a picture.")


def channels(z, label: str, quantity: str = "code"):
    """The channels of a latent (1, C, S, S) as a stack of maps."""
    return maps(z[0].repeat_interleave(8, 0), f"{label}\n{z.shape[1]} × {z.shape[2]}²", quantity, side=56)
