r"""The exercises of notebook 14, and the licences that the last one asks about."""

from __future__ import annotations

import math

import torch

from ...course.checks import Exercise, assert_close
from ...diffusion.forward import flow_schedule

SIDES = ((32, 64, 1), (32, 64, 4), (512, 320, 8))  # pixels along a side, channels, f


def latent_work() -> Exercise:
    r"""14.1: (side, width, f) -> (multiply-adds of a 3 x 3 convolution, of attention), width channels on side / f."""
    def check_on(answer, side, width, f):
        found = answer(side, width, f)
        assert isinstance(found, tuple) and len(found) == 2, "return two numbers: the convolution's, attention's"
        places, pixels = (side // f) ** 2, side**2
        conv, attention = 9 * width**2 * places, 2 * places**2 * width
        mistakes = [(9 * width**2 * pixels, "the convolution works on the latent's places, not on pixels"),
                    (9 * width**2 * pixels // f, "both sides are divided by f: f × f times fewer places"),
                    (width**2 * places, "a 3 × 3 convolution reads nine places for each one"),
                    (9 * width * places, "each of the channels that come out reads all that go in")]
        compare("the convolution", found[0], conv, mistakes)
        compare("attention", found[1], attention, [
            (2 * pixels**2 * width, "attention works on the latent's places, not on pixels"),
            (places**2 * width, "attention has two products: the scores, and the weighted means"),
            (2 * places * width, "each place reads every place: their number, squared"),
            (2 * places**2, "each score is a product of `width` numbers")])

    return Exercise("14.1", "what latents save", [lambda answer, given=given: check_on(answer, *given)
                                                  for given in SIDES])


def compare(what: str, found: int, expected: int, mistakes: list[tuple[int, str]]) -> None:
    """AssertionError unless both are equal, with the words of the mistake that gives what was found."""
    for value, words in mistakes:
        assert found != value or value == expected, words
    assert found == expected, f"{found:,} for {what}; expected {expected:,}"


def from_a_latent() -> Exercise:
    r"""14.2: begin(z, eps, strength, steps) -> (z_t, t, how many steps), on the straight path of T = 1000."""
    schedule = flow_schedule()
    z, eps = torch.randn(2, 3, 4, 8, 8, generator=torch.Generator().manual_seed(14))

    def check_on(answer, strength, steps):
        found = answer(z, eps, strength, steps)
        assert isinstance(found, tuple) and len(found) == 3, "return three things: z_t, t, the number of steps"
        t, count = round(strength * 1000), math.ceil(strength * steps)
        assert found[1] != round((1 - strength) * 1000) or strength == 0.5, "the strength is the share of the *noise*"
        assert found[1] == t, f"t is {found[1]}; expected {t}"
        assert found[2] != steps or count == steps, "of the steps only that share is left to make"
        assert found[2] == count, f"{found[2]} steps; expected {count}"
        assert not torch.allclose(found[0], z + strength * eps, atol=1e-4), "the latent shrinks as noise comes: 1 - u"
        assert not torch.allclose(found[0], strength * z + (1 - strength) * eps, atol=1e-4) or strength == 0.5, (
            "latent and noise have changed places")
        assert_close("z_t", found[0], schedule.add_noise(z, t, eps), 1e-5)

    return Exercise("14.2", "from a picture", [lambda answer, given=given: check_on(answer, *given)
                                               for given in ((0.3, 20), (0.7, 20), (0.25, 6))])


# -- licences ------------------------------------------------------------------------------------------------------

RIGHT = "cab"  # the letters, in the order of the questions
WHY = (
    "version 1's OpenRAIL-M lets you sell what you draw; its list of forbidden uses goes with it, whoever uses it",
    "the community licence is free below one million dollars of revenue a year, and this company is above that",
    "the definition of open source forbids to exclude fields of use (its sixth point), and OpenRAIL does exclude some",
)


def licence_read() -> Exercise:
    r"""14.3: read() -> three letters, an answer to each question about licences, such as "abc"."""
    def knows(answer):
        found = answer()
        assert isinstance(found, str) and len(found) == len(RIGHT) and set(found) <= set("abc"), (
            "return three of the letters a, b and c, such as \"abc\"")
        for number, (said, right, why) in enumerate(zip(found, RIGHT, WHY, strict=True), 1):
            assert said == right, f"question {number}: not {said}. Look at the table again: {why}"

    return Exercise("14.3", "the licence, read", [knows])
