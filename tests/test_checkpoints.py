"""Checkpoints: what is saved comes back, and whatever is wrong with a file is said, with what to do."""

import errno
import json
import os
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as parse
from safetensors.torch import save as build
from tiny_model import Tiny, Wide, recipe
from torch import nn

from helpers.data import manifest
from helpers.training import checkpoints, recipes, run
from helpers.training.checkpoints import CheckpointError, load, load_file, save
from helpers.training.loop import train
from helpers.training.run import load_or_train

PROVENANCE = dict(data="noise", seed=7, command="python -m helpers.train tiny", metrics={"mse": 0.25})
CURVE = {"step": [1.0, 2.0], "loss": [0.5, 0.25]}


def saved(path, model=None, **options):
    torch.manual_seed(0)
    model = (model or Tiny(5)).eval()
    save(path, model, **PROVENANCE | {"curve": CURVE} | options)
    return model


def forged(path, tensors=None, **changes):
    """The same file with another card or tensors, and a digest that fits: sound, but wrong."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    card = json.loads(header["__metadata__"]["card"]) | changes
    del card["digest"]
    tensors = parse(content) if tensors is None else tensors
    card["digest"] = checkpoints.digest(tensors, card)
    path.write_bytes(build(tensors, {"card": json.dumps(card)}))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A course whose data folder is empty: returns the folder of the weights that it ships."""
    monkeypatch.setattr(checkpoints, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(run, "TRAINED", tmp_path / "trained")
    monkeypatch.setattr(manifest.read, "__defaults__", (tmp_path,))
    manifest.save({}, tmp_path)
    return tmp_path / "weights"


def test_a_round_trip(path):
    model = saved(path)
    again, card = load_file(path)
    x = torch.randn(3, 6)
    assert not again.training and again.config == {"width": 5, "slope": 0.5}
    assert all(value.dtype in (torch.float32, torch.int64) for value in again.state_dict().values())
    torch.testing.assert_close(again(x), model(x), rtol=1e-2, atol=1e-3)  # stored in 16 bits
    assert card == checkpoints.Card("tiny.Tiny", model.config, curve=CURVE, **PROVENANCE)


def test_full_precision_is_exact(path):
    model = saved(path, dtype=torch.float32)
    again, _ = load_file(str(path))
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(),
                                                 strict=True))


def test_saving_changes_nothing_and_is_reproducible(path, tmp_path):
    model = saved(path)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    saved(tmp_path / "again.safetensors", model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_loading_leaves_the_global_generator_alone(path):
    saved(path)
    torch.manual_seed(1)
    load_file(path)
    after = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3))


def test_tied_weights(path):
    model = Tiny(6)
    model.outer.weight = model.inner.weight
    saved(path, model, dtype=torch.float32)
    again, _ = load_file(path)
    assert torch.equal(again.inner.weight, model.inner.weight)
    assert torch.equal(again.outer.weight, model.inner.weight)


@pytest.mark.parametrize(("value", "message"), [(70000.0, "inner.bias reaches 70000.*65504.*float32"),
                                                (float("inf"), "inner.bias holds infin"),
                                                (float("nan"), "inner.bias holds .* NaN")])
def test_values_that_16_bits_cannot_hold_are_refused(path, value, message):
    model = Tiny()
    model.inner.bias.data[1] = value
    with pytest.raises(CheckpointError, match=message):
        saved(path, model)
    assert not path.exists()


def test_large_values_fit_in_32_bits(path):
    model = Tiny()
    model.inner.bias.data[1] = 70000.0
    saved(path, model, dtype=torch.float32)
    assert load_file(path)[0].inner.bias[1] == 70000.0


def test_a_model_from_elsewhere_or_without_config_is_refused(path):
    with pytest.raises(ValueError, match="Linear is not in helpers.models"):
        save(path, nn.Linear(2, 2), **PROVENANCE)
    model = Tiny()
    model.config = None
    with pytest.raises(ValueError, match="config must hold the arguments"):
        save(path, model, **PROVENANCE)
    with pytest.raises(ValueError):
        save(path, Tiny(), **PROVENANCE | {"metrics": {"mse": float("nan")}})


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, -1])
def test_a_truncated_file(path, keep):
    saved(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="cut off or damaged.*python -m helpers.train NAME"):
        load_file(path)


def test_an_altered_weight(path):
    saved(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="altered.*python -m helpers.train NAME"):
        load_file(path)


@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04" + bytes(100), b"\x80\x04cposix\n", bytes(64)])
def test_a_file_of_another_kind(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        load_file(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"card": '{"model": "tiny.Tiny"}'},
                                      {"card": "[]"}])
def test_a_safetensors_file_of_another_program(path, metadata):
    path.write_bytes(build(Tiny().state_dict(), metadata))
    with pytest.raises(CheckpointError, match="not a checkpoint of this course"):
        load_file(path)


