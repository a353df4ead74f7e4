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

from helpers import ROOT
from helpers.data import downloads, sets
from helpers.data.batches import in_batches
from helpers.data.sets import decode_cifar, decode_idx


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
])
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
    images, labels = sets.cifar10("train")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and images.shape == (10, 3, 32, 32)
    assert torch.equal(((images[:2] + 1) * 127.5).round().byte(), cifar_records(2)[0])
    assert sets.cifar10("test")[1].tolist() == [5, 5]


def test_fashion_mnist_reads_its_own_files(tmp_path, monkeypatch):
    files = {}
    for stem, n in (("train", 3), ("t10k", 2)):
        files[f"{stem}-images-idx3-ubyte.gz"] = gzip.compress(idx(np.full((n, 28, 28), 255)))
        files[f"{stem}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(n)))
    put(monkeypatch, tmp_path, "fashion_mnist", files)
    images, labels = sets.fashion_mnist("test")
    assert images.shape == (2, 1, 28, 28) and (images == 1).all() and labels.tolist() == [0, 1]
    assert len(sets.fashion_mnist("train")[0]) == 3


@pytest.mark.parametrize("function", [sets.mnist, sets.fashion_mnist, sets.cifar10, sets.multi30k, sets.tatoeba])
def test_an_unknown_split_is_named_before_anything_is_fetched(function):
    with pytest.raises(ValueError, match="'dev' is not one of 'train'"):
        function("dev")


# Batches.


def test_in_batches_is_one_call_without_gradients():
    x, w = torch.randn(7, 3), torch.randn(7, 3, requires_grad=True)
    for n in (7, 0):
        product, total = in_batches(lambda a, b: (a * b, (a + b).sum(1)), x[:n], w[:n], size=3)
        assert torch.equal(product, x[:n] * w[:n]) and torch.equal(total, (x[:n] + w[:n]).sum(1))
    assert not product.requires_grad and torch.equal(in_batches(torch.neg, x, size=2), -x)
    with pytest.raises(ValueError):
        in_batches(torch.add, x, w[:3], size=3)


# Pairs of sentences in splits.


def assert_nothing_is_shared(splits):
    """No sentence in two splits, not even with other capitals, spaces or marks at its end."""
    for language in (0, 1):
        known = [{re.sub(r"\s|[.!?]+$", "", pair[language].lower()) for pair in part} for part in splits.values()]
        assert len(set().union(*known)) == sum(map(len, known))


sentences = st.integers(0, 60).map("문장 {}.".format), st.integers(0, 60).map("Sentence {}!".format)


@given(st.lists(st.tuples(*sentences), max_size=60))
def test_no_sentence_is_in_two_splits(pairs):
    splits = sets.split_pairs(pairs)
    assert_nothing_is_shared(splits)
    assert sorted(sum(splits.values(), [])) == sorted(pairs)
    assert all(len(splits[name]) <= len(pairs) / 10 for name in ("val", "test"))
    assert splits == sets.split_pairs(list(pairs))


def test_pairs_are_linked_through_other_pairs():
    pairs = [("가", "Go."), ("나", "I"), ("다", "all"), ("가", "Walk!"), ("라", "walk ."), ("나", "go"), ("all", "x")]
    assert sets.linked(pairs) == [0, 0, 2, 0, 0, 0, 6], "the last shares its word with another language only"
    assert sets.linked([("...", "!"), ("?", "a")]) == [0, 1], "marks alone are sentences of their own"


def test_splits_hold_a_tenth_and_keep_the_order():
    pairs = [(f"문장 {i}", f"sentence {i}") for i in range(500)]
    splits = sets.split_pairs(pairs)
    assert [len(splits[name]) for name in ("train", "val", "test")] == [400, 50, 50]
    assert all(part == [pair for pair in pairs if pair in part] for part in splits.values())
    assert splits["test"] != pairs[-50:] and splits["test"] == sets.split_pairs(pairs)["test"]


# Real data.


def test_mnist():
    given_data("mnist")
    packed = downloads.fetch("mnist")["train-images-idx3-ubyte.gz"]
    assert hashlib.md5(downloads.read(packed)).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    for split, n, first in (("train", 60_000, [5, 0, 4, 1, 9]), ("test", 10_000, [7, 2, 1, 0, 4])):
        images, labels = sets.mnist(split)
        assert images.shape == (n, 1, 28, 28) and images.dtype == torch.float32
        assert images.min() == -1 and images.max() == 1 and images[:, :, 0, 0].max() == -1  # a black margin
        assert labels.shape == (n,) and labels.dtype == torch.int64 and labels[:5].tolist() == first
    with pytest.raises(ValueError, match="'valid'"):
        sets.mnist("valid")


def test_multi30k():
    given_data("multi30k")
    pairs = {split: sets.multi30k(split) for split in ("train", "val", "test")}
    assert [len(part) for part in pairs.values()] == [29_000, 1_014, 1_000]
    assert pairs["train"][0][1] == "Two young, White males are outside near many bushes."
    assert pairs["train"][0][0].startswith("Zwei junge weiße Männer")
    assert all(german.strip() and english.strip() for part in pairs.values() for german, english in part)


def test_tatoeba():
    given_data("tatoeba")
    pairs = sets.tatoeba("all")
    assert len(pairs) == 3798 and pairs[0] == ("가.", "Go.")
    assert all(re.search("[가-힣]", korean) for korean, _ in pairs)
    assert all("CC-BY" not in part for pair in pairs for part in pair)
    splits = {split: sets.tatoeba(split) for split in ("train", "val", "test")}
    assert [len(part) for part in splits.values()] == [3040, 379, 379]
    assert sorted(sum(splits.values(), [])) == sorted(pairs)
    assert_nothing_is_shared(splits)
    lengths = [np.mean([len(english.split()) for _, english in part]) for part in splits.values()]
    assert max(lengths) - min(lengths) < 0.5, "a split is easier than another"
