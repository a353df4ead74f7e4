"""The prompt box: chips of what was understood, and of what was not."""

from helpers.data.scenes import read_caption, read_pair_caption
from helpers.show.prompt_box import LONGEST_PROMPT, PromptBox, chips


def test_a_still_stands_for_the_box_where_no_kernel_runs():
    with_answer = PromptBox(read_caption, "red circle", answer=lambda reading: "a red circle")._repr_mimebundle_()
    without = PromptBox(read_caption, "red circle")._repr_mimebundle_()
    assert with_answer["text/plain"] == "red circle" and with_answer["image/png"] != without["image/png"]


def test_each_word_has_a_chip_that_says_what_it_means():
    html = chips(read_caption("왼쪽 위에 큰 빨간 원"))
    for text, meaning in (("왼쪽", "column: left"), ("빨간", "colour: red"), ("원", "shape: circle")):
        assert f"<b>{text}</b> {meaning}" in html
    assert "✗" not in html


def test_what_was_not_understood_is_marked_and_says_why():
    html = chips(read_caption("a purpel circle"))
    assert "✗" in html and "did you mean purple" in html and "shape: circle" in html
    assert "✗" in chips(read_caption("원이 없다")) and "where do the two stand" in chips(read_pair_caption("원과 별"))


def test_typed_text_is_no_markup():
    assert "<script" not in chips(read_caption("<script>alert(1)</script>"))


def test_only_what_is_understood_is_answered():
    heard = []

    def answer(reading):
        heard.append(reading.text)
        return f"<{reading.text}>"

    box = PromptBox(read_caption, "red circle", answer=answer)
    for text, answered in (("a blue star", "&lt;a blue star&gt;"), ("a gray star", ""), ("", ""),
                           ("x" * (LONGEST_PROMPT + 1), ""), ("half \ud800", "")):
        box.field.value = text
        assert box.answered.value == answered, "what was answered before does not stay under another text"
    assert heard == ["red circle", "a blue star"] and box.reading is None
    assert box.field.continuous_update is False and "half a character" in box.chips.value
