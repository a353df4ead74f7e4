"""Commands of the studio: read, written, and refused with a sentence. Nothing is drawn here but by the last tests."""

import random
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from studio_worlds import tiny_session

from helpers.systems.studio import (
    CommandError,
    Imagine,
    Line,
    Press,
    read_command,
    read_line,
    write_command,
    write_line,
)
from helpers.systems.studio.lines import canvas_size, extent, read_cells, read_press, split_line, write_press

HOSTILE = [line for line in Path(__file__).with_name("hostile_commands.txt").read_text(encoding="utf-8").splitlines()
           if line and not line.startswith("# ")]


@pytest.mark.parametrize(("text", "asked"), [
    ("/imagine prompt: a red circle", Imagine("a red circle")),
    ("/imagine a red circle", Imagine("a red circle")),
    ("  /IMAGINE   Prompt:  a   red circle  ", Imagine("a red circle")),
    ("/imagine prompt: 큰 빨간 원 --seed 7 --ar 3:2", Imagine("큰 빨간 원", seed=7, ar=(3, 2))),
    ("/imagine a star —seed 4294967295 –chaos 100", Imagine("a star", seed=2**32 - 1, chaos=100)),
    ("/imagine a star --c 5 --s 1000 --stop 10", Imagine("a star", chaos=5, stylize=1000, stop=10)),
    ("/imagine a star --no red, blue --seed 0", Imagine("a star", seed=0, no="red, blue")),
    ("/imagine tiger --EMOJI --style Fluent --aspect 1:2", Imagine("tiger", emoji=True, style="fluent", ar=(1, 2))),
    ("/imagine {/imagine prompt: a star --seed 1 > U2} blue --iw 0.5",
     Imagine("blue", source="/imagine prompt: a star --seed 1 > U2", iw=0.5)),
    ("/imagine a well-known star - big", Imagine("a well-known star - big")),
])
def test_commands_that_are_read(text, asked):
    assert read_command(text) == asked
    assert read_command(write_command(asked)) == asked


def test_what_has_its_usual_value_is_not_written():
    assert write_command(read_command("/imagine a star --chaos 0 --stylize 100 --stop 100 --ar 1:1")) == (
        "/imagine prompt: a star")


@pytest.mark.parametrize(("text", "says"), [
    ("/imagine", "the prompt is empty"), ("a star", "begins with /imagine"), ("/help", "no /help"),
    ("/imagine a star --sed 1", "did you mean --seed"), ("/imagine a star --weird 3", "Midjourney's"),
    ("/imagine a star --foo", "there are --ar"), ("/imagine a star --seed", "--seed has no value"),
    ("/imagine a star --seed 4294967296", "from 0 to 4294967295; got 4294967296"),
    ("/imagine a star --chaos 1.5", "a whole number from 0 to 100"), ("/imagine a star --iw 1", "there is none"),
    ("/imagine a star --ar 5:1", "from 1:2 to 2:1"), ("/imagine a star --seed 1 blue", "come before all parameters"),
    ("/imagine a star--seed 1", "one space before --"), ("/imagine a star --seed=1", "a space in place of ="),
    ("/imagine a star --seed 1 --seed 2", "given twice"), ("/imagine a star --style noto", "add --emoji"),
    ("/imagine " + "a" * 500, "509 characters"), ("/imagine http://a.b/c.png star", "is not fetched"),
    ("/imagine a star \ud800", "half a character"), (b"/imagine a star", "this is a bytes"), ("", "nothing to read"),
    ("\u200b\u2060", "nothing to read"),
])
def test_what_is_wrong_is_said(text, says):
    with pytest.raises(CommandError, match=re.escape(says)):
        read_command(text)


# -- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "press"), [
    ("u2", Press("U", "2")), ("V 3 --seed 9", Press("V", "3", 9)), ("vary  SUBTLE", Press("Vary", "Subtle")),
    ("zoom out 1.5X --seed 1", Press("Zoom", "1.5", 1)), ("Pan Left", Press("Pan", "left")),
    ("vary region 3,2-6,5+0,0: a blue star --seed 2", Press("Region", "3,2-6,5+0,0", 2, "a blue star")),
])
def test_buttons_are_read_and_written(text, press):
    assert read_press(text) == press and read_press(write_press(press)) == press


def test_a_line_is_its_own_form():
    text = ("/imagine prompt: {/imagine prompt: a star --seed 1 > U2} a moon --seed 3 --iw 2 > V2 --seed 4 > U1 > "
            "Region 0,0-1,1: a red circle --seed 5")
    line = read_line(text)
    assert write_line(line) == text and len(line.presses) == 3
    assert split_line("a > {b > c} d > e") == ["a", "{b > c} d", "e"]


