"""Notebook 06: noise, filters, the network with skip connections, the ideal denoiser, and what ships."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import scenes, sets
from helpers.data.noise import add_noise
from helpers.lessons.denoising import experiments, filters
from helpers.lessons.denoising import recipes as entries
from helpers.metrics.pictures import mse, psnr
from helpers.models.denoising import PointDenoiser, denoising_loss, ideal_denoiser, log_density, weighted_denoising_loss
from helpers.models.small_unet import UNET_WIDTHS, SmallUNet, Up
from helpers.training import recipes
from helpers.training.checkpoints import load
from helpers.training.loop import train

# -- noise -----------------------------------------------------------------------------------------


def test_the_level_of_noise_is_quoted_on_0_1():
    x = torch.rand(400, 3, 16, 16) * 2 - 1
    for sigma in (0.05, 0.5):
        assert mse(add_noise(x, sigma), x).mean().sqrt() == pytest.approx(sigma, rel=0.01)
    assert torch.equal(add_noise(x, 0), x)


def test_each_picture_can_have_a_level_of_its_own():
    sigma = torch.tensor([0.0, 0.1, 0.4])
    noise = add_noise(torch.zeros(3, 3, 64, 64), sigma) / 2
    assert noise.flatten(1).std(1).tolist() == pytest.approx(sigma.tolist(), rel=0.03)


def test_noise_comes_from_its_generator_and_is_not_clamped():
    x = torch.ones(1, 3, 8, 8)
    first, again = (add_noise(x, 0.3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first, add_noise(x, 0.3)) and first.max() > 1


@pytest.mark.parametrize(("sigma", "message"), [
    (-0.1, "at least 0; sigma is -0.1"), (float("inf"), "finite and at least 0"),
    (torch.tensor([0.1, float("nan")]), "at least 0"),
    (torch.tensor([0.1, 0.2, 0.3]), r"one for each of 2 pictures; got shape \(3,\)"),
    (torch.full((2, 1, 1, 1), 0.1), "one for each of 2 pictures"),
])
def test_levels_that_make_no_sense_are_refused(sigma, message):
    with pytest.raises(ValueError, match=message):
        add_noise(torch.zeros(2, 3, 8, 8), sigma)


def test_whole_numbers_are_no_pictures():
    with pytest.raises(ValueError, match="pictures are floats"):
        add_noise(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 0.1)


# -- filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(filters.FILTERS))
def test_a_filter_leaves_a_plain_picture_alone_and_lowers_the_error_of_a_noisy_one(name):
    plain = torch.tensor([-1.0, 0.25, 0.5])[None, :, None, None].expand(2, 3, 32, 32)
    strength = filters.GRID[name][3]
    torch.testing.assert_close(filters.apply(name, plain, 0.1, strength), plain, atol=1e-3, rtol=0)
    noisy = add_noise(plain * 0.5, 0.1)
    cleaned = filters.apply(name, noisy, 0.1, strength)
    assert cleaned.dtype == noisy.dtype and mse(cleaned, plain * 0.5).max() < 0.5 * 0.01


def test_filters_give_every_channel_its_own_result():
    x = torch.rand(1, 3, 16, 16) - 0.5
    for name in ("median", "gaussian"):
        y, flipped = (filters.apply(name, z, 0.1, 3) for z in (x, x.flip(1)))
        torch.testing.assert_close(y.flip(1), flipped)


def test_tuning_finds_the_strength_of_least_error():
    x = scenes.make_scenes(12, seed=3)[0]
    for name in ("median", "gaussian"):
        found = filters.tune(name, x, 0.3)
        noisy = add_noise(x, 0.3, torch.Generator().manual_seed(0))
        error = {s: psnr(x, filters.apply(name, noisy, 0.3, s)).mean() for s in filters.GRID[name]}
        assert error[found] == max(error.values()) and found > filters.GRID[name][0]


@pytest.mark.parametrize("kind", experiments.WORLDS)
@pytest.mark.parametrize("name", ["median", "gaussian"])
def test_the_recorded_strengths_are_those_that_tuning_finds(kind, name):
    clean = filters.tuning_pictures(kind)
    for level in (0.1, 0.5):
        assert filters.STRENGTHS[kind][name][filters.LEVELS.index(level)] == filters.tune(name, clean, level)


def test_no_recorded_strength_lies_at_the_end_of_what_was_tried():
    for table in filters.STRENGTHS.values():
        for name in ("gaussian", "variation", "nlm"):
            assert filters.GRID[name][0] < min(table[name]) and max(table[name]) < filters.GRID[name][-1], name


@pytest.mark.parametrize("kind", experiments.WORLDS)
@pytest.mark.parametrize("name", ["variation", "nlm"])
def test_the_slow_filters_are_at_their_best_too(kind, name):
    """On the tuning pictures, no neighbour in the grid does better."""
    clean, grid = filters.tuning_pictures(kind), filters.GRID[name]
    found = filters.STRENGTHS[kind][name][filters.LEVELS.index(0.3)]
    noisy, place = add_noise(clean, 0.3, torch.Generator().manual_seed(0)), grid.index(found)
    found_psnr = {s: psnr(clean, filters.apply(name, noisy, 0.3, s)).mean() for s in grid[place - 1 : place + 2]}
    assert len(found_psnr) == 3 and found_psnr[found] == max(found_psnr.values())


@pytest.mark.parametrize(("name", "level", "message"), [
    ("nlm", 0.6, "up to a level of 0.5; got 0.6"), ("nlm", 0, "above 0; got 0"), ("nlm", -0.1, "above 0; got -0.1"),
])
def test_levels_that_filters_were_not_tuned_for_are_refused(name, level, message):
    with pytest.raises(ValueError, match=message):
        filters.denoise(name, "scenes", torch.zeros(1, 3, 8, 8), level)


def test_an_unknown_filter_is_named():
    with pytest.raises(ValueError, match="no filter is named 'mean': choose one of median, gaussian"):
        filters.apply("mean", torch.zeros(1, 3, 8, 8), 0.1, 1)


# -- the network with skip connections -------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(inputs=st.integers(3, 5), outputs=st.integers(1, 3), residual=st.booleans(), size=st.sampled_from([8, 32, 40]),
       widths=st.sampled_from([UNET_WIDTHS, (8, 8, 8, 8), (8, 16, 8, 24)]))
def test_any_sizes_fit_together(inputs, outputs, residual, size, widths):
    model = SmallUNet(inputs, outputs, widths, residual)
    x = torch.randn(2, inputs, size, size)
    assert model(x).shape == (2, outputs, size, size)
    again = SmallUNet(**model.config)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(x), model(x))


def test_an_untrained_residual_network_changes_nothing_and_learns():
    model, x = SmallUNet(4, 3, (8, 8, 8, 8)), torch.randn(2, 4, 16, 16)
    assert torch.equal(model(x), x[:, :3])
    model(x).square().sum().backward()
    assert model.picture.weight.grad.abs().sum() > 0


def test_details_pass_beside_the_bottom():
    """Whatever the bottom says, each resolution's skip reaches the output; and the bottom reaches every place."""
    model = SmallUNet(widths=(8, 8, 8, 8), residual=False)
    x = torch.randn(1, 3, 32, 32)
    for name in ("block0", "block1", "block2", "block3"):
        heard = []
        handle = getattr(model, name).register_forward_hook(lambda module, args, out, heard=heard: heard.append(out))
        y = model(x)
        handle.remove()
        gradient = torch.autograd.grad(y.square().sum(), heard[0])[0]
        assert gradient.abs().amax(1).min() > 0, name
    skip = torch.randn(1, 8, 16, 16, requires_grad=True)
    up = Up(8, 8)
    up(torch.zeros(1, 8, 8, 8), skip).sum().backward()
    assert skip.grad.abs().sum() > 0


