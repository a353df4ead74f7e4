"""The tokenizer and the batches. Whole data sets are read where COURSE_DATA holds them."""

import os
import subprocess
import sys
import unicodedata

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_data import given_data

from helpers import ROOT
from helpers.data import sets, text
from helpers.data.text import BOS, EOS, PAD, SPECIALS, UNK, Tokenizer

CLOSED = [*SPECIALS, "▁회색", "▁배경", "의", "▁원", "이", "▁있다", "▁빨간", "▁a", "▁red", "▁circle"]
ENGLISH = [
    "A man in a T-shirt's pocket...",
    'He said: "two-thirds, (or more)!"',
    "the men, the man; a dog/cat",
    "it's 50 % off",
]


def tidy(sentence):
    return " ".join(unicodedata.normalize("NFC", sentence).split())


@pytest.fixture(scope="module")
def learnt():
    return Tokenizer.learn(ENGLISH * 3, 80)


# A list made by hand.


@pytest.mark.parametrize(("typed", "tokens"), [
    ("회색 배경의 원이", ["▁회색", "▁배경", "의", "▁원", "이"]),
    ("회색  배경의\n\t원이 ", ["▁회색", "▁배경", "의", "▁원", "이"]),
    ("회색 배경 의 원 이", ["▁회색", "▁배경", "의", "▁원", "이"]),  # a particle typed apart
    ("회색배경의원이", ["▁회색", "▁배경", "의", "▁원", "이"]),  # words typed together
    (unicodedata.normalize("NFD", "회색 배경의 원이"), ["▁회색", "▁배경", "의", "▁원", "이"]),
    ("a red circle", ["▁a", "▁red", "▁circle"]),
    ("a reddish circle", ["▁a", "<unk>", "▁circle"]),
    ("A red", ["<unk>", "▁red"]),  # capitals count
    ("", []), (" \n ", []),
])
def test_the_longest_token_that_fits(typed, tokens):
    tokenizer = Tokenizer(CLOSED)
    assert tokenizer.tokens(typed) == tokens
    assert tokenizer.encode(typed) == [CLOSED.index(token) for token in tokens]


def test_a_list_with_the_bare_mark_takes_spaces_as_they_are():
    tokenizer = Tokenizer([*CLOSED, "▁"])
    assert tokenizer.tokens("원 이") == ["▁원", "▁", "이"] and tokenizer.tokens("원이") == ["▁원", "이"]
    assert tokenizer.tokens("빨간원") == ["<unk>"]


def test_what_is_unknown_is_named_as_it_was_typed():
    tokenizer = Tokenizer(CLOSED)
    assert tokenizer.unknown("빨간 고래가 있다. 이상한 원") == ["고래가", ".", "이상한"]
    assert tokenizer.unknown(unicodedata.normalize("NFD", "회색 고래가 학교")) == ["고래가", "학교"]
    assert tokenizer.unknown('a "red" circle') == ['"', '"']
    assert tokenizer.unknown("회색 배경의 원이") == tokenizer.unknown("") == []
    assert tokenizer.unknown("원" * text.LONGEST) == [] and len(tokenizer.unknown("원" * (text.LONGEST + 1))) == 1


def test_no_text_spells_a_special_token():
    tokenizer = Tokenizer([*CLOSED, "<", ">", "/", "pad", "s"])
    for typed in SPECIALS:
        assert not {PAD, BOS, EOS} & set(tokenizer.encode(typed)), typed


def test_decode_stops_at_the_end_and_shows_what_is_unknown():
    tokenizer = Tokenizer(CLOSED)
    ids = torch.tensor([BOS, 4, UNK, 7, 8, PAD, EOS, 9])
    assert tokenizer.decode(ids) == "회색 ⁇ 원이"
    assert tokenizer.decode([EOS]) == tokenizer.decode([]) == ""
    for outside in (-1, len(tokenizer)):
        with pytest.raises(ValueError, match=f"id {outside} is outside a vocabulary of 14 tokens"):
            tokenizer.decode([outside])


def test_the_list_alone_rebuilds_a_tokenizer(learnt):
    again = Tokenizer(list(learnt.vocabulary))
    assert len(again) == len(learnt) == len(learnt.vocabulary)
    assert [again.encode(sentence) for sentence in ENGLISH] == [learnt.encode(sentence) for sentence in ENGLISH]


