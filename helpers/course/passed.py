"""The quiet line of the checks that a cell has passed: one line a cell, which unfolds to what each of them compared.

    ✓ 3 checks: softmax, attention, context        (open it: three lines, with their shapes and tolerances)

It comes when the cell is done. Where no notebook runs, in a test or a script, each check prints its own line.
"""

from __future__ import annotations

import html
import sys
from typing import Any

_lines: list[tuple[str, str]] = []  # of the cell that runs now


def passed(name: str, detail: str = "") -> None:
    """Say that the check called `name` has passed; `detail` says of what shape and how closely."""
    ipython = sys.modules.get("IPython")  # a kernel has it loaded
    shell = ipython.get_ipython() if ipython else None
    if not hasattr(shell, "kernel"):
        print(f"✓ {name}: {detail}" if detail else f"✓ {name}")
        return
    if not _lines:
        shell.events.register("post_run_cell", _show)
    _lines.append((name, detail))


def _show(_: Any) -> None:
    from IPython import get_ipython
    from IPython.display import display

    get_ipython().events.unregister("post_run_cell", _show)
    display(_as_output(_lines), raw=True)
    _lines.clear()


def _as_output(lines: list[tuple[str, str]]) -> dict[str, str]:
    names = "; ".join(dict.fromkeys(name for name, _ in lines))
    head = f"✓ {names}" if len(lines) == 1 else f"✓ {len(lines)} checks: {names}"
    details = [f"{name}: {detail}" for name, detail in lines if detail]
    items = "".join(f"<li>{html.escape(line)}</li>" for line in details)
    style, head_html = "opacity:0.75;font-size:90%", html.escape(head)
    folded = f'<details style="{style}"><summary style="cursor:pointer">{head_html}</summary><ul>{items}</ul></details>'
    return {"text/html": folded if details else f'<div style="{style}">{head_html}</div>', "text/plain": head}
