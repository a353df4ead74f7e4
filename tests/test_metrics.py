"""The metrics against cases that can be checked by hand, and against slower ways to the same number."""

import math

import pytest
import torch

from helpers.data import scenes
from helpers.metrics.pca import PCA
from helpers.metrics.pictures import mse, psnr, scene_accuracy, squared_error


def pictures(n, seed=0, side=16, channels=3):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_errors_are_on_the_unit_scale():
    black, white = -torch.ones(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    assert mse(black, white).tolist() == [1.0, 1.0]
    assert squared_error(black, white).tolist() == [48.0, 48.0]
    assert psnr(black, white).tolist() == [0.0, 0.0]
    grey = black.clone()
    grey[1] += 0.2  # a tenth of the range: an mse of 0.01 is 20 dB
    assert psnr(black, grey).tolist() == [math.inf, pytest.approx(20.0, abs=1e-4)]
    assert mse(black, grey).tolist() == [0.0, pytest.approx(0.01)]


@pytest.mark.parametrize("metric", [mse, squared_error, psnr])
def test_each_picture_gets_its_own_number_and_the_order_does_not_matter(metric):
    x, y = pictures(5, 0), pictures(5, 1)
    values = metric(x, y)
    assert values.shape == (5,)
    torch.testing.assert_close(values, metric(y, x))
    torch.testing.assert_close(values[2:3], metric(x[2:3], y[2:3]))
    with pytest.raises(ValueError, match=r"\(5, 3, 16, 16\) and \(5, 1, 16, 16\)"):
        metric(x, y[:, :1])


def test_scene_accuracy():
    images, factors = scenes.make_scenes(200, seed=5)
    perfect = scene_accuracy(images, factors)
    assert list(perfect) == [*scenes.FACTORS, "all_six"] and set(perfect.values()) == {1.0}
    wrong = factors.clone()
    wrong[:50, 1] = (wrong[:50, 1] + 1) % 8  # another colour for the first fifty
    wrong[40:60, 3] = (wrong[40:60, 3] + 1) % 3  # another column for twenty more, ten of them the same
    accuracy = scene_accuracy(images * 3, wrong)  # beyond the range: clipped
    assert accuracy["colour"] == pytest.approx(0.75) and accuracy["column"] == pytest.approx(0.9)
    assert accuracy["all_six"] == pytest.approx(0.70) and accuracy["shape"] == 1.0


def by_svd(x, d):
    """The reconstructions by the textbook: the right singular vectors of the centred data."""
    flat = x.flatten(1).double()
    mean = flat.mean(0)
    directions = torch.linalg.svd(flat - mean, full_matrices=False).Vh[:d]
    return lambda y: (((y.flatten(1).double() - mean) @ directions.T @ directions) + mean).view_as(y).float()


@pytest.mark.parametrize("shape", [(300, 3, 4, 4), (40, 1, 8, 8), (500, 20)])
def test_pca_is_the_singular_value_decomposition(shape):
    x, y = (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    x = (x.flatten(1) * torch.linspace(1, 0.1, x[0].numel())).view_as(x) + 0.3
    pca = PCA.fit(x, 12)
    for d in (1, 5, 12):
        torch.testing.assert_close(pca.reconstruct(y, d), by_svd(x, d)(y), rtol=1e-3, atol=1e-4)
    assert pca.encode(y).shape == (len(y), 12) and pca.decode(pca.encode(y, 3)).shape == y.shape
    torch.testing.assert_close(pca.encode(x).var(0, correction=0), pca.variances, rtol=1e-3, atol=1e-5)


def test_pca_finds_a_few_of_many_as_exactly():
    x, _ = scenes.make_scenes(600, seed=0)
    pca = PCA.fit(x, 16)  # 16 of 3,072: by orthogonal iteration
    y, _ = scenes.make_scenes(100, seed=1)
    for d in (1, 8, 16):
        error, expected = (mse(r, y).mean().item() for r in (pca.reconstruct(y, d), by_svd(x, d)(y)))
        assert error == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(pca.components @ pca.components.T, torch.eye(16), rtol=0, atol=1e-5)


def test_pca_of_all_dimensions_loses_nothing():
    x = torch.randn(50, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(PCA.fit(x, 18).reconstruct(x), x, rtol=1e-4, atol=1e-5)


def test_pca_of_stored_pictures_is_that_of_the_pictures():
    """uint8, as a file has them, in place of a float copy four times as large; they do not change."""
    stored = torch.randint(0, 256, (600, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    before = stored.clone()
    fits = PCA.fit(stored, 3), PCA.fit(stored.float() / 127.5 - 1, 3)
    for name in ("mean", "components", "variances"):
        torch.testing.assert_close(*(getattr(fit, name) for fit in fits))
    assert fits[0].mean.abs().max() < 1 and torch.equal(stored, before)


def test_pca_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    PCA.fit(scenes.make_scenes(20, seed=0)[0], 2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("n", "d"), [(10, 0), (10, 19), (1, 2)])
def test_pca_of_too_little(n, d):
    with pytest.raises(ValueError, match=f"cannot fit {d} components to {n} points of 18 numbers"):
        PCA.fit(torch.zeros(n, 2, 3, 3), d)
