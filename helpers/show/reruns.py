"""A cell that is run again leaves the widgets of its last run behind: replaced on the page, alive in the kernel."""

from __future__ import annotations

import asyncio
from typing import Any

from IPython import get_ipython

_OPEN: dict[tuple, tuple[int, list]] = {}  # (cell, caption) -> (the run that made them, widgets)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The kernel's event loop; None in plain Python, where each event is drawn at once."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def close_earlier(made: Any, caption: str) -> None:
    """Close the widgets of this caption that an earlier run of the same cell made; they have a method `close`."""
    shell = get_ipython()
    if shell is None:
        return
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}  # which cell: JupyterLab tells, Colab does not
    place = ((parent.get("metadata") or {}).get("cellId"), caption)
    run, earlier = _OPEN.get(place, (None, []))
    if run != shell.execution_count:
        for old in earlier:
            old.close()
        earlier = []
    _OPEN[place] = shell.execution_count, [*earlier, made]
