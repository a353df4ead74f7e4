"""Notebook 09: densities over codes, what is drawn from them, the models compared, and the exercises."""

import pytest
import torch
from torch import distributions

from helpers.data import scenes
from helpers.lessons.ae_vs_vae import exercises
from helpers.lessons.ae_vs_vae import experiments as generation
from helpers.lessons.vae import experiments as vae_experiments
from helpers.models import densities
from helpers.models.autoencoder import Autoencoder
from helpers.models.vae import VAE, slerp
from helpers.training import recipes
from helpers.training.checkpoints import load


def some_mixture(k=3, d=2):
    roots = torch.tril(torch.randn(k, d, d), -1) + torch.diag_embed(torch.rand(k, d) + 0.5)
    return densities.Mixture(torch.softmax(torch.randn(k), 0), 3 * torch.randn(k, d), roots)


def reference(m):
    parts = distributions.MultivariateNormal(m.means, scale_tril=m.roots)
    return distributions.MixtureSameFamily(distributions.Categorical(m.weights), parts)


def small(kind, d=4):
    torch.manual_seed(0)
    return kind(d, width=16, bottom=8, hidden=16).eval()


# -- densities -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "d"), [(1, 1), (1, 5), (4, 1), (3, 7)])
def test_the_log_density_is_that_of_torch(k, d):
    m, z = some_mixture(k, d), 4 * torch.randn(50, d)
    torch.testing.assert_close(m.log_density(z), reference(m).log_prob(z), atol=1e-3, rtol=1e-4)


def test_the_density_integrates_to_one():
    line = torch.linspace(-40, 40, 20_001)
    assert torch.trapezoid(some_mixture(4, 1).log_density(line[:, None]).exp(), line) == pytest.approx(1, abs=1e-3)


def test_draws_have_the_moments_of_the_mixture():
    m = some_mixture()
    z, wanted = m.sample(200_000), reference(m)
    torch.testing.assert_close(z.mean(0), wanted.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(0), wanted.variance, atol=0.1, rtol=0.02)
    within = m.roots @ m.roots.mT
    between = m.means - wanted.mean
    covariance = torch.einsum("k,kij->ij", m.weights, within + between[:, :, None] * between[:, None])
    torch.testing.assert_close(z.T.cov(), covariance, atol=0.1, rtol=0.03)


def test_draws_come_from_the_components_by_weight():
    m = densities.Mixture(torch.tensor([0.2, 0.0, 0.8]), torch.tensor([[0.0], [50.0], [100.0]]), torch.ones(3, 1, 1))
    z = m.sample(20_000)[:, 0]
    assert (z < 25).float().mean() == pytest.approx(0.2, abs=0.01)
    assert not ((z > 25) & (z < 75)).any()


def test_one_seed_gives_two_mixtures_the_same_chance():
    generator = torch.Generator().manual_seed(5)
    plain = densities.standard_normal(3).sample(10, generator)
    moved = densities.Mixture(torch.ones(1), torch.full((1, 3), 7.0), 2 * torch.eye(3)[None])
    torch.testing.assert_close(moved.sample(10, generator.manual_seed(5)), 2 * plain + 7)
    assert not torch.equal(densities.standard_normal(3).sample(10, generator), plain), "the generator goes on"


def test_the_standard_normal():
    z = torch.randn(20, 4)
    wanted = distributions.Normal(0, 1).log_prob(z).sum(1)
    torch.testing.assert_close(densities.standard_normal(4).log_density(z), wanted)


def test_the_fitted_gaussian_has_the_largest_likelihood():
    z = torch.randn(500, 3) @ torch.randn(3, 3) + torch.randn(3)
    fit = densities.gaussian(z)
    torch.testing.assert_close(fit.means[0], z.mean(0))
    torch.testing.assert_close(fit.roots[0] @ fit.roots[0].T, z.T.cov(correction=0), rtol=1e-3, atol=1e-3)
    best = fit.log_density(z).mean()
    for change in (0.9, 1.1):
        assert best > densities.Mixture(fit.weights, fit.means, change * fit.roots).log_density(z).mean()
        assert best > densities.Mixture(fit.weights, change * fit.means + 0.1, fit.roots).log_density(z).mean()


