"""The data of the course in fixed ranges: the emoji that ship, and the public sets that are downloaded.

Images are float32 in [-1, 1], (N, C, H, W); -1 is black.
"""

import hashlib
import math
import struct
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .downloads import DataUnavailable, fetch, read
from .emoji import EmojiSet, load_emoji, to_range

__all__ = ["DataUnavailable", "EmojiSet", "load_emoji"]
__all__ += ["mnist", "fashion_mnist", "cifar10", "multi30k", "tatoeba"]

CIFAR_RECORD = 1 + 3 * 32 * 32  # bytes: a label, then red, green and blue, each row by row
IDX_UINT8 = 0x08


def mnist(split: str = "train", dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """MNIST: images (N, 1, 28, 28) and labels (N,) int64, 0 to 9. "train" has 60,000, "test" 10,000.

    dtype: torch.uint8 leaves the images as they are stored, in 0..255: a quarter of the memory
    """
    return _idx_pair("mnist", split, dtype)


def fashion_mnist(split: str = "train") -> tuple[Tensor, Tensor]:
    """Fashion-MNIST: images (N, 1, 28, 28), labels (N,) int64, 0 to 9. "train" has 60,000, "test" 10,000."""
    return _idx_pair("fashion_mnist", split)


def cifar10(split: str = "train") -> tuple[Tensor, Tensor]:
    """CIFAR-10: images (N, 3, 32, 32), labels (N,) in 0 to 9. "train" has 50,000 (614 MB), "test" 10,000."""
    _check_split(split, ("train", "test"))
    batches = [f"data_batch_{i}" for i in range(1, 6)] if split == "train" else ["test_batch"]
    (archive,) = fetch("cifar10").values()
    with tarfile.open(archive) as tar:
        parts = [tar.extractfile(f"cifar-10-batches-bin/{batch}.bin").read() for batch in batches]
    images, labels = decode_cifar(b"".join(parts))
    return to_range(images), labels


def multi30k(split: str = "train") -> list[tuple[str, str]]:
    """Multi30k: pairs (German, English). "train" has 29,000, "val" 1,014, "test" (Flickr 2016) 1,000."""
    _check_split(split, ("train", "val", "test"))
    files = fetch("multi30k")
    stem = "test_2016_flickr" if split == "test" else split
    german, english = (_lines(files[f"{stem}.{language}.gz"]) for language in ("de", "en"))
    return list(zip(german, english, strict=True))


def tatoeba(split: str = "train") -> list[tuple[str, str]]:
    """Tatoeba: pairs (Korean, English), the short ones first; a sentence may occur in several.

    "train" has 3,040, "val" 379, "test" 379, "all" 3,798; no sentence is in two of the first three.
    """
    _check_split(split, ("train", "val", "test", "all"))
    (file,) = fetch("tatoeba").values()
    rows = [line.split("\t") for line in _lines(file)]  # English, Korean, who wrote them
    pairs = [(korean, english) for english, korean, _ in rows]
    return pairs if split == "all" else split_pairs(pairs)[split]


def split_pairs(pairs: Sequence[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Pairs of sentences in "train", "val" and "test", so that no sentence is in two of them.

    Pairs that share a sentence stay together, and so do those that share one with them, and so on; sentences that
    differ only in capitals, spaces or the mark at their end count as one. "val" and "test" get a tenth each, or a
    little less. Which pairs they get depends on the pairs alone; each split keeps their order.
    """
    groups = linked(pairs)
    members = Counter(groups)
    # In the order of their hashes, which has nothing to do with length or subject.
    shuffled = sorted(members, key=lambda group: hashlib.sha256("\t".join(pairs[group]).encode()).digest())
    where = dict.fromkeys(shuffled, "train")
    for split in ("test", "val"):
        room = len(pairs) // 10
        for group in shuffled:
            if where[group] == "train" and members[group] <= room:
                where[group], room = split, room - members[group]
    splits = {"train": [], "val": [], "test": []}
    for pair, group in zip(pairs, groups, strict=True):
        splits[where[group]].append(pair)
    return splits


def linked(pairs: Sequence[tuple[str, str]]) -> list[int]:
    """For each pair the index of the first that is linked to it: by a shared sentence, or through other pairs."""
    first = list(range(len(pairs)))
    seen = {}  # (language, sentence) -> a pair that has it

    def root(pair):
        while first[pair] != pair:
            pair = first[pair]
        return pair

    for index, pair in enumerate(pairs):
        for language, sentence in enumerate(pair):
            other = root(seen.setdefault((language, _plain(sentence)), index))
            here = root(index)
            first[max(here, other)] = min(here, other)
    return [root(index) for index in range(len(pairs))]


def _plain(sentence: str) -> str:
    """A sentence without capitals, spaces and the marks at its end."""
    letters = "".join(unicodedata.normalize("NFC", sentence).casefold().split())
    return letters.rstrip(".!?…。") or letters


def decode_idx(data: bytes) -> Tensor:
    """The array of an IDX file (the format of MNIST), uint8. Raises ValueError where `data` isn't one."""
    if data[:3] != bytes((0, 0, IDX_UINT8)) or len(data) < 4 or len(data) < 4 + 4 * data[3]:
        raise ValueError(f"not an IDX file of unsigned bytes: it starts with {data[:4].hex(' ')}")
    sizes = struct.unpack_from(f">{data[3]}I", data, 4)
    header = 4 + 4 * len(sizes)
    if len(data) != header + math.prod(sizes):
        raise ValueError(f"an IDX file of {sizes} has {header + math.prod(sizes)} bytes, not {len(data)}")
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)[header:].reshape(sizes)


def decode_cifar(data: bytes) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64 of CIFAR-10's binary batches. Raises ValueError."""
    if len(data) == 0 or len(data) % CIFAR_RECORD:
        raise ValueError(f"{len(data)} bytes are not whole CIFAR-10 records of {CIFAR_RECORD} bytes")
    records = torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(-1, CIFAR_RECORD)
    labels = records[:, 0].long()
    if labels.max() > 9:
        raise ValueError(f"a CIFAR-10 label is at most 9, not {labels.max()}; CIFAR-100 has another format")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


def _idx_pair(name: str, split: str, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    _check_split(split, ("train", "test"))
    files = fetch(name)
    stem = "train" if split == "train" else "t10k"
    images = decode_idx(read(files[f"{stem}-images-idx3-ubyte.gz"]))
    labels = decode_idx(read(files[f"{stem}-labels-idx1-ubyte.gz"]))
    return to_range(images.unsqueeze(1), dtype), labels.long()


def _lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file."""
    return read(path).decode("utf-8").removesuffix("\n").split("\n")


def _check_split(split: str, known: tuple[str, ...]) -> None:
    if split not in known:
        raise ValueError(f"split {split!r} is not one of {', '.join(map(repr, known))}")
