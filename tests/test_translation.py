"""The translator, its recipes, and the exercises of notebook 01."""

from collections import Counter
from math import exp, prod

import pytest
import torch

from helpers.data.scenes import crowd, read_caption
from helpers.data.text import BOS, EOS, UNK, is_token
from helpers.lessons.seq2seq_attention import exercises, experiments, recipes
from helpers.models import decoding
from helpers.models.seq2seq import Seq2Seq
from helpers.systems.translator import Translator
from helpers.training.checkpoints import load


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Seq2Seq(list(crowd.KOREAN), list(crowd.ENGLISH), embedding=8, hidden=12).eval()


TEXTS = ["회색 배경의 왼쪽 위에 큰 빨간 원이 있다", "", "회색 배경의 한가운데에 작은 별이 있다"]


def test_translations_come_in_the_order_of_the_texts(model):
    translator = Translator(model)
    one_by_one = [translator.translate([text], limit=9)[0] for text in TEXTS]
    assert translator.translate(TEXTS, limit=9) == one_by_one
    one_by_one = [translator.translate([text], beam=2, limit=9)[0] for text in TEXTS]
    assert translator.translate(TEXTS, beam=2, limit=9) == one_by_one
    assert translator.translate([]) == []


def test_many_batches_keep_their_order(model, monkeypatch):
    monkeypatch.setattr("helpers.systems.translator.BATCH", 2)
    assert Translator(model).translate(TEXTS, limit=9) == [Translator(model).translate([t], limit=9)[0] for t in TEXTS]


def test_what_is_read_written_and_looked_at(model):
    source, written, weights = Translator(model).align(TEXTS[0])
    assert source[:3] == ["▁회색", "▁배경", "의"] and source[-1] == "</s>"
    assert weights.shape == (len(written), len(source))
    torch.testing.assert_close(weights.sum(1), torch.ones(len(written)))
    cold = Translator(model).align(TEXTS[0], temperature=1e-4)[2]
    torch.testing.assert_close(cold.amax(1), torch.ones(len(cold)), atol=1e-3, rtol=0)


def test_unknown_words_are_named(model):
    assert Translator(model).unknown("큰 빨간 고양이 있다") == ["고양이"]


def test_what_a_learner_types_is_read_or_refused_in_a_sentence(model):
    translator = Translator(model)
    plain = "큰 빨간 원이 있다"
    pasted = "\ufeff큰 빨\u200b간 원\u00ad이\u3164 있다\ufe0f"
    assert translator.unknown(pasted) == [] and torch.equal(translator.read([pasted]), translator.read([plain]))
    assert translator.unknown("큰 \ue000 원") == ["U+E000"], "a word that cannot be seen is told by its number"
    for use in (translator.unknown, translator.align, lambda text: translator.translate([text])):
        with pytest.raises(ValueError, match=r"half a character \(U\+D800\)"):
            use("큰 \ud800 원")
        with pytest.raises(ValueError, match="7,700 characters; at most 1,000"):
            use("큰 빨간 원이 있다 " * 700)
    assert read_caption("a \u200bred\ufeff circle").text == "a red circle"


def test_a_string_is_not_a_list_of_texts(model):
    with pytest.raises(TypeError, match="brackets"):
        Translator(model).translate("큰 원")
    with pytest.raises(ValueError, match="beam"):
        Translator(model).translate(TEXTS, beam=3, temperature=2.0)


def test_exact_counts_whole_sentences(model, monkeypatch):
    def nearly_perfect(model, src, limit):
        words = experiments.fresh_sentences(2, 40)[1][:, 1:].clone()
        words[:10, 3] = EOS                                                   # a wrong word in a quarter of them
        return decoding.Translation(words, torch.zeros(40))

    monkeypatch.setattr(experiments, "greedy", nearly_perfect)
    assert experiments.exact(model, 2, 40) == 0.75


def test_alignment_figures_count_words_with_a_counterpart():
    weights = torch.tensor([[[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.9, 0.0, 0.1]]])
    found = experiments.alignment_figures(weights, torch.tensor([[0, 1, -1]]))
    assert found == pytest.approx({"exact": 0.5, "near": 1, "mass": (0.9 + 1) / 2})


def pairs(split):
    words = [f"w{i % 7} " * (1 + i % 9) for i in range(150)]
    return [(word, word.upper()) for word in words]


def test_each_epoch_shows_every_pair_once_in_batches_of_like_length():
    batches = recipes.batches_of_pairs(pairs, 60, batch=10)
    rows = [batches(step) for step in range(15)]
    assert all(len(src) == 10 and (tgt[:, 0] == BOS).all() for src, tgt in rows)
    seen = Counter(tuple(row[is_token(row)].tolist()) for src, _ in rows for row in src)
    source = recipes.tokenizers(pairs, 60)[0]
    assert seen == Counter((*source.encode(text), EOS) for text, _ in pairs("train"))
    padding = sum((~is_token(src)).sum().item() for src, _ in rows) / sum(src.numel() for src, _ in rows)
    assert padding < 0.2
    again = batches(3)                                                        # a pure function of the step
    assert all(torch.equal(a, b) for a, b in zip(again, rows[3], strict=True))
    assert any(not torch.equal(batches(15 + i)[0], rows[i][0]) for i in range(15)), "the next epoch has other batches"


