"""The benchmarks measure working models on equal terms, and print what they claim."""

import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from helpers.data.text import BOS, EOS, PAD, is_token
from helpers.models.decoding import beam_search, greedy
from helpers.models.seq2seq import translation_loss
from helpers.training.loop import train

from . import seq2seq
from .tutorial import TutorialSeq2Seq

NAMES = ["tutorial", "ours, scaled", "ours, additive"]


@pytest.fixture(scope="module")
def task():
    return seq2seq.made_up(turns=3, batch=6, words=20, embedding=16, hidden=32, median=4)


def searches(model):
    """What is measured as greedy: source (1, S), limit -> words."""
    if isinstance(model, TutorialSeq2Seq):
        return model.translate
    return lambda src, limit: greedy(model, src, limit).words[0].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_every_model_learns_a_batch_by_heart_and_writes_it(task, name):
    model, pair = seq2seq.models(task)[name], task.batches[0]
    history = train(model, lambda step: pair, translation_loss, 100, lr=3e-2, label=None)
    assert history.loss[0] > 2 and history.loss[-1] < 0.1
    for src, tgt in zip(*pair, strict=True):
        assert searches(model)(src[None, is_token(src)], 50) == tgt[is_token(tgt)][1:].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_step_that_is_timed_trains(task, name):
    model = seq2seq.models(task)[name]
    step, before = seq2seq.trainer(model), translation_loss(model, task.batches[0])[0]
    for _ in range(5):
        step(task.batches[0])
    assert translation_loss(model, task.batches[0])[0] < before - 0.05


@torch.no_grad()
def test_padding_changes_nothing_in_the_tutorial(task):
    model = seq2seq.models(task)["tutorial"]
    src, tgt = task.batches[0]
    logits = model(src, tgt)
    torch.testing.assert_close(model(F.pad(src, (0, 3), value=PAD), tgt), logits)
    for n in range(len(src)):
        torch.testing.assert_close(model(src[n : n + 1, is_token(src[n])], tgt[n : n + 1]), logits[n : n + 1])


def test_a_translation_has_the_length_that_is_given(task):
    src, tgt = pair = seq2seq.by_length(task.batches)[1]
    lengths = is_token(tgt).sum(1) - 1
    assert lengths.unique().numel() > 2
    tutorial, ours, _ = seq2seq.models(task).values()
    for search in (greedy, partial(beam_search, width=3)):
        words = seq2seq.translate(ours, search, pair).words
        assert torch.equal((words == EOS).int().argmax(1) + 1, lengths)
    for n, length in enumerate(lengths.tolist()):
        row = src[n : n + 1, is_token(src[n])], tgt[n : n + 1]
        words = seq2seq.translate(tutorial, TutorialSeq2Seq.translate, row)
        assert len(words) == length and words.index(EOS) == length - 1
        assert seq2seq.translate(ours, greedy, row).words.shape == (1, length)
    assert not ours.decoder._forward_hooks


def test_sorting_by_length_keeps_the_pairs(task):
    def pairs(batches):
        rows = [row for batch in batches for row in zip(*batch, strict=True)]
        return [tuple(tuple(side[is_token(side)].tolist()) for side in row) for row in rows]

    ordered = pairs(seq2seq.by_length(task.batches))
    assert sorted(ordered) == sorted(pairs(task.batches))
    lengths = [len(src) for src, _ in ordered]
    assert lengths == sorted(lengths) and len(set(lengths)) > 2


def test_a_ratio_is_the_median_of_those_within_a_turn(monkeypatch):
    # The seconds that each run takes: one batch to warm up, then three. The second of them met a busy computer.
    clock = iter([0, 9, 0, 9, 0, 2, 0, 1, 0, 40, 0, 10, 0, 3, 0, 1])
    monkeypatch.setattr(seq2seq.time, "perf_counter", lambda: next(clock))
    runs = {"tutorial": lambda pair: None, "ours": lambda pair: None}
    rows = seq2seq.in_turn(runs, [60, 60, 60], lambda pair: pair)
    assert rows == [("tutorial", 20, 1), ("ours", 60, 3)]


def test_made_up_sentences_take_the_place_of_missing_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    small, large = seq2seq.tasks(1)
    assert small.title.startswith("Tiny scenes") and large.title == "Made-up sentences"
    src, tgt = large.batches[0]
    lengths = (is_token(tgt).sum(1) - 2).float()
    assert 12 < lengths.median() < 16 and 3 < lengths.std() < 7
    assert (tgt[:, 0] == BOS).all() and ((src == EOS).sum(1) == 1).all()


def test_the_report_names_every_model_with_its_size_and_its_bars(task, capsys):
    seq2seq.report(task)
    said = capsys.readouterr().out
    sizes = {name: sum(weight.numel() for weight in model.parameters()) for name, model in seq2seq.models(task).items()}
    assert list(sizes) == NAMES and f"threads: {torch.get_num_threads()}" in said
    for name, size in sizes.items():
        assert re.search(rf"{name} +{size:,} parameters", said)
    rows = re.findall(r"^  (.+?) +([\d,.]+) +([\d.]+) x *(?:\(bar (\d+)\))?", said, re.MULTILINE)
    measured = [f"{name}{how}" for name in NAMES[1:] for how in ("", ", one at a time", ", beam of 5")]
    assert [row[0] for row in rows] == [*NAMES, "tutorial", *measured]
    assert [row[3] for row in rows] == ["", "2", "2", "", "10", "", "", "10", "", ""]
    assert all(float(row[2]) > 0 for row in rows)


def test_ours_are_faster_even_in_small_batches_on_a_busy_computer():
    full = seq2seq.of_recipe("", "seq2seq-scaled-48-900", turns=2)
    small = full._replace(batches=[(src[:16], tgt[:16]) for src, tgt in full.batches])
    for measure in (seq2seq.training, seq2seq.translating):
        ratios = {row.name: row.ratio for row in measure(small)}
        assert ratios["ours, scaled"] > 1 and ratios["ours, additive"] > 1
