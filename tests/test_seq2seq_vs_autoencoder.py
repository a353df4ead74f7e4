"""Notebook 03: what makes its networks differ, the figures that judge them, and its exercises."""

import math

import pytest
import torch

from helpers.data.scenes import SHAPES, crowd, parse
from helpers.data.text import EOS, PAD, UNK, Tokenizer
from helpers.lessons.seq2seq_vs_autoencoder import exercises, experiments
from helpers.models.autoencoder import Autoencoder, reconstruction_loss
from helpers.models.seq2seq import translation_loss
from helpers.training import recipes

# -- defects ---------------------------------------------------------------------------------------


def test_a_defect_is_a_square_inside_each_picture_and_changes_nothing_else():
    x = torch.zeros(500, 3, 32, 32)
    marked, mask = experiments.with_defect(x)
    assert mask.shape == (500, 1, 32, 32) and (mask.flatten(1).sum(1) == 9).all()
    rows, columns = mask[:, 0].any(2), mask[:, 0].any(1)
    assert (rows.sum(1) == 3).all() and (columns.sum(1) == 3).all()
    assert rows.any(0).all() and columns.any(0).all(), "every row and column is reached"
    assert not torch.equal(rows, columns), "row and column are drawn apart"
    inside = mask.expand_as(x)
    assert (marked[~inside] == 0).all()
    assert torch.equal(marked.movedim(1, -1)[mask[:, 0]], torch.tensor(experiments.MAGENTA).expand(4500, 3))


def test_a_share_of_the_pictures_gets_a_defect():
    marked, mask = experiments.with_defect(torch.zeros(2000, 3, 32, 32), share=0.3)
    got = mask.flatten(1).any(1)
    assert 0.26 < got.float().mean() < 0.34
    assert torch.equal(marked.flatten(1).any(1), got)
    assert not experiments.with_defect(torch.zeros(50, 3, 32, 32), share=0)[1].any()


def test_the_defects_that_figures_are_measured_on_are_always_the_same():
    first, again = experiments.marked_scenes(50), experiments.marked_scenes(50)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    clean, marked, mask = first
    assert torch.equal(clean.where(~mask, 0), marked.where(~mask, 0)) and not torch.equal(clean, marked)


def test_an_autoencoder_that_erases_and_one_that_copies_are_told_apart():
    clean, marked, _ = experiments.marked_scenes(1000)

    class Fixed(torch.nn.Module):
        def __init__(self, output):
            super().__init__()
            self.output, self.place = output, torch.nn.Parameter(torch.zeros(1))
            self.asked = 0

        def forward(self, x):
            self.asked += len(x)
            return self.output[(self.asked - len(x)) % 1000 : (self.asked - 1) % 1000 + 1]

    erased, copied = (experiments.evaluate_defects(Fixed(y)) for y in (clean, marked))
    assert erased["to_clean"] == 0 and erased["to_defect"] > 0.3
    assert copied["to_defect"] == 0 and copied["to_clean"] == erased["to_defect"]


# -- the alarm -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("normal", "odd", "area"), [
    ([1, 2, 3], [4, 5], 1), ([4, 5], [1, 2, 3], 0), ([1, 3], [2], 0.5), ([1, 2], [2, 2], 0.75), ([1], [1], 0.5),
])
def test_auroc_of_known_scores(normal, odd, area):
    assert experiments.auroc(torch.tensor(normal), torch.tensor(odd)) == area


def test_auroc_is_the_area_under_the_curve():
    normal, odd = torch.randn(400), torch.randn(300) + 1
    thresholds = torch.cat([normal, odd]).sort(descending=True).values
    alarms = torch.tensor([0, *((normal >= t).float().mean() for t in thresholds)])
    hits = torch.tensor([0, *((odd >= t).float().mean() for t in thresholds)])
    assert experiments.auroc(normal, odd) == pytest.approx(torch.trapezoid(hits, alarms).item(), abs=1e-5)


def test_the_two_kinds_of_shapes_are_as_they_are_called():
    known, marked, odd = experiments.odd_pictures(200)
    assert known.shape == odd.shape == (200, 3, 32, 32)
    assert ((known != marked).any(1).flatten(1).sum(1) == 9).all()
    shown = recipes.find("shapes-16").batches(100)(0)
    for pictures in (known, shown):
        assert {SHAPES[i] for i in parse(pictures).factors[:, 0].tolist()} == {"circle", "square"}
    assert {SHAPES[i] for i in parse(odd).factors[:, 0].tolist()} == {"triangle", "star"}


# -- sentences -------------------------------------------------------------------------------------


def sentences(n=300):
    return crowd.crowd_batch(*crowd.sample_crowd(range(1, 6), n, torch.default_generator), **experiments.COPY)


def test_a_copy_has_its_source_as_its_target():
    src, tgt = recipes.find("copy-fixed-48-900").batches(100)(0)
    assert torch.equal(src, tgt[:, 1:]) and Tokenizer(crowd.ENGLISH).decode(src[0]).endswith("background")


def test_words_are_hidden_and_nothing_else():
    src, _ = sentences()
    seen = experiments.hide_words(src)
    changed = seen != src
    assert (seen[changed] == UNK).all() and not changed[(src == EOS) | (src == PAD)].any()
    assert changed.sum() / ((src != EOS) & (src != PAD)).sum() == pytest.approx(experiments.HIDDEN_WORDS, abs=0.02)


def test_the_denoiser_reads_damaged_sentences_and_is_asked_for_whole_ones():
    src, tgt = recipes.find("denoise-scaled-48-900").batches(100)(0)
    assert (src == UNK).any() and not (tgt == UNK).any()
    assert torch.equal(src, torch.where(src == UNK, UNK, tgt[:, 1:]))


