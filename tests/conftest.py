"""The test run as a whole: offline, one thread a process, no notebook over its memory, each page's checks twice.

The notebooks run once, under nbval, in kernels that inherit this environment. After each of their cells the
kernel's peak memory is read, so a notebook that needs too much fails at the very cell that took it. After the last
cell, what the kernel still holds is read too, and the page's checks run once more, the last first: a name that a
later cell gave to another thing fails the earlier cell's check. At the very end the folded solutions run, each in the
place of its stub.
"""

import os
import re
import runpy
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = ROOT / "tests" / "offline"
MEMORY_MB, REST_MB = 1000, 450
# Pages that still hold more when they are done, and how much at most: what a lab of thirty on one server cannot spare.
HEAVY = dict.fromkeys(("02", "03", "05", "06", "07", "08", "09"), 700) | {"12": 480}
CHECK = re.compile(r"\bchecks\.|^ *assert ", re.MULTILINE)

sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
os.environ["COURSE_SYNC_WIDGETS"] = "1"  # a widget renders inside its handler, so its errors reach the test
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # a kernel of the same name in the home folder stays out
os.environ.setdefault("ACCELERATE_USE_CPU", "true")  # results are compared bit for bit, which holds on a CPU
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # this process started before PYTHONPATH was set

settings.register_profile("course", deadline=None)  # a loaded machine is no fault of what is tested
settings.load_profile("course")


class NotebookRules:
    """Fails the cell of a notebook after which its kernel breaks what the course promises."""

    def __init__(self, limit_mb=MEMORY_MB):
        self.limit_mb = limit_mb

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        result = yield
        if type(item).__name__ == "IPyNbCell":
            pid = item.parent.kernel.km.provisioner.pid
            self.check(pid)
            cells = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
            if item.cell is cells[-1]:
                failed = self.run_again(item.parent.kernel, cells)
                assert not failed, "these checks fail when they run again at the end:\n\n" + "\n\n".join(failed)
                self.check_rest(pid, HEAVY.get(item.path.name.split("_")[0], REST_MB))
                wrong = self.run_solutions(item.parent.kernel, item.parent.nb)
                assert not wrong, "these solutions do not pass their check:\n\n" + "\n\n".join(wrong)
        return result

    def check(self, pid):
        from helpers.course.machine import peak_mb

        peak = peak_mb(pid)
        assert peak is None or peak <= self.limit_mb, f"the notebook has used {peak} MB of {self.limit_mb} MB"

    def check_rest(self, pid, limit_mb):
        from helpers.course.machine import resident_mb

        rest = resident_mb(pid)
        assert rest is None or rest <= limit_mb, f"after its last cell it holds {rest} MB, of {limit_mb} MB"

    def run_again(self, kernel, cells):
        """The cells with a check that fails at the end of the page, each with its error."""
        return run_all(kernel, [cell.source for cell in reversed(cells) if CHECK.search(cell.source)])

    def run_solutions(self, kernel, notebook):
        """The solutions that do not pass, each in its cell and with its error."""
        from helpers.course.notebook_files import solved

        return run_all(kernel, [source for _, source in solved(notebook)])


def run_all(kernel, sources):
    """Run each source in the kernel; of those that fail, the source and its error."""
    failed = []
    for source in sources:
        run = kernel.kc.execute_interactive
        content = run(source, allow_stdin=False, timeout=300, output_hook=id)["content"]
        if content["status"] == "error":
            failed.append(f"{source}\n-> {content['ename']}: {content['evalue']}")
    return failed


@pytest.fixture(autouse=True)
def seeded():
    """Torch's generator starts at 0 in every test and is put back after it."""
    import torch

    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        yield


def pytest_configure(config):
    config.pluginmanager.register(NotebookRules())
