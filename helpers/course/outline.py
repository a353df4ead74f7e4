"""The map of the course: its notebooks, the lines of the notes, and the text that every notebook shares.

All of it comes from course.toml: the public address, the release, the notebooks with their sections, the 80
lines of the lecture notes. data/notebooks.json, written by `python -m helpers.course.publish`, adds the minutes and
the memory that each notebook took. Standard library only.
"""

import functools
import re
import textwrap
import tomllib
from dataclasses import dataclass

from .. import DATA, ROOT
from ..data.files import read_json

MARKS = {
    "✓": "right as it stands",
    "◐": "right, and the notebook sharpens a word",
    "✗": "the notebook turns it round, with an experiment",
    "–": "a heading or a credit",
}

PLACEHOLDER = "OWNER/REPOSITORY"  # in course.toml, until the course has a public address

BOOTSTRAP = '''\
# Finds the course's own code; where it is missing, as on Colab, fetches it once.
import os, subprocess, sys, tempfile
from pathlib import Path
here, fetched = Path.cwd(), Path.cwd() / "generative-models-course"
places = (p for p in (here, *here.parents) if (p / "helpers/course.toml").exists())
root = next(places, fetched)
if not (root / "helpers/course.toml").exists():
    url = os.environ.get("COURSE_REPOSITORY", "{repository}")
    os.environ["GIT_TERMINAL_PROMPT"] = "0"  # fail with a message, ask for no password
    try:
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=here) as new:
            clone = ["git", "clone", "--quiet", "--depth=1", "--branch={release}", url]
            subprocess.run([*clone, f"{{new}}/whole"], check=True,
                           stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
            if fetched.exists():
                fetched.rename(f"{{new}}-set-aside")  # a part, without course.toml
            Path(new, "whole").rename(fetched)  # only now, when it is whole
    except (OSError, subprocess.CalledProcessError) as error:
        why = "This takes git, a network and a folder to write to. "
        why += str(getattr(error, "stderr", error))
        raise RuntimeError(f"Could not fetch the course from {{url}}. {{why}}") from error
if root == fetched:
    os.chdir(root / "notebooks")
    needs = """{packages}""".split()
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.run([*install, *needs], check=True)
sys.path.insert(0, str(root))'''

# What Colab lacks, and what sacrebleu imports: with --no-deps, pip leaves Colab's own packages as they are.
FETCHED = ("accelerate", "pooch", "safetensors", "tokenizers", "constriction", "sacrebleu")
WITH_SACREBLEU = ("colorama", "lxml", "portalocker", "tabulate")


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course.

    file:     name without folder and ending, such as "02_autoencoder"; its number goes before the first "_"
    korean:   the terms of the notes' heading, "" where there are none
    thread:   one line that ties it to the other notebooks
    status:   "built" or "planned"
    sections: heading -> numbers of the notes' lines that it answers
    """

    file: str
    title: str
    korean: str
    thread: str
    status: str
    sections: dict[str, list[int]]

    @property
    def number(self):
        return self.file.split("_", 1)[0]

    @property
    def name(self):
        return f"{self.file}.ipynb"

    @property
    def built(self):
        return self.status == "built"


@dataclass(frozen=True)
class Point:
    """One line of the lecture notes: its number, its mark (see MARKS), what it says, where it is answered."""

    number: int
    mark: str
    text: str
    places: tuple[tuple[Notebook, str], ...]


@functools.cache
def table():
    """course.toml as a dict."""
    return tomllib.loads((ROOT / "helpers" / "course.toml").read_text(encoding="utf-8"))


@functools.cache
def requirements():
    """The packages that the course needs, each with its bounds, as pyproject.toml lists them."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def notebooks():
    """All notebooks, built and planned, in their order."""
    return [Notebook(**entry) for entry in table()["notebook"]]


def notebook(name):
    """The notebook of that number ("02"), file or file name; ValueError for any other name."""
    for entry in notebooks():
        if name in (entry.number, entry.file, entry.name):
            return entry
    raise ValueError(f"the course has no notebook {name!r}; it has {', '.join(entry.file for entry in notebooks())}")


def points():
    """The 80 lines of the notes, in their order, each with every place that answers it."""
    sections = [(book, heading, lines) for book in notebooks() for heading, lines in book.sections.items()]
    said = ((int(key), *line) for key, line in table()["points"].items())
    return [Point(number, mark, text, tuple((book, head) for book, head, lines in sections if number in lines))
            for number, mark, text in said]


