"""The metrics against cases that can be checked by hand, and against slower ways to the same number."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import scenes
from helpers.metrics.pca import PCA
from helpers.metrics.pictures import frechet_distance, mse, psnr, scene_accuracy, squared_error, ssim


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


@pytest.mark.parametrize("metric", [mse, squared_error, psnr, ssim])
def test_each_picture_gets_its_own_number_and_the_order_does_not_matter(metric):
    x, y = pictures(5, 0), pictures(5, 1)
    values = metric(x, y)
    assert values.shape == (5,)
    torch.testing.assert_close(values, metric(y, x))
    torch.testing.assert_close(values[2:3], metric(x[2:3], y[2:3]))
    with pytest.raises(ValueError, match=r"\(5, 3, 16, 16\) and \(5, 1, 16, 16\)"):
        metric(x, y[:, :1])


def ssim_by_hand(x, y):
    """Equation 13 of the paper, one window after the other, for one channel (H, W) in [0, 1]."""
    offsets = [(i - 5, j - 5) for i in range(11) for j in range(11)]
    w = torch.tensor([math.exp(-(i * i + j * j) / (2 * 1.5**2)) for i, j in offsets], dtype=torch.float64)
    w = w.view(11, 11)
    w /= w.sum()
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            a, b = (image[i : i + 11, j : j + 11].double() for image in (x, y))
            mean_a, mean_b = (w * a).sum(), (w * b).sum()
            var_a, var_b = (w * (a - mean_a) ** 2).sum(), (w * (b - mean_b) ** 2).sum()
            covariance = (w * (a - mean_a) * (b - mean_b)).sum()
            numerator = (2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)
            values.append(numerator / ((mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2)))
    return torch.stack(values).mean().item()


def test_ssim_is_equation_13():
    x, noise = pictures(2, 0, side=14), pictures(2, 1, side=14)
    y = 0.7 * x + 0.3 * noise
    expected = [sum(ssim_by_hand((a[c] + 1) / 2, (b[c] + 1) / 2) for c in range(3)) / 3
                for a, b in zip(x, y, strict=True)]
    assert ssim(x, y).tolist() == pytest.approx(expected, abs=1e-5)


def test_ssim_of_known_pictures():
    x = pictures(2)
    assert ssim(x, x).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    assert (ssim(x, -x) < 0).all()  # light and dark swapped: the structure is the opposite
    black, white = -torch.ones(1, 1, 11, 11), torch.ones(1, 1, 11, 11)
    assert ssim(black, white).item() == pytest.approx(1e-4 / (1 + 1e-4), abs=1e-6)  # luminance alone
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(pictures(1, side=10), pictures(1, side=10))


def gaussian(n, mean, covariance, seed=0):
    """n points whose sample mean and covariance are exactly the ones given."""
    x = torch.randn(n, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    x = torch.linalg.qr(x - x.mean(0)).Q * math.sqrt(n - 1)
    return x @ torch.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_known_gaussians():
    mean = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    covariance = torch.diag(torch.tensor([1.0, 4.0, 9.0], dtype=torch.float64))
    a = gaussian(200, torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    b = gaussian(300, mean, covariance, seed=1)
    # Diagonal covariances: the squared distance of the means plus that of the standard deviations.
    assert frechet_distance(a, b) == pytest.approx(1 + 4 + 0.25 + 0 + 1 + 4)
    assert frechet_distance(b, a) == pytest.approx(10.25)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a[:, :1], b[:, :1]) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(2, 30))
def test_frechet_distance_against_the_eigenvalues_of_the_product(seed, d, n):
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(n, d, dtype=torch.float64, generator=generator)
    mixing = torch.randn(d, d, dtype=torch.float64, generator=generator)
    b = torch.randn(n + 3, d, dtype=torch.float64, generator=generator) @ mixing + 1
    c_a, c_b = (torch.atleast_2d(x.T.cov()) for x in (a, b))
    root = torch.linalg.eigvals(c_a @ c_b).real.clamp(min=0).sqrt().sum()
    expected = (a.mean(0) - b.mean(0)).square().sum() + c_a.trace() + c_b.trace() - 2 * root
    distance = frechet_distance(a.float(), b.float())
    assert distance == pytest.approx(expected.item(), rel=1e-3, abs=1e-3) and distance >= 0


def test_frechet_distance_of_bad_sets():
    for a, b in [((5, 3), (5, 2)), ((1, 3), (5, 3)), ((5, 3, 1), (5, 3))]:
        with pytest.raises(ValueError, match="expected features"):
            frechet_distance(torch.zeros(a), torch.zeros(b))


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
