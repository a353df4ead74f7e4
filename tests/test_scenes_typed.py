"""Captions as people type them: written and read back, and prompts that the writer could not have written."""

import re
from pathlib import Path

import pytest
import torch

from helpers.data import scenes
from helpers.data.scenes import __main__ as measured
from helpers.data.scenes.captions.lexicon import USUAL
from helpers.data.scenes.captions.words import as_read, scan

LANGUAGES = scenes.LANGUAGES
NAMED = {name: (factor, index) for factor, names in scenes.VALUES.items() for index, name in enumerate(names)}
READ = {"one": scenes.read_caption, "pairs": scenes.read_pair_caption, "crowds": scenes.read_crowd_caption}


def table():
    """(kind, language, text, meaning) of each line of typed_prompts.txt."""
    kind = language = ""
    for line in Path(__file__).with_name("typed_prompts.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind, language = line.strip("[]").split()
        elif line and not line.startswith("#"):
            yield kind, language, *line.split(" => ")


PROMPTS = list(table())


def row(names, factors=scenes.FACTORS):
    stated = dict(NAMED[name] for name in names.split())
    return [stated.get(factor, scenes.UNSAID) for factor in factors]


def expected(kind, names):
    if kind == "one":
        return row(names)
    if kind == "pairs":
        words = names.replace(" of", "_of").split()
        return [-1 if word == "-" else values.index(word.replace("_", " "))
                for word, values in zip(words, scenes.PAIR_VALUES.values(), strict=True)]
    objects, background = names.split(" on ")
    return [row(part, scenes.FACTORS[:5]) for part in objects.split(";")], scenes.BACKGROUNDS.index(background)


def found(reading):
    factors = reading.factors()
    return factors.tolist() if isinstance(factors, torch.Tensor) else (factors[0].tolist(), factors[1])


@pytest.mark.parametrize(("kind", "language", "text", "meaning"), PROMPTS)
def test_a_prompt_is_understood_or_flagged_where_it_should_be(kind, language, text, meaning):
    reading = READ[kind](text)
    if meaning.startswith("! "):
        flagged = [word.text for word in reading.words if word.problem]
        flagged += [re.sub(".*[(]|[)].*", "", lack) for lack in reading.lacking]
        assert any(meaning[2:] in part or part in meaning[2:] for part in flagged), reading.problems
        with pytest.raises(ValueError):
            reading.factors()
    else:
        assert found(reading) == expected(kind, meaning), reading.problems


def test_there_are_sixty_prompts_in_each_language():
    for language in LANGUAGES:
        mine = [meaning for _, spoken, _, meaning in PROMPTS if spoken == language]
        assert len(mine) >= 60 and sum(meaning.startswith("!") for meaning in mine) <= 20


# -- the writer could not have written them ------------------------------------------------------------------------


def written(kind, language, n=6000):
    """Captions of the writer: what it can write, as far as its words and the order of its factors go."""
    generator = torch.Generator().manual_seed(7)
    if kind == "one":
        rows = scenes.drop_factors(scenes.sample_factors(n, generator, "all"), generator, 0.3)
        return scenes.write_captions(rows, generator, language)
    if kind == "pairs":
        return scenes.write_pair_captions(scenes.sample_pairs(n, generator, "all"), generator, language)
    return scenes.write_crowd_captions(*scenes.sample_crowd([1, 2, 3], n, generator, "all"), generator, language)


def words(text):
    return [token.text for token in scan(as_read(text)) if token.role != "silent"]


def neighbours(said, roles):
    """The pairs of words that stand side by side, one of several usual words for a factor by its role."""
    said = ["^", *(roles.get(word, word) for word in said), "$"]
    return set(zip(said, said[1:], strict=False))


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_writer_could_not_have_written_them(kind, language):
    """Each has a word that the writer never uses, or two side by side that it never puts so."""
    texts = [words(text) for text in written(kind, language)]
    roles = {word: role for role in ("shape", "colour", "size", "shade", "row", "column", "middle", "ground")
             for usual in USUAL[language][role] for word in usual}
    known = {side_by_side for text in texts for side_by_side in neighbours(text, roles)}
    mine = {text: words(text) for spoken, tongue, text, _ in PROMPTS if (spoken, tongue) == (kind, language)}
    news = {text: neighbours(said, roles) - known for text, said in mine.items()}
    assert not [text for text, new in news.items() if not new], "the writer might have written these"


# -- what the writer writes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["one", "pairs", "crowds"])
def test_reading_is_the_inverse_of_writing(kind, language):
    assert measured.read_back(kind, language, n=1000) == 1


def test_a_reader_that_confuses_two_words_is_found_out(monkeypatch):
    from helpers.data.scenes.captions import lexicon

    monkeypatch.setitem(lexicon.SENSES["ko"], "주황", lexicon.SENSES["ko"]["노란"])
    assert measured.read_back("one", "ko", n=1000) < 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fixed_pattern_is_one_of_the_styles(language):
    fact = torch.tensor([[0, 0, 1, 0, 0, 1]])
    texts = scenes.write_captions(fact.expand(30_000, 6), torch.Generator().manual_seed(0), language)
    assert scenes.caption(fact[0], language) in texts and len(set(texts)) > 1500


def test_the_same_seed_writes_the_same():
    facts = scenes.sample_factors(20, torch.Generator().manual_seed(1))
    one, two, other = (scenes.write_captions(facts, torch.Generator().manual_seed(seed), "ko") for seed in (2, 2, 3))
    assert one == two != other


def test_nothing_but_a_noun():
    facts = torch.tensor([[3, -1, -1, -1, -1, -1]]).expand(200, 6)
    texts = scenes.write_captions(facts, torch.Generator().manual_seed(0), "ko")
    assert "별" in texts and "별이 있다" in texts
    assert all(torch.equal(scenes.read_caption(text).factors(), facts[0]) for text in texts)


def test_wrong_rows_are_refused():
    generator = torch.Generator()
    with pytest.raises(ValueError, match="shape 4 does not exist"):
        scenes.write_captions(torch.tensor([[4, 0, 0, 0, 0, 0]]), generator)
    with pytest.raises(ValueError, match="relation -1"):
        scenes.write_pair_captions(torch.tensor([[0, 0, -1, 1, 1, 0]]), generator)
    with pytest.raises(ValueError, match="'de'"):
        scenes.write_captions(torch.tensor([[0, 0, 0, 0, 0, 0]]), generator, "de")


# -- what a reading tells ------------------------------------------------------------------------------------------


def test_each_word_says_what_it_stands_for():
    reading = scenes.read_caption("회색바탕 좌상단에 큰 빨강 원")
    assert [(word.text, word.factor, word.value) for word in reading.words if word.factor] == [
        ("회색", "background", "gray"), ("좌상단", "place", "top left"), ("큰", "size", "big"),
        ("빨강", "colour", "red"), ("원", "shape", "circle")]
    assert reading.order() == ("background", "place", "size", "colour", "shape") and not reading.problems


def test_objects_are_numbered():
    reading = scenes.read_pair_caption("파란 별 왼쪽에 빨간 원")
    assert [(word.value, word.thing) for word in reading.words if word.factor] == [
        ("blue", 0), ("star", 0), ("left of", -1), ("red", 1), ("circle", 1)]


@pytest.mark.parametrize(("text", "row_"), [
    ("회색 배경 위에 빨간 원", "circle red gray"), ("회색 배경의 위에 빨간 원", "circle red gray top"),
    ("회색 배경 위 왼쪽에 빨간 원", "circle red gray top left"), ("circle red background gray", "circle red gray"),
    ("light blue star", "star cyan"), ("dark blue star", "star blue"),
    ("a star right in the middle", "star centre middle"), ("a red star, top left, black", "star red top left black"),
])
def test_small_words_that_change_the_meaning(text, row_):
    assert scenes.read_caption(text).factors().tolist() == row(row_)


@pytest.mark.parametrize("text", ["인형", "빨간 개", "거위", "원숭이", "별똥별", "starred", "a red circle 😀"])
def test_a_word_that_holds_known_pieces_is_not_taken_for_them(text):
    assert scenes.read_caption(text).problems
