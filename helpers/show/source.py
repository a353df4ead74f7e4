"""Show the live source of what a notebook imports, with its file and line: what is read is what runs."""

from __future__ import annotations

import html
import inspect
import textwrap
from pathlib import Path
from typing import Any

from IPython.display import display
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, String

from .. import ROOT


def show_source(obj: Any) -> None:
    """Show the source of a function, method, class or module under a line that says where it stands.

    A line that is too long for the page scrolls; it is never broken. Where HTML is not shown, Markdown is.
    ValueError for what has no Python source, such as a built-in function or an instance.
    """
    where, code = source(obj)
    fence = "```"
    while fence in code:
        fence += "`"
    page = (f'<b>{html.escape(where)}</b><div style="overflow-x:auto" tabindex="0" role="region" '
            f'aria-label="source: {html.escape(where)}"><pre style="white-space:pre;word-break:normal">'
            f"<code>{_coloured(code)}</code></pre></div>")
    markdown = f"**{where}**\n\n{fence}python\n{code}\n{fence}"
    display({"text/html": page, "text/markdown": markdown, "text/plain": f"# {where}\n{code}"}, raw=True)


# Kind of token -> the colour that JupyterLab's theme gives it, light or dark; elsewhere a grey-proof dark one.
_INK = {Comment: "comment-color, #408080", Keyword: "keyword-color, #00700c", String: "string-color, #b02020",
        Number: "number-color, #086040", Name.Decorator: "meta-color, #7a3e9d"}


def _coloured(code: str) -> str:
    """Python code as HTML."""
    parts = []
    for kind, text in PythonLexer(ensurenl=False, stripnl=False).get_tokens(code):
        ink = next((colour for known, colour in _INK.items() if kind in known), None)
        text = html.escape(text)
        parts.append(f'<span style="color:var(--jp-mirror-editor-{ink})">{text}</span>' if ink else text)
    return "".join(parts)


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
