r"""One training loop for every model of the course.

    history = train(model, batches, loss_fn, steps=2000)

AdamW (or Muon, for a model that asks for it) with a linear warm-up and a cosine decay (Loshchilov & Hutter 2019,
2017), gradients clipped to norm 1, and optionally an exponential moving average of the weights. The device, mixed
precision and several processes are Hugging Face accelerate's business. All that is random at step n is drawn from
(seed, n), so a training that was interrupted and resumed gives the weights of one that was not: on a CPU, bit for
bit.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
import warnings
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from .muon import Muon
from .progress import Bar, History, held_interrupts, stoppable
from .resume import Snapshot

WARMUP = 0.05  # share of the steps over which the learning rate rises
BETAS = (0.9, 0.99)  # AdamW's; 0.99 rather than 0.999 because our trainings are short
MAX_GRAD_NORM = 1.0
FUSED = ("cpu", "cuda")  # devices that have torch's fused AdamW and gain from the channels-last layout


class DivergenceError(RuntimeError):
    r"""The loss, a part of it or its gradient is infinite or not a number; the message names the step."""


class Objective(nn.Module):
    r"""The model and its loss as one module.

    Accelerate's wrappers (mixed precision, several processes) act on `forward`, whereas a loss may call any
    method of the model. So this is what gets wrapped, and the model itself stays as it was.
    """

    def __init__(self, model: nn.Module, loss_fn):
        super().__init__()
        self.model, self.loss_fn = model, loss_fn

    def forward(self, batch):
        result = self.loss_fn(self.model, batch)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
            raise TypeError('loss_fn must return the loss and a dict of its parts: loss, {"recon": value}')
        return result


def train(model, batches, loss_fn, steps, *, lr=2e-3, ema=None, seed=0, snapshot=None, resume=False,
          label="training") -> History:
    r"""Train `model` in place; returns its History. The model ends in eval mode, on the device it came from.

    batches   step -> a tensor, or a tuple or dict of tensors. A pure function of the step number: what is
              random in it comes from torch's generator, which is seeded at every step. With w processes,
              process r gets batches(step * w + r), and the gradients are averaged.
    loss_fn   (model, batch) -> (loss averaged over the batch, {"name of a part": value})
    lr        the highest learning rate: it rises for 5 % of the steps, then falls to 0 along a cosine
    ema       decay of the moving average of the weights, such as 0.999; the model ends with the average
    snapshot  a file for the state of the run: written every minute, on an interrupt, and at the end. Where the disk
              refuses, the training says so once and goes on without
    resume    continue from `snapshot` if it exists; SnapshotError if it is of a run with other settings, or if another
              training holds it
    label     text before the progress bar; None draws no bar

    Ctrl-C, or the stop button of a notebook, ends the training after the step at hand: the weights are kept,
    the snapshot is written, and History.interrupted is True. A loss or gradient that is not finite raises
    DivergenceError before it reaches the weights, and leaves the last snapshot.
    """
    check_arguments(model, steps, lr, ema, snapshot, resume)
    accelerator, history = make_accelerator(), History()
    count, rank = accelerator.num_processes, accelerator.process_index
    settings = dict(steps=steps, lr=lr, ema=ema, seed=seed, processes=count, model=outline(model))
    with prepared(model, accelerator):
        optimizer = optimizer_of(model, lr, fused=accelerator.device.type in FUSED)
        objective, optimizer = accelerator.prepare(Objective(model, loss_fn), optimizer)
        average = {name: value.clone() for name, value in model.state_dict().items()} if ema else {}
        saved = Snapshot(snapshot, settings, model, optimizer, average, history, writes=rank == 0)
        with saved.held(resume):
            began = time.monotonic() - history.seconds
            with Bar(label if rank == 0 else None, steps, history) as bar, stoppable(history):
                for step in range(history.steps, steps):
                    torch.manual_seed(seed_at(seed, step * count + rank))
                    batch = sent(batches(step * count + rank), accelerator.device)
                    with held_interrupts():
                        optimizer.param_groups[0]["lr"] = learning_rate(step, steps, lr)
                        values = gradient_step(accelerator, objective, optimizer, batch, step)
                        update_average(average, model, ema, step)
                        history.append(*values)
                        history.seconds = time.monotonic() - began
                        saved.save_if_due()
                    bar.update()
            with stoppable(history), held_interrupts():
                saved.save()
        if ema:
            model.load_state_dict(average)
    return history


def optimizer_of(model: nn.Module, lr: float, fused: bool) -> torch.optim.Optimizer:
    r"""AdamW, or what the class of the model asks for: `optimizer = "muon"`."""
    if getattr(model, "optimizer", "adamw") == "muon":
        return Muon(model, lr, BETAS, fused=fused)
    return torch.optim.AdamW(model.parameters(), lr, BETAS, fused=fused)


def learning_rate(step: int, steps: int, highest: float) -> float:
    r"""A linear rise, then a cosine to 0: a function of the step alone, so that a resume needs no more."""
    rise = max(1, round(WARMUP * steps))
    if step < rise:
        return highest * (step + 1) / rise
    return highest * 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def gradient_step(accelerator, objective, optimizer, batch, step: int):
    r"""Move the weights once. Returns (loss, learning rate, norm of the gradient before clipping, parts)."""
    loss, parts = objective(batch)
    optimizer.zero_grad()
    accelerator.backward(loss)
    norm = accelerator.clip_grad_norm_(objective.parameters(), MAX_GRAD_NORM)
    # One transfer from the device for all that is logged, and one exchange between the processes.
    values = [torch.as_tensor(v, device=loss.device).detach().float() for v in (loss, norm, *parts.values())]
    loss, norm, *values = accelerator.reduce(torch.stack(values), "mean").tolist()
    parts = dict(zip(parts, values, strict=True))
    if not all(map(math.isfinite, (loss, norm, *values))):
        broken = "".join(f", its part {name} {value}" for name, value in parts.items() if not math.isfinite(value))
        raise DivergenceError(
            f"at step {step} the loss is {loss} and the norm of its gradient {norm}{broken}. The weights are still "
            f"those of the step before. Look at batches({step}), check the loss, or train with a smaller lr."
        )
    optimizer.step()
    return loss, optimizer.param_groups[0]["lr"], norm, parts


@torch.no_grad()
def update_average(average: dict, model: nn.Module, decay: float | None, step: int) -> None:
    r"""average <- decay * average + (1 - decay) * weights, for every tensor of the model. No decay: nothing.

    Early on the decay is at most (1 + step) / (10 + step), so that the initial weights are soon forgotten.
    """
    if decay is None:
        return
    decay = min(decay, (1 + step) / (10 + step))
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)  # counters and indices have no average


def seed_at(seed: int, index: int) -> int:
    r"""A well mixed seed of 32 bits for one batch: torch's CPU generator reads no more of its seed."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def sent(batch, device: torch.device):
    r"""A tensor, or a tuple or dict of tensors, on the device."""
    from accelerate.utils import send_to_device  # here and below: a page that only loads weights does without

    return send_to_device(batch, device)


