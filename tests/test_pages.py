"""Publishing: executed once, cleaned, stamped; a failure leaves the file as it was."""

import json
import sys

import nbformat
import pytest
from nbformat import v4

from helpers import ROOT
from helpers.course import machine, notebook_files, outline, publish

PNG = "iVBORw0KGgo="
WIDGET = {"model_id": "1", "version_major": 2, "version_minor": 0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of its own: notebooks/, data/ and README.md under a temporary root."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(publish, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(publish, "README", tmp_path / "README.md")
    for module in (publish, notebook_files, outline):
        monkeypatch.setattr(module, "DATA", tmp_path / "data")
    return tmp_path


def save(folder, *sources, name="02_autoencoder"):
    """Write a notebook of a title and these code cells; returns its path."""
    cells = [v4.new_markdown_cell("# Title"), *map(v4.new_code_cell, sources)]
    path = folder / "notebooks" / f"{name}.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(autouse=True)
def no_fetching(monkeypatch):
    """The first cell as it is where the course lies beside the notebook."""
    monkeypatch.setattr(outline, "bootstrap_source", lambda: "import sys")


def scores(folder, **values):
    table = {name: {"value": 0, "text": text} for name, text in values.items()}
    (folder / "data" / "scores.json").write_text(json.dumps({"scores": table}))


def test_publish_executes_cleans_and_stamps(folder, capsys):
    path = save(folder, "x = bytearray(200_000_000)", "print(sys.executable)")
    publish.main(["02"])
    notebook = nbformat.read(path, as_version=4)
    assert [cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3]
    assert notebook.cells[-2].outputs[0].text == sys.executable + "\n", "the kernel is this environment's"
    assert [cell.metadata.get("tags") for cell in notebook.cells if cell.cell_type == "markdown"] == [
        None, ["contents"], ["footer"]
    ]
    cost = json.loads((folder / "data" / "notebooks.json").read_text())["02_autoencoder"]
    told = machine.peak_mb("self") is not None  # not every system tells the peak memory
    assert cost["seconds"] > 0 and (200 < cost["peak_mb"] < 900 if told else cost["peak_mb"] is None)
    if machine.resident_mb("self") is not None:
        assert 200 < cost["rest_mb"] <= cost["peak_mb"], "x is still held"
    assert publish.check(path) == []
    assert "02_autoencoder.ipynb: executed in" in capsys.readouterr().out


def test_a_notebook_that_fails_is_left_as_it_was(folder):
    path = save(folder, "1 + 1", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=r"(?s)02_autoencoder.ipynb, cell 5.*ZeroDivisionError"):
        publish.main(["02"])
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]
    assert not (folder / "data" / "notebooks.json").exists()


def test_stamp_does_not_execute_and_check_sees_it(folder):
    path = save(folder, "1 / 0")
    publish.main(["--stamp"])
    assert "footer" in path.read_text()
    with pytest.raises(SystemExit, match="not executed from top to bottom"):
        publish.main(["--check"])


def test_an_edit_after_the_execution_is_noticed(folder):
    path = save(folder, "x = 1")
    publish.main(["02"])
    path.write_text(path.read_text().replace("x = 1", "x = 2"))
    assert publish.check(path) == [
        "02_autoencoder.ipynb: its code was edited after it was executed; run `python -m helpers.course.publish 02`"
    ]


def test_a_stale_footer_or_figure_is_noticed(folder):
    path = save(folder, "x = 1")
    publish.main(["02"])
    path.write_text(path.read_text().replace("Park Jihoon", "Someone"))
    assert "are stale" in publish.check(path)[0]


def test_a_stale_map_is_noticed_and_stamped(folder):
    """Notebook 00 shows the map with the minutes of all pages: they change after it was executed."""
    path = save(folder, "from helpers.course import outline", "x = bytearray(200_000_000)")
    notebook = nbformat.read(path, as_version=4)
    tables = f"<details>\n\n{outline.course_map()}\n\n{outline.points_table()}\n\n</details>"
    show = f"from IPython.display import Markdown, display\ndisplay(Markdown({tables!r}))"
    notebook.cells.append(v4.new_code_cell(show))
    nbformat.write(notebook, path)
    publish.main(["02"])
    assert publish.check(path) == [], "its own minutes are in its map"
    costs = json.loads((folder / "data" / "notebooks.json").read_text())
    costs["02_autoencoder"]["seconds"] = 594
    (folder / "data" / "notebooks.json").write_text(json.dumps(costs))
    assert "map are stale" in publish.check(path)[0]
    publish.main(["--stamp"])
    assert publish.check(path) == []
    shown = nbformat.read(path, as_version=4).cells[-2].outputs[0].data["text/markdown"]
    assert "| 9.9 |" in shown and shown.endswith("\n\n</details>") and shown.count("Minutes and memory") == 1


