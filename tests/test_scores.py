"""The scores: each recorded figure is computed again from the shipped weights, and no bar is missed.

That prose agrees with data/scores.json is `publish --check`, in test_notebooks.py.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from helpers import DATA, ROOT
from helpers.course import scores
from helpers.course.scores import Score
from helpers.data import downloads


def recorded():
    return json.loads((DATA / "scores.json").read_text(encoding="utf-8"))["scores"]


@pytest.mark.parametrize(("value", "bar", "verdict"), [
    (3.5, ">= 3.5", "met"), (3.49, ">= 3.5", "missed"), (1.0, "> 1", "missed"), (0.1, "<= 0.2", "met"),
    (float("nan"), ">= 0", "missed"), (5.0, "", "-"), (None, ">= 1", "skipped"),
])
def test_verdicts(value, bar, verdict):
    assert Score("a", "b", value, bar=bar).verdict == verdict


def only(monkeypatch, *found):
    monkeypatch.setattr(scores, "groups", lambda: {"toy": lambda: iter(found)})


def test_a_missed_bar_is_an_exit_status(monkeypatch, capsys):
    only(monkeypatch, Score("toy.good", "fine", 2.0, bar="> 1"), Score("toy.bad", "too low", 0.5, bar="> 1"))
    assert scores.main(["toy.good"]) == 0
    assert scores.main([]) == 1
    assert "missed" in capsys.readouterr().out


def test_json_and_the_record(monkeypatch, capsys, tmp_path):
    only(monkeypatch, Score("toy.a", "words", 0.25, ".0%", baseline=0.1))
    monkeypatch.setattr(scores, "PATH", tmp_path / "scores.json")
    (tmp_path / "scores.json").write_text('{"scores": {"older": {"text": "1"}}}')
    assert scores.main(["--json", "--write", "toy"]) == 0
    entry = json.loads(capsys.readouterr().out)["scores"]["toy.a"]
    assert (entry["value"], entry["text"], entry["baseline"], entry["verdict"]) == (0.25, "25%", 0.1, "-")
    assert set(json.loads((tmp_path / "scores.json").read_text())["scores"]) == {"older", "toy.a"}


def lost():
    raise downloads.DataUnavailable("not here")
    yield


@pytest.mark.parametrize("prefix, left", [
    ("", {"toy.a", "far.b"}),  # a full run drops what no group computes, and keeps what was skipped
    ("toy", {"toy.a", "far.b", "gone.c"}),  # a run of one group drops what that group no longer yields
    ("toy.a", {"toy.a", "toy.old", "far.b", "gone.c"}),
    ("far", {"toy.old", "far.b", "gone.c"}),
])
def test_figures_that_nothing_computes_are_dropped(prefix, left, monkeypatch, tmp_path):
    computed = {"toy": lambda: iter([Score("toy.a", "words", 1.0)]), "far": lost}
    monkeypatch.setattr(scores, "groups", lambda: computed)
    monkeypatch.setattr(scores, "PATH", tmp_path / "scores.json")
    older = {name: {"text": "1"} for name in ("toy.old", "far.b", "gone.c")}
    (tmp_path / "scores.json").write_text(json.dumps({"scores": older}))
    scores.main(["--write", *filter(None, [prefix])])
    assert set(json.loads((tmp_path / "scores.json").read_text())["scores"]) == left


def test_a_console_that_lacks_a_sign_is_no_usage_error(tmp_path):
    """As on a Korean Windows: the reason why a group is skipped holds a dash that cp949 lacks."""
    environment = os.environ | {"PYTHONIOENCODING": "cp949", "COURSE_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "helpers.course.scores", "seq2seq.multi30k"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0 and b"skipped" in done.stdout, done.stderr


def test_every_figure_is_quoted_or_held_by_a_bar():
    pages = [*(ROOT / "notebooks").glob("*.ipynb"), ROOT / "README.md"]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    quoted = set(re.findall(r"<!--score:([\w.-]+)-->", text))
    idle = [name for name, entry in recorded().items() if name not in quoted and not entry["bar"]]
    assert not idle, f"neither prose quotes them nor a bar holds them: {idle}"


def test_a_prefix_that_fits_a_group_but_no_score(monkeypatch, capsys):
    only(monkeypatch, Score("toy.a", "words", 1.0))
    with pytest.raises(SystemExit) as stopped:
        scores.main(["toy.b"])
    assert stopped.value.code == 2 and "no scores begin with 'toy.b'" in capsys.readouterr().err


def test_an_unknown_prefix_names_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        scores.main(["nonsense"])
    assert stopped.value.code == 2 and "autoencoder.scenes" in capsys.readouterr().err


# Groups that take minutes, and the tests that try the same on less.
LONG = {"scenes.judge": "test_scenes_judge.py tries each kind of false scene with 40 pictures instead of 1,000",
        "scenes.pairs": "test_scenes_judge.py does so for pairs",
        "scenes.parser": "test_scenes_parser.py reads fewer pictures than 4,000",
        "scenes.captions": "test_scenes_typed.py reads fewer captions than 20,000 back",
        "diffusion.drawn": "test_diffusion_measures.py draws fewer pictures than 1,000",
        "diffusion.memory": "it takes the pictures of diffusion.drawn; the page compares 48 of them",
        "diffusion.steps": "test_diffusion_measures.py draws with one number of steps",
        "diffusion.variety": "the same draws, with two more ways to add noise",
        "diffusion.holes": "test_diffusion_measures.py fills fewer holes",
        "prompted.one": "test_prompted_measures.py draws and judges fewer pictures than 600",
        "prompted.two": "the same, of two objects",
        "prompted.held": "the same, of pairings that were held out",
        "prompted.less": "the same, of prompts that say less",
        "prompted.typed": "the same, of prompts that people typed",
        "prompted.frontier": "the same, along the guidance scales",
        "prompted.clip": "test_prompted_measures.py is led by a CLIP of its own",
        "prompted.middle": "test_prompted_measures.py guides in an interval with a denoiser that is known",
        "prompted.negative": "test_text_to_image.py leads away from a prompt",
        "prompted.together": "test_text_to_image.py draws two prompts together",
        "emoji.shows": "test_named_emoji.py measures the same of fewer pictures, drawn by one who copies",
        "emoji.names": "it takes the pictures of emoji.shows",
        "emoji.untold": "test_named_emoji.py draws without an artist",
        "emoji.scales": "the page draws at each scale",
        "emoji.held": "test_named_emoji.py measures errors of one who copies",
        "emoji.unknown": "test_named_emoji.py judges fewer pictures",
        "latent.trip": "test_stable_diffusion.py makes round trips of fewer pictures than 8,000",
        "latent.borne": "test_latent_measures.py decodes fewer latents under noise",
        "latent.one": "test_stable_diffusion.py judges fewer pictures than 600",
        "latent.two": "the same, of two objects",
        "latent.held": "the same, of pairings that were held out",
        "latent.factors": "it takes the pictures of latent.one",
        "latent.edit": "test_latent_measures.py edits fewer scenes, with answers that are known",
        "latent.breaks": "the page draws eight with each scale, and decodes 60 noises",
        "studio.decides": "test_midjourney_page.py finds who decides where that is known; the page tries eight noises",
        "studio.chaos": "test_midjourney_page.py counts differences by hand; the page draws two grids",
        "studio.vary": "test_midjourney_page.py varies scenes with a button that is known",
        "studio.zoom": "the same, of a zoom",
        "studio.no": "test_midjourney_page.py counts in pictures that are known",
        "dalle.trip": "test_dalle_measures.py makes a round trip through a stage that loses nothing",
        "dalle.one": "test_dalle_measures.py judges the same of fewer pictures",
        "dalle.two": "the same, of two objects",
        "dalle.held": "the same, of pairings that were held out",
        "dalle.temperature": "the page writes at some temperatures; test_dalle.py draws by the softmax",
        "dalle.choice": "test_dalle_measures.py chooses among fewer candidates",
        "dalle.half": "test_dalle_measures.py completes fewer scenes",
        "dalle.swap": "the page exchanges codes of 24 scenes"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.skip(LONG[name])) if name in LONG else name
                                  for name in scores.groups()])
def test_the_recorded_figures_are_what_the_shipped_weights_give(name):
    for data in set(name.split(".")) & set(downloads.DATASETS):  # such as autoencoder.mnist
        if not downloads.at_hand(data):
            pytest.skip(f"needs {downloads.DATASETS[data].title}: set COURSE_DATA to a folder that holds it")
    found, record = list(scores.compute(name)), recorded()
    assert {score.name for score in found} == {known for known in record if known.startswith(name)}
    for score in found:
        entry = record[score.name]
        share = score.form.endswith("%")  # one picture of 2,000 may fall the other way on another processor
        assert score.value == pytest.approx(entry["value"], rel=0.01, abs=0.005 if share else 0), score.name
        assert (score.bar, score.what) == (entry["bar"], entry["what"]) and score.text(entry["value"]) == entry["text"]
        assert score.verdict != "missed", f"{score.name}: {score.value} misses {score.bar}"


def test_a_group_without_its_data_says_that_it_was_skipped(monkeypatch, tmp_path):
    """The groups that the test above skips: their names hold the name of a data set."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    for name in scores.groups():
        if set(name.split(".")) & set(downloads.DATASETS):
            assert list(scores.compute(name))[-1].verdict == "skipped", name


def test_every_recorded_figure_belongs_to_a_group():
    assert all(any(name.startswith(group) for group in scores.groups()) for name in recorded())
