"""Checks that a notebook runs beside its derivations, and the mechanism of its exercises and gaps.

A check says ✓ (`passed`: one quiet line a cell), or raises an AssertionError that says what differs and where.
The lines name no measured number, so they are the same on every machine. What the reader writes, an exercise at the
end or a gap of a line or two inside a section, never stops the page: it gets one line that starts with ○, ✗ or ✓.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .passed import passed

__all__ = ["Exercise", "assert_close", "assert_shape", "check_close", "check_shape", "check_that", "gap"]


def check_that(claim: str, holds: Any) -> None:
    """Say ✓ and the claim if it holds (a bool, or a tensor of one), else raise AssertionError with the claim."""
    if not holds:
        raise AssertionError(f"this does not hold: {claim}")
    passed(claim)


def check_shape(name: str, x: Any, shape: Sequence[int | None]) -> None:
    """Say ✓ if x has this shape, else raise AssertionError; None in `shape` stands for any size."""
    assert_shape(name, x, shape)
    passed(name, f"shape {_text(x.shape)}")


def check_close(name: str, mine: Any, reference: Any, tol: float = 1e-5) -> None:
    """Say ✓ if both have one shape and differ by `tol` at most everywhere, else raise AssertionError."""
    assert_close(name, mine, reference, tol)
    passed(name, f"the same as the reference, shape {_text(torch.as_tensor(mine).shape)}, within {tol:g}")


def assert_shape(name: str, x: Any, shape: Sequence[int | None]) -> None:
    """`check_shape` without a word, for use inside an exercise's tests."""
    found = getattr(x, "shape", None)
    if found is None:
        raise AssertionError(f"{name} is a {type(x).__name__}; expected a tensor of shape {_text(shape)}")
    if len(found) != len(shape) or any(b not in (None, a) for a, b in zip(found, shape, strict=True)):
        raise AssertionError(f"{name} has shape {_text(found)}; expected {_text(shape)}")


