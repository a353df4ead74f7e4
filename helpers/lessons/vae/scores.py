r"""The figures of notebook 08: the sweep of beta, its collapse and the cures, two numbers, emoji, and MNIST."""

from __future__ import annotations

import math

import torch

from ...course.scores import Score
from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pictures import mse, reconstruct
from ...models.densities import standard_normal
from ...models.vae import gaussian_kl, reparameterize
from ...training import recipes, tuning
from ...training.checkpoints import load
from . import experiments as vae

CLASSIC = 105.6  # nats: the framework's own example after ten epochs, as its users report
BURDA = 86.8  # nats: Burda et al. 2016, table 1, a VAE with one layer of codes on binarised MNIST


# What the page says of each beta, besides the KL; of the others only how many draws are nameable.
QUOTED = ("mse", "all_six", "all_six_nameable", "active", "valid", "nameable")
SHOWN = {10: QUOTED, 100: QUOTED, 38_400: ("mse", "all_six")}


def shown_scenes():
    r"""The 500 new scenes that the notebook measures on, (500, 3, 32, 32), and their factors."""
    return (part[:500] for part in scenes.make_scenes(1000, NEW_SCENES_SEED))


def sweep():
    r"""Each model of the sweep on the 500 new scenes of the notebook, and notebook 09's 2,000 draws from the prior."""
    x, factors = shown_scenes()
    before = None
    for beta in vae.BETAS:
        model, name = load(vae.beta_name(beta))[0], f"{beta:g}"
        collapsed = beta == vae.MEAN_BETA
        mu, logvar = vae.posteriors(model, x)
        y, found = vae.decode_all(model, mu), vae.describe_codes(mu, logvar)
        (kept, kept_named), error = vae.kept_captions(y, factors), mse(x, y).mean().item()
        drawn = scenes.parse(vae.drawn_from(model, standard_normal(vae.LATENT), 2000)).shares()
        bar = "< 0.5" if collapsed else f"< {math.floor(1000 * before) / 1000}" if before else ""  # it falls strictly
        rows = [("mse", "mean squared error of the mean code's picture", error, ".3f" if error > 0.1 else ".4f", ""),
                ("all_six", "pictures that keep all six factors", kept, ".0%", "<= 0.01" if collapsed else ""),
                ("all_six_nameable", "the same among those that are nameable", kept_named, ".0%", ""),
                ("active", "numbers of the code that are active, of 32", found["active"], ".0f", ""),
                ("valid", "draws from the prior that are valid scenes", drawn["valid"], ".1%", ""),
                ("nameable", "draws from the prior that are nameable", drawn["nameable"], ".1%", "")]
        if bar:
            form = ".2f" if found["kl"] < 2 else ".1f"
            yield Score(f"vae.beta.kl.{name}", f"nats that a code says, beta = {name}", found["kl"], form, bar=bar)
        for figure, what, value, form, bar in rows:
            if figure in SHOWN.get(beta, ("nameable",)):
                yield Score(f"vae.beta.{figure}.{name}", what, value, form, bar=bar)
        before = found["kl"]


def aggregated():
    r"""All drawn codes together, at the chosen beta, and the KL by its formula against draws."""
    x, _ = scenes.make_scenes(1000, NEW_SCENES_SEED)
    mu, logvar = vae.posteriors(load(vae.beta_name(vae.CHOSEN))[0], x)
    found = vae.describe_codes(mu, logvar)
    mean = abs(found["code_mean"])
    yield Score("vae.codes.mean", "mean of all drawn codes, without its sign", mean, ".3f", 0, "< 0.1")
    yield Score("vae.codes.std", "standard deviation of all drawn codes", found["code_std"], ".2f", 1, "<= 1.1")
    yield Score("vae.codes.off", "by how much it misses 1", abs(found["code_std"] - 1), ".2f", 0, "<= 0.1")
    exact, drawn = gaussian_kl(mu, logvar).sum(1).mean().item(), kl_by_draws(mu, logvar)
    yield Score("vae.codes.kl_off", "by what share the two differ", abs(drawn / exact - 1), ".2%", 0, "<= 0.02")


def kl_by_draws(mu, logvar, n: int = 100) -> float:
    r"""E_q[log q(z|x) - log p(z)], averaged over n draws for each picture and over the pictures."""
    mu, logvar = mu.repeat(n, 1), logvar.repeat(n, 1)
    z = reparameterize(mu, logvar, torch.Generator().manual_seed(0))
    return 0.5 * (z.square() - (z - mu).square() / logvar.exp() - logvar).sum(1).mean().item()


