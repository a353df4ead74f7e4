"""The first cell of every notebook, run where the course is missing (as on Colab) and where it isn't."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from helpers import ROOT
from helpers.course import outline

RELEASE = outline.table()["release"]
REPORT = "\nimport helpers; print(helpers.__file__); print(os.getcwd())"


def git(*arguments, cwd):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A published course: a bare repository with the release tag, and one commit after it."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    work = tmp_path_factory.mktemp("work")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "helpers", work / "helpers", ignore=ignore)
    (work / "notebooks").mkdir()
    (work / "notebooks" / "README").write_text("release")
    git("init", "-q", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-qm", "first", cwd=work)
    git("commit", "-qm", "release", "--allow-empty", cwd=work)
    git("tag", RELEASE, cwd=work)
    (work / "notebooks" / "README").write_text("later")
    git("commit", "-qam", "later", cwd=work)
    bare = tmp_path_factory.mktemp("bare") / "course.git"
    git("clone", "-q", "--bare", str(work), str(bare), cwd=work)
    return bare.as_uri()


def run_cell(folder, address, before="", **environment):
    """Run the cell alone in a folder, by a Python that sees neither this checkout nor its own environment."""
    code = before + outline.bootstrap_source() + REPORT
    variables = os.environ | {"COURSE_REPOSITORY": address, "GIT_TERMINAL_PROMPT": "0"} | environment
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=60)


def test_the_cell_is_short_and_uses_the_standard_library_only():
    source = outline.bootstrap_source()
    assert len(source.splitlines()) <= 28 and max(map(len, source.splitlines())) <= 88
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)
    assert "--no-deps" in source
    assert not [name for name in ("torch", "numpy", "matplotlib", "ipywidgets") if name in source]


def test_an_empty_folder_gets_the_release(repository, tmp_path):
    done = run_cell(tmp_path, repository)
    assert done.returncode == 0, done.stderr
    fetched = tmp_path / "generative-models-course"
    assert done.stdout.split() == [str(fetched / "helpers" / "__init__.py"), str(fetched / "notebooks")]
    assert (fetched / "notebooks" / "README").read_text() == "release"
    log = subprocess.run(["git", "log", "--oneline"], cwd=fetched, capture_output=True, text=True)
    assert len(log.stdout.splitlines()) == 1, "the clone is not shallow"


def test_a_restarted_kernel_finds_what_was_fetched(repository, tmp_path):
    first = run_cell(tmp_path, repository)
    again = run_cell(tmp_path, "file:///gone")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout


def test_inside_the_course_only_the_path_changes():
    done = run_cell(ROOT / "notebooks", "file:///gone")
    expected = [str(ROOT / "helpers" / "__init__.py"), str(ROOT / "notebooks")]
    assert done.stdout.split() == expected, done.stderr


@pytest.mark.parametrize("address", ["file:///nowhere/course.git", "http://127.0.0.1:9/course.git"])
def test_a_failed_fetch_says_what_it_takes(address, tmp_path):
    done = run_cell(tmp_path, address)
    assert done.returncode and f"Could not fetch the course from {address}" in done.stderr
    assert "This takes git, a network and a folder" in done.stderr
    assert not list(tmp_path.iterdir()), "a failed fetch leaves nothing behind"


def test_without_git_the_message_is_the_same(repository, tmp_path):
    done = run_cell(tmp_path, repository, PATH=str(tmp_path))
    assert done.returncode and "This takes git, a network and a folder" in done.stderr


def test_a_half_fetched_folder_is_set_aside(repository, tmp_path):
    """As an interrupted fetch of an older first cell leaves it."""
    half = tmp_path / "generative-models-course"
    (half / ".git").mkdir(parents=True)
    (half / "mine.txt").write_text("kept")
    done = run_cell(tmp_path, repository)
    assert done.returncode == 0, done.stderr
    assert (half / "helpers" / "course.toml").exists()
    assert [path.read_text() for path in tmp_path.glob("fetching-*-set-aside/mine.txt")] == ["kept"]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_interrupted_fetch_blocks_nothing(repository, tmp_path):
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin" / "git"  # writes a part, then is killed with its kernel
    git.write_text('#!/bin/sh\nfor last; do :; done\nmkdir -p "$last/.git"\nkill -9 $PPID\n')
    git.chmod(0o755)
    done = run_cell(tmp_path, repository, PATH=f"{git.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == -9 and not (tmp_path / "generative-models-course").exists()
    assert run_cell(tmp_path, repository).returncode == 0


def installed_by_the_cell():
    """The requirements that the first cell gives to pip."""
    return re.search(r'needs = """(.+?)"""', outline.bootstrap_source(), re.DOTALL)[1].split()


def test_what_colab_lacks_is_installed_within_its_bounds(repository, tmp_path):
    before = (
        "import subprocess; run = subprocess.run\n"
        "subprocess.run = lambda c, **k: print(*c[2:]) if 'pip' in c else run(c, **k)\n"
    )
    done = run_cell(tmp_path, repository, before)
    assert done.stdout.splitlines()[0] == f"pip install -q --no-deps {' '.join(installed_by_the_cell())}", done.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {Requirement(line).name: Requirement(line).specifier for line in project["dependencies"]}
    listed = {Requirement(line).name: Requirement(line).specifier for line in installed_by_the_cell()}
    assert {"tokenizers", "constriction", "accelerate"} <= set(listed)
    assert all(listed[name] == bounds[name] for name in listed.keys() & bounds.keys())
    assert listed.keys() - bounds.keys() == set(outline.WITH_SACREBLEU)


def test_what_sacrebleu_imports_is_installed_with_it():
    """--no-deps leaves it out. Colab has numpy; regex serves a tokenizer that the course doesn't use."""
    needs = {Requirement(line).name for line in importlib.metadata.requires("sacrebleu") if "extra" not in line}
    assert needs - {"numpy", "regex"} <= {Requirement(line).name for line in installed_by_the_cell()}
