"""Checks that a notebook runs beside its derivations, and the mechanism of its exercises.

A check says ✓ (`passed`: one quiet line a cell), or raises an AssertionError that says what differs and where.
The lines name no measured number, so they are the same on every machine.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .passed import passed

__all__ = ["Exercise", "assert_close", "assert_shape", "check_close", "check_shape", "check_that"]


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

        An unfilled stub is None, `...`, or a function that returns one of them or has a bare
        `raise NotImplementedError` (torch raises that error too, with a message).
        strict: raise AssertionError unless the answer is right; for the solutions, which the tests run.
        """
        mark, text = self._judge(answer)
        line = f"{mark} {self.id} {text}"
        if strict and mark != "✓":
            raise AssertionError(line)
        print(line)

    def _judge(self, answer: Any) -> tuple[str, str]:
        try:
            with torch.random.fork_rng([]):  # what a check draws or seeds does not change what the page draws next
                for test in self.tests:
                    test(_finished(answer))
        except AssertionError as wrong:
            return "✗", f"{self.title}: {wrong or 'not the expected result'}"
        except Exception as error:  # the learner's code may fail in any way; the notebook goes on
            if isinstance(error, NotImplementedError) and not error.args:
                return "○", f"not done yet: {self.title}"
            return "✗", f"{self.title}: your code stopped with {type(error).__name__}: {error}"
        return "✓", self.title


def _finished(answer: Any) -> Any:
    """The answer, with a function wrapped so that returning nothing counts as an unfilled stub."""
    if answer is None or answer is ...:
        raise NotImplementedError
    if not inspect.isfunction(answer):
        return answer

    @functools.wraps(answer)
    def watched(*args, **kwargs):
        return _finished_value(answer(*args, **kwargs))

    return watched


def _finished_value(value: Any) -> Any:
    if value is None or value is ...:
        raise NotImplementedError
    return value


def _text(shape: Sequence[int | None]) -> str:
    sizes = ["any" if size is None else str(int(size)) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
