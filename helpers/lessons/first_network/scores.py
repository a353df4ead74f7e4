"""Notebook 00b: how often the first network names the shape, and how often a chosen drawing shows what was asked."""

from __future__ import annotations

from ...course.scores import Score
from ...data import scenes
from ...training.checkpoints import load
from .artist import RandomArtist, as_asked
from .experiments import shapes_named


def network():
    model, card = load("shape-classifier")
    named, chance = shapes_named(model), 1 / len(scenes.SHAPES)
    yield Score("first.shapes.new", "shape named, new scenes (baseline: a guess)", named["new"], ".1%", chance,
                ">= 0.99")
    yield Score("first.shapes.held_out", "shape named, pairings of shape and colour that were never trained on",
                named["held_out"], ".0%", chance)
    yield Score("first.shapes.seconds", "seconds of training on one core", card.metrics["training_seconds"], ".0f",
                bar="<= 45")
    yield Score("first.shapes.parameters", "numbers that training sets", sum(p.numel() for p in model.parameters()),
                ",")


def drawings():
    shares = as_asked(RandomArtist(load("autoencoder-scenes-12")[0], load("clip")[0]))
    kinds = {"colour": len(scenes.COLOURS), "size": len(scenes.SIZES), "shape": len(scenes.SHAPES)}
    for name, count in kinds.items():
        yield Score(f"first.drawn.{name}", f"chosen drawings that show the {name} asked for (baseline: a guess)",
                    shares[name], ".0%", 1 / count, f">= {1.5 / count:.3f}")
    yield Score("first.drawn.all", "chosen drawings that show all three", shares["all"], ".0%", 1 / 64, ">= 0.3")


def groups():
    yield "first.shapes", network
    yield "first.drawn", drawings
