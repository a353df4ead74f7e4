"""The benchmark of the VAE: the plain recipe is what it says, and the report judges both ways."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from . import vae


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


PLAIN = vae.Run([2.0, 4.0, 20.0], [130.0, 110.0, 105.0])


@pytest.mark.parametrize(("bound", "seconds", "met"), [
    (104.0, 8.0, True), (105.0, 10.0, True), (106.0, 8.0, False), (104.0, 10.1, False),
])
def test_the_bar_is_the_last_bound_in_half_the_time(bound, seconds, met, monkeypatch, capsys):
    ours, recorded = vae.Run([seconds], [bound]), []
    monkeypatch.setattr(vae, "flat", lambda split: None)
    monkeypatch.setattr(vae, "run_plain", lambda x, test: PLAIN)
    monkeypatch.setattr(vae, "run_ours", lambda steps=None: ours)
    monkeypatch.setattr(vae, "run_scheduled", lambda x, test, epochs: vae.Run([float(epochs)], [100.0 + epochs]))
    monkeypatch.setattr(vae.tuning, "record", lambda name, figures: recorded.append((name, figures)))
    assert vae.main(["--record"]) == int(not met) and bool(recorded) == met
    said = capsys.readouterr().out
    assert ("DOES NOT REACH" in said) == (bound > 105) and f"{seconds / 20:.2f} of its time (bar: 0.50)" in said
    if met:
        name, figures = recorded[0]
        assert name.startswith("vae-mnist-20 lr=") and figures["training_seconds"] == seconds
        assert figures["scheduled_bound_10"] == 110 and figures["scheduled_seconds_5"] == 5


@pytest.mark.parametrize(("seconds", "said"), [(8.0, "has 110.00 nats by then"), (1.0, "has not finished an epoch")])
def test_the_report_names_the_plain_bound_at_equal_time(seconds, said):
    text = vae.report(PLAIN, vae.Run([seconds], [104.0]), {5: vae.Run([9.0], [103.5])})
    assert said in text and text.count("plain, epoch") == 3
    assert "plain network, our schedule,  5 epochs      9.0 s    103.50 nats" in text


def test_the_plain_network_learns_by_our_loop():
    x = (torch.rand(640, 784) < torch.linspace(0, 1, 784)).float()
    run = vae.run_scheduled(x, x[:100], epochs=6)
    assert run.bounds[-1] < vae.plain_bound(vae.PlainVAE(), x[:100]) - 10 and run.seconds[0] > 0
