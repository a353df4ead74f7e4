"""The shape of the project: budgets, the direction of imports, what may be committed."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT
from helpers.course import outline

FILE = 220  # lines: "about 200"
FUNCTION, FORWARD = 30, 20  # lines without the docstring
ARGUMENTS = 10  # without self

# What may be larger, and why: (file, function or "") -> (lines or arguments, reason). Raise it with a reason,
# never by squeezing lines.
EXCEPTIONS = {}

ROOM = 12  # files: "about ten"
ROOMS = {"helpers/models": 26}  # one shelf, a file a paper: raised for notebooks 16 and 17, five papers and their parts

# Every lesson and command has these, by agreement: what is found by its name has the same name everywhere.
# PRESETS are the named sizes of a model file; Encoder and Decoder are boxes of two papers, each family by itself.
PROTOCOL = {"recipes", "groups", "main", "PRESETS", "Encoder", "Decoder"}
# Other names that two files define today; each is to go.
TWICE = set("""
    BATCH BETAS COLOURS DRAWS EDGE FRAME LESSONS LONGEST PALETTE PAPER PATH SIZE SIZES alignment check digest
    find named parse place posteriors read save
""".split())

# The rooms of helpers/ by their floor: a file imports from its own room and from lower floors. A lesson imports rooms
# and the lessons of earlier notebooks; train.py, the command, stands on top.
FLOORS = [("data",), ("diffusion", "metrics", "show"), ("models",), ("training",), ("systems", "course"), ("lessons",),
          ("train",)]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
NOTEBOOKS = [book.file.split("_", 1)[1] for book in outline.notebooks()]
# The parts of show that need ipywidgets: for a notebook alone.
LIVE = ("card", "predict", "prompt_box", "stepper", "widgets")
FILE_MB, WEIGHTS_MB = 5, 100

SOURCES = sorted(path for path in (ROOT / "helpers").rglob("*.py") if "__pycache__" not in path.parts)


def test_style():
    """ruff over code and notebooks, with the rules of pyproject.toml."""
    command = [sys.executable, "-m", "ruff", "check", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def name(path):
    return path.relative_to(ROOT).as_posix()


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function):
    """Lines from `def` to the end, without the docstring."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    docstring = first.end_lineno - first.lineno + 1 if is_docstring else 0
    return function.end_lineno - function.lineno + 1 - docstring


def arguments(function):
    every = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return len([argument for argument in every if argument.arg not in ("self", "cls")])


def over_budget(path, text):
    """Every way in which a file exceeds its budget: (file, function or "", what, size, limit)."""
    tree = ast.parse(text)
    sizes = [("", "lines", len(text.splitlines()), FILE)]
    for node in functions(tree):
        sizes.append((node.name, "lines", length(node), FORWARD if node.name == "forward" else FUNCTION))
        sizes.append((node.name, "arguments", arguments(node), ARGUMENTS))
    return [(path, *size) for size in sizes if size[-2] > size[-1]]


def test_budgets():
    found = [item for path in SOURCES for item in over_budget(name(path), path.read_text(encoding="utf-8"))]
    allowed = [item for item in found if item[3] <= EXCEPTIONS.get(item[:2], (0, ""))[0]]
    assert not set(found) - set(allowed), "\n".join(f"{f}: {n or 'file'} has {s} {w}, the budget is {b}"
                                                    for f, n, w, s, b in sorted(set(found) - set(allowed)))
    stale = set(EXCEPTIONS) - {item[:2] for item in found}
    assert not stale, f"no longer over budget, so drop the exception: {stale}"


def test_a_room_has_about_ten_files():
    for room in {path.parent for path in SOURCES} - {ROOT / "helpers"}:
        files = [path for path in room.glob("*.py") if path.stem != "__init__"]
        assert len(files) <= ROOMS.get(name(room), ROOM), f"{name(room)} has {len(files)} files"


