"""The variational autoencoder: its parts against torch.distributions and exact cases, its recipes, its exercises."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from helpers.data import manifest, scenes
from helpers.lessons.vae import exercises
from helpers.lessons.vae import experiments as vae
from helpers.lessons.vae import mnist as vae_mnist
from helpers.lessons.vae import recipes as vae_recipes
from helpers.models import vae as models
from helpers.models.autoencoder import Autoencoder
from helpers.models.vae import PRESETS, VAE, active_units, elbo_loss, gaussian_kl, iw_bound, log_weights, reparameterize
from helpers.training import recipes
from helpers.training.checkpoints import load
from helpers.training.loop import train


class Line(torch.nn.Module):
    """z ~ N(0, 1), x = w z + N(0, s^2): the likelihood, its integral and the posterior are all known."""

    def __init__(self, w=1.5, s=0.8, mean=0.0, std=1.0, exact=False):
        super().__init__()
        self.w, self.s, self.mean, self.std, self.exact = w, s, mean, std, exact

    def posterior(self, x):
        scale = self.w**2 + self.s**2
        return Normal(self.w * x / scale, self.s / math.sqrt(scale))

    def encode(self, x):
        if self.exact:
            q = self.posterior(x)
            return q.mean, 2 * q.stddev.log().expand_as(x)
        return torch.full_like(x, self.mean), torch.full_like(x, 2 * math.log(self.std))

    def log_likelihood(self, x, z):
        return Normal(self.w * z, self.s).log_prob(x).sum(-1)

    def log_px(self, x):
        return Normal(0.0, math.hypot(self.w, self.s)).log_prob(x).sum(-1)


# -- the parts -------------------------------------------------------------------------------------


def test_a_draw_has_the_mean_and_the_standard_deviation_of_the_posterior():
    mu, logvar = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.0, -4.0, 2.0])
    z = reparameterize(mu.expand(50_000, 3), logvar.expand(50_000, 3))
    torch.testing.assert_close(z.mean(0), mu, atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(0), torch.exp(logvar / 2), atol=0.03, rtol=0)


def test_a_draw_repeats_with_its_generator_and_is_new_for_each_number():
    mu, logvar = torch.zeros(4, 3), torch.zeros(4, 3)
    first, again = (reparameterize(mu, logvar, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again) and len(first.unique()) == 12


def test_the_gradient_reaches_sigma_through_the_draw_alone():
    mu, logvar = torch.randn(6, requires_grad=True), torch.randn(6, requires_grad=True)
    z = reparameterize(mu, logvar)
    z.sum().backward()
    eps = ((z - mu) / torch.exp(logvar / 2)).detach()
    torch.testing.assert_close(mu.grad, torch.ones(6))
    torch.testing.assert_close(logvar.grad, eps * torch.exp(logvar / 2).detach() / 2)


def test_the_kl_is_that_of_torch_distributions():
    mu, logvar = 3 * torch.randn(50, 7), 3 * torch.randn(50, 7)
    expected = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mu, logvar), expected, atol=1e-4, rtol=1e-5)
    assert (gaussian_kl(torch.zeros(3), torch.zeros(3)) == 0).all()


def test_the_kl_is_the_mean_over_draws():
    mu, logvar = torch.tensor([[0.5, -1.0]]), torch.tensor([[-1.0, 0.5]])
    q, z = Normal(mu, torch.exp(logvar / 2)), reparameterize(mu.expand(200_000, 2), logvar.expand(200_000, 2))
    drawn = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1).mean()
    assert drawn.item() == pytest.approx(gaussian_kl(mu, logvar).sum().item(), rel=0.02)


# -- likelihoods -----------------------------------------------------------------------------------


def test_the_gaussian_likelihood_is_a_density_on_0_1_with_its_constant():
    x, y = torch.rand(4, 30) * 2 - 1, torch.rand(2, 4, 30) * 2 - 1
    expected = Normal((y + 1) / 2, 0.3).log_prob((x + 1) / 2).sum(-1)
    torch.testing.assert_close(models.gaussian_log_likelihood(x, y, 0.3), expected)


def test_the_bernoulli_likelihood_is_minus_the_cross_entropy():
    x, logits = torch.rand(4, 30) * 2 - 1, 4 * torch.randn(2, 4, 30)
    expected = -F.binary_cross_entropy_with_logits(logits, ((x + 1) / 2).expand(2, 4, 30), reduction="none").sum(-1)
    torch.testing.assert_close(models.bernoulli_log_likelihood(x, logits), expected)


@pytest.mark.parametrize("s", [0.1, None])
def test_a_code_of_each_of_many_draws_meets_its_own_picture(s):
    model = VAE(3, s=s, channels=1, size=8, width=16, bottom=8, hidden=8).eval()
    x, z = torch.rand(4, 1, 8, 8) * 2 - 1, torch.randn(5, 4, 3)
    many = model.log_likelihood(x, z)
    assert many.shape == (5, 4)
    one = torch.stack([model.log_likelihood(x[i : i + 1], z[k, i : i + 1])[0] for k in range(5) for i in range(4)])
    torch.testing.assert_close(many.flatten(), one, atol=1e-3, rtol=1e-4)


# -- the bound -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.2, 0.3), (-0.7, 1.3)])
def test_log_p_is_the_bound_and_the_gap(mean, std):
    model, x = Line(mean=mean, std=std), torch.tensor([[2.0]])
    bound = log_weights(model, x, 400_000).mean()
    gap = kl_divergence(Normal(mean, std), model.posterior(x)).sum()
    assert (bound + gap).item() == pytest.approx(model.log_px(x).item(), abs=0.05)


def test_at_the_true_posterior_every_single_weight_is_log_p():
    model, x = Line(exact=True), torch.randn(6, 1)
    torch.testing.assert_close(log_weights(model, x, 3), model.log_px(x).expand(3, 6), atol=1e-4, rtol=1e-4)


def test_the_loss_is_minus_the_mean_weight_at_beta_1():
    model, x = Line(mean=0.5, std=0.5), torch.randn(100_000, 1)
    assert elbo_loss(model, x)[0].item() == pytest.approx(-log_weights(model, x, 1).mean().item(), abs=0.05)


def test_the_loss_weighs_sums_over_the_code_and_over_pixels():
    model = VAE(4, s=0.2, size=16, width=16, bottom=8, hidden=16)
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    mu, logvar = model.encode(x)
    for beta in (0.0, 1.0, 7.0):
        torch.manual_seed(1)
        loss, parts = elbo_loss(model, x, beta)
        torch.manual_seed(1)
        y = model.decode(reparameterize(mu, logvar))
        recon = -Normal((y + 1) / 2, 0.2).log_prob((x + 1) / 2).sum((1, 2, 3)).mean()
        kl = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0)).sum(1).mean()
        torch.testing.assert_close(parts["recon"], recon.detach(), rtol=1e-4, atol=1e-2)
        torch.testing.assert_close(parts["kl"], kl.detach())
        torch.testing.assert_close(loss, recon + beta * kl, rtol=1e-4, atol=1e-2)


def test_free_nats_are_not_charged_and_the_kl_is_reported_all_the_same():
    model, x = Line(mean=0.3, std=0.9), torch.randn(50, 1)
    torch.manual_seed(1)
    loss, parts = elbo_loss(model, x, beta=10, free=0.5)
    kl = gaussian_kl(*model.encode(x)).sum(1).mean()
    assert kl < 0.5 and parts["kl"] == pytest.approx(kl.item())
    assert loss.item() == pytest.approx((parts["recon"] + 10 * 0.5).item(), rel=1e-5)
    torch.manual_seed(1)
    charged = elbo_loss(model, x, beta=10, free=0.01)[0].item()
    assert charged == pytest.approx((parts["recon"] + 10 * kl).item(), rel=1e-5)


def test_the_importance_weighted_bound_rises_to_the_truth():
    model, x = Line(mean=0.0, std=1.0), torch.full((2000, 1), 2.0)
    bounds = [iw_bound(model, x, k, at_once=min(k, 10)).mean().item() for k in (1, 10, 200)]
    truth = model.log_px(x[:1]).item()
    assert bounds[0] < bounds[1] < bounds[2] <= truth + 0.01 and truth - bounds[2] < 0.01 < truth - bounds[1]


def test_the_bound_is_the_same_in_parts_and_at_once():
    model, x = Line(mean=0.4, std=0.7), torch.randn(3, 1)
    torch.manual_seed(2)
    parts = iw_bound(model, x, 40, at_once=10)
    torch.manual_seed(2)
    weights = torch.cat([log_weights(model, x, 10) for _ in range(4)])
    torch.testing.assert_close(parts, weights.logsumexp(0) - math.log(40))


def test_a_number_of_draws_that_does_not_split_evenly_counts_all():
    model, x = Line(exact=True), torch.randn(3, 1)
    torch.testing.assert_close(iw_bound(model, x, 25, at_once=10), model.log_px(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("k", "at_once"), [(0, 10), (10, 0), (-10, 10)])
def test_no_draws_at_all_are_refused(k, at_once):
    with pytest.raises(ValueError, match=f"must be positive; got k={k}, at_once={at_once}"):
        iw_bound(Line(), torch.zeros(1, 1), k, at_once)


def test_one_picture_cannot_tell_an_active_unit():
    with pytest.raises(ValueError, match="at least two pictures; got 1"):
        active_units(torch.zeros(1, 4))


def test_codes_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"expected codes \(B, 2\); got \(1, 3\)"):
        VAE(2).decode(torch.zeros(1, 3))


def test_a_unit_is_active_if_its_mean_varies():
    mu = torch.stack([torch.randn(500), 0.05 * torch.randn(500) + 9, 0.2 * torch.randn(500)], 1)
    assert active_units(mu).tolist() == [True, False, True]


def test_the_weight_of_the_kl_rises_along_a_line_and_stays():
    weights = [models.warmed_up(step, 4, 10.0) for step in range(6)]
    assert weights == [2.5, 5, 7.5, 10, 10, 10] and models.warmed_up(0, 0, 3.0) == 3


# -- the model -------------------------------------------------------------------------------------


def test_it_is_the_autoencoder_with_twice_the_outputs():
    sizes = dict(channels=3, size=32, width=32, bottom=16, hidden=128)
    ours, plain = VAE(8, **sizes), Autoencoder(8, **sizes)
    extra = sum(p.numel() for p in ours.parameters()) - sum(p.numel() for p in plain.parameters())
    assert extra == 8 * (128 + 1)
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    mu, logvar = ours.encode(x)
    assert mu.shape == logvar.shape == (2, 8) and ours.decode(mu).shape == x.shape
    torch.testing.assert_close(ours(x), ours.decode(mu))


def test_the_logarithm_of_the_variance_keeps_its_range():
    model = VAE(2, size=8, width=16, bottom=8, hidden=8)
    for bias, expected in ((-100.0, -10.0), (100.0, 6.0)):
        model.encoder.code.bias.data[2:] = bias
        assert (model.encode(torch.zeros(2, 3, 8, 8))[1] == expected).all()


def test_a_bernoulli_decoder_draws_within_the_range_of_pictures():
    y = VAE(2, s=None, channels=1, size=8, width=16, bottom=8, hidden=8).decode(100 * torch.randn(9, 2))
    assert y.min() >= -1 and y.max() <= 1


WRONG = [{"latent": 0}, {"s": 0.0}, {"s": -1.0}, {"s": float("nan")}, {"size": 30}, {"width": 20}]


@pytest.mark.parametrize("wrong", WRONG)
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="latent and s must be positive"):
        VAE(**{"latent": 2} | wrong)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected pictures \(B, 3, 32, 32\); got \(1, 1, 28, 28\)"):
        VAE(2).encode(torch.zeros(1, 1, 28, 28))


def test_it_learns_a_batch():
    model, x = VAE(8, **PRESETS["tiny"]), scenes.make_scenes(8, 0)[0]
    history = train(model, lambda step: (x, torch.tensor(0.1)), vae_recipes.weighted_loss, 120, label=None)
    assert history.loss[-1] < 0.2 * history.loss[0] and math.isfinite(history.loss[-1])


# -- recipes ---------------------------------------------------------------------------------------


def test_the_betas_have_names():
    names = [vae.beta_name(beta) for beta in vae.BETAS]
    assert names[:2] == ["vae-scenes-32-beta-0.1", "vae-scenes-32-beta-1"]
    swept = [recipe.name for recipe in recipes.group("vae-scenes-32-beta")]
    assert [name for name in swept if not name.endswith("judged")] == names


def test_a_recipe_warms_up_within_its_own_steps():
    batches = recipes.find("vae-scenes-32-beta-10").batches(18_000)
    rise = round(vae.KL_WARMUP * vae_recipes.STEPS)
    at = [batches(step)[1].item() for step in (0, rise // 2 - 1, rise - 1, vae_recipes.STEPS - 1)]
    assert at[0] < 0.1 and at[1] == pytest.approx(5) and at[2:] == [10, 10]
    assert recipes.find("vae-scenes-32-beta-10").at("smoke").batches(20)(19)[1] == 10


def test_the_mean_over_pixels_is_the_last_beta():
    model, x = VAE(4, s=vae.S, **PRESETS["tiny"]), scenes.make_scenes(6, 0)[0]
    torch.manual_seed(3)
    mu, logvar = model.encode(x)
    wrong = F.mse_loss(model.decode(reparameterize(mu, logvar)), x) + gaussian_kl(mu, logvar).sum(1).mean()
    torch.manual_seed(3)
    loss, _ = elbo_loss(model, x, vae.MEAN_BETA)
    constant = 1536 * math.log(2 * math.pi * vae.S**2)
    assert (loss - constant).item() == pytest.approx((wrong * vae.MEAN_BETA).item(), rel=1e-4)


def test_digits_are_black_or_white_as_often_as_they_are_grey():
    x = torch.linspace(-1, 1, 5).repeat(20_000, 1)
    drawn = vae_mnist.binarise(x)
    assert set(drawn.unique().tolist()) == {-1, 1}
    torch.testing.assert_close(drawn.mean(0), x[0], atol=0.03, rtol=0)


def test_codes_from_the_prior_itself_have_its_mean_and_standard_deviation():
    found = vae.describe_codes(torch.zeros(4000, 5), torch.zeros(4000, 5))
    assert found["kl"] == 0 == found["active"]
    assert abs(found["code_mean"]) < 0.02 and found["code_std"] == pytest.approx(1, abs=0.02)


def test_captions_are_kept_among_all_pictures_and_among_those_that_can_be_named():
    x, factors = scenes.make_scenes(8, 0)
    wrong = factors.clone()
    wrong[0, 4] = (wrong[0, 4] + 1) % 3
    blank = torch.zeros(8, 3, 32, 32)
    assert vae.kept_captions(x, factors) == (1, 1)
    assert vae.kept_captions(torch.cat([x, blank]), torch.cat([wrong, wrong])) == pytest.approx((7 / 16, 7 / 8))
    assert vae.kept_captions(blank, factors)[1] == 0


def test_what_is_said_of_pictures_is_counted():
    parsed = scenes.parse(torch.cat([scenes.make_scenes(3, 0)[0], torch.zeros(2, 3, 32, 32)]))
    assert vae.said_of(parsed) == "nameable 3; most often: valid 3, no object 2"
    assert vae.said_of(parsed, most=1) == "nameable 3; most often: valid 3"


SHIPPED = [*(vae.beta_name(beta) for beta in vae.BETAS), "vae-scenes-2-beta-10", "vae-emoji", "vae-scenes-32-free-bits",
           "vae-mnist-40"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_what_their_recipe_describes(name):
    recipe, (model, card) = recipes.find(name), load(name)
    assert card.config == recipe.build().config and card.data == recipe.data and card.seed == recipe.seed
    assert card.command == f"python -m helpers.train {name} --size full"
    assert card.curve["step"][-1] == pytest.approx(recipe.steps, rel=0.01)
    assert f"weights/{name}.safetensors" in manifest.read() and isinstance(model, VAE)


# -- exercises -------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


WRONG_DRAWS = {
    "use the noise eps": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * torch.randn_like(mu), None),
    "not its half": lambda mu, logvar, eps: (
        mu + torch.exp(logvar / 2) * eps, 0.5 * (mu**2 + logvar.exp() - 1 - logvar / 2).sum(1)),
    "return two tensors": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * eps, None),
    "third ingredient": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2), None),
    "the mean alone": lambda mu, logvar, eps: (mu, None),
    "log of the variance": lambda mu, logvar, eps: (mu + logvar.exp() * eps, None),
    "sum over the d numbers": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * eps, gaussian_kl(mu, logvar)),
    "do not average": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * eps, gaussian_kl(mu, logvar).mean(1)),
    "one half": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * eps, 2 * gaussian_kl(mu, logvar).sum(1)),
    "never negative": lambda mu, logvar, eps: (mu + torch.exp(logvar / 2) * eps, -gaussian_kl(mu, logvar).sum(1)),
}


@pytest.mark.parametrize("hint", WRONG_DRAWS)
def test_a_wrong_draw_gets_its_hint(hint, capsys):
    said = verdict(exercises.draw_and_kl(), WRONG_DRAWS[hint], capsys)
    assert said.startswith("✗ 08.1") and hint in said


WRONG_GRADIENTS = {
    "that is dL/dsigma": lambda g, logvar, eps: g * eps,
    "factor 1/2": lambda g, logvar, eps: g * eps * torch.exp(logvar / 2),
    "its sign": lambda g, logvar, eps: -g * eps * torch.exp(logvar / 2) / 2,
    "where is eps": lambda g, logvar, eps: g * torch.exp(logvar / 2) / 2,
    "sigma is exp": lambda g, logvar, eps: g * eps * logvar.exp() / 2,
}


@pytest.mark.parametrize("hint", WRONG_GRADIENTS)
def test_a_wrong_gradient_gets_its_hint(hint, capsys):
    said = verdict(exercises.gradient_of_logvar(), WRONG_GRADIENTS[hint], capsys)
    assert said.startswith("✗ 08.2") and hint in said


def test_the_sleeping_number_is_found_and_wrong_ways_to_look_for_it_are_named(capsys):
    means = {1: torch.randn(100, 2), 5: torch.randn(100, 2) * torch.tensor([1.0, 0.01]), 9: torch.zeros(100, 2)}
    exercise = exercises.first_asleep(means)

    def found(asleep):
        return lambda means: next((beta for beta in sorted(means) if asleep(means[beta])), None)

    exercise.check(found(lambda mu: (mu.var(0) <= 0.01).any()), strict=True)
    assert "one sleeping number" in verdict(exercise, found(lambda mu: (mu.var(0) <= 0.01).all()), capsys)
    assert "not asleep if it varies" in verdict(exercise, found(lambda mu: (mu.mean(0) > 1).any()), capsys)
    assert "the square" in verdict(exercise, found(lambda mu: (mu.std(0) <= 0.01).any()), capsys)
    unsorted = verdict(exercise, lambda means: next(b for b in means if (means[b].var(0) <= 0.01).any()), capsys)
    assert "sort them" in unsorted
    assert "0.01 or less" in verdict(exercise, found(lambda mu: (mu.var(0) <= 0.03).any()), capsys)
    said = verdict(exercise, lambda means: 7 if 7 in means else 9, capsys)
    assert "of the models you say 9, expected 5" in said
