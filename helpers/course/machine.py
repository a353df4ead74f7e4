"""Facts about the computer that the course runs on: cores and memory."""

import ctypes
import os
import re
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # where a container (Binder, Colab, Docker) finds its limits
PROC = Path("/proc")


def usable_cores():
    """Processor cores that this process may use: at most those of its container, which can be a fraction."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(CGROUP / "cpu.max").partition(" ")
    return min(cores, int(quota) / int(period)) if quota.isdigit() else cores


def free_memory_mb():
    """Memory that can still be had, in 10^6 bytes, within the container's limit; None where it isn't told."""
    available = re.search(r"MemAvailable:\s+(\d+) kB", _read(PROC / "meminfo"))
    if not available:
        return None
    free = int(available[1]) * 1024
    limit, used = _read(CGROUP / "memory.max"), _read(CGROUP / "memory.current")
    if limit.isdigit() and used.isdigit():
        cache = re.search(r"^inactive_file (\d+)", _read(CGROUP / "memory.stat"), re.MULTILINE)
        free = min(free, int(limit) - int(used) + (int(cache[1]) if cache else 0))
    return round(free / 1e6)


def peak_mb(pid):
    """The peak resident memory of a process so far, in 10^6 bytes; None where the system doesn't tell."""
    found = re.search(r"VmHWM:\s+(\d+) kB", _read(PROC / str(pid) / "status"))
    return round(int(found[1]) * 1024 / 1e6) if found else None


def resident_mb(pid):
    """The memory that a process holds now, shared pages by share (PSS), in 10^6 bytes; None where it isn't told."""
    found = re.search(r"^Pss:\s+(\d+) kB", _read(PROC / str(pid) / "smaps_rollup"), re.MULTILINE)
    return round(int(found[1]) * 1024 / 1e6) if found else None


def give_back_memory(*_):
    """Hand the memory that was freed back to the system; whether there was any. Nothing happens without glibc.

    glibc keeps what a training freed for the next one: after a page that is a quarter of a kernel's memory, which
    thirty kernels on one server cannot spare.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim and trim(0))


def give_back_after_cells():
    """In a notebook, hand freed memory back after each cell, once however often it is asked for."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell and give_back_memory not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", give_back_memory)


def _read(path):
    """The text of a small system file, "" where there is none."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
