"""The doctor: each thing that can be wrong is seen, named, and comes with advice."""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

import nbformat
import pytest

from helpers import ROOT
from helpers.course import doctor, machine, outline
from helpers.data import manifest

Usage = namedtuple("Usage", "free")


def test_every_check_answers_here():
    rows = doctor.examine()
    assert len(rows) == len(doctor.CHECKS) == len({row.what for row in rows})
    assert not [row for row in rows if "could not be looked at" in row.found]
    assert all(row.advice for row in rows if row.mark != doctor.GOOD)
    assert not [row for row in rows if row.mark == doctor.BAD], "where the tests run, nothing is broken"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_page_shows_a_broken_point(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if "doctor.show()" in cell.source]
    shown = "\n".join(text for cell in cells for output in cell.get("outputs", []) for text in output["data"].values())
    assert not re.findall(r"^(?:[|] )?✗.*", shown, re.MULTILINE)


def other_environment(monkeypatch, tmp_path):
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)


ALTERED = ["data/a was altered. Restore it: git", "data/b is not listed. Why"]
FAULTS = [
    # check, what is put in the place of what, the mark, a part of the advice
    (doctor.python, "sys.version_info", (3, 9, 1), "!", "3.11 to 3.13"),
    (doctor.device, "helpers.course.doctor.shutil.which", lambda name: name, "!", "CUDA build"),
    (doctor.cores, "torch.get_num_threads", lambda: 999, "!", "set_num_threads"),
    (doctor.memory, "helpers.course.machine.free_memory_mb", lambda: 400, "!", "Close other programs"),
    (doctor.disk, "helpers.course.doctor.shutil.disk_usage", lambda path: Usage(1e8), "!", "free some"),
    (doctor.disk, "helpers.course.doctor.os.access", lambda *_: False, "!", "cannot be kept"),
    (doctor.course_files, "helpers.data.manifest.differences", lambda: ALTERED, "✗", "Restore it"),
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


@pytest.mark.parametrize("name, version, advice", [
    ("scikit-learn", None, '`pip install "scikit-learn>=1.3"`'),  # a module of another name than its package
    ("tokenizers", "0.22.1", '`pip install "tokenizers<1,>=0.22.2"`'),
    ("tokenizers", "1.0.0", '`pip install "tokenizers<1,>=0.22.2"`'),
    ("torch", "2.3.1+cpu", '`pip install "torch>=2.4"`'),
])
def test_a_missing_or_unfit_package_is_named(name, version, advice, monkeypatch):
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda asked: version if asked == name else real(asked))
    assert doctor.packages() == doctor.Row("✗", "packages", f"{name} is {version or 'missing'}", advice)


@pytest.mark.parametrize("name, version", [("torch", "2.14.0.dev20261128+cpu"), ("tokenizers", "0.23.1")])
def test_a_version_within_its_bounds_is_good(name, version, monkeypatch):
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda asked: version if asked == name else real(asked))
    assert doctor.packages().mark == doctor.GOOD


def test_a_folder_of_downloads_that_is_not_there_is_said(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert doctor.downloads().mark == doctor.GOOD
    monkeypatch.setenv("COURSE_DATA", "/nowhere")
    assert doctor.downloads().mark == doctor.WARN and "unset" in doctor.downloads().advice


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A course under git, with its lists and one page, that the doctor looks at."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    for name in LISTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    for module in (doctor, outline):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "DATA", tmp_path / "data")
    monkeypatch.setattr("helpers.data.files.ROOT", tmp_path)
    for function in (manifest.read, manifest.build, manifest.differences):
        monkeypatch.setattr(function, "__defaults__", (tmp_path / "data",))
    assert doctor.course_files().mark == doctor.GOOD
    return tmp_path


LISTS = ["data/manifest.json", "data/scores.json", "data/notebooks.json", "notebooks/01.ipynb"]
CONFLICT = '<<<<<<< HEAD\n{}\n=======\n{"a": 1}\n>>>>>>> other\n'


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("content", [b"", b'{"a": {', b"[]", b"\xff\xfe{", CONFLICT.encode(), None])
def test_the_doctors_advice_mends_a_damaged_file(clone, name, content):
    if content is None and name.endswith("ipynb"):
        pytest.skip("a page that is not there is no fault")
    (clone / name).unlink() if content is None else (clone / name).write_bytes(content)
    row = doctor.course_files()
    assert row.mark == doctor.BAD and row.found.startswith(f"{name} is ")
    command = row.advice.removeprefix("Restore it: ")
    subprocess.run(command.split(), cwd=clone, check=True, capture_output=True)
    assert doctor.course_files().mark == doctor.GOOD


def test_a_byte_order_mark_is_passed_over(clone):
    (clone / "data" / "manifest.json").write_bytes(b"\xef\xbb\xbf{}")
    assert doctor.course_files().mark == doctor.GOOD


def test_a_console_without_the_marks_gets_others():
    """As `python -m helpers.course.doctor > report.txt` on a Korean Windows."""
    environment = os.environ | {"PYTHONIOENCODING": "cp949"}
    command = [sys.executable, "-m", "helpers.course.doctor"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("cp949").startswith("v Python: ")


def test_every_command_prints_anywhere():
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "helpers").rglob("*.py")}
    commands = {path for path, text in texts.items() if '__name__ == "__main__"' in text}
    assert commands and not [path.name for path in commands if "    print_anywhere()\n" not in texts[path]]


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
