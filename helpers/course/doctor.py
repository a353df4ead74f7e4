"""What this computer has, what is wrong with it, and what to do about it: a table in plain words.

    doctor.show()              in a notebook
    python -m helpers.course.doctor   in a terminal; exit status 1 if something is broken

Each check returns a Row. A check that fails itself becomes a row too, so that the doctor always answers.
"""

import importlib.util
import os
import platform
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .. import DATA, ROOT
from . import machine

GOOD, WARN, BAD = "✓", "!", "✗"
MEMORY_MB = 1000  # the most that a notebook takes; a test holds each of them to it
HOST = ("pypi.org", 443)
MODULES = {"pillow": "PIL", "ipython": "IPython"}  # PyPI -> import name, where they differ


@dataclass(frozen=True)
class Row:
    """One finding: a mark (✓ ! ✗), what was looked at, what was found, and what to do ("" if nothing)."""

    mark: str
    what: str
    found: str
    advice: str = ""


def python():
    found = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Row(GOOD, "Python", found)
    return Row(WARN, "Python", found, "The course is tested on 3.11 to 3.13: `make lab` finds one of them.")


def kernel():
    own, here = (ROOT / ".venv").resolve(), Path(sys.prefix).resolve()
    if here == own:
        return Row(GOOD, "kernel", "the course's own environment, .venv")
    if not own.exists():
        return Row(GOOD, "kernel", f"the environment {here.name}")
    advice = "Choose the course's kernel (menu Kernel, Change Kernel), or start with `make lab`."
    return Row(WARN, "kernel", f"the environment {here.name}, not the course's own", advice)


def packages():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = [re.match(r"[\w-]+", line)[0] for line in tomllib.loads(text)["project"]["dependencies"]]
    missing = [name for name in names if not importlib.util.find_spec(MODULES.get(name, name))]
    if missing:
        return Row(BAD, "packages", f"missing: {', '.join(missing)}", f"`pip install {' '.join(missing)}`")
    return Row(GOOD, "packages", f"all {len(names)} that the course imports are installed")


def pytorch():
    import torch

    if release(torch.__version__) < (2, 4):
        return Row(BAD, "PyTorch", torch.__version__, "It takes 2.4 at least: `pip install -U torch`.")
    return Row(GOOD, "PyTorch", torch.__version__)


def device():
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 1e9
        return Row(GOOD, "device", f"GPU {torch.cuda.get_device_name(0)}, {memory:.0f} GB")
    if torch.backends.mps.is_available():
        return Row(GOOD, "device", "the GPU of this Mac")
    if shutil.which("nvidia-smi"):
        advice = "The CPU is used, which is enough. For the GPU: the CUDA build from https://pytorch.org."
        return Row(WARN, "device", "an NVIDIA GPU that this PyTorch cannot use", advice)
    return Row(GOOD, "device", "CPU, which is enough for every notebook")


def cores():
    import torch

    usable, threads = machine.usable_cores(), torch.get_num_threads()
    found = f"{usable:g} usable, PyTorch uses {threads}"
    if threads > max(usable, 1):
        advice = f"More threads than cores slow it down: `torch.set_num_threads({int(usable) or 1})`."
        return Row(WARN, "processor cores", found, advice)
    return Row(GOOD, "processor cores", found)


def memory():
    free = machine.free_memory_mb()
    if free is None:
        return Row(GOOD, "memory", f"this system does not tell; a notebook takes at most {MEMORY_MB} MB")
    found = f"{free / 1000:.1f} GB free; a notebook takes at most {MEMORY_MB / 1000:g} GB"
    if free < MEMORY_MB:
        return Row(WARN, "memory", found, "Close other programs and the kernels of other notebooks.")
    return Row(GOOD, "memory", found)


def disk():
    free = shutil.disk_usage(DATA).free / 1e9
    if not os.access(DATA, os.W_OK):
        advice = "What you train cannot be kept: put the course into a folder that you may write to."
        return Row(WARN, "disk", "the course's folder cannot be written to", advice)
    if free < 0.5:
        return Row(WARN, "disk", f"{free:.1f} GB free", "Models and downloads take 0.5 GB: free some.")
    return Row(GOOD, "disk", f"{free:.0f} GB free")


def course_files():
    from ..data import manifest

    wrong = [line for line in manifest.differences() if "is not listed" not in line]
    if wrong:
        fault, _, advice = wrong[0].partition(". ")
        return Row(BAD, "course files", f"{fault}; {len(wrong)} such in all", advice)
    if not manifest.read():
        return Row(BAD, "course files", "their list is missing", "`git checkout -- data/manifest.json`")
    return Row(GOOD, "course files", f"all {len(manifest.read())} are whole")


def widgets():
    found = f"ipywidgets {version('ipywidgets')}, shown by {machine.front_end()}"
    if release(version("ipywidgets")) < (7, 7):
        return Row(WARN, "widgets", found, "Tested with 7.7.1 and 8: `pip install -U ipywidgets`.")
    return Row(GOOD, "widgets", found)


def network():
    given = os.environ.get("COURSE_DATA")
    if given and not (ROOT / Path(given).expanduser()).is_dir():
        return Row(WARN, "network", f"COURSE_DATA names {given}, which is no folder", "Correct it, or unset it.")
    if given:
        return Row(GOOD, "network", "not needed: the larger data sets are in the folder COURSE_DATA")
    if machine.reachable(*HOST, seconds=2):
        return Row(GOOD, "network", "there; it is used only where you ask for a larger data set")
    return Row(GOOD, "network", "none, and none is needed: only the larger data sets would be downloaded")


def korean_font():
    if any((DATA / "fonts").glob("*.ttf")):
        return Row(GOOD, "Korean font", "shipped with the course")
    advice = "Hangul in pictures shows as boxes. Restore the font: `git checkout -- data/fonts`."
    return Row(WARN, "Korean font", "missing", advice)


def release(text):
    """(major, minor) of a version: "2.13.0+cpu" -> (2, 13)."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


CHECKS = (python, kernel, packages, pytorch, device, cores,
          memory, disk, course_files, widgets, network, korean_font)


def examine(checks=CHECKS):
    """Run the checks; one Row for each."""
    rows = []
    for check in checks:
        try:
            rows.append(check())
        except Exception as error:  # one broken part must not keep the others from being looked at
            found = f"could not be looked at: {type(error).__name__}: {error}"
            rows.append(Row(BAD, check.__name__.replace("_", " "), found, "Start again with `make lab`."))
    return rows


def verdict(rows):
    """All rows in one sentence."""
    marks = [row.mark for row in rows]
    if BAD in marks:
        return f"{marks.count(BAD)} of {len(marks)} points are broken; put those right first."
    if WARN in marks:
        return f"The course runs here; {marks.count(WARN)} of {len(marks)} points could be better."
    return "All is well: the whole course runs here."


def show():
    """Examine this computer and show the findings in a notebook."""
    from IPython.display import display

    rows = examine()
    lines = ["| | what | found | what to do |", "|---|---|---|---|"]
    lines += [f"| {row.mark} | {row.what} | {row.found} | {row.advice} |" for row in rows]
    markdown = "\n".join([*lines, "", f"**{verdict(rows)}**"])
    display({"text/markdown": markdown, "text/plain": report(rows)}, raw=True)


def report(rows):
    """The findings as plain text, a line each."""
    lines = [f"{row.mark} {row.what}: {row.found}. {row.advice}".rstrip(" .") + "." for row in rows]
    return "\n".join([*lines, verdict(rows)])


if __name__ == "__main__":
    findings = examine()
    print(report(findings))
    sys.exit(any(row.mark == BAD for row in findings))
