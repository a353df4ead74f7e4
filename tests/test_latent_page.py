"""Notebook 14 as a page: its knobs, bad input in its fields, the pictures of its widgets, and its exercises."""

import math

import numpy as np
import pytest
import torch
from played import check_knobs, play

from helpers.course import notebook_files
from helpers.data import scenes
from helpers.diffusion.forward import flow_schedule
from helpers.lessons.stable_diffusion import exercises, experiments, faces, recipes
from helpers.lessons.text_conditioned_diffusion.faces import LINES
from helpers.models.kl_autoencoder import KLAutoencoder
from helpers.show.heatmaps import shade
from helpers.systems import edits

PAGE = "14_stable_diffusion.ipynb"
NAMES = ("stepper", "box", "edit")
NEEDED = ("from helpers", "system = ", "Sweep(")  # what the cells of widgets rest on


@pytest.fixture(scope="module")
def sweeps():
    """{a name for each: a sweep of the page}."""
    def wanted(cell):
        left_out = any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "exercise", "gap", "drawing"))
        return not left_out and "Predict(" not in cell.source and any(words in cell.source for words in NEEDED)

    def without_pictures(source):
        """The cell's imports and set-up alone, where it does not make a sweep."""
        return source if "Sweep(" in source or "shipped_in_latents" in source or "import (" in source else "\n".join(
            line for line in source.split("\n") if line.startswith("from helpers"))

    return dict(zip(NAMES, play(PAGE, wanted, without_pictures)[1], strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_knob_changes_the_picture_and_not_its_shape(sweeps, name):
    """A text is no knob with two ends; what it changes is below."""
    sweep = sweeps[name]
    text, render, knobs = sweep.knobs["text"], sweep.render, sweep.knobs
    assert len(knobs) <= 3, "at most three knobs in view"
    sweep.knobs = {key: knob for key, knob in knobs.items() if key != "text"}
    sweep.render = lambda **values: render(text=text.value, **values)
    try:
        check_knobs(sweep)
    finally:
        sweep.render, sweep.knobs = render, knobs


@pytest.mark.parametrize("name", NAMES)
def test_another_text_gives_other_pictures(sweeps, name):
    sweep = sweeps[name]
    first, same, other = (sweep.render(**sweep.values() | {"text": text})[0] for text in ("원", " 원 ", "별"))
    assert (first == same).all() and (first.shape != other.shape or (first != other).any())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("text", "says"), [("", "no caption: anything may come"), ("a blue 龘", "not read: 龘")])
def test_an_odd_prompt_is_drawn_and_the_line_says_what_was_not_read(sweeps, name, text, says):
    sweep = sweeps[name]
    before = sweep.knobs["text"].value
    sweep.knobs["text"].value = text
    assert says in sweep.status.value and "⚠" not in sweep.status.value
    sweep.knobs["text"].value = before


@pytest.mark.parametrize(("name", "knob", "value", "says"), [
    ("stepper", "text", "a" * 10_000, "10,000 characters"), ("edit", "strength", 1.5, "from 0"),
    ("stepper", "step", 0, "a step from 1 to 20; got 0"), ("stepper", "step", 21, "a step from 1 to 20; got 21"),
    ("box", "scale", 1000.0, "a guidance scale is a number from -30 to 30"),
])
def test_what_cannot_be_drawn_is_refused(sweeps, name, knob, value, says):
    sweep = sweeps[name]
    with pytest.raises(ValueError, match=says):
        sweep.render(**sweep.values() | {knob: value})


# -- the pictures of the widgets -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    model = recipes.reading_with_clip(channels=2, size=8, widths=(8, 16), reads=1).eval()
    for weight in model.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return experiments.in_latents(model, KLAutoencoder(2, widths=(8, 16)).eval())


def test_channels_of_a_latent_have_one_range_for_all():
    z = torch.tensor([[[[-3.0, 0.0]], [[3.0, 9.0]]]])
    found = faces.latent_pictures(z)
    assert found.shape == (2, 1, 2, 3)
    assert (found == shade([[[0.0, 0.5]], [[1.0, 1.0]]])).all()


def test_the_stepper_shows_the_path_that_is_drawn(system):
    prompt, steps = "a red circle", 4
    states = faces.way(system, prompt, steps, 3, 2.0)
    assert [t for t, _, _ in states] == [1000, 750, 500, 250, 0]
    torch.testing.assert_close(states[0][1], system.noise(1, torch.Generator().manual_seed(3)))
    torch.testing.assert_close(system.decode(states[-1][2]).clamp(-1, 1), system.draw([prompt], 2.0, steps, 3))
    picture, line = faces.pipeline_face(system, prompt, 2, 3, steps)
    assert picture.shape[1] == faces.PANE and line.startswith("t = 500: ")
    assert (picture != 255).any(2)[:, -2:].sum() == 0, "nothing is cut at the right border"
    assert (faces.pipeline_face(system, prompt, 3, 3, steps)[0] != picture).any()


def test_a_long_prompt_fits_on_the_pane(system):
    """What is beyond the tokens that are drawn is counted all the same."""
    long = "a very big red circle in the top left and a small blue square in the bottom right on a gray background"
    short, longer = (faces.pipeline_face(system, text, 1, 0, 2)[0] for text in ("a star", long))
    assert short.shape[1] == longer.shape[1] == faces.PANE and (longer != 255).any(2)[:, -2:].sum() == 0


def test_at_strength_0_every_scene_keeps_its_place_in_a_first_stage_that_loses_nothing(system, monkeypatch):
    pictures, factors = faces.sources()
    assert len({*map(tuple, factors[:, 3:5].tolist())}) >= 5 and len({*factors[:, 5].tolist()}) == 3
    monkeypatch.setattr(faces, "image_to_image", lambda system, pictures, *rest, **options: pictures)
    assert faces.edit_face(system, "a star", 0.0, 1)[1] == (
        "in the place where it was: 6 of 6; valid scenes: 6 of 6")
    monkeypatch.setattr(faces, "image_to_image", lambda system, pictures, *rest, **options: 0 * pictures)
    assert "valid scenes: 0 of 6" in faces.edit_face(system, "a star", 0.0, 1)[1]


def test_every_redrawn_scene_has_its_own_verdict(system, monkeypatch):
    monkeypatch.setattr(faces, "image_to_image", lambda system, pictures, *rest, **options: pictures)
    star, circle = (faces.edit_face(system, text, 0.0, 1)[0] for text in ("a star", "a circle"))
    words = slice(-LINES * 20, None)
    for one, other in zip(np.split(star[words], 6, 1), np.split(circle[words], 6, 1), strict=True):
        assert (one != other).any()


# -- exercises -----------------------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


def work(side, width, f):
    places = (side // f) ** 2
    return 9 * width**2 * places, 2 * places**2 * width


@pytest.mark.parametrize(("answer", "says"), [
    (work, "✓"), (lambda side, width, f: work(side, width, 1), "works on the latent's places"),
    (lambda side, width, f: (9 * width**2 * side**2 // f, work(side, width, f)[1]), "both sides are divided by f"),
    (lambda side, width, f: (work(side, width, f)[0] // 9, 0), "reads nine places"),
    (lambda side, width, f: (work(side, width, f)[0] // width, 0), "reads all that go in"),
    (lambda side, width, f: (work(side, width, f)[0], work(side, width, f)[1] // 2), "two products"),
    (lambda side, width, f: (work(side, width, f)[0], 2 * (side // f) ** 2 * width), "their number, squared"),
    (lambda side, width, f: (work(side, width, f)[0], work(side, width, f)[1] // width), "of `width` numbers"),
    (lambda side, width, f: (work(side, width, f)[0] + 1, 0), "for the convolution; expected"),
    (lambda side, width, f: (work(side, width, f)[0], 7), "for attention; expected"),
    (lambda side, width, f: work(side, width, f)[0], "return two numbers"), (lambda *given: ..., "○"),
])
def test_what_latents_save(answer, says, capsys):
    assert says in verdict(exercises.latent_work(), answer, capsys)


def begin(z, eps, strength, steps):
    return (1 - strength) * z + strength * eps, round(1000 * strength), math.ceil(strength * steps)


@pytest.mark.parametrize(("answer", "says"), [
    (begin, "✓"), (lambda z, eps, r, steps: (z + r * eps, *begin(z, eps, r, steps)[1:]), "shrinks"),
    (lambda z, eps, r, steps: (begin(z, eps, 1 - r, steps)[0], *begin(z, eps, r, steps)[1:]), "have changed places"),
    (lambda z, eps, r, steps: begin(z, eps, 1 - r, steps), "share of the *noise*"),
    (lambda z, eps, r, steps: (*begin(z, eps, r, steps)[:2], steps), "only that share"),
    (lambda z, eps, r, steps: (*begin(z, eps, r, steps)[:2], int(r * steps)), "steps; expected"),
    (lambda z, eps, r, steps: (z, *begin(z, eps, r, steps)[1:]), "z_t"),
    (lambda z, eps, r, steps: z, "return three things"), (lambda *given: ..., "○"),
])
def test_where_drawing_on_begins(answer, says, capsys):
    assert says in verdict(exercises.from_a_latent(), answer, capsys)


def test_it_begins_where_the_package_begins(system, monkeypatch):
    heard, denoise = [], system.denoise
    monkeypatch.setattr(system, "denoise", lambda x, t, **cond: heard.append((x, int(t[0]))) or denoise(x, t, **cond))
    pictures = scenes.make_scenes(2, 5)[0]
    edits.image_to_image(system, pictures, ["a star"] * 2, 0.3, 1.0, 20, seed=2)
    z, eps = system.encode(pictures), system.noise(2, torch.Generator().manual_seed(2))
    noised, t, count = begin(z, eps, 0.3, 20)
    torch.testing.assert_close(heard[0][0], noised)
    assert heard[0][1] == t and len(heard) == count and flow_schedule().last == 1000


@pytest.mark.parametrize(("letters", "says"), [
    (exercises.RIGHT, "✓"), ("aab", "question 1: not a"), ("cbb", "question 2: not b"), ("caa", "question 3: not a"),
    ("ca", "return three of the letters"), ("xyz", "return three of the letters"), (3, "return three of the letters"),
    (..., "○"),
])
def test_the_licence_read(letters, says, capsys):
    assert says in verdict(exercises.licence_read(), lambda: letters, capsys)
    assert len(exercises.WHY) == len(exercises.RIGHT)
