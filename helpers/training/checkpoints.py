r"""Trained weights in files: save, load, and load or train.

A checkpoint is one safetensors file. Its metadata holds a card as JSON: what rebuilds the model (its class in
`helpers.models` and its config) and where it comes from (data, seed, command, metrics, loss curve), with a
digest over the card and the weights. Loading runs no code but the constructors of `helpers.models`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors
from torch import nn

from .. import DATA, models
from ..data import manifest
from ..data.files import DamagedFile, write_atomically

WEIGHTS = DATA / "weights"
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.int64)  # of weights, and of counters beside them


class CheckpointError(RuntimeError):
    r"""A checkpoint is missing, damaged, foreign or does not fit; the message says what to do."""


@dataclass(frozen=True)
class Card:
    r"""What a checkpoint says about its weights."""

    model: str  # its class, relative to helpers.models: "autoencoder.Autoencoder"
    config: dict  # the arguments of its constructor
    data: str  # what it was trained on
    seed: int
    command: str  # what trains it again
    metrics: dict[str, float]  # its figures on held-out data
    curve: dict[str, list[float]] | None = None  # History.curve(): {"step": [...], "loss": [...], ...}
    recipe: str = ""  # Recipe.digest(); older files have none


def describe(model: nn.Module, *, data, seed, command, metrics, curve=None, recipe="") -> Card:
    r"""The card of a model. ValueError unless its class lives in helpers.models and has a `config`."""
    kind = type(model)
    before, inside, module = kind.__module__.partition(models.__name__ + ".")
    if before or not inside:
        raise ValueError(f"{kind.__name__} is not in {models.__name__}, so its weights could not be loaded")
    if not isinstance(getattr(model, "config", None), dict):
        raise ValueError(f"{kind.__name__}.config must hold the arguments of its constructor")
    return Card(f"{module}.{kind.__name__}", model.config, data, seed, command, metrics, curve, recipe)


def save(path, model: nn.Module, *, dtype=torch.float16, **provenance) -> Card:
    r"""Write the model's weights and card (arguments as in `describe`) to `path`, whole or not at all.

    Floats are stored as `dtype`. CheckpointError if it cannot hold one of them, or if the disk refuses.
    """
    card = describe(model, **provenance)
    tensors = {name: stored(name, value, dtype) for name, value in model.state_dict().items()}
    # One entry, because safetensors shuffles them: the same weights and card give the same bytes.
    text = json.dumps(asdict(card) | {"digest": digest(tensors, asdict(card))}, allow_nan=False)
    try:
        write_atomically(Path(path), format_safetensors(tensors, {"card": text}))
    except OSError as error:
        reason = f"could not write {path}: {error.strerror}. Make room, or choose another folder"
        raise CheckpointError(f"{reason}. An older file there is unchanged") from error
    return card


def stored(name: str, value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    r"""A tensor as the file holds it: on the CPU, in its own memory, floats as `dtype`."""
    value = value.detach().cpu().contiguous().clone()
    if not value.is_floating_point():
        return value
    if not value.isfinite().all():
        raise CheckpointError(f"{name} holds infinities or NaN: the training went wrong")
    if not value.to(dtype).isfinite().all():
        largest, limit = value.abs().max().item(), torch.finfo(dtype).max
        raise CheckpointError(f"{name} reaches {largest:g}, {dtype} only {limit:g}: save with torch.float32")
    return value.to(dtype)


def digest(tensors: dict[str, torch.Tensor], card: dict) -> str:
    r"""SHA-256 over the card and every tensor's name, type, shape and bytes."""
    total = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()


def load(name: str, device="cpu") -> tuple[nn.Module, Card]:
    r"""A shipped model by the name of its weights, in float32 and eval mode on `device`, and its card.

    The file is checked against the manifest. Any trouble with it raises CheckpointError.
    """
    path = WEIGHTS / f"{name}.safetensors"
    if path.parent != WEIGHTS:
        raise CheckpointError(f"{name!r} is a path; `load` takes the name of shipped weights, `load_file` a path")
    content = read(path)
    if listed().get(f"weights/{path.name}") != manifest.entry(content):
        raise CheckpointError(f"{path} is not as data/manifest.json lists it. {remedy(path)}")
    return revive(content, path, device)