@pytest.mark.parametrize(("text", "size"), [
    ("/imagine a star", (4, 32, 32)), ("/imagine a star > U1", (1, 32, 32)), ("/imagine a star > V1", (4, 32, 32)),
    ("/imagine a star --ar 3:2", (4, 32, 48)), ("/imagine a star --ar 9:16", (4, 56, 32)),
    ("/imagine a star > U1 > Pan up > U4 > Pan left > U1", (1, 48, 48)),
    ("/imagine a star --ar 2:1 > U1 > Region 15,7 > U1 > Zoom Out 2x", (4, 32, 64)),
])
def test_how_many_and_how_large(text, size):
    assert extent(read_line(text)) == size


def test_sides_of_canvases():
    assert canvas_size((1, 1)) == (32, 32) and canvas_size((2, 1)) == (32, 64) and canvas_size((3, 4)) == (44, 32)


@pytest.mark.parametrize(("text", "says"), [
    ("/imagine a star > U1 > U1", "here is one alone"), ("/imagine a star > Pan left", "here are four"),
    ("/imagine a star --ar 2:1 > U1 > Pan left", "longer than 64"),
    ("/imagine a star > U1 > Region 8,0", "8 x 8 cells"),
    ("/imagine a star > U1 > Region 2,2-1,3", "ends before it begins"), ("/imagine a star > U7", "no picture 7"),
    ("/imagine {/imagine a star} b", "one square picture"), ("/imagine a star > U1 --seed 1", "takes no --seed"),
    ("/imagine a star" + " > V1" * 25, "25 buttons"), ("/imagine a star > " + "x" * 7000, "characters"),
])
def test_a_line_that_cannot_be_drawn(text, says):
    with pytest.raises(CommandError, match=re.escape(says)):
        read_line(text)


def test_image_prompts_go_three_deep():
    text = "/imagine prompt: a star --seed 1 > U1"
    for _ in range(3):
        text = f"/imagine prompt: {{{text}}} a star --seed 1 > U1"
    read_line(text)
    with pytest.raises(CommandError, match="3 deep"):
        read_line(f"/imagine prompt: {{{text}}} a star")


def test_cells():
    assert read_cells("3,2-6,5+0,1") == [(3, 2, 6, 5), (0, 1, 0, 1)]


words = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60)
pieces = st.lists(st.sampled_from(["/imagine", "prompt:", "a red circle", "--seed", "7", "--ar", "3:2", "--no",
                                   "> U1", "{", "}", "> Region 0,0-1,1", "#1.2", "--", "--chaos 50", "원", "\x00"]),
                  max_size=9)


@settings(max_examples=300, deadline=None)
@given(st.one_of(words, pieces.map(" ".join), pieces.map("".join)))
def test_any_text_is_a_line_or_is_refused_with_a_sentence(text):
    try:
        line = read_line(text)
    except CommandError as error:
        assert 10 < len(str(error)) < 400
    else:
        assert read_line(write_line(line)) == line


# -- all of them -----------------------------------------------------------------------------------------------------


def sentences(session, texts):
    for text in texts:
        before = session.jobs
        assert session.post(text) == ""
        answer = session.answer()
        assert answer.job is None and session.jobs is before, text
        assert 15 < len(answer.words) < 300 and "could not be drawn" not in answer.words, (text, answer.words)
        yield answer.words


def test_200_malformed_or_hostile_commands_each_get_a_sentence():
    assert len(HOSTILE) >= 200
    session = tiny_session()
    session.say("/imagine prompt: a red circle --seed 1")
    found = list(sentences(session, HOSTILE))
    assert len(set(found)) > 60, "sentences say what was wrong"


def damaged(text, chance):
    """A good line with one of the accidents of typing that leave no good line."""
    place = chance.randrange(len(text))
    return chance.choice([text[: text.index("prompt:")], text + " --", text + " > ", text.replace("--seed ", "--seed"),
                          text.replace("/", "", 1), text + " > U9", text.replace("--seed", "--seed x", 1), "{" + text,
                          text[:place] + "--" + text[place:] + "}", text + " --seed 4", text * 40])


def test_200_more_from_a_generator():
    chance, session = random.Random(15), tiny_session()
    good = ["/imagine prompt: a red circle --seed 7",
            "/imagine prompt: 큰 초록 별 --ar 3:2 --seed 5 > U1 > Pan up --seed 2",
            "/imagine prompt: tiger --emoji --stylize 900 --seed 3 > V2 --seed 1"]
    list(sentences(session, [damaged(chance.choice(good), chance) for _ in range(200)]))


def test_a_line_asks_for_its_pictures():
    line = Line(Imagine("a star", seed=1), (Press("U", "1"),))
    assert tiny_session().studio.draw(line).canvases.shape == torch.Size([1, 3, 32, 32])
