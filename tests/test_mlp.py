"""The MLP: against matrices by hand, its copies side by side, the toy data, the trials, and every shipped weight."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import manifest, scenes, two_classes
from helpers.lessons.mlp import exercises, experiments
from helpers.lessons.mlp import recipes as entries
from helpers.models.mlp import MLP, Copies, Grid, MLPAutoencoder, classification_loss
from helpers.training import recipes, tuning
from helpers.training.checkpoints import load
from helpers.training.loop import train

BENDS = {"none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "silu": F.silu}


def pairs(model):
    """(weight, bias) of each layer."""
    return [(layer.weight, layer.bias) for layer in model.layers if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize("activation", BENDS)
def test_layers_are_matrix_bias_and_bend(activation):
    model, x, bend = MLP([3, 5, 4, 2], activation), torch.randn(7, 3), BENDS[activation]
    (w1, b1), (w2, b2), (w3, b3) = pairs(model)
    torch.testing.assert_close(model(x), bend(bend(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3)


@pytest.mark.parametrize(("sizes", "activation", "message"), [
    ([2], "relu", "sizes are those of the input"), ([2, 0, 2], "relu", "sizes are those"),
    ([2, 4, 2], "sigmoid", "unknown activation 'sigmoid': choose one of none, relu"),
])
def test_wrong_shapes_are_refused(sizes, activation, message):
    for build in (MLP, lambda *args: Copies(3, *args)):
        with pytest.raises(ValueError, match=message):
            build(sizes, activation)


@pytest.mark.parametrize("activation", BENDS)
def test_a_copy_is_the_mlp_that_it_says(activation):
    torch.manual_seed(0)
    copies, x = Copies(4, [2, 6, 6, 3], activation), torch.randn(9, 2)
    together = copies(x)
    assert together.shape == (4, 9, 3)
    for i in range(4):
        torch.testing.assert_close(together[i], copies.copy(i)(x))
    assert not torch.allclose(together[0], together[1])


def test_a_copy_starts_as_an_mlp_does():
    torch.manual_seed(3)
    alone = MLP([2, 5, 2])
    torch.manual_seed(3)
    first = Copies(2, [2, 5, 2], "relu").copy(0)
    for a, b in zip(alone.state_dict().values(), first.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_the_loss_is_the_mean_cross_entropy_of_all_nets():
    torch.manual_seed(0)
    grid, (x, labels) = Grid([1, 2], [3], ["relu", "none"], 2), two_classes.moons(20, seed=0)
    loss, parts = classification_loss(grid, (x, labels))
    one_by_one = [F.cross_entropy(net.copy(i)(x), labels) for net in grid.nets.values() for i in range(2)]
    right = [(net.copy(i)(x).argmax(1) == labels).float().mean() for net in grid.nets.values() for i in range(2)]
    torch.testing.assert_close(loss, torch.stack(one_by_one).mean())
    torch.testing.assert_close(parts["accuracy"], torch.stack(right).mean())
    net = MLP([2, 4, 2])
    torch.testing.assert_close(classification_loss(net, (x, labels))[0], F.cross_entropy(net(x), labels))


def test_the_nets_of_a_grid_train_as_they_would_alone():
    """No weight is shared, no gradient is clipped, and Adam undoes the division by their number."""
    batch = two_classes.moons(100, seed=0)
    torch.manual_seed(0)
    grid = Grid([1, 2], [4], ["relu", "tanh"], 3)
    alone = grid.nets["tanh-2-4"].copy(1)
    history = train(grid, lambda step: batch, classification_loss, 100, lr=1e-2, label=None)
    train(alone, lambda step: batch, classification_loss, 100, lr=1e-2, label=None)
    with torch.no_grad():
        torch.testing.assert_close(grid(batch[0])["tanh-2-4"][1], alone(batch[0]), atol=0.02, rtol=0.02)
    assert max(history.grad_norm) < 1


def test_it_learns_the_spirals_in_seconds():
    torch.manual_seed(0)
    model, batch, (x, labels) = MLP([2, 32, 32, 2]), two_classes.spirals(400, seed=0), two_classes.spirals(1000, seed=1)
    train(model, lambda step: batch, classification_loss, 1000, lr=1e-2, label=None)
    assert (model(x).argmax(1) == labels).float().mean() >= 0.97


# -- autoencoders ----------------------------------------------------------------------------------


def test_an_autoencoder_of_dense_layers():
    model, x = MLPAutoencoder(4, [20, 10], channels=1, size=8), torch.rand(3, 1, 8, 8) * 2 - 1
    z = model.encode(x)
    assert z.shape == (3, 4) and model.decode(z).shape == x.shape
    assert torch.equal(model(x), model.decode(z))
    sizes = [m.out_features for m in model.modules() if isinstance(m, nn.Linear)]
    assert sizes == [20, 10, 4, 10, 20, 64]
    again = MLPAutoencoder(**model.config)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(x), model(x))


def test_shuffled_pixels_come_back():
    x, _ = scenes.make_scenes(3, seed=0)
    moved = experiments.shuffle_pixels(x)
    assert not torch.equal(moved, x) and torch.equal(experiments.shuffle_pixels(moved, back=True), x)
    assert torch.equal(moved[0].flatten(1).sort(1).values, x[0].flatten(1).sort(1).values)
    one = torch.zeros(1, 3, 32, 32)
    one[:, :, 5, 7] = 1  # a pixel moves as a whole
    assert experiments.shuffle_pixels(one).sum((0, 1)).max() == 3


def test_the_convolutional_one_has_a_fifth_of_the_parameters_at_most():
    for place in ("scenes", "emoji"):
        dense, conv = (sum(p.numel() for p in recipes.find(f"{kind}-{place}").build().parameters())
                       for kind in ("dense", "conv"))
        assert 5 * conv <= dense


# -- toy data --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [two_classes.moons, two_classes.spirals])
def test_toy_data(make):
    x, labels = make(200, seed=4)
    assert x.shape == (200, 2) and x.dtype == torch.float32 and x.abs().max() < two_classes.EDGE
    assert labels.dtype == torch.int64 and labels.sum() == 100
    assert torch.equal(x, make(200, seed=4)[0]) and not torch.equal(x, make(200, seed=5)[0])
    state = torch.get_rng_state()
    make(5, seed=0)
    assert torch.equal(state, torch.get_rng_state())


def test_the_second_spiral_is_the_first_turned():
    x, labels = two_classes.spirals(400, seed=0, noise=0)
    angle = torch.atan2(x[:, 1], x[:, 0]) - math.pi * labels
    way = (x.norm(dim=1) - 0.1) / 0.9
    turned = 2 * math.pi * two_classes.TURNS * way - angle
    assert (turned / (2 * math.pi) - (turned / (2 * math.pi)).round()).abs().max() < 1e-4


def test_a_classifier_is_painted_where_it_says():
    plane = two_classes.plane(32)
    assert plane.shape == (1024, 2) and plane[0, 0] < 0 < plane[0, 1]  # the top left
    share = (plane[:, 0] > 0).float()[None]  # class 1 on the right
    picture = two_classes.paint(share, torch.tensor([[-two_classes.EDGE, two_classes.EDGE]]), torch.tensor([1]))
    assert picture.shape == (1, 3, 32, 32) and picture.min() >= -1 and picture.max() <= 1
    left, right = picture[0, :, 16, 2], picture[0, :, 16, 30]
    assert left[2] > left[0] and right[0] > right[2]  # bluer, redder
    assert torch.equal(picture[0, :, 0, 0], two_classes.COLOURS[1])
    assert torch.equal(two_classes.paint(torch.full((1, 4), 0.5)), torch.ones(1, 3, 2, 2))


# -- exercises -------------------------------------------------------------------------------------


def count(sizes):
    return sum((n + 1) * m for n, m in zip(sizes, sizes[1:], strict=False))


@pytest.mark.parametrize(("answer", "verdict"), [
    (count, "✓"),
    (lambda sizes: sum(n * m for n, m in zip(sizes, sizes[1:], strict=False)), "✗"),  # no biases
    (lambda sizes: sum(n * (m + 1) for n, m in zip(sizes, sizes[1:], strict=False)), "✗"),
    (lambda sizes: count(sizes[1:]), "✗"),
    (lambda sizes: ..., "○"),
])
def test_count_parameters(answer, verdict, capsys):
    exercises.count_parameters().check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def collapse(layers, biases=True):
    weight, bias = layers[0]
    for w, b in layers[1:]:
        weight, bias = w @ weight, w @ bias + b if biases else b
    return weight, bias


@pytest.mark.parametrize(("answer", "verdict"), [
    (collapse, "✓"),
    (lambda layers: collapse(layers, biases=False), "✗"),
    (lambda layers: collapse(layers[::-1]), "✗"),
    (lambda layers: (collapse(layers)[0].T, collapse(layers)[1]), "✗"),
    (lambda layers: collapse(layers)[0], "✗"),
    (lambda layers: ..., "○"),
])
def test_collapse(answer, verdict, capsys):
    exercises.collapse().check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def differences(f, w, step, sides=(1, -1)):
    gradient = torch.zeros_like(w)
    for i in range(w.numel()):
        move = torch.zeros_like(w)
        move.view(-1)[i] = step
        gradient.view(-1)[i] = (f(w + sides[0] * move) - f(w + sides[1] * move)) / ((sides[0] - sides[1]) * step)
    return gradient


def careless(f, w, step):
    gradient = torch.zeros_like(w)
    for i in range(w.numel()):
        w.view(-1)[i] += step
        ahead = f(w)
        w.view(-1)[i] -= 2 * step  # and never puts it back
        gradient.view(-1)[i] = (ahead - f(w)) / (2 * step)
    return gradient


@pytest.mark.parametrize(("answer", "hint"), [
    (differences, "✓"),
    (lambda f, w, step: differences(f, w, step, sides=(1, 0)), "look ahead and back"),
    (lambda f, w, step: differences(f, w, step) * 2, "✗"),
    (lambda f, w, step: differences(f, w, step).flatten(), "✗"),
    (careless, "leaves w changed"),
    (lambda f, w, step: ..., "○"),
])
def test_finite_differences(answer, hint, capsys):
    exercises.finite_differences().check(answer)
    assert hint in capsys.readouterr().out


# -- trials ----------------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch):
    """A recipe that trains in no time and tells its learning rate."""
    recipe = recipes.Recipe(
        name="tiny", build=lambda: MLP([2, 2, 2]), batches=lambda steps: lambda step: two_classes.moons(10, seed=step),
        loss=classification_loss, data="", steps=3,
        evaluate=lambda model: {"norm": model.layers[0].weight.norm().item()},
    )
    monkeypatch.setitem(recipes.known(), "tiny", recipe)
    return recipe


def test_each_combination_is_tried_once(tiny, tmp_path, monkeypatch):
    path, runs = tmp_path / "trials.json", []
    run = tuning.run
    monkeypatch.setattr(tuning, "run", lambda recipe: runs.append(recipe) or run(recipe))
    tuning.main(["tiny", "--lr", "1e-3", "1e-2", "--seed", "0", "1"], path)
    tuning.main(["tiny", "--lr", "1e-2", "--seed", "1", "2"], path)
    assert len(runs) == 5 and len(tuning.read(path)) == 5
    figures = tuning.find("tiny", path, lr=1e-2, seed=2)
    assert set(figures) == {"norm", "training_seconds"}
    assert figures["norm"] != tuning.find("tiny", path, lr=1e-3, seed=0)["norm"]
    tuning.main(["tiny", "--lr", "1e-2", "--seed", "2", "--again"], path)
    assert len(runs) == 6 and tuning.find("tiny", path, lr=1e-2, seed=2)["norm"] == figures["norm"]


@pytest.mark.parametrize("change", [{"data": "other moons"}, {"ema": 0.9}, {"build": lambda: MLP([2, 3, 2])}])
def test_figures_of_another_network_or_data_are_not_this_recipes(tiny, tmp_path, monkeypatch, change):
    path = tmp_path / "trials.json"
    tuning.main(["tiny"], path)
    assert tuning.find("tiny", path)["norm"] > 0
    monkeypatch.setitem(recipes.known(), "tiny", replace(tiny, **change))
    with pytest.raises(LookupError, match="no trial 'tiny lr=0.002 steps=3 seed=0' is recorded of that network"):
        tuning.find("tiny", path)


def test_a_missing_trial_names_its_command(tiny, tmp_path, capsys):
    with pytest.raises(LookupError, match="python -m helpers.training.tuning tiny --lr 0.5"):
        tuning.find("tiny", tmp_path / "none.json", lr=0.5)
    with pytest.raises(SystemExit):
        tuning.main(["unknown"], tmp_path / "trials.json")
    assert "no recipe is named" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in entries.BEST_RATE if name != "dense-shuffled"])
def test_each_rate_is_the_best_of_those_tried(name):
    tried = {lr: tuning.find(name, lr=lr, steps=entries.TUNING_STEPS)["mse"] for lr in entries.LEARNING_RATES}
    assert recipes.find(name).lr == min(tried, key=tried.get)


def test_every_recorded_trial_belongs_to_a_recipe():
    for name, figures in tuning.read().items():
        recipe = recipes.find(name.split()[0])
        taken = [value for figure, value in figures.items() if figure.endswith("seconds")]
        assert name.split()[1].startswith("lr=") and taken and min(taken) > 0
        lr, steps, seed, *other = (word.split("=")[1] for word in name.split()[1:])
        if not other:  # else it is of a benchmark or of one core, and read by its key
            assert "training_seconds" in figures
            assert tuning.find(recipe.name, lr=float(lr), steps=int(steps), seed=int(seed)), name


# -- shipped weights -------------------------------------------------------------------------------

SHIPPED = ["mlp-spirals", "dense-scenes", "conv-scenes", "dense-emoji", "conv-emoji", "conv-shuffled"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_what_their_recipe_describes(name):
    recipe, (_, card) = recipes.find(name), load(name)
    assert f"weights/{name}.safetensors" in manifest.read()
    assert card.config == recipe.build().config and card.data == recipe.data and card.seed == recipe.seed
    assert card.command == f"python -m helpers.train {name} --size full"
    assert card.curve["step"][-1] == pytest.approx(recipe.steps, rel=0.01)


def test_all_weights_of_the_notebook_take_6_mb():
    listed = manifest.read()
    assert sum(listed[f"weights/{name}.safetensors"]["bytes"] for name in SHIPPED) <= 6e6


def test_every_recipe_builds_draws_and_scores_its_batch():
    for recipe in entries.recipes():
        torch.manual_seed(recipe.seed)
        loss, parts = recipe.loss(recipe.build(), recipe.batches(recipe.steps)(0))
        assert loss.requires_grad and loss.isfinite() and parts
