"""Show the live source of what a notebook imports, with its file and line: what is read is what runs."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from IPython.display import display

from .. import ROOT


def show_source(obj: Any) -> None:
    """Show the source of a function, method, class or module under a line that says where it stands.

    It is shown as Markdown, which JupyterLab, Colab and GitHub all colour; plain text is the fallback.
    ValueError for what has no Python source, such as a built-in function or an instance.
    """
    where, code = source(obj)
    fence = "```"
    while fence in code:
        fence += "`"
    markdown = f"**{where}**\n\n{fence}python\n{code}\n{fence}"
    display({"text/markdown": markdown, "text/plain": f"# {where}\n{code}"}, raw=True)


def source(obj: Any) -> tuple[str, str]:
    """("helpers/file.py, line 12", the source without outer indentation); elsewhere, the module's name."""
    obj = inspect.unwrap(obj)
    try:
        path = Path(inspect.getsourcefile(obj) or "").resolve()
        lines, first = inspect.getsourcelines(obj)
    except (TypeError, OSError):
        raise ValueError(f"{obj!r} has no Python source; pass a function, method, class or module") from None
    code = textwrap.dedent("".join(lines)).rstrip()
    module = getattr(inspect.getmodule(obj), "__name__", "__main__")
    if path.is_relative_to(ROOT / "helpers"):
        place = path.relative_to(ROOT).as_posix()
    else:
        place = "this notebook" if module == "__main__" else module
    return f"{place}, line {max(first, 1)}", code
