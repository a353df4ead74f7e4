"""A notebook is added to a copy of the course by the steps of README.md, and by nothing else."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4

from helpers import ROOT
from helpers.course import outline

PLANNED = [book for book in outline.notebooks() if not book.built]
BOOK = next(book for book in PLANNED if not (ROOT / "helpers/lessons" / book.file.split("_", 1)[1]).exists())
LESSON = BOOK.file.split("_", 1)[1]

MODEL = '''"""A line through the origin (a toy)."""

from torch import nn


class Slope(nn.Module):
    def __init__(self):
        super().__init__()
        self.config = {}
        self.line = nn.Linear(1, 1, bias=False)

    def forward(self, x):
        return self.line(x)


def slope_loss(model, x):
    return (model(x) - 2 * x).square().mean(), {}
'''
RECIPES = '''"""The toy's weights."""

import torch

from ...models.slope import Slope, slope_loss
from ...training.recipes import Recipe, any_length


def noise():
    return lambda step: torch.randn(8, 1)


def recipes():
    yield Recipe("slope-toy", Slope, any_length(noise), slope_loss, lambda model: {}, "noise", steps=20)
'''
SCORES = '''"""The toy's figure."""

from ...course.scores import Score
from ...training.checkpoints import load


def slope():
    yield Score("slope.toy", "the slope", load("slope-toy")[0].line.weight.item(), ".2f")


def groups():
    yield "slope", slope
'''
EXERCISES = '''"""The toy's exercises."""

from ...course.checks import Exercise, assert_close

CARDS = [Exercise(f"10.{n}", "double", [lambda f: assert_close("f(2)", f(2), 4)]) for n in (1, 2)]
'''


def page():
    """Something to see, a quoted figure, sections with their summaries, two exercises with folded solutions."""
    figure = "The slope is <!--score:slope.toy-->?<!--/-->."
    cells = [
        v4.new_markdown_cell(f"# {BOOK.number} · {BOOK.title}\n\n{figure}"),
        v4.new_code_cell(f"from helpers.lessons.{LESSON} import exercises\n"
                         "from helpers.training.checkpoints import load\n\nprint(load('slope-toy')[1].data)"),
    ]
    for heading in BOOK.sections:
        summary = "<details><summary>한 줄 요약</summary>\n\n직선 하나를 그었다.\n기울기를 배웠다.\n\n</details>"
        cells += [v4.new_markdown_cell(f"## {heading}"), v4.new_markdown_cell(summary, metadata={"tags": ["summary"]})]
    cells.append(v4.new_markdown_cell("## Exercises"))
    for n in (0, 1):
        solution = "```python\ndef double(x):\n    return 2 * x\n```"
        cells += [
            v4.new_code_cell(f"def double(x):\n    ...\n\n\nexercises.CARDS[{n}].check(double)",
                             metadata={"tags": ["exercise"]}),
            v4.new_markdown_cell(f"<details><summary>Solution {n}</summary>\n\n{solution}\n\n</details>",
                                 metadata={"tags": ["solution"]}),
        ]
    return v4.new_notebook(cells=cells)


@pytest.fixture
def course(tmp_path):
    """A copy of the course, without its weights."""
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors", "trained", ".ipynb_checkpoints", "*.lock")
    for folder in ("helpers", "notebooks", "tests", "data"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def run(course, *command):
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-m", *command], cwd=course, env=environment, capture_output=True,
                          encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_notebook_is_added_by_the_steps_of_the_readme(course):
    (course / "helpers" / "models" / "slope.py").write_text(MODEL, encoding="utf-8")
    lesson = course / "helpers" / "lessons" / LESSON
    lesson.mkdir()
    files = {"__init__": '"""A toy."""\n', "recipes": RECIPES, "scores": SCORES, "exercises": EXERCISES}
    for file, text in files.items():
        (lesson / f"{file}.py").write_text(text, encoding="utf-8")
    nbformat.write(page(), course / "notebooks" / BOOK.name)
    table = course / "helpers" / "course.toml"
    before, entry, after = table.read_text(encoding="utf-8").partition(f'file = "{BOOK.file}"')
    table.write_text(before + entry + after.replace('"planned"', '"built"', 1), encoding="utf-8")

    run(course, "helpers.train", "slope-toy", "--out", "data/weights")
    run(course, "helpers.course.scores", "--write", "slope")
    run(course, "helpers.course.publish", BOOK.number)
    run(course, "helpers.course.publish", "--stamp")

    assert f"[{BOOK.number} · {BOOK.title}](notebooks/{BOOK.name})" in (course / "README.md").read_text("utf-8")
    tests = [f"tests/{name}.py" for name in ("test_notebooks", "test_course", "test_project")]
    wanted = f"{BOOK.file} or readme or marked_as_built or lists_every or on_the_plan or {LESSON} or slope"
    said = run(course, "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", wanted)
    assert "passed" in said