def test_repairs_are_judged_where_words_were_hidden():
    class Oracle(torch.nn.Module):
        """Writes the right sentence, but "red" for every colour."""

        def forward(self, seen, before):
            truth = torch.cat([before[:, 1:], torch.full_like(before[:, :1], EOS)], 1)
            colours = torch.tensor(experiments.kinds_of_words()["colour"])
            return torch.nn.functional.one_hot(truth.where(~torch.isin(truth, colours), colours[0]), 40).float()

    hidden, found = experiments.repairs(Oracle())
    colours = experiments.kinds_of_words()["colour"]
    colour = torch.isin(hidden, torch.tensor(colours))
    assert hidden.shape == found.shape and UNK not in hidden and EOS not in hidden
    assert torch.equal(found[colour], hidden[colour] == colours[0]) and 0 < found[colour].float().mean() < 1
    assert found[~colour].all()


def test_every_english_word_is_of_one_kind():
    kinds = experiments.kinds_of_words()
    ids = [i for members in kinds.values() for i in members]
    assert sorted(ids) == list(range(4, len(crowd.ENGLISH)))
    assert "▁the" in [crowd.ENGLISH[i] for i in kinds["grammar"]]
    assert len(kinds["place"]) == 6 and len(kinds["colour"]) == 8


def test_the_best_guess_counts_the_pairings_of_training():
    objects = crowd.sample_crowd(5, 20_000, torch.Generator().manual_seed(1))[0].flatten(0, 1)
    table = torch.zeros(4, 8)
    table.index_put_((objects[:, 0], objects[:, 1]), torch.ones(len(objects)), accumulate=True)
    table /= table.sum()
    assert experiments.BEST_GUESS["colour"] == pytest.approx(table.max(1).values.sum().item(), abs=0.005)
    assert experiments.BEST_GUESS["shape"] == pytest.approx(table.max(0).values.sum().item(), abs=0.005)


# -- the recipes -----------------------------------------------------------------------------------


def test_only_data_code_and_length_decide_about_defects():
    family = recipes.group("defect")
    assert len(family) == len(experiments.DEFECT_SHARES) * len(experiments.DEFECT_CODES) * len(experiments.DEFECT_STEPS)
    assert {recipe.loss for recipe in family} == {reconstruction_loss} and len({r.lr for r in family}) == 1
    built = [recipe.build() for recipe in family]
    assert {type(model) for model in built} == {Autoencoder}
    assert {tuple(sorted((model.config | {"latent": 0}).items())) for model in built} == {
        tuple(sorted((built[0].config | {"latent": 0}).items()))
    }


def test_only_the_data_makes_a_copier_or_a_denoiser():
    names = ("seq2seq-scaled-48-900", "copy-scaled-48-900", "denoise-scaled-48-900")
    found = [recipes.find(name) for name in names]
    assert {(r.loss, r.lr, r.steps) for r in found} == {(translation_loss, found[0].lr, 900)}
    configs = [r.build().config for r in found]
    assert configs[1] == configs[2] and configs[0] | {"source": 0} == configs[1] | {"source": 0}


# -- the exercises ---------------------------------------------------------------------------------


def bits(count):
    return math.log2(3 * 56**count * math.perm(9, count))


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (bits, "✓", ""),
    (lambda count: count * bits(1), "✗", "one background"),
    (lambda count: math.log2(3 * (56 * 9) ** count), "✗", "no two objects share a place"),
    (lambda count: math.log2(3 * 56**count * math.comb(9, count)), "✗", "another order"),
    (lambda count: 10.75 * count, "✗", "28 pairings"),
    (lambda count: math.log(3 * 56**count * math.perm(9, count)), "✗", "28 pairings"),
    (lambda count: ..., "○", ""),
])
def test_caption_bits(answer, verdict, hint, capsys):
    exercises.caption_bits(5).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


def test_there_are_as_many_sentences_as_the_exercise_counts():
    generator = torch.Generator().manual_seed(0)
    rows = [torch.cat([objects[:, 0], background[:, None]], 1).tolist()
            for objects, background in (crowd.sample_crowd(1, 15_000, generator, split) for split in ("train", "test"))]
    seen = {tuple(row) for row in [*rows[0], *rows[1]]}
    assert math.log2(len(seen)) == pytest.approx(bits(1), abs=1e-6)


def quantile(scores, rate):
    return scores.quantile(1 - rate)


@pytest.mark.parametrize(("answer", "verdict", "hint"), [
    (quantile, "✓", ""),
    (lambda scores, rate: scores.sort().values[-round(rate * len(scores)) - 1], "✓", ""),
    (lambda scores, rate: scores.quantile(rate), "✗", "low end"),
    (lambda scores, rate: scores.mean() + 2 * scores.std(), "✗", "lie above yours"),
    (lambda scores, rate: scores.max(), "✗", "lie above yours"),
    (lambda scores, rate: ..., "○", ""),
])
def test_alarm_threshold(answer, verdict, hint, capsys):
    usual, fresh = torch.rand(2, 1000).square()
    exercises.alarm_threshold(usual, fresh).check(answer)
    printed = capsys.readouterr().out
    assert printed.startswith(verdict) and hint in printed


def test_a_threshold_that_fits_its_own_pictures_alone_is_refused(capsys):
    exercises.alarm_threshold(torch.zeros(1000), torch.ones(1000)).check(quantile)
    assert "of 1000 new normal pictures 100.0% give an alarm" in capsys.readouterr().out
