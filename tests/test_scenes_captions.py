"""Captions of tiny scenes in the fixed pattern: both languages, particles, partial captions, and what reading flags.

What people type, and the writer that types so too, are in test_scenes_typed."""

import re
import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import scenes
from helpers.data.scenes.captions.lexicon import WORDS
from helpers.data.scenes.captions.writer import with_article

SIZES = [len(names) for names in scenes.VALUES.values()]
ROWS = st.tuples(*(st.integers(0, n - 1) for n in SIZES)).map(torch.tensor)
PARTIAL_ROWS = st.tuples(*(st.integers(scenes.UNSAID, n - 1) for n in SIZES)).map(torch.tensor)
LANGUAGE = st.sampled_from(scenes.LANGUAGES)
NO = scenes.UNSAID


@pytest.mark.parametrize("row, english, korean", [
    ((0, 0, 1, 0, 0, 1), "a big red circle in the top left on a gray background",
     "회색 배경의 왼쪽 위에 큰 빨간 원이 있다"),
    ((3, 5, 0, 1, 1, 2), "a small blue star in the centre on a white background",
     "흰 배경의 한가운데에 작은 파란 별이 있다"),
    ((1, 1, NO, 1, 2, NO), "an orange square in the bottom centre", "아래쪽 가운데에 주황색 사각형이 있다"),
    ((NO, NO, 1, NO, NO, 0), "a big shape on a black background", "검은 배경에 큰 도형이 있다"),
    ((2, NO, NO, 2, NO, NO), "a triangle in the right column", "오른쪽 열에 삼각형이 있다"),
    ((NO,) * 6, "a shape", "도형이 있다"),
])
def test_captions(row, english, korean):
    assert scenes.caption(torch.tensor(row)) == english
    assert scenes.caption(torch.tensor(row), "ko") == korean


@given(PARTIAL_ROWS, LANGUAGE)
def test_reading_is_the_inverse_of_writing(row, language):
    assert torch.equal(scenes.read_caption(scenes.caption(row, language)).factors(), row)


@pytest.mark.parametrize("language", scenes.LANGUAGES)
def test_no_two_scenes_share_a_caption(language):
    rows = torch.cartesian_prod(*(torch.arange(n) for n in SIZES))
    assert len({scenes.caption(row, language) for row in rows}) == len(rows) == 1728


@given(st.integers(ord("가"), ord("힣")).map(chr), st.sampled_from(["이/가", "과/와", "을/를", "은/는"]))
def test_particle_follows_the_final_consonant(syllable, pair):
    letters = unicodedata.normalize("NFD", syllable)           # two letters, or three with a final consonant
    closed, opened = pair.split("/")
    particle = closed if len(letters) == 3 else opened
    assert scenes.with_particle("큰 " + syllable, pair) == "큰 " + syllable + particle


@pytest.mark.parametrize("word, pair, expected", [
    ("원", "이/가", "원이"), ("사각형", "과/와", "사각형과"), ("별", "을/를", "별을"),
    ("세모", "은/는", "세모는"), ("네모", "이/가", "네모가"), ("동그라미", "과/와", "동그라미와"),
])
def test_particles(word, pair, expected):
    assert scenes.with_particle(word, pair) == expected


def test_particles_refuse_what_they_cannot_know():
    for word in ("", "star", "원1", "ㄱ"):
        with pytest.raises(ValueError, match="Hangul"):
            scenes.with_particle(word, "이/가")
    with pytest.raises(ValueError, match="으로/로.*이/가"):
        scenes.with_particle("원", "으로/로")


def test_articles():
    assert with_article("orange star") == "an orange star" and with_article("small star") == "a small star"


@pytest.mark.parametrize("text, row", [
    ("A GREY background, with a large red circle in the top-left.", (0, 0, 1, 0, 0, 1)),
    ("회색 배경 의 왼쪽 위 에 큰 빨간 원 이 있다", (0, 0, 1, 0, 0, 1)),
    (unicodedata.normalize("NFD", "회색 배경의 왼쪽 위에 큰 빨간 원이 있다"), (0, 0, 1, 0, 0, 1)),
    ("빨간색 동그라미", (0, 0, NO, NO, NO, NO)),
    ("blue star left", (3, 5, NO, 0, NO, NO)),
])
def test_reading_forgives(text, row):
    assert scenes.read_caption(text).factors().tolist() == list(row)


