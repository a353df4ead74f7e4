"""Sentences about several objects: grammar, round trips, ids by table, and which word translates which."""

import re
import time
import unicodedata

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import scenes
from helpers.data.scenes import crowd
from helpers.data.scenes.captions.lexicon import WORDS
from helpers.data.scenes.crowd_sampling import kept_for_tests
from helpers.data.text import Tokenizer, source_batch, target_batch

LANGUAGES = ("en", "ko")
TOKENIZERS = {"en": Tokenizer(scenes.ENGLISH), "ko": Tokenizer(scenes.KOREAN)}
THREE = torch.tensor([[0, 0, 1, 0, 0], [3, 5, 0, 1, 1], [1, 3, 1, 2, 2]])
ENGLISH = ("a big red circle in the top left, a small blue star in the centre and a big green square "
           "in the bottom right on a gray background")
KOREAN = "회색 배경의 왼쪽 위에 큰 빨간 원이, 한가운데에 작은 파란 별이, 오른쪽 아래에 큰 초록색 사각형이 있다"


def draw(count=(1, 2, 3, 4, 5), n=300, seed=0, split="train"):
    return scenes.sample_crowd(count, n, torch.Generator().manual_seed(seed), split)


def told(objects, background, language):
    return [scenes.crowd_caption(*scene, language) for scene in zip(objects, background, strict=True)]


