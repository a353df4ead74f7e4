"""Exact match, BLEU and chrF against hand-made figures, and against sacrebleu's own signatures."""

import math

import pytest
from sacrebleu.metrics import BLEU, CHRF

from helpers.metrics.sentences import bleu, chrf, exact_match

HYPOTHESES = ["a big red circle in the centre", "the star", "the the the the cat ."]
REFERENCES = ["a big red circle in the top left", "the star", "the cat sat ."]


def test_exact_match():
    assert exact_match(HYPOTHESES, REFERENCES) == pytest.approx(1 / 3)
    assert exact_match([" the  star\n"], ["the star"]) == 1 and exact_match(["The star"], ["the star"]) == 0


def test_bleu_by_hand():
    """In the third sentence "the" counts once, as often as in its reference."""
    precisions = [(6 + 2 + 3) / 15, (5 + 1 + 1) / 12, (4 + 0 + 0) / 9, (3 + 0 + 0) / 7]
    expected = 100 * math.prod(precisions) ** 0.25  # 15 words against 14: no penalty
    assert bleu(HYPOTHESES, REFERENCES) == pytest.approx(expected, abs=1e-9)
    short = [HYPOTHESES[0]]
    expected = 100 * math.exp(1 - 8 / 7) * (6 / 7 * 5 / 6 * 4 / 5 * 3 / 4) ** 0.25
    assert bleu(short, REFERENCES[:1]) == pytest.approx(expected, abs=1e-9)


def test_bleu_where_long_matches_are_missing():
    """The second length without a match counts 1 / (4 n), the first 1 / (2 n)."""
    expected = 100 * (4 / 4 * 1 / 3 * 1 / (2 * 2) * 1 / (4 * 1)) ** 0.25
    assert bleu(["a b d c"], ["a b c d"]) == pytest.approx(expected, abs=1e-9)
    assert bleu(["a b c"], ["a b c"]) == 0, "no four words"
    assert bleu(["x y z w"], ["a b c d"]) == bleu([""], ["a b c d"]) == 0


def test_bleu_counts_capitals_and_splits_punctuation():
    assert bleu(["Two men, in a boat."], ["two men, in a boat."]) < 90
    assert bleu(["two men , in a boat ."], ["two men, in a boat."]) == pytest.approx(100)


def test_chrf():
    assert chrf(REFERENCES, REFERENCES) == 100 and chrf(["xyz"], ["abc"]) == 0
    precision, recall = 3 / 4, 3 / 3  # characters; of two: 2/3 and 2/2; of three: 1/2 and 1/1; none of four in "cat"
    orders = [(precision, recall), (2 / 3, 1), (1 / 2, 1)]
    p, r = (sum(values) / 3 for values in zip(*orders, strict=True))
    assert chrf(["cats"], ["cat"]) == pytest.approx(100 * 5 * p * r / (4 * p + r), abs=1e-6)


@pytest.mark.parametrize(("function", "metric"), [(bleu, BLEU()), (chrf, CHRF())])
def test_the_signature_in_the_docstring_is_sacrebleus(function, metric):
    score = metric.corpus_score(HYPOTHESES, [REFERENCES]).score
    signature = str(metric.get_signature()).rsplit("|version", 1)[0]
    assert f"Signature: {signature}." in function.__doc__
    assert function(HYPOTHESES, REFERENCES) == score


@pytest.mark.parametrize("function", [exact_match, bleu, chrf])
def test_lists_that_do_not_fit(function):
    for hypotheses, references in (([], []), (["a"], []), (["a"], ["a", "b"])):
        with pytest.raises(ValueError, match=f"got {len(hypotheses)} and {len(references)}"):
            function(hypotheses, references)
    with pytest.raises(ValueError, match="give \\[text\\]"):
        function("a", "a")


def test_a_hundred_sentences_in_pieces_cause_no_warning(caplog, capfd):
    bleu(["the cat sat ."] * 150, ["the cat sat ."] * 150)
    assert not caplog.records and capfd.readouterr() == ("", "")
