"""The exercises of notebook 08."""

from __future__ import annotations

import torch
from torch.distributions import Normal, kl_divergence

from ...course.checks import Exercise, assert_close, assert_shape


def posteriors(batch: int = 5, d: int = 7):
    r"""mu, logvar and eps (batch, d) to try an answer on; always the same."""
    generator = torch.Generator().manual_seed(0)
    mu, logvar, eps = (torch.randn(batch, d, generator=generator) for _ in range(3))
    return mu, logvar, eps


def draw_and_kl() -> Exercise:
    r"""08.1: (mu, logvar, eps) -> the draw z (B, d), and KL(q || N(0, I)) of each picture (B,)."""
    mu, logvar, eps = posteriors()
    sigma = torch.exp(logvar / 2)

    def draws(answer):
        z = answer(mu, logvar, eps)[0]
        assert_shape("z", z, mu.shape)
        hints = {"logvar is the log of the variance: sigma is exp(logvar / 2)": mu + logvar.exp() * eps,
                 "you added mean and standard deviation; the noise eps is the third ingredient": mu + sigma,
                 "logvar is a logarithm: the standard deviation is exp(logvar / 2)": mu + logvar * eps,
                 "that is the mean alone; a draw is spread around it": mu}
        assert torch.equal(z, answer(mu, logvar, eps)[0]), "two calls differ: use the noise eps that you are given"
        explain("z", z, mu + sigma * eps, hints)

    def measures(answer):
        kl = answer(mu, logvar, eps)[1]
        each = kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0))
        assert isinstance(kl, torch.Tensor), "return two tensors, z and the KL of each picture"
        one = kl.shape != mu.shape and kl.ndim
        assert one, "the KL of a picture is one number: sum over the d numbers of its code, dim=1"
        assert_shape("kl", kl, (len(mu),))
        halved = 0.5 * (mu**2 + sigma**2 - 1 - logvar / 2)
        hints = {"sum over the code and do not average: at beta = 1 only the sum gives the bound": each.mean(1),
                 "one half of it: KL = 1/2 sum(...)": 2 * each.sum(1),
                 "log sigma^2 is logvar itself, not its half": halved.sum(1),
                 "sigma^2 is exp(logvar)": 0.5 * (mu**2 + sigma - 1 - logvar).sum(1),
                 "its sign: a KL is never negative": -each.sum(1)}
        explain("kl", kl, each.sum(1), hints)

    return Exercise("08.1", "a draw of z, and the KL in nats", [draws, measures])


def gradient_of_logvar() -> Exercise:
    r"""08.2: (g, logvar, eps), g = dL/dz -> dL/dlogvar, all (B, d), where z = mu + exp(logvar / 2) * eps."""
    mu, logvar, eps = posteriors()
    logvar.requires_grad_(True)
    z = mu + torch.exp(logvar / 2) * eps
    g = torch.autograd.grad(z.sin().sum() + z.square().sum(), z, retain_graph=True)[0]
    expected = torch.autograd.grad(z, logvar, g)[0]
    sigma = torch.exp(logvar.detach() / 2)

    def follows_the_chain(answer):
        found = answer(g, logvar.detach(), eps)
        assert_shape("dL/dlogvar", found, mu.shape)
        hints = {"that is dL/dsigma; go one step further, to logvar = 2 log sigma": g * eps,
                 "sigma = exp(logvar / 2): its derivative has a factor 1/2": g * eps * sigma,
                 "its sign: z grows with sigma where eps is positive": -g * eps * sigma / 2,
                 "where is eps? sigma enters z only as sigma * eps": g * sigma / 2,
                 "sigma is exp(logvar / 2)": g * eps * sigma.square() / 2}
        explain("dL/dlogvar", found, expected, hints)

    def dies_without_noise(answer):
        found = answer(g, logvar.detach(), torch.zeros_like(eps))
        assert_close("dL/dlogvar where eps = 0", found, torch.zeros_like(eps))

    title = "the gradient reaches sigma only through z = mu + sigma eps"
    return Exercise("08.2", title, [follows_the_chain, dies_without_noise])


def first_asleep(means) -> Exercise:
    r"""08.3: {beta: mu (N, d)} -> the smallest beta at which a number of the code is asleep, Var mu <= 0.01.

    means: those of the notebook's models; at one of the betas at least one must be asleep.
    """

    def made_up(answer):
        generator = torch.Generator().manual_seed(0)
        awake, other = (torch.randn(400, 3, generator=generator) for _ in range(2))
        mixed = torch.cat([awake[:, :2], 0.05 * other[:, :1] + 3], 1)  # one number sleeps, far from 0
        found = answer({20: 0.05 * other, 0.5: awake, 7: mixed, 50: 0.005 * other, 2: other + 3, 3: 0.12 * other})
        hints = {20: "one sleeping number is enough, wherever its mean lies; and the betas come in no order: sort them",
                 3: "asleep is a variance of 0.01 or less; there the smallest is above it",
                 2: "a mean far from 0 is not asleep if it varies: take the variance over the pictures",
                 50: "Var <= 0.01 is about the variance, the square of the standard deviation"}
        assert found == 7, f"of a made-up sweep you say {found}, expected 7. {hints.get(found, '')}"

    def of_the_models(answer):
        expected = next(b for b in sorted(means) if (means[b].var(0) <= 0.01).any())
        found = answer(means)
        assert found == expected, f"of the models you say {found}, expected {expected}: go through the betas in order"

    return Exercise("08.3", "the smallest beta at which a number is asleep", [made_up, of_the_models])


def explain(name: str, found, expected, hints: dict) -> None:
    r"""AssertionError where found is not expected (1e-5), with the hint whose value it is."""
    for hint, value in hints.items():
        if found.shape == value.shape and torch.allclose(found, value, atol=1e-5):
            raise AssertionError(f"{name}: {hint}")
    assert_close(name, found, expected, 1e-5)
