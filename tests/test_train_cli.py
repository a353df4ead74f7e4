"""Training from a terminal: what it writes, what it says, and how it goes on after a stop."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny_model
import torch
from test_training_processes import LAUNCH, run
from tiny_model import Tiny, recipe

from helpers import ROOT, train
from helpers.course import scores
from helpers.data import manifest
from helpers.data.downloads import DataUnavailable
from helpers.training import checkpoints, recipes
from helpers.training import run as training
from helpers.training.checkpoints import load_file

KNOWN = {name: recipe(name) for name in ("tiny-4", "tiny-wide-8", "tiny-wide-16", "tinyish")}


def main(*argv, known=KNOWN):
    return train.main([str(argument) for argument in argv], known)


def test_it_writes_a_checkpoint_with_its_card(tmp_path, capsys):
    assert main("tiny-4", "--out", tmp_path) == 0
    assert os.listdir(tmp_path) == ["tiny-4.safetensors"]
    model, card = load_file(tmp_path / "tiny-4.safetensors")
    said = capsys.readouterr().out
    assert "tiny-4: 60 steps in" in said and f"mse {card.metrics['mse']:.5g}" in said
    assert card.command == "python -m helpers.train tiny-4 --size full" and card.config == Tiny().config
    assert len(card.curve["loss"]) == 60 and set(card.metrics) == {"mse", "training_seconds"}
    assert tiny_model.evaluate(model)["mse"] == pytest.approx(card.metrics["mse"], rel=0.02)


def test_the_command_in_the_card_gives_the_same_weights(tmp_path):
    main("tiny-4", "--out", tmp_path / "a", "--steps", 5)
    torch.manual_seed(123)
    _, card = load_file(tmp_path / "a" / "tiny-4.steps-5.safetensors")
    main(*card.command.split()[3:], "--out", tmp_path / "b")
    one, two = (load_file(tmp_path / folder / "tiny-4.steps-5.safetensors")[0].state_dict()
                for folder in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert len(card.curve["loss"]) == 5


def test_every_size_and_trial_has_a_file_of_its_own(tmp_path):
    main("tiny-4", "--out", tmp_path)
    whole = (tmp_path / "tiny-4.safetensors").read_bytes()
    main("tiny-4", "--out", tmp_path, "--size", "smoke")
    assert len(load_file(tmp_path / "tiny-4.smoke.safetensors")[1].curve["loss"]) == 12
    main("tiny-4", "--out", tmp_path, "--size", "gpu")
    assert load_file(tmp_path / "tiny-4.gpu.safetensors")[1].config["width"] == 8
    main("tiny-4", "--out", tmp_path, "--steps", 3)
    assert len(load_file(tmp_path / "tiny-4.steps-3.safetensors")[1].curve["loss"]) == 3
    assert (tmp_path / "tiny-4.safetensors").read_bytes() == whole


def test_a_group_and_names(tmp_path):
    assert main("--group", "tiny-wide", "--size", "smoke", "--out", tmp_path) == 0
    assert sorted(os.listdir(tmp_path)) == ["tiny-wide-16.smoke.safetensors", "tiny-wide-8.smoke.safetensors"]
    members = [member.name for member in recipes.group("tiny", KNOWN)]
    assert members == ["tiny-4", "tiny-wide-8", "tiny-wide-16"]


@pytest.mark.parametrize(("argv", "message"), [
    (["tiny-3"], "no recipe is named 'tiny-3'. Did you mean tiny-4"),
    (["zzz"], "Known: tiny-4, tiny-wide-8, tiny-wide-16, tinyish"),
    (["--group", "wide"], "no recipe belongs to the group 'wide'. Known: tiny-4"),
    ([], "name what to train.*Known: tiny-4"),
    (["tiny-4", "--size", "huge"], "invalid choice: 'huge'"),
])
def test_wrong_arguments(argv, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(*argv)
    assert stop.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def stopping(at):
    def batches(step):
        if step == at:
            raise KeyboardInterrupt
        return tiny_model.noise(step)

    return {"tiny-4": recipe(batches=lambda steps: batches, ema=0.9)}


def test_an_interrupted_training_goes_on(tmp_path, capsys):
    whole = {"tiny-4": recipe(ema=0.9)}
    main("tiny-4", "--out", tmp_path / "whole", known=whole)
    assert main("tiny-4", "--out", tmp_path / "parts", known=stopping(17)) == 130
    assert os.listdir(tmp_path / "parts") == ["tiny-4.snapshot"]
    captured = capsys.readouterr()
    assert "stopped after 17 of 60 steps" in captured.out and "same command again" in captured.err
    assert main("tiny-4", "--out", tmp_path / "parts", known=whole) == 0
    assert os.listdir(tmp_path / "parts") == ["tiny-4.safetensors"]
    one, two = (load_file(tmp_path / folder / "tiny-4.safetensors") for folder in ("whole", "parts"))
    assert all(torch.equal(value, two[0].state_dict()[name]) for name, value in one[0].state_dict().items())
    assert one[1].curve == two[1].curve and one[1].metrics["mse"] == two[1].metrics["mse"]


def test_a_stale_snapshot_is_refused_or_thrown_away(tmp_path, capsys):
    main("tiny-4", "--out", tmp_path, known=stopping(17))
    shorter = {"tiny-4": recipe(steps=30)}
    assert main("tiny-4", "--out", tmp_path, known=shorter) == 1
    assert "error: " in (said := capsys.readouterr().err) and "another run: its steps is 60" in said
    assert main("tiny-4", "--out", tmp_path, "--restart", known=shorter) == 0


def test_shipped_weights_enter_the_manifest(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(manifest.add, "__defaults__", (tmp_path,))
    manifest.save({}, tmp_path)
    main("tiny-4", "--out", tmp_path / "weights")
    content = (tmp_path / "weights" / "tiny-4.safetensors").read_bytes()
    assert manifest.read(tmp_path) == {"weights/tiny-4.safetensors": manifest.entry(content)}


def test_a_divergence_is_said(tmp_path, capsys):
    broken = {"tiny-4": recipe(loss=lambda model, x: (model(x).sum() * float("nan"), {}))}
    assert main("tiny-4", "--out", tmp_path, known=broken) == 1
    assert "error: at step 0 the loss is nan" in capsys.readouterr().err


def test_recipes_check_themselves():
    assert recipe().at("gpu").steps == 60 and recipe(sizes={}).at("smoke").steps == 20
    with pytest.raises(TypeError):
        recipe(sizes={"gpu": {"step": 3}}).at("gpu")
    with pytest.raises(ValueError, match="unknown size"):
        recipe().at("large")
    with pytest.raises(ValueError, match=r"tiny-4 has the sizes \['gpuu'\]"):
        recipe(sizes={"gpuu": {}})
    with pytest.raises(ValueError, match="tiny-4 has no size 'gpu'"):
        recipe(sizes={}).at("gpu")


@pytest.mark.parametrize("module, what", [(recipes, "recipes"), (scores, "groups of scores")])
def test_two_of_one_name_in_two_lessons_are_a_mistake(module, what, monkeypatch, tmp_path):
    for lesson in ("autoencoder", "vae"):
        for file in ("recipes.py", "scores.py"):
            (tmp_path / lesson).mkdir(exist_ok=True)
            (tmp_path / lesson / file).touch()
    monkeypatch.setattr(module, "LESSONS", tmp_path)
    twin = SimpleNamespace(recipes=lambda: [recipe()], groups=lambda: [("tiny", None)])
    monkeypatch.setattr(module.importlib, "import_module", lambda name: twin)
    find = module.known if module is recipes else module.groups
    with pytest.raises(ValueError, match=f"two {what} are named 'tiny"):
        find.__wrapped__()


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "helpers.train", "nothing-of-the-kind"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "no recipe is named 'nothing-of-the-kind'" in done.stderr


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from tiny_model import recipe
from helpers import train
sys.exit(train.main(sys.argv[1:], {{name: recipe(name, ema=0.9) for name in ("tiny-4", "tiny-5")}}))
"""


