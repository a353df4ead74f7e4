"""The scores: each recorded figure is computed again from the shipped weights, and no bar is missed.

That prose agrees with data/scores.json is `publish --check`, in test_notebooks.py.
"""

import json

import pytest

from helpers import DATA
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


def test_a_prefix_that_fits_a_group_but_no_score(monkeypatch, capsys):
    only(monkeypatch, Score("toy.a", "words", 1.0))
    with pytest.raises(SystemExit) as stopped:
        scores.main(["toy.b"])
    assert stopped.value.code == 2 and "no scores begin with 'toy.b'" in capsys.readouterr().err


def test_an_unknown_prefix_names_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        scores.main(["nonsense"])
    assert stopped.value.code == 2 and "autoencoder.scenes" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(scores.groups()))
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
