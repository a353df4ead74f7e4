"""How long a page takes to read, section by section: an estimate, made the same way for every page.

It counts what a reader meets: words, displayed equations, lines of code that are in view, figures, sweeps and
exercises. The rates are set for a student who reads technical English slowly and looks at each figure; they are a rule
of thumb and were not measured on readers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDS_A_MINUTE = 110
EQUATION, CODE_LINE, FIGURE, SWEEP = 0.5, 0.07, 0.3, 1.5  # minutes each
LATER = "deeper"  # the tag of a heading whose part may be left for later; it is folded in JupyterLab
_HEADING = re.compile(r"^(###?) (.+)$", re.MULTILINE)
_HIDDEN = re.compile(r"<details>.*?</details>|<!--.*?-->|\]\([^)]*\)|\$\$.*?\$\$", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """What stands under a heading: its section ("##"), the minutes it takes, and whether it may be left for later."""

    section: str
    minutes: float
    later: bool


def parts(notebook) -> list[Passage]:
    """The page's parts in their order; what stands before the first section has the section ""."""
    section, whole, found = "", False, [["", 0.0, False]]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            found[-1][1] += _code_minutes(cell, tags)
            continue
        if {"badges", "contents", "footer"} & set(tags):
            continue
        before, *rest = _HEADING.split(cell.source)
        found[-1][1] += _prose_minutes(before)
        for level, heading, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            if level == "##":
                section, whole = heading, LATER in tags
            found.append([section, _prose_minutes(text), whole or LATER in tags])
    return [Passage(*part) for part in found]


def contents(notebook, seconds: float | None) -> str:
    """Markdown: the minutes that reading the page takes, those of its first path, the computer's, and its sections."""
    found = parts(notebook)
    tasks = [part for part in found if part.section == "Exercises"]
    read = [part for part in found if part not in tasks]
    first = [part for part in read if not part.later]
    head = f"**Reading: about {_rounded(read)} minutes**"
    head += f", {_rounded(first)} without what may wait, which is folded" * (_rounded(first) < _rounded(read))
    head += f" · the exercises: {_rounded(tasks)}" if tasks else ""
    machine = "" if seconds is None else f" · the computer: {max(seconds / 60, 0.1):.1f} minutes, from shipped weights"
    sections = dict.fromkeys(part.section for part in found if part.section)
    rows = (_entry(name, [part for part in found if part.section == name]) for name in sections)
    return f"{head}{machine}. By section: {' · '.join(rows)}."


def _entry(section: str, found: list[Passage]) -> str:
    minutes = max(round(sum(part.minutes for part in found)), 1)
    return f"[{section}](#{section.replace(' ', '-')}) {minutes}" + " (may wait)" * all(part.later for part in found)


def _rounded(found: list[Passage]) -> int:
    """The minutes of some parts, to five."""
    return max(5 * round(sum(part.minutes for part in found) / 5), 5)


def _prose_minutes(text: str) -> float:
    equations = text.count("$$") // 2
    exercise = sum(int(found) for found in re.findall(r"^> \*\*Exercise.*· (\d+) minutes?$", text, re.MULTILINE))
    return len(_HIDDEN.sub(" ", text).split()) / WORDS_A_MINUTE + EQUATION * equations + exercise


def _code_minutes(cell, tags) -> float:
    if "bootstrap" in tags:
        return 0.0
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    lines = 0 if hidden else sum(bool(line.strip()) for line in cell.source.splitlines())
    figures = sum(bool({"image/png", "image/svg+xml"} & set(output.get("data", {}))) for output in cell.outputs)
    return CODE_LINE * lines + FIGURE * figures + SWEEP * ("Sweep(" in cell.source)
