"""What this computer has, what is wrong with it, and what to do about it: a table in plain words.

    doctor.show()              in a notebook
    python -m helpers.course.doctor   in a terminal; exit status 1 if something is broken

Each check looks at something that a learner can put right, and returns a Row that says how. A check that fails itself
becomes a row too, so that the doctor always answers.
"""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from .. import DATA, ROOT
from ..data import manifest
from ..data.files import DamagedFile, print_anywhere, read_json
from . import machine, outline

GOOD, WARN, BAD = "✓", "!", "✗"
MEMORY_MB = 1000  # the most that a notebook takes; a test holds each of them to it


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
    """The installed packages beside those that pyproject.toml asks for, each within its bounds."""
    needs = [Requirement(line) for line in outline.requirements()]
    found = {need: installed(need.name) for need in needs}
    wrong = [need for need, version in found.items()
             if version is None or not need.specifier.contains(version, prereleases=True)]
    if not wrong:
        return Row(GOOD, "packages", f"all {len(needs)} are installed, PyTorch is {installed('torch')}")
    named = ", ".join(f"{need.name} is {found[need] or 'missing'}" for need in wrong)
    command = " ".join(["pip install", *(f'"{need}"' for need in wrong)])
    return Row(BAD, "packages", named, f"`{command}`")


def installed(name):
    """The version of an installed package, by its name on PyPI; None where it is missing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


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
    """Everything that ships: the lists and notebooks can be read, the weights and pictures are as listed."""
    read = [DATA / name for name in ("manifest.json", "scores.json", "notebooks.json")]
    wrong = list(filter(None, map(damage, [*read, *(ROOT / "notebooks").glob("*.ipynb")])))
    wrong = wrong or [line for line in manifest.differences() if "is not listed" not in line]
    if wrong:
        fault, _, advice = wrong[0].partition(". ")
        return Row(BAD, "course files", f"{fault}; {len(wrong)} such in all", advice)
    return Row(GOOD, "course files", f"all {len(manifest.read())} are whole")


def damage(path):
    """What is wrong with a JSON file, and what restores it; None if it is whole."""
    try:
        read_json(path)
    except DamagedFile as error:
        return str(error)


def downloads():
    given = os.environ.get("COURSE_DATA")
    if given and not (ROOT / Path(given).expanduser()).is_dir():
        return Row(WARN, "downloads", f"COURSE_DATA names {given}, which is no folder", "Correct it, or unset it.")
    where = "the folder COURSE_DATA" if given else "the network"
    return Row(GOOD, "downloads", f"the larger data sets come from {where}, where a cell asks for them")


CHECKS = (python, kernel, packages, device, cores, memory, disk, course_files, downloads)


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


def main():
    print_anywhere()
    rows = examine()
    print(report(rows))
    return int(any(row.mark == BAD for row in rows))


if __name__ == "__main__":
    sys.exit(main())