def public(path):
    """The public functions, classes and constants that a file defines at its top."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if path.stem != "scores" or "lessons" not in path.parts:  # those are called by way of groups() alone
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (part.id for target in targets for part in ast.walk(target)
                        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


def test_one_name_one_thing():
    """No two files define the same public name: a name means one thing in the whole course."""
    places = {}
    for path in SOURCES:
        for defined in sorted(set(public(path)) - PROTOCOL):
            if not defined.startswith("_"):
                places.setdefault(defined, []).append(name(path))
    twice = {defined: files for defined, files in places.items() if len(files) > 1}
    assert not twice.keys() - TWICE, {defined: twice[defined] for defined in twice.keys() - TWICE}
    assert not TWICE - twice.keys(), "these stand in one file now: shorten TWICE"


def test_budgets_are_measured():
    body = "\n".join(["    x = 1"] * 21)
    many = ", ".join(f"a{n}" for n in range(11))
    text = f'def forward(self):\n    """Doc\n    string."""\n{body}\ndef f({many}):\n    pass\n' + "\n" * FILE
    found = {(item[1], item[2], item[3]) for item in over_budget("x.py", text)}
    assert found == {("forward", "lines", 22), ("f", "arguments", 11), ("", "lines", 26 + FILE)}


def imported(path):
    """The modules of the course that a file of helpers imports, as "models.layers" or "data"."""
    found = set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *filter(None, [node.module])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return {module.removeprefix("helpers.") for module in found if module.startswith("helpers.")}


def uses(modules, target):
    return sorted(module for module in modules if module == target or module.startswith(target + "."))


def misplaced(path, modules):
    """The imports of a file of helpers that its room does not allow, as sentences."""
    own = path.relative_to(ROOT / "helpers").with_suffix("").parts
    for module in sorted(modules):
        room, *inner = module.split(".")
        if room not in FLOOR or room == own[0] != "lessons":
            continue
        if FLOOR[room] >= FLOOR[own[0]] and room != own[0]:
            yield f"{own[0]} imports {module}, which is not below it"
        if room == own[0] == "lessons" and NOTEBOOKS.index(inner[0]) > NOTEBOOKS.index(own[1]):
            yield f"lesson {own[1]} imports {module}, of a later notebook"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_point_one_way(path):
    modules = imported(path)
    assert not list(misplaced(path, modules))
    if path.parent.name != "show" or path.stem not in LIVE:
        assert not [name for part in LIVE for name in uses(modules, f"show.{part}")], "a notebook imports widgets"
        assert "ipywidgets" not in packages(path), f"only {LIVE} of show use ipywidgets"
    if path.stem == "layers":
        assert not uses(modules, "models"), "layers imports no model"


@pytest.mark.parametrize(("file", "module", "allowed"), [
    ("models/vae.py", "data.text", True), ("models/vae.py", "training.loop", False), ("data/sets.py", "show", False),
    ("metrics/pca.py", "models.vae", False), ("models/glide.py", "diffusion.targets", True),
    ("lessons/vae/scores.py", "course.scores", True),
    ("lessons/vae/scores.py", "lessons.autoencoder.recipes", True), ("course/scores.py", "lessons.vae.scores", False),
    ("lessons/vae/scores.py", "lessons.ae_vs_vae.recipes", False), ("train.py", "training.run", True),
])
def test_an_import_that_points_up_is_seen(file, module, allowed):
    assert (not list(misplaced(ROOT / "helpers" / file, {module}))) == allowed


def test_no_circle_of_imports():
    graph = {".".join(path.relative_to(ROOT / "helpers").with_suffix("").parts).removesuffix(".__init__"):
             imported(path) for path in SOURCES}
    walked, open_ = set(), []

    def walk(file):
        if file in open_:
            raise AssertionError(f"a circle of imports: {' -> '.join([*open_[open_.index(file):], file])}")
        if file in graph and file not in walked:
            open_.append(file)
            for module in graph[file] - {file}:
                if not file.startswith(module + "."):  # a file of a package names the package it stands in
                    walk(module)
            walked.add(open_.pop())

    for file in graph:
        walk(file)


def test_every_room_is_on_the_plan():
    entries = {path.stem for path in (ROOT / "helpers").iterdir() if not path.name.startswith(("_", "."))}
    assert entries - {"course"} <= FLOOR.keys()  # course.toml lies beside the room course/
    lessons = {path.name for path in (ROOT / "helpers" / "lessons").iterdir() if not path.name.startswith("_")}
    assert lessons <= set(NOTEBOOKS), "a lesson's folder has its notebook's name"


def packages(path):
    """The outside packages that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_models_need_no_notebook():
    code = (
        "import importlib, pkgutil, sys, helpers.models as m\n"
        "names = [n.name for n in pkgutil.iter_modules(m.__path__)]\n"
        "[importlib.import_module('helpers.models.' + n) for n in names]\n"
        "print(sorted({'IPython', 'ipywidgets', 'matplotlib'} & set(sys.modules)))"
    )
    done = run_python(code)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_helpers_work_without_ipywidgets():
    code = (
        "import importlib, pkgutil, sys, helpers\n"
        "sys.modules['ipywidgets'] = None  # importing it fails\n"
        "names = [n.name for n in pkgutil.walk_packages(helpers.__path__, 'helpers.')]\n"
        f"[importlib.import_module(n) for n in names if n not in {[f'helpers.show.{part}' for part in LIVE]}]\n"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_the_package_imports_nothing_heavy():
    done = run_python("import sys, helpers; print(sorted({'torch', 'numpy'} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def unsafe(text):
    """Names in a source text that load or store pickles."""
    nodes = list(ast.walk(ast.parse(text)))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    calls = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    return modules & {"pickle", "dill", "joblib", "cloudpickle"} | calls & {"torch.load", "torch.save"} | (
        keywords & {"allow_pickle"}
    )


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_pickle(path):
    assert not unsafe(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["import pickle", "torch.load(f)", "np.load(f, allow_pickle=True)"])
def test_a_pickle_is_found(text):
    assert unsafe(text)


def tracked():
    """The files of the repository: what git tracks; without git, the test is skipped."""
    if not shutil.which("git"):
        pytest.skip("git is not installed, so what is committed cannot be listed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout, so what is committed cannot be listed")
    return [ROOT / file for file in listed.stdout.split("\0") if file and (ROOT / file).exists()]


def test_committed_files_are_small():
    sizes = {name(path): path.stat().st_size / 1e6 for path in tracked()}
    assert not {file: size for file, size in sizes.items() if size > FILE_MB}
    weights = sum(size for file, size in sizes.items() if file.startswith("data/weights/"))
    assert weights <= WEIGHTS_MB, f"the weights take {weights:.0f} MB"


def test_nothing_private_is_committed():
    suffixes = {path.suffix for path in tracked()}
    assert not suffixes & {".pkl", ".pt", ".pth", ".ckpt", ".pyc", ".part"}


def test_the_run_is_offline():
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    assert "the tests run offline" in run_python(code).stderr
    with pytest.raises(OSError, match="the tests run offline"):
        exec(code)
    with pytest.raises(OSError, match="the tests run offline"):
        exec("import urllib.request; urllib.request.urlopen('http://example.org', timeout=5)")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak")
def test_memory_over_the_limit_is_seen():
    from conftest import NotebookRules

    NotebookRules(limit_mb=100_000).check(os.getpid())
    with pytest.raises(AssertionError, match="MB of 1 MB"):
        NotebookRules(limit_mb=1).check(os.getpid())


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not tell what is held")
def test_memory_that_is_held_after_a_page_is_seen():
    from conftest import NotebookRules

    NotebookRules().check_rest(os.getpid(), 100_000)
    with pytest.raises(AssertionError, match="holds .* MB, of 1 MB"):
        NotebookRules().check_rest(os.getpid(), 1)


def test_a_name_that_a_page_uses_again_for_another_thing_is_seen():
    from conftest import NotebookRules
    from nbformat.v4 import new_code_cell
    from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel

    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
    try:
        for last in ("y = 2", "x = 2"):
            cells = [new_code_cell(source) for source in ("x = 1", "assert x == 1", last)]
            for cell in cells:
                kernel.await_reply(kernel.execute_cell_input(cell.source, allow_stdin=False), timeout=60)
            failed = NotebookRules().run_again(kernel, cells)
            assert failed == ([] if last == "y = 2" else ["assert x == 1\n-> AssertionError: "])
    finally:
        kernel.stop()


def test_a_solution_that_does_not_pass_is_seen():
    from conftest import NotebookRules
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel

    stub = new_code_cell("from helpers.course import checks\ndef double(x): ...\n"
                         "twice = checks.gap('twice', double, lambda x: 2 * x, 3.0)", metadata={"tags": ["gap"]})
    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
    try:
        for factor, wrong in ((2, ""), (3, "AssertionError: ✗ twice: yours is 9; expected 6. ")):
            code = f"```python\ndef double(x): return {factor} * x\n```"
            text = f"<details><summary>Solution</summary>\n\n{code}\n</details>"
            page = new_notebook(cells=[stub, new_markdown_cell(text, metadata={"tags": ["solution"]})])
            failed = NotebookRules().run_solutions(kernel, page)
            assert len(failed) == bool(wrong) and all(wrong in line for line in failed)
    finally:
        kernel.stop()
