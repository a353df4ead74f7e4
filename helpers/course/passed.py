"""The quiet line of the checks that a cell has passed: one line a cell, which unfolds to what each of them compared.

    ✓ 3 checks: softmax, attention, context        (click: the three lines, with their shapes and tolerances)

Where no notebook runs, in a test or a script, each check prints its own line.
"""

from __future__ import annotations

import html
import sys
from typing import Any

_cell: dict[str, Any] = {"run": None}  # the cell that runs now, its lines so far, and the output that shows them


def passed(name: str, detail: str) -> None:
    """Say that the check called `name` has passed; `detail` says of what shape and how closely."""
    run = _running_cell()
    if run is None:
        print(f"✓ {name}: {detail}")
        return
    if run != _cell["run"]:
        _cell.update(run=run, lines=[], output=None)
    _cell["lines"].append((name, detail))
    shown = _as_output(_cell["lines"])
    if _cell["output"] is None:
        from IPython.display import display

        _cell["output"] = display(shown, raw=True, display_id=True)
    else:
        _cell["output"].update(shown, raw=True)


def _running_cell() -> tuple[int, int] | None:
    """What tells one run of a cell from another; None where no kernel runs. A kernel has IPython loaded."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return (id(shell), shell.execution_count) if hasattr(shell, "kernel") else None


def _as_output(lines: list[tuple[str, str]]) -> dict[str, str]:
    names = ", ".join(dict.fromkeys(name for name, _ in lines))
    head = f"✓ {names}" if len(lines) == 1 else f"✓ {len(lines)} checks: {names}"
    items = "".join(f"<li>{html.escape(name)}: {html.escape(detail)}</li>" for name, detail in lines)
    summary = f'<summary style="cursor:pointer">{html.escape(head)}</summary>'
    return {"text/html": f'<details style="opacity:0.75;font-size:90%">{summary}<ul>{items}</ul></details>',
            "text/plain": head}
