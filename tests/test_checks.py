"""A check that passes prints one line, one that fails says where; an unfilled exercise is not an error."""

import re

import pytest
import torch

from helpers.course import checks
from helpers.course.checks import Exercise, assert_close, check_close, check_shape
from helpers.show import source


def test_check_shape(capsys):
    check_shape("z", torch.zeros(3, 4), (3, 4))
    check_shape("z", torch.zeros(3, 4), (None, 4))
    assert capsys.readouterr().out == "✓ z: shape (3, 4)\n✓ z: shape (3, 4)\n"


@pytest.mark.parametrize("shape", [(4, 3), (3,), (3, 4, 1), (None, 5), ()])
def test_check_shape_names_both_shapes(shape):
    with pytest.raises(AssertionError, match=r"z has shape \(3, 4\); expected"):
        check_shape("z", torch.zeros(3, 4), shape)


def test_check_shape_of_something_else():
    with pytest.raises(AssertionError, match="z is a list"):
        check_shape("z", [1, 2], (2,))


def test_check_close_prints_nothing_that_differs_between_machines(capsys):
    for noise in (0.0, 1e-7):
        check_close("sum", torch.ones(2, 3) + noise, torch.ones(2, 3, requires_grad=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1] == "✓ sum: the same as the reference, shape (2, 3), within 1e-05"


def test_check_close_says_where():
    mine = torch.zeros(2, 3)
    mine[1, 2] = 0.5
    with pytest.raises(AssertionError, match=r"0.5 at \[1, 2\].*expected 0. 1 of 6 values"):
        check_close("sum", mine, torch.zeros(2, 3))
    check_close("sum", mine, torch.zeros(2, 3), tol=0.5)
    with pytest.raises(AssertionError, match="f is 1; expected 2"):
        check_close("f", 1.0, 2)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_check_close_does_not_let_nan_or_infinity_pass(bad):
    mine = torch.zeros(3)
    mine[1] = bad
    with pytest.raises(AssertionError, match=r"at \[1\]"):
        check_close("sum", mine, torch.zeros(3))


def test_check_close_never_broadcasts():
    with pytest.raises(AssertionError, match=r"shape \(1, 3\); expected \(3,\)"):
        check_close("sum", torch.zeros(1, 3), torch.zeros(3))


# -- exercises -------------------------------------------------------------------------------------


def squares(answer):
    assert_close("square(3)", answer(torch.tensor(3.0)), 9.0)


SQUARE = Exercise("02.1", "square a number", [squares])


def stub_bare(x):
    raise NotImplementedError


def stub_dots(x): ...


def stub_of_words(x):
    """What to write."""
    pass


def stub_with_a_line_left_out(x):
    factor = ...  # your line
    return factor * x


def stub_that_returns_dots(x):
    x = x[..., None]
    return ...


def stub_inside(x):
    y = x * x
    if x.ndim == 0:
        y = torch.add(..., y)
    return y


@pytest.mark.parametrize("answer", [..., None, stub_bare, stub_dots, stub_of_words, stub_with_a_line_left_out,
                                    stub_that_returns_dots, stub_inside, lambda x: ...])
def test_an_unfilled_stub_is_not_an_error(answer, capsys):
    SQUARE.check(answer)
    assert capsys.readouterr().out == "○ 02.1 not done yet: square a number\n"
    with pytest.raises(AssertionError, match="○ 02.1 not done yet"):
        SQUARE.check(answer, strict=True)


def forgot(x):
    x * x


def forgot_below_the_dots(x):
    """The line of the stub is still there."""
    ...  # your code
    y = x * x  # noqa: F841


def printed(x):
    print(x * x)


def left_without_a_value(x):
    if x < 0:
        return x * x


@pytest.mark.parametrize("answer", [forgot, forgot_below_the_dots, printed, left_without_a_value, lambda x: None])
def test_a_forgotten_return_is_answered_as_such(answer, capsys):
    SQUARE.check(answer)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == ("✗ 02.1 square a number: your function returned nothing (None). "
                    "Did you forget `return` before the result?")
    with pytest.raises(AssertionError, match="forget `return`"):
        SQUARE.check(answer, strict=True)


def with_the_dots_left(x):
    ...  # your code
    y = x[..., None][..., 0]
    if y.ndim:
        ...  # your code
        y = -y
    return (y * y)[...]


def test_dots_that_are_no_gap_do_not_keep_an_answer_open(capsys):
    SQUARE.check(with_the_dots_left, strict=True)
    assert capsys.readouterr().out.startswith("✓")


def test_an_answer_whose_source_is_lost_is_judged_by_what_it_does(capsys):
    names = {}
    exec("def right(x):\n    return x * x\ndef stub(x): return ...\ndef none(x): x * x", names)
    for name, mark in (("right", "✓"), ("stub", "○"), ("none", "✗")):
        SQUARE.check(names[name])
        assert capsys.readouterr().out.startswith(mark)


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda x: x, r"square\(3\) is 3; expected 9"),
        (lambda x: x / "2", "stopped with TypeError"),
        (lambda x: torch.zeros(2, dtype=torch.int64) @ x.missing, "stopped with AttributeError"),
    ],
)
def test_a_wrong_answer_gets_a_hint(answer, hint, capsys):
    SQUARE.check(answer)
    line = capsys.readouterr().out
    assert line.startswith("✗ 02.1 square a number: ")
    with pytest.raises(AssertionError, match=hint):
        SQUARE.check(answer, strict=True)


def test_torchs_own_not_implemented_error_is_a_wrong_answer_and_not_a_stub(capsys):
    def answer(x):
        raise NotImplementedError("'sqrt' not implemented for 'Bool'")

    SQUARE.check(answer)
    assert capsys.readouterr().out.startswith("✗")


