"""The doctor: each thing that can be wrong is seen, named, and comes with advice."""

import socket
import threading
from collections import namedtuple

import pytest

from helpers import ROOT
from helpers.course import doctor, machine
from helpers.data import manifest

Usage = namedtuple("Usage", "free")


def test_every_check_answers_here():
    rows = doctor.examine()
    assert len(rows) == len(doctor.CHECKS) == len({row.what for row in rows})
    assert not [row for row in rows if "could not be looked at" in row.found]
    assert all(row.advice for row in rows if row.mark != doctor.GOOD)


def other_environment(monkeypatch, tmp_path):
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)


def missing_package(monkeypatch):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: name != "pooch")


ALTERED = ["data/a was altered. Restore it: git", "data/b is not listed. Why"]
FAULTS = [
    # check, what is put in the place of what, the mark, a part of the advice
    (doctor.python, "sys.version_info", (3, 9, 1), "!", "3.11 to 3.13"),
    (doctor.pytorch, "torch.__version__", "2.1.0", "✗", "2.4 at least"),
    (doctor.device, "helpers.course.doctor.shutil.which", lambda name: name, "!", "CUDA build"),
    (doctor.cores, "torch.get_num_threads", lambda: 999, "!", "set_num_threads"),
    (doctor.memory, "helpers.course.machine.free_memory_mb", lambda: 400, "!", "Close other programs"),
    (doctor.disk, "helpers.course.doctor.shutil.disk_usage", lambda path: Usage(1e8), "!", "free some"),
    (doctor.disk, "helpers.course.doctor.os.access", lambda *_: False, "!", "cannot be kept"),
    (doctor.course_files, "helpers.data.manifest.differences", lambda: ALTERED, "✗", "Restore it"),
    (doctor.course_files, "helpers.data.manifest.read", dict, "✗", "manifest.json"),
    (doctor.widgets, "helpers.course.doctor.version", lambda name: "7.6.5", "!", "7.7.1 and 8"),
    (doctor.korean_font, "helpers.course.doctor.DATA", ROOT / "tests", "!", "boxes"),
]


@pytest.mark.parametrize("check, place, value, mark, said", FAULTS, ids=[fault[1] for fault in FAULTS])
def test_what_is_wrong_is_said(check, place, value, mark, said, monkeypatch):
    monkeypatch.setattr(manifest, "differences", lambda: [])
    monkeypatch.setattr(place, value)
    row = check()
    assert row.mark == mark and said in row.advice, row


def test_another_kernel_is_seen(monkeypatch, tmp_path):
    other_environment(monkeypatch, tmp_path)
    assert "Change Kernel" in doctor.kernel().advice


def test_a_missing_package_is_named(monkeypatch):
    missing_package(monkeypatch)
    assert doctor.packages() == doctor.Row("✗", "packages", "missing: pooch", "`pip install pooch`")


def test_a_missing_network_is_no_fault(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    row = doctor.network()  # the tests run offline
    assert row.mark == doctor.GOOD and "none is needed" in row.found
    monkeypatch.setattr(machine, "reachable", lambda *_, **__: True)
    assert doctor.network().found.startswith("there")


def test_a_look_up_that_hangs_is_given_up(monkeypatch):
    answer = threading.Event()
    slow = lambda *_, **__: answer.wait() and socket.socket()  # noqa: E731
    monkeypatch.setattr(machine.socket, "create_connection", slow)
    assert machine.reachable("example.org", 443, seconds=0.2) is False, "and this returns, without an answer"
    answer.set()


def test_a_check_that_fails_becomes_a_row():
    def broken():
        raise RuntimeError("no such thing")

    (row,) = doctor.examine([broken])
    assert row.mark == doctor.BAD and "RuntimeError: no such thing" in row.found


@pytest.mark.parametrize("marks, sentence", [
    ("✓✓", "All is well: the whole course runs here."),
    ("✓!", "The course runs here; 1 of 2 points could be better."),
    ("!✗✗", "2 of 3 points are broken; put those right first."),
])
def test_the_verdict(marks, sentence):
    assert doctor.verdict([doctor.Row(mark, "", "") for mark in marks]) == sentence


def test_the_limits_of_a_container_count(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "PROC", tmp_path)
    assert machine.free_memory_mb() is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    8000000 kB\n")
    assert machine.free_memory_mb() == 8192
    (tmp_path / "memory.max").write_text("2000000000\n")
    (tmp_path / "memory.current").write_text("700000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 200000000\n")
    assert machine.free_memory_mb() == 1500
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert machine.usable_cores() == 0.5
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory_mb() == 8192
