"""The HTML and CSS of the pane. Whatever was typed is escaped here; a picture has its words beside it."""

from __future__ import annotations

import base64
import html

from ..raster import to_png

SHOWN_SIDE = 384  # pixels: the longer side of a job's picture on the page
# Stripes in black and white show a marked cell on any colour, to any eye. Focus has Okabe and Ito's blue.
STYLE_SHEET = """<style>
.studio { border: 1px solid rgba(128,128,128,.4); border-radius: 12px; padding: 12px 16px; box-sizing: border-box;
  width: 100%; max-width: 940px; container-type: inline-size; }
.studio .widget-html-content { line-height: 1.45; overflow-wrap: anywhere; }
.studio button { height: auto; min-height: 30px; line-height: 1.25; padding: 4px 8px; border-radius: 7px; margin: 2px; }
.studio button:focus-visible { outline: 3px solid #0072B2; outline-offset: 1px; box-shadow: 0 0 0 2px #fff; }
.studio-send button, button.studio-send { background: #0072B2; color: #fff; }
.studio input[type=text] { border-radius: 7px; height: 34px; font-size: 15px; }
.studio-idle { opacity: .5; }
.studio-picture img { image-rendering: pixelated; border-radius: 8px; border: 1px solid rgba(128,128,128,.5);
  max-width: 100%; height: auto; display: block; }
.studio-line { font-family: var(--jp-code-font-family, monospace); font-size: 12px; background: rgba(128,128,128,.13);
  border-radius: 7px; padding: 5px 8px; user-select: all; }
.studio-says { min-height: 3em; }
.studio-refused { border-left: 4px solid #D55E00; padding-left: 8px; }
.studio-told { border-left: 4px solid #0072B2; padding-left: 8px; }
.studio-thumbs button { min-width: 64px; height: 64px; min-height: 64px; background-size: cover;
  background-color: transparent; image-rendering: pixelated; border: 1px solid rgba(128,128,128,.6);
  padding: 0; color: transparent; }
.studio-thumbs button.studio-current { outline: 3px solid #0072B2; outline-offset: 1px; }
.studio-cells button { width: 44px; min-width: 0; height: 44px; min-height: 44px; margin: 0; padding: 0;
  border-radius: 0; color: transparent; border: 1px dotted rgba(128,128,128,.9); image-rendering: pixelated; }
.studio-cells.studio-many button { width: 26px; height: 26px; min-height: 26px; }
.studio-cells button.mod-active { box-shadow: inset 0 0 0 2px #000, inset 0 0 0 4px #fff;
  background-image: repeating-linear-gradient(45deg, #000 0 4px, #fff 4px 8px) !important; }
.studio a[download] { color: #0072B2; text-decoration: underline; }
.studio table { border-collapse: collapse; } .studio td, .studio th { padding: 1px 8px; text-align: left; }
</style>"""
HELP = """<details><summary>What can be typed</summary><table>
<tr><th>/imagine prompt: …</th><td>English or Korean, then parameters</td></tr>
<tr><td>--seed 0…4294967295</td><td>the noise to start from</td></tr>
<tr><td>--chaos 0…100</td><td>how unlike the four pictures are</td></tr>
<tr><td>--no red</td><td>words to keep away from</td></tr>
<tr><td>--ar 3:2</td><td>the shape of the canvas, 1:2 to 2:1</td></tr>
<tr><td>--stop 10…100</td><td>stop drawing early</td></tr>
<tr><td>--emoji --style noto, twemoji, fluent --stylize 0…1000</td><td>emoji, and how much of an artist's hand</td></tr>
<tr><td>#3.2 … --iw 0…3</td><td>begin from picture 2 of job 3, and how much of it stays</td></tr>
<tr><th>U1 V1 … Reroll</th><td>on a grid; #3 U1 is that of job 3</td></tr>
<tr><th>Vary Subtle, Vary Strong, Zoom Out 1.5x or 2x, Pan left, right, up, down</th><td>on one, after U</td></tr>
<tr><th>Region 3,2-6,5: a blue star</th><td>cells from column 3, row 2 to column 6, row 5, drawn anew</td></tr>
</table></details>"""


def data_url(png: bytes) -> str:
    """PNG bytes as an address that a page shows."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def job_picture(job, alt: str) -> str:
    """The picture of a job, with what it shows in words for who does not see it."""
    picture = job.picture()
    height, width = (round(length * SHOWN_SIDE / max(picture.shape[:2])) for length in picture.shape[:2])
    return (f'<div class="studio-picture"><img src="{data_url(to_png(picture))}" width="{width}" height="{height}" '
            f'alt="{html.escape(alt)}"></div>')


def job_line(job, alt: str) -> str:
    """The number of a job, its line, how long it took, what the judge sees, and its file to download."""
    return (f"<b>Job {job.number}</b> · {job.seconds:.1f} s · "
            f'<a download="studio-{job.number}.png" href="{data_url(job.png())}">Download PNG</a>'
            f'<div class="studio-line">{html.escape(job.text)}</div><div style="opacity:.8">{html.escape(alt)}</div>')


def said(kind: str, words: str) -> str:
    """A sentence below the line that is typed, read out as it comes. kind: "told" or "refused"."""
    mark = {"told": "", "refused": "✗ "}[kind]
    return f'<div class="studio-{kind}" role="alert">{mark}{html.escape(words)}</div>'


def thumbs_style(name: str, jobs) -> str:
    """The pictures of the gallery's buttons, one for each of these jobs in their order."""
    rules = "".join(f".{name} .studio-thumb-{i} {{ background-image: url({data_url(to_png(job.picture()))}) }}"
                    for i, job in enumerate(jobs))
    return f"<style>{rules}</style>"


def cells_style(name: str, png: bytes, columns: int, rows: int, side: int) -> str:
    """The picture behind a table of cells, a part of it behind each; side: pixels of a cell."""
    places = "".join(f".{name} .studio-cell-{c}-{r} {{ background-position: {-c * side}px {-r * side}px }}"
                     for r in range(rows) for c in range(columns))
    return (f"<style>.{name} button {{ background-image: url({data_url(png)}); "
            f"background-size: {columns * side}px {rows * side}px }}{places}</style>")
