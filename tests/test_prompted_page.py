"""Notebook 13 as a page: its knobs, bad input in its prompt box, its figures, and its exercises."""

import pytest
import torch
import torch.nn.functional as F
from played import check_knobs, play

from helpers.course import notebook_files, scores
from helpers.data.files import read_json
from helpers.lessons.text_conditioned_diffusion import drawings, exercises, experiments
from helpers.models.glide import GLIDE

PAGE = "13_text_conditioned_diffusion.ipynb"
NEEDED = ("from helpers", "import ", "system = ", "world = ", "Sweep(")  # what the cells of widgets rest on
SWEEPS = ("box", "words", "classes", "tree", "line", "emoji")  # in the order of the page


@pytest.fixture(scope="module")
def sweeps():
    """{the name of its first knob: a sweep of the page}."""
    def wanted(cell):
        left_out = any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "exercise", "gap", "drawing"))
        return not left_out and "Predict(" not in cell.source and any(words in cell.source for words in NEEDED)

    return dict(zip(SWEEPS, play(PAGE, wanted)[1], strict=True))


@pytest.mark.parametrize("name", SWEEPS)
def test_every_knob_changes_the_picture_and_not_its_shape(sweeps, name):
    """A text is no knob with two ends; what it changes is below."""
    sweep = sweeps[name]
    text = sweep.knobs.pop("text", None)
    if text is None:
        return check_knobs(sweep)
    render, sweep.render = sweep.render, lambda **values: render(text=text.value, **values)
    try:
        check_knobs(sweep)
    finally:
        sweep.render, sweep.knobs = render, {"text": text} | sweep.knobs


@pytest.mark.parametrize("name", ["box", "words", "emoji"])
def test_another_text_gives_other_pictures(sweeps, name):
    sweep = sweeps[name]
    first, same, other = (sweep.render(**sweep.values() | {"text": text})[0] for text in ("원", " 원 ", "별"))
    assert (first == same).all() and (first.shape != other.shape or (first != other).any())


@pytest.mark.parametrize(("text", "says"), [
    ("", "no caption: anything may come"), ("a shiny blue 龘", "not read: 龘"),
    ("a small big star", "all that was asked for"), ("a square that is not red", "all that was asked for"),
])
def test_an_odd_prompt_is_drawn_and_the_line_says_what_was_not_read(sweeps, text, says):
    box = sweeps["box"]
    box.knobs["text"].value = text
    assert says in box.status.value and "⚠" not in box.status.value


def test_a_contradiction_has_a_cross(sweeps):
    """The chips stand above the pictures: a framed one is higher than a plain one."""
    box = sweeps["box"]
    plain, crossed = (box.render(**box.values() | {"text": text})[0] for text in ("a big star", "a small big star"))
    frame = (crossed == (213, 94, 0)).all(-1).sum()
    assert frame > 100 and not (plain == (213, 94, 0)).all(-1).any()


@pytest.mark.parametrize(("knob", "value", "says"), [
    ("text", "a" * 10_000, "10,000 characters"), ("scale", 1000.0, "a guidance scale is a number from -30 to 30"),
    ("steps", 0, "steps is a whole number from 1 to 1000"),
])
def test_what_cannot_be_drawn_is_refused_in_the_card(sweeps, knob, value, says):
    """As a reader's kernel would: the sentence stands in the card, and the last picture stays."""
    box = sweeps["box"]
    render, before = box.render, box.image.value
    box.render = lambda **values: render(**values | {knob: value})
    try:
        with pytest.raises(ValueError, match=says):
            box.knobs["seed"].value += 1
    finally:
        box.render = render
    assert says in box.status.value and "⚠ This setting cannot be drawn" in box.status.value
    assert box.image.value == before


@pytest.mark.parametrize(("text", "says"), [
    ("", "no caption: anything may come"), ("a sad purple banana", "no emoji of ours has this name"),
    ("red heart 龘", "not read: 龘"), ("blue heart", "never seen: Noto"),
])
def test_the_line_below_an_emoji_says_what_is_odd(sweeps, text, says):
    box = sweeps["emoji"]
    box.knobs["text"].value = text
    assert says in box.status.value and "⚠" not in box.status.value
    assert ("no emoji" in box.status.value) == (text == "a sad purple banana")


# -- figures -------------------------------------------------------------------------------------------------------