def assert_close(name: str, mine: Any, reference: Any, tol: float = 1e-5) -> None:
    """`check_close` without a word, for use inside an exercise's tests."""
    a, b = (torch.as_tensor(x).detach().cpu().to(torch.float64) for x in (mine, reference))
    assert_shape(name, a, b.shape)
    difference = (a - b).abs()
    bad = ~(difference <= tol)  # so that NaN counts as a difference
    if bad.any():
        worst = torch.where(difference.isnan(), torch.inf, difference).argmax()
        place = tuple(int(i) for i in torch.unravel_index(worst, a.shape))
        where = f" at {list(place)}, where the difference is largest" if place else ""
        raise AssertionError(
            f"{name} is {a[place]:.6g}{where}; expected {b[place]:.6g}. "
            f"{int(bad.sum())} of {a.numel()} values differ by more than {tol:g}"
        )


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook: what the learner writes is run through `tests`.

    id: notebook and number, "02.1". title: what to write, in a few words.
    tests: each takes the learner's answer (a function or a value) and raises AssertionError with a hint when
        it is wrong.
    """

    id: str
    title: str
    tests: Sequence[Callable[[Any], None]]

    def check(self, answer: Any, strict: bool = False) -> None:
        """Print one line: ○ not done yet, ✗ and a hint, or ✓.

        Not done yet is None, `...`, and a function that is still a stub: nothing in it, a `...` where a value belongs,
        or a bare `raise NotImplementedError` (torch raises that error too, with a message).
        strict: raise AssertionError unless the answer is right; for the solutions, which the tests run.
        """
        mark, text = _judged(answer, self.title, lambda finished: [test(finished) for test in self.tests])
        _say(mark, f"{self.id} {'not done yet: ' if mark == '○' else ''}{text}", strict)


def gap(what: str, mine: Any, package: Any, *inputs: Any, tol: float = 1e-5, strict: bool = False) -> Any:
    """Check what the reader wrote in a gap, print one line, and return what the page goes on with.

    what     the gap in a few words, such as "the context vector"
    mine     the reader's function, or value; `...` in the place of a value is a gap that is still open
    package  what it should equal: the package's function, or the value
    inputs   both functions are called with them; their results must agree within `tol`
    strict   raise AssertionError unless mine is right; for the solutions, which the tests run
    Returns mine if it is right. Else the package's own, so that the page runs on to its end.
    """
    def compare(finished):
        found, expected = finished, package
        if callable(finished):
            expected = package(*_copied(inputs))
            torch.set_rng_state(state)  # so that both draw the same numbers
            found = finished(*_copied(inputs))
        _assert_equal("yours", found, expected, tol)

    state = torch.get_rng_state()
    mark, text = _judged(mine, what, compare)
    if mark == "✓":
        _say(mark, f"{text}: yours equals the package's, and the page goes on with yours", strict)
        return mine
    _say(mark, f"{'still open: ' if mark == '○' else ''}{text}. The page goes on with the package's own", strict)
    return package


def _judged(answer: Any, title: str, test: Callable[[Any], Any]) -> tuple[str, str]:
    """(mark, text) for what a reader wrote; `test` raises AssertionError with a hint where it is wrong."""
    if _is_open(answer):
        return "○", title
    try:
        with torch.random.fork_rng([]):  # what a check draws or seeds does not change what the page draws next
            test(_watched(answer))
    except AssertionError as wrong:
        return "✗", f"{title}: {wrong or 'not the expected result'}"
    except Exception as error:  # the reader's code may fail in any way; the notebook goes on
        if isinstance(error, NotImplementedError) and not error.args:
            return "○", title
        return "✗", f"{title}: your code stopped with {type(error).__name__}: {error}"
    return "✓", title


def _say(mark: str, text: str, strict: bool) -> None:
    if strict and mark != "✓":
        raise AssertionError(f"{mark} {text}")
    print(f"{mark} {text}")


def _is_open(answer: Any) -> bool:
    """Whether nothing was written yet: no value, or a function that does nothing or has a `...` for a value."""
    if answer is None or answer is ...:
        return True
    if not inspect.isfunction(answer):
        return False
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(answer))).body[0]
    except (OSError, SyntaxError):  # no source, or a lambda inside a line: what it returns tells
        return False
    if not isinstance(function, ast.FunctionDef):
        return False
    written = [line for line in function.body if not (isinstance(line, ast.Pass) or _is_constant(line))]
    return not written or any(map(_lacks_a_value, written))


def _is_constant(line: ast.AST) -> bool:
    """A docstring, or `...` on a line by itself."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _lacks_a_value(node: ast.AST) -> bool:
    """Whether a `...` stands in it that is neither an index, as in x[..., 0], nor a line by itself."""
    if isinstance(node, ast.Constant):
        return node.value is ...
    if isinstance(node, ast.Subscript):
        return _lacks_a_value(node.value)
    inner = (child for child in ast.iter_child_nodes(node) if not _is_constant(child))
    return any(map(_lacks_a_value, inner))


def _watched(answer: Any) -> Any:
    """The answer, with a function wrapped so that what it returns is looked at: None is a forgotten `return`."""
    if not inspect.isfunction(answer):
        return answer

    @functools.wraps(answer)
    def watched(*args, **kwargs):
        value = answer(*args, **kwargs)
        if value is ...:
            raise NotImplementedError
        if value is None:
            raise AssertionError("your function returned nothing (None). Did you forget `return` before the result?")
        return value

    return watched


def _copied(inputs: Sequence[Any]) -> list:
    """The inputs of a gap, with tensors that the reader's code may change."""
    return [x.clone() if isinstance(x, torch.Tensor) else x for x in inputs]


def _assert_equal(name: str, found: Any, expected: Any, tol: float) -> None:
    """`assert_close`, or that for each part of a tuple."""
    if not isinstance(expected, tuple):
        return assert_close(name, found, expected, tol)
    count = len(found) if isinstance(found, tuple | list) else 1
    assert count == len(expected), f"expected {len(expected)} results, separated by commas; got {count}"
    for number, parts in enumerate(zip(found, expected, strict=True), start=1):
        _assert_equal(f"result {number} of {name}", *parts, tol)


def _text(shape: Sequence[int | None]) -> str:
    sizes = ["any" if size is None else str(int(size)) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
