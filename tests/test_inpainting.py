"""Notebook 07: masks, fillings without learning, the inpainters and their loss, its figures and its exercises."""

import itertools
import math

import pytest
import torch
from played import play, positions

from helpers.data import masks, scenes, sets
from helpers.lessons.inpainting import baselines, exercises, experiments
from helpers.models.inpainting import (
    BottleneckInpainter,
    UNetInpainter,
    hide,
    masked_loss,
    paste,
    smooth_guess,
    whole_loss,
)
from helpers.models.mae import MAE
from helpers.training import recipes, tuning
from helpers.training.checkpoints import load
from helpers.training.loop import train

# -- masks -----------------------------------------------------------------------------------------


def extent(mask):
    """Hidden rows and columns of each mask, (n, S) each."""
    return mask[:, 0].any(2), mask[:, 0].any(1)


def test_a_box_is_a_square_inside_the_picture():
    mask = masks.box(600)
    assert mask.shape == (600, 1, 32, 32) and mask.dtype == torch.bool
    rows, columns = extent(mask)
    assert (rows.sum(1) == 14).all() and (columns.sum(1) == 14).all() and (mask.flatten(1).sum(1) == 14 * 14).all()
    assert rows.any(0).all() and columns.any(0).all() and not torch.equal(rows, columns)
    assert rows[:, 0].any() and rows[:, 31].any(), "it reaches both ends"


def test_boxes_of_many_sizes_are_square():
    rows, columns = extent(masks.box(600, side=(5, 9)))
    assert torch.equal(rows.sum(1), columns.sum(1)) and set(rows.sum(1).tolist()) == {5, 6, 7, 8, 9}


def test_a_box_at_a_place():
    rows, columns = extent(masks.box_at(3, 20, side=5))
    assert rows[0].nonzero()[:, 0].tolist() == [3, 4, 5, 6, 7] and columns[0].nonzero()[0] == 20
    assert masks.box_at(30, 0, side=5).sum() == 10, "cut at the edge"


def test_pixels_are_hidden_with_their_probability():
    assert masks.pixels(200, 0.3).float().mean() == pytest.approx(0.3, abs=0.01)
    share = masks.pixels(2000, (0.25, 0.9)).float().mean((1, 2, 3))
    assert 0.2 < share.min() < 0.3 and 0.85 < share.max() < 0.95 and share.mean() == pytest.approx(0.575, abs=0.02)


def test_a_half_is_one_of_four_sides():
    mask = masks.half(400)
    assert (mask.flatten(1).sum(1) == 512).all() and len({m.numpy().tobytes() for m in mask}) == 4
    rows, columns = extent(mask)
    assert ((rows.sum(1) == 16) ^ (columns.sum(1) == 16)).all()


def test_strokes_are_connected_and_of_all_kinds():
    mask = masks.brush(300)
    share = mask.float().mean((1, 2, 3))
    assert 0.1 < share.mean() < 0.4 and mask.any(0).all()
    lonely = mask & (torch.nn.functional.avg_pool2d(mask.float(), 3, 1, 1) < 1.5 / 9)
    assert not lonely[..., 1:-1, 1:-1].any(), "no hidden pixel stands alone"


@pytest.mark.parametrize("share", [0.25, 0.75, 0.9])
def test_patches_are_whole_and_equally_many(share):
    mask = masks.patches(300, share, 4)
    grid = mask[:, 0].unflatten(2, (8, 4)).unflatten(1, (8, 4)).float().mean((2, 4))
    assert set(grid.unique().tolist()) == {0.0, 1.0} and (grid.sum((1, 2)) == round(64 * share)).all()
    assert 0 < grid.mean(0).min() and grid.mean(0).max() < 1, "every patch is hidden at times"


