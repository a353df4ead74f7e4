"""The searches against plain loops over one sentence, against all sentences that there are, and at their ends."""

import inspect
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_translator import TARGET, alone, sources, translator

from helpers.data.text import BOS, EOS, PAD, is_token
from helpers.models.decoding import LIMIT, alignment, beam_search, greedy
from helpers.models.seq2seq import SCORES

EVERY = [*SCORES, None]
SRC = sources(3, 0, 6, 1)
WRITABLE = [word for word in range(len(TARGET)) if word not in (PAD, BOS)]


def close(mine, expected, atol=1e-10):
    torch.testing.assert_close(mine, expected, atol=atol, rtol=0)


@torch.no_grad()
def next_log_p(model, src, words, temperature=1.0):
    """log p of each next word (V,) after `words`, with everything computed afresh from the start mark."""
    memory = model.encode(src)
    before = torch.tensor([[BOS, *words]])
    return model.decoder(before, memory.summary, memory, temperature)[0][0, -1].log_softmax(0)


@torch.no_grad()
def teacher_forced(model, src, words):
    """log p of given sentences (B, T), the way the loss computes it: the sum over their words (B,)."""
    before = torch.cat([torch.full_like(words[:, :1], BOS), words[:, :-1]], 1)
    log_p = model(src, before).log_softmax(2).gather(2, words[:, :, None]).squeeze(2)
    return log_p.where(is_token(words), 0).sum(1)


def greedy_by_hand(model, src, limit, temperature=1.0):
    """One sentence as (words, log p)."""
    words, total = [], 0.0
    while len(words) < limit and EOS not in words:
        log_p = next_log_p(model, src, words, temperature)
        words.append(max(WRITABLE, key=lambda word: log_p[word]))
        total += log_p[words[-1]].item()
    return words, total


def beam_by_hand(model, src, width, limit, power):
    """One sentence as (words, log p)."""
    kept = [([], 0.0)]
    for _ in range(limit):
        longer = [item for item in kept if EOS in item[0]]
        for words, total in kept:
            if EOS not in words:
                log_p = next_log_p(model, src, words)
                longer += [([*words, word], total + log_p[word].item()) for word in WRITABLE]
        kept = sorted(longer, key=lambda item: -item[1])[:width]
    ended = [item for item in kept if EOS in item[0]]
    return max(ended or kept, key=lambda item: item[1] / len(item[0]) ** power)


def check_rows(found, expected):
    """What a search found for a batch is what is expected of each of its sentences: (words, log p)."""
    assert found.words.shape == (len(expected), max(len(words) for words, _ in expected))
    assert not found.log_p.requires_grad
    for row, log_p, (words, total) in zip(found.words.tolist(), found.log_p.tolist(), expected, strict=True):
        assert row == words + [PAD] * (len(row) - len(words))
        assert log_p == pytest.approx(total, abs=1e-9)


MODELS = st.builds(translator, st.sampled_from(EVERY), st.integers(0, 10**6), ends=st.sampled_from([-2.0, 0.0, 2.0]))


# -- greedy ----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(model=MODELS, limit=st.integers(1, 12), temperature=st.sampled_from([0.2, 1.0, 5.0]))
def test_greedy_in_a_batch_is_greedy_one_by_one(model, limit, temperature):
    found = greedy(model, SRC, limit, temperature)
    check_rows(found, [greedy_by_hand(model, alone(SRC, n), limit, temperature) for n in range(len(SRC))])


@settings(max_examples=10, deadline=None)
@given(model=MODELS)
def test_the_probability_of_what_greedy_writes_is_the_models_own(model):
    found = greedy(model, SRC, 10)
    close(found.log_p, teacher_forced(model, SRC, found.words))


