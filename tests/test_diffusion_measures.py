"""What notebook 12 measures, its figures, its exercises, and how its knobs behave."""

import re

import pytest
import torch
from played import check_knobs, play

from helpers.course import notebook_files
from helpers.course.scores import PATH
from helpers.data import scenes
from helpers.data.batches import scene_batches
from helpers.data.files import read_json
from helpers.diffusion.ideal import posterior_mean
from helpers.diffusion.samplers import reverse_step
from helpers.lessons.diffusion import drawings, exercises, recipes
from helpers.lessons.diffusion import experiments as diffusion
from helpers.models.unet import UNet
from helpers.training import tuning
from helpers.training.checkpoints import load
from helpers.training.loop import train

SCHEDULE = diffusion.SCHEDULE
WORLD, FACTORS = scenes.make_scenes(6, 3)
IDEAL = posterior_mean(WORLD, SCHEDULE)  # it can draw these six pictures and nothing else


def test_a_seed_draws_the_same_pictures_however_many_at_once():
    whole, parts = (diffusion.draw_new(IDEAL, 7, 8, 0.0, seed=2, at_once=k) for k in (100, 3))
    assert whole.shape == (7, 3, 32, 32) and torch.allclose(whole, parts, atol=1e-5)
    assert diffusion.nearest_of(whole, WORLD)[0].max() < 1e-3, "an ideal denoiser draws what it knows"
    assert not torch.equal(whole, diffusion.draw_new(IDEAL, 7, 8, 0.0, seed=3))