@pytest.mark.parametrize("content", ["", '{"cells": [', "<<<<<<< HEAD\n{}\n=======\n"])
def test_a_damaged_page_or_list_is_named(folder, content):
    path = save(folder, "x = 1")
    (folder / "data" / "notebooks.json").write_text(content)
    with pytest.raises(SystemExit, match=r"notebooks.json is damaged .*git checkout HEAD -- .*notebooks.json"):
        publish.main(["--check"])
    (folder / "data" / "notebooks.json").unlink()
    path.write_text(content)
    with pytest.raises(SystemExit, match=r"02_autoencoder.ipynb is damaged .*git checkout HEAD -- .*ipynb"):
        publish.main(["--check"])


@pytest.mark.parametrize("name", ["99", "03"])
def test_a_notebook_that_is_not_there_is_named(folder, name):
    with pytest.raises(SystemExit, match="no notebook '99'|03_seq2seq_vs_autoencoder.ipynb does not exist"):
        publish.main([name])


def test_readme_is_filled(folder):
    scores(folder, ratio="4.1")
    drawn = "<!--course-map-->\nold\n<!--/course-map-->"
    publish.README.write_text(f"It is <!--score:ratio-->?<!--/--> times\n{drawn}\nend")
    assert publish.check_readme()
    publish.main(["--stamp"])
    text = publish.README.read_text()
    assert text.startswith("It is <!--score:ratio-->4.1<!--/--> times") and "Stable Diffusion" in text
    assert "old" not in text and text.endswith("end") and not publish.check_readme()


def test_every_span_of_a_line_is_filled(folder):
    scores(folder, a="1", b="2 %")
    filled = notebook_files.fill_scores("Now <!--score:a--><!--/--> and <!--score:b-->0<!--/-->")
    assert filled == "Now <!--score:a-->1<!--/--> and <!--score:b-->2 %<!--/-->"
    assert notebook_files.fill_scores(filled) == filled
    with pytest.raises(notebook_files.PageError, match="no figure 'c'"):
        notebook_files.fill_scores("Now <!--score:c-->0<!--/-->")


@pytest.mark.parametrize("indent", ["", "  "])
def test_a_figure_that_begins_a_line_is_refused(folder, indent):
    scores(folder, a="1")
    with pytest.raises(notebook_files.PageError, match="put a word before it"):
        notebook_files.fill_scores(f"It is\n{indent}<!--score:a-->1<!--/--> times as large")


def page(*outputs, **metadata):
    cell = v4.new_code_cell("x", execution_count=1, outputs=list(outputs), metadata=metadata)
    return v4.new_notebook(cells=[cell], metadata=notebook_files.METADATA)


@pytest.mark.parametrize("still", [{"image/png": PNG}, {"text/html": "<p>a question</p>"}], ids=["sweep", "predict"])
def test_a_widget_leaves_its_still(still):
    data = {notebook_files.WIDGET_VIEW: WIDGET, **still, "text/plain": "<Sweep at 0x7f00ab>"}
    notebook = page(v4.new_output("display_data", data=data))
    notebook.metadata["widgets"] = {"state": {}}
    assert notebook_files.problems(notebook)
    notebook_files.clean(notebook)
    assert notebook.cells[0].outputs[0].data == {**still, "text/plain": "<Sweep>"}
    assert "widgets" not in notebook.metadata and notebook_files.problems(notebook) == []


def test_a_widget_without_a_picture_is_refused():
    notebook = page(v4.new_output("display_data", data={notebook_files.WIDGET_VIEW: WIDGET}))
    with pytest.raises(notebook_files.PageError, match="cell 1 shows a widget and no picture"):
        notebook_files.clean(notebook)
    bare = page(v4.new_output("display_data", data={notebook_files.WIDGET_VIEW: 1}))
    assert "no picture" in notebook_files.problems(bare)[0]


@pytest.mark.parametrize("text, final", [
    ("10 %\r50 %\r100 %\ndone\n", "100 %\ndone\n"),
    ("a\r\nb\n", "a\nb\n"),
    ("plain", "plain"),
])
def test_a_progress_bar_keeps_its_last_state(text, final):
    assert notebook_files.final_lines(text) == final


def test_volatile_metadata_goes_and_folding_stays():
    notebook = page(tags=["solution"], jupyter={"source_hidden": True}, execution={"started": "now"})
    notebook_files.clean(notebook)
    assert notebook.cells[0].metadata == {"tags": ["solution"], "jupyter": {"source_hidden": True}}


