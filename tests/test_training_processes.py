"""Several processes under accelerate: their gradients are averaged, and one of them draws and saves."""

import os
import subprocess
import sys

import torch
from safetensors.torch import load_file

from helpers import ROOT

# In two processes, step n trains on batches 2n and 2n + 1; alone, on both at once.
WORKER = """
import sys, torch
from torch import nn
from safetensors.torch import save_file
from helpers.training.loop import train

out, alone = sys.argv[1], sys.argv[2] == "alone"

def draw(index):
    return torch.randn(8, 6, generator=torch.Generator().manual_seed(index))

def batches(index):
    return torch.cat([draw(2 * index), draw(2 * index + 1)]) if alone else draw(index)

def loss_fn(model, x):
    loss = (model(x) - x).square().mean()
    return loss, {"recon": loss}

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 16), nn.SiLU(), nn.Linear(16, 6))
history = train(model, batches, loss_fn, 20, lr=1e-2, ema=0.9, snapshot=out + ".snapshot")
process = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
save_file(model.state_dict() | {"loss": torch.tensor(history.loss)}, f"{out}.{process}")
"""

# `accelerate launch --cpu --num_processes 2` starts two processes only where MPI is installed. Its other
# launcher, torchrun, is behind --multi_gpu, and serves the CPU as well once accelerate is told to use that.
LAUNCH = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--multi_gpu",
          "--num_processes", "2", "--num_machines", "1", "--main_process_port", "0",
          "--mixed_precision", "no", "--dynamo_backend", "no"]


def run(command, folder):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_equal_one_that_sees_both_batches(tmp_path):
    (tmp_path / "worker.py").write_text(WORKER)
    said = run([*LAUNCH, "worker.py", "two", "together"], tmp_path)
    run([sys.executable, "worker.py", "one", "alone"], tmp_path)
    one, first, second = (load_file(tmp_path / name) for name in ("one.0", "two.0", "two.1"))
    for name, value in one.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], value, rtol=1e-3, atol=1e-5)
    assert said.count("20 steps in") == 1
    assert (tmp_path / "two.snapshot").exists()
