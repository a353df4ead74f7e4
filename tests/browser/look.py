"""Run a notebook in the browser, save a picture of every cell: python -m tests.browser.look NOTEBOOK FOLDER

Works from the repository's root. The pictures are cell_00.png, cell_01.png, ...; sweep_0.png is the first
sweep after three presses of the right arrow key. Errors in the page's console are printed.
"""

import argparse
from pathlib import Path

from .lab import SLIDER, JupyterLab, browser


def look(notebook: str, folder: Path, root: Path, width: int = 1280) -> list[str]:
    """Write the pictures into `folder`; returns the errors of the page's console."""
    folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with JupyterLab(root) as lab, browser(width, 2400) as context:
        context.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page = lab.open(context, notebook)
        page.run_all(seconds=900)
        page.page.evaluate("() => jupyterapp.commands.execute('notebook:expand-all-headings')")
        page.page.wait_for_timeout(1500)
        for i, cell in enumerate(page.page.locator(".jp-Notebook .jp-Cell").all()):
            cell.screenshot(path=folder / f"cell_{i:02d}.png")
        for i, sweep in enumerate(page.sweeps().all()):
            sweep.locator(SLIDER).first.focus()
            for _ in range(3):
                page.page.keyboard.press("ArrowRight")
                page.page.wait_for_timeout(300)
            sweep.screenshot(path=folder / f"sweep_{i}.png")
    return complaints


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.browser.look", description=__doc__)
    parser.add_argument("notebook", help="a path such as notebooks/02_autoencoder.ipynb")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    options = parser.parse_args()
    for line in look(options.notebook, options.folder, Path.cwd()):
        print(line)
    print(f"{len(list(options.folder.glob('*.png')))} pictures in {options.folder}")
