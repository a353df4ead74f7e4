r"""What the studio can draw: a network with its sampler, how its prompts are read, and, for emoji, its hands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ...data.typed import named
from ..text_to_image import TextToImage
from .commands import CommandError

FULL = 1000  # of --stylize


@dataclass(frozen=True)
class World:
    r"""A kind of pictures.

    system, scale, steps, eta   what draws, and how: as in `TextToImage.path`
    sign    (prompt, hand) -> the prompt with the artist in it; None: pictures of one hand only
    remark  prompt -> what to tell whoever typed it, "" for nothing: words that mean nothing here
    """

    system: TextToImage
    scale: float
    steps: int
    eta: float
    sign: Callable[[str, str], str] | None = None
    remark: Callable[[str], str] = lambda prompt: ""

    def known(self, prompt: str, what: str = "prompt") -> tuple[str, list[str]]:
        r"""The prompt without letters that the network never met, and remarks. CommandError where nothing is left."""
        lost = self.system.words.unknown(prompt)
        kept = " ".join(word for word in prompt.split() if not self.system.words.unknown(word))
        if not kept:
            raise CommandError(f"no word of the {what} can be read here ({', '.join(map(named, lost))[:60]}): write it "
                               "in English or Korean")
        try:
            self.system.read([kept])
        except ValueError as error:
            raise CommandError(f"the {what} is refused: {error}") from None
        notes = [f"not read: {', '.join(map(named, lost))}"] * bool(lost)
        return kept, [*notes, *filter(None, [self.remark(kept)])]

    @torch.no_grad()
    def denoiser(self, prompts: Sequence[str], no: str = "", hand: str = "", stylize: int = 0):
        r"""denoise(x, t) under guidance; no: led away from; stylize: from no artist's name (0) to the hand's (1000).

        Between both, the guess lies on the straight line from the one to the other, and each step costs twice as much.
        """
        def led(texts):
            return self.system.guided_by([texts], self.scale, no or None)

        if self.sign is None or not hand or stylize == 0:
            return led(prompts)
        signed = led([self.sign(prompt, hand) for prompt in prompts])
        if stylize == FULL:
            return signed
        plain = led(prompts)
        return lambda x, t: torch.lerp(plain(x, t), signed(x, t), stylize / FULL)
