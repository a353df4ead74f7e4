"""The exercises of notebook 03."""

from __future__ import annotations

import math

import torch

from ...course.checks import Exercise

PAIRINGS = 28  # of shape and colour that sentences in training have: 4 times 8, less the 4 that are held out


def caption_bits(most: int) -> Exercise:
    """03.1: count -> the bits that tell which of all training sentences about so many objects is meant.

    most: the largest number of objects of a sentence, 5 in the course.
    """

    def sentences(count):
        return 3 * (2 * PAIRINGS) ** count * math.perm(9, count)

    def is_right(bits, count, hint):
        found = float(bits(count))
        assert abs(found - math.log2(sentences(count))) < 0.01, f"bits({count}) is {found:.2f}; {hint}"

    def is_not(bits, wrong, hint):
        assert abs(float(bits(2)) - math.log2(wrong)) > 0.01, f"bits(2) is {math.log2(wrong):.2f}; {hint}"

    def knows_one_object(bits):
        is_right(bits, 1, "one object has 28 pairings of shape and colour, 2 sizes, 9 places; there are 3 backgrounds")

    def knows_that_places_differ(bits):
        is_not(bits, 3 * (56 * 9) ** 2, "no two objects share a place, so the second has 8 to choose from")
        is_not(bits, 3 * 56**2 * math.comb(9, 2), "objects are named in an order; another order is another sentence")
        is_not(bits, sentences(1) ** 2, "all objects are on one background, said once")
        is_right(bits, 2, "count the sentences again")

    def goes_on(bits):
        for count in range(3, most + 1):
            is_right(bits, count, f"expected {math.log2(sentences(count)):.2f}")

    title = "the bits in a sentence, and those that a vector has room for"
    return Exercise("03.1", title, [knows_one_object, knows_that_places_differ, goes_on])


def alarm_threshold(usual, fresh) -> Exercise:
    """03.2: (scores (N,), rate) -> the threshold above which a share `rate` of the scores lies.

    usual, fresh: scores of normal pictures. The threshold is set on the first and tried on the second.
    """

    def is_exact_where_it_can_be(threshold):
        scores = torch.arange(1000.0)[torch.randperm(1000, generator=torch.Generator().manual_seed(0))]
        for rate in (0.05, 0.2):
            alarms = (scores > float(threshold(scores, rate))).float().mean().item()
            low = "; you seem to take the low end of the scores" if abs(alarms - (1 - rate)) < 0.01 else ""
            assert abs(alarms - rate) < 0.002, f"at rate {rate:.0%}, {alarms:.1%} of 1,000 scores lie above yours{low}"

    def holds_for_new_pictures(threshold):
        alarms = (fresh > float(threshold(usual, 0.05))).float().mean().item()
        assert 0.025 <= alarms <= 0.075, f"of {len(fresh)} new normal pictures {alarms:.1%} give an alarm; expected 5 %"

    title = "a threshold that 5 % of the normal pictures exceed"
    return Exercise("03.2", title, [is_exact_where_it_can_be, holds_for_new_pictures])
