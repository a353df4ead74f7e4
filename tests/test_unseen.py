"""What is scored was never trained on: the streams of real trainings against what their figures are measured on."""

import pytest
import torch

from helpers.data import scenes
from helpers.data.batches import NEW_SCENES_SEED
from helpers.data.scenes import crowd
from helpers.training import recipes
from helpers.training.loop import train


def run(batches, steps):
    """A training's own loop, its seeds and its steps, with a network of one number."""
    train(torch.nn.Linear(1, 1), batches, lambda model, batch: (model.weight.square().sum(), {}), steps)


@pytest.mark.parametrize(("name", "steps"), [("seq2seq-fixed-16-900", 900), ("denoise-scaled-48-900", 200)])
def test_no_sentence_that_is_judged_was_in_the_stream(name, steps, monkeypatch):
    told, sample = [], crowd.sample_crowd

    def record(*arguments):
        objects, background = sample(*arguments)
        for things, ground in zip(objects.tolist(), background.tolist(), strict=True):
            told.append((tuple(sorted(tuple(thing) for thing in things if thing[0] >= 0)), ground))
        return objects, background

    monkeypatch.setattr(crowd, "sample_crowd", record)
    recipe = recipes.find(name)
    run(recipe.batches(recipe.steps), steps)
    trained = set(told)
    assert len(told) == 64 * steps and sum(len(things) == 1 for things, _ in trained) > 1000
    told.clear()
    recipe.evaluate(recipe.build())
    judged = set(told)
    assert sum(len(things) == 1 for things, _ in judged) > 100 and not judged & trained


def test_no_picture_that_is_judged_was_in_the_stream():
    """Place and radius are drawn anew for each, so no rule is needed: none comes twice, to the byte."""
    recipe, seen = recipes.find("autoencoder-scenes-8"), set()

    def batches(step):
        x = recipe.batches(recipe.steps)(step)
        seen.update(picture.numpy().tobytes() for picture in x)
        return x

    run(batches, 200)
    judged = {picture.numpy().tobytes() for picture in scenes.make_scenes(2000, NEW_SCENES_SEED)[0]}
    assert (len(seen), len(judged)) == (200 * 32, 2000) and not seen & judged
    pairs = [picture.numpy().tobytes() for seed in (0, 1) for picture in scenes.make_pairs(2000, seed)[0]]
    assert len(set(pairs)) == 4000
