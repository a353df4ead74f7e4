"""The training loop: exact resumes, orderly stops, clear errors, and a model that is left as it was found."""

import errno
import itertools
import os
import signal
import threading
from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

from helpers import ROOT
from helpers.data.files import write_atomically
from helpers.training import loop, progress, resume
from helpers.training.loop import DivergenceError, learning_rate, prepared, train
from helpers.training.progress import History
from helpers.training.resume import SnapshotError

STEPS = 40


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.SiLU(), nn.Dropout(0.2), nn.Linear(16, 6))


def convolutional():
    """Four-dimensional weights go channels last; batch norm has statistics and a counter."""
    torch.manual_seed(0)
    head = nn.Conv2d(8, 3, 3, padding=1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.SiLU(), nn.Dropout(0.2), head)


def tied():
    model = mlp()
    model[3] = nn.Linear(16, 6)
    model.append(nn.Linear(6, 16))
    model[4].weight = model[0].weight
    model.append(nn.Linear(16, 6))
    return model


def noise(step):
    return torch.randn(8, 6)


def noise_pictures(step):
    return torch.randn(4, 3, 8, 8)


def loss_fn(model, x):
    loss = (model(x) - x).square().mean()
    return loss, {"recon": loss, "twice": 2 * loss.detach()}


def stopping(batches, at):
    """The same batches, with the stop button pressed at one of them."""

    def interrupted(step):
        if step == at:
            raise KeyboardInterrupt
        return batches(step)

    return interrupted


def run(model, batches=noise, steps=STEPS, **options):
    return train(model, batches, loss_fn, steps, **{"label": None} | options)


def assert_same(model, other):
    for (name, mine), theirs in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), f"{name} differs"


@pytest.mark.parametrize("ema", [None, 0.9])
@pytest.mark.parametrize(("build", "batches"), [(mlp, noise), (convolutional, noise_pictures), (tied, noise)])
def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(tmp_path, build, batches, ema):
    whole, parts, snapshot = build(), build(), tmp_path / "run.snapshot"
    straight = run(whole, batches, ema=ema)
    first = run(parts, stopping(batches, 17), ema=ema, snapshot=snapshot)
    assert first.interrupted and first.steps == 17
    parts = build()  # as after a restart of the kernel
    resumed = run(parts, batches, ema=ema, snapshot=snapshot, resume=True)
    assert_same(whole, parts)
    assert not resumed.interrupted
    for column in ("loss", "lr", "grad_norm", "parts"):
        assert getattr(resumed, column) == getattr(straight, column), column


@pytest.mark.parametrize("at", [0, 1, 39])
def test_it_resumes_from_any_step(tmp_path, at):
    whole, parts, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(whole)
    run(parts, stopping(noise, at), snapshot=snapshot)
    parts = mlp()
    run(parts, snapshot=snapshot, resume=True)
    assert_same(whole, parts)


def test_a_finished_training_resumes_to_itself(tmp_path):
    model, again, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(model, ema=0.9, snapshot=snapshot)
    assert run(again, ema=0.9, snapshot=snapshot, resume=True).steps == STEPS
    assert_same(model, again)


def test_a_real_interrupt_waits_until_the_step_is_whole(tmp_path):
    whole, parts, snapshot = convolutional(), convolutional(), tmp_path / "run.snapshot"
    run(whole, noise_pictures, ema=0.9)
    calls = []

    def interrupted_loss(model, x):
        result = loss_fn(model, x)  # batch norm has already moved its statistics
        calls.append(None)
        if len(calls) == 12:
            os.kill(os.getpid(), signal.SIGINT)
        return result

    # A shell starts background jobs with SIGINT ignored, and Python leaves it so: this test needs it as in a terminal.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        history = train(parts, noise_pictures, interrupted_loss, STEPS, ema=0.9, snapshot=snapshot, label=None)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert history.interrupted and history.steps == 12
    parts = convolutional()
    run(parts, noise_pictures, ema=0.9, snapshot=snapshot, resume=True)
    assert_same(whole, parts)


def test_a_crash_continues_from_the_last_snapshot(tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "SECONDS_BETWEEN", 0)
    whole, parts, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(whole)

    def crashing(step):
        if step == 17:
            raise OSError("the cable was pulled")
        return noise(step)

    with pytest.raises(OSError, match="cable"):
        run(mlp(), crashing, snapshot=snapshot)
    asked = []
    run(parts, lambda step: asked.append(step) or noise(step), snapshot=snapshot, resume=True)
    assert asked == list(range(17, STEPS))
    assert_same(whole, parts)


