"""What notebook 16 learns from and measures: batches of codes, choices, swaps, completions, recipes."""

import pytest
import torch

from helpers.data import scenes
from helpers.data.text import UNK, Tokenizer
from helpers.lessons.dalle import batches, recipes
from helpers.lessons.dalle import experiments as own
from helpers.lessons.text_conditioned_diffusion.experiments import prompts_of_one
from helpers.lessons.text_conditioned_diffusion.verdicts import Asked
from helpers.models.dalle import DALLE
from helpers.models.vqvae import VQVAE
from helpers.systems.dalle import DallE
from helpers.training import run
from helpers.training.checkpoints import load, load_file

KNOWN = {recipe.name: recipe for recipe in recipes.recipes()}


def small_codes():
    torch.manual_seed(0)
    return VQVAE(quantizer=recipes.CODEBOOK, looks=8, widths=(8, 8)).eval()


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    return DallE(recipes.beginning_to_write({"width": 64, "depth": 1, "heads": 2}).eval(), small_codes())


class AsTheyAre(VQVAE):
    """A first stage that loses nothing: it keeps the pictures, and its codes are their numbers in a list."""

    def __init__(self, pictures):
        super().__init__(quantizer={"codes": len(pictures) + 1, "dim": 1}, looks=8, widths=(8, 8))
        self.pictures = pictures

    def encode(self, x):
        return (x[:, None] == self.pictures).flatten(2).all(2).int().argmax(1)[:, None, None].expand(-1, 8, 8)

    def decode(self, indices):
        return self.pictures[indices[:, 0, 0]]


def test_a_batch_is_codes_and_words():
    batch = batches.code_batches(small_codes, 6, 2)
    torch.manual_seed(3)
    first = batch(0)
    assert first["codes"].shape == (8, 8, 8) and first["codes"].dtype == torch.int64
    assert len(first["texts"]) == 8 and (first["texts"] != UNK).float().mean() > 0.99
    torch.manual_seed(3)
    again = batch(0)
    assert all(torch.equal(again[name], value) for name, value in first.items())


def test_texts_are_of_their_pictures():
    """The stage of the batches is asked for the codes of the pictures: what these show is what the texts say."""
    seen = []

    class Looks(VQVAE):
        def encode(self, x):
            seen.append(x)
            return torch.zeros(len(x), 8, 8, dtype=torch.int64)

    torch.manual_seed(1)
    batch = batches.code_batches(lambda: Looks(looks=8, widths=(8, 8)), 8, 4)(0)
    texts = [batches.reading_words().decode(row.tolist()) for row in batch["texts"]]
    read = scenes.parse(seen[0][:8]).factors
    for text, factors in zip(texts[:8], read, strict=True):
        said = scenes.read_caption(text)
        assert said.problems or ((said.found == factors) | (said.found == scenes.UNSAID)).all(), text
    assert len(seen[0]) == 12 and sum(bool(scenes.read_caption(text).problems) for text in texts[:8]) < 4


def test_words_begin_where_clip_left_them():
    clip = load("clip")[0]
    model = recipes.beginning_to_write()
    assert model.config["vocabulary"] == clip.config["vocabulary"]
    theirs = torch.nn.functional.normalize(clip.text.embed.weight, dim=1)
    ours = torch.nn.functional.normalize(model.embed.weight[:len(theirs)], dim=1)
    torch.testing.assert_close(ours @ ours.T, theirs @ theirs.T, atol=1e-4, rtol=0)
    assert model.embed.weight[:len(theirs)].std().item() == pytest.approx(recipes.START_STD, rel=1e-3)


def test_a_stage_that_loses_nothing_keeps_all():
    pictures = own.unseen_scenes(20)[0]
    found = own.swapped_codes(AsTheyAre(pictures), 20)
    read = scenes.parse(pictures).factors
    other = (read.roll(1, 0) != read).float().mean(0)
    torch.testing.assert_close(found[0], other)                       # its first code is all that is looked at
    assert found.shape == (64, 6) and (found[1:] == 0).all()


def test_a_choice_is_never_better_than_the_oracle(system, monkeypatch):
    texts, asked = prompts_of_one(12)
    good = scenes.draw(asked.said, torch.Generator().manual_seed(0))
    bad = torch.zeros_like(good)
    pictures = torch.stack([bad, good, bad, good], 1)                 # (12, 4, 3, 32, 32)
    scores = torch.tensor([0.1, 0.3, 0.5, 0.4]).repeat(12, 1)         # CLIP is wrong from three on
    monkeypatch.setattr(own, "best_of", lambda system, judge, texts, count, seed, **options: (pictures, scores))
    found = own.choices(system, None, texts, asked, (1, 2, 3, 4))
    assert found == {"clip": [0.0, 1.0, 0.0, 0.0], "oracle": [0.0, 1.0, 1.0, 1.0]}


def test_what_is_written_is_in_parts(system, monkeypatch):
    monkeypatch.setattr(own, "PROMPTS_AT_ONCE", 2)
    texts = ["a red circle", "a blue square", "a star"]
    found = own.wrote(system, texts, 1.0, seed=5)
    assert torch.equal(found[:2], system.draw(texts[:2], temperature=1.0, seed=5))
    assert torch.equal(found[2:], system.draw(texts[2:], temperature=1.0, seed=6))
    rows = own.along_temperatures(system, texts, Asked(prompts_of_one(3)[1].said), (0.0, 1.0))
    assert {len(values) for values in rows.values()} == {2} and rows.keys() == {"asked", "valid", "both"}


def test_codes_in_use(monkeypatch):
    pictures = own.unseen_scenes(6)[0]
    monkeypatch.setattr(own, "unseen_scenes", lambda n, two=False: (pictures, None))
    assert own.codes_in_use(AsTheyAre(pictures), 6) == pytest.approx({"used": 6.0, "perplexity": 6.0})


def test_completions_keep_what_is_given(system):
    pictures = own.completed(system, 3, rows=8)
    given = scenes.draw(prompts_of_one(3)[1].said, torch.Generator().manual_seed(0))
    assert torch.equal(pictures, system.decode(system.encode(given)))


def test_seconds_are_of_both_ways(system):
    found = own.writing_seconds(system, 2, 1)
    assert 0 < found["cached"] < found["anew"]


@pytest.mark.parametrize("name", KNOWN)
def test_every_recipe_of_this_notebook_trains_at_smoke_size(name, tmp_path):
    recipe = KNOWN[name]
    model, card, history = run.train_recipe(recipe, "smoke", tmp_path, {"steps": 2})
    assert history.steps == 2 and card.metrics.keys() >= {"training_seconds"}
    again = load_file(tmp_path / f"{name}.smoke.steps-2.safetensors")[0]
    assert type(again) is type(model) and again.config == model.config


def test_a_writer_knows_its_words():
    words = batches.reading_words()
    assert isinstance(words, Tokenizer) and len(words) == recipes.beginning_to_write().words
    assert isinstance(recipes.beginning_to_write(), DALLE)