def test_mixed_takes_each_kind_as_often_as_it_says():
    assert masks.mixed(50, size=16).shape == (50, 1, 16, 16)
    mask = masks.mixed(3000)
    rows, columns = extent(mask)
    area = mask.flatten(1).sum(1)
    rectangle = area == rows.sum(1) * columns.sum(1)
    square = rectangle & (rows.sum(1) == columns.sum(1))
    halves = rectangle & (area == 512) & ~square
    assert square.float().mean() == pytest.approx(masks.MIX["box"], abs=0.03)
    assert halves.float().mean() == pytest.approx(masks.MIX["half"], abs=0.03)


def test_masks_follow_their_generator():
    for kind in (masks.box, masks.pixels, masks.half, masks.brush, masks.patches, masks.mixed):
        first, again = (kind(20, generator=torch.Generator().manual_seed(5)) for _ in range(2))
        assert torch.equal(first, again) and not torch.equal(first, kind(20)), kind.__name__


@pytest.mark.parametrize(("call", "message"), [
    (lambda: masks.box(1, 33), "1 to 32 pixels, not 33"), (lambda: masks.box_at(0, 0, 0), "1 to 32 pixels, not 0"),
    (lambda: masks.box(1, (4, 40)), "not 40"),
    (lambda: masks.patches(1, 0.5, 5), "patches of 5"),
])
def test_masks_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_error_inside_counts_hidden_pixels_alone_on_0_1():
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    mask[0, 0, 1, 2] = mask[1, 0, 3, 2:] = True
    x, y = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 9.0)
    y[0, :, 1, 2], y[1, :, 3, 2:] = 1.0, torch.tensor([[2.0, 0], [0, 0], [0, 0]])
    assert masks.error_inside(x, y, mask).tolist() == pytest.approx([0.25, 1 / 6])
    with pytest.raises(ValueError, match="masks"):
        masks.error_inside(x, y, mask[:, 0])


# -- fillings without learning ---------------------------------------------------------------------

FILLINGS = (baselines.mean_fill, baselines.background_fill, baselines.biharmonic_fill)


@pytest.mark.parametrize("filling", FILLINGS, ids=lambda f: f.__name__)
def test_a_filling_keeps_what_is_known_and_ignores_what_is_not(filling):
    x, mask = scenes.make_scenes(4, seed=0)[0], masks.box(4)
    y = filling(x, mask)
    known = ~mask.expand_as(x)
    assert torch.equal(y[known], x[known]) and not torch.equal(y, x) and y.abs().max() <= 1
    assert torch.equal(y, filling(torch.where(mask, 0.7, x), mask))


def test_mean_and_background():
    x = torch.full((1, 3, 8, 8), 0.5)
    x[..., 2:6, 2:6] = torch.tensor([-1.0, 0.0, 1.0])[:, None, None]
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    mask[..., :4] = True
    x[..., 2:6, :4] = 9.0  # hidden
    expected = torch.tensor([0.5 * 24 - 8, 0.5 * 24, 0.5 * 24 + 8]) / 32
    assert torch.allclose(baselines.mean_fill(x, mask)[0, :, 0, 0], expected)
    assert (baselines.background_fill(x, mask)[0, :, :, 0] == 0.5).all()
    ring = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    ring[..., 2:6, 2:6] = False
    known = torch.zeros(1, 1, 8, 8) + 0.25
    assert (baselines.background_fill(known, ring) == 0.25).all(), "no border is known"


def test_the_biharmonic_filling_continues_a_slope():
    slope = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16).contiguous()
    mask = masks.box_at(5, 5, 6, 16)
    assert (baselines.biharmonic_fill(slope.where(~mask, 0), mask) - slope).abs().max() < 1e-3
    for nothing in (torch.zeros_like(mask), torch.ones_like(mask)):
        assert torch.equal(baselines.biharmonic_fill(slope, nothing), slope)