def test_fresh_noise_is_the_seeds_too():
    first, again, other = (diffusion.draw_new(IDEAL, 4, 20, 1.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_path_is_all_of_its_steps():
    x = torch.randn(2, 3, 32, 32)
    times, noisy, guesses = diffusion.path(IDEAL, x, steps=5)
    assert times == [800, 600, 400, 200, 0] and noisy.shape == guesses.shape == (5, 2, 3, 32, 32)
    assert torch.allclose(guesses[0], IDEAL(x, 1000)) and torch.allclose(noisy[-1], guesses[-1])
    step = reverse_step(noisy[0], guesses[1], SCHEDULE, 800, 600, 0.0)[0]
    assert torch.allclose(noisy[1], step, atol=1e-5)


def test_what_has_settled():
    guesses = torch.stack([WORLD[[1, 1]], WORLD[[0, 1]]])
    found = diffusion.settled(guesses)
    for place, name in enumerate(scenes.FACTORS):
        same = bool(FACTORS[0, place] == FACTORS[1, place])
        assert found[name].tolist() == [[same, True], [True, True]], name
    assert found["valid"].all()
    assert not diffusion.settled(torch.zeros(1, 1, 3, 32, 32))["valid"].any()


def test_the_nearest_one():
    pictures = WORLD[[4, 2]] + torch.tensor([0.1, -0.2])[:, None, None, None]
    far, which = diffusion.nearest_of(pictures, WORLD)
    assert which.tolist() == [4, 2] and far.tolist() == pytest.approx([0.1, 0.2], abs=1e-4)


def test_fillings_keep_what_is_known_and_differ_in_the_rest():
    half = diffusion.right_part(18)
    assert half.sum() == 18 * 32 and half[0, :, 14:].all()
    twins = torch.cat([WORLD[:1], torch.where(half, WORLD[1:2], WORLD[:1])])  # two that agree in the known part
    found = diffusion.fillings(posterior_mean(twins, SCHEDULE), WORLD[0], half, n=12, steps=20)
    assert (found - WORLD[0]).abs()[:, :, ~half[0]].max() < 1e-5
    assert set(diffusion.nearest_of(found, twins)[1].tolist()) == {0, 1}, "both answers are drawn"


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.3, 0.5])
def test_notebook_06s_noise_has_its_time_here(sigma):
    t = diffusion.at_noise(sigma)
    assert (SCHEDULE.noise[t] / SCHEDULE.signal[t]).item() == pytest.approx(2 * sigma, rel=0.01)
    noisy = WORLD + 2 * sigma * torch.randn(WORLD.shape, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(diffusion.in_one_step(IDEAL, noisy, sigma), WORLD, atol=1e-3)


def test_the_spread_of_real_scenes():
    found = diffusion.spread(scenes.parse(scenes.make_scenes(1000, 5)[0]))
    assert found["kinds"] == 84 and 1 < found["most"] < 3
    one = diffusion.spread(scenes.parse(WORLD[[0] * 10]))
    assert one == {"kinds": 1, "most": pytest.approx(84)}


def test_errors_of_networks_that_are_known():
    def exact(x, t):  # its answer when all that it can say is the mean of all pictures
        return torch.zeros_like(x)

    power = scenes.make_scenes(200, diffusion.NEW_SCENES_SEED)[0].square().mean().item()
    assert list(diffusion.errors("x0", exact).values()) == pytest.approx([power] * len(diffusion.ERROR_TIMES), rel=1e-4)
    heard = []
    diffusion.errors("x0", lambda x, t: heard.append(t.unique().item()) or exact(x, t), told=False, n=2)
    assert heard == [0] * len(diffusion.ERROR_TIMES)
    silent = diffusion.errors("eps", exact, n=50)["100"]  # no noise is seen: the guess is x_t / signal, clamped
    assert 0.3 * (0.1 / 0.9) ** 2 < silent < (0.1 / 0.9) ** 2


def test_an_untold_network_is_trained_untold():
    recipe = {one.name: one for one in recipes.recipes()}["denoiser-untold"]
    heard = []

    class Listener(torch.nn.Module):
        def forward(self, x, t):
            heard.append(t.abs().max().item())
            return x

    recipe.loss(Listener(), WORLD)
    assert heard == [0]


def test_the_last_pictures_are_those_that_the_loop_saw(monkeypatch):
    seen = []

    class Nothing(torch.nn.Linear):
        def forward(self, x):
            seen.append(x)
            return (0 * self.weight).sum() + 1

    monkeypatch.setattr(recipes, "PROCESSES", 1)
    monkeypatch.setattr(recipes, "TRAINING_STEPS", 3)
    train(Nothing(1, 1), scene_batches(recipes.BATCH), lambda net, x: (net(x), {"part": 1.0}), 3, label=None)
    assert torch.equal(recipes.last_pictures(100), torch.cat(seen[-2:])) and len(seen) == 3


def test_what_was_tried_is_the_mean_of_three_seeds():
    levels, errors = diffusion.tried(["edm"])["edm"]
    each = [tuning.find("denoiser-edm", seed=seed)["500"] for seed in range(3)]
    assert len(set(each)) == 3
    assert errors[levels.index(500)] == pytest.approx(sum(each) / 3, rel=1e-5)


@pytest.fixture(scope="module")
def shipped():
    return diffusion.denoiser(load("diffusion-scenes")[0])


def test_the_shipped_network_draws_as_recorded(shipped):
    """What test_scores.py leaves out: 60 pictures with other noise, whose shares lie where those of 300 do."""
    shares = scenes.parse(diffusion.draw_new(shipped, 60, 16, 1.0, seed=9)).shares()
    for name, suffix in (("valid", ""), ("nameable", ".nameable")):
        wanted = read_json(PATH)["scores"][f"diffusion.steps.ddpm.16{suffix}"]["value"]
        error = (wanted * (1 - wanted) * (1 / 60 + 1 / 300)) ** 0.5
        assert abs(shares[name] - wanted) < 3.5 * error, name


def test_the_shipped_network_fills_a_hole_as_the_rest_of_the_picture_asks(shipped):
    square = scenes.draw(torch.tensor([[1, 0, 1, 1, 1, 0]]))[0]                 # most of a big red square is in sight
    half = diffusion.right_part(12)
    filled = diffusion.fillings(shipped, square, half, 4, seed=0)
    empty = torch.where(half, 0.0, square)  # what is hidden left grey, as the ground is
    assert (filled - square).square().mean() < (empty - square).square().mean() / 4


def test_the_figure_of_the_network_has_a_box_for_each_size():
    net = UNet(size=16, widths=(8, 16, 24), reads=1)
    said = drawings.timed_unet(net, torch.randn(1, 3, 16, 16), 600)._repr_svg_()
    sizes = ["8 × 16²", "8 × 16²", "16 × 8²", "16 × 8²", "24 × 4²"]  # row by row: on the way down, and up again
    assert re.findall(r"\d+ × \d+²", said) == sizes
    assert "600: as" in said and "128 numbers" in said


def test_a_strip_has_two_rows():
    picture = drawings.strip([900, 0], torch.randn(2, 3, 32, 32), torch.stack([torch.zeros(3, 32, 32), WORLD[0]]))
    one = drawings.strip([0], WORLD[:1], WORLD[:1])
    assert picture.dtype.name == "uint8" and picture.shape[0] >= 2 * 2 * 32 and picture.shape[1] > one.shape[1]


# -- exercises -----------------------------------------------------------------------------------------------------


def step(x, x0, a, b, c, d):
    return c * x0 + d * (x - a * x0) / b


@pytest.mark.parametrize(("make", "answer", "said"), [
    ("ddim_step", step, "✓"),
    ("ddim_step", lambda x, x0, a, b, c, d: x, "levels of s"),
    ("ddim_step", lambda x, x0, a, b, c, d: c * x0, "guess alone"),
    ("ddim_step", lambda x, x0, a, b, c, d: c * x0 + x - a * x0, "of time t"),
    ("ddim_step", lambda x, x0, a, b, c, d: c * x0 - d * (x - a * x0) / b, "✗"),
    ("ddim_step", lambda *given: ..., "○"),
    ("from_v", lambda x, v, a, b: (a * x - b * v, b * x + a * v), "✓"),
    ("from_v", lambda x, v, a, b: (b * x + a * v, a * x - b * v), "in the order"),
    ("from_v", lambda x, v, a, b: (a * x + b * v, b * x + a * v), "a sign"),
    ("from_v", lambda x, v, a, b: a * x - b * v, "two tensors"),
    ("how_near", lambda a, b: diffusion.nearest_of(a, b)[0], "✓"),
    ("how_near", lambda a, b: torch.cdist(a.flatten(1), b.flatten(1)).min(1).values, "over the 48"),
    ("how_near", lambda a, b: torch.cdist(a.flatten(1), b.flatten(1)).min(0).values, "✗"),
    ("how_near", lambda a, b: torch.cdist(a.flatten(1), b.flatten(1)).mean(1) / 48**0.5, "✗"),
])
def test_exercises_tell_mistakes_apart(make, answer, said, capsys):
    getattr(exercises, make)().check(answer)
    assert said in capsys.readouterr().out


# -- the page ------------------------------------------------------------------------------------------------------


LONG = ("path(denoise, many", "certainty(", "last_pictures(", "network_gap(", "letter_distances", "tried(")


@pytest.fixture(scope="module")
def played():
    """The page without what takes long and no knob needs, and with a letter that is hardly learned."""
    def wanted(cell):
        left_out = any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "exercise", "solution", "drawing"))
        return not left_out and not any(words in cell.source for words in LONG)

    return play("12_diffusion.ipynb", wanted, lambda source: source.replace("2500, lr", "50, lr"))


@pytest.mark.parametrize("which", range(5))
def test_every_knob_changes_the_picture_and_not_its_shape(played, which):
    assert len(played[1]) == 5
    check_knobs(played[1][which])


def test_fresh_noise_comes_late_and_is_the_functions_of_each_step():
    """A path with the function is that of its numbers, step by step; all noise fresh, x keeps the guess alone."""
    x = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert [diffusion.fresh_late(t) for t in (1000, 701, 700, 20)] == [1.0, 1.0, 3.0, 3.0]
    times, states, guesses = diffusion.path(IDEAL, x, 20, diffusion.fresh_late)
    mean, std = reverse_step(states[8], guesses[9], SCHEDULE, times[8], times[9], 3.0)
    assert times[8] <= 700 and std == SCHEDULE.noise[times[9]].item(), "nothing of the old noise is left"
    torch.testing.assert_close(mean, SCHEDULE.signal[times[9]].float() * guesses[9])
    plain = diffusion.path(IDEAL, x, 20, 1.0)[1]
    assert torch.equal(states[5], plain[5]) and times[5] == 700 and not torch.equal(states[6], plain[6])
    with pytest.raises(ValueError, match="eta is a number from 0"):
        diffusion.path(IDEAL, x, 20, lambda t: -1.0)
