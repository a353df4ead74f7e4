"""Notebook 15 as a page: its knob, what it measures, its exercises, and the studio by itself."""

import json
import math
from pathlib import Path

import pytest
import torch
from played import check_knobs, play
from studio_worlds import tiny_worlds

from helpers.course import notebook_files
from helpers.data import scenes
from helpers.diffusion.samplers import finished, sample
from helpers.lessons.midjourney import by_itself, drawings, exercises, experiments, faces, scores
from helpers.systems.studio import Session, Studio
from helpers.systems.studio.chaos import SpreadNoise, fewer_words, own_share
from helpers.training import tuning

PAGE = "15_midjourney.ipynb"


@pytest.fixture(scope="module")
def studio():
    return Studio(*tiny_worlds())


# -- the widget ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sweep():
    def wanted(cell):
        tags = any(notebook_files.tagged(cell, tag) for tag in ("bootstrap", "exercise", "gap", "drawing"))
        return not tags and ("shipped_studio()\n" in cell.source or "from helpers.course" in cell.source or
                             "shipped_studio()  #" in cell.source or "Sweep(" in cell.source)

    found, = play(PAGE, wanted)[1]
    return found


def test_knobs_change_the_pictures_and_not_their_shape(sweep):
    text, render, knobs = sweep.knobs["text"], sweep.render, sweep.knobs
    assert len(knobs) <= 3, "at most three knobs in view"
    sweep.knobs = {key: knob for key, knob in knobs.items() if key != "text"}
    sweep.render = lambda **values: render(text=text.value, **values)
    try:
        check_knobs(sweep)
    finally:
        sweep.render, sweep.knobs = render, knobs


@pytest.mark.parametrize(("text", "says"), [("", "the prompt is empty"), ("龘", "no word of the prompt"),
                                            ("a" * 999, "characters"), ("a > b", "is no button")])
def test_what_cannot_be_drawn_is_refused(sweep, text, says):
    with pytest.raises(ValueError, match=says):
        sweep.render(**sweep.values() | {"text": text})


def test_the_line_says_what_was_not_understood(sweep):
    assert "not understood: elephant" in sweep.render(**sweep.values() | {"text": "a red elephant"})[1]


def test_the_line_of_the_widget_counts_what_differs(studio, monkeypatch):
    factors = torch.tensor([[0, 0, 0, 0, 0, 0]] * 3 + [[1, 1, 0, 0, 0, 0]])
    monkeypatch.setattr(scenes, "parse", lambda x: scenes.Parsed(factors, torch.zeros(4, dtype=torch.long), None))
    assert "differ in 1.0 of six factors" in faces.chaos_face(studio, "a star", 0, 1)[1]


# -- what is measured ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "expected"), [
    (lambda p, s: p % 3, (1, 0, 0)), (lambda p, s: s % 3, (0, 1, 0)), (lambda p, s: (p + s) % 3, (0, 0, 1)),
    (lambda p, s: 2, (0, 0, 0)),
])
def test_who_decides(rule, expected):
    values = torch.tensor([[rule(p, s) for s in range(6)] for p in range(9)])
    assert tuple(experiments.decided(values)) == pytest.approx(expected, abs=1e-9)


def test_of_chance_alone_each_gets_what_few_of_the_other_leave():
    values = torch.randint(3, (12, 24), generator=torch.Generator().manual_seed(0))
    found = experiments.decided(values)
    assert found.prompt == pytest.approx(1 / 24, abs=0.03) and found.noise == pytest.approx(1 / 12, abs=0.04)
    assert sum(found) == pytest.approx(1)


def test_shares_by_hand():
    """Two prompts, two noises, values 0 0 / 0 1: the means are 1/4, rows 0 and 1/2, columns the same."""
    found = experiments.decided(torch.tensor([[0, 0], [0, 1]]))
    assert tuple(found) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_how_unlike_four_pictures_are():
    same = torch.zeros(4, 6)
    assert experiments.unlike(same) == 0
    same[0, :3] = 1
    assert experiments.unlike(same) == 1.5, "three of six pairs differ in three factors"


def test_prompts_of_things():
    assert len(set(experiments.things(24))) == 24 and experiments.things(2)[0].startswith("a ")
    with pytest.raises(ValueError, match="there are"):
        experiments.things(10_000)


class Copies(Studio):
    """Draws true scenes; what a button makes of one is set by the test."""

    def __init__(self, make):
        super().__init__(*tiny_worlds())
        self.make = make

    def imagined(self, asked):
        return scenes.make_scenes(4, asked.seed)[0], ()

    def pressed(self, before, asked, press, notes):
        if press.kind == "U":
            return super().pressed(before, asked, press, notes)
        return self.make(before.expand(4, -1, -1, -1).clone()), notes