@pytest.mark.parametrize("name", ["os.system", "tiny.Missing", "missing.Tiny", "tiny.nn", "tiny.Linear", "",
                                  "Tiny", "..Tiny", "tiny.nn.Linear", None, 3])
def test_a_class_that_is_no_model_of_the_course(path, name):
    saved(path)
    forged(path, model=name)
    with pytest.raises(CheckpointError, match="not a model of the course"):
        load_file(path)


@pytest.mark.parametrize("config", [{"depth": 3}, {"width": "4"}, {"width": 5000}, [5], None, {"width": -1}])
def test_a_config_that_the_model_refuses(path, config):
    saved(path)
    forged(path, config=config)
    with pytest.raises(CheckpointError, match="tiny.Tiny refuses .*config"):
        load_file(path)


def test_weights_that_do_not_fit(path):
    saved(path)
    forged(path, config={"width": 6})
    with pytest.raises(CheckpointError, match="does not fit tiny.Tiny: size mismatch for outer.weight"):
        load_file(path)
    tensors = parse(path.read_bytes())
    del tensors["inner.bias"]
    forged(path, tensors, config={"width": 5})
    with pytest.raises(CheckpointError, match="does not fit tiny.Tiny: Missing.*inner.bias"):
        load_file(path)


def test_a_missing_file(path):
    with pytest.raises(CheckpointError, match="No such file.*python -m helpers.train NAME"):
        load_file(path)
    with pytest.raises(CheckpointError, match="Is a directory"):
        load_file(path.parent)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_flipped_bytes_give_an_error_or_the_same_model(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "flipped.safetensors"
    model = saved(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        again, card = load_file(path)
    except CheckpointError:
        return
    assert card.config == model.config
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name].to(torch.float16).to(value.dtype))


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    saved(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        saved(path, Tiny(3))
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_shipped_weights_are_checked_against_the_manifest(shipped):
    model = saved(shipped / "tiny-5.safetensors")
    manifest.add(shipped / "tiny-5.safetensors", shipped.parent)
    assert load("tiny-5")[0].config == model.config
    saved(shipped / "tiny-5.safetensors", Tiny(3))  # a sound file, but not the one that ships
    restore = r"git checkout -- data/weights/tiny-5\.safetensors.*python -m helpers.train tiny-5"
    with pytest.raises(CheckpointError, match=f"not as data/manifest.json lists it.*{restore}"):
        load("tiny-5")
    os.unlink(shipped / "tiny-5.safetensors")
    with pytest.raises(CheckpointError, match=f"No such file.*{restore}"):
        load("tiny-5")


def test_an_unknown_name_is_met_with_near_ones(shipped):
    saved(shipped / "tiny-scenes-5.safetensors")
    manifest.add(shipped / "tiny-scenes-5.safetensors", shipped.parent)
    with pytest.raises(CheckpointError, match=r"no weights of that name \(near: tiny-scenes-5\)"):
        load("tiny-scene-5")


def test_the_manifest_finds_every_difference(tmp_path):
    for name in ("weights/a", "weights/b", "emoji/c", "trained/d", "fonts/.hidden", "fonts/__pycache__/e"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "scores.json").write_text("{}")
    manifest.save(manifest.build(tmp_path), tmp_path)
    assert sorted(manifest.read(tmp_path)) == ["emoji/c", "weights/a", "weights/b"]
    assert manifest.read(tmp_path)["weights/a"]["bytes"] == 9 and manifest.differences(tmp_path) == []
    (tmp_path / "weights/a").write_bytes(b"weights/A")
    os.unlink(tmp_path / "weights/b")
    (tmp_path / "weights/new").write_bytes(b"")
    lines = manifest.differences(tmp_path)
    assert [line.split(".")[0] for line in lines] == [
        "data/weights/a was altered", "data/weights/b is missing", "data/weights/new is not listed",
    ]


def test_the_files_of_the_course_are_as_listed():
    assert manifest.differences() == []


def test_load_or_train(shipped, monkeypatch):
    monkeypatch.setitem(recipes.known(), "tiny-4", recipe())
    with pytest.raises(CheckpointError, match="python -m helpers.train tiny-4"):
        load_or_train("tiny-4")
    model, card = load_or_train("tiny-4", "smoke")
    assert not model.training and card.metrics["mse"] > 0 and card.data == "noise, 6 numbers"
    assert os.listdir(shipped.parent / "trained") == ["tiny-4.smoke.safetensors"]
    again, same = load_file(shipped.parent / "trained" / "tiny-4.smoke.safetensors")
    assert same == card
    torch.testing.assert_close(again.inner.weight, model.inner.weight, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="no recipe is named 'tiny-3'. Did you mean tiny-4"):
        load_or_train("tiny-3", "smoke")
    with pytest.raises(ValueError, match="unknown size 'huge': choose one of smoke, full, gpu"):
        load_or_train("tiny-4", "huge")


def test_what_was_trained_here_is_loaded_and_not_trained_again(shipped, monkeypatch):
    trained = []
    monkeypatch.setattr(run, "train", lambda *args, **kwargs: trained.append(1) or train(*args, **kwargs))
    monkeypatch.setitem(recipes.known(), "tiny-4", recipe())
    first, again = load_or_train("tiny-4", "smoke")[0], load_or_train("tiny-4", "smoke")[0]
    assert len(trained) == 1 and torch.allclose(first.inner.weight, again.inner.weight, atol=1e-3)
    load_or_train("tiny-4", "smoke", restart=True)
    assert len(trained) == 2
    others = ({"seed": 9}, {"data": "other noise"}, {"sizes": {"smoke": {"steps": 13}}}, {"build": Wide}, {"lr": 1e-3},
              {"ema": 0.9})
    for changes in others:
        monkeypatch.setitem(recipes.known(), "tiny-4", recipe(**changes))
        load_or_train("tiny-4", "smoke")
    assert len(trained) == 8, "another recipe is trained anew"
    file = shipped.parent / "trained" / "tiny-4.smoke.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    load_or_train("tiny-4", "smoke")
    assert len(trained) == 9, "a damaged file is trained anew"


def test_what_lies_where_one_may_not_write_is_loaded(shipped, monkeypatch):
    monkeypatch.setitem(recipes.known(), "tiny-4", recipe())
    _, card = load_or_train("tiny-4", "smoke")
    monkeypatch.setenv("COURSE_TRAINED", str(shipped.parent / "own"))
    torch.manual_seed(1)
    assert load_or_train("tiny-4", "smoke")[1] == card and not (shipped.parent / "own").exists()
    after = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3)), "loading moves the global generator"