def test_snapshots_wait_for_their_time(tmp_path, monkeypatch):
    seconds, written = itertools.count(), []
    monkeypatch.setattr(resume.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(resume, "SECONDS_BETWEEN", 30)
    monkeypatch.setattr(resume, "write_atomically", lambda path, content: written.append(path))
    run(mlp(), snapshot=tmp_path / "run.snapshot")
    assert 2 <= len(written) <= 5  # the clock is read some two or three times a step, for 40 steps


def test_it_neither_reads_nor_moves_the_global_generator():
    one, other = mlp(), mlp()
    torch.manual_seed(1)
    run(one)
    after = torch.rand(3)
    torch.manual_seed(2)
    run(other)
    assert_same(one, other)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3))


def test_seeds_differ():
    one, other = mlp(), mlp()
    assert run(one, seed=0).loss != run(other, seed=1).loss


@pytest.mark.parametrize("change", [{"steps": 41}, {"lr": 1e-3}, {"seed": 1}, {"ema": 0.5}])
def test_a_resume_with_other_settings_is_refused(tmp_path, change):
    snapshot = tmp_path / "run.snapshot"
    run(mlp(), stopping(noise, 5), snapshot=snapshot)
    (name,) = change
    model = mlp()
    with pytest.raises(SnapshotError, match=rf"another run: its {name} is .*Delete .*run.snapshot to start again"):
        run(model, snapshot=snapshot, resume=True, **change)
    assert_same(model, mlp())


@pytest.mark.parametrize("other", [lambda: nn.Sequential(*list(mlp())[:2], nn.Dropout(0.5), nn.Linear(16, 6)),
                                   lambda: nn.Linear(6, 6)])
def test_a_resume_with_another_model_is_refused(tmp_path, other):
    snapshot = tmp_path / "run.snapshot"
    run(mlp(), stopping(noise, 5), snapshot=snapshot)
    with pytest.raises(SnapshotError, match="another run: its model is Sequential with 214 parameters"):
        run(other(), snapshot=snapshot, resume=True)


@pytest.mark.parametrize("damage", [lambda b: b[:99], lambda b: b"", lambda b: b"\0" * 500, lambda b: b[:-8]])
def test_a_damaged_snapshot_is_refused(tmp_path, damage):
    snapshot = tmp_path / "run.snapshot"
    run(mlp(), stopping(noise, 5), snapshot=snapshot)
    snapshot.write_bytes(damage(snapshot.read_bytes()))
    with pytest.raises(SnapshotError, match="damaged.*Delete .*run.snapshot"):
        run(mlp(), snapshot=snapshot, resume=True)


def test_without_resume_an_old_snapshot_is_replaced(tmp_path):
    fresh, again, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(fresh)
    run(mlp(), stopping(noise, 5), snapshot=snapshot, seed=3)
    run(again, snapshot=snapshot)
    assert_same(fresh, again)


def diverging(model, x):
    loss, parts = loss_fn(model, x)
    diverging.calls += 1
    return (loss * diverging.value, parts) if diverging.calls == 6 else (loss, parts)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_before_the_weights(tmp_path, value):
    diverging.calls, diverging.value = 0, value
    model, before, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(before, stopping(noise, 5), snapshot=snapshot)
    saved = snapshot.read_bytes()
    with pytest.raises(DivergenceError, match=f"at step 5 the loss is {value}.*smaller lr"):
        train(model, noise, diverging, STEPS, snapshot=snapshot, label=None)
    assert_same(model, before)
    assert snapshot.read_bytes() == saved
    assert not model.training


def test_a_part_that_is_not_finite_stops_before_it_spoils_the_card():
    def loss_fn(model, x):
        loss = model(x).square().mean()
        return loss, {"recon": loss, "kl": loss * float("nan")}

    with pytest.raises(DivergenceError, match="at step 0 the loss is .*, its part kl nan"):
        train(mlp(), noise, loss_fn, 3, label=None)


def test_a_disk_that_knows_no_locks(tmp_path, monkeypatch):
    def unsupported(lock):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(resume.FileLock, "acquire", unsupported)
    assert run(mlp(), snapshot=tmp_path / "run.snapshot").steps == STEPS and (tmp_path / "run.snapshot").exists()


def test_a_gradient_that_is_not_finite_stops_too():
    def root(model, x):  # the loss is 0 and its slope there infinite
        return (model(x) * 0).square().sum().sqrt(), {}

    model = mlp()
    with pytest.raises(DivergenceError, match="at step 0 the loss is 0.0 and the norm of its gradient nan"):
        train(model, noise, root, STEPS, label=None)
    assert_same(model, mlp())


def steep_loss(model, x):
    loss = 20 * (model(x) - x).square().mean()  # so that the gradients are clipped
    return loss, {}