def test_possible_scenes_agree_with_all_that_is_known():
    x, mask = scenes.draw(torch.tensor([[0, 0, 0, 0, 0, 2]])), masks.box_at(2, 2)
    found = baselines.possible_scenes(x, mask, background=2, tries=3000)
    known = ~mask.expand_as(found)
    assert len(found) > 100 and ((found - x).abs()[known] <= baselines.EQUAL).all()
    factors = scenes.parse(found).factors
    assert (factors[:, 3:5] == 0).all() and (factors[:, 5] == 2).all() and len(factors[:, 1].unique()) == 8
    open_ = masks.box_at(20, 20)
    with pytest.raises(ValueError, match="hide all of its object"):
        baselines.possible_scenes(x, open_, background=2, tries=1000)


# -- models and loss -------------------------------------------------------------------------------

NETS = {"code": lambda: BottleneckInpainter(8, width=16, bottom=8, hidden=16),
        "unet": lambda: UNetInpainter(widths=(8, 8, 8, 8)),
        "guess": lambda: UNetInpainter(widths=(8, 8, 8, 8), guess=True)}
EACH = pytest.mark.parametrize("build", NETS.values(), ids=list(NETS))


@EACH
def test_an_inpainter_sees_the_mask_and_nothing_under_it(build):
    net, x, mask = build(), torch.rand(2, 3, 32, 32), masks.box(2)
    with torch.no_grad():
        for value in net.parameters():  # untrained, the one that starts from a guess draws it, whatever the mask
            value.normal_(std=0.1)
        y = net(x, mask)
        assert y.shape == x.shape and torch.equal(y, net(torch.where(mask, -1.0, x), mask))
        assert not torch.allclose(y, net(torch.where(mask, x, x - 0.5), mask))
        grey = torch.zeros_like(x)
        assert not torch.allclose(net(grey, mask), net(grey, ~mask)), "a grey pixel is not a hidden one"
    assert type(net)(**net.config).state_dict().keys() == net.state_dict().keys()


@EACH
def test_an_inpainter_learns_one_batch_by_heart(build):
    net, x, mask = build(), scenes.make_scenes(4, seed=0)[0], masks.box(4)
    before = masked_loss(net, (x, mask))[0].item()
    train(net, lambda step: (x, mask), masked_loss, 150, lr=5e-3, label=None)
    assert masked_loss(net, (x, mask))[0].item() < 0.1 * before


def test_hidden_pixels_are_blank_and_the_mask_is_the_last_channel():
    x, mask = torch.rand(2, 3, 8, 8), masks.pixels(2, 0.5, 8)
    seen = hide(x, mask)
    assert seen.shape == (2, 4, 8, 8) and torch.equal(seen[:, 3:], mask.float())
    assert torch.equal(seen[:, :3], x * ~mask)
    assert torch.equal(paste(-x, x, mask), torch.where(mask, -x, x))


def test_the_smooth_guess_keeps_what_is_known_and_continues_it():
    x, mask = scenes.make_scenes(6, seed=0)[0], masks.mixed(6)
    guess = smooth_guess(x, mask)
    known = ~mask.expand_as(x)
    assert torch.equal(guess[known], x[known]) and guess.abs().max() <= 1 + 1e-6
    assert torch.equal(guess, smooth_guess(torch.where(mask, 0.9, x), mask)), "what is hidden does not count"
    flat = torch.tensor([0.3, -0.7, 1.0])[None, :, None, None].expand(1, 3, 32, 32)
    assert torch.allclose(smooth_guess(flat, masks.box_at(9, 9)), flat, atol=1e-5), "a flat wall is continued"
    left = torch.where(torch.arange(32) < 16, -1.0, 1.0).expand(1, 3, 32, 32)
    row = smooth_guess(left, masks.box_at(9, 9))[0, 0, 16]
    assert row[10] < -0.3 and row[21] > 0.3 and (row.diff() >= -1e-5).all(), "from one side to the other"
    assert (smooth_guess(x, torch.ones_like(mask)) == 0).all()
    corner = torch.zeros(1, 1, 24, 24, dtype=torch.bool)
    corner[..., 3:, :] = True
    assert torch.allclose(smooth_guess(torch.ones(1, 3, 24, 24), corner), torch.ones(1)), "a side that is no power of 2"


