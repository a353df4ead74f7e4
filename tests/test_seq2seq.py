"""Seq2Seq: every part against its formula, padding without effect, causality, the loss, learning by heart."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_translator import SOURCE, TARGET, alone, sources, translator
from torch import nn

from helpers.data.text import BOS, EOS, PAD, is_token, pad
from helpers.models.decoding import greedy
from helpers.models.layers import attend
from helpers.models.seq2seq import SCORES, Attention, Memory, Seq2Seq, free_running_loss, translation_loss
from helpers.training import checkpoints
from helpers.training.loop import train

EVERY = [*SCORES, None]


def targets(*lengths, seed=1):
    generator = torch.Generator().manual_seed(seed)
    words = (torch.randint(4, len(TARGET), (n,), generator=generator).tolist() for n in lengths)
    return pad([BOS, *sentence, EOS] for sentence in words)


SRC, TGT = sources(3, 0, 6, 1), targets(2, 5, 0, 3)  # of different lengths, and with an empty sentence on each side


def close(mine, expected, atol=1e-10):
    torch.testing.assert_close(mine, expected, atol=atol, rtol=0)


# -- attention -------------------------------------------------------------------------------------


def masks(*shape):
    """Random masks in which every query sees something."""
    mask = torch.rand(shape) < 0.6
    mask[..., 0] |= ~mask.any(-1)
    return mask


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), b=st.integers(1, 3), t=st.integers(1, 5), s=st.integers(1, 7), d=st.integers(1, 9))
def test_attend_is_torchs_own_attention(seed, b, t, s, d):
    torch.manual_seed(seed)
    q, k, v = torch.randn(b, t, d).double(), torch.randn(b, s, d).double(), torch.randn(b, s, 3).double()
    mask = masks(b, t, s)
    context, weights = attend(q @ k.mT / math.sqrt(d), v, mask)
    close(context, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
    close(weights.sum(-1), torch.ones(b, t).double())
    assert (weights[~mask] == 0).all() and (weights[mask] > 0).all()


def test_attend_is_a_weighted_mean_for_each_query():
    torch.manual_seed(0)
    scores, values = torch.randn(2, 3, 5).double(), torch.randn(2, 5, 4).double()
    mask = torch.tensor([[[True, False, True, True, False]], [[False, True, False, False, False]]])
    context, weights = attend(scores, values, mask)
    for b in range(2):
        seen = [s for s in range(5) if mask[b, 0, s]]
        for t in range(3):
            total = sum(math.exp(scores[b, t, s]) for s in seen)
            mean = torch.zeros(4).double()
            for s in seen:
                assert weights[b, t, s].item() == pytest.approx(math.exp(scores[b, t, s]) / total)
                mean += math.exp(scores[b, t, s]) / total * values[b, s]
            close(context[b, t], mean)


def test_attend_stands_large_scores_and_has_a_gradient_beside_the_mask():
    scores = torch.tensor([[3e4, -3e4, 3e4, 0.0]], requires_grad=True)
    values, mask = torch.randn(4, 2, requires_grad=True), torch.tensor([True, True, False, True])
    context, weights = attend(scores, values, mask)
    assert weights.tolist() == [[1, 0, 0, 0]]
    context.sum().backward()
    assert scores.grad.isfinite().all() and values.grad.isfinite().all() and (values.grad[2] == 0).all()


def formula(attention, s, h):
    """The score of a state s against a state h, both (H,), entry by entry."""
    H = range(len(s))
    if attention.score in ("dot", "scaled"):
        return sum(s[i] * h[i] for i in H) / (math.sqrt(len(s)) if attention.score == "scaled" else 1)
    W = attention.key.weight
    if attention.score == "general":
        return sum(s[i] * W[i, j] * h[j] for i in H for j in H) / math.sqrt(len(s))
    inside = [sum(attention.query.weight[i, j] * s[j] + W[i, j] * h[j] for j in H) + attention.key.bias[i] for i in H]
    return sum(attention.v.weight[0, i] * torch.tanh(inside[i]) for i in H)


@pytest.mark.parametrize("score", SCORES)
def test_the_scores_are_their_formulas(score):
    torch.manual_seed(0)
    attention = Attention(4, score).double()
    for weight in attention.parameters():
        torch.nn.init.normal_(weight)  # W starts as the identity in one of them, which would hide a transpose
    queries, states = torch.randn(2, 3, 4).double(), torch.randn(2, 5, 4).double()
    found = attention.scores(queries, attention.keys(states))
    for b, t, s in torch.cartesian_prod(*map(torch.arange, found.shape)):
        close(found[b, t, s], formula(attention, queries[b, t], states[b, s]))


@pytest.mark.parametrize("score", SCORES)
def test_the_temperature_goes_from_one_word_to_all(score):
    torch.manual_seed(0)
    attention = Attention(8, score).double()
    queries, states, mask = torch.randn(3, 4, 8).double(), torch.randn(3, 6, 8).double(), is_token(sources(5, 2, 0))
    states[~mask] *= 1e3  # never seen, however well they would score
    keys = attention.keys(states)
    memory = Memory(states, keys, mask, states[:, 0])
    best = attention.scores(queries, keys).masked_fill(~mask[:, None], -math.inf).argmax(2)
    cold, hot = (attention(queries, memory, temperature)[1] for temperature in (1e-6, 1e9))
    close(cold, F.one_hot(best, 6).double())
    close(hot, (mask / mask.sum(1, keepdim=True)).double()[:, None].expand_as(hot), atol=1e-7)
    close(attention(queries, memory)[1], attention(queries, memory, 1.0)[1])


# -- the model against its equations, word by word -------------------------------------------------


def cell(gru, suffix="_l0"):
    """One step of a layer of nn.GRU."""
    step = nn.GRUCell(gru.input_size, gru.hidden_size).double()
    step.load_state_dict({name.removesuffix(suffix): value for name, value in gru.named_parameters()
                          if name.endswith(suffix)})
    return step


def read_by_hand(encoder, words):
    """The states and the summary of one sentence, both directions read in plain loops."""
    x = encoder.embed(words)
    directions = []
    for order, suffix in ((range(len(x)), "_l0"), (range(len(x))[::-1], "_l0_reverse")):
        step, h, states = cell(encoder.gru, suffix), torch.zeros(encoder.gru.hidden_size).double(), {}
        for i in order:
            h = states[i] = step(x[i], h)
        directions.append((states, h))
    (forward, last), (backward, first) = directions
    states = [encoder.join(torch.cat([forward[i], backward[i]])) for i in range(len(x))]
    return states, torch.tanh(encoder.summarise(torch.cat([last, first])))


def written_by_hand(model, src, before):
    """The logits (T, V) of one sentence, in plain loops over its words."""
    h, summary = read_by_hand(model.encoder, src)
    decoder, s, rows = model.decoder, summary, []
    step = cell(decoder.gru)
    for word in before:
        s, context = step(decoder.embed(word), s), summary
        if decoder.attention:
            e = torch.stack([formula(decoder.attention, s, h_j) for h_j in h]).exp()
            context = sum(e_j / e.sum() * h_j for e_j, h_j in zip(e, h, strict=True))
        readout = torch.tanh(decoder.readout(torch.cat([s, context])))
        rows.append(decoder.embed.weight @ readout + decoder.bias)
    return torch.stack(rows)


@torch.no_grad()
@pytest.mark.parametrize("score", EVERY)
def test_a_padded_batch_gives_what_the_equations_give_for_each_sentence(score):
    model = translator(score, hidden=5)
    logits = model(SRC, TGT)
    for n in range(len(SRC)):
        src, before = alone(SRC, n)[0], alone(TGT, n)[0]
        close(logits[n, : len(before)], written_by_hand(model, src, before))


@torch.no_grad()
def test_the_memory_of_a_padded_batch_is_that_of_each_sentence():
    model = translator("general")
    memory = model.encode(SRC)
    assert torch.equal(memory.mask, is_token(SRC))
    for n in range(len(SRC)):
        states, summary = read_by_hand(model.encoder, alone(SRC, n)[0])
        close(memory.states[n, : len(states)], torch.stack(states))
        close(memory.summary[n], summary)
    close(memory.keys, memory.states @ model.decoder.attention.key.weight.mT)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("score", EVERY)
def test_nothing_beside_a_sentence_changes_it(score, layers):
    model = translator(score, layers=layers)
    logits = model(SRC, TGT)
    more = F.pad(SRC, (0, 4), value=PAD), F.pad(TGT, (0, 4), value=PAD)
    close(model(*more)[:, : TGT.shape[1]], logits)
    for n in range(len(SRC)):
        close(model(alone(SRC, n), TGT[n : n + 1]), logits[n : n + 1])
    for side in (model.encoder, model.decoder):
        side.embed.weight[PAD] = 1e3  # which is also a row of the output layer
    close(model(SRC, TGT)[is_token(TGT)][:, PAD + 1 :], logits[is_token(TGT)][:, PAD + 1 :])


@torch.no_grad()
@pytest.mark.parametrize("score", SCORES)
def test_padding_has_no_weight(score):
    model = translator(score)
    memory = model.encode(SRC)
    weights = model.decoder(TGT, memory.summary, memory)[2]
    seen = is_token(SRC)[:, None].expand_as(weights)
    assert (weights[~seen] == 0).all() and (weights[seen] > 0).all()
    close(weights.sum(2), torch.ones(TGT.shape).double())


@torch.no_grad()
@pytest.mark.parametrize("score", EVERY)
def test_a_word_changes_what_comes_after_it_alone(score):
    model, src, tgt = translator(score), sources(4, 4), targets(6, 6)
    logits = model(src, tgt)
    for j in range(1, tgt.shape[1]):
        other = tgt.clone()
        other[:, j] = 4 + (tgt[:, j] - 3) % (len(TARGET) - 4)
        changed = (model(src, other) - logits).abs().amax((0, 2))
        assert (changed[:j] == 0).all() and (changed[j:] > 1e-6).all()


@pytest.mark.parametrize("score", EVERY)
def test_every_word_of_the_source_reaches_every_word_of_the_target(score):
    model, seen = translator(score), []
    model.encoder.embed.register_forward_hook(lambda module, words, x: seen.append(x))
    logits = model(SRC, TGT)
    for t in range(TGT.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, t].square().sum(), seen[0], retain_graph=True)
        reached = gradient.abs().amax(2) > 0
        assert torch.equal(reached, is_token(SRC))


@torch.no_grad()
@pytest.mark.parametrize("score", EVERY)
def test_all_words_at_once_and_one_after_the_other_are_the_same(score):
    model = translator(score)
    memory = model.encode(SRC)
    state, steps = memory.summary, []
    for t in range(TGT.shape[1]):
        logits, state, _ = model.decoder(TGT[:, t : t + 1], state, memory)
        steps.append(logits)
    close(torch.cat(steps, 1), model(SRC, TGT))


# -- the loss and learning -------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_mean_of_minus_log_p_over_the_words(smoothing):
    model = translator()
    losses, right = [], []
    for n in range(len(SRC)):
        words = alone(TGT, n)[0]
        log_p = model(alone(SRC, n), words[None, :-1])[0].log_softmax(1)
        for t, word in enumerate(words[1:]):
            losses.append(-(1 - smoothing) * log_p[t, word] - smoothing * sum(log_p[t]) / len(TARGET))
            right.append(float(log_p[t].argmax() == word))
    loss, parts = translation_loss(model, (SRC, TGT), smoothing)
    close(loss, sum(losses) / len(losses))
    assert len(losses) == 2 + 5 + 0 + 3 + 4 and parts.keys() == {"accuracy"}
    assert parts["accuracy"].item() == pytest.approx(sum(right) / len(right))


def test_the_smoothed_loss_is_torchs_own():
    model = translator()
    loss, _ = translation_loss(model, (SRC, TGT), 0.2)
    real = is_token(TGT[:, 1:])
    close(loss, nn.CrossEntropyLoss(label_smoothing=0.2)(model(SRC, TGT[:, :-1])[real], TGT[:, 1:][real]))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_padding_does_not_count(smoothing):
    model = translator()
    longer = F.pad(SRC, (0, 3), value=PAD), F.pad(TGT, (0, 3), value=PAD)
    (loss, parts), (padded, same) = (translation_loss(model, pair, smoothing) for pair in ((SRC, TGT), longer))
    close(padded, loss)
    assert same == parts
    for gradient, expected in zip(*(torch.autograd.grad(x, list(model.parameters())) for x in (padded, loss)),
                                  strict=True):
        close(gradient, expected)


@pytest.mark.parametrize("score", EVERY)
def test_every_weight_learns(score):
    model = translator(score, layers=2)
    translation_loss(model, (SRC, TGT))[0].backward()
    still = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not still  # several processes under accelerate refuse a weight without a gradient
    assert not model.encoder.embed.weight.grad[PAD].any()


@pytest.mark.parametrize("score", ["scaled", "additive", None])
def test_it_learns_a_batch_by_heart_and_writes_it(score):
    torch.manual_seed(0)
    src, tgt = sources(0, 1, 2, 3, 4, 5, 6, 7), targets(4, 0, 6, 2, 5, 1, 3, 7)
    model = Seq2Seq(SOURCE, TARGET, 16, 32, score)
    history = train(model, lambda step: (src, tgt), translation_loss, 150, lr=1e-2, label=None)
    assert history.parts["accuracy"][-1] == 1 and translation_loss(model, (src, tgt))[0] < 0.02
    written = greedy(model, src, 20)
    assert torch.equal(written.words, tgt[:, 1:]) and (written.log_p > -0.2).all()


def test_dropout_hides_while_training_and_never_afterwards():
    model = translator(dropout=0.5, layers=2)
    sites = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    torch.manual_seed(0)
    assert sites and model.encoder.gru.dropout == 0.5
    assert torch.equal(model(SRC, TGT), model(SRC, TGT))
    assert not torch.equal(model.train()(SRC, TGT), model(SRC, TGT))
    model.encoder.gru.dropout = 0.0
    for site in sites:  # each of them alone
        for other in sites:
            other.p = 0.5 if other is site else 0.0
        assert not torch.equal(model(SRC, TGT), model(SRC, TGT))
    site.p = 0.0
    assert torch.equal(model(SRC, TGT), model(SRC, TGT))


@torch.no_grad()
def test_free_running_feeds_the_models_own_words():
    model = translator()
    own = TGT[:, :1]
    for _ in range(TGT.shape[1] - 1):
        logits = model(SRC, own)
        own = torch.cat([own, logits[:, -1:].argmax(2)], 1)
    truth = TGT[:, 1:]
    expected = F.cross_entropy(logits[is_token(truth)], truth[is_token(truth)])
    loss, parts = free_running_loss(model, (SRC, TGT))
    close(loss, expected)
    assert parts["accuracy"] == (own[:, 1:] == truth)[is_token(truth)].float().mean()
    assert (loss - translation_loss(model, (SRC, TGT))[0]).abs() > 0.01


# -- checkpoints and errors ------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"score": None}, {"score": "additive", "embedding": 5, "hidden": 7},
                                     {"score": "general", "layers": 2, "dropout": 0.3}])
def test_a_checkpoint_rebuilds_it(tmp_path, options):
    model = Seq2Seq(SOURCE, TARGET, **options).eval()
    file = tmp_path / "translator.safetensors"
    checkpoints.save(file, model, dtype=torch.float32, data="letters", seed=0, command="none", metrics={})
    again, card = checkpoints.load_file(file)
    assert again.config == model.config == card.config
    assert card.config["source"] == SOURCE and card.config["target"] == TARGET
    assert card.config.items() >= options.items()
    assert torch.equal(again(SRC, TGT), model(SRC, TGT))


@pytest.mark.parametrize("src", [torch.tensor([[4, EOS], [PAD, PAD]]), torch.tensor([4, EOS]), sources(2)[:, :0]])
def test_a_source_without_a_word_is_refused(src):
    with pytest.raises(ValueError, match="an end mark at least"):
        translator().encode(src)


def test_a_general_score_begins_as_the_scaled_one():
    general, scaled = Attention(6, "general"), Attention(6, "scaled")
    queries, states = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    torch.testing.assert_close(general.scores(queries, general.keys(states)), scaled.scores(queries, states))


def test_an_unknown_score_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'cosine': choose one of additive, dot, general, scaled, or None"):
        Seq2Seq(SOURCE, TARGET, score="cosine")