def make_accelerator():
    r"""Accelerate's view of this computer: one device or, under `accelerate launch`, several.

    Computes in bfloat16 where a GPU has it, else in float32; a launcher's own --mixed_precision goes first.
    """
    from accelerate import Accelerator, utils

    gpu = torch.cuda.is_available() and not utils.parse_flag_from_env("ACCELERATE_USE_CPU")
    own_choice = "bf16" if gpu and torch.cuda.get_device_capability() >= (8, 0) else "no"
    choice = os.environ.get("ACCELERATE_MIXED_PRECISION", own_choice)
    if choice == "fp16":  # its loss scaling lets gradients overflow on purpose, which would count as divergence
        raise ValueError("float16 is not supported: launch with --mixed_precision bf16, or no")
    if choice == "bf16" and not gpu and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        warnings.warn("this processor imitates bfloat16, which is slow: launch without --mixed_precision", stacklevel=2)
    return Accelerator(mixed_precision=choice)


@contextmanager
def prepared(model: nn.Module, accelerator):
    r"""Train mode on the accelerator's device; afterwards eval mode at home, and torch's generators as they were."""
    home, device = next(model.parameters()).device, accelerator.device
    fast = device.type in FUSED and (device.type == "cuda" or accelerator.mixed_precision == "no")
    if fast and any(isinstance(module, nn.Conv2d) for module in model.modules()):
        model.to(memory_format=torch.channels_last)  # the layout of fast convolutions, but for bfloat16 on a processor
    model.to(device).train()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        model.zero_grad()
        model.to(home, memory_format=torch.contiguous_format).eval()


def outline(model: nn.Module) -> str:
    r"""Class, size and a digest of all layers: equal for models that can continue each other's training."""
    layers = [str(model), *(f"{name} {tuple(value.shape)}" for name, value in model.state_dict().items())]
    digest = hashlib.sha256("\n".join(layers).encode()).hexdigest()[:8]
    return f"{type(model).__name__} with {sum(p.numel() for p in model.parameters()):,} parameters ({digest})"


def check_arguments(model, steps, lr, ema, snapshot, resume) -> None:
    if not any(True for _ in model.parameters()):
        raise ValueError("the model has no parameters to train")
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1")
    if not lr > 0:
        raise ValueError(f"lr is {lr}; it must be above 0")
    if ema is not None and not 0 < ema < 1:
        raise ValueError(f"ema is {ema}; it is a decay between 0 and 1, such as 0.999, or None")
    if resume and snapshot is None:
        raise ValueError("resume=True needs the snapshot to resume from: snapshot=PATH")
