"""A prediction: the answer appears after the choice, and is folded where no kernel runs."""

import re

import numpy as np
import pytest

from helpers.show.predict import Predict

CHOICES = {"the shape": None, "the <place>": "Two numbers hold it."}


def asked(because="Shapes are rare at four numbers.", **options) -> Predict:
    return Predict("What is lost first?", CHOICES, answer="the shape", because=because, **options)


def on_page(widget) -> str:
    """All the HTML that the live view shows."""
    return getattr(widget, "value", "") if not hasattr(widget, "children") else "".join(map(on_page, widget.children))


def test_the_answer_is_not_in_the_view_before_the_choice_and_is_after_it():
    p = asked()
    view = [child for child in p.view.children if child is not p.buttons]
    assert p.buttons.value is None and "What is lost first?" in "".join(map(on_page, view))
    assert "Shapes are rare" not in "".join(map(on_page, view)) and "Answer" not in "".join(map(on_page, view))
    p.buttons.value = "the <place>"
    assert "✗ You said “the &lt;place&gt;”: not quite." in p.answered.value and "Two numbers" in p.answered.value
    assert "Answer: <b>the shape</b>. Shapes are rare" in p.answered.value
    p.buttons.value = "the shape"
    assert "✓ You said “the shape”: right." in p.answered.value
    assert "not quite" not in p.answered.value and "Two numbers" not in p.answered.value


def test_a_function_is_called_once_and_only_when_its_answer_is_needed():
    calls = []

    def because():
        calls.append(1)
        return np.zeros((4, 6, 3), np.uint8), "it <was> computed"

    p = asked(because)
    assert not calls
    p.buttons.value = "the shape"
    assert len(calls) == 1 and "it &lt;was&gt; computed" in p.answered.value
    figure = r'<img src="data:image/png;base64,[^"]+" alt="it &lt;was&gt; computed" width="6"'
    assert re.search(figure, p.answered.value)
    p.buttons.value = "the <place>"
    p._repr_mimebundle_()
    assert len(calls) == 1


def test_without_a_kernel_the_question_stands_and_the_answer_is_folded():
    data = asked(picture=np.zeros((4, 5, 3), np.uint8))._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    before, folded = data["text/html"].split("<details>")
    assert "What is lost first?" in before and 'width="5"' in before and "<li>the &lt;place&gt;</li>" in before
    assert "Shapes are rare" not in before and "Two numbers" not in before
    assert "Shapes are rare" in folded.split("</details>")[0] and "Two numbers" in folded.split("</details>")[0]
    assert data["text/plain"] == "What is lost first?" and "open>" not in data["text/html"]


def test_an_answer_that_fails_says_so_after_a_choice_and_stops_the_cell_that_shows_it():
    p = asked(lambda: 1 / 0)
    p.buttons.value = "the shape"
    assert "right." in p.answered.value and "ZeroDivisionError" in p.answered.value
    with pytest.raises(ZeroDivisionError):
        p._repr_mimebundle_()
    with pytest.raises(TypeError, match="`because` must be text"):
        asked(lambda: 3)._repr_mimebundle_()


@pytest.mark.parametrize(("choices", "answer"), [
    (["a"], "a"), (list("abcde"), "a"), (["a", "a"], "a"), ("ab", "a"), (["a", "b"], "c"), ({}, "a"),
])
def test_bad_use_raises(choices, answer):
    with pytest.raises(ValueError, match="choices"):
        Predict("q", choices, answer=answer, because="so")


@pytest.mark.parametrize("count", [2, 4])
def test_two_to_four_choices_are_right(count):
    assert len(Predict("q", list("abcd")[:count], answer="b", because="so").buttons.options) == count


def test_a_cell_that_is_run_again_closes_the_last_question():
    from IPython.core.interactiveshell import InteractiveShell

    shell, made = InteractiveShell.instance(), []
    code = "from helpers.show.predict import Predict\nmade = Predict('again?', ['a', 'b'], answer='a', because='so')"
    for _ in range(2):
        shell.run_cell(code, store_history=True).raise_error()
        made.append(shell.user_ns["made"])
    assert [one.buttons.comm is None for one in made] == [True, False]