@pytest.mark.parametrize(("wrong", "message"), [
    ({"widths": (16, 24, 32)}, "four multiples of 8"), ({"widths": (16, 24, 32, 4)}, "four multiples of 8"),
    ({"inputs": 1, "outputs": 3}, "inputs >= outputs"), ({"outputs": 0}, "inputs >= outputs"),
])
def test_networks_that_cannot_be_built_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SmallUNet(**wrong)


@pytest.mark.parametrize("shape", [(2, 4, 32, 32), (2, 3, 28, 28), (3, 32, 32)])
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(B, 3, S, S\) with S a multiple of 8"):
        SmallUNet(widths=(8, 8, 8, 8))(torch.zeros(shape))


def test_it_learns_one_batch():
    x = scenes.make_scenes(8, seed=0)[0]
    batch, model = (add_noise(x, 0.3), x), SmallUNet(widths=(8, 8, 8, 8))
    before = denoising_loss(model, batch)[0].item()
    train(model, lambda step: batch, denoising_loss, 60, lr=1e-2, label=None)
    assert denoising_loss(model, batch)[0].item() < before / 5


# -- the best denoiser -----------------------------------------------------------------------------


def test_the_ideal_denoiser_weighs_points_by_their_probability():
    points, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.25, 7.0]])
    weight = math.exp(-(0.75**2) / 0.32) / (math.exp(-(0.75**2) / 0.32) + math.exp(-(0.25**2) / 0.32))
    assert ideal_denoiser(y, points, 0.4)[0].tolist() == pytest.approx([weight, 0], abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(d=st.integers(1, 4), sigma=st.floats(0.1, 1.5), seed=st.integers(0, 99))
def test_its_residual_is_the_gradient_of_the_log_density(d, sigma, seed):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(7, d, generator=generator, dtype=torch.float64)
    y = torch.randn(5, d, generator=generator, dtype=torch.float64, requires_grad=True)
    score = torch.autograd.grad(log_density(y, points, sigma).sum(), y)[0]
    torch.testing.assert_close((ideal_denoiser(y, points, sigma) - y).detach() / sigma**2, score, atol=1e-8, rtol=1e-6)


def test_the_density_is_a_density():
    points, grid = torch.tensor([[-1.0], [0.5], [0.6]]), torch.linspace(-6, 6, 4001)[:, None]
    assert torch.trapezoid(log_density(grid, points, 0.3).exp(), grid[:, 0]).item() == pytest.approx(1, abs=1e-4)


def test_no_denoiser_has_a_smaller_error():
    points = torch.randn(30, 2)
    x = points[torch.randint(30, (20_000,))]
    y = x + 0.5 * torch.randn_like(x)
    ideal = ideal_denoiser(y, points, 0.5)
    error = (ideal - x).square().mean()
    for other in (y, 0.9 * ideal + 0.1 * y, 1.1 * ideal, points[torch.cdist(y, points).argmin(1)]):
        assert error < (other - x).square().mean()


@pytest.mark.parametrize("function", [ideal_denoiser, log_density])
def test_a_density_needs_a_width(function):
    with pytest.raises(ValueError, match="above 0, in units of the points; got 0"):
        function(torch.zeros(1, 2), torch.zeros(3, 2), 0)


@pytest.mark.parametrize(("y", "points"), [((2, 2), (3, 1)), ((2, 2), (0, 2)), ((2,), (3, 2))])
def test_points_of_another_width_are_refused(y, points):
    with pytest.raises(ValueError, match=r"expected \(B, D\) and \(N, D\), N at least 1"):
        ideal_denoiser(torch.zeros(y), torch.zeros(points), 1.0)


def test_a_point_denoiser_knows_its_level():
    model = PointDenoiser(0.2, hidden=8)
    assert model(torch.randn(5, 2)).shape == (5, 2) and PointDenoiser(**model.config).config == model.config


def test_the_loss_compares_with_the_clean_picture():
    noisy, clean = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    loss, parts = denoising_loss(torch.nn.Identity(), (noisy, clean))
    assert loss == 1 and parts["mse"] == 0.25


# -- recipes and weights ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scenes-code", "scenes-unet", "emoji-code", "emoji-unet"])
def test_batches_are_noisy_pictures_clean_ones_and_their_levels(name):
    torch.manual_seed(1)
    noisy, clean, sigma = recipes.find(f"dae-{name}").batches(100)(0)
    level = mse(noisy, clean).sqrt()
    assert clean.abs().max() <= 1 and noisy.shape == clean.shape == (32, 3, 32, 32)
    assert level.tolist() == pytest.approx(sigma.tolist(), rel=0.05), "of each picture its own"
    assert sigma.min() < 0.1 and 0.4 < sigma.max() < experiments.LOUDEST
    assert sigma.mean() == pytest.approx(experiments.LOUDEST / 2, abs=0.08)


def test_turned_emoji_are_training_emoji_in_other_guises(monkeypatch):
    """With one picture to choose from, a batch holds its quarter turns, some with their channels exchanged."""
    one = torch.rand(3, 8, 8) * 2 - 1
    monkeypatch.setattr(entries, "emoji_batches", lambda batch: lambda step: one.expand(batch, 3, 8, 8))
    _, clean, _ = entries.turned_emoji(64)(0)
    guises = {one.rot90(turns, (1, 2))[list(order)].numpy().tobytes() for turns in range(4)
              for order in itertools.permutations(range(3))}
    seen = {x.contiguous().numpy().tobytes() for x in clean}
    assert seen <= guises and len(seen) > 12
    upright = {one.rot90(turns, (1, 2)).contiguous().numpy().tobytes() for turns in range(4)}
    assert upright <= seen and 0.4 < sum(x.contiguous().numpy().tobytes() in upright for x in clean) / 64 < 0.8


def test_the_weighted_loss_weighs_each_picture_by_its_level():
    noisy, clean = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    clean[1] = 2
    loss, parts = weighted_denoising_loss(torch.nn.Identity(), (noisy, clean, torch.tensor([0.1, 0.4])), pivot=0.1)
    assert loss.item() == pytest.approx((1 * 0.1 / 0.2 + 4 * 0.1 / 0.5) / 2) and parts["mse"] == (1 + 4) / 2 / 4


def test_new_pictures_are_of_no_training_set():
    test = {x.numpy().tobytes() for x in experiments.new_pictures("emoji", 50)}
    train_images = sets.load_emoji("train").images
    assert len(test) == 50 and not test & {x.numpy().tobytes() for x in train_images}


def test_to_apply_a_network_again_is_to_feed_it_its_answers():
    half = torch.nn.Sequential(torch.nn.Identity())
    half.forward = lambda y: y / 2
    assert experiments.again(half, torch.full((1, 1, 1, 1), 8.0), 3) == 1
    assert experiments.again(half, torch.full((1, 1, 1, 1), 8.0), 0) == 1, "clamped at the end"


def test_to_denoise_and_renoise_is_to_end_without_noise():
    """A model that knows one picture ends there; and each answer but the last gets noise, the less the later."""
    heard, target = [], torch.full((4, 3, 32, 32), 0.5)

    def model(y):
        heard.append((y - target).std().item() / 2)
        return target

    assert torch.equal(experiments.denoise_and_renoise(model, experiments.pure_noise(4), 5), target)
    assert heard == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1], rel=0.02)


@pytest.mark.parametrize("kind", experiments.WORLDS)
def test_every_denoiser_improves_on_doing_nothing(kind):
    x = experiments.new_pictures(kind, 40)
    y = experiments.with_noise(x, 0.3)
    found = {name: experiments.mean_psnr(x, denoise(y, 0.3)) for name, denoise in experiments.denoisers(kind).items()}
    assert min(value for name, value in found.items() if name != "nothing") > found["nothing"] + 2
    assert max(found, key=found.get) == "skips"


def test_a_shipped_network_has_learned_more_than_its_training_level():
    """Blind: fed with one picture at two levels, it removes two amounts, each about what was added."""
    model, x = load("dae-scenes-unet")[0], experiments.new_pictures("scenes", 60)
    for sigma in (0.1, 0.4):
        y = experiments.with_noise(x, sigma)
        with torch.no_grad():
            assert (model(y) - y).square().mean().sqrt() / 2 == pytest.approx(sigma, rel=0.05)