def test_an_untrained_u_net_that_starts_from_the_guess_draws_it():
    x, mask = torch.rand(2, 3, 32, 32), masks.box(2)
    with torch.no_grad():
        assert torch.allclose(UNetInpainter(guess=True)(x, mask), smooth_guess(x, mask))


@pytest.mark.parametrize("mask", [torch.zeros(2, 1, 8, 8), torch.zeros(2, 8, 8, dtype=torch.bool),
                                  torch.zeros(1, 1, 8, 8, dtype=torch.bool)])
def test_a_mask_of_another_shape_or_type_is_refused(mask):
    x = torch.zeros(2, 3, 8, 8)
    for use in (lambda: hide(x, mask), lambda: paste(x, x, mask), lambda: smooth_guess(x, mask),
                lambda: masked_loss(Fixed(x), (x, mask)), lambda: MAE(8, size=8)(x, mask)):
        with pytest.raises(ValueError, match=r"boolean mask \(2, 1, 8, 8\)"):
            use()


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 3, 8, 12)])
def test_pictures_that_are_none_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected pictures \(B, C, S, S\); got"):
        hide(torch.zeros(shape), torch.zeros(1, 1, *shape[-2:], dtype=torch.bool))


class Fixed(torch.nn.Module):
    def __init__(self, y):
        super().__init__()
        self.y = torch.nn.Parameter(y)

    def forward(self, x, mask):
        return self.y[: len(x)]


def test_the_loss_and_its_gradient_stay_inside_the_hole():
    x, mask = torch.rand(3, 3, 8, 8), masks.pixels(3, 0.4, 8)
    net = Fixed(torch.rand(3, 3, 8, 8))
    loss, parts = masked_loss(net, (x, mask))
    inside = mask.expand_as(x)
    assert loss.item() == pytest.approx((x - net.y)[inside].square().mean().item())
    assert parts["mse"].item() == pytest.approx(loss.item() / 4)
    loss.backward()
    assert (net.y.grad[~inside] == 0).all() and (net.y.grad[inside] != 0).all()
    assert masked_loss(net, (x, torch.zeros_like(mask)))[0] == 0, "nothing hidden, nothing asked"


def test_the_whole_loss_counts_every_pixel_and_reports_the_hole():
    x, mask = torch.rand(3, 3, 8, 8), masks.pixels(3, 0.4, 8)
    net = Fixed(torch.rand(3, 3, 8, 8))
    loss, parts = whole_loss(net, (x, mask))
    assert loss.item() == pytest.approx((x - net.y).square().mean().item())
    assert parts["mse"].item() == pytest.approx(loss.item() / 4)
    assert parts["hole"].item() == pytest.approx(masked_loss(net, (x, mask))[1]["mse"].item())


# -- figures ---------------------------------------------------------------------------------------


def test_filling_changes_the_hole_alone_and_stays_in_range():
    x, mask = scenes.make_scenes(30, seed=0)[0], masks.box(30)
    y = experiments.fill(Fixed(torch.full((30, 3, 32, 32), 7.0)), x, mask)
    assert torch.equal(y, torch.where(mask, 1.0, x))


def test_the_visible_share_is_that_of_the_drawn_shape():
    factors = torch.tensor([[1, 3, 1, 1, 1, 0], [1, 3, 1, 1, 1, 2]])
    x = scenes.draw(factors)
    share = experiments.visible_share(x, factors, masks.box_at(0, 16, 32).expand(2, -1, -1, -1))
    assert share.tolist() == pytest.approx([0.5, 0.5], abs=1e-4), "a square in the middle, its right half hidden"
    nothing = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    assert experiments.visible_share(x, factors, nothing).tolist() == [1, 1]
    assert experiments.visible_share(x, factors, ~nothing).tolist() == [0, 0]


