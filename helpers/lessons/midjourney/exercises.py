r"""The exercises of notebook 15: a command read, a grid drawn again from a line of the log, what a button changes."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close
from ...systems.studio import Studio, read_line

# What is typed, and what is to come of it; None: a ValueError.
TO_PARSE = (
    ("/imagine prompt: a red circle", {"prompt": "a red circle", "seed": None, "no": ""}),
    ("/imagine prompt: a red circle --seed 7", {"prompt": "a red circle", "seed": 7, "no": ""}),
    ("/imagine prompt: 큰 초록 별 --no blue --seed 0", {"prompt": "큰 초록 별", "seed": 0, "no": "blue"}),
    ("/imagine prompt: a star --no red and blue", {"prompt": "a star", "seed": None, "no": "red and blue"}),
    ("/imagine prompt: a star --seed", None),
    ("/imagine prompt: a star --seed seven", None),
    ("/imagine prompt: a star --sed 7", None),
    ("/imagine prompt: --seed 7", None),
)
PROBLEMS = {"--seed": "--seed has no value", "seven": "a seed is a whole number", "--sed": "there is no --sed",
            "prompt:": "the prompt is empty"}


def command_read() -> Exercise:
    r"""15.1: parse(text) -> {"prompt": ..., "seed": a number or None, "no": ...}; ValueError for a bad command."""
    def check_on(answer, text, expected):
        try:
            found = answer(text)
        except ValueError:
            assert expected is None, f"{text!r} is a good command, and yours raises ValueError"
            return
        if expected is None:
            last = text.split()[-1]
            why = PROBLEMS.get(last) or PROBLEMS["--sed"] * ("--sed " in text) or PROBLEMS["prompt:"]
            raise AssertionError(f"{text!r} is to raise ValueError ({why}); yours returns {found!r}")
        assert isinstance(found, dict) and found.keys() == expected.keys(), "return a dict with prompt, seed and no"
        for name, value in expected.items():
            assert found[name] == value and type(found[name]) is type(value), (
                f"{name} of {text!r} is {found[name]!r}; expected {value!r}")

    return Exercise("15.1", "a command, read", [lambda answer, given=given: check_on(answer, *given)
                                                for given in TO_PARSE])


LOG = ("/imagine prompt: a red circle --seed 7", "/imagine prompt: 파란 별 --seed 1234 --chaos 60")


def from_the_log(studio: Studio) -> Exercise:
    r"""15.2: again(prompt, seed, chaos) -> the four pictures (4, 3, 32, 32) of a line of the studio's log."""
    def check_on(answer, text):
        asked = read_line(text).asked
        expected = studio.draw(read_line(text)).canvases
        found = answer(asked.prompt, asked.seed, asked.chaos)
        assert getattr(found, "shape", None) == expected.shape, f"return four pictures, {tuple(expected.shape)}"
        if torch.allclose(found, expected, atol=1e-4):
            return
        other = studio.draw(read_line(text.replace(f"--seed {asked.seed}", "--seed 0"))).canvases
        assert not torch.allclose(found, other, atol=1e-4), "the noise is that of another seed"
        assert not torch.equal(found[0], found[1]), "all four are the same: each has noise of its own in part"
        assert found.abs().max() <= 1, "clamp the pictures to [-1, 1]"
        assert_close(f"the grid of {text!r}", found, expected, 1e-4)

    return Exercise("15.2", "a grid, drawn again from the log", [lambda answer, text=text: check_on(answer, text)
                                                                for text in LOG])


# -- what changes what ---------------------------------------------------------------------------------------------

RIGHT_LETTERS = "n-c-nc"  # in the order of the questions
REASONS = (
    "Reroll keeps every word and takes another seed, so another noise",
    "U picks one picture and enlarges it: nothing is drawn anew",
    "--no gives words to be led away from, in the place of the empty caption",
    "--stop breaks the loop early, on the same path from the same noise with the same caption",
    "V begins from the picture under new noise, and its caption stays",
    "--stylize weighs in a caption that names the artist; the noise stays",
)


def what_changes() -> Exercise:
    r"""15.3: changes() -> six letters: n the noise, c the caption, - neither."""
    def knows(answer):
        found = answer()
        assert isinstance(found, str) and len(found) == len(RIGHT_LETTERS) and set(found) <= set("nc-"), (
            "return six signs, each n (the noise), c (the caption) or - (neither), such as \"nc-nc-\"")
        for number, (said, right, why) in enumerate(zip(found, RIGHT_LETTERS, REASONS, strict=True), 1):
            assert said == right, f"number {number}: not {said}. Think again: {why}"

    return Exercise("15.3", "what changes the noise, what the caption", [knows])
