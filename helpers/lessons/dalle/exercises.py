r"""The exercises of notebook 16: who may read whom, perplexity, and half of a picture."""

from __future__ import annotations

import math

import torch

from ...course.checks import Exercise, assert_close, assert_shape
from ...data.text import is_token
from ...models.dalle import reading_mask
from ...models.quantizers import perplexity
from ...systems.dalle import DallE

# Ids of two texts of four tokens, the second filled up; and how many places follow.
MASKED = (([[1, 5, 6, 2], [1, 7, 2, 0]], 3), ([[5, 6, 7, 8, 2]], 4), ([[4, 2, 0, 0, 0]], 1))


def who_reads_whom() -> Exercise:
    r"""16.1: mask(said (B, T) bool, places) -> (B, T + places, T + places) bool: may the row read the column?"""
    def check_on(answer, ids, places):
        said = is_token(torch.tensor(ids))
        expected = reading_mask(torch.tensor(ids), places)[:, 0]
        found, words = answer(said.clone(), places), said.shape[1]
        assert_shape("the mask", found, expected.shape)
        assert found.dtype == torch.bool, f"the mask holds True and False; yours is {found.dtype}"
        before = torch.ones_like(expected).tril()
        assert not found[:, :words, words:].any(), "a token of the text reads a place of the picture, which comes later"
        assert not (found & ~before).any(), "a token reads one that comes later: what it is to guess"
        assert found[:, words:, words:].diagonal(dim1=1, dim2=2).all(), "a token reads itself, too"
        assert not (found[:, :, :words] & ~said[:, None]).any(), "filling is never read, by nobody"
        seen = said[:, None].expand(-1, places, -1)
        assert torch.equal(found[:, words:, :words], seen), "every place reads the whole text, its last token too"
        assert torch.equal(found, expected), "some token does not read all that stands before it"

    return Exercise("16.1", "who may read whom", [lambda answer, given=given: check_on(answer, *given)
                                                  for given in MASKED])


COUNTED_CODES = (([0, 1, 2, 3], 4), ([5, 5, 5, 5], 8), ([0, 0, 0, 1], 2), ([[0, 1], [1, 7]], 16))


def codes_counted() -> Exercise:
    r"""16.2: my_perplexity(indices, codes) -> exp of the entropy of how often each code occurs."""
    def check_on(answer, indices, codes):
        indices = torch.tensor(indices)
        found = torch.as_tensor(answer(indices.clone(), codes)).double()
        expected = perplexity(indices, codes)
        assert not found.isnan().any(), "a code that never occurs gives 0 · log 0: leave it out, it counts for nothing"
        assert_shape("the perplexity", found, ())
        entropy = math.log(expected)
        assert entropy == 0 or abs(found.item() - entropy) > 1e-3, "that is the entropy; its exp is the perplexity"
        assert abs(found.item() - math.exp(-entropy)) > 1e-3 or entropy == 0, "the entropy is minus a sum of p log p"
        assert entropy == 0 or abs(found.item() - math.exp(entropy / math.log(2))) > 1e-3, (
            "exp goes with the natural logarithm, 2 to the power with log2")
        assert_close("the perplexity", found, expected, 1e-4)

    return Exercise("16.2", "perplexity", [lambda answer, given=given: check_on(answer, *given)
                                           for given in COUNTED_CODES])


HALF_PROMPTS = ("a high tower", "a low tower")


def half_a_picture(system: DallE) -> Exercise:
    r"""16.3: halves(system, prompt, codes, place) -> (codes (1, side, side) whose upper half is kept, the numbers of
    the places whose logits change when the code at `place` changes)."""
    side = system.model.config["side"]
    generator = torch.Generator().manual_seed(16)
    given = torch.randint(system.model.codes, (1, side, side), generator=generator)

    def check_on(answer, prompt, place):
        found = answer(system, prompt, given.clone(), place)
        assert isinstance(found, tuple) and len(found) == 2, "return two things: the codes, and a list of places"
        codes, heard = found
        assert_shape("the codes", codes, given.shape)
        upper = side // 2
        assert torch.equal(codes[:, :upper], given[:, :upper]), "the upper half is not as it was given"
        known = given.flatten(1)[:, :upper * side]
        *_, expected = system.path([prompt], temperature=0, known=known)
        assert torch.equal(codes, system.model.grid(expected)), (
            "the lower half is not what `path` writes at temperature 0 for this prompt, behind the upper half")
        moved = list(range(place + 1, system.model.places))
        heard = [int(number) for number in heard]
        assert place not in heard, f"the logits at place {place} guess its code, so they cannot have read it"
        assert not [number for number in heard if number < place], "no place before it can have changed: look again"
        assert heard == moved, f"yours are {heard}; the logits of {moved} change"

    places = (0, side * side // 2, side * side - 1)
    return Exercise("16.3", "half a picture", [lambda answer, given=given: check_on(answer, *given)
                                               for given in zip(HALF_PROMPTS * 2, places, strict=False)])
