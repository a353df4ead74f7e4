"""The benchmark of the Vision Transformer: equal terms, and a report that says what was measured."""

import pytest
import torch

from helpers.lessons.vision_transformer import experiments, scores
from helpers.models.vit import VisionTransformer

from . import vit


def tiny():
    return VisionTransformer(vit.LOGITS, patch=16, width=16, depth=1, heads=2)


def test_each_arm_trains_for_its_time():
    arms = vit.arms(build_peer=tiny, seconds=0.4)
    assert list(arms) == ["documented", "peer", "ours", "sooner"]
    for name in ("documented", "peer"):
        torch.manual_seed(0)
        model, seconds = arms[name](0)
        start = dict(tiny().named_parameters())
        assert any(not torch.equal(value, start[key]) for key, value in model.named_parameters())
        assert seconds == pytest.approx(0.4, rel=0.6), name


def test_the_last_arm_gets_less_time(monkeypatch):
    asked = []

    def loop(build, seed, seconds):
        asked.append((build().config["patch"], seconds))

    monkeypatch.setattr(vit, "by_our_loop", loop)
    for name in ("peer", "ours", "sooner"):
        vit.arms(build_peer=tiny, seconds=9.0)[name](0)
    assert asked == [(16, 9.0), (8, 9.0), (8, 6.0)]


def test_a_seed_gives_the_same_batches_in_both_loops(monkeypatch):
    met = []
    draw = experiments.labelled_scenes

    def kept(batch):
        inner = draw(batch)

        def batches(step):
            met.append(inner(step))
            return met[-1]

        return batches

    monkeypatch.setattr(vit.vit, "labelled_scenes", kept)
    vit.as_documented(tiny, 7, 0.05)
    first = met[0][0]
    met.clear()
    vit.train(tiny(), kept(vit.VIT_BATCH), vit.vit.questions_loss, 1, seed=7, label=None)
    assert torch.equal(met[0][0], first)


def test_the_report_gives_mean_error_and_range():
    text = vit.report({"peer": [(0.5, 10.0), (0.6, 10.0), (0.7, 13.0)], "ours": [(0.9, 7.0)]})
    assert "peer        shape named 0.600 ± 0.058 (0.500 to 0.700), 11.0 s" in text and "0.900 ± nan" in text


def test_minutes_are_recorded_when_asked(monkeypatch, capsys):
    recorded = {}
    monkeypatch.setattr(vit, "TIMED", ("vit-scenes-16",))
    monkeypatch.setattr(vit.tuning, "record", recorded.__setitem__)
    vit.measure_minutes(record=False)
    assert not recorded and "vit-scenes-16:" in capsys.readouterr().out
    vit.measure_minutes(record=True)
    (seconds,) = recorded["vit-scenes-16 lr=0.001 steps=2000 seed=0 cores=1"].values()
    monkeypatch.setattr(vit.tuning, "read", lambda: recorded)
    assert scores.core_minutes("vit-scenes-16") == seconds / 60, "the page's figure finds what was recorded"
