r"""The Vision Transformer of notebook 10 beside that of vit-pytorch, on one task; and how long its trainings take.

    python -m tests.benchmarks.vit                  needs vit-pytorch (pip install --no-deps vit-pytorch einops)
    python -m tests.benchmarks.vit --seeds 0 --arms ours        one seed of one arm
    python -m tests.benchmarks.vit --minutes        only the time of one core that each recipe takes; --record keeps it

All see the same scenes in the same order, 64 at a time, on one thread, for SECONDS of the process's own time, batches
and optimiser included; none is dropped out. Sizes are equal: patches of 8, width 96, 4 blocks of 4 heads, 192 hidden.

    documented   vit-pytorch, trained as its example trains: Adam at 3e-5, constant within an epoch
    peer         vit-pytorch by the course's loop at the course's learning rate
    ours         the course's network by the same loop
    sooner       the same, for SECONDS / 1.5

The figure is the share of shapes named on 2,000 new scenes. Run once, on two cores that others shared, three seeds:
documented .377 ± .004, peer .857 ± .006, ours .798 ± .010, sooner .659 ± .022. By the step ours is no worse: after 400
steps .873, and the peer .875 (two seeds). So ours is not the faster one.

vit-pytorch imports torchvision for networks that are not used here; a stub stands in its place.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from types import ModuleType

import torch
from torch import nn

from helpers.lessons.vision_transformer import experiments as vit
from helpers.lessons.vision_transformer.recipes import VIT_BATCH, VIT_LR
from helpers.lessons.vision_transformer.scores import on_one_core
from helpers.models.vit import VisionTransformer
from helpers.training import recipes, tuning
from helpers.training.loop import seed_at, train

SECONDS, FASTER = 15.0, 1.5
TIMED = ("vit-scenes-8", "vit-mnist")
LOGITS = sum(vit.ANSWERS)


def peer() -> nn.Module:
    """vit-pytorch's network in our size; ImportError where it is not installed."""
    for name in ("torchvision", "torchvision.transforms", "torchvision.models"):
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]
    sys.modules["torchvision"].models = sys.modules["torchvision.models"]
    from vit_pytorch.vit import ViT

    return ViT(image_size=32, patch_size=8, num_classes=LOGITS, dim=96, depth=4, heads=4, mlp_dim=192, dim_head=24)


def step_seconds(model: nn.Module, steps: int = 12) -> float:
    """Seconds of a step of training by the course's loop; the model has moved on by as many steps."""
    batches = vit.labelled_scenes(VIT_BATCH)
    train(model, batches, vit.questions_loss, 3, lr=VIT_LR, label=None)  # what is slow the first time only
    began = time.process_time()
    train(model, batches, vit.questions_loss, steps, lr=VIT_LR, label=None)
    return (time.process_time() - began) / steps


def by_our_loop(build, seed: int, seconds: float) -> tuple[nn.Module, float]:
    """The model after that time, as many steps as fit, and the seconds that they took."""
    torch.manual_seed(seed)
    steps = round(seconds / step_seconds(build()))
    torch.manual_seed(seed)
    model, began = build(), time.process_time()
    train(model, vit.labelled_scenes(VIT_BATCH), vit.questions_loss, steps, lr=VIT_LR, seed=seed, label=None)
    return model, time.process_time() - began


def as_documented(build, seed: int, seconds: float) -> tuple[nn.Module, float]:
    """The same with Adam at 3e-5, on the batches that our loop would draw."""
    torch.manual_seed(seed)
    model, batches = build(), vit.labelled_scenes(VIT_BATCH)
    optimizer, step, began = torch.optim.Adam(model.parameters(), lr=3e-5), 0, time.process_time()
    while time.process_time() - began < seconds:
        torch.manual_seed(seed_at(seed, step))
        optimizer.zero_grad()
        vit.questions_loss(model, batches(step))[0].backward()
        optimizer.step()
        step += 1
    return model.eval(), time.process_time() - began


def arms(build_peer=peer, seconds: float = SECONDS) -> dict:
    """{arm: seed -> (model, seconds)}."""
    def ours():
        return VisionTransformer(LOGITS)

    return {"documented": lambda seed: as_documented(build_peer, seed, seconds),
            "peer": lambda seed: by_our_loop(build_peer, seed, seconds),
            "ours": lambda seed: by_our_loop(ours, seed, seconds),
            "sooner": lambda seed: by_our_loop(ours, seed, seconds / FASTER)}


def report(found: dict[str, list[tuple[float, float]]]) -> str:
    """A line for each arm of [(share, seconds) of each seed]: mean, standard error, and the range."""
    lines = []
    for name, runs in found.items():
        shares, seconds = zip(*runs, strict=True)
        error = statistics.stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else float("nan")
        lines.append(f"{name:11} shape named {statistics.mean(shares):.3f} ± {error:.3f} "
                     f"({min(shares):.3f} to {max(shares):.3f}), {statistics.mean(seconds):.1f} s")
    return "\n".join(lines)


def measure_minutes(record: bool) -> None:
    """Print how long each recipe of TIMED takes one core, from twenty steps; record it beside the trials."""
    for name in TIMED:
        recipe = recipes.find(name)
        model, batches = recipe.build(), recipe.batches(recipe.steps)
        train(model, batches, recipe.loss, 3, label=None)
        began = time.process_time()
        train(model, batches, recipe.loss, 20, label=None)
        seconds = (time.process_time() - began) / 20 * recipe.steps
        print(f"{name}: {seconds:.0f} s of one core")
        if record:
            tuning.record(on_one_core(recipe), {"training_seconds": round(seconds, 1)})


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.vit", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=list(arms()), choices=list(arms()))
    parser.add_argument("--minutes", action="store_true", help="only the time of one core that each recipe takes")
    parser.add_argument("--record", action="store_true", help="with --minutes: write it into data/trials.json")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    if options.minutes:
        measure_minutes(options.record)
        return
    x, labels = vit.new_scenes()
    print(f"{sum(p.numel() for p in peer().parameters()):,} parameters in vit-pytorch's, "
          f"{sum(p.numel() for p in VisionTransformer(LOGITS).parameters()):,} in ours")
    found = {name: [] for name in options.arms}
    for seed in options.seeds:
        for name in options.arms:
            model, seconds = arms()[name](seed)
            found[name].append((vit.share_right(model.eval(), x, labels)["shape"], seconds))
            print(f"seed {seed}, {name}: {found[name][-1]}", flush=True)
    print(report(found))


if __name__ == "__main__":
    main()
