"""Notebook 06 as a page: every knob of its widgets does something at both ends, and its exercises find mistakes."""

import nbformat
import pytest
import torch
from played import check_knobs, play

from helpers import ROOT
from helpers.data import scenes, two_classes
from helpers.lessons.denoising import exercises, experiments, filters
from helpers.metrics.pictures import reconstruct
from helpers.models.denoising import ideal_denoiser
from helpers.models.small_unet import SmallUNet
from helpers.training.checkpoints import load


def test_every_knob_changes_the_picture_and_not_its_shape():
    _, sweeps = play("06_denoising.ipynb")
    assert len(sweeps) == 2
    for sweep in sweeps:
        check_knobs(sweep)


# -- exercises -------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def lesson():
    return exercises.training_pair(scenes.make_scenes(200, seed=0)[0], scenes.make_scenes(20, seed=1)[0])


def spoiled(x, sigma):
    x += 2 * sigma * torch.randn_like(x)
    return x, x


FROZEN = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("answer", "start"), [
    (lambda x, sigma: (x + 2 * sigma * torch.randn_like(x), x), "✓"),
    (lambda x, sigma: (x + sigma * torch.randn_like(x), x), "✗ 06.1 noise in, clean out: against a network"),
    (lambda x, sigma: (x, x + 2 * sigma * torch.randn_like(x)), "✗"), (lambda x, sigma: (x, x), "✗"),
    (lambda x, sigma: (x + 4 * sigma * torch.rand_like(x), x), "✗"),
    (lambda x, sigma: (x + 2 * sigma * FROZEN[: len(x)], x), "✗"),
    (lambda x, sigma: (x + 2 * sigma * FROZEN[torch.randint(64, (1,))], x), "✗"),
    (lambda x, sigma: ..., "○"),
])
def test_training_pair(lesson, answer, start, capsys):
    assert verdict(lesson, answer, capsys).startswith(start)


def test_hints_on_pairs(lesson, capsys):
    assert "twice as wide" in verdict(lesson, lambda x, sigma: (x + sigma * torch.randn_like(x), x), capsys)
    assert "learns to copy" in verdict(lesson, lambda x, sigma: (x, x), capsys)
    assert "anew" in verdict(lesson, lambda x, sigma: (x + 2 * sigma * FROZEN[: len(x)], x), capsys)
    clamped = verdict(lesson, lambda x, sigma: ((x + 2 * sigma * torch.randn_like(x)).clamp(-1, 1), x), capsys)
    assert "do not clamp" in clamped
    grey = verdict(lesson, lambda x, sigma: (x + 2 * sigma * torch.randn(len(x), 1, 32, 32), x), capsys)
    assert "all channels get one noise" in grey
    even = verdict(lesson, lambda x, sigma: (x + 2 * sigma * 12**0.5 * (torch.rand_like(x) - 0.5), x), capsys)
    assert "not Gaussian" in even


def test_an_answer_cannot_spoil_the_pictures(capsys):
    x = scenes.make_scenes(64, seed=0)[0]
    assert "untouched" in verdict(exercises.training_pair(x, x[:8]), spoiled, capsys)
    assert torch.equal(x, scenes.make_scenes(64, seed=0)[0])


POINTS = two_classes.spirals(800, seed=0, noise=0.0)[0][::2]


def to_nearest(denoiser, y, points, residual=True):
    way = points[torch.cdist(y, points).argmin(1)] - y
    return torch.cosine_similarity(denoiser(y) - y * residual, way).mean()


@pytest.mark.parametrize(("answer", "start"), [
    (to_nearest, "✓"), (lambda d, y, p: to_nearest(d, y, p, residual=False), "✗"),
    (lambda d, y, p: -to_nearest(d, y, p), "✗"), (lambda d, y, p: to_nearest(d, y, p).abs(), "✗"),
    (lambda d, y, p: 1.0, "✗"), (lambda d, y, p: ..., "○"),
])
def test_pointing(answer, start, capsys):
    exercise = exercises.pointing(lambda y: ideal_denoiser(y, POINTS, 0.1), POINTS, 0.1)
    assert verdict(exercise, answer, capsys).startswith(start)


def test_a_cosine_for_each_point_is_not_yet_a_mean(capsys):
    def each(denoiser, y, points):
        return torch.cosine_similarity(denoiser(y) - y, points[torch.cdist(y, points).argmin(1)] - y)

    assert "take the mean" in verdict(exercises.pointing(lambda y: 0.5 * y, POINTS, 0.1), each, capsys)


def test_a_denoiser_that_does_not_point_there_is_not_passed(capsys):
    assert "expected more than 0.8" in verdict(exercises.pointing(lambda y: 0.5 * y, POINTS, 0.1), to_nearest, capsys)


def crossing(sigmas, filtered, network):
    lead = [n - f for n, f in zip(network, filtered, strict=True)]
    i = next(i for i, value in enumerate(lead) if value > 0)
    return sigmas[i - 1] - lead[i - 1] * (sigmas[i] - sigmas[i - 1]) / (lead[i] - lead[i - 1])


@pytest.mark.parametrize(("answer", "says"), [
    (crossing, "✓"),
    (lambda s, f, n: next(a for a, b, c in zip(s, f, n, strict=True) if c > b), "the first level at which the network"),
    (lambda s, f, n: [a for a, b, c in zip(s, f, n, strict=True) if c < b][-1], "the last level at which the filter"),
    (lambda s, f, n: crossing([0.1, 0.2, 0.4], [30, 26, 20], [25, 25, 24]), "for our networks"),
    (lambda s, f, n: ..., "○"),
])
def test_overtaking(answer, says, capsys):
    exercise = exercises.overtaking((0.1, 0.2, 0.3), [27.0, 24.0, 22.0], [25.0, 24.5, 24.0])
    assert says in verdict(exercise, answer, capsys)


# -- checks that can fail --------------------------------------------------------------------------


def check_of(words, **names):
    """Run the cell of notebook 06 that holds these words, on names of our own."""
    cells = nbformat.read(ROOT / "notebooks/06_denoising.ipynb", as_version=4).cells
    [source] = [cell.source for cell in cells if cell.cell_type == "code" and words in cell.source]
    exec(source, {"torch": torch, "with_noise": experiments.with_noise, "levels": experiments.QUOTED_LEVELS} | names)


class Halved(torch.nn.Module):
    """Half of what the network would remove: its error and what it removes no longer fit each other."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, y):
        return (y + self.net(y)) / 2


def test_the_size_of_what_is_removed_tells_a_denoiser_from_others():
    net, some = load("dae-scenes-unet")[0], experiments.new_pictures("scenes", 60)
    check_of("removed, wrong, noise", skip=net, some=some)
    for other in (torch.nn.Identity(), SmallUNet(residual=False), Halved(net)):
        with pytest.raises(AssertionError):
            check_of("removed, wrong, noise", skip=other, some=some)


def test_salt_and_pepper_needs_a_network_that_has_learned():
    names = {"filters": filters, "reconstruct": reconstruct, "mean_psnr": experiments.mean_psnr,
             "show_images": lambda *rows, **options: None, "unseen": experiments.new_pictures("scenes")}
    check_of("peppered =", skip=load("dae-scenes-unet")[0], **names)
    with pytest.raises(AssertionError):
        check_of("peppered =", skip=SmallUNet(), **names)
