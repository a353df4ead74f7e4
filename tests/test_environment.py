"""The environments agree with each other, and `make` sets up, opens and explains itself as promised."""

import ast
import re
import shutil
import stat
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request

import pytest
import yaml
from packaging.requirements import Requirement

from helpers import ROOT

CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # PyPI -> conda-forge
# import name -> PyPI
IMPORTED_AS = {"PIL": "pillow", "IPython": "ipython", "skimage": "scikit-image", "sklearn": "scikit-learn"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def bounds(requirements):
    found = [Requirement(re.sub(r"(?<![<>=!])=(?!=)", "==", text)) for text in requirements]
    return {requirement.name: requirement.specifier for requirement in found}


def test_environment_yml_agrees_with_pyproject():
    wanted = bounds(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"])
    wanted = {CONDA_NAMES.get(name, name): specifier for name, specifier in wanted.items()}
    *from_conda, from_pip = CONDA["dependencies"]
    conda = bounds(from_conda + from_pip["pip"])
    python = next(iter(conda.pop("python")))
    assert python.version + ".0" in Requirement("p" + PROJECT["requires-python"]).specifier
    conda.pop("pip")
    assert conda == wanted


def test_every_outside_import_is_declared():
    texts = [path.read_text("utf-8") for path in (ROOT / "helpers").rglob("*.py")]
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    outside = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"helpers"}
    extras = PROJECT["optional-dependencies"]
    declared = PROJECT["dependencies"] + extras["test"] + extras["real"]
    assert {IMPORTED_AS.get(name, name) for name in outside} <= set(bounds(declared))


def test_conda_forge_is_the_only_channel():
    assert [channel for channel in CONDA["channels"] if channel != "nodefaults"] == ["conda-forge"]


def test_post_build_stops_at_an_error():
    lines = (ROOT / "postBuild").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[0] == "set -e" and (ROOT / "postBuild").stat().st_mode & stat.S_IXUSR


def test_torch_is_pinned_for_the_local_installation_only():
    makefile = (ROOT / "Makefile").read_text()
    pinned = re.search(r"^TORCH := torch==(.+)$", makefile, re.MULTILINE)[1]
    torch = bounds(PROJECT["dependencies"])["torch"]
    assert pinned in torch and all(part.operator == ">=" for part in torch)
    ceilings = {name for name, each in bounds(PROJECT["dependencies"]).items() if any(p.operator != ">=" for p in each)}
    assert ceilings == {"constriction", "tokenizers"}, "a bound from above needs its reason in pyproject.toml"


def make(folder, *arguments, **environment):
    command = ["make", "--no-print-directory", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment or None)


def test_help_lists_every_target():
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    listed = [line.split()[0] for line in make(ROOT, "help").stdout.splitlines()]
    assert sorted(listed) == sorted(phony) and {"lab", "test"} <= set(listed)


@pytest.fixture
def empty(tmp_path):
    """A folder with nothing but the Makefile and the package's metadata."""
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def script(path, text):
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return path


def test_without_a_usable_python_make_says_what_to_do(empty):
    done = make(empty, "lab", "PYTHON=")
    assert done.returncode
    assert "needs Python 3.11, 3.12 or 3.13" in done.stdout and "sudo apt install python3-venv" in done.stdout
    assert not (empty / ".venv").exists()


def test_a_python_without_ensurepip_is_named(empty):
    tools = empty / "bin"
    tools.mkdir()
    for tool in ("bash", "grep", "sed", "id", "rm", "touch", "make"):
        (tools / tool).symlink_to(shutil.which(tool))
    without = "import sys; sys.modules['ensurepip'] = None"
    script(tools / "python3", f'exec {sys.executable} -c "{without}\n${{@: -1}}"')
    done = make(empty, "test", PATH=str(tools))
    assert done.returncode and "is " + sys.version.split()[0] in done.stdout, done.stdout + done.stderr


PIP = """
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *"pip install"*) echo "$*" >> installs; [ ! -e broken ] ;;
esac
"""


def test_a_half_finished_installation_is_done_again(empty):
    python = script(empty / "python", PIP)
    (empty / "broken").touch()
    assert make(empty, ".venv/installed", f"PYTHON={python}").returncode
    assert not (empty / ".venv" / "installed").exists()
    (empty / "broken").unlink()
    assert make(empty, ".venv/installed", f"PYTHON={python}").returncode == 0
    assert "up to date" in make(empty, ".venv/installed", f"PYTHON={python}").stdout
    first, second = (empty / "installs").read_text().splitlines()
    assert first == second and "torch==" in first and first.endswith("-e .[lab,test]")


def test_an_extra_index_is_passed_on(empty):
    python = script(empty / "python", PIP)
    make(empty, ".venv/installed", f"PYTHON={python}", "TORCH_INDEX=https://example.org/cpu")
    assert "--extra-index-url https://example.org/cpu" in (empty / "installs").read_text()


@pytest.fixture
def lab(tmp_path):
    """JupyterLab as `make lab` starts it, without a browser; yields the address that it prints."""
    arguments = make(ROOT, "-n", "lab").stdout.split("exec .venv/bin/python ")[1]
    command = f"exec {sys.executable} {arguments.strip()} --no-browser --ServerApp.port=0"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    server = subprocess.Popen(
        ["bash", "-c", command], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = iter(server.stderr.readline, "")
        addresses = (re.search(r"http://\S+[?]token=\S+", line) for line in lines)
        yield next(found[0] for found in addresses if found)
    finally:
        server.terminate()
        server.stderr.close()
        server.wait(timeout=20)


def status(address, seconds=20):
    """The HTTP status of an address; a server that is still starting is asked again."""
    try:
        return urllib.request.urlopen(address, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        if seconds <= 0:
            raise
    time.sleep(0.5)
    return status(address, seconds - 0.5)


def test_the_lab_listens_here_only_and_asks_for_its_token(lab):
    address, token = lab.split("/lab/tree/notebooks/00_start_here.ipynb?token=")
    assert address.startswith("http://127.0.0.1:")
    assert status(f"{address}/api/contents") == 403
    assert status(f"{address}/api/contents?token={token}") == 200


def test_ci_runs_make_test_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[-1] == "make test" and "set -euo pipefail" in lines