def test_it_runs_under_accelerate_launch(tmp_path):
    (tmp_path / "worker.py").write_text(WORKER.format(tests=os.path.dirname(__file__)))
    said = run([*LAUNCH, "worker.py", "tiny-4", "tiny-5", "--size", "smoke", "--out", "."], tmp_path)
    assert said.count("12 steps in") == 2 and said.count("mse ") == 2
    assert sorted(os.listdir(tmp_path)) == ["tiny-4.smoke.safetensors", "tiny-5.smoke.safetensors", "worker.py"]
    card = load_file(tmp_path / "tiny-4.smoke.safetensors")[1]
    assert card.config == Tiny().config
    assert card.command == "accelerate launch --num_processes 2 -m helpers.train tiny-4 --size smoke"


@pytest.mark.parametrize(("precision", "said"), [
    (None, "python"), ("no", "python"), ("bf16", "accelerate launch --mixed_precision bf16")])
def test_the_command_names_the_precision_that_was_asked_for(monkeypatch, precision, said):
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if precision:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", precision)
    assert training.command_of("tiny-4", "full", {"seed": 1}) == f"{said} -m helpers.train tiny-4 --size full --seed 1"


def test_real_recipes_run_under_accelerate_launch(tmp_path):
    name = "autoencoder-plain-bare"
    said = run([*LAUNCH, "-m", "helpers.train", name, "--size", "smoke", "--out", str(tmp_path)], ROOT)
    assert said.count("20 steps in") == 1
    card = load_file(tmp_path / f"{name}.smoke.safetensors")[1]
    assert card.command.startswith("accelerate launch --num_processes 2")


