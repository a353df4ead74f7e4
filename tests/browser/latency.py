"""From key press to new picture, in milliseconds: python -m tests.browser.latency NOTEBOOK

Presses the arrow keys of the first slider of the notebook's first sweep, and of a sweep whose picture is one
pixel. That is the floor: what the browser, the server and the kernel take without any model.
"""

import argparse
import statistics
from pathlib import Path

from .lab import JupyterLab, browser

EMPTY = """
import numpy
from helpers.show.widgets import Sweep, integer
Sweep(lambda level: (numpy.full((1, 1, 3), level, numpy.uint8), ""), {"level": integer("level", 0, 255)}, "")
"""
RENDERS = """
import gc
from helpers.show.widgets import Sweep
print(sum(thing.renders for thing in gc.get_objects() if type(thing) is Sweep))
"""


def measure(notebook: str, root: Path, presses: int = 30) -> dict[str, float]:
    """{"median", "floor"} of the latency in milliseconds, and "burst_renders" of 100 slider events."""
    with JupyterLab(root) as lab, browser() as context:
        page = lab.open(context, notebook)
        page.run_all()
        page.add_cell(EMPTY)
        sweeps = page.sweeps()
        first, empty = sweeps.first, sweeps.last
        median = statistics.median(page.press_and_time(first, presses))
        floor = statistics.median(page.press_and_time(empty, presses))
        before = int(page.execute(RENDERS))
        page.burst(first)
        page.page.wait_for_timeout(1500)
        return {"median": median, "floor": floor, "burst_renders": int(page.execute(RENDERS)) - before}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.browser.latency", description=__doc__)
    parser.add_argument("notebook", help="a path such as notebooks/02_autoencoder.ipynb")
    found = measure(parser.parse_args().notebook, Path.cwd())
    print(f"key press to new picture: median {found['median']:.0f} ms (empty render {found['floor']:.0f} ms)")
    print(f"renders after 100 slider events: {found['burst_renders']}")