@pytest.mark.parametrize(("vocabulary", "message"), [
    ([], "begins with <pad>, <s>, </s>, <unk>"),
    (CLOSED[::-1], "begins with <pad>"),
    ([*CLOSED, "▁원"], "more than once: \\['▁원'\\]"),
    ([*CLOSED, ""], "not empty"),
    ([*CLOSED, "two words"], "no space.*'two words'"),
    ([*CLOSED, "a▁b"], "only in front.*'a▁b'"),
])
def test_a_list_that_cannot_be(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer(vocabulary)


# A list that is learned.


def test_punctuation_and_spaces_come_back(learnt):
    for sentence in ENGLISH:
        assert learnt.decode(learnt.encode(sentence)) == sentence and not learnt.unknown(sentence)
    assert "-" in learnt.tokens("shirt-man") and learnt.decode(learnt.encode("a -  man-t")) == "a - man-t"


@settings(max_examples=200)
@given(st.text(alphabet="ab한글é'\"-.,!?()$+<>_ \t\n▁\u0301\u200d😀", max_size=40))
def test_any_text_of_known_characters_comes_back(typed):
    alphabet = [*"ab한글é'\"-.,!?()$+<>_\u0301\u200d😀á"]
    marked = ["▁", *alphabet, "▁a", "ab", "▁한글", "▁-", "b\u0301"]
    tokenizer = Tokenizer([*SPECIALS, *marked])
    assert tokenizer.decode(tokenizer.encode(typed)) == tidy(typed.replace("▁", " "))


def test_the_size_is_kept_and_rare_characters_are_left_out():
    sentences = ["aa ab abc"] * 3 + ["xyz"] * 2
    tokenizer = Tokenizer.learn(sentences, 9)
    assert tokenizer.vocabulary[:8] == [*SPECIALS, "a", "b", "c", "▁"] and len(tokenizer) == 9
    assert tokenizer.unknown("abc xyz") == ["xyz"]
    assert Tokenizer.learn(["aaaac bbbbc"], 7).vocabulary[4:] == ["a", "b", "▁"], "the mark is never rare"
    assert Tokenizer.learn(sentences, 20, least=1).unknown("abc xyz") == []
    with pytest.raises(ValueError, match="4 characters: a vocabulary of 7 is too small"):
        Tokenizer.learn(sentences, 7)


def test_frequent_pairs_are_joined_first():
    tokenizer = Tokenizer.learn(["the the the thin"] * 5, 12)
    assert tokenizer.vocabulary[10:] == ["th", "▁th"] and "the" not in "".join(tokenizer.vocabulary[4:10])


def run(code, **environment):
    variables = {key: value for key, value in os.environ.items() if key != "TOKENIZERS_PARALLELISM"} | environment
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=True)


def test_every_process_learns_the_same_list():
    code = (
        "import hashlib; from helpers.data.text import Tokenizer; from helpers.data.sets import load_emoji\n"
        "names = load_emoji().names_ko\n"
        "print(hashlib.sha256(' '.join(Tokenizer.learn(names, 1500).vocabulary).encode()).hexdigest())"
    )
    assert len({run(code, PYTHONHASHSEED=str(seed)).stdout for seed in range(3)}) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_learning_prints_no_warning():
    code = (
        "import os; from helpers.data.text import Tokenizer\n"
        "tokenizer = Tokenizer.learn(['a b c', 'b c'] * 3000, 20)\n"
        "os.fork() or os._exit(tokenizer.encode('a') == [])\n"
        "print(os.wait()[1])"
    )
    done = run(code)
    assert (done.stdout, done.stderr) == ("0\n", "")


# Batches.


def test_batches_are_filled_behind():
    tokenizer = Tokenizer(CLOSED)
    source = text.source_batch(tokenizer, ["원이", "", "회색"])
    assert source.tolist() == [[7, 8, EOS], [EOS, PAD, PAD], [4, EOS, PAD]] and source.dtype == torch.int64
    target = text.target_batch(tokenizer, ["원이", ""])
    assert target.tolist() == [[BOS, 7, 8, EOS], [BOS, EOS, PAD, PAD]]
    assert text.is_token(target).tolist() == [[True] * 4, [True, True, False, False]]


def test_pad():
    assert text.pad([torch.tensor([5, 6]), [7]]).tolist() == [[5, 6], [7, PAD]]
    assert text.pad([[]]).shape == (1, 0)
    with pytest.raises(ValueError, match="at least one sequence"):
        text.pad([])


def test_a_single_text_is_not_a_list():
    tokenizer = Tokenizer(CLOSED)
    for call in (text.source_batch, text.target_batch):
        with pytest.raises(ValueError, match="give \\[text\\]. Got 'a red circle'"):
            call(tokenizer, "a red circle")
    with pytest.raises(ValueError, match="give \\[text\\]"):
        Tokenizer.learn("a red circle", 50)


# Real text.


def assert_lossless(sentences, size):
    """Every sentence comes back where all its characters are in the list; with least=1, all are."""
    tokenizer = Tokenizer.learn(sentences, size, least=1)
    assert len(tokenizer) <= size
    for sentence in sentences:
        assert tokenizer.decode(tokenizer.encode(sentence)) == tidy(sentence)


def test_emoji_names_come_back():
    emoji = sets.load_emoji("all")
    assert_lossless(emoji.names_ko, 2000)
    assert_lossless(emoji.names_en, 1500)


@pytest.mark.parametrize(("name", "split", "size"), [("multi30k", "train", 8000), ("tatoeba", "all", 4000)])
def test_data_sets_come_back(name, split, size):
    given_data(name)
    for sentences in zip(*getattr(sets, name)(split), strict=True):
        assert_lossless(sentences, size)
