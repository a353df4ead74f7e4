r"""The figures of notebook 17: the prior beside its baselines, what CLIP keeps, the arms, edits, larger, filled in."""

from __future__ import annotations

from functools import cache

from ...course.scores import Score
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import LANGUAGES
from ...systems.variations import DIFFS
from ...training.checkpoints import load
from ..clip.probes import kept_factors
from ..diffusion.experiments import FRESH
from ..stable_diffusion.experiments import shipped_in_latents
from . import experiments as own
from . import measures, upsampling

PICTURES_DRAWN = 200
DREW_BAR, KEPT_BAR, GAIN_BAR, KNOWN_BAR, FILLED_BAR = 0.65, 0.7, 3, 30, 0.75
ETAS, COMPONENTS_KEPT = (0.0, 0.5, 1.0, FRESH), (2, 4, 8, 16, 32, 64)
THETAS = (*DIFFS[:1], 0.35, *DIFFS[1:])
GUIDED = (1.0, 2.0, 4.0)


@cache
def system():
    return own.shipped_dalle2()


def share(name: str, what: str, value: float, bar: str = "", baseline: float | None = None) -> Score:
    return Score(f"unclip.{name}", what, value, ".0%", baseline, bar)


def prior():
    r"""What each way from a caption to z_i gives, as linear probes read it."""
    clip = system().clip
    known = own.Pairs(clip, own.KNOWN_SCENES, own.KNOWN_SEED)
    probes = own.factor_probes(known)
    for language in LANGUAGES:
        new = own.Pairs(clip, 500, NEW_SCENES_SEED, language)
        for way, row in own.bridge_figures(own.bridges(system(), known, new), probes, new).items():
            for name in ("cosine", "gap", "all_six"):
                yield Score(f"unclip.prior.{language}.{way}.{name}", f"{name} of z_i by {way}, {language}", row[name],
                            ".2f")
    yield Score("unclip.prior.scale", "what embeddings are multiplied by", system().prior.scale.item(), ".1f")


def keeps():
    r"""What of a scene a linear probe finds in z_i: factors, and R^2 of what has no name."""
    for name, value in kept_factors(system().clip.encode_image).items():
        yield Score(f"unclip.keeps.{name}", f"{name} in z_i, by a linear probe", value, ".2f")


def arms():
    r"""What the decoder draws, by what it is told."""
    for language in LANGUAGES:
        for arm, shares in measures.arm_shares(system(), 300, language).items():
            for name, value in shares.items():
                bar = f">= {DREW_BAR}" if (arm, name) == ("prior", "both") else ""
                yield share(f"arms.{language}.{arm.replace(' ', '_')}.{name}", f"{name}: told {arm}, {language}", value,
                            bar)


def varied():
    for eta in ETAS:
        for name, value in measures.variation_shares(system(), eta, PICTURES_DRAWN).items():
            yield Score(f"unclip.varied.{eta:g}.{name}", f"{name}: variations with eta {eta:g}", value, ".2f")


def components():
    for d, shares in measures.component_shares(system(), COMPONENTS_KEPT, PICTURES_DRAWN).items():
        for name, value in shares.items():
            yield share(f"components.{d}.{name}", f"{name}, drawn from {d} components of z_i", value)


def diffs():
    for theta, shares in measures.diff_shares(system(), THETAS).items():
        for name, value in shares.items():
            bar = f">= {KEPT_BAR}" if (theta, name) == (DIFFS[0], "kept") else ""
            yield share(f"diffs.{theta:g}.{name}", f"{name}: text diffs to another colour, theta {theta:g}", value, bar)


def bound():
    for arm, shares in measures.binding_duel(system()).items():
        for name, value in shares.items():
            yield share(f"bound.{arm.replace(' ', '')}.{name}", f"{name}, two objects, {arm}", value)


def diverse():
    for arm, rows in measures.guided_diversity(system(), GUIDED).items():
        for scale, shares in rows.items():
            for name, value in shares.items():
                yield share(f"diverse.{arm}.{scale:g}.{name}", f"{name}: {arm}, scale {scale:g}, 3 factors told", value)


def larger():
    r"""Against the scene drawn at 64 x 64, and bicubic beside."""
    for name, value in upsampling.enlarging_figures(upsampling.shipped_upsampler()).items():
        bar = f">= {GAIN_BAR}" if name == "one.gain" else ""
        yield Score(f"unclip.larger.{name}", f"{name}, dB, 32 to 64 pixels", value, ".1f", bar=bar)


def filled():
    found = upsampling.filling_figures(upsampling.shipped_filler(), shipped_in_latents())
    for name, value in found.items():
        kind, _, what = name.partition(".")
        bars = {"network.known": f">= {KNOWN_BAR}", "network.both": f">= {FILLED_BAR}" if kind == "box" else ""}
        form = ".1f" if what.endswith("known") else ".4f" if what.endswith("edge") else ".0%"
        yield Score(f"unclip.filled.{name}", f"{what} of 200 scenes with a {kind} hidden", value, form,
                    bar=bars.get(what, ""))


def passes():
    networks = {"prior": system().prior, "decoder": system().decoder.model, "upsampler": load(own.UPSAMPLER)[0]}
    enlarge = upsampling.as_upsampler(networks["upsampler"])
    counts = measures.counted_passes(networks, lambda: enlarge(system().draw(["a red circle"])))
    for name, count in counts.items():
        yield Score(f"unclip.passes.{name}", f"passes of the {name} for a picture", count, ".0f")
    yield Score("unclip.passes.all", "passes for a picture", sum(counts.values()), ".0f")
    for name, count in measures.PAPERS_PASSES.items():
        yield Score(f"unclip.passes.paper.{name.replace('·', '').replace(' ', '')}", f"steps or tokens of {name}",
                    count, ",.0f")


def size():
    for name in (own.PRIOR, own.DECODER, own.UPSAMPLER, own.FILLER):
        model, card = load(name)
        yield Score(f"unclip.size.{name}.parameters", "parameters", sum(p.numel() for p in model.parameters()), ",.0f")
        yield Score(f"unclip.size.{name}.minutes", "minutes of training on one core",
                    card.metrics["training_seconds"] / 60, ".0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    for function in (prior, keeps, arms, varied, components, diffs, bound, diverse, larger, filled, passes, size):
        yield f"unclip.{function.__name__}", function
