"""A check that passes prints one line, one that fails says where; an unfilled exercise is not an error."""

import pytest
import torch

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


@pytest.mark.parametrize("answer", [..., None, stub_bare, stub_dots, lambda x: None])
def test_an_unfilled_stub_is_not_an_error(answer, capsys):
    SQUARE.check(answer)
    assert capsys.readouterr().out == "○ 02.1 not done yet: square a number\n"
    with pytest.raises(AssertionError, match="not done yet"):
        SQUARE.check(answer, strict=True)


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
