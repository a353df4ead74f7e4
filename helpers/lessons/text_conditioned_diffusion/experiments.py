r"""What notebook 13 measures: what is drawn for prompts, and whether it is what they ask for.

n prompts, and a picture for each · s the scale of guidance · all pictures in [-1, 1]
Prompts of `prompts_of_one` and `prompts_of_two` say everything there is to say, in the words of our own grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import FACTORS, PAIR_FACTORS, UNSAID
from ...diffusion.samplers import FRESH, finished, sample, within
from ...models.clip import CLIP
from ...systems.text_to_image import TextToImage
from ...training.checkpoints import load
from ..diffusion.experiments import SCHEDULE
from .verdicts import Asked, read_pictures, shares_drawn

PROMPTED_NETWORK = "prompted-scenes"
TYPED = Path(__file__).with_name("typed.txt")  # 60 prompts by someone who had not seen our captions
TARGET = "edm"
SCALE, PROMPT_STEPS = 1.5, 20  # of drawings, unless a knob says otherwise; s of 1 to 2 tried, on other prompts
GUIDANCE_SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
PROMPTS_AT_ONCE = 100  # pictures


def as_system(model) -> TextToImage:
    return TextToImage(model, SCHEDULE, TARGET)


def shipped_system() -> TextToImage:
    r"""The course's network, which reads English and Korean."""
    return as_system(laid_out(load(PROMPTED_NETWORK)[0]))


def laid_out(model):
    r"""The model with its convolutions in the layout that a processor is fastest with: drawing takes a tenth less."""
    return model.to(memory_format=torch.channels_last)


# -- prompts -------------------------------------------------------------------------------------------------------


def prompts_of_one(n: int, language: str = "en", split: str = "train", seed: int = NEW_SCENES_SEED):
    r"""n prompts for scenes of one object, and what they ask for: (list of n, `Asked`). The scenes are those of a
    seed, whatever the language."""
    generator = torch.Generator().manual_seed(seed)
    factors = scenes.sample_factors(n, generator, split)
    return scenes.write_captions(factors, generator, language), Asked(factors)


def prompts_of_two(n: int, language: str = "en", split: str = "train", seed: int = NEW_SCENES_SEED):
    r"""n prompts for scenes of two objects, as `prompts_of_one`."""
    generator = torch.Generator().manual_seed(seed)
    pairs = scenes.sample_pairs(n, generator, split)
    return scenes.write_pair_captions(pairs, generator, language), Asked(pairs, True)


def with_less(n: int, said: int, language: str = "en", seed: int = NEW_SCENES_SEED):
    r"""n prompts for scenes of one object that name `said` of its six factors, chosen at random."""
    generator = torch.Generator().manual_seed(seed)
    factors = scenes.sample_factors(n, generator)
    kept = torch.rand(n, len(FACTORS), generator=generator).argsort(1) < said
    factors = torch.where(kept, factors, UNSAID)
    return scenes.write_captions(factors, generator, language), Asked(factors)


# -- drawings ------------------------------------------------------------------------------------------------------


def drawn(system: TextToImage, texts: Sequence[str], scale: float = SCALE, steps: int = PROMPT_STEPS,
          eta: float = FRESH, seed: int = 0, others: Sequence[str] = (), keep_away: str | None = None) -> Tensor:
    r"""A picture for each prompt (n, 3, 32, 32), `PROMPTS_AT_ONCE` at a time, each part with the next seed.

    others: as many, drawn together with them, as `TextToImage.both`
    """
    found = []
    for number, start in enumerate(range(0, len(texts), PROMPTS_AT_ONCE)):
        part, seeded = slice(start, start + PROMPTS_AT_ONCE), seed + number
        if others:
            found.append(system.both(texts[part], others[part], scale, steps, seeded, eta))
        else:
            found.append(system.draw(texts[part], scale, steps, seeded, eta, keep_away))
    return torch.cat(found).cpu()


def guidance_frontier(system: TextToImage, texts: Sequence[str], asked: Asked, scales=GUIDANCE_SCALES,
                      **options) -> dict[str, list]:
    r"""{"asked": the share of pictures with all that was asked for, "valid": ..., "both": ...}, a list along scales."""
    rows = [shares_drawn(drawn(system, texts, scale, **options), asked) for scale in scales]
    return {name: [row[name] for row in rows] for name in rows[0]}


def factor_shares(pictures: Tensor, asked: Asked) -> dict[str, float]:
    r"""{factor: the share of pictures that show it as asked}; for two objects, of pair factors."""
    right = read_pictures(pictures, asked)[1].float().mean(0).tolist()
    return dict(zip(PAIR_FACTORS if asked.two else FACTORS, right, strict=True))


def as_in_geneval(one: Tensor, asked: Asked, two: Tensor, asked_two: Asked) -> dict[str, float]:
    r"""Shares right, under the headings of GenEval (Ghosh et al. 2023, section 3.1), of pictures for both kinds.

    Position asks for both shapes and their relation, attribute binding for both shapes, each in its colour.
    """
    single, pair = read_pictures(one, asked)[1], read_pictures(two, asked_two)[1]
    at = {name: pair[:, PAIR_FACTORS.index(name)] for name in PAIR_FACTORS}
    both_shapes = at["shape"] & at["other shape"]
    rows = {"single object": single[:, FACTORS.index("shape")], "two objects": both_shapes,
            "colours": single[:, FACTORS.index("colour")], "position": both_shapes & at["relation"],
            "attribute binding": both_shapes & at["colour"] & at["other colour"]}
    return {name: values.float().mean().item() for name, values in rows.items()}