def test_a_right_answer(capsys):
    SQUARE.check(lambda x: x * x, strict=True)
    Exercise("02.2", "name a number", [lambda answer: check_shape("x", answer, (2,))]).check(torch.zeros(2))
    assert capsys.readouterr().out == "✓ 02.1 square a number\n✓ x: shape (2,)\n✓ 02.2 name a number\n"


# -- gaps ------------------------------------------------------------------------------------------


ALPHA, H = torch.tensor([[0.25, 0.75]]), torch.tensor([[1.0, 2.0], [3.0, 6.0]])


def package_context(alpha, h):
    return alpha @ h


def open_context(alpha, h):
    return ...  # your line


def my_context(alpha, h):
    return alpha @ h


def other_context(alpha, h):
    return h.mean(0, keepdim=True)


def lost_context(alpha, h):
    alpha @ h


def broken_context(alpha, h):
    return h @ alpha


RIGHT = "✓ the context: yours equals the package's, and the page goes on with yours\n"


@pytest.mark.parametrize("mine, line", [
    (open_context, r"○ still open: the context\. "),
    (my_context, "✓ the context: "),
    (other_context, r"✗ the context: yours is 4 at \[0, 1\].*; expected 5"),
    (lost_context, "✗ the context: your function returned nothing"),
    (broken_context, "✗ the context: your code stopped with RuntimeError"),
])
def test_a_gap_never_stops_the_page(mine, line, capsys):
    context = checks.gap("the context", mine, package_context, ALPHA, H)
    out = capsys.readouterr().out
    assert re.match(line, out) and out.count("\n") == 1
    assert context is (mine if mine is my_context else package_context)
    if mine is my_context:
        checks.gap("the context", mine, package_context, ALPHA, H, strict=True)
        assert capsys.readouterr().out == out == RIGHT
    else:
        assert out.endswith(". The page goes on with the package's own\n")
        with pytest.raises(AssertionError, match=line):
            checks.gap("the context", mine, package_context, ALPHA, H, strict=True)


def test_a_gap_for_a_value(capsys):
    expected = ALPHA @ H
    assert checks.gap("the context", ..., expected) is expected
    assert checks.gap("the context", H, expected) is expected
    mine = ALPHA @ H
    assert checks.gap("the context", mine, expected) is mine
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["○", "✗", "✓"]


def test_a_gap_of_two_results(capsys):
    package = lambda x: (x, 2 * x)  # noqa: E731
    for mine, says in ((lambda x: (x, 2 * x), "✓"), (lambda x: [x, 3 * x], "result 2 of yours is 3"),
                       (lambda x: x, "expected 2 results, separated by commas; got 1"),
                       (lambda x: (x, x, x), "got 3"), (lambda x: (x, None), "stopped with")):
        checks.gap("both", mine, package, torch.ones(2))
        assert says in capsys.readouterr().out


def test_a_gap_is_judged_within_its_tolerance(capsys):
    near = lambda x: x + 1e-3  # noqa: E731
    for tol, mark in ((1e-5, "✗"), (1e-2, "✓")):
        checks.gap("near", near, lambda x: x, torch.ones(2), tol=tol)
        assert capsys.readouterr().out.startswith(mark)


def test_a_gap_may_draw_and_may_spoil_its_inputs(capsys):
    """Both draw the same numbers, the page's own go on as they would have, and its tensors stay as they are."""
    def draw(mu):
        return mu + torch.randn_like(mu)

    def draw_in_place(mu):
        return mu.add_(torch.randn_like(mu))

    mu, before = torch.zeros(3), torch.get_rng_state()
    checks.gap("a draw", draw_in_place, draw, mu, strict=True)
    assert torch.equal(mu, torch.zeros(3)) and torch.equal(torch.get_rng_state(), before)


# -- source ----------------------------------------------------------------------------------------


def test_show_source_gives_the_live_file_and_line(monkeypatch):
    shown = []
    monkeypatch.setattr(source, "display", lambda bundle, raw: shown.append(bundle))
    source.show_source(Exercise.check)
    markdown = shown[0]["text/markdown"]
    where, line = markdown.splitlines()[0].strip("*").split(", line ")
    text = (source.ROOT / where).read_text("utf-8").splitlines()[int(line) - 1]
    assert text.strip() == markdown.splitlines()[3]
    assert text.strip().startswith("def check(self, answer: Any")
    assert "```python" in markdown and shown[0]["text/plain"].startswith("# helpers/course/checks.py")


def test_show_source_of_a_module_a_class_and_a_foreign_function():
    assert source.source(source)[0] == "helpers/show/source.py, line 1"
    assert source.source(Exercise)[1].startswith("@dataclass")
    assert source.source(torch.nn.Linear.forward)[0].startswith("torch.nn.modules.linear, line ")


@pytest.mark.parametrize("thing", [len, 3, torch.zeros(2)])
def test_show_source_says_what_it_cannot_show(thing):
    with pytest.raises(ValueError, match="no Python source"):
        source.show_source(thing)


def test_a_check_leaves_torch_as_it_was(capsys):
    """Whatever an exercise seeds or an answer draws, the page goes on with the numbers that it would have had."""
    def seeds(answer):
        torch.manual_seed(0)
        answer(torch.randn(2))

    before = torch.get_rng_state()
    Exercise("00.1", "anything", [seeds]).check(lambda x: torch.rand_like(x))
    assert torch.equal(torch.get_rng_state(), before) and capsys.readouterr().out.startswith("✓")