@st.composite
def crowds(draw):
    """Objects (k, 5) at different places, and a background."""
    places = draw(st.lists(st.integers(0, 8), min_size=1, max_size=scenes.MOST, unique=True))
    looks = st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(0, 1))
    rows = [(*draw(looks), place % 3, place // 3) for place in places]
    return torch.tensor(rows), draw(st.integers(0, 2))


# -- sentences -------------------------------------------------------------------------------------


def test_three_objects():
    assert scenes.crowd_caption(THREE, 1) == ENGLISH
    assert scenes.crowd_caption(THREE, 1, "ko") == KOREAN


def test_two_objects():
    two = torch.tensor([[2, 1, 0, 1, 2], [1, 4, 0, 0, 1]])
    assert scenes.crowd_caption(two, 2) == (
        "a small orange triangle in the bottom centre and a small cyan square in the middle left on a white background")
    assert scenes.crowd_caption(two, 2, "ko") == (
        "흰 배경의 아래쪽 가운데에 작은 주황색 삼각형이, 왼쪽 가운데에 작은 하늘색 사각형이 있다")


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_object_is_told_as_in_a_caption(language):
    rows = scenes.sample_factors(200, torch.Generator().manual_seed(0), "all")
    for row in rows:
        assert scenes.crowd_caption(row[None, :5], row[5], language) == scenes.caption(row, language)


def test_grammar_by_counting():
    objects, background = draw()
    counts = (objects[..., 0] >= 0).sum(1).tolist()
    english_korean = (told(objects, background, language) for language in LANGUAGES)
    for k, english, korean in zip(counts, *english_korean, strict=True):
        assert english.count(", ") == english.count(",") == max(0, k - 2) and english.count(" and ") == (k > 1)
        assert len(re.findall(r"\ba (?:big|small) ", english)) == english.count(" in the ") == k
        assert english.endswith(" background") and english.count(" on a ") == 1
        assert korean.count(", ") == korean.count(",") == k - 1
        assert korean.count("배경의 ") == 1 and korean.endswith("이 있다") and korean.count("있다") == 1
        assert len(re.findall("에 (?:큰|작은) ", korean)) == k
        for text in (english, korean):
            assert "  " not in text and text == text.strip()


def test_the_particle_follows_the_final_consonant():
    objects, background = draw()
    shapes = [word for text in told(objects, background, "ko") for word in re.findall(r"(\w+)(?=,| 있다)", text)]
    assert len(shapes) == (objects[..., 0] >= 0).sum()
    for word in shapes:
        closed = len(unicodedata.normalize("NFD", word[-2])) == 3  # two letters, or three with a final consonant
        assert word[-1] == ("이" if closed else "가")


def test_all_sentences_differ():
    objects, background = draw(n=3000, split="all")
    scene = {tuple(o.flatten().tolist()) + (int(b),) for o, b in zip(objects, background, strict=True)}
    for language in LANGUAGES:
        assert len(set(told(objects, background, language))) == len(scene) > 2800


# -- reading ---------------------------------------------------------------------------------------


@given(crowds(), st.sampled_from(LANGUAGES))
def test_reading_is_the_inverse_of_writing(scene, language):
    objects, background = scenes.read_crowd_caption(scenes.crowd_caption(*scene, language)).factors()
    assert torch.equal(objects, scene[0]) and background == scene[1]


@pytest.mark.parametrize("text", [
    ENGLISH.upper().replace(" AND", ", AND") + ".",
    ENGLISH.replace("gray", "grey").replace("big", "large"),
    KOREAN.replace("의 ", " 의 ").replace("에 ", " 에 ").replace("이", " 이"),
    unicodedata.normalize("NFD", KOREAN).replace(", ", ","),
])
def test_reading_forgives(text):
    objects, background = scenes.read_crowd_caption(text).factors()
    assert torch.equal(objects, THREE) and background == 1


@pytest.mark.parametrize("text, message", [
    (ENGLISH.replace("star", "stra"), "'stra' is no word.*did you mean star"),
    (ENGLISH.replace("small blue", "blue"), r"object 2 \(star\) has no size"),
    (ENGLISH.replace(" in the top left", ""), r"object 1 \(circle\) has no column and no row"),
    (ENGLISH.replace(" on a gray background", ""), "names no background"),
    (ENGLISH.replace("left,", "left on a black background,"), "background is said twice"),
    (KOREAN.replace("한가운데에 ", ""), r"object 2 \(별\) has no column and no row"),
    (KOREAN.replace("있다", "없다"), "'없다': a picture shows what is there"),
    (ENGLISH.replace("in the centre", "below it in the centre"), "'below' has no place"),
    ("", "names no background"),
])
def test_reading_says_what_is_wrong(text, message):
    reading = scenes.read_crowd_caption(text)
    assert any(re.search(message, problem) for problem in reading.problems), reading.problems
    with pytest.raises(ValueError):
        reading.factors()


@given(st.text(max_size=40))
def test_reading_any_text_gives_objects_or_a_value_error(text):
    with pytest.raises(ValueError):
        scenes.read_crowd_caption(text).factors()


# -- sampling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, scenes.MOST + 1))
def test_objects_stand_at_different_places(count):
    objects, background = draw(count)
    assert objects.shape == (300, count, 5) and background.shape == (300,)
    places = objects[..., 3] + 3 * objects[..., 4]
    assert all(len(set(row)) == count for row in places.tolist())
    assert (objects >= 0).all()


def test_every_value_occurs_equally_often_wherever_an_object_is_named():
    objects, background = draw(5, n=6000, split="all")
    for i in range(5):
        for column, names in enumerate(crowd._VALUES.values()):
            share = objects[:, i, column].bincount() / 6000
            assert len(share) == len(names) and ((share - 1 / len(names)).abs() < 0.03).all()
    assert ((background.bincount() / 6000 - 1 / 3).abs() < 0.03).all()


def test_mixed_counts_fill_with_unsaid():
    objects, _ = draw((1, 2, 4), n=3000)
    counts = (objects != scenes.UNSAID).all(2).sum(1)
    assert objects.shape == (3000, 4, 5) and counts.unique().tolist() == [1, 2, 4]
    assert ((counts[:, None] == torch.tensor([1, 2, 4])).float().mean(0) - 1 / 3).abs().max() < 0.03
    assert ((objects == scenes.UNSAID).all(2) == (torch.arange(4) >= counts[:, None])).all()


def test_the_split_holds_for_every_object():
    held_out = {(scenes.SHAPES.index(shape), scenes.COLOURS.index(colour)) for shape, colour in scenes.HELD_OUT}
    for split, outside, inside in (("train", 0, 28), ("test", 0, 28), ("held_out", 4, 0), ("all", 4, 28)):
        found = set(map(tuple, draw(5, n=600, split=split)[0][..., :2].flatten(0, 1).tolist()))
        assert (len(found & held_out), len(found - held_out)) == (outside, inside)


def test_an_eighth_is_kept_for_tests_whatever_the_order():
    objects, background = draw(n=4000, split="all")
    kept = kept_for_tests(objects, background)
    assert abs(kept.float().mean() - 1 / 8) < 0.02
    assert torch.equal(kept_for_tests(objects.flip(1), background), kept)
    assert torch.equal(kept_for_tests(F.pad(objects, (0, 0, 0, 2), value=scenes.UNSAID), background), kept)
    assert kept_for_tests(*draw(3, n=300, split="test")).all(), "the split is the same in every process"
    for column, names in enumerate(crowd._VALUES.values()):
        share = objects[kept][:, 0, column].bincount() / kept.sum()
        assert ((share - 1 / len(names)).abs() < 0.06).all(), "no value is rarer in tests"


def test_sampling_is_deterministic():
    assert all(torch.equal(a, b) for a, b in zip(draw(seed=3), draw(seed=3), strict=True))
    assert not torch.equal(draw(seed=3)[0], draw(seed=4)[0])


# -- ids -------------------------------------------------------------------------------------------


def test_the_vocabularies_hold_what_the_sentences_need_and_no_more():
    objects, background = draw(n=1000, split="all")
    for language, tokenizer in TOKENIZERS.items():
        texts = told(objects, background, language)
        assert not [word for text in texts for word in tokenizer.unknown(text)]
        assert {token for text in texts for token in tokenizer.tokens(text)} == set(tokenizer.vocabulary[4:])
        assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in texts)


def test_particles_and_commas_are_tokens_of_their_own():
    assert TOKENIZERS["ko"].tokens("흰 배경의 왼쪽 위에 큰 빨간 원이, 한가운데에 작은 파란 별이 있다") == (
        "▁흰 ▁배경 의 ▁왼쪽 ▁위 에 ▁큰 ▁빨간 ▁원 이 , ▁한가운데 에 ▁작은 ▁파란 ▁별 이 ▁있다".split())
    assert TOKENIZERS["ko"].unknown("큰 원가 있다") == ["원가"], "no sentence has 가: it is unknown, not guessed"


@pytest.mark.parametrize("source", LANGUAGES)
@pytest.mark.parametrize("target", LANGUAGES)
def test_ids_by_table_are_those_of_the_tokenizer(source, target):
    for count in (1, 3, (1, 2, 3, 4, 5)):
        objects, background = draw(count, split="all")
        src, tgt = scenes.crowd_batch(objects, background, source, target)
        assert torch.equal(src, source_batch(TOKENIZERS[source], told(objects, background, source)))
        assert torch.equal(tgt, target_batch(TOKENIZERS[target], told(objects, background, target)))
        assert src.dtype == tgt.dtype == torch.int64


def test_every_object_is_in_the_table():
    looks = torch.cartesian_prod(*(torch.arange(len(names)) for names in crowd._VALUES.values()))[:, None]
    background = torch.zeros(len(looks), dtype=torch.long)
    src, tgt = scenes.crowd_batch(looks, background)
    assert torch.equal(src, source_batch(TOKENIZERS["ko"], told(looks, background, "ko")))
    assert torch.equal(tgt, target_batch(TOKENIZERS["en"], told(looks, background, "en")))


def test_a_batch_is_made_fast_enough_for_every_step():
    # The processor's own time, and the best of ten: neighbours on a busy machine do not count.
    generator, seconds = torch.Generator().manual_seed(0), []
    for _ in range(10):
        start = time.process_time()
        scenes.crowd_batch(*scenes.sample_crowd((1, 2, 3, 4, 5), 64, generator))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.01, f"64 sentences took {min(seconds) * 1000:.1f} ms"  # 0.5 ms when measured


# -- which word translates which -------------------------------------------------------------------


def paired(objects, background, source="ko", target="en"):
    """{target token: source token} in the order of the target, and the tokens that have no counterpart."""
    src, tgt = (TOKENIZERS[lang].tokens(scenes.crowd_caption(objects, background, lang)) for lang in (source, target))
    found = scenes.alignment(objects, background, source, target)
    assert len(found) == len(tgt)
    pairs = [(a, src[b]) for a, b in zip(tgt, found, strict=True) if b >= 0]
    return pairs, [a for a, b in zip(tgt, found, strict=True) if b < 0]


def test_alignment_of_one_object_by_hand():
    #  회색0 배경1 의2 왼쪽3 위4 에5 큰6 빨간7 원8 이9 있다10
    #  a big red circle in the top left on a gray background
    assert scenes.alignment(THREE[:1], 1) == [-1, 6, 7, 8, -1, -1, 4, 3, -1, -1, 0, 1]
    assert scenes.alignment(THREE[:1], 1, "en", "ko") == [10, 11, -1, 7, 6, -1, 1, 2, 3, -1, -1]


def test_alignment_of_three_objects_by_hand():
    pairs, rest = paired(THREE, 1)
    assert " ".join(a + b for a, b in pairs).replace("▁", "") == (
        "big큰 red빨간 circle원 top위 left왼쪽 small작은 blue파란 star별 centre한가운데 big큰 green초록색 square사각형 "
        "bottom아래 right오른쪽 gray회색 background배경")
    assert set(rest) == {"▁a", "▁in", "▁the", ",", "▁and", "▁on"}
    assert scenes.alignment(THREE, 1)[9:16] == [-1, 13, 14, 15, -1, -1, 11], "the second object, not the first"


@pytest.mark.parametrize("column, row, english, korean", [
    (0, 0, "top left", "위 왼쪽"), (1, 0, "top centre", "위쪽 가운데"), (2, 0, "top right", "위 오른쪽"),
    (0, 1, "middle left", "가운데 왼쪽"), (1, 1, "centre", "한가운데"), (2, 1, "middle right", "가운데 오른쪽"),
    (0, 2, "bottom left", "아래 왼쪽"), (1, 2, "bottom centre", "아래쪽 가운데"), (2, 2, "bottom right", "아래 오른쪽"),
])
def test_alignment_of_places(column, row, english, korean):
    pairs, _ = paired(torch.tensor([[0, 0, 0, column, row]]), 0)
    places = [(a, b) for a, b in pairs if a[1:] in (*scenes.ROWS, *scenes.COLUMNS)]
    assert [" ".join(words).replace("▁", "") for words in zip(*places, strict=True)] == [english, korean]


@given(crowds())
def test_words_that_translate_each_other_mean_the_same(scene):
    pairs, _ = paired(*scene)
    assert sorted((b, a) for a, b in paired(*scene, "en", "ko")[0]) == sorted(pairs)
    for a, b in ((a[1:], b[1:]) for a, b in pairs):
        for named in (dict(zip(WORDS["en"][factor], WORDS["ko"][factor], strict=True)) for factor in WORDS["en"]):
            assert named.get(a, b) == b
    k, single = len(scene[0]), int(((scene[0][:, 3] == 1) & (scene[0][:, 4] == 1)).sum())
    assert len(pairs) == 5 * k - single + 2


def test_a_sentence_aligned_with_itself_is_the_identity():
    objects, background = draw()
    for language in LANGUAGES:
        found = scenes.alignments(objects, background, language, language)
        assert ((found == torch.arange(found.shape[1])) | (found == crowd.NONE)).all() and (found >= 0).any(1).all()


def test_alignments_fit_the_batch():
    objects, background = draw(n=20)
    src, tgt = scenes.crowd_batch(objects, background)
    found = scenes.alignments(objects, background)
    assert found.shape == (20, tgt.shape[1] - 1) and (found < src.shape[1]).all()
    for row, scene, steps in zip(found, zip(objects, background, strict=True), tgt[:, 1:], strict=True):
        one = scenes.alignment(*scene)
        assert row.tolist() == one + [-1] * (len(row) - len(one))
        assert (row[steps <= 3] == -1).all(), "EOS and PAD have no counterpart"


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 6, (), (2, 9)])
def test_wrong_counts(count):
    with pytest.raises(ValueError, match="1 to 5 objects, so count cannot be"):
        draw(count)