def test_a_mixture_finds_two_clouds_and_fits_new_codes_better_than_one_gaussian():
    def clouds(n):
        return torch.cat([torch.randn(3 * n, 2) * 0.3, torch.randn(n, 2) + 6])

    fit, fresh = densities.mixture(clouds(300), 2), clouds(200)
    order = fit.weights.argsort()
    torch.testing.assert_close(fit.weights[order], torch.tensor([0.25, 0.75]), atol=0.01, rtol=0)
    torch.testing.assert_close(fit.means[order], torch.tensor([[6.0, 6.0], [0.0, 0.0]]), atol=0.2, rtol=0)
    assert fit.log_density(fresh).mean() > densities.gaussian(clouds(300)).log_density(fresh).mean() + 0.5


def test_a_mixture_of_one_is_the_gaussian():
    z = torch.randn(300, 4) @ torch.randn(4, 4)
    one, fit = densities.mixture(z, 1), densities.gaussian(z)
    torch.testing.assert_close(one.roots, fit.roots, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(one.means, fit.means, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("fit", [densities.gaussian, lambda z: densities.mixture(z, 3)])
def test_a_number_that_never_changes_is_no_obstacle(fit):
    z = torch.cat([torch.randn(200, 2), torch.ones(200, 1)], 1)
    draws = fit(z).sample(100)
    assert draws.isfinite().all() and (draws[:, 2] - 1).abs().max() < 0.1 < draws[:, :2].std()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: densities.gaussian(torch.zeros(3, 3)), r"n at least 4; got torch.float32 \(3, 3\)"),
    (lambda: densities.gaussian(torch.zeros(3)), "expected float codes"),
    (lambda: densities.gaussian(torch.tensor(1.0)), "expected float codes"),
    (lambda: densities.gaussian(torch.zeros(9, 0)), "expected float codes"),
    (lambda: densities.gaussian(torch.arange(20).view(10, 2)), "got torch.int64"),
    (lambda: densities.mixture(torch.ones(50, 3), 2), "all 50 codes are the same"),
    (lambda: densities.Mixture(torch.ones(2) / 2, torch.zeros(3, 1), torch.ones(3, 1, 1)), r"expected weights \(k,\)"),
    (lambda: densities.Mixture(torch.tensor([torch.nan]), torch.zeros(1, 1), torch.ones(1, 1, 1)), "sum to 1"),
    (lambda: densities.Mixture(torch.tensor([3.0, -2.0]), torch.zeros(2, 1), torch.ones(2, 1, 1)), "sum to 1"),
    (lambda: densities.gaussian(torch.full((9, 2), torch.nan)), "NaN or infinity"),
    (lambda: densities.mixture(torch.randn(20, 4), 6), r"n at least 25; got torch.float32 \(20, 4\)"),
    (lambda: densities.mixture(torch.randn(20, 4), 0), "at least one component, not 0"),
    (lambda: densities.standard_normal(0), "at least one number, not 0"),
    (lambda: densities.standard_normal(3).log_density(torch.zeros(2, 4)), r"expected codes \(n, 3\); got \(2, 4\)"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- what is drawn and what lies between ------------------------------------------------------------


def test_a_vae_gives_means_or_draws_and_an_autoencoder_its_codes():
    x, generator = torch.rand(7, 3, 32, 32) * 2 - 1, torch.Generator().manual_seed(0)
    ae, vae = small(Autoencoder), small(VAE)
    with torch.no_grad():
        torch.testing.assert_close(generation.latent_codes(ae, x, generator), ae.encode(x))
        mu, logvar = vae.encode(x)
        torch.testing.assert_close(generation.latent_codes(vae, x), mu)
        eps = torch.randn(7, 4, generator=torch.Generator().manual_seed(1))
        drawn = generation.latent_codes(vae, x, generator.manual_seed(1))
        torch.testing.assert_close(drawn, mu + (logvar / 2).exp() * eps)


def test_spherical_interpolation_keeps_the_length():
    a, b = torch.nn.functional.normalize(torch.randn(2, 50, 6), dim=-1)
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b, atol=1e-5, rtol=1e-4)
    for t in (0.3, 0.5):
        torch.testing.assert_close(slerp(a, b, t).norm(dim=1), torch.ones(50), atol=1e-4, rtol=0)
    east, north = torch.eye(2)
    torch.testing.assert_close(slerp(east, north, 0.5), torch.full((2,), 0.5**0.5))
    assert slerp(a, a, 0.5).isfinite().all()


def test_scenes_are_valid_noise_and_mixed_pictures_are_not():
    x, _ = scenes.make_scenes(200, seed=3)
    assert scenes.parse(x).shares()["valid"] >= 0.99
    assert scenes.parse(torch.randn(50, 3, 32, 32).clamp(-1, 1)).shares() == {"valid": 0, "nameable": 0}
    judged = scenes.parse((x[:100] + x[100:]) / 2)
    assert judged.shares()["valid"] <= judged.shares()["nameable"] < 0.2
    assert judged.shares()["nameable"] == pytest.approx(judged.nameable.sum().item() / 100)


def test_variety_counts_kinds_among_equally_many():
    x, factors = scenes.make_scenes(300, seed=3)
    judged = scenes.parse(x)
    everything = torch.ones(300, dtype=torch.bool)
    wanted = len({tuple(row) for row in factors[:100, [0, 1, 5]].tolist()})
    assert generation.variety(judged, everything) == wanted > 45
    assert generation.variety(judged, everything, 1) == 1
    one = scenes.parse(x[:1].expand(150, -1, -1, -1))
    assert generation.variety(one, everything[:150]) == 1, "one good code for ever is valid, and one kind"
    assert generation.variety(judged, torch.arange(300) < 99) is None
    assert generation.variety(judged, factors[:, 5] == 0, 50) <= 28


def test_a_standard_error_is_the_spread_of_rates():
    rates = (torch.rand(4000, 500) < 0.2).float().mean(1)
    assert generation.standard_error(0.2, 500) == pytest.approx(rates.std().item(), rel=0.05)
    assert generation.standard_error(0.0, 10) == 0


def test_a_margin_is_not_got_by_chance():
    assert generation.margin(4 / 2000, 0, 4) < 1, "four draws of 2,000 are not four times none"
    assert generation.margin(10 / 2000, 0, 4) < 2 < generation.margin(22 / 2000, 0, 4)
    assert generation.margin(0.2, 0.2) == 0 and generation.margin(0.1, 0.3) < -2


def test_each_source_and_the_middles_are_judged():
    model = small(VAE, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "training_codes", lambda model: torch.randn(200, 2))
        judged = generation.judge(model, 10, 3)
        assert list(judged) == [*generation.SOURCES, "midpoints"]
        assert [len(parsed.fault) for parsed in judged.values()] == [10, 10, 10, 5]
        drawn = scenes.parse(vae_experiments.drawn_from(model, densities.standard_normal(2), 10))
        assert torch.equal(judged["N(0, I)"].fault, drawn.fault)
        measured = generation.named(judged)
    assert len(measured) == 8 and measured["mixture, nameable"] == judged["mixture"].shares()["nameable"]


def test_reach_tells_draws_from_codes():
    x, model = torch.rand(50, 3, 32, 32) * 2 - 1, small(Autoencoder)
    known = generation.latent_codes(model, x)
    found = generation.reach(model, known, x)
    assert found["nearest, code"] == pytest.approx(0, abs=1e-2), "these codes are known"
    assert found["length, code"] == pytest.approx(known.norm(dim=1).median().item())
    assert 1.3 < found["length, draw"] < 2.4, "of 4 numbers: the root of 3.36, if there were very many"
    assert found["nearest, draw"] > 0.1


# -- the models ------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", generation.CODE_SIZES)
def test_the_two_kinds_differ_in_the_loss_alone(d):
    pair = [recipes.find(generation.weights_of(kind, d)) for kind in generation.FAMILIES]
    ae, vae = (recipe.build() for recipe in pair)
    assert (type(ae), type(vae)) == (Autoencoder, VAE)
    assert [load(recipe.name)[0].config for recipe in pair] == [ae.config, vae.config], "both are shipped"
    assert len({(recipe.steps, recipe.lr, recipe.ema, recipe.seed, recipe.data) for recipe in pair}) == 1
    assert {key: vae.config[key] for key in ae.config} == ae.config
    layers = [{name: tuple(p.shape) for name, p in model.named_parameters()} for model in (ae, vae)]
    assert layers[0].keys() == layers[1].keys()
    differ = {name for name in layers[0] if layers[0][name] != layers[1][name]}
    assert differ == {"encoder.code.weight", "encoder.code.bias"}, "a mean and a spread for each number"
    assert layers[1]["encoder.code.bias"] == (2 * d,)


def test_both_see_the_same_pictures():
    ae, vae = (recipes.find(generation.weights_of(kind, 8)).batches(100) for kind in generation.FAMILIES)
    torch.manual_seed(4)
    x = ae(0)
    torch.manual_seed(4)
    assert torch.equal(vae(0)[0], x)


# -- the exercises ---------------------------------------------------------------------------------


def nameable(pictures):
    return scenes.parse(pictures.clamp(-1, 1)).shares()["nameable"]


def rate(decode, source, n):
    return nameable(decode(source.sample(n)))


class Share:
    """A source of codes of which that share draws a scene, in any order."""

    def __init__(self, share):
        self.share = share

    def sample(self, n, generator=None):
        return torch.where(torch.rand(n, 1, generator=generator) < self.share, 2.0, -1.0).expand(n, 2)


class Toy:
    def decode(self, z):
        return exercises.toy_decode(z)


def tables(own=0.1, ae=0.02, gaussian=0.05, mixture=0.3):
    row = {"N(0, I)": Share(ae), "Gaussian": Share(gaussian), "mixture": Share(mixture)}
    return {"AE": row, "VAE": {"N(0, I)": Share(own), "Gaussian": Share(own), "mixture": Share(mixture)}}


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (rate, "✓", ""),
    (lambda *a: 100 * rate(*a), "✗", "per cent"),
    (lambda decode, source, n: n * rate(decode, source, n), "✗", "that is how many"),
    (lambda *a: 1 - rate(*a), "✗", "not nameable"),
    (lambda decode, source, n: rate(decode, source, 7), "✗", "of n = 40 codes you took 7"),
    (lambda decode, source, n: rate(decode, densities.standard_normal(2), n), "✗", "you took 0"),
    (lambda decode, source, n: scenes.parse(decode(source.sample(n)).clamp(-1, 1)).shares()["valid"], "✗", "nameable"),
    (lambda decode, source, n: scenes.parse(decode(source.sample(n))).shares()["nameable"], "✗", "ValueError"),
    (lambda decode, source, n: ..., "○", ""),
])
def test_two_by_three(answer, verdict, hint, capsys):
    exercises.two_by_three({"AE": Toy(), "VAE": Toy()}, tables()).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


