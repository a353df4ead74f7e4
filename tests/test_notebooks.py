"""The notebooks as they are committed. That they run, offline and within their memory, is nbval's part.

An exercise is a code cell tagged "exercise" (the stub), a gap one tagged "gap"; some cells later a prose cell tagged
"solution" holds the solution, folded. nbval's part (conftest.py) runs it in the place of its stub.
"""

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from helpers import ROOT
from helpers.course import notebook_files, outline, publish, reading

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
# Lines of code in a cell and, without blank ones, in view on a page; those that are folded, too, sweeps and predictions
# apart; columns of a line, on a laptop of 1366 pixels.
CELL, MEDIAN, NOTEBOOK, WHOLE, WIDE = 30, 8, 320, 400, 88
SHORT = ("00", "03", "04", "09")  # pages with fewer exercises


def read(path):
    return nbformat.read(path, as_version=4)


def own_code(notebook):
    """The code cells that a reader reads: not the first, which is everywhere the same, and no folded figure."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [cell for cell in cells if not any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "drawing"))]


def calls(cell, *names):
    """The calls of these functions in a code cell."""
    found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    return [call for call in found if getattr(call.func, "id", "") in names]


def folded(cell):
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


@EACH
def test_it_is_published(path):
    assert publish.check(path) == []


@EACH
def test_a_folded_figure_is_short_and_shows_one(path):
    for cell in (cell for cell in read(path).cells if notebook_files.tagged(cell, "drawing")):
        assert folded(cell) and sum(bool(line.strip()) for line in cell.source.splitlines()) <= 8
        assert "data:image/svg" in cell.outputs[0].data["text/html"] and "alt=" in cell.outputs[0].data["text/html"]


@EACH
def test_a_sweep_asks_a_question_and_the_code_of_a_card_is_folded(path):
    cells = own_code(read(path))
    for cell in (cell for cell in cells if calls(cell, "Sweep", "Predict")):
        assert folded(cell), "fold it: metadata.jupyter.source_hidden"
        for call in calls(cell, "Sweep"):
            question = [word.value.value for word in call.keywords if word.arg == "question"]
            assert question and question[0].endswith("?"), "a sweep is there to find something out: question=..."
    assert sum(len(calls(cell, "Predict")) for cell in cells) <= 5, "five predictions are enough for a page"


def bound(nodes):
    """The names that statements bind, outside of functions and comprehensions."""
    names, inner = set(), (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for node in nodes:
        names |= {node.name} if isinstance(node, ast.FunctionDef) else set()
        names |= {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
        names |= set() if isinstance(node, inner) else bound(ast.iter_child_nodes(node))
    return names


def needed(function, functions):
    """The names of the page that a function or lambda needs when it is called; `functions` are the page's."""
    inside = list(ast.walk(function))
    own = {node.arg for node in inside if isinstance(node, ast.arg)}
    own |= {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    free = {node.id for node in inside if isinstance(node, ast.Name)} - own
    deeper = [needed(functions[name], functions) for name in free & set(functions) if functions[name] is not function]
    return free.union(*deeper)


@EACH
def test_a_sweep_still_works_when_the_page_has_run(path):
    """What its `render` needs is not bound anew in a later cell."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    trees = [ast.parse(cell.source) for cell in cells]
    for number, cell in enumerate(cells):
        functions = {node.name: node for known in trees[: number + 1] for node in known.body
                     if isinstance(node, ast.FunctionDef)}
        for call in calls(cell, "Sweep"):
            render = call.args[0]
            names = needed(functions[render.id] if isinstance(render, ast.Name) else render, functions)
            later = names & set().union(*(bound(known.body) for known in trees[number + 1 :]))
            assert not later, f"{sorted(later)} are bound anew after code cell {number}, whose sweep needs them"


@EACH
def test_the_first_code_cell_finds_the_course(path):
    first = next(cell for cell in read(path).cells if cell.cell_type == "code")
    assert first.source == outline.bootstrap_source()


@EACH
def test_cells_are_short(path):
    cells = own_code(read(path))
    lengths = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in cells]
    longest = max(len(cell.source.splitlines()) for cell in cells)
    in_view = sum(length for length, cell in zip(lengths, cells, strict=True) if not folded(cell))
    whole = sum(length for length, cell in zip(lengths, cells, strict=True) if not calls(cell, "Sweep", "Predict"))
    assert longest <= CELL and statistics.median(lengths) <= MEDIAN and in_view <= NOTEBOOK and whole <= WHOLE


@EACH
def test_what_is_folded_is_the_set_up_a_figure_or_what_a_card_draws(path):
    """Nothing is hidden that a reader is to follow: a folded cell imports, shows a picture, or serves one below it."""
    cells = own_code(read(path))
    for number, cell in enumerate(cells):
        shown = any({"image/png", "text/html"} & set(output.get("data", {})) for output in cell.outputs)
        serves = any(bound(ast.parse(cell.source).body) & {node.id for node in ast.walk(ast.parse(later.source))
                     if isinstance(node, ast.Name)} for later in cells[number + 1 : number + 4] if folded(later))
        first = number == 0 and cell.source.lstrip().startswith(("import ", "from "))
        assert not folded(cell) or first or shown or serves, f"unfold it: {cell.source[:60]!r}"


@EACH
def test_code_is_no_wider_than_a_laptop(path):
    """In cells, the first one too, and in solutions."""
    notebook = read(path)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    code += re.findall(r"```.*?```", "\n".join(prose(notebook)), re.DOTALL)
    wide = [line for source in code for line in source.splitlines() if len(line) > WIDE]
    assert not wide, "\n".join(wide)


HEAVY = {"accelerate", "sacrebleu", "constriction", "tokenizers", "scipy", "skimage", "sklearn", "pandas"}


@EACH
def test_a_pages_imports_load_nothing_that_it_does_not_name(path):
    """A part of helpers that needs a heavy package imports it when it is used."""
    nodes = [node for cell in own_code(read(path)) for node in ast.walk(ast.parse(cell.source))]
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    own = {word.split(".")[0] for line in imports for word in line.split()[1:2]}
    code = "\n".join([*imports, "import sys", f"print(*{HEAVY!r} & set(sys.modules))"])
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= own, "heavy packages are loaded that the page does not import itself"


@EACH
def test_there_is_something_to_see(path):
    seen = [bool(cell.outputs) for cell in own_code(read(path))]
    blind = [n for n in range(len(seen) - 2) if not any(seen[n : n + 3])]
    assert not blind, f"three code cells in a row show nothing, from number {blind[0] + 1}"


@EACH
def test_exercises_and_gaps_have_folded_solutions(path):
    notebook = read(path)
    cells = own_code(notebook)
    stubs = {tag: [cell for cell in cells if notebook_files.tagged(cell, tag)] for tag in notebook_files.STUBS}
    in_code = [cell for cell in cells if notebook_files.tagged(cell, "solution")]
    assert (1 if path.name.split("_")[0] in SHORT else 2) <= len(stubs["exercise"]) <= 3 and len(stubs["gap"]) <= 3
    assert not in_code, "a solution that is a code cell prints ✓ before the reader has tried"
    assert len(notebook_files.solved(notebook)) == sum(map(len, stubs.values()))


@EACH
def test_what_the_reader_is_to_write_is_open(path):
    stubs = [cell for cell in own_code(read(path)) if any(notebook_files.tagged(cell, t) for t in notebook_files.STUBS)]
    said = ["".join(output.get("text", "") for output in cell.outputs) for cell in stubs]
    assert all(re.search("^○ ", text, re.MULTILINE) for text in said), said


@EACH
def test_no_traces_of_the_machine(path):
    private = {str(ROOT), str(Path.home())} - {"/"}
    found = {trace for trace in private if trace in path.read_text(encoding="utf-8")}
    assert not found, f"an output shows a path of the machine it ran on: {found}"


def markdown_files():
    pages_ = {path.name: "\n\n".join(prose(read(path))) for path in PATHS}
    readme = ROOT / "README.md"
    return pages_ | ({"README.md": readme.read_text(encoding="utf-8")} if readme.exists() else {})


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


SUMMARY = re.compile(r"<details><summary>한 줄 요약</summary>\n\n(.+)\n\n</details>", re.DOTALL)
TWO_SENTENCES = re.compile(r"[^.\n]+다\.[ \n][^.\n]+다\.")


def sections(notebook):
    """[(a "## " heading, the cells after it)]; a cell with a heading inside belongs to the section before it, too."""
    found = []
    for cell in notebook.cells:
        text = without_code(cell.source) if cell.cell_type == "markdown" else ""
        headings = re.findall(r"^## (.+)", text, re.MULTILINE)
        if found and not (headings and text.startswith("## ")):
            found[-1][1].append(cell)
        found += [(heading, []) for heading in headings]
    return found


def is_summary(source):
    """Whether it is folded, two Korean sentences on a line or two, and no figure in it was typed."""
    found = SUMMARY.fullmatch(source)
    text = notebook_files.SCORE.sub("", without_code(found[1])) if found else ""
    korean, latin = (len(re.findall(letter, text)) for letter in ("[가-힣]", "[A-Za-z]"))
    return bool(TWO_SENTENCES.fullmatch(text)) and korean > latin and not re.search(r"\d", text)


def without_summary(notebook):
    """The numbered sections whose last cell, but for a part that may wait, is their only summary: all but these."""
    found = []
    for heading, cells in sections(notebook):
        summaries = [cell for cell in cells if notebook_files.tagged(cell, "summary")]
        after = cells[cells.index(summaries[0]) + 1 :][:1] if summaries else []
        last = all(notebook_files.tagged(cell, reading.LATER) for cell in after)
        right = len(summaries) == 1 and last and is_summary(summaries[0].source)
        found += [heading] if re.match(r"\d+ · ", heading) and not right else []
    return found


@EACH
def test_each_section_ends_with_a_korean_summary(path):
    assert not without_summary(read(path))


RIGHT = "<details><summary>한 줄 요약</summary>\n\n점이 하나 있다.\n선은 <!--score:a.b-->1.5<!--/-->이다.\n\n</details>"
WRONG = {
    "English": ("점이 하나 있다", "There is a point"),
    "English but for its end": ("점이", "This section shows one point"),
    "three sentences": ("점이", "원이 있다. 점이"),
    "one sentence": ("점이 하나 있다.\n", ""),
    "a typed figure": ("하나", "1개"),
    "three lines": ("점이 하나", "점이\n하나"),
    "not folded": ("<details><summary>한 줄 요약</summary>\n\n", ""),
}


def page_of(*sources):
    """A page of two sections and a recap; the first section has these cells, those that are folded as summaries."""
    def cell(source):
        tags = {"tags": ["summary"]} if "</details>" in source else {}
        return nbformat.v4.new_markdown_cell(source, metadata=tags)

    return nbformat.v4.new_notebook(cells=[cell(text) for text in (*sources, "## 2 · B", "text", RIGHT, "## Recap")])


@pytest.mark.parametrize("old, new", WRONG.values(), ids=list(WRONG))
def test_a_wrong_summary_is_found(old, new):
    assert old in RIGHT and without_summary(page_of("## 1 · A", RIGHT.replace(old, new))) == ["1 · A"]


def test_a_summary_that_is_not_there_or_not_the_last_is_found():
    assert without_summary(page_of("## 1 · A\n\ntext", RIGHT)) == []
    for cells in (["text"], [RIGHT, "text"], [RIGHT, RIGHT]):
        assert without_summary(page_of("## 1 · A", *cells)) == ["1 · A"]
    later = page_of("## 1 · A", RIGHT, "### A proof", "text")
    assert without_summary(later) == ["1 · A"]
    later.cells[2].metadata["tags"] = [reading.LATER]
    assert without_summary(later) == []
    assert without_summary(page_of("## 0 · A", RIGHT, "text\n\n## 1 · B", RIGHT)) == ["0 · A"]


def links(text):
    """The targets of all links and pictures, in Markdown or HTML."""
    text = without_code(text)
    return re.findall(r"\]\(([^)\s]+)", text) + re.findall(r"(?:src|href)=[\"']([^\"']+)", text)


def pictures(text):
    """(alternative text, target) of every picture, in Markdown or HTML."""
    text = without_code(text)
    found = re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", text)
    for tag in re.findall(r"<img[^>]*>", text):
        alt, source = (re.search(rf"{name}=[\"']([^\"']*)", tag) for name in ("alt", "src"))
        found.append((alt[1] if alt else "", source[1] if source else ""))
    return found


@pytest.mark.parametrize("name, text", markdown_files().items(), ids=list(markdown_files()))
def test_every_relative_link_leads_somewhere(name, text):
    folder = ROOT if name == "README.md" else ROOT / "notebooks"
    local = [link.split("#")[0] for link in links(text) if not re.match(r"[a-z]+:", link)]
    missing = [link for link in local if link and not (folder / unquote(link)).exists()]
    assert not missing


@pytest.mark.parametrize("name, text", markdown_files().items(), ids=list(markdown_files()))
def test_every_picture_has_alternative_text(name, text):
    assert not [target for alt, target in pictures(text) if not alt.strip()]


def test_links_and_pictures_are_found():
    text = '[a](b.md#c) ![](x.png) <img src="y.png" alt="y"> `[no](code)` <img src=\'z.png\'>'
    assert links(text) == ["b.md#c", "x.png", "y.png", "z.png"]
    assert pictures(text) == [("", "x.png"), ("y", "y.png"), ("", "z.png")]


@EACH
def test_links_between_notebooks_lead_to_headings(path):
    for link in links("\n\n".join(prose(read(path)))):
        target, _, anchor = link.partition("#")
        if anchor and not re.match(r"[a-z]+:", link):
            text = "\n".join(prose(read(ROOT / "notebooks" / target if target else path)))
            headings = re.findall(r"^#{1,6} (.+?) *$", text, re.MULTILINE)
            assert unquote(anchor) in {head.replace(" ", "-") for head in headings}, f"{link} leads nowhere"


def test_readme_is_up_to_date():
    assert publish.check_readme() == []
