"""Notebook 12's own parts: the exact optimum of the scene world, the gap to it, and the page's toys."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.data.scenes import drawing
from helpers.diffusion.forward import SCHEDULES, Schedule, flow_schedule, linear_schedule
from helpers.diffusion.ideal import posterior_mean
from helpers.diffusion.targets import as_denoiser, diffusion_loss
from helpers.lessons.diffusion import gap, toy_drawings, toys
from helpers.lessons.diffusion.optimum import SceneOptimum
from helpers.training.loop import train

SCHEDULE = flow_schedule(shift=4)


def noised(n, t, seed=0, schedule=SCHEDULE):
    x0, factors = scenes.make_scenes(n, seed)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed))
    return x0, factors, schedule.add_noise(x0, t, eps)


@pytest.fixture(scope="module")
def best():
    return SceneOptimum(SCHEDULE)


# -- the optimum -----------------------------------------------------------------------------------


def every_scene(split="train"):
    """Factors of all scenes of a split (n, 6), in the order of FACTORS."""
    rest = list(itertools.product(*(range(len(drawing.VALUES[name])) for name in drawing.FACTORS[2:])))
    return torch.tensor([(*pair, *others) for pair in drawing.pairings(split).tolist() for others in rest])


@pytest.mark.parametrize(("schedule", "t"), [(SCHEDULE, 1000), (SCHEDULE, 700), (SCHEDULE, 400),
                                             (linear_schedule(), 1000), (linear_schedule(), 500)])
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_without_jitter_it_is_the_posterior_mean_of_all_pictures(schedule, t, split):
    """A grid of one point is the middle of the box: what `draw` draws without a generator."""
    pictures = scenes.draw(every_scene(split))
    _, _, x = noised(5, t, schedule=schedule)
    found = SceneOptimum(schedule, split, grid=(1, 1, 1), sharp=0)(x, t)
    torch.testing.assert_close(found, posterior_mean(pictures, schedule)(x, t), atol=2e-5, rtol=0)


def test_the_jitter_is_integrated_where_its_midpoints_are():
    """Two x, one y, two r: the four pictures of each scene, drawn with their places set by hand."""
    factors = every_scene()
    parts, bg = factors[:, None, :5], drawing.BACKGROUND_PALETTE[factors[:, 5]][:, :, None, None]
    colour, place = drawing.PALETTE[factors[:, 1]][:, :, None, None], drawing.placements(parts)[:, 0]
    low, high = torch.tensor(drawing.RADII)[factors[:, 2]].T
    covers = [drawing.coverage(factors[:, 0], place[:, 0] + dx, place[:, 1], low + share * (high - low))[:, None]
              for dx in (-0.6, 0.6) for share in (0.25, 0.75)]
    pictures = torch.cat([bg + cover * (colour - bg) for cover in covers])
    for t in (400, 700):
        x_t = noised(4, t)[2]
        found = SceneOptimum(SCHEDULE, grid=(2, 1, 2), sharp=0)(x_t, t)
        torch.testing.assert_close(found, posterior_mean(pictures, SCHEDULE)(x_t, t), atol=2e-5, rtol=0)


def test_the_grid_is_fine_enough():
    """Against a much finer one, above and below SHARP, and far below it against what is left: three numbers."""
    levels = torch.tensor([0.0, 0.02, 2.2, 2.6, 4.0], dtype=torch.float64)
    schedule = Schedule(torch.ones(5, dtype=torch.float64), levels)
    usual, finer = SceneOptimum(schedule), SceneOptimum(schedule, grid=(10, 10, 4), sharp=0)
    for t in (2, 3, 4):
        x0, _, x = noised(12, t, schedule=schedule)
        error, apart = ((y - x0).square().mean() for y in (finer(x, t), usual(x, t) - finer(x, t) + x0))
        assert apart < 0.004 * error
    x0, _, x = noised(24, 1, schedule=schedule)
    left = (usual(x, 1) - x0).square().mean().item() * x0[0].numel() / 0.02**2
    assert left == pytest.approx(3, abs=4 * (6 / 24) ** 0.5), "chi^2 of three degrees, in units of the noise"
    coarse = SceneOptimum(schedule, sharp=0)
    assert (coarse(x, 1) - x0).square().mean() > 100 * (usual(x, 1) - x0).square().mean()


def steepest(answer, x, x0):
    """How many standard errors the steepest slope of the error is away from 0, along six functions of x_t."""
    directions = (answer, x, torch.ones_like(x), answer.roll(1, 3), F.avg_pool2d(answer, 3, 1, 1), answer**2 - 0.5)
    slopes = [((answer - x0) * way).double().flatten(1).sum(1) for way in directions]                    # (B,) each
    return max((slope.mean() / slope.std()).abs().item() * len(x) ** 0.5 for slope in slopes)


@pytest.mark.parametrize("t", (40, 250, 390, 600, 850, 1000))
def test_nothing_that_x_t_tells_would_lower_the_error(best, t):
    """x0 - E[x0 | x_t] is orthogonal to every function of x_t: each slope of the error is 0, within its noise."""
    x0, _, x = noised(64, t, seed=7)
    assert steepest(best(x, t), x, x0) < 4.5


def test_that_test_can_fail(best):
    """For an optimum that is shrunk by a tenth, of the other split, and a pixel beside its place."""
    x0, _, x = noised(64, 500, seed=7)
    for wrong in (0.9 * best(x, 500), SceneOptimum(SCHEDULE, "held_out")(x, 500), best(x, 500).roll(1, 2)):
        assert steepest(wrong, x, x0) > 4.5


@pytest.mark.parametrize("t", [300, 500, 700])
def test_its_probabilities_are_right_as_often_as_they_say(best, t):
    x0, factors, x = noised(96, t, seed=3)
    shares = best.factors(x, t)
    for name, truth in zip(drawing.FACTORS, factors.T, strict=True):
        assert shares[name].sum(1).tolist() == pytest.approx([1] * 96)
        sure, guess = shares[name].max(1)
        expected, spread = sure.sum(), (sure * (1 - sure)).clamp(min=0).sum().sqrt()
        assert ((guess == truth).sum() - expected).abs() < 4 * spread + 0.1, name


def test_nothing_is_known_where_no_signal_is(best):
    x = noised(2, 1000)[2]
    shares = best.factors(x, 1000)
    assert shares["size"][0].tolist() == pytest.approx([0.5, 0.5]) and len(shares["column"][1]) == 3
    assert shares["shape"][0].tolist() == pytest.approx([0.25] * 4), "each shape has seven colours"
    assert shares["colour"][0].min() == pytest.approx(3 / 28), "four colours have one shape less"
    assert torch.allclose(best(x, 1000)[0], best(x, 1000)[1])


def test_held_out_pairings_have_no_mass(best):
    red_triangle = scenes.draw(torch.tensor([[2, 0, 1, 1, 1, 0]]))
    x = SCHEDULE.add_noise(red_triangle, 200, torch.randn(red_triangle.shape, generator=torch.manual_seed(0)))
    train, everything = best.factors(x, 200), SceneOptimum(SCHEDULE, "all").factors(x, 200)
    assert everything["shape"][0, 2] > 0.99 and everything["colour"][0, 0] > 0.99
    assert train["shape"][0, 2] * train["colour"][0, 0] < 0.5


def test_every_picture_has_its_own_time_and_wrong_input_is_named(best):
    x0, _, _ = noised(3, 1)
    x = SCHEDULE.add_noise(x0, torch.tensor([30, 500, 900]), torch.ones_like(x0) / 3)
    for i, t in enumerate((30, 500, 900)):
        torch.testing.assert_close(best(x, torch.tensor([30, 500, 900]))[i], best(x[i : i + 1], t)[0])
    with pytest.raises(ValueError, match="at t = 0 no noise hides the picture"):
        best(x, 0)
    with pytest.raises(ValueError, match=r"scenes are \(B, 3, 32, 32\); got \(3, 3, 16, 16\)"):
        best(x[:, :, ::2, ::2], 5)


# -- the gap to it ---------------------------------------------------------------------------------


def test_the_excess_is_the_distance_to_the_optimum(best):
    """Of made-up denoisers: shrunk, of a wrong t, with a pattern on it."""
    pattern = 0.1 * torch.linspace(-1, 1, 32).expand(3, 32, 32)
    for denoise in (lambda x, t: 0.9 * best(x, t), lambda x, t: best(x, (t + 60).clamp(max=1000)),
                    lambda x, t: best(x, t) + pattern):
        found = gap.network_gap(denoise, SCHEDULE, (300, 800), n=32)
        for excess, distance, error in zip(*(found[k] for k in ("excess", "distance", "standard_error")), strict=True):
            assert distance > 0 and abs(excess - distance) < 4 * error
            assert excess > 0 or distance < 4 * error, "the optimum has the least error"
        assert found["t"] == [300, 800] and found["network"][0] < found["network"][1]


def test_the_optimum_has_no_gap(best):
    found = gap.network_gap(best, SCHEDULE, (30, 700), n=4)
    assert found["excess"] == [0, 0] and found["distance"] == [0, 0] and found["optimum"] == found["network"]


def test_what_is_decided_first(best):
    """From noise to picture: the background, then size and place, then the colour, then the shape; in the end all."""
    found = gap.certainty(SCHEDULE, (1000, 700, 400, 100), n=24)
    assert list(found) == list(drawing.FACTORS)
    assert found["background"][1] > 0.95 > 0.8 > max(found[name][1] for name in found if name != "background")
    assert min(found[name][2] for name in ("size", "column", "row")) > found["colour"][2] - 0.03 > found["shape"][2]
    assert all(values[-1] > 0.99 for values in found.values())


# -- the toy of numbers ----------------------------------------------------------------------------

NUMBERS = toys.numbers()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("t", [1, 100, 500, 950, 1000])
def test_the_mean_of_a_mixture_is_that_of_an_integral(name, t):
    """E[x0 | x] = integral x0 p(x0) N(x; signal x0, noise^2) over that of p(x0) N(...), on a fine grid."""
    schedule, x = SCHEDULES[name](), torch.linspace(-2.5, 2.5, 41, dtype=torch.float64)[:, None]
    x0 = torch.linspace(-4, 4, 200_001, dtype=torch.float64)
    signal, noise = schedule.signal[t], schedule.noise[t]
    logits = NUMBERS.log_density(x0[:, None]) - (x - signal * x0).square() / (2 * noise**2)
    found = toys.mixture_denoiser(NUMBERS, schedule)(x, t)
    torch.testing.assert_close(found[:, 0], logits.softmax(1) @ x0, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_mean_is_the_slope_of_the_density_of_its_time(name):
    """E[x0 | x] = (x + noise^2 d log p_t / dx) / signal: Miyasawa 1961."""
    schedule, x = SCHEDULES[name](), torch.linspace(-2, 2, 21, dtype=torch.float64)[:, None].requires_grad_()
    for t in (50, 500, 900):
        slope = torch.autograd.grad(toys.at_time(NUMBERS, schedule, t).log_density(x).sum(), x)[0]
        expected = (x + schedule.noise[t] ** 2 * slope) / schedule.signal[t]
        torch.testing.assert_close(toys.mixture_denoiser(NUMBERS, schedule)(x, t), expected, atol=1e-8, rtol=0)


def test_the_density_of_a_time_is_that_of_noised_numbers():
    schedule, generator = flow_schedule(), torch.Generator().manual_seed(0)
    x0 = NUMBERS.sample(20_000, generator)
    eps = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
    for t in (0, 200, 600, 1000):
        x = schedule.add_noise(x0, t, eps)
        assert toys.wasserstein(x, toys.true_quantiles(toys.at_time(NUMBERS, schedule, t), 20_000)) < 0.02
        other = toys.at_time(NUMBERS, schedule, (t + 300) % 1000)
        assert toys.wasserstein(x, toys.true_quantiles(other, 20_000)) > 0.1


def test_the_distance_of_two_lists():
    x = torch.tensor([3.0, 1.0, 2.0])
    assert toys.wasserstein(x, torch.tensor([1.0, 2.0, 3.0])) == 0
    assert toys.wasserstein(x, torch.tensor([2.5, 1.5, 3.5])) == pytest.approx(0.5)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_one_step_gives_the_mean_and_fifty_the_mixture(name, eta):
    schedule, truth = SCHEDULES[name](), toys.true_quantiles(NUMBERS, 2000)
    denoise = toys.mixture_denoiser(NUMBERS, schedule)
    one, fifty = (toys.follow(denoise, schedule, 2000, steps, eta).x[-1] for steps in (1, 50))
    assert one.std() < 0.02 and abs(one.mean().item() - 0.06) < 0.01
    assert toys.wasserstein(one, truth) > 0.9 and toys.wasserstein(fifty, truth) < 0.06
    assert toys.wasserstein(NUMBERS.sample(2000, torch.Generator().manual_seed(0)), truth) < 0.04


def test_the_picture_of_numbers():
    schedule = flow_schedule()
    picture, line = toy_drawings.paths_of_numbers(NUMBERS, schedule, 4, 0.0)
    other, _ = toy_drawings.paths_of_numbers(NUMBERS, schedule, 4, 1.0)
    assert picture.dtype == "uint8" and picture.shape == other.shape and (picture != other).any()
    assert line.startswith("4 steps, η = 0: 0.") and "2,000 true draws: 0.0" in line


# -- the toy of points -----------------------------------------------------------------------------


def test_points_lie_on_their_letter():
    points = toys.letter_points(500, torch.Generator().manual_seed(0))
    assert points.abs().max() <= 1 and toys.off_the_ink(points).max() == 0
    assert toys.off_the_ink(torch.tensor([[-1.5, 0.0], [0.9, -0.9]])).min() > 0.01
    high, low = toys.ink()[0][:, 1].max(), toys.ink()[0][:, 1].min()
    assert toys.off_the_ink(torch.tensor([[0.0, high + 1.0]])) > toys.off_the_ink(torch.tensor([[0.0, high]])) + 0.9
    assert high > 0.95 > -0.95 > low, "the longer side goes from -1 to 1"
    with pytest.raises(ValueError, match="has no ink"):
        toys.ink(" ")


def test_the_letter_is_upright():
    """The foot of the letter is the long stroke at the bottom left; at the right the tick is in the middle."""
    below = toys.ink("ㄴ")[0]
    assert (below[below[:, 1] < -0.8, 0].max() - below[below[:, 1] < -0.8, 0].min()) > 1
    assert (below[below[:, 1] > 0.5, 0] < 0).all()


def test_an_ideal_denoiser_lands_on_what_it_knows_and_a_network_beside():
    schedule, known = toys.LETTER_SCHEDULE, toys.letter_points(200, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    net = toys.PointNet()

    def end(denoise):
        return toys.follow(denoise, schedule, 300, 100, size=2).x[-1]

    untrained = toys.letter_distances(end(as_denoiser(net, schedule, "flow")), known)
    train(net, lambda step: known[torch.randint(200, (512,))], lambda m, x0: diffusion_loss(m, x0, schedule, "flow"),
          500, lr=1e-2, ema=0.98, label=None)
    learned = toys.letter_distances(end(as_denoiser(net, schedule, "flow")), known)
    ideal = toys.letter_distances(end(posterior_mean(known, schedule)), known)
    assert ideal["to a known one"] < 1e-3 and ideal["off the letter"] < 1e-3 and ideal["holes"] > 0.035
    assert learned["off the letter"] < 0.04 < untrained["off the letter"] / 3
    assert 0.015 < learned["to a known one"] < 0.08


def test_the_path_starts_at_noise_and_ends_clean():
    schedule = flow_schedule()
    t, x = toys.follow(lambda x, t: x * 0 + 0.5, schedule, 7, 4, seed=3, size=2)
    assert t == [1000, 750, 500, 250, 0] and x.shape == (5, 7, 2)
    torch.testing.assert_close(x[0], torch.randn(7, 2, generator=torch.Generator().manual_seed(3)))
    torch.testing.assert_close(x[2], 0.5 * x[0] + 0.25)
    assert (x[-1] == 0.5).all()


def test_the_picture_of_points():
    known = toys.letter_points(50, torch.Generator().manual_seed(0))
    denoisers = {"ideal": posterior_mean(known, toys.LETTER_SCHEDULE), "centre": lambda x, t: torch.zeros_like(x)}
    picture, line = toy_drawings.paths_of_points(denoisers, toys.LETTER_SCHEDULE, known, 3)
    assert picture.shape == toy_drawings.paths_of_points(denoisers, toys.LETTER_SCHEDULE, known, 9, 1.0)[0].shape
    assert "ideal: 0." in line and "centre: 0." in line