def test_the_figure_shows_the_features_that_the_network_has():
    """What comes from the fine levels, and the middle's answer: they are what hooks on the network see."""
    torch.manual_seed(0)
    model = GLIDE(["<pad>", "<s>", "</s>", "<unk>", "▁a"], {"width": 8, "depth": 1, "heads": 2},
                  {"size": 16, "widths": (8, 16, 16), "reads": 1}).eval()
    cond, x, seen = model.read(torch.tensor([[4, 2]])), torch.randn(1, 3, 16, 16), {}
    for parameter in model.parameters():
        if not parameter.any():  # what begins at 0 would not be missed
            torch.nn.init.normal_(parameter)
    hooks = [model.unet.down[1].register_forward_hook(lambda layer, given, answer: seen.update(before=answer)),
             model.unet.middle.register_forward_hook(lambda layer, given, answer: seen.update(after=answer))]
    with torch.no_grad():
        model(x, torch.tensor([600]), **cond)
        for hook in hooks:  # what is compared with them calls the same levels
            hook.remove()
        before, after = drawings.features_around(model, x, 600, cond)
    torch.testing.assert_close(before, F.avg_pool2d(seen["before"][0], 2), msg="what the first level that reads gets")
    torch.testing.assert_close(after, seen["after"][0])


def test_the_frontier_has_the_recorded_shares_and_their_intervals(monkeypatch, tmp_path):
    scales = experiments.GUIDANCE_SCALES
    table = {f"prompted.frontier.{scale:g}.{name}": {"value": 0.1 * place + 0.05 * at}
             for place, name in enumerate(("asked", "valid", "both")) for at, scale in enumerate(scales)}
    (tmp_path / "scores.json").write_text(str({"scores": table}).replace("'", '"'))
    monkeypatch.setattr(drawings, "PATH", tmp_path / "scores.json")
    shares = drawings.recorded_frontier()
    assert list(shares) == ["asked", "valid", "both"] and shares["valid"][2] == pytest.approx(0.2)
    axes = drawings.frontier_figure(shares, 100).axes[0]
    reach = [(end - start) / 2 for part in axes.collections for (_, start), (_, end) in part.get_segments()]
    expected = [1.96 * (p * (1 - p) / 100) ** 0.5 for values in shares.values() for p in values]
    assert reach == pytest.approx(expected)


def test_the_recorded_frontier_is_there():
    assert all(0 <= value <= 1 for values in drawings.recorded_frontier().values() for value in values)
    assert read_json(scores.PATH)["scores"]["prompted.frontier.1.both"]["value"] > 0


# -- exercises -----------------------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


@pytest.mark.parametrize(("answer", "says"), [
    (lambda cond, uncond, s: uncond + s * (cond - uncond), "✓"),
    (lambda cond, uncond, s: (1 - s) * uncond + s * cond, "✓"),
    (lambda cond, uncond, s: (1 + s) * cond - s * uncond, "the paper's w"),
    (lambda cond, uncond, s: cond + s * (uncond - cond), "changed places"),
    (lambda cond, uncond, s: uncond - s * (cond - uncond), "away from the prompt"),
    (lambda cond, uncond, s: 2 * cond - uncond, "the answer at s = 0"),
    (lambda cond, uncond, s: uncond[0], "expected (2, 3, 4, 4)"), (lambda cond, uncond, s: ..., "○"),
])
def test_guidance_in_one_line(answer, says, capsys):
    assert says in verdict(exercises.guidance_line(), answer, capsys)


def best(scales, share):
    return scales[share.argmax()]


@pytest.mark.parametrize(("answer", "says"), [
    (lambda scales, asked, valid: best(scales, (asked & valid).sum(1)), "✓"),
    (lambda scales, asked, valid: best(scales, asked.sum(1)), "it must be valid, too"),
    (lambda scales, asked, valid: best(scales, valid.sum(1)), "nobody need have asked"),
    (lambda scales, asked, valid: best(scales, asked.float().mean(1) * valid.float().mean(1)), "look at each picture"),
    (lambda scales, asked, valid: best(scales, torch.minimum(asked.sum(1), valid.sum(1))), "look at each picture"),
    (lambda scales, asked, valid: 5 / 12, "not its place"),
    (lambda scales, asked, valid: asked & valid, "one of the scales"), (lambda *given: ..., "○"),
])
def test_the_best_scale(answer, says, capsys):
    assert says in verdict(exercises.frontier_scale(), answer, capsys)


def led(model, x, t, cond, away, s):
    avoided = model(x, t, **away)
    return avoided + s * (model(x, t, **cond) - avoided)


@pytest.mark.parametrize(("answer", "says"), [
    (led, "✓"), (lambda model, x, t, cond, away, s: led(model, x, t, away, cond, s), "changed places"),
    (lambda model, x, t, cond, away, s: model(x, t, **cond) + s * model(x, t, **away), "is added"),
    (lambda model, x, t, cond, away, s: led(model, x, 0, cond, away, s), "t is lost"),
    (lambda model, x, t, cond, away, s: model(x, t, **cond), "the answer at s = 3"), (lambda *given: ..., "○"),
])
def test_a_negative_prompt(answer, says, capsys):
    assert says in verdict(exercises.negative_prompt(), answer, capsys)