# -- exercises -----------------------------------------------------------------------------------------------------


def attention(queries, states, mask):
    weights = (queries @ states.mT).masked_fill(~mask[:, None], float("-inf")).softmax(2)
    return weights @ states, weights


def masks_too_late(queries, states, mask):
    weights = (queries @ states.mT).softmax(2) * mask[:, None]
    return weights @ states, weights


def scaled(queries, states, mask):
    weights = (queries @ states.mT / 8**0.5).masked_fill(~mask[:, None], float("-inf")).softmax(2)
    return weights @ states, weights


def no_mask(queries, states, mask):
    weights = (queries @ states.mT).softmax(2)
    return weights @ states, weights


@pytest.mark.parametrize(("answer", "verdict"), [
    (attention, "✓"), (masks_too_late, "✗"), (scaled, "✗"), (no_mask, "✗"), (lambda q, s, m: ..., "○"),
])
def test_masked_attention(answer, verdict, capsys):
    exercises.masked_attention().check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def write(net, src, limit, first=BOS, cut=True):
    memory = net.encode(src)
    state, last, columns = memory.summary, torch.full((len(src), 1), first), []
    for _ in range(limit):
        logits, state, _ = net.decoder(last, state, memory)
        last = logits[:, -1].argmax(1, keepdim=True)
        columns.append(last)
    rows = torch.cat(columns, 1).tolist()
    return [row[: row.index(EOS)] if cut and EOS in row else row for row in rows]


@pytest.mark.parametrize(("answer", "verdict"), [
    (write, "✓"),
    (lambda *args: write(*args, first=EOS), "✗"),
    (lambda *args: write(*args, first=UNK), "✗"),  # which writes the right words all the same
    (lambda *args: write(*args, cut=False), "✗"),
    (lambda net, src, limit: write(net, src, 100), "✗"),
    (lambda *args: ..., "○"),
])
def test_greedy_search(answer, verdict, capsys):
    from helpers.training.checkpoints import load

    src = crowd.crowd_batch(*crowd.sample_crowd([1, 2], 3, torch.Generator().manual_seed(2)))[0]
    with torch.no_grad():
        exercises.greedy_search(load("seq2seq-scaled-48-900")[0], src).check(answer)
    assert capsys.readouterr().out.startswith(verdict)


def bleu_4(hypotheses, references, clip=True, brevity=True, per_sentence=False):
    mine, right = ([text.split() for text in texts] for texts in (hypotheses, references))

    def grams(words, n):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    precisions = []
    for n in (1, 2, 3, 4):
        both = [(grams(a, n), grams(b, n)) for a, b in zip(mine, right, strict=True)]
        matches = [(a & b).total() if clip else sum(a[g] for g in a if g in b) for a, b in both]
        totals = [a.total() for a, _ in both]
        ratios = [m / t for m, t in zip(matches, totals, strict=True)]
        precisions.append(sum(ratios) / len(ratios) if per_sentence else sum(matches) / sum(totals))
    c, r = (sum(map(len, texts)) for texts in (mine, right))
    return 100 * (min(1, exp(1 - r / c)) if brevity else 1) * prod(precisions) ** 0.25


@pytest.mark.parametrize(("answer", "verdict"), [
    (bleu_4, "✓"),
    (lambda h, r: bleu_4(h, r, clip=False), "✗"),
    (lambda h, r: bleu_4(h, r, brevity=False), "✗"),
    (lambda h, r: bleu_4(h, r, per_sentence=True), "✗"),
    (lambda h, r: bleu_4(h, r) / 100, "✗"),
    (lambda h, r: ..., "○"),
])
def test_bleu_by_hand(answer, verdict, capsys):
    exercises.bleu_by_hand().check(answer)
    assert capsys.readouterr().out.startswith(verdict)


@pytest.fixture(scope="module")
def one_order():
    return Translator(load("seq2seq-scaled-48-900")[0])


@pytest.mark.parametrize("text, doubt", [
    ("회색 배경의 왼쪽 위에 큰 빨간 원이 있다", ""),
    ("회색 배경의 왼쪽 위에 큰 빨간 원이, 한가운데에 작은 파란 별이 있다", ""),
    ("큰 빨간 원이 회색 배경의 왼쪽 위에 있다", "This order of words was never in its training. "),
    ("회색 배경의 왼쪽 위에 빨간 큰 원이 있다", "This order of words was never in its training. "),
    ("회색 배경의 왼쪽 위에 큰 빨간 동그라미가 있다", "Unknown to this network: 동그라미가. "),
])
def test_what_speaks_against_a_translation(one_order, text, doubt):
    assert experiments.doubts(text, one_order) == doubt


@pytest.mark.parametrize("text, word", [("회색 배경의 왼쪽 위에 큰 빨간 원이 없다", "'원' is denied"),
                                        ("회색 배경의 왼쪽 위에 큰 빨간 고양이가 있다", "'고양이가' is no word")])
def test_what_the_grammar_does_not_understand_is_said_first(one_order, text, word):
    assert experiments.doubts(text, one_order).startswith(f"Not to be believed: {word}")
