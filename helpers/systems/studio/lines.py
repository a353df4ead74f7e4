r"""A command and what was pressed after it, in one line: all that it takes to draw a picture again.

    /imagine prompt: a red circle --seed 7 > U2 > Vary Subtle --seed 8 > U1 > Pan right --seed 9

Each picture of the studio has such a line. That it can be drawn is checked here, before anything is drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .commands import CommandError, Imagine, cleaned, read_command, read_value, write_command

LONGEST_LINE = 6000  # characters
MOST_PRESSES, DEEPEST = 24, 3  # buttons of a line; image prompts of image prompts
PICTURE_SIDE, CELL_SIDE, LONGEST_SIDE = 32, 4, 64  # pixels: of a picture, of a cell that can be marked, of a canvas
PAN = 16  # pixels that a canvas grows by
IN_A_GRID = 4  # pictures
PAN_SIDES = ("left", "right", "up", "down")
BUTTONS = "U1 to U4, V1 to V4, Reroll, Vary Subtle, Vary Strong, Region, Zoom Out 1.5x, Zoom Out 2x and Pan"


@dataclass(frozen=True)
class Press:
    r"""A button.

    kind    "U", "V", "Vary", "Region", "Zoom" or "Pan"
    what    "1" to "4"; "Subtle", "Strong"; "1.5", "2"; a side; cells as "3,2-6,5+0,0-0,0": column,row of two corners
    seed    of its noise; None: not yet chosen, or none is needed
    prompt  of a region, "" for that of the command
    """

    kind: str
    what: str
    seed: int | None = None
    prompt: str = ""


@dataclass(frozen=True)
class Line:
    r"""A command, and the buttons pressed after it."""

    asked: Imagine
    presses: tuple[Press, ...] = ()


FORMS = (  # what may be typed, and (kind, what)
    (r"([uv])\s*([1-9]\d*)", lambda found: (found[1].upper(), found[2])),
    (r"vary\s+(subtle|strong)", lambda found: ("Vary", found[1].capitalize())),
    (r"(?:vary\s+)?region\s+([\d,+\- ]+)", lambda found: ("Region", found[1].replace(" ", ""))),
    (r"zoom\s+out\s+(1\.5|2)\s*x", lambda found: ("Zoom", found[1])),
    (r"pan\s+(left|right|up|down)", lambda found: ("Pan", found[1].lower())),
)


def read_press(text: str) -> Press:
    r"""A button as it is typed: "u2", "Vary Subtle --seed 3", "Region 3,2-6,5: a blue star". CommandError else."""
    body, *seeds = re.split(r"\s--seed(?=\s|$)", text.strip())
    if len(seeds) > 1:
        raise CommandError("--seed is given twice: leave one of them out")
    body, colon, prompt = body.partition(":")
    for form, make in FORMS:
        if found := re.fullmatch(form, body.strip(), re.IGNORECASE | re.ASCII):
            kind, what = make(found)
            break
    else:
        raise CommandError(f"{text[:40]!r} is no button; there are {BUTTONS}")
    if colon and kind != "Region":
        raise CommandError("only a region takes words of its own, such as Region 3,2-6,5: a blue star")
    if re.search(r"--|[{}>]", prompt):
        raise CommandError("behind the colon of a region stand words, and then --seed at most")
    if kind == "U" and seeds:
        raise CommandError("U only enlarges, so it takes no --seed")
    if kind in "UV" and not 1 <= int(what[:4]) <= IN_A_GRID:
        raise CommandError(f"there is no picture {what[:9]}: a grid has four, so press {kind}1 to {kind}4")
    if kind == "Region":
        read_cells(what)
    if seeds and not seeds[0].strip():
        raise CommandError("--seed has no value: write --seed 7")
    return Press(kind, what, read_value("seed", seeds[0].strip()) if seeds else None, " ".join(prompt.split()))


def write_press(press: Press) -> str:
    r"""A button in its one form."""
    names = {"U": "U{}", "V": "V{}", "Vary": "Vary {}", "Region": "Region {}", "Zoom": "Zoom Out {}x", "Pan": "Pan {}"}
    words = names[press.kind].format(press.what) + f": {press.prompt}" * bool(press.prompt)
    return words if press.seed is None else f"{words} --seed {press.seed}"


def read_cells(what: str) -> list[tuple[int, int, int, int]]:
    r"""The boxes of a region: (left, top, right, bottom) in cells of 4 x 4 pixels, the last ones included."""
    boxes = []
    for part in what.split("+"):
        found = re.fullmatch(r"(\d{1,2}),(\d{1,2})(?:-(\d{1,2}),(\d{1,2}))?", part, re.ASCII)
        if not found:
            raise CommandError("a region is boxes of cells, column,row-column,row, such as Region 3,2-6,5; got "
                               f"{what[:40]!r}")
        left, top, *far = (int(number) for number in found.groups() if number)
        right, bottom = far or (left, top)
        if right < left or bottom < top:
            raise CommandError(f"the box {part} ends before it begins: name its upper left cell first")
        boxes.append((left, top, right, bottom))
    return boxes


def split_line(text: str) -> list[str]:
    r"""The parts of a line between the > that stand outside of braces."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == ">" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def read_line(text: str, depth: int = 0) -> Line:
    r"""A whole line, checked to its end. CommandError says what is wrong, and at which button."""
    command, *presses = split_line(cleaned(text, LONGEST_LINE))
    if len(presses) > MOST_PRESSES:
        raise CommandError(f"this line has {len(presses)} buttons, and {MOST_PRESSES} are the most: begin a new one")
    line = Line(read_command(command), tuple(map(read_press, presses)))
    if line.asked.source:
        if depth >= DEEPEST:
            raise CommandError(f"image prompts of image prompts go {DEEPEST} deep at most: save the picture in between")
        source = read_line(line.asked.source, depth + 1)
        if extent(source) != (1, PICTURE_SIDE, PICTURE_SIDE):
            raise CommandError("an image prompt is one square picture of the usual size: pick it with U first")
        line = replace(line, asked=replace(line.asked, source=write_line(source)))
    extent(line)
    return line


