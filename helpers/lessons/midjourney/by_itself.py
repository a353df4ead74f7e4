r"""Notebook 15's studio by itself: `make studio`, or python -m helpers.lessons.midjourney.by_itself.

Where Voila is installed (pip install voila), the pane alone fills the browser. Else JupyterLab opens a page of one
cell.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

from ...data.files import print_anywhere

ONE_CELL = """\
from helpers.lessons.midjourney.experiments import seen_in, shipped_studio
from helpers.show.pane import StudioPane
from helpers.systems.studio import Session

StudioPane(Session(shipped_studio()), describe=seen_in)"""
HOW = "# Studio\n\nClick into the cell below and press Shift + Enter. Then type: `/imagine prompt: a big red circle`"


def page_of_one_cell(with_words: bool) -> dict:
    r"""The notebook, as JSON; with_words: it says how to run the cell, which Voila does by itself."""
    def cell(kind: str, source: str) -> dict:
        own = {"outputs": [], "execution_count": None} if kind == "code" else {}
        return {"cell_type": kind, "id": f"studio-{kind}", "metadata": {}, "source": source, **own}

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [cell("markdown", HOW)] * with_words + [cell("code", ONE_CELL)]
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def server_command(folder: str, voila: bool, allow_root: bool = False) -> list[str]:
    r"""What serves studio.ipynb in a folder, on this computer alone."""
    if voila:
        return [sys.executable, "-m", "voila", f"{folder}/studio.ipynb", "--Voila.ip=127.0.0.1"]
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1",
               "--LabApp.default_url=/doc/tree/studio.ipynb"]
    return command + ["--allow-root"] * allow_root


def main(argv: list[str] | None = None) -> None:
    print_anywhere()
    parser = argparse.ArgumentParser(prog="python -m helpers.lessons.midjourney.by_itself",
                                     description="open notebook 15's studio by itself")
    parser.add_argument("--allow-root", action="store_true", help="JupyterLab asks for it where root runs it")
    options = parser.parse_args(argv)
    voila = importlib.util.find_spec("voila") is not None
    folder = tempfile.mkdtemp(prefix="studio-")
    Path(folder, "studio.ipynb").write_text(json.dumps(page_of_one_cell(not voila)), encoding="utf-8")
    command = server_command(folder, voila, options.allow_root)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
