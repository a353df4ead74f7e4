"""Notebook 10 as a page: its knobs, its exercises, and what its prose says."""

import pytest
import torch
import torch.nn.functional as F
from played import check_knobs, play

from helpers.course import notebook_files
from helpers.lessons.vision_transformer import exercises
from helpers.lessons.vision_transformer import experiments as vit
from helpers.show.heatmaps import FRAME

LEFT_OUT = ("bootstrap", "exercise", "solution", "drawing")


@pytest.fixture(scope="module")
def played():
    """The notebook's names after all of its cells but the exercises, and its sweeps."""
    def wanted(cell):
        return not any(notebook_files.tagged(cell, tag) for tag in LEFT_OUT)

    return play("10_vision_transformer.ipynb", wanted)


def test_every_knob_changes_the_picture_and_not_its_shape(played):
    assert len(played[1]) == 1
    check_knobs(played[1][0])


def test_the_picture_of_the_sweep_shows_the_patches_and_the_object(played):
    names, (sweep,) = played
    picture, status = sweep.render(patch=8, look=4, scene=0)
    assert "16 patches" in status
    assert (picture[10:140, 220:] == FRAME).all(2).any(), "the outline is drawn over the map"
    assert not (picture[:, :200] == FRAME).all(2).any() and (picture[:, :200] != 255).any(), "and not on the patches"


def test_a_purple_circle_is_named_less_often_than_the_others(played):
    rows = played[0]["spoken"]
    shares = {pairing: row[vit.scenes.SHAPES.index(pairing.split()[1])].item() for pairing, row in rows.items()}
    assert min(shares, key=shares.get) == "purple circle"


# -- exercises -------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


def convolution(x, weight, bias, patch, order=(0, 3, 1, 2), offset=True):
    kernel = weight.view(len(weight), patch, patch, x.shape[1]).permute(*order)
    return F.conv2d(x, kernel, bias if offset else None, stride=patch).flatten(2).mT


@pytest.mark.parametrize(("answer", "said"), [
    (convolution, "✓"),
    (lambda x, w, b, p: F.conv2d(x, w.view(len(w), x.shape[1], p, p), b, stride=p).flatten(2).mT, "side by side"),
    (lambda x, w, b, p: convolution(x, w, b, p, offset=False), "where is the bias"),
    (lambda x, w, b, p: convolution(x, w, b, p, order=(0, 3, 2, 1)), "✗"),
    (lambda x, w, b, p: convolution(x, w, b, p).mT, "✗"),
    (lambda x, w, b, p: ..., "○"),
])
def test_strided_convolution(answer, said, capsys):
    assert said in verdict(exercises.strided_convolution(), answer, capsys)


@pytest.mark.parametrize(("answer", "said"), [
    (lambda order: order.argsort(), "✓"),
    (lambda order: order, "undoes only swaps"),
    (lambda order: torch.arange(len(order)), "✗"),
    (lambda order: None, "Did you forget `return`"),
])
def test_undo_the_order(answer, said, capsys):
    assert said in verdict(exercises.undo_the_order(), answer, capsys)


def counted(scores=2, maps=4, head=1, embedded=0, first=1):
    def answer(size, patch, channels, width, depth, hidden, classes):
        n = (size // patch) ** 2
        tokens = n + 1
        block = maps * tokens * width**2 + scores * tokens**2 * width + 2 * tokens * width * hidden
        read = head if head == 1 else tokens
        return n + first, (n + embedded) * patch**2 * channels * width + depth * block + read * width * classes

    return answer


@pytest.mark.parametrize(("answer", "said"), [
    (counted(), "✓"), (counted(scores=0), "in every block"), (counted(scores=1), "there are two"),
    (counted(maps=3), "four"), (counted(head=2), "class token alone"), (counted(embedded=1), "is not embedded"),
    (counted(first=0), "one token more"), (lambda **sizes: (17, 5), "expected"), (lambda **sizes: ..., "○"),
])
def test_count(answer, said, capsys):
    assert said in verdict(exercises.count_multiply_adds(), answer, capsys)
