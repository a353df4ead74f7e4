"""The figures of notebook 03: defects and unseen shapes, and sentences copied, translated and repaired."""

from __future__ import annotations

import torch

from ...course.scores import Score
from ...data.masks import error_inside
from ...training import tuning
from ...training.checkpoints import load
from ..seq2seq_attention.experiments import OBJECT_COUNTS, exact
from . import experiments

OTHER_SEEDS = (1, 2)  # than the shipped weights' own; only their figures are kept, in data/trials.json


def defects():
    """What becomes of a magenta square: the error inside it to the clean picture, and to the defect."""
    raw = error_inside(*experiments.marked_scenes()).mean().item()
    yield Score("compared.defect.raw", "squared error that the defect makes inside itself", raw, ".2f")
    bars = {"0-64-6000": f"<= {raw / 10:.4f}", "30-64-6000": "", "100-4-6000": "<= 0.05", "100-64-1200": "",
            "100-64-6000": ">= 0.1"}
    for name, bar in bars.items():
        figures = experiments.evaluate_defects(load(f"defect-{name}")[0])
        yield Score(f"compared.defect.to_clean.{name}", f"error to the clean picture inside it: defect-{name}",
                    figures["to_clean"], ".3f", raw, bar)
    yield Score(f"compared.defect.to_defect.{name}", f"error to the defect: defect-{name}", figures["to_defect"], ".3f")


def drawn_with_other_seeds():
    """The one network that draws the defect, and two more trainings of it."""
    name = "defect-100-64-6000"
    tried = [tuning.find(name, seed=seed)["to_clean"] for seed in OTHER_SEEDS]
    found = [experiments.evaluate_defects(load(name)[0])["to_clean"], *tried]
    what = "error to the clean picture, 100 %, d = 64, 6,000 steps"
    yield Score("compared.seeds.least", f"{what}: the least of three seeds", min(found), ".3f")
    yield Score("compared.seeds.most", f"{what}: the most of three seeds", max(found), ".3f")


def detection():
    """How well s(x) tells odd pictures from usual ones: at d = 16 also for two more trainings, as recorded."""
    found = {code: experiments.evaluate_alarm(load(f"shapes-{code}")[0]) for code in experiments.WATCHER_CODES}
    for code, figures in found.items():
        yield Score(f"compared.auroc.shapes.{code}", f"AUROC of s(x), shapes, d = {code}", figures["auroc_shapes"],
                    ".2f", 0.5, "<= 0.9")
    yield Score("compared.auroc.defects.16", "AUROC of s(x), defects, d = 16", found[16]["auroc_defects"], ".2f", 0.5,
                ">= 0.9")
    tried = [found[16], *(tuning.find("shapes-16", seed=seed) for seed in OTHER_SEEDS)]
    for kind in ("defects", "shapes"):
        areas = [figures[f"auroc_{kind}"] for figures in tried]
        for name, value in {"least": min(areas), "most": max(areas)}.items():
            yield Score(f"compared.auroc.{kind}.16.{name}", f"AUROC of s(x), {kind}, d = 16: the {name} of three seeds",
                        value, ".2f", 0.5)


def memory():
    """How well the distance to the nearest of many training pictures, kept as they are, tells odd ones."""
    known, marked, odd = (x[:400] for x in experiments.odd_pictures())
    for kind, x, size in (("shapes", odd, 4000), ("shapes", odd, 16_000), ("defects", marked, 16_000)):
        stored = experiments.of_shapes(True, size, torch.Generator().manual_seed(0))
        far, usual = (experiments.distance_to_nearest(each, stored) for each in (x, known))
        yield Score(f"compared.nearest.{kind}.{size}", f"AUROC of the distance to the nearest of {size:,}, {kind}",
                    experiments.auroc(usual, far), ".2f", 0.5)


def copying():
    """Exact match of the networks that copy; those that translate are notebook 01's."""
    always = dict.fromkeys(OBJECT_COUNTS, ">= 0.98")
    for kind, counts in {"scaled-48-900": always, "fixed-48-3600": {2: ">= 0.9", 4: "", 5: "<= 0.3"}}.items():
        model = load(f"copy-{kind}")[0]
        for count, bar in counts.items():
            yield Score(f"compared.exact.{kind}.{count}", f"sentences copied exactly, {kind}, {count} objects",
                        exact(model, count, **experiments.COPY), ".0%", bar=bar)


def repairs():
    rate = experiments.repair_rates(load("denoise-scaled-48-900")[0])["grammar"]
    yield Score("compared.repair.grammar", "hidden words restored: grammar", rate, ".0%", bar=">= 0.98")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "compared.defect", defects
    yield "compared.seeds", drawn_with_other_seeds
    yield "compared.auroc", detection
    yield "compared.nearest", memory
    yield "compared.exact", copying
    yield "compared.repair", repairs
