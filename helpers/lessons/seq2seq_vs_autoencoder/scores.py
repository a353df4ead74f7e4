r"""The figures of notebook 03: defects and unseen shapes, and sentences copied, translated and repaired."""

from __future__ import annotations

import torch

from ...course.scores import Score
from ...training import tuning
from ...training.checkpoints import load
from ..seq2seq_attention.recipes import COUNTS, exact
from . import recipes as compared
from . import sentences as copies

MEMORIES = (1000, 4000, 16_000)  # training pictures that the nearest is sought among


def defects():
    r"""What becomes of a magenta square: the error inside it to the clean picture, and to the defect."""
    clean, marked, mask = compared.new_defects()
    raw = compared.error_inside(mask, clean, marked)
    yield Score("compared.defect.raw", "squared error that the defect makes inside itself", raw, ".2f")
    bars = {(0, 64, 6000): f"<= {raw / 10:.4f}", (100, 4, 6000): "<= 0.05", (100, 64, 6000): ">= 0.1"}
    for share in compared.SHARES:
        for code in compared.CODES:
            for steps in compared.LENGTHS:
                name, bar = f"{share}-{code}-{steps}", bars.get((share, code, steps), "")
                what = f"{share} % of the training pictures with a defect, d = {code}, {steps:,} steps"
                figures = compared.evaluate_defects(load(f"defect-{name}")[0])
                yield Score(f"compared.defect.to_clean.{name}", f"error to the clean picture inside it: {what}",
                            figures["to_clean"], ".3f", raw, bar)
                yield Score(f"compared.defect.to_defect.{name}", f"error to the defect: {what}", figures["to_defect"],
                            ".3f")


def drawn_with_other_seeds():
    r"""The one network that draws the defect, and two more trainings of it."""
    name = "defect-100-64-6000"
    tried = [tuning.find(name, seed=seed)["to_clean"] for seed in compared.SEEDS[1:]]
    found = [compared.evaluate_defects(load(name)[0])["to_clean"], *tried]
    what = "error to the clean picture, 100 %, d = 64, 6,000 steps"
    yield Score("compared.seeds.least", f"{what}: the least of three seeds", min(found), ".3f")
    yield Score("compared.seeds.most", f"{what}: the most of three seeds", max(found), ".3f")


def detection():
    r"""How well s(x) tells odd pictures from usual ones; the shipped weights, then three seeds as recorded."""
    bars = {("defects", 16): ">= 0.9"} | {("shapes", code): "<= 0.9" for code in compared.SHAPE_CODES}
    for code in compared.SHAPE_CODES:
        shipped = compared.evaluate_shapes(load(f"shapes-{code}")[0])
        tried = [tuning.find(f"shapes-{code}", seed=seed) for seed in compared.SEEDS[1:]]
        for kind in ("defects", "shapes"):
            found = [figures[f"auroc_{kind}"] for figures in (shipped, *tried)]
            name, what = f"compared.auroc.{kind}.{code}", f"AUROC of s(x), {kind}, d = {code}"
            yield Score(name, what, found[0], ".2f", 0.5, bars.get((kind, code), ""))
            yield Score(f"{name}.least", f"{what}: the least of three seeds", min(found), ".2f", 0.5)
            yield Score(f"{name}.most", f"{what}: the most of three seeds", max(found), ".2f", 0.5)


def memory():
    r"""The same for the distance to the nearest of many training pictures, kept as they are."""
    known, marked, odd = (x[:400] for x in compared.new_shapes())
    for size in MEMORIES:
        train = compared.of_shapes(True, size, torch.Generator().manual_seed(0))
        usual = compared.distance(known, train)
        for kind, x in (("defects", marked), ("shapes", odd)):
            yield Score(f"compared.nearest.{kind}.{size}", f"AUROC of the distance to the nearest of {size:,}, {kind}",
                        compared.auroc(usual, compared.distance(x, train)), ".2f", 0.5)


def copying():
    r"""Exact match of the networks that copy; those that translate are notebook 01's."""
    bars = {"scaled-48-900": dict.fromkeys(COUNTS, ">= 0.98"), "fixed-48-3600": {2: ">= 0.9", 5: "<= 0.3"}}
    for kind in ("fixed-48-900", "fixed-48-3600", "scaled-48-900"):
        model = load(f"copy-{kind}")[0]
        for count in COUNTS:
            yield Score(f"compared.exact.{kind}.{count}", f"sentences copied exactly, {kind}, {count} objects",
                        exact(model, count, **copies.COPY), ".0%", bar=bars.get(kind, {}).get(count, ""))


def repairs():
    r"""Hidden words that the denoiser restores, by what they say."""
    hidden, found = copies.repairs(load("denoise-scaled-48-900")[0])
    for kind, ids in copies.kinds_of_words().items():
        rate = found[torch.isin(hidden, torch.tensor(ids))].float().mean().item()
        yield Score(f"compared.repair.{kind}", f"hidden words restored: {kind} (baseline: the best guess)", rate, ".0%",
                    copies.GUESS.get(kind), ">= 0.98" if kind == "grammar" else "")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "compared.defect", defects
    yield "compared.seeds", drawn_with_other_seeds
    yield "compared.auroc", detection
    yield "compared.nearest", memory
    yield "compared.exact", copying
    yield "compared.repair", repairs
