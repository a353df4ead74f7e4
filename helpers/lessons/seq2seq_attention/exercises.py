"""Notebook 01: Seq2Seq and attention."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close, assert_shape
from ...data.text import BOS, EOS, is_token
from ...metrics.sentences import bleu
from ...models import decoding
from ...models.layers import attend


def masked_attention() -> Exercise:
    """01.1: (queries (B, T, H), states (B, S, H), mask (B, S)) -> contexts (B, T, H), weights (B, T, S); dot score."""
    generator = torch.Generator().manual_seed(1)
    queries, states = (torch.randn(2, length, 8, generator=generator) for length in (3, 5))
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])

    def has_the_shapes(attention):
        context, weights = attention(queries, states, mask)
        assert_shape("the weights", weights, (2, 3, 5))
        assert_shape("the context", context, (2, 3, 8))

    def ignores_padding(attention):
        weights = attention(queries, states, mask)[1]
        assert (weights[1, :, 3:] == 0).all(), "weights at padding must be 0: mask the scores before the softmax"
        assert_close("the sum of each row of weights", weights.sum(2), torch.ones(2, 3))

    def is_dot_attention(attention):
        context, weights = attend(queries @ states.mT, states, mask[:, None])
        found = attention(queries, states, mask)
        assert_close("the weights", found[1], weights)
        assert_close("the context", found[0], context)

    return Exercise("01.1", "dot attention with a mask", [has_the_shapes, ignores_padding, is_dot_attention])


def greedy_words(model, rows, limit: int) -> list[list[int]]:
    """What the package's greedy search writes for sources (B, S), without start and end mark."""
    words = decoding.greedy(model, rows, limit).words
    return [[int(word) for word in row if word not in (BOS, EOS) and is_token(word)] for row in words]


def greedy_search(model, src) -> Exercise:
    """01.2: (model, src (B, S), limit) -> one list of ids for each source, without start and end mark.

    src: sources on which the check compares with `decoding.greedy`.
    """

    def compare(write, rows, limit, hint):
        found = [[int(word) for word in row] for row in write(model, rows, limit)]
        assert len(found) == len(rows), f"expected {len(rows)} sentences, got {len(found)}"
        for number, (mine, right) in enumerate(zip(found, greedy_words(model, rows, limit), strict=True)):
            counts = f"sentence {number} has {len(right)} words, yours {len(mine)}"
            assert mine == right, f"{hint} ({counts}; it begins {right[:4]}, yours {mine[:4]})"

    def begins_with_bos(write):
        given = []
        with model.decoder.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0])):
            write(model, src[:1], 1)
        assert not given or (given[0] == BOS).all(), "the first word that the decoder is given is BOS"

    def writes_one(write):
        compare(write, src[:1], 100, "a single sentence: feed BOS, then each word that you wrote, and stop at EOS")

    def stops_each_in_time(write):
        compare(write, src, 100, "in a batch each sentence ends at its own EOS; drop what follows")

    def respects_the_limit(write):
        compare(write, src, 3, "with limit=3 no sentence has more than three words")

    def reads_nothing(write):
        compare(write, torch.full((1, 1), EOS), 100, "an empty source is just EOS")

    tests = [begins_with_bos, writes_one, stops_each_in_time, respects_the_limit, reads_nothing]
    return Exercise("01.2", "greedy search that knows when to stop", tests)


def bleu_by_hand() -> Exercise:
    """01.3: (hypotheses, references), lists of texts with a space around each word and mark -> BLEU-4, 0 to 100."""
    references = ["the cat sat on the mat .", "there is a small red circle in the top left , on black"]
    close = ["the cat sat on a mat .", "there is a red circle in the top left , on a black"]
    short = ["the cat sat on the", "a small red circle in the top"]
    again = ["the the the cat sat on the mat . mat .", "there is a small red circle in the top left left , on black"]

    def agrees(name, hypotheses):
        def test(score):
            assert_close(f"BLEU of {name}", score(hypotheses, references), bleu(hypotheses, references), 1e-6)

        return test

    cases = [agrees("the references themselves", references), agrees("translations as long as their references", close),
             agrees("translations that are too short (the brevity penalty)", short),
             agrees("translations that repeat words (each n-gram counts as often as in the reference at most)", again)]
    return Exercise("01.3", "BLEU by hand", cases)