def test_models_are_trained_side_by_side(tmp_path, capfd):
    names = ["autoencoder-plain-bare", "autoencoder-plain-norm"]
    argv = [*names, "--jobs", 2, "--size", "smoke", "--out", tmp_path]
    assert main(*argv, known=recipes.known()) == 0
    said = capfd.readouterr().out
    assert all(f"{name}: 20 steps in" in said for name in names) and "step 1 of" not in said
    assert sorted(os.listdir(tmp_path)) == [f"{name}.smoke.safetensors" for name in names]


def test_one_failure_of_many_is_the_exit_status(tmp_path, capfd):
    (tmp_path / "autoencoder-plain-norm.smoke.snapshot").write_bytes(b"not a snapshot")
    argv = ["--group", "autoencoder-plain", "--jobs", 2, "--size", "smoke", "--out", tmp_path]
    assert main(*argv, known=recipes.known()) == 1
    assert "error: " in capfd.readouterr().out
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_steps_and_seed_go_into_the_card(tmp_path):
    assert main("tiny-4", "--steps", 3, "--seed", 5, "--out", tmp_path) == 0
    model, card = load_file(tmp_path / "tiny-4.steps-3.seed-5.safetensors")
    assert card.seed == 5 and card.command.endswith("--size full --steps 3 --seed 5")
    main("tiny-4", "--steps", 3, "--out", tmp_path / "other")
    other = load_file(tmp_path / "other" / "tiny-4.steps-3.safetensors")[0].state_dict()
    assert any(not torch.equal(value, other[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("steps", [0, -5])
def test_no_steps_are_refused(steps, capsys):
    with pytest.raises(SystemExit) as stopped:
        main("tiny-4", "--steps", steps)
    assert stopped.value.code == 2 and "--steps must be at least 1" in capsys.readouterr().err


def test_a_killed_training_is_a_failure(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(train.subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, -9, b""))
    argv = ["autoencoder-plain-bare", "autoencoder-plain-norm", "--jobs", 2, "--out", tmp_path]
    assert main(*argv, known=recipes.known()) == 137


def test_many_processes_enter_the_manifest_at_once(tmp_path):
    (tmp_path / "weights").mkdir()
    code = ("import sys, pathlib; from helpers.data import manifest; folder = pathlib.Path(sys.argv[1]); "
            "path = folder / 'weights' / sys.argv[2]; path.write_bytes(b'x'); manifest.add(path, folder)")
    names = [f"{i}.safetensors" for i in range(6)]
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], cwd=ROOT) for name in names]
    assert [process.wait(60) for process in running] == [0] * 6
    assert sorted(manifest.read(tmp_path)) == [f"weights/{name}" for name in names]


def test_a_shorter_training_warms_up_over_its_own_length(tmp_path, monkeypatch):
    r"""The weight of the KL rises over a share of the steps that are taken, whoever asked for how many."""
    seen, vae = [], recipes.find("vae-scenes-32-beta-10")
    loss = lambda model, batch: seen.append(float(batch[1])) or vae.loss(model, batch)  # noqa: E731
    known = {"vae-scenes-32-beta-10": replace(vae, loss=loss, evaluate=lambda model: {"one": 1.0})}
    assert main("vae-scenes-32-beta-10", "--steps", 8, "--out", tmp_path, known=known) == 0
    assert seen == [5.0] + [10.0] * 7


