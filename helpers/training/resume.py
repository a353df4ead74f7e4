r"""The snapshot from which an interrupted training continues.

A snapshot is one safetensors file: the weights, their average, the optimizer's state and the history as
tensors, and the settings of the run as JSON. Nothing in it can run code.
"""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..data.files import write_atomically

SECONDS_BETWEEN = 60.0  # a crash loses at most this much


class SnapshotError(RuntimeError):
    r"""A snapshot could not be written, read or continued; the message says what to do."""


class Snapshot:
    r"""The state of a run and the file that keeps it: weights, their average, optimizer, history.

    settings  what must be equal for a run to continue another; a path of None keeps nothing
    writes    False in all processes but one
    """

    def __init__(self, path, settings: dict, model, optimizer, average, history, writes=True):
        self.path = Path(path) if path is not None else None
        self.settings, self.writes = settings, writes
        self.model, self.optimizer, self.average, self.history = model, optimizer, average, history
        self.saved_at = time.monotonic()

    @contextlib.contextmanager
    def held(self, resume: bool):
        r"""While the run lasts no other writes this snapshot, else SnapshotError. With `resume`, load it first."""
        if self.path is None or not self.writes:
            if resume:
                self.load()
            yield
            return
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise SnapshotError(f"another training writes {self.path} right now. Wait until it is done, or write "
                                "to another folder.") from error
        except (OSError, NotImplementedError):  # a folder that cannot be written, or a disk that knows no locks:
            pass  # the first snapshot says the one, and without the other one trains as before
        try:
            if resume:
                self.load()
            yield
        finally:
            if lock.is_locked:
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)

    def save_if_due(self) -> None:
        if time.monotonic() - self.saved_at >= SECONDS_BETWEEN:
            self.save()

    def save(self) -> None:
        r"""Write the file, whole or not at all. Where the disk refuses, warn once, and write no more."""
        if self.path is None or not self.writes:
            return
        # A clone each: safetensors refuses tied weights, which share their memory.
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in self.tensors().items()}
        try:
            write_atomically(self.path, save(tensors, metadata={"settings": json.dumps(self.settings)}))
        except OSError as error:
            self.writes = False
            warnings.warn(f"could not write the snapshot {self.path}: {error.strerror}. The training goes on without: "
                          "if it is stopped, it cannot be continued.", stacklevel=2)
        self.saved_at = time.monotonic()

    def load(self) -> None:
        r"""Continue from the file, if there is one. SnapshotError if it is damaged or of another run."""
        if self.path is None or not self.path.exists():
            return
        again = f"Delete {self.path} to start again."
        try:
            with safe_open(self.path, framework="pt") as file:
                # Copies, because the file is mapped into memory: Windows would not let it be replaced.
                found = json.loads(file.metadata()["settings"])
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
            raise SnapshotError(f"{self.path} is damaged, or no snapshot ({error}). {again}") from error
        for name, value in self.settings.items():
            if found.get(name) != value:
                other = f"its {name} is {found.get(name)}, here it is {value}"
                raise SnapshotError(f"{self.path} is of another run: {other}. {again}")
        self.restore(tensors)

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""The whole state as one flat table."""
        history = self.history
        columns = {"loss": history.loss, "lr": history.lr, "grad_norm": history.grad_norm}
        columns |= {"seconds": [history.seconds]} | {f"parts/{name}": v for name, v in history.parts.items()}
        tensors = {f"history/{name}": torch.tensor(v, dtype=torch.float64) for name, v in columns.items()}
        tensors |= {f"model/{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"average/{name}": value for name, value in self.average.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": value for name, value in state.items()}
        return tensors

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        r"""Put the flat table back, in place."""
        self.model.load_state_dict(under("model/", tensors))
        for name, value in under("average/", tensors).items():
            self.average[name].copy_(value)
        self.restore_optimizer(under("optimizer/", tensors))
        columns = {name: values.tolist() for name, values in under("history/", tensors).items()}
        for name in ("loss", "lr", "grad_norm"):
            setattr(self.history, name, columns[name])
        self.history.seconds = columns["seconds"][0]
        self.history.parts = under("parts/", columns)

    def restore_optimizer(self, tensors: dict[str, torch.Tensor]) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        state = {}
        for name, value in tensors.items():
            index, key = name.split("/")
            if key != "step":
                # The fused AdamW walks raw memory: this must lie as the parameter does (channels last).
                value = torch.empty_like(parameters[int(index)]).copy_(value)
            state.setdefault(int(index), {})[key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})


def under(prefix: str, table: dict) -> dict:
    r"""The entries whose names begin with the prefix, without it."""
    return {name[len(prefix) :]: value for name, value in table.items() if name.startswith(prefix)}