def guesses(system: TextToImage, texts: Sequence[str], asked: Asked, scale: float = SCALE,
            steps: int = PROMPT_STEPS, seed: int = 0) -> tuple[list[int], dict[str, list[float]]]:
    r"""After each step the t reached, and of the guesses x0 the shares that show each factor as asked."""
    times, rows = [], []
    for t, _, x0 in system.path(texts, scale, steps, seed):
        times.append(t)
        rows.append(factor_shares(x0.clamp(-1, 1).cpu(), asked))
    return times, {name: [row[name] for row in rows] for name in rows[0]}


# -- guidance, varied ----------------------------------------------------------------------------------------------


@torch.no_grad()
def guided_in(system: TextToImage, texts: Sequence[str], scale: float, low: int, high: int,
              steps: int = PROMPT_STEPS, seed: int = 0) -> Tensor:
    r"""Pictures (n, 3, 32, 32) that are guided only while low < t <= high, and follow the plain prompt elsewhere.

    Kynkäänniemi et al., "Applying guidance in a limited interval", 2024.
    """
    plain, strong = (system.guided_by([texts], each) for each in (1.0, scale))

    def denoise(x, t):
        return (strong if low < int(t[0]) <= high else plain)(x, t)

    generator = torch.Generator().manual_seed(seed)
    path = sample(denoise, system.noise(len(texts), generator), SCHEDULE, steps, FRESH, generator=generator)
    return finished(path).cpu()


def led_by_clip(denoise, clip: CLIP, wanted: Tensor, weight: float, schedule=SCHEDULE):
    r"""denoise(x, t), each guess moved to where CLIP finds it more alike to the texts: x0 + weight noise_t g / |g|.

    g is the slope of the cosine between the guess and `wanted` (B, E), the texts' embeddings of length 1; |g| is its
    root mean square over a picture. GLIDE's CLIP guidance (Nichol et al. 2022, section 2.3) takes the slope at x_t.
    """
    def moved(x, t):
        with torch.enable_grad():
            x0 = denoise(x, t).detach().clamp(-1, 1).requires_grad_()
            slope, = torch.autograd.grad((F.normalize(clip.encode_image(x0), dim=1) * wanted).sum(), x0)
        slope = slope / slope.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
        return (x0 + weight * schedule.at(t, x)[1] * slope).detach()

    return moved


@torch.no_grad()
def drawn_with_clip(system: TextToImage, clip: CLIP, texts: Sequence[str], wanted: Tensor, weight: float,
                    steps: int = PROMPT_STEPS, seed: int = 0) -> tuple[Tensor, float]:
    r"""Pictures of prompts, unguided but for CLIP's slope, and the mean cosine that CLIP gives them."""
    generator = torch.Generator().manual_seed(seed)
    denoise = within(led_by_clip(system.guided_by([texts], 1.0), clip, wanted, weight))
    path = sample(denoise, system.noise(len(texts), generator), SCHEDULE, steps, FRESH, generator=generator)
    pictures = finished(path).cpu()
    return pictures, (F.normalize(clip.encode_image(pictures), dim=1) * wanted).sum(1).mean().item()


# -- where words are read ------------------------------------------------------------------------------------------


def lifts(system: TextToImage, texts: Sequence[str], step: int = 8, steps: int = PROMPT_STEPS,
          seed: int = 0) -> dict[str, float]:
    r"""{factor: how much more its words are read inside the finished object than elsewhere}, the mean over prompts.

    A ratio of mean weights, 1 where the object makes no difference. The object is where the picture in the end differs
    from its border. Weights are those of `TextToImage.attention` after `step` of `steps` steps.
    """
    states = list(system.path(texts, SCALE, steps, seed))
    t, x, _ = states[step - 1]
    end = states[-1][1].clamp(-1, 1)
    inside = (end - end[:, :, :1, :1]).abs().amax(1) > 0.3                     # (n, S, S)
    found = {}
    for text, mask, (names, maps) in zip(texts, inside, system.attention(texts, x, t), strict=True):
        ratio = {name: (part[mask].mean() / part[~mask].mean()).item()
                 for name, part in zip(names, maps, strict=True)}
        for word in scenes.read_caption(text).words:
            if word.factor and not word.problem and word.text in ratio:
                found.setdefault(word.factor, []).append(ratio[word.text])
    return {name: sum(values) / len(values) for name, values in found.items()}


# -- in the recipe -------------------------------------------------------------------------------------------------


def judge_prompts(model, n: int = 300, product=as_system) -> dict[str, float]:
    r"""Shares of `shares_drawn` for prompts in both languages, of one object and of two. product: model -> system."""
    system, found = product(model), {}
    for kind, make in (("one", prompts_of_one), ("two", prompts_of_two)):
        for language in scenes.LANGUAGES:
            texts, asked = make(n, language)
            shares = shares_drawn(drawn(system, texts), asked)
            found |= {f"{kind}.{language}.{name}": value for name, value in shares.items()}
    return found