def test_without_a_manifest_sound_weights_are_not_trained_again(shipped):
    saved(shipped / "tiny-5.safetensors")
    os.unlink(shipped.parent / "manifest.json")
    with pytest.raises(CheckpointError, match=r"manifest.json is missing. Restore it: git checkout") as error:
        load("tiny-5")
    assert "helpers.train" not in str(error.value)


def test_integers_in_place_of_weights_are_refused(path):
    saved(path)
    for name, value in (("inner.bias", torch.ones(5).long()), ("norm.num_batches_tracked", torch.tensor(1.5))):
        saved(path)
        forged(path, parse(path.read_bytes()) | {name: value})
        with pytest.raises(CheckpointError, match=f"does not fit tiny.Tiny: {name} is"):
            load_file(path)


def test_a_card_without_the_recipe_is_one_of_before(path):
    saved(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    card = json.loads(header["__metadata__"]["card"])
    tensors = parse(content)
    del card["digest"], card["recipe"]
    card["digest"] = checkpoints.digest(tensors, card)
    path.write_bytes(build(tensors, {"card": json.dumps(card)}))
    assert load_file(path)[1].recipe == ""


def test_a_model_that_finds_no_room_is_returned(shipped, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setitem(recipes.known(), "tiny-4", recipe())
    monkeypatch.setattr(checkpoints, "write_atomically", full)
    with pytest.warns(UserWarning, match="No space left.*in memory, and nowhere else"):
        model, card = load_or_train("tiny-4", "smoke")
    assert not model.training and len(card.curve["step"]) == 12


@pytest.mark.parametrize("value", [torch.tensor([torch.nan] * 6), torch.tensor([True] * 6), torch.ones(6).char(),
                                   torch.ones(6).to(torch.float8_e4m3fn), torch.tensor([torch.inf] * 6)])
def test_values_that_no_training_writes_are_refused(path, value):
    saved(path)
    forged(path, parse(path.read_bytes()) | {"inner.bias": value})
    with pytest.raises(CheckpointError, match="inner.bias what no training writes"):
        load_file(path)


@pytest.mark.parametrize("name", ["tiny\0five", "tiny\ud800", "../tiny", "weights/tiny"])
def test_names_that_no_weights_have(shipped, name):
    with pytest.raises(CheckpointError, match="cannot read|is a path"):
        load(name)


def test_a_deeply_nested_card_is_damage(path):
    saved(path)
    path.write_bytes(build(parse(path.read_bytes()), {"card": "[" * 100_000}))
    with pytest.raises(CheckpointError, match="damaged"):
        load_file(path)


def test_a_sweep_of_models_loads_at_once(tmp_path):
    for n in range(12):
        save(tmp_path / f"{n}.safetensors", Wide(), **PROVENANCE)
    began = time.process_time()
    for n in range(12):
        load_file(tmp_path / f"{n}.safetensors")
    assert time.process_time() - began < 0.5
