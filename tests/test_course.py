"""The map of the course: 80 lines of the notes, each with a place; badges that open their own notebook."""

import re
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from helpers import ROOT
from helpers.course import outline

BOOKS = outline.notebooks()
BUILT = [book for book in BOOKS if book.built]


def headings(book):
    """All Markdown headings of a notebook file, without the leading #s."""
    notebook = nbformat.read(ROOT / "notebooks" / book.name, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE)


def test_the_notebooks_are_in_order():
    assert [book.number for book in BOOKS] == ["00", "00b", *(f"{n:02}" for n in range(1, 18))]
    assert all(book.status in ("built", "planned") for book in BOOKS)


def test_every_line_of_the_notes_has_a_place():
    points = outline.points()
    assert [point.number for point in points] == list(range(1, 81))
    assert not [point.number for point in points if not point.places]
    assert not [point.number for point in points if not point.text or point.mark not in outline.MARKS]
    assert {n for book in BOOKS for lines in book.sections.values() for n in lines} == set(range(1, 81))


@pytest.mark.parametrize("book", BUILT, ids=lambda book: book.file)
def test_every_heading_exists(book):
    missing = set(book.sections) - set(headings(book))
    assert not missing, f"{book.name} lacks the headings {sorted(missing)} that lines of the notes lead to"


def test_a_notebook_that_exists_is_marked_as_built():
    files = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert files == {book.file for book in BUILT}


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.file)
def test_badges_open_their_own_notebook(book, monkeypatch):
    monkeypatch.setitem(outline.table(), "repository", "https://github.com/someone/course")
    slug = "/someone/course"
    release = outline.table()["release"]
    links = re.findall(r"\]\(([^)]+)\)", outline.badges(book))
    assert f"[Colab]({links[0]})" in outline.course_map("notebooks/", launch=True) or not book.built
    colab, binder = (urlsplit(link) for link in links)
    assert colab.path == f"/github{slug}/blob/{release}/notebooks/{book.name}"
    assert binder.path == f"/v2/gh{slug}/{release}"
    assert parse_qs(binder.query)["urlpath"] == [f"lab/tree/notebooks/{book.name}"]
    assert not book.built or (ROOT / "notebooks" / book.name).exists()


def test_there_are_no_badges_without_an_address(monkeypatch):
    monkeypatch.setitem(outline.table(), "repository", f"https://github.com/{outline.PLACEHOLDER}")
    assert outline.badges(BOOKS[0]) == "" and "open" not in outline.course_map(launch=True).split("\n")[0]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.file)
def test_every_footer_gives_credit_and_leads_on(book):
    text = outline.footer(book)
    assert "Park Jihoon, Chungnam National University" in text and "낭만's blog on Tistory" in text
    links = re.findall(r"\((\w+)\.ipynb\)", text)
    before = [other.file for other in BUILT if other.number < book.number][-1:]
    assert links == before + [other.file for other in BUILT if other.number > book.number][:1]


def test_the_map_lists_every_notebook():
    table = outline.course_map("notebooks/", launch=True)
    for book in BOOKS:
        assert (f"(notebooks/{book.name})" in table) == book.built
        assert (f"{book.number} · {book.title} (planned)" in table) != book.built


def test_the_table_of_points_links_to_headings():
    rows = outline.points_table().splitlines()
    assert len(rows) == 82
    assert "(00_start_here.ipynb#Credits-and-licence)" in rows[-1]


def test_an_unknown_notebook_is_named():
    assert outline.notebook("02") == outline.notebook("02_autoencoder.ipynb")
    with pytest.raises(ValueError, match="no notebook '99'.*00_start_here"):
        outline.notebook("99")


def test_the_address_stands_in_one_place():
    """Everything else is stamped from course.toml, and `helpers.course.publish --check` compares it."""
    address = outline.table()["repository"].removeprefix("https://")
    files = [*ROOT.glob("*"), *(ROOT / "helpers").rglob("*"), *(ROOT / "tests").rglob("*")]
    kinds = ("", ".py", ".md", ".toml", ".yml")
    texts = {path: path.read_text("utf-8") for path in files if path.is_file() and path.suffix in kinds}
    drawn = re.compile("<!--course-map-->.*?<!--/course-map-->", re.DOTALL)
    assert [path.name for path, text in texts.items() if address in drawn.sub("", text)] == ["course.toml"]
