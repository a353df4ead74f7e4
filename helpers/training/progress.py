r"""What a training shows, leaves and how it stops: a bar of text, a history, an orderly Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from tqdm.std import tqdm

SECONDS_BETWEEN_LINES = 60.0  # where there is no terminal
FORMAT = "{desc}: step {n_fmt} of {total_fmt}, {elapsed} (about {remaining} left){postfix}"


@dataclass
class History:
    r"""What happened in a training: one value a step, averaged over the processes."""

    loss: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)  # before clipping
    parts: dict[str, list[float]] = field(default_factory=dict)  # the terms of the loss that loss_fn names
    seconds: float = 0.0
    interrupted: bool = False

    def append(self, loss: float, lr: float, grad_norm: float, parts: dict[str, float]) -> None:
        r"""Note one step. ValueError if its parts have other names than those of the steps before."""
        if self.loss and set(parts) != set(self.parts):
            raise ValueError(f"at step {self.steps} the loss has the parts {sorted(parts)}, at the steps before "
                             f"{sorted(self.parts)}: return the same names at every step")
        self.loss.append(loss)
        self.lr.append(lr)
        self.grad_norm.append(grad_norm)
        for name, value in parts.items():
            self.parts.setdefault(name, []).append(value)

    @property
    def steps(self) -> int:
        r"""The number of steps taken so far."""
        return len(self.loss)

    def curve(self, n: int = 100) -> dict[str, list[float]]:
        r"""At most n points to store or plot, means over equal windows: {"step": [...], "loss": [...]}."""
        windows = np.array_split(np.arange(self.steps), min(n, self.steps)) if self.steps else []
        columns = {"step": range(1, self.steps + 1), "loss": self.loss, **self.parts}
        return {name: [float(np.mean(np.take(v, w))) for w in windows] for name, v in columns.items()}


class Bar:
    r"""A progress bar of text on the standard output, for terminals and notebooks alike.

    It redraws at most twice a second, and leaves one line of plain text in its place. Where nothing can be redrawn,
    as in a file, it is a plain line a minute. A label of None draws nothing. (tqdm's own bar for notebooks is a widget:
    on GitHub it stays at 0 % for ever.)
    """

    def __init__(self, label: str | None, steps: int, history):
        self.label, self.steps, self.history = label, steps, history
        self.lines, self.told_at = label is not None and not redraws(sys.stdout), time.monotonic()
        self.bar = tqdm(total=steps, initial=history.steps, desc=label, disable=label is None or self.lines,
                        leave=False, file=sys.stdout, mininterval=0.5, miniters=1, bar_format=FORMAT)

    def __enter__(self) -> Bar:
        return self

    def update(self) -> None:
        self.bar.set_postfix_str(f"loss {self.history.loss[-1]:.4g}", refresh=False)
        self.bar.update()
        if self.lines and time.monotonic() - self.told_at >= SECONDS_BETWEEN_LINES:
            self.told_at = time.monotonic()
            done, loss = self.history.steps, self.history.loss[-1]
            print(f"{self.label}: step {done:,} of {self.steps:,}, loss {loss:.4g}", flush=True)

    def __exit__(self, error, *_) -> None:
        self.bar.close()
        if self.label is not None and error is None:
            tqdm.write(self.summary(), file=sys.stdout)

    def summary(self) -> str:
        r"""The line that stays, e.g. "autoencoder: 2,000 steps in 66 s, loss 0.0033"."""
        history = self.history
        last = history.loss[-50:]  # one step alone is noisy
        took = f"{history.seconds:.0f} s" + (f", loss {sum(last) / len(last):.4g}" if last else "")
        if history.interrupted:
            done = f"stopped after {history.steps:,} of {self.steps:,} steps"
            return f"{self.label}: {done} ({took}); the weights are kept"
        return f"{self.label}: {self.steps:,} steps in {took}"


def redraws(stream) -> bool:
    r"""Whether a line on this stream can be drawn again: a terminal's can, and a notebook's, but not a file's."""
    return stream.isatty() or type(stream).__module__.startswith(("ipykernel", "google.colab"))


@contextmanager
def held_interrupts():
    r"""Hold back Ctrl-C until the block is done, so that a stop never leaves half an update."""
    in_main = threading.current_thread() is threading.main_thread()  # only there do signals arrive
    previous = signal.getsignal(signal.SIGINT) if in_main else None
    if not callable(previous):
        yield
        return
    received = []
    signal.signal(signal.SIGINT, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        previous(*received[0])  # usually raises KeyboardInterrupt


@contextmanager
def stoppable(history: History):
    r"""An interrupt ends the block, not the program, and is noted in the history."""
    try:
        yield
    except KeyboardInterrupt:
        history.interrupted = True