def write_line(line: Line) -> str:
    r"""The line in its one form: `read_line` of it is the line again."""
    return " > ".join([write_command(line.asked), *map(write_press, line.presses)])


def canvas_size(ar: tuple[int, int]) -> tuple[int, int]:
    r"""(height, width) in pixels of a canvas: the shorter side 32, the longer one whole cells, up to 64."""
    long = CELL_SIDE * round(PICTURE_SIDE * max(ar) / min(ar) / CELL_SIDE)
    return (PICTURE_SIDE, long) if ar[0] >= ar[1] else (long, PICTURE_SIDE)


def extent(line: Line) -> tuple[int, int, int]:
    r"""(pictures, height, width) at the end of a line, or the CommandError that its first wrong button is."""
    count, (height, width) = IN_A_GRID, canvas_size(line.asked.ar)
    for press in line.presses:
        button = write_press(replace(press, seed=None, prompt=""))
        if press.kind in "UV" and count == 1:
            raise CommandError(f"{button} picks one of four pictures, and here is one alone: go back to its grid")
        if press.kind not in "UV" and count > 1:
            raise CommandError(f"{button} changes one picture, and here are four: press U1 to U4 first")
        if press.kind == "Region":
            across, down, boxes = width // CELL_SIDE, height // CELL_SIDE, read_cells(press.what)
            if max(box[2] for box in boxes) >= across or max(box[3] for box in boxes) >= down:
                raise CommandError(f"the region leaves the picture, which has {across} x {down} cells, counted from 0")
        if press.kind == "Pan":
            height, width = (height, width + PAN) if press.what in PAN_SIDES[:2] else (height + PAN, width)
            if max(height, width) > LONGEST_SIDE:
                raise CommandError(f"{button} would make the canvas longer than {LONGEST_SIDE} pixels: pan another "
                                   "way, or zoom out")
        count = 1 if press.kind == "U" else IN_A_GRID
    return count, height, width