GAP = torch.tensor([[0, 0, 0, 0, 0], [-1] * 5, [0, 0, 0, 1, 1]])


@pytest.mark.parametrize("objects, background, message", [
    (THREE, 3, "background 3 does not exist.*black, gray, white"),
    (THREE + 4, 1, "shape 4 does not exist"),
    (THREE[:, :4], 1, r"objects must be \(n, k, 5\).*got \(1, 3, 4\)"),
    (THREE[0], 1, r"got \(1, 5\)"),
    (THREE[:0], 1, "needs an object"),
    (GAP, 1, "UNSAID only after its last one"),
    (GAP[1:], 1, "UNSAID only after its last one"),
    (GAP[1:2], 1, "needs an object"),
    (THREE.where(THREE != 5, -1), 1, "colour -1 does not exist"),
    (THREE.float(), 1, "must be integers"),
])
def test_wrong_scenes(objects, background, message):
    with pytest.raises(ValueError, match=message):
        scenes.crowd_caption(objects, background)
    with pytest.raises(ValueError, match=message.replace("(1, 5)", ".*")):
        scenes.crowd_batch(objects[None], torch.tensor([background]))


def test_wrong_languages_and_batches():
    with pytest.raises(ValueError, match="'de'.*en or ko"):
        scenes.crowd_caption(THREE, 1, "de")
    with pytest.raises(ValueError, match="'de'.*en or ko"):
        scenes.crowd_batch(THREE[None], torch.tensor([1]), "de")
    with pytest.raises(ValueError, match=r"background \(n,\); got \(1, 3, 5\) and \(2,\)"):
        scenes.crowd_batch(THREE[None], torch.tensor([1, 1]))
    with pytest.raises(ValueError, match="split 'dev' does not exist"):
        draw(split="dev")