@pytest.mark.parametrize(("changed", "hint"), [
    ({"ae": 0.12}, "from N(0, I) the VAE"), ({"gaussian": 0.5}, "one Gaussian"), ({"own": 0.6}, "the VAE's prior"),
])
def test_a_table_of_another_order_is_noticed(changed, hint, capsys):
    exercises.two_by_three({"AE": Toy(), "VAE": Toy()}, tables(**changed)).check(rate)
    assert hint in capsys.readouterr().out


def share_between(encode, decode, a, b, t):
    return nameable(decode(torch.lerp(encode(a), encode(b), t)))


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (share_between, "✓", ""),
    (lambda encode, decode, a, b, t: share_between(encode, decode, b, a, t), "✗", "at t = 0 the code is that of a"),
    (lambda encode, decode, a, b, t: nameable(torch.lerp(a, b, t)), "✗", "mix the codes"),
    (lambda encode, decode, a, b, t: share_between(encode, decode, a, b, 0.5), "✗", "use t"),
    (lambda encode, decode, a, b, t: ..., "○", ""),
])
def test_interpolation(answer, verdict, hint, capsys):
    x, _ = scenes.make_scenes(40, seed=1)
    model = small(Autoencoder)
    exercises.interpolation(model.encode, model.decode, *x.chunk(2)).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed
