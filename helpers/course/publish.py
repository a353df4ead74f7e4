"""Execute, clean and stamp the notebooks: what is committed is what ran, top to bottom, in a fresh kernel.

    python -m helpers.course.publish [NOTEBOOK ...]   execute, clean and stamp; without a name, every notebook
    python -m helpers.course.publish --stamp          only the shared cells, the quoted figures and README.md
    python -m helpers.course.publish --check          change nothing; list what is stale, and fail if anything is

The cells tagged "bootstrap", "badges" and "footer" are written by `helpers.course.outline`. A figure that prose
quotes stands in a span, <!--score:NAME-->4.1<!--/-->, filled from data/scores.json. README.md holds the map
of the notebooks between <!--course-map--> and <!--/course-map-->. The picture of a cell tagged
"picture:NAME" is kept as data/pictures/NAME.png, for README.md. A notebook that fails is left as it was,
and its failing cell is named. Seconds, and the kernel's memory at its peak and after the last cell where the system
tells it, go to data/notebooks.json.
"""

import argparse
import copy
import os
import platform
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat

from .. import DATA, ROOT
from ..data.files import print_anywhere, write_atomically, write_json
from . import machine, notebook_files, outline

NOTEBOOKS = ROOT / "notebooks"
README = ROOT / "README.md"
PICTURES = DATA / "pictures"
MAP = re.compile(r"(<!--course-map-->).*?(<!--/course-map-->)", re.DOTALL)
CELL_SECONDS = 1200  # seconds for one cell


class PublishError(RuntimeError):
    """A notebook that is missing or that failed; the message names the cell and its error."""


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m helpers.course.publish", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", help="such as 02 or 02_autoencoder.ipynb; default: all")
    parser.add_argument("--stamp", action="store_true", help="execute nothing; write the shared text")
    parser.add_argument("--check", action="store_true", help="change nothing; list what is stale")
    options = parser.parse_args(argv)
    print_anywhere()
    try:
        paths = [path_of(name) for name in options.notebooks] or existing()
        if options.check:
            stale = [line for path in paths for line in check(path)] + check_readme()
            sys.exit("\n".join(stale) if stale else None)
        for path in paths:
            print(publish(path, run=not options.stamp), flush=True)
        if README.exists():
            write_atomically(README, filled_readme().encode())
    except (PublishError, ValueError) as error:
        sys.exit(str(error))


def existing():
    """The notebooks in the folder; 00 comes last, because it draws the map with the minutes of the others."""
    return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"), key=lambda path: (path.name.startswith("00_"), path.name))


def path_of(name):
    """The path of a notebook that is named by its number, file or path."""
    path = NOTEBOOKS / outline.notebook(Path(name).name.removesuffix(".ipynb")).name
    if not path.exists():
        raise PublishError(f"notebooks/{path.name} does not exist yet")
    return path


def publish(path, run=True):
    """Execute (with run), clean and stamp one notebook file; returns one line that says what was done."""
    book, notebook = outline.notebook(path.name), notebook_files.read_page(path)
    try:
        notebook_files.stamp(notebook, book)
        cost = execute(notebook, path.name) if run else None
        notebook_files.clean(notebook)
        if cost:
            costs = outline.measured() | {book.file: cost | {"source": notebook_files.digest(notebook)}}
            write_json(DATA / "notebooks.json", dict(sorted(costs.items())))
            notebook_files.stamp(notebook, book)  # its own minutes stand in the map, too
    except notebook_files.PageError as error:
        raise PublishError(f"{path.name}: {error}") from None
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())
    for name, png in notebook_files.pictures(notebook).items():
        write_atomically(PICTURES / f"{name}.png", png)
    if cost is None:
        return f"{path.name}: stamped"
    return f"{path.name}: executed in {cost['seconds']} s, peak memory {cost['peak_mb']} MB"


def execute(notebook, name):
    """Run all cells in a fresh kernel inside notebooks/; returns seconds, peak memory and the machine."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    position, memory = [0], [measure(0)]
    client.on_cell_start = lambda cell, cell_index: position.append(cell_index + 1)
    client.on_cell_executed = lambda **_: memory.append(measure(client.km.provisioner.pid))
    start = time.perf_counter()
    try:
        client.execute(env={**os.environ, "COURSE_SYNC_WIDGETS": "1", "JUPYTER_PREFER_ENV_PATH": "1"})
    except (CellControlSignal, DeadKernelError) as error:
        raise PublishError(f"{name}, cell {position[-1]}: the file is left as it was.\n{error}") from None
    return {
        "seconds": round(time.perf_counter() - start, 1),
        **memory[-1],
        "cores": machine.usable_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def measure(pid):
    """A kernel's memory, at its peak and now."""
    return {"peak_mb": machine.peak_mb(pid), "rest_mb": machine.resident_mb(pid)}


def filled_readme():
    """README.md as it should be: its figures filled, its map of the notebooks drawn."""
    table = outline.course_map("notebooks/", launch=True)
    text = notebook_files.fill_scores(README.read_text(encoding="utf-8"))
    return MAP.sub(lambda found: f"{found[1]}\n{table}\n{found[2]}", text)


def check(path):
    """What is stale in one notebook, as a list of lines that say what to do; empty when it is up to date."""
    notebook, book = notebook_files.read_page(path), outline.notebook(path.name)
    found = notebook_files.problems(notebook)
    stamped = copy.deepcopy(notebook)
    notebook_files.stamp(stamped, book)
    if stamped.cells != notebook.cells:
        found.append("its first cell, badges, footer, quoted figures or map are stale")
    for name, png in notebook_files.pictures(notebook).items():
        if not (PICTURES / f"{name}.png").exists() or (PICTURES / f"{name}.png").read_bytes() != png:
            found.append(f"data/pictures/{name}.png is not its picture")
    if outline.measured().get(book.file, {}).get("source") != notebook_files.digest(notebook):
        found.append("its code was edited after it was executed")
    return [f"{path.name}: {line}; run `python -m helpers.course.publish {book.number}`" for line in found]


def check_readme():
    """The same for README.md."""
    if not README.exists() or filled_readme() == README.read_text(encoding="utf-8"):
        return []
    return ["README.md: its figures or its map are stale; run `python -m helpers.course.publish --stamp`"]


if __name__ == "__main__":
    main()