def test_held_out_holes_are_always_the_same():
    for make in (lambda: experiments.new_scenes_with_holes(20), experiments.new_emoji_with_holes):
        assert all(torch.equal(a, b) for a, b in zip(make(), make(), strict=True))
    assert torch.equal(experiments.new_emoji_with_holes()[0], sets.load_emoji("test").images)


@pytest.mark.parametrize("name", ["inpaint-scenes-code", "inpaint-scenes-unet", "inpaint-emoji-unet", "mae-scenes"])
def test_a_recipe_makes_a_batch_and_a_loss(name):
    recipe = recipes.find(name)
    x, mask = recipe.batches(recipe.steps)(0)
    assert x.shape == (32, 3, 32, 32) and mask.shape == (32, 1, 32, 32)
    assert math.isfinite(recipe.loss(recipe.build(), (x, mask))[0].item())


def test_all_inpainters_of_a_data_set_see_the_same_holes():
    for dataset in ("scenes", "emoji"):
        code, skip = (recipes.find(f"inpaint-{dataset}-{kind}") for kind in ("code", "unet"))
        assert (code.lr, code.data) == (skip.lr, skip.data)
        assert all(torch.equal(a, b) for a, b in zip(batch_of(code), batch_of(skip), strict=True))


def test_the_code_was_trained_with_either_loss_and_nothing_else_differed():
    whole, hole = (recipes.find(f"inpaint-scenes-{kind}") for kind in ("code", "code-hole"))
    assert (whole.loss, hole.loss) == (whole_loss, masked_loss)
    assert (whole.steps, whole.lr, whole.seed) == (hole.steps, hole.lr, hole.seed)
    assert whole.build().config == hole.build().config
    assert {"inside", "all_six"} < set(tuning.find(hole.name))
    guess, plain = (recipes.find(f"inpaint-scenes-{kind}") for kind in ("unet-guess", "unet"))
    assert (guess.steps, guess.lr, guess.seed, guess.data) == (plain.steps, plain.lr, plain.seed, plain.data)
    assert {"inside", "all_six"} < set(tuning.find("inpaint-scenes-unet-guess"))


@pytest.mark.parametrize("name", ["inpaint-scenes-code", "inpaint-scenes-unet", "inpaint-emoji-code",
                                  "inpaint-emoji-unet", "mae-scenes"])
def test_the_shipped_weights_do_what_their_cards_say(name):
    """A state fits its class even where `forward` has changed since; its figures then do not."""
    net, card = load(name)
    assert recipes.find(name).evaluate(net)["inside"] == pytest.approx(card.metrics["inside"], rel=0.01)


def batch_of(recipe):
    batches = recipe.batches(recipe.steps)
    torch.manual_seed(1)
    return batches(0)


# -- exercises -------------------------------------------------------------------------------------


def right_loss(x, y, mask):
    return ((x - y).square() * mask).sum() / (mask.sum() * x.shape[-3])


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (right_loss, "✓", ""),
    (lambda x, y, mask: (x - y).square()[mask.expand_as(x)].mean(), "✓", ""),
    (lambda x, y, mask: ((x - y).square() * mask).mean(), "✗", "not of all"),
    (lambda x, y, mask: ((x - y).square() * mask).sum() / mask.sum(), "✗", "three values"),
    (lambda x, y, mask: right_loss(x, y, ~mask), "✗", "True means hidden"),
    (lambda x, y, mask: (x - y).square().mean(), "✗", "whole picture"),
    (lambda x, y, mask: ((x - y).square() * mask).sum(), "✗", "take the mean"),
    (lambda x, y, mask: sum(right_loss(x[i], y[i], mask[i]) for i in range(3)) / 3, "✗", "pool all hidden values"),
    (lambda x, y, mask: right_loss(x, y.detach(), mask), "✗", "no gradient"),
    (lambda x, y, mask: right_loss(x, y, mask) + (y - y.detach())[~mask.expand_as(y)].sum(), "✗", "must be 0"),
    (lambda x, y, mask: ..., "○", ""),
])
def test_hole_loss(answer, verdict, hint, capsys):
    exercises.hole_loss().check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