def by_hand(model, steps, lr, decay):
    """The same training, spelled out with torch's plain AdamW."""
    from helpers.training.loop import seed_at

    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), foreach=False)
    average = {name: value.clone() for name, value in model.state_dict().items()}
    for step in range(steps):
        torch.manual_seed(seed_at(0, step))
        loss, _ = steep_loss(model, noise(step))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = learning_rate(step, steps, lr)
        optimizer.step()
        d = min(decay, (1 + step) / (10 + step))
        average = {name: d * average[name] + (1 - d) * value for name, value in model.state_dict().items()}
    return average


def test_it_is_adamw_with_clipping_a_schedule_and_an_average():
    model = mlp()
    history = train(model, noise, steep_loss, STEPS, lr=0.05, ema=0.9, label=None)
    assert min(history.grad_norm) > 1
    expected = by_hand(mlp(), STEPS, 0.05, 0.9)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_counters_are_not_averaged():
    run(model := convolutional(), noise_pictures, ema=0.9)
    assert model[1].num_batches_tracked == STEPS


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(step, 100, 2.0) for step in range(100)]
    assert rates[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert rates[5] == 2.0 and all(a > b for a, b in zip(rates[5:], rates[6:], strict=False))
    assert rates[52] == pytest.approx(1.0, abs=0.02) and 0 < rates[99] < 0.01
    assert learning_rate(0, 1, 2.0) == 2.0
    assert run(mlp(), steps=3).lr == [learning_rate(step, 3, 2e-3) for step in range(3)]


def test_it_learns():
    x = torch.randn(8, 6)
    model = mlp().eval()
    history = run(model, lambda step: x, steps=300, lr=1e-2)
    assert history.loss[-1] < 0.3 * history.loss[0]


@pytest.mark.parametrize(("build", "batches"), [(mlp, noise), (convolutional, noise_pictures)])
def test_the_model_is_left_as_it_was_found(build, batches):
    model = build()
    attributes, modules = set(vars(model)), [type(module) for module in model.modules()]
    for _ in range(2):
        run(model, batches, steps=3, ema=0.5)
    assert set(vars(model)) == attributes and [type(module) for module in model.modules()] == modules
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks and not module._backward_hooks
        assert not module.training
    for parameter in model.parameters():
        assert parameter.grad is None and parameter.is_contiguous() and parameter.requires_grad


def test_batches_may_be_tuples_and_losses_may_call_any_method():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 2)

        def encode(self, x):
            return self.layer(x)

    def classify(model, batch):
        x, label = batch
        return nn.functional.cross_entropy(model.encode(x), label), {}

    def batches(step):
        x = torch.randn(16, 6)
        return x, (x.sum(1) > 0).long()

    history = train(Model(), batches, classify, 200, lr=0.05, label=None)
    assert sum(history.loss[-20:]) < 0.5 * sum(history.loss[:20]) and history.parts == {}


def test_it_trains_in_a_thread():
    whole, other = mlp(), mlp()
    run(whole)
    thread = threading.Thread(target=run, args=(other,))
    thread.start()
    thread.join()
    assert_same(whole, other)


@pytest.mark.parametrize(("options", "message"), [
    ({"steps": 0}, "steps is 0"), ({"lr": 0.0}, "lr is 0"), ({"lr": float("nan")}, "lr is nan"),
    ({"ema": 1.0}, "ema is 1.0"), ({"ema": 0}, "ema is 0"), ({"resume": True}, "snapshot=PATH"),
])
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        run(mlp(), **options)


def test_a_model_without_parameters():
    with pytest.raises(ValueError, match="no parameters"):
        run(nn.Identity())


def test_a_loss_without_parts():
    with pytest.raises(TypeError, match="loss, {"):
        train(mlp(), noise, lambda model, x: model(x).mean(), 3, label=None)


def test_curves():
    history = History(loss=[float(n) for n in range(1000)], parts={"kl": [2.0] * 1000})
    curve = history.curve(10)
    assert curve["loss"] == pytest.approx([49.5 + 100 * n for n in range(10)])
    assert curve["step"][0] == 50.5 and curve["kl"] == [2.0] * 10
    assert History(loss=[1.0, 3.0]).curve() == {"step": [1.0, 2.0], "loss": [1.0, 3.0]}
    assert History().curve() == {"step": [], "loss": []}


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_keeps_the_old_snapshot_and_the_weights(tmp_path, monkeypatch):
    model, expected, snapshot = mlp(), mlp(), tmp_path / "run.snapshot"
    run(mlp(), stopping(noise, 5), snapshot=snapshot)
    saved = snapshot.read_bytes()
    run(expected, stopping(noise, 9))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.warns(UserWarning, match="No space left.*goes on without"):
            run(model, stopping(noise, 9), snapshot=snapshot, resume=True)
    assert snapshot.read_bytes() == saved and os.listdir(tmp_path) == ["run.snapshot"]
    assert_same(model, expected)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")
    for function in ("fsync", "replace", "chmod"):
        with monkeypatch.context() as patch, pytest.raises(OSError):
            patch.setattr(os, function, full_disk)
            write_atomically(path, b"new")
        assert path.read_bytes() == b"old" and os.listdir(path.parent) == ["file"]
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o644