def measured():
    """What publishing measured: notebook file -> {"seconds", "peak_mb", "cores", …}; empty at first."""
    return read_json(DATA / "notebooks.json", absent={})


def bootstrap_source():
    """The first code cell, the same bytes in every notebook: find the course's code, or fetch the release."""
    bounds = {re.match(r"[\w-]+", line)[0]: line for line in requirements()}
    packages = textwrap.fill(" ".join([*(bounds[name] for name in FETCHED), *WITH_SACREBLEU]), 72)
    return BOOTSTRAP.format(repository=table()["repository"], release=table()["release"], packages=packages)


def badges(book):
    """Markdown: links that open one notebook in Colab and in Binder, in the release that its first cell fetches.

    Text, since pictures would have to come from a network; "" while the course has no public address.
    """
    repository, release = table()["repository"], table()["release"]
    if PLACEHOLDER in repository:
        return ""
    slug = repository.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{slug}/blob/{release}/notebooks/{book.name}"
    binder = f"https://mybinder.org/v2/gh/{slug}/{release}?urlpath=lab/tree/notebooks/{book.name}"
    return f"Open it in [Colab]({colab}) or [Binder]({binder})"


def footer(book):
    """Markdown: credits, licences, and the way to the nearest notebooks before and after that are built."""
    books = notebooks()
    before, after = books[: books.index(book)][::-1], books[books.index(book) + 1 :]
    way = [f"← {link(nearest)}" for nearest in before if nearest.built][:1]
    way += [f"{link(nearest)} →" for nearest in after if nearest.built][:1]
    return f"""---
## Credits and licence

The course follows a student's notes of a class by Prof. Park Jihoon, Chungnam National University;
one part of the notes draws on 낭만's blog on Tistory.
Code: MIT. Text and pictures: CC BY 4.0. Emoji: Noto Color Emoji (SIL Open Font License 1.1),
and beside it Twemoji (CC BY 4.0), Fluent Emoji (MIT) and OpenMoji (CC BY-SA 4.0).

{" · ".join(way)}"""


def link(book, folder=""):
    """Markdown: number and title, a link where the notebook is built."""
    title = f"{book.number} · {book.title}"
    return f"[{title}]({folder}{book.name})" if book.built else f"{title} (planned)"


def course_map(folder="", launch=False):
    """Markdown: one row a notebook, with the minutes and the memory of its last execution, and on what.

    folder: put before each link ("notebooks/" in the README). launch: add a column of `badges`, where there are any.
    """
    costs, launch = measured(), launch and PLACEHOLDER not in table()["repository"]
    head = ["notebook", "in the notes", "what it is about", "minutes", "memory, peak", "at rest"] + ["open"] * launch
    rows = [head, ["---"] * len(head)]
    for book in notebooks():
        cost = costs.get(book.file, {})
        minutes = f"{cost['seconds'] / 60:.1f}" if book.built and cost else "–"
        memory = [f"{cost[key]} MB" if book.built and cost.get(key) else "–" for key in ("peak_mb", "rest_mb")]
        row = [link(book, folder), book.korean or "–", book.thread, minutes, *memory]
        rows.append(row + [badges(book) if book.built else "–"] * launch)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{measured_on()}"


def measured_on():
    """One sentence that says how the minutes and the memory came about; "" before the first execution."""
    machines = {f"{cost['cores']:g} CPU cores ({cost['system']}, Python {cost['python']}, PyTorch {cost['torch']})"
                for cost in measured().values()}
    where = " and ".join(sorted(machines))
    about = "Minutes and memory, at its peak and after the last cell: all cells run once, with the shipped weights, on"
    return f"{about} {where}." if where else ""


def points_table(folder=""):
    """Markdown: one row for each line of the notes: its mark, and links to the headings that answer it."""
    rows = ["| line | the notes say | mark | where |", "|---|---|---|---|"]
    for point in points():
        where = " · ".join(_place(book, heading, folder) for book, heading in point.places)
        rows.append(f"| {point.number} | {point.text} | {point.mark} | {where} |")
    return "\n".join(rows)


def _place(book, heading, folder):
    text = f"{book.number} § {heading}"
    return f"[{text}]({folder}{book.name}#{heading.replace(' ', '-')})" if book.built else text