def shown():
    r"""Are reconstructions of the chosen one and of the autoencoder scenes? And the clouds in the plane."""
    x, _ = scenes.make_scenes(1000, NEW_SCENES_SEED)
    for place, name in (("", vae.beta_name(vae.CHOSEN)), (".plain", f"autoencoder-scenes-{vae.LATENT}")):
        for kind, share in scenes.parse(reconstruct(load(name)[0], x[:500])).shares().items():
            yield Score(f"vae.shown.{kind}{place}", f"{kind} of 500 scenes, redrawn by {name}", share, ".0%")
    mu, _ = vae.posteriors(load(vae.beta_name(vae.CHOSEN, 2))[0], x)
    outside = (mu.norm(dim=1) > math.sqrt(-2 * math.log(0.05))).float().mean().item()
    yield Score("vae.shown.outside", "mean codes outside the circle of 95 % of N(0, I), d = 2", outside, ".0%", 0.05)


def cures():
    r"""The collapsed one with free bits, and the chosen one without warm-up, as recorded."""
    x, factors = shown_scenes()
    free = load(f"vae-scenes-{vae.LATENT}-free-bits")[0]
    y, found = reconstruct(free, x), vae.describe_codes(*vae.posteriors(free, x))
    error, (kept, kept_named) = mse(x, y).mean().item(), vae.kept_captions(y, factors)
    yield Score("vae.cure.kl.free", "nats that a code says, beta = 38,400 with 0.5 nats free each", found["kl"], ".1f")
    yield Score("vae.cure.mse.free", "mean squared error", error, ".3f", bar="<= 0.05")
    yield Score("vae.cure.all_six.free", "pictures that keep all six factors", kept, ".0%")
    yield Score("vae.cure.all_six_nameable.free", "the same among those that are nameable", kept_named, ".0%")
    cold, warm = tuning.find(f"vae-scenes-{vae.LATENT}-cold"), load(vae.beta_name(vae.CHOSEN))[1].metrics
    for name, form in (("kl", ".1f"), ("mse", ".5f"), ("active", ".0f")):
        yield Score(f"vae.cure.cold_{name}", f"{name} without warm-up (baseline: with)", cold[name], form, warm[name])
        yield Score(f"vae.cure.warm_{name}", f"{name} with warm-up", warm[name], form)
    other = tuning.find(f"{vae.beta_name(vae.CHOSEN)}-judged", seed=1)  # the chosen one again, for notebook 09
    yield Score("vae.cure.again_mse", "mse, warmed up, another seed", other["mse"], ".5f", warm["mse"])


def emoji():
    x = sets.load_emoji("test").images
    model = load("vae-emoji")[0]
    error = mse(x, reconstruct(model, x)).mean().item()
    yield Score("vae.emoji.mse", "mean squared error, held-out emoji, 32 numbers (baseline: the autoencoder)", error,
                ".4f", mse(x, reconstruct(load("autoencoder-emoji-32")[0], x)).mean().item())


def mnist():
    r"""As `python -m tests.benchmarks.vae --record` and the card recorded them: the weighted bound takes its time."""
    ours = load("vae-mnist-40")[1].metrics
    race = tuning.read()[f"{tuning.key(recipes.find('vae-mnist-20'))} beside=plain"]  # of the benchmark
    yield Score("vae.digits.plain", "bound of the plain recipe after ten epochs, grey digits (baseline: as reported)",
                race["plain_bound"], ".1f", CLASSIC, "<= 107")
    yield Score("vae.digits.fast", "bound of ours with 20 numbers (baseline: the plain recipe's)", race["bound"],
                ".1f", race["plain_bound"], f"<= {race['plain_bound']}")
    yield Score("vae.digits.share", "its training time over that of the plain recipe", race["training_seconds"] /
                race["plain_seconds"], ".2f", 1, "<= 0.5")
    for epochs, bar in ((5, ""), (10, "<= 105")):
        what = f"bound of the plain network by our loop and learning rate, {epochs} epochs, grey digits"
        yield Score(f"vae.digits.scheduled.{epochs}", what, race[f"scheduled_bound_{epochs}"], ".1f",
                    race["plain_bound"], bar)
    yield Score("vae.digits.bound", "bound of ours with 40 numbers, binarised digits", ours["bound"], ".1f")
    yield Score("vae.digits.iw", "importance-weighted, k = 5,000 (baseline: published)", ours["iw_all"], ".1f", BURDA,
                "<= 88")
    first = tuning.find("vae-mnist-40", steps=6000)
    yield Score("vae.digits.iw_first", "the same after 6,000 steps, tried first", first["iw_all"], ".1f", BURDA)
    yield Score("vae.digits.iw_error", "its standard error from the digits that it was computed on", ours["iw_error"],
                ".2f")
    yield Score("vae.digits.minutes", "minutes of training, on a shared core", ours["training_seconds"] / 60, ".0f")


def minutes():
    seconds = [load(vae.beta_name(beta))[1].metrics["training_seconds"] for beta in vae.BETAS]
    yield Score("vae.minutes.one", "one model of the sweep on one core, on average", sum(seconds) / len(seconds) / 60,
                ".1f", bar="<= 15")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "vae.beta", sweep
    yield "vae.codes", aggregated
    yield "vae.shown", shown
    yield "vae.cure", cures
    yield "vae.emoji", emoji
    yield "vae.digits", mnist
    yield "vae.minutes", minutes