def spearman(a, b):
    return torch.corrcoef(torch.stack([a.argsort().argsort().double(), b.argsort().argsort().double()]))[0, 1]


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (spearman, "✓", ""),
    (lambda a, b: torch.corrcoef(torch.stack([a, b]))[0, 1], "✗", "correlate their ranks"),
    (lambda a, b: torch.corrcoef(torch.stack([a.argsort().float(), b.argsort().float()]))[0, 1], "✗", "sort twice"),
    (lambda a, b: -spearman(a, b), "✗", "expected 0.600"),
    (lambda a, b: ..., "○", ""),
])
def test_rank_correlation(answer, verdict, hint, capsys):
    visible = torch.rand(200)
    exercises.rank_correlation(visible, 1 - visible + 0.1 * torch.rand(200)).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


def test_errors_that_do_not_fall_with_evidence_are_refused(capsys):
    exercises.rank_correlation(torch.rand(200), torch.rand(200)).check(spearman)
    assert "expected below -0.6" in capsys.readouterr().out


def price(pictures, weights, draws=2.0, best=None, scale=1.0):
    flat = pictures.flatten(1)
    best = weights @ flat if best is None else best.flatten()
    variance = scale * weights @ (flat - best).square().mean(1)
    return best.view_as(pictures[0]), variance, draws * variance


def by_pairs(pictures, weights):
    best, variance, _ = price(pictures, weights)
    pairs = torch.cdist(pictures.flatten(1), pictures.flatten(1)).square() / pictures[0].numel()
    return best, variance.item(), (weights @ pairs @ weights).item()


def rolled(pictures, weights):
    apart = (pictures - pictures.roll(1, 0)).flatten(1).square().mean(1)
    return *price(pictures, weights)[:2], weights @ apart


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (price, "✓", ""),
    (by_pairs, "✓", ""),
    (lambda x, w: price(x, w, best=x.mean(0)), "✗", "weigh each picture"),
    (lambda x, w: price(x, w, best=x[w.argmax()]), "✗", "likeliest"),
    (lambda x, w: price(x, w, draws=1.0), "✗", "one variance"),
    (rolled, "✗", "all K x K pairs"),
    (lambda x, w: price(x, w, scale=x[0].numel()), "✗", "not the sum"),
    (lambda x, w: price(x, w, scale=0.25), "✗", "not on [0, 1]"),
    (lambda x, w: (price(x, w)[0].flatten(), *price(x, w)[1:]), "✗", "shape"),
    (lambda x, w: price(x, w)[0], "✗", "three things"),
    (lambda x, w: ..., "○", ""),
])
def test_grey_price(answer, verdict, hint, capsys):
    exercises.grey_price(scenes.make_scenes(50, seed=0)[0]).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


# -- the widget ------------------------------------------------------------------------------------


def test_every_knob_of_the_widget_changes_the_picture_at_its_ends():
    _, [sweep] = play("07_inpainting.ipynb")
    first = sweep.values()
    before, _ = sweep.render(**first)
    for name, knob in sweep.knobs.items():
        for value in set(positions(knob)) - {first[name]}:
            after, status = sweep.render(**{**first, name: value})
            assert after.shape == before.shape and (after != before).any(), (name, value)
            assert "error inside the hole" in status and "nan" not in status
    for kind in positions(sweep.knobs["kind"]):
        for column, row, size in itertools.product((0, 31), (0, 31), (1, 31)):
            _, status = sweep.render(**{**first, "kind": kind, "column": column, "row": row, "size": size})
            assert "nan" not in status, (kind, column, row, size)