def test_what_variations_keep():
    prompts = experiments.things(4)
    assert experiments.varied_shares(Copies(lambda x: x), "Subtle", prompts) == {"kept": 1, "same": 1, "valid": 1}
    assert experiments.varied_shares(Copies(lambda x: 0 * x), "Subtle", prompts)["valid"] == 0
    half = Copies(lambda x: torch.cat([x[:2], scenes.make_scenes(2, 99)[0]]))
    mixed = experiments.varied_shares(half, "Strong", prompts)
    assert 0.5 <= mixed["kept"] < 1 and mixed["valid"] == 1
    with pytest.raises(ValueError, match="nothing to vary"):
        experiments.varied_shares(Studio(*tiny_worlds()), "Subtle", prompts[:1])


def test_what_a_zoom_keeps(studio):
    real = experiments.zoom_measures(studio, experiments.things(2))
    assert real["centre"] == 0, "the middle is pasted"
    lost = experiments.zoom_measures(Copies(lambda x: 0 * x), experiments.things(3))
    assert lost["centre"] > 20 and lost["ground"] < 1
    ground = experiments.zoom_measures(Copies(lambda x: x[:, :, :1, :1].expand(-1, -1, 32, 32)), experiments.things(3))
    assert ground["ground"] == 1 and 20 < ground["detail"] < 60


def test_red_ones_are_counted():
    red = scenes.VALUES["colour"].index("red")
    factors = torch.tensor([[0, red, 0, 1, 1, 0], [0, red + 1, 0, 1, 1, 0]] * 2)

    class Half(Copies):
        def imagined(self, asked):
            return scenes.draw(factors, torch.Generator().manual_seed(0)), ()

    assert experiments.coloured_share(Half(None), "red", False, ["a star"]) == 0.5


def test_a_sitting_is_drawn_again_and_another_network_draws_another():
    scene, emoji = tiny_worlds()
    assert experiments.same_again(Studio(scene, emoji), Studio(scene, emoji)) == 1
    assert experiments.equal_grids(Studio(scene), 4) == 0
    more = Studio(scene, emoji)
    more.imagined = lambda asked: (Studio(scene, emoji).imagined(asked)[0].flip(0), ())
    assert experiments.same_again(Studio(scene, emoji), more) < 0.5


def test_every_kind_of_button_is_pressed_in_a_sitting(studio):
    kinds = {press.kind for job in experiments.a_session(studio).jobs for press in job.line.presses}
    assert kinds == {"U", "V", "Vary", "Region", "Zoom", "Pan"}


def test_scores_have_their_group_s_name(monkeypatch, studio):
    monkeypatch.setattr(scores, "studio", lambda: studio)
    monkeypatch.setattr(experiments, "shipped_studio", lambda: Studio(*tiny_worlds()))
    monkeypatch.setattr(tuning, "read", lambda: {scores.studio_timed(): {
        f"{name}_seconds": 0.25 for name in ("grid", "upscale", "emoji", "zoom")}})
    monkeypatch.setattr(experiments, "varied_shares", lambda studio, how, prompts: {
        "kept": 0.9 if how == "Subtle" else 0.5, "same": 0.9, "valid": 1.0})
    for name, few in (("PROMPTS_DECIDED", 3), ("SEEDS_DECIDED", 2), ("GRIDS_TRIED", 2), ("ZOOMED_OUT", 2)):
        monkeypatch.setattr(scores, name, few)
    found = {}
    for name, yields in scores.groups():
        of = list(yields())
        assert of and all(score.name.startswith(f"{name}.") for score in of) and all(math.isfinite(s.value) for s in of)
        found |= {score.name: score for score in of}
    assert found["studio.vary.lead"].value == pytest.approx(0.4) and found["studio.seconds.grid"].text() == "250"
    assert found["studio.seconds.grid"].verdict == "met" and found["studio.again.same"].verdict == "met"


def test_what_the_judge_sees_is_told():
    session = Session(Copies(lambda x: x))
    four, one = session.say("/imagine prompt: a star --seed 3"), session.say("U2")
    assert experiments.seen_in(four).startswith("1: a ") and "; 4: a " in experiments.seen_in(four)
    assert experiments.seen_in(one) == experiments.seen_in(four).split("; ")[1].removeprefix("2: ")
    tiny = Session(Studio(*tiny_worlds()))
    assert "no clean scene" in experiments.seen_in(tiny.say("/imagine prompt: a star"))
    for text in ("/imagine prompt: a star --ar 2:1", "/imagine prompt: tiger --emoji"):
        assert experiments.seen_in(tiny.say(text)) == ""


def test_the_figure_shows_the_pictures_that_the_command_draws(studio):
    first, same, other = (drawings.command_map(studio, "a star", seed)._repr_svg_() for seed in (7, 7, 8))
    assert first == same != other and "TextTower" in first and "--seed 7" in first