def test_an_error_or_a_wrong_order_is_a_problem():
    error = v4.new_output("error", ename="ValueError", evalue="", traceback=[])
    assert notebook_files.problems(page(error)) == ["it shows an error: ValueError"]
    notebook = page()
    notebook.cells[0].execution_count = 7
    assert "not executed from top to bottom" in notebook_files.problems(notebook)[0]


def test_two_cells_of_one_tag_are_refused():
    cells = [v4.new_markdown_cell("x", metadata={"tags": ["footer"]}) for _ in range(2)]
    notebook = v4.new_notebook(cells=cells)
    with pytest.raises(notebook_files.PageError, match="2 cells carry the tag 'footer'"):
        notebook_files.stamp(notebook, outline.notebook("02"))


@pytest.mark.skipif(machine.resident_mb("self") is None, reason="the system does not tell what is held")
def test_a_page_gives_freed_memory_back(folder):
    small = "kept = [bytes(1000 + i % 7) for i in range(400_000)]; last = kept[-1]; del kept"  # one piece stays on top
    path = save(folder, f"import sys; sys.path.insert(0, {str(ROOT)!r}); import helpers.course", small)
    notebook = nbformat.read(path, as_version=4)
    assert publish.execute(notebook, path.name)["rest_mb"] < 250


# -- solutions -----------------------------------------------------------------------------------------------------


EXERCISE = "import math\n\n\ndef double(x):\n    ...  # your code\n\n\ncard = cards[0]\ncard.check(double)"
GAP = "def my_sum(a, b):\n    return ...\n\n\ntotal = checks.gap('a sum', my_sum, torch.add, a, b, tol=0.1)"


def fold(code, tags=("solution",), summary="Solution 02.1"):
    text = f"Words before.\n\n<details><summary>{summary}</summary>\n\n```python\n{code}\n```\n\n</details>"
    return v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def stub(source, tag="exercise"):
    return v4.new_code_cell(source, metadata={"tags": [tag]})


def test_a_solution_stands_before_a_strict_check():
    hint = v4.new_markdown_cell("<details><summary>Hint</summary>\n\n```python\nno\n```\n\n</details>")
    cells = [stub(EXERCISE), hint, fold("def double(x):\n    return 2 * x"), v4.new_code_cell("x = 1"),
             stub(GAP, "gap"), fold("def my_sum(a, b):\n    return a + b", summary="Solution: a sum")]
    (first, exercise), (second, gap) = notebook_files.solved(v4.new_notebook(cells=cells))
    assert first is cells[0] and second is cells[4]
    assert exercise == ("import math\n\n\ndef double(x):\n    ...  # your code\n\n\ncard = cards[0]\n"
                        "def double(x):\n    return 2 * x\n\ncard.check(double, strict=True)\n")
    assert gap.endswith("def my_sum(a, b):\n    return a + b\n\n"
                        "total = checks.gap('a sum', my_sum, torch.add, a, b, tol=0.1, strict=True)\n")
    assert gap.startswith("def my_sum(a, b):\n    return ...\n")


def test_a_page_without_stubs_has_no_solutions():
    assert notebook_files.solved(v4.new_notebook(cells=[v4.new_code_cell("x = 1")])) == []


RIGHT = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize("cells, sentence", [
    ([stub(EXERCISE)], "cell 1 is followed by 0 folded solutions"),
    ([stub(EXERCISE), fold(RIGHT, tags=())], "cell 1 is followed by 0"),
    ([stub(EXERCISE), fold(RIGHT, summary="Hint 2")], "cell 1 is followed by 0"),
    ([stub(EXERCISE), fold(RIGHT), fold(RIGHT)], "cell 1 is followed by 2"),
    ([stub(EXERCISE), stub(EXERCISE), fold(RIGHT)], "cell 1 is followed by 0"),
    ([fold(RIGHT), stub(EXERCISE)], "cell 2 is followed by 0"),
    ([stub(EXERCISE), v4.new_code_cell(fold(RIGHT).source, metadata={"tags": ["solution"]})], "followed by 0"),
    ([stub(EXERCISE), fold("def double(x:")], "cell 1 or its solution is no Python"),
    ([stub("def double(x"), fold(RIGHT)], "cell 1 or its solution is no Python"),
    ([stub(""), fold(RIGHT)], "cell 1 or its solution is no Python"),
    ([stub(EXERCISE + "\nprint(3)"), fold(RIGHT)], "cell 1 does not end with its check"),
    ([stub("def double(x): ..."), fold(RIGHT)], "cell 1 does not end with its check"),
])
def test_what_is_no_exercise_with_one_solution(cells, sentence):
    with pytest.raises(notebook_files.PageError, match=sentence):
        notebook_files.solved(v4.new_notebook(cells=cells))
