"""Notebook 13's toys: exact scores under guidance, what guidance does not draw from, the tree, the conventions."""

import math

import pytest
import torch

from helpers.diffusion.forward import SCHEDULES, flow_schedule
from helpers.diffusion.guidance import guided
from helpers.diffusion.ideal import posterior_mean
from helpers.lessons.text_conditioned_diffusion import toy_drawings, toys
from helpers.lessons.text_conditioned_diffusion.conventions import CONVENTIONS, convention_table

FLOW = flow_schedule()
EVERY = pytest.mark.parametrize("name", SCHEDULES)
LINE = toys.three_on_a_line()


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# -- exact scores ----------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("one", [None, 1])
def test_the_denoiser_is_the_mean_over_many_points(name, one):
    """Against the ideal denoiser of 8,000 points of the classes: quantiles, so that there is no luck in them."""
    schedule = SCHEDULES[name]()
    density = LINE.log_density(toys.LINE[:, None], one).exp()
    points = toys.evenly_likely(toys.LINE, density, 8000)[:, None]
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    for t in (150, 500, 900, 1000):
        expected = posterior_mean(points, schedule)(x, t)
        torch.testing.assert_close(LINE.denoiser(schedule)(x, t, one=one), expected, atol=5e-3, rtol=0)


@EVERY
def test_the_denoiser_is_the_slope_of_the_density(name):
    """Miyasawa: E[x0 | x_t] = (x_t + noise^2 d/dx log p_t) / signal, with the slope taken by autograd."""
    schedule, world = SCHEDULES[name](), toys.three_classes()
    x = noise(8, 2, dtype=torch.float64).requires_grad_()
    signal, level = schedule.signal[600], schedule.noise[600]
    std = ((signal * world.std) ** 2 + level**2).sqrt().item()
    log_density = toys.GaussianClasses(signal * world.means.double(), std).log_density(x)
    slope, = torch.autograd.grad(log_density.sum(), x)
    found = toys.GaussianClasses(world.means.double(), world.std).denoiser(schedule)(x, 600)
    torch.testing.assert_close(found, (x + level**2 * slope) / signal, atol=1e-9, rtol=0)


def test_a_density_is_normalised():
    for one in (None, 0):
        assert torch.trapezoid(LINE.log_density(toys.LINE[:, None], one).exp(), toys.LINE).item() == pytest.approx(1)


@EVERY
def test_scale_1_is_the_class_and_more_leaves_it(name):
    world, schedule = toys.three_classes(), SCHEDULES[name]()
    figures = {}
    for scale in (0, 1, 2, 8):
        x = toys.guided_path(world.denoiser(schedule), {"one": 1}, scale, schedule, noise(2000, 2), 60)[-1]
        figures[scale] = toys.kept_and_spread(world, 1, x)
    assert figures[1] == pytest.approx((1 - math.exp(-2), 1), abs=0.06), "86 % of a plane's Gaussian lie within 2 std"
    assert figures[0][0] < 0.4 and figures[0][1] > 1.5, "all three classes"
    assert figures[2][1] < 0.85 and figures[8][1] < figures[2][1], "the spread falls"
    assert figures[8][0] < 0.05 < figures[2][0] - 0.7, "and in the end the samples are outside of the class"


# -- what guidance does not draw from --------------------------------------------------------------


@EVERY
def test_guidance_draws_from_the_sharpened_density_at_scale_1_alone(name):
    schedule = SCHEDULES[name]()
    for scale, apart in ((1, (0, 0.01)), (1.5, (0.15, 0.25)), (3, (0.5, 0.65)), (8, (0.9, 1))):
        claimed = toys.sharpened(LINE, 2, scale)
        found = toys.share_apart(toys.guided_line(LINE, 2, scale, schedule), claimed)
        assert apart[0] <= found <= apart[1], (scale, found)
    right = toys.sharpened_line(LINE, 2, 3, schedule, n=400, steps=200)
    assert toys.share_apart(right, toys.sharpened(LINE, 2, 3)) < 0.015, "a denoiser that is right for it does"


def test_the_sharpened_density_is_bayes():
    """p(x) p(c | x)^s with p(c | x) by Bayes' rule."""
    x, each = toys.LINE[:, None], torch.stack([LINE.log_density(toys.LINE[:, None], one) for one in range(3)])
    expected = LINE.log_density(x).exp() * each.softmax(0)[2] ** 3
    torch.testing.assert_close(toys.sharpened(LINE, 2, 3), expected / torch.trapezoid(expected, toys.LINE))


