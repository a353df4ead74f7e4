"""The exercises: a right answer passes, and each likely mistake is told apart."""

import pytest
import torch

from helpers.data import scenes
from helpers.lessons.autoencoder import exercises
from helpers.training.checkpoints import load


def angles(a, b):
    cosines = torch.linalg.svdvals(torch.linalg.qr(a).Q.T @ torch.linalg.qr(b).Q)
    return torch.rad2deg(torch.arccos(cosines.clamp(max=1)))


SPAN = torch.linalg.qr(torch.randn(20, 3, generator=torch.Generator().manual_seed(0))).Q


@pytest.mark.parametrize(("answer", "verdict"), [
    (angles, "✓"),
    (lambda a, b: torch.deg2rad(angles(a, b)), "✗"),
    (lambda a, b: angles(a, b).flip(0), "✗"),
    (lambda a, b: torch.rad2deg(torch.arccos(torch.linalg.svdvals(a.T @ b).clamp(max=1))), "✗"),  # no QR
    (lambda a, b: torch.rad2deg(torch.arccos((torch.linalg.qr(a).Q * torch.linalg.qr(b).Q).sum(0).clamp(-1, 1))), "✗"),
    (lambda a, b: ..., "○"),
])
def test_principal_angles(answer, verdict, capsys):
    exercises.principal_angles(SPAN, SPAN @ torch.tensor([[1.0, 1, 0], [0, 1, 0], [2, 0, 1]])).check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def test_another_subspace_is_not_pca(capsys):
    exercises.principal_angles(SPAN, SPAN.roll(1, 0)).check(angles)
    assert "expected below 1" in capsys.readouterr().out


def below_the_chord(sizes, errors, log=True):
    u, y = torch.tensor(sizes).float(), torch.tensor(errors).float()
    u, y = (u.log(), y.log()) if log else (u, y)
    return sizes[(y[0] + (u - u[0]) * (y[-1] - y[0]) / (u[-1] - u[0]) - y).argmax()]


@pytest.mark.parametrize(("answer", "verdict"), [
    (below_the_chord, "✓"),
    (lambda sizes, errors: below_the_chord(sizes, errors, log=False), "✗"),
    (lambda sizes, errors: sizes[min(range(len(errors)), key=errors.__getitem__)], "✗"),  # the smallest error
    (lambda sizes, errors: 8, "✗"),
    (lambda sizes, errors: ..., "○"),
])
def test_elbow(answer, verdict, capsys):
    exercises.elbow([1, 2, 4, 8, 16], [1, 1 / 2, 1 / 4, 1 / 8, 1 / 8.1]).check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def rank(net, x, truth, descending=True):
    with torch.no_grad():
        right = (scenes.parse(net(x).clamp(-1, 1)).factors == truth).float().mean(0)
    return [scenes.FACTORS[i] for i in right.argsort(descending=descending)]


@pytest.mark.parametrize(("answer", "verdict"), [
    (rank, "✓"),
    (lambda net, x, truth: rank(net, x, truth, descending=False), "✗"),
    (lambda net, x, truth: rank(lambda x: x, x, truth), "✗"),  # the input instead of the reconstruction
    (lambda net, x, truth: list(scenes.FACTORS), "✗"),
    (lambda net, x, truth: rank(net, x, truth)[:1], "✗"),
])
def test_ranking(answer, verdict, capsys):
    x, factors = scenes.make_scenes(200, seed=5)
    exercises.ranking(load("autoencoder-scenes-3")[0], x, factors).check(answer)
    assert capsys.readouterr().out.startswith(verdict)
