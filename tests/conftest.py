"""The test run as a whole: offline, one thread a process, and no notebook over its memory.

The notebooks run once, under nbval, in kernels that inherit this environment. After each of their cells the
kernel's peak memory is read, so a notebook that needs too much fails at the very cell that took it.
"""

import os
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = ROOT / "tests" / "offline"
MEMORY_MB = 1000

sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
os.environ["COURSE_SYNC_WIDGETS"] = "1"  # a widget renders inside its handler, so its errors reach the test
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # a kernel of the same name in the home folder stays out
os.environ.setdefault("ACCELERATE_USE_CPU", "true")  # results are compared bit for bit, which holds on a CPU
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # this process started before PYTHONPATH was set


class NotebookMemory:
    """Fails the cell of a notebook after which its kernel has used more memory than the course promises."""

    def __init__(self, limit_mb=MEMORY_MB):
        self.limit_mb = limit_mb

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        result = yield
        if type(item).__name__ == "IPyNbCell":
            self.check(item.parent.kernel.km.provisioner.pid)
        return result

    def check(self, pid):
        from helpers.course.machine import peak_mb

        peak = peak_mb(pid)
        assert peak is None or peak <= self.limit_mb, f"the notebook has used {peak} MB of {self.limit_mb} MB"


@pytest.fixture(autouse=True)
def seeded():
    """Torch's generator starts at 0 in every test and is put back after it."""
    import torch

    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        yield


def pytest_configure(config):
    config.pluginmanager.register(NotebookMemory())