def test_greedy_stops_at_the_end_mark_of_the_longest_sentence():
    for seed in range(300):  # until a model ends its sentences at different words
        words = greedy(translator(seed=seed, ends=1.0), SRC, 30).words
        lengths = is_token(words).sum(1)
        if lengths.unique().numel() >= 3 and lengths.max() < 30:
            break
    assert words.shape[1] == lengths.max() < 30
    for row, length in zip(words.tolist(), lengths.tolist(), strict=True):
        assert row[length - 1] == EOS and EOS not in row[: length - 1] and not any(row[length:])


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_the_limit_ends_what_would_not_end(search):
    model = translator(ends=-1e3)
    for limit in (1, 2, 7):
        found = search(model, SRC, limit=limit)
        assert found.words.shape == (len(SRC), limit) and not (found.words == EOS).any()
        close(found.log_p, teacher_forced(model, SRC, found.words))
    assert inspect.signature(search).parameters["limit"].default == LIMIT >= 100


@pytest.mark.parametrize("ends", [-1e3, 0.0, 1e3])
@pytest.mark.parametrize("search", [greedy, beam_search])
def test_padding_and_start_marks_are_never_written(search, ends):
    model = translator(ends=ends)
    with torch.no_grad():
        model.decoder.bias[[PAD, BOS]] = 50.0
    words = search(model, SRC, limit=6).words
    before_the_end = (words == EOS).cumsum(1) - (words == EOS).long() == 0
    assert not torch.isin(words[before_the_end], torch.tensor([PAD, BOS])).any()
    assert (words[~before_the_end] == PAD).all()
    if ends > 0:
        assert words.tolist() == [[EOS]] * len(SRC)


@pytest.mark.parametrize("score", EVERY)
@pytest.mark.parametrize("search", [greedy, beam_search])
def test_an_empty_source_is_translated_like_any_other(search, score):
    model, empty = translator(score), torch.tensor([[EOS]])
    words, log_p = search(model, empty, limit=8)
    batch = search(model, SRC, limit=8)
    assert torch.equal(alone(SRC, 1), empty)
    assert torch.equal(batch.words[1, : words.shape[1]], words[0]) and not batch.words[1, words.shape[1]:].any()
    close(batch.log_p[1:2], log_p)


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_search_takes_no_step_after_the_last_end(search):
    model, steps = translator(ends=1e3), []
    model.decoder.register_forward_hook(lambda *_: steps.append(1))
    search(model, SRC, limit=50)
    assert len(steps) == (1 if search is greedy else 2)  # a beam begins with other words too, and they end as well


