"""The scores: each shipped figure is computed again, bars are honest, and prose agrees with data/scores.json."""

import json
import os

import pytest

from helpers import DATA, scores
from helpers.scores import Score, __main__

RECORDED = json.loads((DATA / "scores.json").read_text(encoding="utf-8"))["scores"]


@pytest.mark.parametrize(("value", "bar", "verdict"), [
    (3.5, ">= 3.5", "met"), (3.49, ">= 3.5", "missed"), (1.0, "> 1", "missed"), (0.1, "<= 0.2", "met"),
    (float("nan"), ">= 0", "missed"), (5.0, "", "-"), (None, ">= 1", "skipped"),
])  # fmt: skip
def test_verdicts(value, bar, verdict):
    assert Score("a", "b", value, bar=bar).verdict == verdict


def only(monkeypatch, *found):
    monkeypatch.setattr(scores, "GROUPS", {"toy": lambda: iter(found)})


def test_a_missed_bar_is_an_exit_status(monkeypatch, capsys):
    only(monkeypatch, Score("toy.good", "fine", 2.0, bar="> 1"), Score("toy.bad", "too low", 0.5, bar="> 1"))
    assert __main__.main(["toy.good"]) == 0
    assert __main__.main([]) == 1
    assert "missed" in capsys.readouterr().out


def test_json_and_the_record(monkeypatch, capsys, tmp_path):
    only(monkeypatch, Score("toy.a", "words", 0.25, ".0%", baseline=0.1))
    monkeypatch.setattr(__main__, "PATH", tmp_path / "scores.json")
    (tmp_path / "scores.json").write_text('{"scores": {"older": {"text": "1"}}}')
    assert __main__.main(["--json", "--write", "toy"]) == 0
    entry = json.loads(capsys.readouterr().out)["scores"]["toy.a"]
    assert (entry["value"], entry["text"], entry["baseline"], entry["verdict"]) == (0.25, "25%", 0.1, "-")
    assert set(json.loads((tmp_path / "scores.json").read_text())["scores"]) == {"older", "toy.a"}


def test_an_unknown_prefix_names_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        __main__.main(["nonsense"])
    assert stopped.value.code == 2 and "autoencoder.scenes" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(scores.GROUPS))
def test_the_recorded_figures_are_what_the_shipped_weights_give(name):
    if "mnist" in name and not os.environ.get("COURSE_DATA"):
        pytest.skip("needs MNIST: set COURSE_DATA to a folder that holds it")
    found = list(scores.compute(name))
    assert found and all(score.value is not None for score in found)
    for score in found:
        assert score.value == pytest.approx(RECORDED[score.name]["value"], rel=0.02), score.name
        assert score.verdict != "missed", f"{score.name}: {score.value} misses {score.bar}"