def load_file(path: str | Path, device="cpu") -> tuple[nn.Module, Card]:
    r"""The model in a checkpoint file of this course, wherever it lies, as `load` returns it. Else CheckpointError."""
    return revive(read(Path(path)), Path(path), device)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with characters that no file name has
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot read {str(path)!r}: {reason}. {remedy(path)}") from error


def revive(content: bytes, path: Path, device) -> tuple[nn.Module, Card]:
    r"""The model and the card in the bytes of a checkpoint; `path` is for the messages."""
    tensors, card = parse(content, path)
    model = rebuild(card, path)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip(" \t.")
        raise CheckpointError(f"{path} does not fit {card.model}: {reason}. {remedy(path)}") from error
    for name, value in model.state_dict().items():
        if value.is_floating_point() != tensors[name].is_floating_point():  # torch would convert it in silence
            raise CheckpointError(f"{path} does not fit {card.model}: {name} is {tensors[name].dtype}. {remedy(path)}")
    return model.to(device).eval(), card


def parse(content: bytes, path: Path) -> tuple[dict[str, torch.Tensor], Card]:
    r"""The tensors and the card in the bytes of a checkpoint; `path` is for the messages."""
    try:
        tensors = parse_safetensors(content)
        header_ends = 8 + int.from_bytes(content[:8], "little")  # safetensors has its length in front
        metadata = json.loads(content[8:header_ends]).get("__metadata__") or {}
        card = json.loads(metadata.get("card", "{}"))
    except (SafetensorError, ValueError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is cut off or damaged ({error}). {remedy(path)}") from error
    names = {"digest", *(field.name for field in fields(Card))}
    if not isinstance(card, dict) or set(card) | {"recipe"} != names:
        raise CheckpointError(f"{path} is not a checkpoint of this course (no card). {remedy(path)}")
    if card.pop("digest") != digest(tensors, card):
        raise CheckpointError(f"{path} was altered after it was written. {remedy(path)}")
    for name, value in tensors.items():
        if value.dtype not in DTYPES or (value.is_floating_point() and not value.isfinite().all()):
            raise CheckpointError(f"{path} holds in {name} what no training writes ({value.dtype}, or values that are "
                                  f"not finite). {remedy(path)}")
    return tensors, Card(**card)


def rebuild(card: Card, path: Path) -> nn.Module:
    r"""An untrained model as the card describes it. Only classes defined in helpers.models can be named."""
    kind = None
    if re.fullmatch(r"[a-z]\w*\.[A-Z]\w*", str(card.model)):
        name, class_name = card.model.split(".")
        name = f"{models.__name__}.{name}"
        if importlib.util.find_spec(name):
            kind = vars(importlib.import_module(name)).get(class_name)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__module__ == name):
        raise CheckpointError(f"{path} is of {card.model!r}, not a model of the course. {remedy(path)}")
    try:
        with torch.random.fork_rng([]):  # the initial weights are drawn only to be replaced
            return kind(**card.config)
    except Exception as error:  # whatever a constructor makes of arguments that are not its own
        raise CheckpointError(f"{card.model} refuses {path}'s config: {error}. {remedy(path)}") from error


def listed() -> dict[str, dict]:
    r"""The manifest. CheckpointError, which says what restores it, where it is damaged or missing."""
    try:
        return manifest.read()
    except DamagedFile as error:
        raise CheckpointError(str(error)) from error


def remedy(path: Path) -> str:
    command = f"python -m helpers.train {path.stem}"
    if path.parent != WEIGHTS:
        return "Train it again: python -m helpers.train NAME"
    ships = [Path(name).stem for name in listed() if name.startswith("weights/")]
    if path.stem not in ships:
        near = difflib.get_close_matches(path.stem, ships)
        hint = f" (near: {', '.join(near)})" if near else ""
        return f"The course ships no weights of that name{hint}. To train it: {command}"
    return f"Restore it: git checkout -- data/weights/{path.name}. Or train it: {command} --out data/weights"
