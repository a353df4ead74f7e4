"""What a prompt asks for, the judge's verdict on each factor of it, and the picture in which a reader sees both."""

import numpy as np
import pytest
import torch

from helpers.data import scenes
from helpers.data.scenes import FACTORS, UNSAID
from helpers.data.text import Tokenizer
from helpers.diffusion.forward import flow_schedule
from helpers.lessons.text_conditioned_diffusion import faces
from helpers.lessons.text_conditioned_diffusion.verdicts import (
    Asked,
    read_pictures,
    shares_drawn,
    understood,
    verdicts,
)
from helpers.models.glide import GLIDE
from helpers.systems.text_to_image import TextToImage

RED_CIRCLE = [0, 0, 1, 0, 0, 1]  # big, at the top left, on gray


def row(*values):
    return torch.tensor([values])


# -- what is asked ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "said", "two"), [
    ("a big red circle in the top left on a gray background", RED_CIRCLE, False),
    ("빨간 별", [3, 0, UNSAID, UNSAID, UNSAID, UNSAID], False), ("", [UNSAID] * 6, False),
    ("a purple dinosaur on white", [UNSAID, 6, UNSAID, UNSAID, UNSAID, 2], False),
    ("a red circle left of a blue square", [0, 0, 0, 1, 5, UNSAID], True),
    ("빨간 원이 파란 사각형의 오른쪽에 있다", [0, 0, 1, 1, 5, UNSAID], True),
    ("a red circle and a blue square", [0, 0, UNSAID, 1, 5, UNSAID], True),
])
def test_one_object_or_two(text, said, two):
    asked, reading = understood(text)
    assert asked.said.tolist() == said and asked.two == two
    complete = UNSAID not in said[:2] and (not two or said[2] != UNSAID)
    assert bool(reading.problems) == (not complete)


# -- verdicts --------------------------------------------------------------------------------------


def test_only_what_was_asked_for_is_told():
    pictures = scenes.draw(torch.tensor([RED_CIRCLE, [1, 0, 1, 0, 0, 1]]))
    asked, _ = understood("a big red circle in the top left on gray")
    assert verdicts(pictures, asked) == ["✓ big ✓ red ✓ circle ✓ top ✓ left ✓ gray · valid",
                                         "✓ big ✓ red ✗ circle ✓ top ✓ left ✓ gray · valid"]
    assert verdicts(pictures, understood("원")[0]) == ["✓ circle · valid", "✗ circle · valid"]
    assert verdicts(pictures, understood("")[0]) == ["valid", "valid"]


def test_what_is_wrong_with_a_picture_is_named():
    picture = scenes.draw(row(*RED_CIRCLE))
    picture[:, :, 24:27, 24:27] = 1
    line, = verdicts(picture, understood("a circle")[0])
    assert line.endswith("· two objects") or line.endswith("· uneven background")
    assert shares_drawn(picture, understood("")[0]) == {"asked": 1, "valid": 0, "both": 0}


def test_each_factor_is_found_wrong_alone():
    factors = torch.tensor([RED_CIRCLE] * 6)
    for k in range(6):
        factors[k, k] = (factors[k, k] + 1) % len(scenes.VALUES[FACTORS[k]])
    _, right = read_pictures(scenes.draw(factors), Asked(torch.tensor(RED_CIRCLE)))
    assert torch.equal(right, ~torch.eye(6, dtype=torch.bool))
    assert shares_drawn(scenes.draw(factors), Asked(torch.tensor(RED_CIRCLE)))["asked"] == 0
    assert shares_drawn(scenes.draw(factors), Asked(factors)) == {"asked": 1, "valid": 1, "both": 1}, "a row a picture"


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_true_pictures_are_right(split):
    pictures, factors = scenes.make_scenes(100, 5, split)
    said = scenes.drop_factors(factors, torch.Generator().manual_seed(0))
    assert shares_drawn(pictures, Asked(said)) == {"asked": 1, "valid": 1, "both": 1}
    pairs, factors = scenes.make_pairs(100, 5, split)
    assert shares_drawn(pairs, Asked(factors, True)) == {"asked": 1, "valid": 1, "both": 1}
    hit = shares_drawn(pictures, Asked(factors[torch.randperm(100, generator=torch.Generator().manual_seed(1))]))
    assert hit["asked"] < 0.1, "other captions do not fit"