def test_a_search_leaves_the_model_as_it_was():
    model = translator(dropout=0.5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for search in (greedy, beam_search):
        search(model, SRC, limit=5)
    assert not model.training and torch.is_grad_enabled()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# -- beam search -----------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(model=MODELS, width=st.integers(1, 6), limit=st.integers(1, 7), power=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_beam_search_in_a_batch_is_beam_search_one_by_one(model, width, limit, power):
    found = beam_search(model, SRC, width, limit, power)
    check_rows(found, [beam_by_hand(model, alone(SRC, n), width, limit, power) for n in range(len(SRC))])


@settings(max_examples=15, deadline=None)
@given(model=MODELS, limit=st.integers(1, 15), power=st.sampled_from([0.0, 1.0]))
def test_a_beam_of_width_1_is_greedy(model, limit, power):
    beam, straight = beam_search(model, SRC, 1, limit, power), greedy(model, SRC, limit)
    assert torch.equal(beam.words, straight.words)
    close(beam.log_p, straight.log_p)


LETTERS = TARGET[:6]  # two words, and the unknown word
LONGEST = 4


def all_sentences(limit):
    """Every sentence of LETTERS that ends within `limit` words."""
    words = [word for word in range(len(LETTERS)) if word not in (PAD, BOS, EOS)]
    for length in range(limit):
        for sentence in itertools.product(words, repeat=length):
            yield [*sentence, EOS, *[PAD] * (limit - length - 1)]


@settings(max_examples=15, deadline=None)
@given(score=st.sampled_from(EVERY), seed=st.integers(0, 10**6), power=st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_a_beam_wide_enough_finds_the_best_of_all_sentences(score, seed, power):
    model, candidates = translator(score, seed, LETTERS), torch.tensor(list(all_sentences(LONGEST)))
    beginnings = len(candidates) + 3**LONGEST  # those that have ended, and those that have not
    assert len(candidates) == 1 + 3 + 9 + 27
    expected = []
    for n in range(len(SRC)):
        log_p = teacher_forced(model, alone(SRC, n).expand(len(candidates), -1), candidates)
        best = (log_p / is_token(candidates).sum(1) ** power).argmax()
        expected.append(([word for word in candidates[best].tolist() if word], log_p[best].item()))
    check_rows(beam_search(model, SRC, beginnings, LONGEST, power), expected)
    check_rows(beam_search(model, SRC, 2 * beginnings, LONGEST, power), expected)  # wider than there are any


@settings(max_examples=15, deadline=None)
@given(model=MODELS, width=st.integers(2, 9), power=st.sampled_from([0.0, 1.0]))
def test_the_probability_of_what_a_beam_finds_is_the_models_own(model, width, power):
    found = beam_search(model, SRC, width, 8, power)
    close(found.log_p, teacher_forced(model, SRC, found.words))


@settings(max_examples=15, deadline=None)
@given(model=MODELS, width=st.integers(1, 9))
def test_within_two_words_no_beam_is_worse_than_greedy(model, width):
    """Not true of longer sentences: the beginning of greedy's may be crowded out before its probable end comes."""
    straight, beam = greedy(model, SRC, 2), beam_search(model, SRC, width, 2, length_power=0)
    ended = (straight.words == EOS).any(1)  # a sentence that has not ended gives way to a less probable one that has
    assert (beam.log_p >= straight.log_p - 1e-9)[ended].all()


def test_a_finished_sentence_goes_before_one_cut_off_at_the_limit():
    found = beam_search(translator(ends=-6.0), SRC, len(WRITABLE), 1)
    assert found.words.tolist() == [[EOS]] * len(SRC)


def test_a_higher_length_power_never_finds_shorter_sentences():
    lengths = []
    for power in (0.0, 0.5, 1.0, 2.0, 5.0):
        rows = [beam_search(translator(seed=seed, target=LETTERS), SRC, 121, LONGEST, power) for seed in range(8)]
        lengths.append(torch.cat([is_token(row.words).sum(1) for row in rows]))
    steps = torch.stack(lengths).diff(dim=0)
    assert (steps >= 0).all() and (steps > 0).any()


# -- alignment and errors --------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("score", SCORES)
def test_the_alignment_is_where_the_decoder_looked_at_each_step(score, temperature):
    model = translator(score)
    words = greedy(model, SRC, 7, temperature).words
    memory = model.encode(SRC)
    state, last, seen = memory.summary, torch.full((len(SRC), 1), BOS), []
    for t in range(words.shape[1]):
        _, state, looked = model.decoder(last, state, memory, temperature)
        seen.append(looked)
        last = words[:, t : t + 1]
    weights = alignment(model, SRC, words, temperature)
    assert weights.shape == (*words.shape, SRC.shape[1])
    close(weights, torch.cat(seen, 1))
    assert (weights[~is_token(SRC)[:, None].expand_as(weights)] == 0).all()
    assert (alignment(model, SRC, words, 2 * temperature) - weights).abs().max() > 0.01


def test_a_model_without_attention_has_no_alignment():
    with pytest.raises(ValueError, match="no attention"):
        alignment(translator(None), SRC, SRC)


@pytest.mark.parametrize(("search", "wrong"), [(greedy, {"limit": 0}), (beam_search, {"limit": 0}),
                                               (beam_search, {"width": 0})])
def test_a_search_without_room_is_refused(search, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"at least 1.*{name}={value}"):
        search(translator(), SRC, **wrong)


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_source_without_a_word_is_refused(search):
    with pytest.raises(ValueError, match="an end mark at least"):
        search(translator(), torch.tensor([[4, EOS], [PAD, PAD]]))