def test_share_apart_is_a_share():
    left, right = (LINE.log_density(toys.LINE[:, None], one).exp() for one in (0, 2))
    far = toys.GaussianClasses(torch.tensor([[-4.0], [4.0]], dtype=torch.float64), 0.2)
    apart = toys.evenly_likely(toys.LINE, far.log_density(toys.LINE[:, None], 0).exp(), 500)[:, None]
    assert toys.share_apart(apart, far.log_density(toys.LINE[:, None], 1).exp()) == pytest.approx(1, abs=1e-3)
    overlap = math.erf(1.5 / 0.6 / math.sqrt(2))  # of two Gaussians whose means are 3 apart: 2 Phi(2.5) - 1
    drawn = toys.evenly_likely(toys.LINE, left, 2000)[:, None]
    assert toys.share_apart(drawn, right) == pytest.approx(overlap, abs=5e-3)
    assert toys.share_apart(torch.full((10, 1), 9.0, dtype=torch.float64), left) == pytest.approx(1, abs=1e-6)


def test_paths_in_one_dimension_do_not_cross():
    model = LINE.denoiser(FLOW)
    for scale in (1, 3):
        way = toys.guided_path(model, {"one": 2}, scale, FLOW, toys.standard_quantiles(200), 160)
        assert (way.diff(dim=1) > 0).all()


# -- the tree --------------------------------------------------------------------------------------


def test_the_tree_grows_from_the_root():
    tree = toys.branching_tree()
    assert tree.branch.unique().tolist() == [0, 1, 2, 3] and tree.way.max() == 1
    assert len({(tree.branch == k).sum().item() for k in range(4)}) == 1, "the main branches are alike"
    farther = tree.points.norm(dim=1)
    assert (farther <= tree.way * 1.2).all() and torch.corrcoef(torch.stack([farther, tree.way]))[0, 1] > 0.9
    where, way, distance = toys.on_the_tree(tree, tree.points + 1e-4)
    assert torch.equal(where, tree.branch) and torch.equal(way, tree.way) and distance.max() < 1e-3


@EVERY
def test_guidance_pushes_to_the_leaves(name):
    tree, schedule = toys.branching_tree(), SCHEDULES[name]()
    model, ways = toys.tree_denoiser(tree, schedule), {}
    for scale in (1, 2, 4):
        x = toys.guided_path(model, {"branch": 2}, scale, schedule, noise(300, 2), 40)[-1]
        branch, way, _ = toys.on_the_tree(tree, x)
        assert (branch == 2).all()
        ways[scale] = way.mean().item()
    assert ways[1] == pytest.approx(tree.way.mean().item(), abs=0.04), "at 1 it draws the points of the branch"
    assert ways[2] > ways[1] + 0.1 and ways[4] > ways[2] + 0.03


# -- conventions -----------------------------------------------------------------------------------


def test_conventions_say_the_same():
    cond, uncond = noise(2, 5, 3, seed=1, dtype=torch.float64)
    ours = guided(lambda x, t, c: c, {"c": cond}, {"c": uncond}, 2.5)
    for row in CONVENTIONS:
        for scale in (1, 2.5, 7.5):
            expected = uncond + scale * (cond - uncond)
            torch.testing.assert_close(row.answer(cond, uncond, row.number(scale)), expected, msg=row.place)
        torch.testing.assert_close(row.answer(cond, uncond, row.number(2.5)), ours(cond, 0))
        wanted = {"no prompt": uncond, "the prompt, unguided": cond}[row.zero]
        torch.testing.assert_close(row.answer(cond, uncond, 0.0), wanted, msg=row.place)
    by_place = {row.place: row for row in CONVENTIONS}
    paper = by_place["Ho & Salimans 2022, CS231n"]
    assert not torch.allclose(paper.answer(cond, uncond, 2.5), ours(cond, 0)), "the same number means another thing"


def test_the_table_has_a_row_a_place():
    lines = convention_table(7.5).splitlines()
    assert len(lines) == 2 + len(CONVENTIONS) and [line.split(" | ")[2] for line in lines[2:]] == \
        ["7.5", "7.5", "7.5", "6.5", "6.5"]


# -- drawings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [
    lambda s: toy_drawings.guided_classes(FLOW, s, 0), lambda s: toy_drawings.guided_density(FLOW, s),
    lambda s: toy_drawings.guided_tree(FLOW, s, 0),
])
def test_drawings_change_with_the_scale_and_keep_their_size(draw):
    shown = [draw(scale) for scale in (0, 1, 8)]
    assert len({picture.shape for picture, _ in shown}) == 1 and shown[0][0].dtype.name == "uint8"
    assert all((shown[0][0] != picture).any() for picture, _ in shown[1:])
    assert [line.startswith(f"s = {scale}: ") for (_, line), scale in zip(shown, (0, 1, 8), strict=True)] == [True] * 3
