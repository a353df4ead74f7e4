"""The benchmark of the VAE: the plain recipe is what it says, and the report judges both ways."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from . import vae


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        yield


def test_the_plain_loss_is_minus_the_bound():
    model, x = vae.PlainVAE(), torch.bernoulli(torch.full((6, 784), 0.3))
    assert model.hidden1.weight.shape == (400, 784) and model.mean.weight.shape == (20, 400)
    mu, logvar = model.encode(x)
    torch.manual_seed(1)
    loss = model.loss(x)
    torch.manual_seed(1)
    q = Normal(mu, torch.exp(0.5 * logvar))
    z = mu + q.stddev * torch.randn_like(mu)
    logits = model.picture(torch.relu(model.hidden2(z)))
    expected = kl_divergence(q, Normal(0.0, 1.0)).sum() - Bernoulli(logits=logits).log_prob(x).sum()
    torch.testing.assert_close(loss, expected)


def test_the_plain_recipe_learns_and_the_clock_runs_on():
    x = (torch.rand(640, 784) < torch.linspace(0, 1, 784)).float()
    run = vae.run_plain(x, x[:100], epochs=3)
    assert run.bounds == sorted(run.bounds, reverse=True) and run.bounds[-1] < run.bounds[0] - 10
    assert run.seconds == sorted(run.seconds) and run.seconds[0] > 0


@pytest.mark.parametrize(("bound", "said"), [(104.0, "ours reaches"), (106.0, "ours DOES NOT REACH")])
def test_the_report_compares_with_the_last_bound_and_prints_the_ratio(bound, said):
    text = vae.report(vae.Run([2.0, 4.0, 20.0], [130.0, 110.0, 105.0]), vae.Run([8.0], [bound]))
    assert said in text and "0.40 of its time (bar: 0.50)" in text and text.count("plain, epoch") == 3
