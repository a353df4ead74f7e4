"""The decoders, and the public data sets where COURSE_DATA holds them."""

import gzip
import hashlib
import io
import os
import re
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers import ROOT, data, downloads
from helpers.data import decode_cifar, decode_idx


def given_data(*names):
    """The folder COURSE_DATA, or a skip that says what is missing."""
    root = os.environ.get("COURSE_DATA")
    if not root:
        pytest.skip("COURSE_DATA is not set: real data sets are not tested")
    for name in names:
        folder = ROOT / Path(root).expanduser() / downloads.DATASETS[name].folder
        if not folder.is_dir():
            pytest.skip(f"COURSE_DATA has no {folder.name}")


# The decoders.


def idx(array):
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + np.asarray(array, np.uint8).tobytes()


@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, max_side=5), elements=st.integers(0, 255)))
def test_idx_round_trip(array):
    assert np.array_equal(decode_idx(idx(array)).numpy(), array)


@pytest.mark.parametrize("spoil", [
    lambda b: b"", lambda b: b[:3], lambda b: b[:7], lambda b: b[:-1], lambda b: b + b"\0",
    lambda b: b"\x1f\x8b" + b[2:], lambda b: b[:2] + b"\x0d" + b[3:],
])  # fmt: skip
def test_idx_damaged(spoil):
    with pytest.raises(ValueError, match="IDX"):
        decode_idx(spoil(idx(np.arange(24).reshape(2, 3, 4))))


def cifar_records(n, label=3):
    pictures = torch.randint(0, 256, (n, 3, 32, 32), generator=torch.Generator().manual_seed(n)).byte()
    return pictures, b"".join(bytes([label]) + picture.numpy().tobytes() for picture in pictures)


def test_cifar_round_trip():
    pictures, packed = cifar_records(3)
    images, labels = decode_cifar(packed)
    assert torch.equal(images, pictures) and labels.tolist() == [3, 3, 3] and labels.dtype == torch.int64


@pytest.mark.parametrize("packed", [b"", cifar_records(2)[1][:-1], cifar_records(2, label=10)[1]])
def test_cifar_damaged(packed):
    with pytest.raises(ValueError, match="CIFAR-10"):
        decode_cifar(packed)


def put(monkeypatch, root, name, files):
    """Puts `files` under COURSE_DATA in the place of a data set."""
    dataset = downloads.DATASETS[name]
    sha256 = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    new = downloads.Dataset(**{**vars(dataset), "sha256": sha256, "hash_of": "file"})
    monkeypatch.setitem(downloads.DATASETS, name, new)
    monkeypatch.setenv("COURSE_DATA", str(root))
    (root / dataset.folder).mkdir()
    for file, content in files.items():
        (root / dataset.folder / file).write_bytes(content)


def test_cifar10_reads_the_batches_in_order(tmp_path, monkeypatch):
    buffer = io.BytesIO()
    batches = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for label, batch in reversed(list(enumerate(batches))):  # the archive need not have them in order
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{batch}.bin")
            content = cifar_records(2, label)[1]
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    put(monkeypatch, tmp_path, "cifar10", {"cifar-10-binary.tar.gz": buffer.getvalue()})
    images, labels = data.cifar10("train")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and images.shape == (10, 3, 32, 32)
    assert torch.equal(((images[:2] + 1) * 127.5).round().byte(), cifar_records(2)[0])
    assert data.cifar10("test")[1].tolist() == [5, 5]


def test_fashion_mnist_reads_its_own_files(tmp_path, monkeypatch):
    files = {}
    for stem, n in (("train", 3), ("t10k", 2)):
        files[f"{stem}-images-idx3-ubyte.gz"] = gzip.compress(idx(np.full((n, 28, 28), 255)))
        files[f"{stem}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(n)))
    put(monkeypatch, tmp_path, "fashion_mnist", files)
    images, labels = data.fashion_mnist("test")
    assert images.shape == (2, 1, 28, 28) and (images == 1).all() and labels.tolist() == [0, 1]
    assert len(data.fashion_mnist("train")[0]) == 3


@pytest.mark.parametrize("function", [data.mnist, data.fashion_mnist, data.cifar10, data.multi30k])
def test_an_unknown_split_is_named_before_anything_is_fetched(function):
    with pytest.raises(ValueError, match="'dev' is not one of 'train'"):
        function("dev")


# Real data.


def test_mnist():
    given_data("mnist")
    packed = downloads.fetch("mnist")["train-images-idx3-ubyte.gz"]
    assert hashlib.md5(downloads.read(packed)).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    for split, n, first in (("train", 60_000, [5, 0, 4, 1, 9]), ("test", 10_000, [7, 2, 1, 0, 4])):
        images, labels = data.mnist(split)
        assert images.shape == (n, 1, 28, 28) and images.dtype == torch.float32
        assert images.min() == -1 and images.max() == 1 and images[:, :, 0, 0].max() == -1  # a black margin
        assert labels.shape == (n,) and labels.dtype == torch.int64 and labels[:5].tolist() == first
    with pytest.raises(ValueError, match="'valid'"):
        data.mnist("valid")


def test_multi30k():
    given_data("multi30k")
    pairs = {split: data.multi30k(split) for split in ("train", "val", "test")}
    assert [len(part) for part in pairs.values()] == [29_000, 1_014, 1_000]
    assert pairs["train"][0][1] == "Two young, White males are outside near many bushes."
    assert pairs["train"][0][0].startswith("Zwei junge weiße Männer")
    assert all(german.strip() and english.strip() for part in pairs.values() for german, english in part)


def test_tatoeba():
    given_data("tatoeba")
    pairs = data.tatoeba()
    assert len(pairs) == 3798 and pairs[0] == ("가.", "Go.")
    assert all(re.search("[가-힣]", korean) for korean, _ in pairs)
    assert all("CC-BY" not in part for pair in pairs for part in pair)