def test_the_others_go_on_where_one_lacks_its_data(tmp_path, capsys):
    def missing(steps):
        raise DataUnavailable("the set is not here")

    known = {"tiny-4": recipe(batches=missing), "tiny-8": recipe("tiny-8")}
    assert main("--group", "tiny", "--out", tmp_path, known=known) == 1
    assert os.listdir(tmp_path) == ["tiny-8.safetensors"] and "the set is not here" in capsys.readouterr().err


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_weights_are_safe_before_they_are_judged(tmp_path, capsys, error):
    def fail(model):
        raise error("no")

    known = {"tiny-4": recipe(evaluate=fail)}
    if error is KeyboardInterrupt:
        assert main("tiny-4", "--out", tmp_path, known=known) == 130
        assert "Traceback" not in capsys.readouterr().err
    else:
        with pytest.raises(RuntimeError):
            main("tiny-4", "--out", tmp_path, known=known)
    model, card = load_file(tmp_path / "tiny-4.safetensors")
    assert card.metrics == {} and len(card.curve["step"]) == 60
    asked = []  # the same command again only evaluates: no step is taken twice
    again = recipe(batches=lambda steps: lambda step: asked.append(step) or tiny_model.noise(step))
    assert main("tiny-4", "--out", tmp_path, known={"tiny-4": again}) == 0
    assert not asked and load_file(tmp_path / "tiny-4.safetensors")[1].metrics["mse"] > 0


def test_two_trainings_of_one_name_do_not_meet(tmp_path, capsys):
    def batches(step):
        if step == 5:
            assert main("tiny-4", "--out", tmp_path) == 1
            assert "another training writes" in capsys.readouterr().err
        return tiny_model.noise(step)

    assert main("tiny-4", "--out", tmp_path, known={"tiny-4": recipe(batches=lambda steps: batches)}) == 0
    assert os.listdir(tmp_path) == ["tiny-4.safetensors"]


def test_a_place_is_found_before_the_training(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    assert main("tiny-4", "--out", tmp_path / "file") == 1
    said = capsys.readouterr()
    assert "no folder can be written" in said.err and "COURSE_TRAINED" in said.err and "steps" not in said.out
    monkeypatch.setattr(training, "TRAINED", tmp_path / "file" / "trained")
    monkeypatch.setenv("COURSE_TRAINED", str(tmp_path / "file" / "own"))
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main("tiny-4", "--size", "smoke") == 0
    (path,) = (tmp_path / "cache").rglob("*.safetensors")
    assert path.name == "tiny-4.smoke.safetensors"
    assert capsys.readouterr().out.startswith(f"the weights will lie in {path}\n")


def test_weights_that_find_no_room_go_elsewhere(tmp_path, monkeypatch, capsys):
    write = checkpoints.write_atomically

    def full(path, content):
        if "full" in path.parts:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(checkpoints, "write_atomically", full)
    monkeypatch.setenv("COURSE_TRAINED", str(tmp_path / "spare"))
    assert main("tiny-4", "--out", tmp_path / "full") == 1
    rescued = tmp_path / "spare" / "tiny-4.rescued.safetensors"
    said = capsys.readouterr().err
    assert "No space left" in said and f"The weights are in {rescued}" in said
    assert tiny_model.evaluate(load_file(rescued)[0])["mse"] < tiny_model.evaluate(Tiny().eval())["mse"]


def test_a_korean_windows_reads_its_children(tmp_path):
    """Imitated: the parent's console is cp949; a child whose snapshot is damaged says so."""
    (tmp_path / "autoencoder-plain-norm.smoke.snapshot").write_bytes(b"not a snapshot")
    names = ["autoencoder-plain-norm", "autoencoder-plain-bare"]
    command = [sys.executable, "-m", "helpers.train", *names, "--jobs", "2", "--size", "smoke", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONIOENCODING": "cp949"}, capture_output=True)
    said = done.stdout.decode("cp949")
    assert done.returncode == 1 and "is damaged, or no snapshot" in said and "autoencoder-plain-bare: 20 steps" in said
    assert b"Traceback" not in done.stderr + done.stdout
