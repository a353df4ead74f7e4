"""What a notebook looks like when it is committed: stable outputs, shared cells in place, figures filled.

A widget lives only while its kernel does, and GitHub shows an error in its place: the committed page keeps the PNG
still or the HTML that was displayed with it. Execution counts stay, since nbval fails on outputs that have none.
"""

import ast
import base64
import copy
import hashlib
import itertools
import re

import nbformat
from nbformat import v4

from .. import DATA
from ..data.files import read_json
from . import outline, reading

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SCORE = re.compile(r"<!--score:([\w.-]+)-->.*?<!--/-->", re.DOTALL)
# A solution is prose: it runs, prints and shows nothing on the page. The tests put it in the place of its stub.
SOLUTION = re.compile(r"<details>\s*<summary>Solution.*?</summary>\s*```python\n(.*?)```\s*</details>", re.DOTALL)
STUBS = ("exercise", "gap")
# What stays of a cell's metadata: the last three fold a cell, in JupyterLab and on Colab, and a part of the page.
FOLDED = "jp-MarkdownHeadingCollapsed"
KEPT = ("tags", "jupyter", "cellView", FOLDED)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class PageError(ValueError):
    """A notebook that cannot be committed as it is; the message says what to change."""


def read_page(path):
    """The notebook node in a file. DamagedFile, which says what restores it, where the file is not whole."""
    read_json(path)
    return nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)


def clean(notebook):
    """Clean a notebook node in place. PageError where a widget was displayed without a PNG beside it."""
    notebook.metadata = type(notebook.metadata)(copy.deepcopy(METADATA))
    for position, cell in enumerate(notebook.cells, start=1):
        for key in set(cell.metadata) - set(KEPT):
            del cell.metadata[key]
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = final_lines(output.text)
            elif "data" in output:
                _clean_data(output, position)


def _clean_data(output, position):
    if output.data.pop(WIDGET_VIEW, None) is not None and not {"image/png", "text/html"} & set(output.data):
        raise PageError(
            f"cell {position} shows a widget and no picture: without a kernel, nothing is left of it. "
            "Display a PNG in the same output, as helpers.show.widgets does, or HTML, as helpers.show.predict."
        )
    output.metadata.pop(WIDGET_VIEW, None)
    if "text/plain" in output.data:
        output.data["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", output.data["text/plain"])


def final_lines(text):
    """The text that a terminal shows in the end: of a line redrawn after carriage returns, the last state."""
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))


def problems(notebook):
    """What keeps a notebook from being committed, one sentence each; nothing is changed."""
    found = []
    cleaned = copy.deepcopy(notebook)
    try:
        clean(cleaned)
        if cleaned != notebook:
            found.append("it holds widget state, volatile metadata or redrawn lines")
    except PageError as error:
        found.append(str(error))
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("it was not executed from top to bottom in a fresh kernel")
    outputs = [output for cell in code for output in cell.outputs]
    found += [f"it shows an error: {output.ename}" for output in outputs if output.output_type == "error"]
    return found


def digest(notebook):
    """A short hash of the notebook's own code, by which an edit after the last execution is noticed."""
    own = [cell for cell in notebook.cells if cell.cell_type == "code" and not tagged(cell, "bootstrap")]
    return hashlib.sha256("\0".join(cell.source for cell in own).encode()).hexdigest()[:16]