def test_two_objects_may_be_told_from_either_end():
    picture = scenes.draw_pairs(row(0, 0, 0, 1, 5, 1))  # a red circle left of a blue square on gray
    for text in ("a red circle left of a blue square", "a blue square right of a red circle",
                 "a square right of a circle", "파란 사각형이 빨간 원의 오른쪽에 있다"):
        assert shares_drawn(picture, understood(text)[0])["both"] == 1, text
    line, = verdicts(picture, understood("a red circle and a blue square")[0])
    assert line == "✓ red ✓ circle ✓ blue ✓ square · valid"


@pytest.mark.parametrize(("text", "line"), [
    ("a red circle right of a blue square", "✓ red ✓ circle ✗ right of ✓ blue ✓ square · valid"),
    ("a red circle above a blue square", "✓ red ✓ circle ✗ above ✓ blue ✓ square · valid"),
    ("a blue circle left of a red square", "✗ blue ✓ circle ✓ left of ✗ red ✓ square · valid"),
    ("a blue square right of a green circle", "✓ blue ✓ square ✓ right of ✗ green ✓ circle · valid"),
])
def test_what_is_wrong_of_two_objects_is_told(text, line):
    picture = scenes.draw_pairs(row(0, 0, 0, 1, 5, 1))
    assert verdicts(picture, understood(text)[0]) == [line]


# -- faces -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    rows, generator = scenes.sample_factors(100, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(1)
    texts = [*scenes.write_captions(rows, generator), *scenes.write_captions(rows, generator, "ko")]
    model = GLIDE(Tokenizer.learn(texts, 300).vocabulary, {"width": 8, "depth": 1, "heads": 2},
                  {"widths": (8, 8, 16)}).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return TextToImage(model, flow_schedule(50))


def test_the_face_shows_four_pictures_and_says_what_was_not_read(system):
    first, line = faces.prompt_face(system, "a big red circle", 2, 0, 3)
    assert first.dtype == np.uint8 and "of 4" in line and "not read" not in line
    settings = {"text": "a big red circle", "scale": 2, "seed": 0, "steps": 3}
    for change in ({"text": "a big blue circle"}, {"scale": 8}, {"seed": 1}, {"steps": 5}):
        shown, _ = faces.prompt_face(system, **settings | change)
        assert shown.shape == first.shape and (shown != first).any(), change
    shown, line = faces.prompt_face(system, "a red 龘", 2, 0, 3)  # "dinosaur" can be spelled with its tokens, this not
    assert line.endswith("not read: 龘") and len(shown) >= len(first)
    assert faces.prompt_face(system, "", 2, 0, 3)[1].endswith("no caption: anything may come")
    with pytest.raises(ValueError, match="10,000 characters"):
        faces.prompt_face(system, "a" * 10_000, 2, 0, 3)


def test_chips_wrap_and_none_is_cut(system):
    _, reading = understood("a big red circle in the top left on a gray background, and a purple dinosaur")
    wide, narrow = (faces.chip_lines(reading, width) for width in (900, 260))
    assert wide.shape[1] == 900 and narrow.shape[1] == 260 and len(narrow) > len(wide)
    assert (narrow[:, -1] == 255).all(), "no chip runs over the edge"


def test_words_have_a_map_each(system):
    first, line = faces.word_face(system, "a red circle", 2, steps=5)
    assert line.startswith("step 2 of 5, t = 30; darkest: 0.")
    assert (faces.word_face(system, "a red circle", 4, steps=5)[0] != first).any()
    for step in (0, 5):
        with pytest.raises(ValueError, match="step 1 to 4"):
            faces.word_face(system, "a red circle", step, steps=5)