@pytest.mark.parametrize("text, message", [
    ("a purpel circle", "'purpel' is no word.*did you mean purple"),
    ("빨칸 원이 있다", "'빨칸' is no word.*빨간"),
    ("a xyzzy", "'xyzzy' is no word"),
    ("a red blue circle", "colour is said twice: 'red' and 'blue'"),
    ("a circle in the top bottom", "'bottom' contradicts the place"),
    ("a circle in the left corner", "which corner"),
    ("a gray circle", "'gray': only a background is black, gray or white.*red, orange"),
    ("a circle on a red background", "'red' is no background.*black, gray or white"),
    ("빨간 배경", "'빨간' is no background"),
    ("a circle above", "'above' is said of two objects"),
    (" . ", "says nothing about a picture"),
])
def test_reading_says_what_is_wrong(text, message):
    reading = scenes.read_caption(text)
    assert reading.problems
    with pytest.raises(ValueError, match=message):
        reading.factors()


@given(st.text(max_size=40))
def test_reading_any_text_tells_of_every_character(text):
    try:
        reading = scenes.read_caption(text)
    except ValueError as error:
        assert "half a character" in str(error)
        return
    covered = {i for word in reading.words for i in range(word.start, word.end)}
    assert all(i in covered or character.isspace() for i, character in enumerate(reading.text))
    assert all(reading.text[word.start:word.end] == word.text for word in reading.words)
    assert reading.problems or reading.factors().shape == (6,)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'de'.*en or ko"):
        scenes.caption(torch.zeros(6, dtype=torch.long), "de")
    with pytest.raises(ValueError, match="shape 4 does not exist"):
        scenes.caption(torch.tensor([4, 0, 0, 0, 0, 0]))


def test_dropping_factors():
    factors = scenes.sample_factors(4000, torch.Generator().manual_seed(0))
    partial = scenes.drop_factors(factors, torch.Generator().manual_seed(1), p=0.25)
    dropped = partial == scenes.UNSAID
    assert torch.equal(partial[~dropped], factors[~dropped])
    assert ((dropped.float().mean(0) - 0.25).abs() < 0.03).all()


def test_words_are_one_for_each_value():
    for language in scenes.LANGUAGES:
        assert {factor: len(words) for factor, words in WORDS[language].items()} == {
            "shape": 4, "colour": 8, "size": 2, "background": 3}


PAIR_SIZES = [len(names) for names in scenes.PAIR_VALUES.values()]
PAIRS = st.tuples(*(st.integers(0, n - 1) for n in PAIR_SIZES)).map(torch.tensor)


@given(PAIRS, LANGUAGE)
def test_reading_is_the_inverse_of_writing_for_pairs(row, language):
    assert torch.equal(scenes.read_pair_caption(scenes.pair_caption(row, language)).factors(), row)


def test_pair_captions():
    row = torch.tensor([0, 1, 0, 1, 5, 1])
    assert scenes.pair_caption(row) == "an orange circle left of a blue square on a gray background"
    assert scenes.pair_caption(row, "ko") == "회색 배경에서 주황색 원이 파란 사각형의 왼쪽에 있다"


@pytest.mark.parametrize("text, message", [
    ("a red circle and a blue square on a gray background", "where do the two stand"),
    ("a big red circle above a blue square on a gray background", "'big': two objects are always small"),
    ("a red circle above", "speaks of 1 object"),
    ("a red circle above a blue square left of a star", "speaks of 3 objects"),
    ("a red circle above a blue square in the corner", "'corner': of two objects only where one is"),
])
def test_reading_pairs_says_what_is_wrong(text, message):
    reading = scenes.read_pair_caption(text)
    assert any(re.search(message, problem) for problem in reading.problems), reading.problems
    with pytest.raises(ValueError):
        reading.factors()