# -- exercises -----------------------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


def parse(text):
    words, *parts = text.removeprefix("/imagine prompt:").split(" --")
    found = {"prompt": words.strip(), "seed": None, "no": ""}
    if not found["prompt"]:
        raise ValueError("empty")
    for part in parts:
        name, _, value = part.partition(" ")
        if name not in ("seed", "no") or not value:
            raise ValueError(name)
        found[name] = int(value) if name == "seed" else value
    return found


def forgiving(text):
    try:
        return parse(text)
    except ValueError:
        return {"prompt": "", "seed": None, "no": ""}


@pytest.mark.parametrize(("answer", "says"), [
    (parse, "✓"), (forgiving, "is to raise ValueError (--seed has no value)"),
    (lambda text: parse(text) | {"seed": 0}, "seed of"), (lambda text: {"prompt": text}, "return a dict with"),
    (lambda text: parse(text) | {"no": None}, "no of"), (lambda text: 1 / 0, "✗"),
    (lambda text: parse(text.replace("--seed 0", "")) if "--seed" in text else parse(text), "seed of"),
    (lambda text: parse("/imagine prompt:"), "is a good command"), (lambda text: ..., "○"),
])
def test_a_command_read(answer, says, capsys):
    assert says in verdict(exercises.command_read(), answer, capsys)


def test_the_eight_commands():
    assert len(exercises.TO_PARSE) == 8 and sum(expected is None for _, expected in exercises.TO_PARSE) == 4


def again_from(studio, seeded=lambda seed: seed, share=own_share, drop=True, done=finished):
    def answer(prompt, seed, chaos):
        world = studio.worlds[False]
        noise = SpreadNoise(seeded(seed), share(chaos))
        denoise = world.denoiser(fewer_words(prompt, 4, chaos, seed) if drop else [prompt] * 4)
        start = world.system.noise(4, noise)
        return done(sample(denoise, start, world.system.schedule, world.steps, world.eta, generator=noise),
                    world.system.decode)
    return answer


@pytest.mark.parametrize(("how", "says"), [
    ({}, "✓"), ({"seeded": lambda seed: 0}, "another seed"), ({"share": lambda chaos: 0.0}, "all four are the same"),
    ({"share": lambda chaos: 1.0}, "the grid of"),
    ({"done": lambda path, decode: 3 + finished(path, decode)}, "clamp"),
    ({"done": lambda path, decode: finished(path, decode)[:2]}, "return four pictures"),
])
def test_a_grid_from_the_log(studio, how, says, capsys):
    assert says in verdict(exercises.from_the_log(studio), again_from(studio, **how), capsys)


def test_the_log_has_a_line_whose_captions_lose_words(studio, capsys):
    assert "✗" in verdict(exercises.from_the_log(studio), again_from(studio, drop=False), capsys)


@pytest.mark.parametrize(("letters", "says"), [
    (exercises.RIGHT_LETTERS, "✓"), ("c-c-nc", "number 1: not c"), ("nnc-nc", "number 2"), ("n-n-nc", "number 3"),
    ("n-cnnc", "number 4"), ("n-c--c", "number 5"), ("n-c-nn", "number 6"), ("n-c", "return six signs"),
    (7, "return six signs"), (..., "○"),
])
def test_what_changes_what(letters, says, capsys):
    assert says in verdict(exercises.what_changes(), lambda: letters, capsys)
    assert len(exercises.REASONS) == len(exercises.RIGHT_LETTERS)


# -- by itself -----------------------------------------------------------------------------------------------------


def test_the_studio_by_itself_is_one_cell(monkeypatch, tmp_path):
    page = by_itself.page_of_one_cell(True)
    assert [cell["cell_type"] for cell in page["cells"]] == ["markdown", "code"]
    assert [cell["cell_type"] for cell in by_itself.page_of_one_cell(False)["cells"]] == ["code"]
    heard = []
    monkeypatch.setattr(by_itself.os, "execv", lambda path, command: heard.append(command))
    monkeypatch.setattr(by_itself.importlib.util, "find_spec", lambda name: None)
    by_itself.main([])
    folder = next(part for part in heard[0] if "root_dir" in part).split("=")[1]
    assert "jupyterlab" in heard[0] and json.loads(Path(folder, "studio.ipynb").read_text(encoding="utf-8")) == page
    monkeypatch.setattr(by_itself.importlib.util, "find_spec", lambda name: object())
    by_itself.main([])
    assert "voila" in heard[1] and "--Voila.ip=127.0.0.1" in heard[1]


def test_its_cell_runs():
    names = {}
    exec(by_itself.ONE_CELL.replace("StudioPane(", "pane = StudioPane("), names)
    assert names["pane"].session.jobs == ()
