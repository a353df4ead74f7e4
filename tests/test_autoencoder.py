"""The autoencoder: shapes, the identity at the start, learning one batch, and every shipped weight."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import manifest, scenes
from helpers.data.batches import BATCH, scene_batches
from helpers.models.autoencoder import PRESETS, Autoencoder, PlainAutoencoder, ResBlock, reconstruction_loss
from helpers.training import recipes
from helpers.training.checkpoints import load
from helpers.training.loop import train


@settings(max_examples=12, deadline=None)
@given(latent=st.integers(1, 40), channels=st.sampled_from([1, 3]), size=st.sampled_from([8, 32, 40]),
       width=st.sampled_from([16, 48]), bottom=st.sampled_from([8, 32]), hidden=st.integers(1, 64))
def test_any_sizes_fit_together(latent, channels, size, width, bottom, hidden):
    model = Autoencoder(latent, channels, size, width, bottom, hidden)
    x = torch.rand(2, channels, size, size) * 2 - 1
    z = model.encode(x)
    assert z.shape == (2, latent) and model.decode(z).shape == x.shape
    again = Autoencoder(**model.config)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(x), model(x))


@pytest.mark.parametrize("wrong", [{"latent": 0}, {"size": 28}, {"width": 24}, {"bottom": 12}])
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="multiples of 8"):
        Autoencoder(**{"latent": 4} | wrong)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected pictures \(B, 3, 32, 32\); got \(2, 1, 28, 28\)"):
        Autoencoder(4)(torch.zeros(2, 1, 28, 28))


def test_a_fresh_block_is_the_identity_and_still_learns():
    block, x = ResBlock(16), torch.randn(2, 16, 8, 8)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.conv2.weight.grad.abs().sum() > 0


def test_a_picture_depends_on_its_own_code_alone():
    model = Autoencoder(6, **PRESETS["small"]).train()
    z, x = torch.randn(3, 6), scenes.make_scenes(3, seed=0)[0]
    torch.testing.assert_close(model.decode(z[:1]), model.decode(z)[:1], atol=1e-5, rtol=0)
    torch.testing.assert_close(model.encode(x[:1]), model.encode(x)[:1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("hidden", [None, 32])
@pytest.mark.parametrize("normalise", [False, True])
def test_the_plain_autoencoder_has_the_parts_it_is_asked_for(hidden, normalise):
    model = PlainAutoencoder(8, hidden, normalise)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 3, 32, 32)
    kinds = [type(module) for module in model.modules()]
    assert kinds.count(torch.nn.Linear) == (4 if hidden else 2)
    assert kinds.count(torch.nn.GroupNorm) == (5 if normalise else 0)
    assert model.encoder(torch.zeros(2, 3, 32, 32)).shape == (2, 8)


def test_the_loss_is_the_mean_squared_error_and_a_quarter_of_it_on_0_1():
    model, x = Autoencoder(4), scenes.make_scenes(3, seed=0)[0]
    loss, parts = reconstruction_loss(model, x)
    assert loss.item() == pytest.approx(((model(x) - x) ** 2).sum().item() / x.numel(), rel=1e-5)
    unit = F.mse_loss((model(x) + 1) / 2, (x + 1) / 2)
    assert parts["mse"].item() == pytest.approx(unit.item(), rel=1e-5) and not parts["mse"].requires_grad


def test_it_learns_one_batch_by_heart():
    torch.manual_seed(0)
    model, x = Autoencoder(16, **PRESETS["small"]), scenes.make_scenes(8, seed=0)[0]
    history = train(model, lambda step: x, reconstruction_loss, 250, label=None)
    assert history.parts["mse"][-1] < 0.05 * history.parts["mse"][0]


def test_every_recipe_builds_draws_and_scores_its_batch():
    for recipe in recipes.group("autoencoder"):
        if "mnist" in recipe.name:
            continue  # its data is not shipped: tests/test_scores.py covers it
        torch.manual_seed(recipe.seed)
        model, x = recipe.build(), recipe.batches(recipe.steps)(0)
        assert model(x).shape == x.shape == (BATCH, 3, 32, 32)
        assert x.min() >= -1 and x.max() <= 1
        loss, parts = recipe.loss(model, x)
        assert loss.requires_grad and set(parts) == {"mse"}
        large = recipe.at("gpu")
        assert large.steps > recipe.steps and large.build()(large.batches(large.steps)(0)).shape[1:] == (3, 32, 32)


@pytest.mark.parametrize(("name", "figures"), [
    ("autoencoder-scenes-8", {"mse", "all_six"}), ("autoencoder-emoji-8", {"mse"}),
])
def test_the_card_of_a_recipe_holds_what_its_evaluation_gives(name, figures):
    model, card = load(name)
    found = recipes.find(name).evaluate(model)
    assert set(found) == figures
    for figure, value in found.items():
        assert value == pytest.approx(card.metrics[figure], rel=0.01, abs=0.002)


def test_a_batch_of_scenes_never_holds_what_is_held_out():
    torch.manual_seed(0)
    x = torch.cat([scene_batches(500)(step) for step in range(4)])
    read = scenes.parse(x).factors
    pairs = {(scenes.SHAPES[s], scenes.COLOURS[c]) for s, c in read[:, :2].tolist()}
    assert not pairs & set(scenes.HELD_OUT) and len(pairs) == 28


def test_all_weights_of_the_sweep_ship_and_are_what_their_recipes_describe():
    listed = {name.removeprefix("weights/").removesuffix(".safetensors") for name in manifest.read()}
    for recipe in recipes.group("autoencoder"):
        if recipe.name.endswith("-judged"):  # notebook 09's, of which figures alone are kept
            continue
        assert recipe.name in listed
        model, card = load(recipe.name)
        assert card.config == recipe.build().config and card.data == recipe.data and card.seed == recipe.seed
        assert card.command == f"python -m helpers.train {recipe.name} --size full"
        assert card.curve["step"][-1] == pytest.approx(recipe.steps, rel=0.01)
