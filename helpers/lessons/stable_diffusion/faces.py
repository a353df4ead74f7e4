r"""The pictures of notebook 14's two large widgets: the way from a prompt to a picture, and from a picture to another.

B pictures · C, S channels and side of a latent · T tokens · W numbers of a token's vector
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ...data import scenes
from ...data.text import is_token
from ...show.attention import plain
from ...show.heatmaps import boxed, shade, written
from ...show.raster import SOFT, draw_text, place, tile
from ...systems.edits import image_to_image
from ...systems.text_to_image import END, TextToImage
from ..text_conditioned_diffusion.experiments import PROMPT_STEPS
from ..text_conditioned_diffusion.faces import in_lines, judged
from ..text_conditioned_diffusion.verdicts import understood, verdicts
from .experiments import LATENT_ETA, LATENT_SCALE

LATENT_REACH = 3.0  # of latents, which have standard deviation 1: -3 is drawn white, 3 dark
PANE, TITLE = 720, 24  # pixels: the width of the stepper, the height of a line over a stage
TOKEN_PAPER = np.array([251, 236, 196], np.uint8)
MOST_TOKENS = 16  # of a prompt whose vectors are drawn; what is behind them is not
REDRAWN, REDRAWN_PIXEL = 6, 4  # scenes of the second widget, and the side of a pixel of theirs


def latent_pictures(z: Tensor) -> np.ndarray:
    """Latents (B, C, S, S) -> uint8 pictures (B C, S, S, 3), a channel each, in the fixed range from -3 to 3."""
    return shade((z.detach().cpu().flatten(0, 1) / LATENT_REACH + 1) / 2)


def stage(title: str, picture: np.ndarray) -> np.ndarray:
    """A picture under its title, with what has which shape; uint8 picture."""
    words = draw_text(title, ink=SOFT)
    paper = np.full((TITLE + picture.shape[0], max(words.shape[1], picture.shape[1]), 3), 255, np.uint8)
    place(paper, words, 0, 0)
    place(paper, picture, TITLE, 0)
    return paper


def in_a_strip(parts: list[np.ndarray], makers: list[str], width: int = PANE) -> np.ndarray:
    """uint8 pictures from left to right on a strip of this width; between two an arrow, under what makes the second."""
    paper = np.full((max(part.shape[0] for part in parts), width, 3), 255, np.uint8)
    sign, x = draw_text("→", 20), 0
    for part, maker in zip(parts, ["", *makers], strict=True):
        if maker:
            words, middle = draw_text(maker), TITLE + (paper.shape[0] - TITLE) // 2
            room = max(words.shape[1], sign.shape[1]) + 16
            place(paper, words, middle - 26, x, box=(20, room))
            place(paper, sign, middle - 8, x, box=(24, room))
            x += room
        place(paper, part, 0, x)
        x += part.shape[1]
    return paper


def token_chips(tokens: list[str], width: int) -> np.ndarray:
    """A box for each token, in lines of this width; uint8 picture."""
    words = [written(plain(token), TOKEN_PAPER) for token in tokens]
    return in_lines([boxed(word, 22, word.shape[1] + 12, TOKEN_PAPER, TOKEN_PAPER) for word in words], width)


@lru_cache(maxsize=64)
@torch.no_grad()
def way(system: TextToImage, prompt: str, steps: int, seed: int, scale: float) -> list[tuple[int, Tensor, Tensor]]:
    """The start, (T, z, z), and what each step gives: (t, z, guess of z_0), (1, C, S, S) each."""
    start = system.noise(1, torch.Generator().manual_seed(seed))
    return [(system.schedule.last, start, start), *system.path([prompt], scale, steps, seed, LATENT_ETA)]


@torch.no_grad()
def pipeline_face(system: TextToImage, text: str, step: int, seed: int, steps: int = PROMPT_STEPS,
                  scale: float = LATENT_SCALE) -> tuple[np.ndarray, str]:
    """The way from a prompt to a picture after `step` of `steps` steps, with the shape of everything on it.

    Above: tokens, and the vectors that the text tower makes of them. Below: the noise, the latent after this step, the
    guess made there, and what the decoder makes of the guess. Returns the uint8 picture, and a line.
    ValueError for a step that is not made.
    """
    if not 1 <= step <= steps:
        raise ValueError(f"expected a step from 1 to {steps}; got {step}")
    kept, note = system.known(text)
    ids = system.read([kept])
    tokens = [*system.words.tokens(kept), END]
    context = system.model.read(ids)["context"][0, : int(is_token(ids).sum())]                 # (T, W)
    (_, start, _), (t, z, guess) = (way(system, kept, steps, seed, scale)[k] for k in (0, step))
    picture = system.decode(guess).clamp(-1, 1).cpu()
    vectors = shade((context[:MOST_TOKENS].cpu() / LATENT_REACH + 1) / 2)
    above = in_a_strip([stage(f"prompt: {len(tokens)} tokens", token_chips(tokens[:MOST_TOKENS], 300)),
                        stage(f"context: {len(context)} × {context.shape[1]}",
                              filled(vectors.repeat(8, 0).repeat(4, 1), 8 * MOST_TOKENS))], ["text tower"])
    titles = [f"noise: {' × '.join(map(str, z.shape[1:]))}", f"z after {step} of {steps}", "guess of z0"]
    maps = [stage(title, tile(latent_pictures(each), 2, scale=7, gap=3))
            for title, each in zip(titles, (start, z, guess), strict=True)]
    last = stage(f"decoded: {' × '.join(map(str, picture.shape[1:]))}", tile(picture, 1, scale=4))
    below = in_a_strip([*maps, last], [f"step {step}", "U-Net", "decoder"])
    line = f"t = {t}: {verdicts(picture, understood(text)[0])[0]}"
    return np.concatenate([above, below]), " · ".join(filter(None, [line, note]))


def filled(picture: np.ndarray, height: int) -> np.ndarray:
    """A picture on white paper that is so high."""
    return np.pad(picture, ((0, max(0, height - len(picture))), (0, 0), (0, 0)), constant_values=255)[:height]


@lru_cache(maxsize=8)
def sources(seed: int = 47) -> tuple[Tensor, Tensor]:
    """The scenes that the second widget redraws, and their factors."""
    return scenes.make_scenes(REDRAWN, seed)


@torch.no_grad()
def edit_face(system: TextToImage, text: str, strength: float, seed: int) -> tuple[np.ndarray, str]:
    """Six scenes, and what a prompt makes of them at this strength, with verdicts; and how many keep their place."""
    kept, note = system.known(text)
    pictures, factors = sources()
    drawn = image_to_image(system, pictures, [kept] * len(pictures), strength, seed=seed).cpu()
    read = scenes.parse(drawn)
    same = int((read.factors[:, 3:5] == factors[:, 3:5]).all(1).sum())
    above = judged(pictures, ["from"] * len(pictures), REDRAWN_PIXEL, 1)
    below = judged(drawn, verdicts(drawn, understood(text)[0]), REDRAWN_PIXEL)
    line = (f"in the place where it was: {same} of {len(pictures)}; valid scenes: {int(read.valid.sum())} of "
            f"{len(pictures)}")
    return np.concatenate([above, below]), " · ".join(filter(None, [line, note]))