def lines(text):
    """What remains of a text once every carriage return has overwritten the line before it."""
    assert text.endswith("\n")
    return [line.rsplit("\r", 1)[-1] for line in text[:-1].split("\n")]


def test_the_bar_leaves_one_plain_line(capsys, tmp_path):
    run(mlp(), label="noise")
    captured = capsys.readouterr()
    (line,) = lines(captured.out)
    assert line.startswith("noise: 40 steps in 0 s, loss ") and captured.err == ""
    run(mlp(), stopping(noise, 17), label="noise")
    (line,) = lines(capsys.readouterr().out)
    assert line.startswith("noise: stopped after 17 of 40 steps (0 s, loss ")
    assert line.endswith("); the weights are kept")


def test_the_bar_redraws_seldom(capsys):
    run(mlp(), steps=400, label="noise")
    assert capsys.readouterr().out.count("\r") < 30  # not 400


def test_no_label_no_bar(capsys):
    run(mlp())
    assert capsys.readouterr() == ("", "")


def test_the_bar_in_a_notebook():
    code = ("import torch; from torch import nn; from helpers.training.loop import train\n"
            "history = train(nn.Linear(3, 3), lambda step: torch.randn(4, 3),\n"
            "                lambda model, x: (model(x).square().mean(), {}), 30, label='toy')")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = notebook.cells[0].outputs
    assert all(output.output_type == "stream" and output.name == "stdout" for output in outputs)
    (line,) = lines("".join(output.text for output in outputs))
    assert line.startswith("toy: 30 steps in ")


def test_parts_that_come_and_go_are_said_at_once():
    def loss_fn(model, x):
        loss = model(x).square().mean()
        return loss, {"recon": loss} if len(seen) < 3 else {"recon": loss, "kl": loss}

    seen = []
    with pytest.raises(ValueError, match=r"at step 2 the loss has the parts \['kl', 'recon'\].*\['recon'\]"):
        train(mlp(), lambda step: seen.append(step) or noise(step), loss_fn, 9, label=None)
    assert seen == [0, 1, 2]


def test_a_file_gets_a_plain_line_a_minute(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    run(mlp(), label="noise")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("noise: step 1 of 40, loss ") and len(said) == 41 and "\r" not in "".join(said)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 60.0)
    run(mlp(), label="noise")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_second_interrupt_waits_for_the_snapshot(tmp_path, monkeypatch):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals arrive in the main thread only")
    write = resume.write_atomically

    def interrupted(path, content):
        os.kill(os.getpid(), signal.SIGINT)
        write(path, content)

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    try:
        monkeypatch.setattr(resume, "write_atomically", interrupted)
        history = train(mlp(), stopping(noise, 9), loss_fn, STEPS, snapshot=tmp_path / "run.snapshot", label=None)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert history.interrupted and (tmp_path / "run.snapshot").stat().st_size > 0


@pytest.mark.parametrize(("precision", "last"), [("no", True), ("bf16", False)])
def test_the_layout_of_convolutions_is_the_fast_one_of_a_processor(precision, last):
    model = nn.Sequential(nn.Conv2d(4, 4, 3))
    with prepared(model, SimpleNamespace(device=torch.device("cpu"), mixed_precision=precision)):
        assert model.training and model[0].weight.is_contiguous(memory_format=torch.channels_last) is last
    assert not model.training and model[0].weight.is_contiguous()


@pytest.mark.parametrize(("native", "precision", "warns"), [(False, "bf16", True), (True, "bf16", False),
                                                            (False, "no", False)])
def test_a_processor_that_only_imitates_bfloat16_is_told(native, precision, warns, monkeypatch, recwarn):
    """Sixteen times as slow on an AMD EPYC (family 23) as float32 there (9.5 s a step against 0.6)."""
    monkeypatch.setattr(loop.torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: native)
    monkeypatch.setattr("accelerate.Accelerator", SimpleNamespace)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", precision)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert loop.make_accelerator().mixed_precision == precision
    assert any("imitates" in str(warning.message) for warning in recwarn) is warns