def pictures(notebook):
    """{NAME: PNG bytes} of the cells tagged "picture:NAME", which the README shows."""
    found = {}
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            if tag.startswith("picture:"):
                data = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
                found[tag.removeprefix("picture:")] = base64.b64decode(data[0]) if data else b""
    return found


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def stamp(notebook, book):
    """Write the shared cells (made where they are missing), the quoted figures and the drawn tables into a node."""
    first_code = next((n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"), 1)
    first = _write_cell(notebook, "bootstrap", outline.bootstrap_source(), first_code, v4.new_code_cell)
    first.metadata["jupyter"] = {"source_hidden": True}
    launch = outline.badges(book)
    _write_cell(notebook, "badges", launch, 1, v4.new_markdown_cell)
    seconds = outline.measured().get(book.file, {}).get("seconds")
    _write_cell(notebook, "contents", reading.contents(notebook, seconds), 1 + bool(launch), v4.new_markdown_cell)
    _write_cell(notebook, "footer", outline.footer(book), len(notebook.cells) + 1, v4.new_markdown_cell)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_scores(cell.source)
            cell.metadata.pop(FOLDED, None)
            if tagged(cell, reading.LATER):
                cell.metadata[FOLDED] = True
        for output in cell.get("outputs", []):
            if "text/markdown" in output.get("data", {}):
                output.data["text/markdown"] = redrawn(output.data["text/markdown"])


def redrawn(text):
    """A page's output with the tables of the course in it as they are now: their minutes change with every page."""
    for table in (outline.course_map(), outline.points_table()):
        head = re.escape(table.split("\n", 1)[0])
        text = re.sub(rf"^{head}(\n\|.*)*(\n\nMinutes and memory.*)*", lambda _, t=table: t, text, flags=re.MULTILINE)
    return text


def _write_cell(notebook, tag, source, position, new_cell):
    cells = [cell for cell in notebook.cells if tagged(cell, tag)]
    if len(cells) > 1:
        raise PageError(f"{len(cells)} cells carry the tag {tag!r}: keep one")
    if not source:
        notebook.cells = [cell for cell in notebook.cells if not tagged(cell, tag)]
        return None
    if not cells:
        cells = [new_cell(metadata={"tags": [tag]})]
        notebook.cells.insert(position, cells[0])
    cells[0].source = source
    return cells[0]


def fill_scores(text):
    """The text with its score spans filled from data/scores.json; PageError for an unknown name."""
    scores = read_json(DATA / "scores.json", absent={}).get("scores", {})

    if re.search(r"^\s*<!--score:", text, re.MULTILINE):
        raise PageError("a quoted figure begins a line, where Markdown takes it for a block: put a word before it")

    def span(found):
        if found[1] not in scores:
            raise PageError(f"data/scores.json has no figure {found[1]!r}: see `python -m helpers.course.scores`")
        return f"<!--score:{found[1]}-->{scores[found[1]]['text']}<!--/-->"

    return SCORE.sub(span, text)


def solved(notebook):
    """[(the cell of an exercise or a gap, its source with the solution in it)], in the page's order.

    Such a cell is tagged "exercise" or "gap", and its last statement is the check: NAME.check(ANSWER), or
    NAME = checks.gap(...). The next such cell, or the page's end, comes after a prose cell tagged "solution" that holds

        <details><summary>Solution 02.1</summary>

        ```python
        def principal_angles(a, b):
            ...
        ```

        </details>

    The solution stands before the check, which is made strict: it raises unless the answer is right. PageError where a
    solution is missing, is no Python, or where a cell does not end with its check.
    """
    places = [n for n, cell in enumerate(notebook.cells) if any(tagged(cell, tag) for tag in STUBS)]
    found = []
    for start, end in itertools.pairwise([*places, len(notebook.cells)]):
        texts = [match[1] for cell in notebook.cells[start + 1 : end] if tagged(cell, "solution")
                 for match in SOLUTION.finditer(cell.source) if cell.cell_type == "markdown"]
        if len(texts) != 1:
            raise PageError(f"cell {start + 1} is followed by {len(texts)} folded solutions: write one")
        found.append((notebook.cells[start], _with_solution(notebook.cells[start].source, texts[0], start + 1)))
    return found


def _with_solution(stub, solution, position):
    """The source of a stub's cell in which the solution stands before a strict check."""
    try:
        check = ast.parse(stub).body[-1]
        ast.parse(solution)
    except (SyntaxError, IndexError) as error:
        raise PageError(f"cell {position} or its solution is no Python: {error}") from None
    call = getattr(check, "value", None)
    if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") not in ("check", "gap"):
        raise PageError(f"cell {position} does not end with its check, NAME.check(ANSWER) or checks.gap(...)")
    call.keywords.append(ast.keyword("strict", ast.Constant(True)))
    before = "\n".join(stub.splitlines()[: check.lineno - 1])
    return f"{before}\n{solution}\n{ast.unparse(check)}\n"
