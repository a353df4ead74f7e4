"""How long a page takes to read: what is counted, section by section, and what the page says of it."""

import base64

import pytest
from nbformat import v4

from helpers.course import notebook_files, outline, reading

PNG = base64.b64encode(b"a picture").decode()


def page(*cells):
    return v4.new_notebook(cells=list(cells))


def prose(text, *tags):
    return v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def code(text, hidden=False, tags=(), figures=0):
    outputs = [v4.new_output("display_data", {"image/png": PNG})] * figures
    return v4.new_code_cell(text, metadata={"tags": list(tags), "jupyter": {"source_hidden": hidden}}, outputs=outputs)


def minutes(*cells):
    return sum(part.minutes for part in reading.parts(page(*cells)))


def test_words_lines_figures_equations_sweeps_and_exercises_take_time():
    assert minutes(prose("word " * reading.WORDS_A_MINUTE)) == pytest.approx(1)
    assert minutes(code("a = 1\n\nb = 2")) == pytest.approx(2 * reading.CODE_LINE)
    assert minutes(code("a = 1", hidden=True, figures=2)) == pytest.approx(2 * reading.FIGURE)
    assert minutes(prose("$$a = b + c + d + e$$")) == pytest.approx(reading.EQUATION)
    assert minutes(code("Sweep(draw, {})", hidden=True)) == pytest.approx(reading.SWEEP)
    task = "> **Exercise 02.1 · One subspace or two?** · ★★★ · 15 minutes\n>\n> Do it."
    assert minutes(prose(task)) == pytest.approx(15 + len(task.split()) / reading.WORDS_A_MINUTE)


def test_what_is_folded_or_written_by_the_course_takes_none():
    folded = "<details><summary>Hint</summary>many words that nobody opens at first</details>"
    assert minutes(prose(folded)) == 0
    assert minutes(code("import os\n" * 20, tags=["bootstrap"])) == 0
    assert minutes(*(prose("word " * 500, tag) for tag in ("badges", "contents", "footer"))) == 0


def test_sections_begin_at_their_headings_also_inside_a_cell():
    one = prose("in front\n\n## 1 · One\n\n" + "a " * 220 + "\n### Inside")
    two = prose("## 2 · Two\n\n" + "a " * 110, reading.LATER)
    inside = prose("### Inside\n" + "a " * 110)
    found = reading.parts(page(prose("# T\n\nbefore"), one, code("x = 1"), two, inside))
    assert [(part.section, part.later) for part in found] == [
        ("", False), ("1 · One", False), ("1 · One", False), ("2 · Two", True), ("2 · Two", True)]
    assert [part.minutes for part in found[1:]] == pytest.approx([2, reading.CODE_LINE, 1, 1])


def test_a_part_of_a_section_may_wait_up_to_the_next_heading():
    found = reading.parts(page(prose("## 1 · One\n\na"), prose("### A proof\n\nb", reading.LATER), code("x = 1"),
                               prose("### And on\n\nc")))
    assert [part.later for part in found] == [False, False, True, False]
    assert found[2].minutes > reading.CODE_LINE
    partly = page(prose("## 1 · One\n\n" + "a " * 999), prose("### A proof", reading.LATER))
    assert "(may wait)" not in reading.contents(partly, 1)


def test_the_page_says_it():
    notebook = page(prose("## 1 · One two\n" + "a " * 1100), prose("## 2 · Later\n" + "a " * 1100, reading.LATER),
                    prose("## Exercises\n> **Exercise 01.1 · A** · ★☆☆ · 10 minutes"))
    text = reading.contents(notebook, 30.0)
    assert text == ("**Reading: about 20 minutes**, 10 without what may wait, which is folded · the exercises: 10 · "
                    "the computer: 0.5 minutes, from shipped weights. By section: [1 · One two](#1-·-One-two) 10 · "
                    "[2 · Later](#2-·-Later) 10 (may wait) · [Exercises](#Exercises) 10.")
    assert "computer" not in reading.contents(notebook, None) and "may wait" not in reading.contents(page(), None)


def test_publishing_writes_it_and_folds_what_may_wait():
    notebook = page(prose("# T"), prose("## 1 · One\n"), prose("## 2 · Later\n", reading.LATER), code("x = 1"))
    notebook.cells[1].metadata[notebook_files.FOLDED] = True  # left from before
    book = outline.notebooks()[1]
    notebook_files.stamp(notebook, book)
    notebook_files.clean(notebook)
    cells = {cell.source.split("\n")[0]: cell for cell in notebook.cells}
    assert cells["## 2 · Later"].metadata[notebook_files.FOLDED] is True
    assert notebook_files.FOLDED not in cells["## 1 · One"].metadata
    assert [cell.source for cell in notebook.cells if notebook_files.tagged(cell, "contents")] == [
        reading.contents(notebook, outline.measured().get(book.file, {}).get("seconds"))]
    before = [cell.source for cell in notebook.cells]
    notebook_files.stamp(notebook, book)
    assert [cell.source for cell in notebook.cells] == before  # a second time changes nothing
