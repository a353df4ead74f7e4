r"""Text as numbers: a tokenizer, and batches of sentences of different lengths.

    tokenizer = Tokenizer.learn(sentences, 4000)      # or Tokenizer(vocabulary) with a list made by hand
    tokenizer.encode("회색 배경의 원이")                 # [57, 61, 9, 70, 8]: ▁회색 ▁배경 의 ▁원 이
    src, tgt = source_batch(tokenizer, texts), target_batch(tokenizer, texts)

A token is a word or a piece of one; "▁" (U+2581) marks where a word begins, so spaces are not lost. The order of the
vocabulary gives the ids, and a checkpoint carries it: nothing else is needed to rebuild a tokenizer.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

PAD, BOS, EOS, UNK = 0, 1, 2, 3  # filling, beginning and end of a sentence, unknown word
SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
MARK = "▁"  # the beginning of a word
LONGEST = 100  # characters; a longer word counts as unknown


class Tokenizer:
    r"""Splits text into tokens of a fixed list, always the longest that fits (as WordPiece: Wu et al. 2016).

    vocabulary: the four SPECIALS, then distinct tokens in any order. ValueError for any other list.

    Text is brought to Unicode's form NFC, white space to single spaces. Each punctuation mark or symbol is a word of
    its own, with or without a space before it. A word that cannot be written with the list becomes UNK as a whole.
    Where the list lacks the bare "▁", as one made by hand may, each token also matches without its "▁", or with one
    that it hasn't: with "▁빨간", "▁원" and "이", both "빨간 원 이" and "빨간원이" are read as "빨간 원이".
    """

    def __init__(self, vocabulary: Sequence[str]):
        self.vocabulary = list(vocabulary)
        check_vocabulary(self.vocabulary)
        ids = {token: number for number, token in enumerate(self.vocabulary)}
        if MARK not in ids:
            ids = {other_form(token): number for token, number in ids.items() if number > UNK} | ids
        self._tokenizer = splitter(ids)

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int, least: int = 3) -> Tokenizer:
        r"""The tokenizer of at most `size` tokens that suits these sentences; the same sentences give the same list.

        It starts with the characters that occur at least `least` times and joins the most frequent pair of neighbours
        again and again (byte-pair encoding: Sennrich, Haddow & Birch 2016). ValueError where `size` is too small for
        the characters.
        """
        from tokenizers import trainers  # here and below: many import this module for PAD and EOS alone

        check_texts(sentences)
        tokenizer = splitter({})
        sentences = [tokenizer.normalizer.normalize_str(sentence) for sentence in sentences]
        counts = Counter(character for sentence in sentences for character in sentence if character != " ")
        alphabet = [MARK, *(character for character, count in counts.items() if count >= least)]
        if size < len(SPECIALS) + len(alphabet):
            raise ValueError(f"these sentences have {len(alphabet)} characters: a vocabulary of {size} is too small")
        trainer = trainers.WordPieceTrainer(
            vocab_size=size,
            special_tokens=list(SPECIALS),
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
            continuing_subword_prefix="",
            show_progress=False,
        )
        tokenizer.train_from_iterator(sentences, trainer)
        ids = tokenizer.get_vocab()
        return cls(sorted(ids, key=ids.get))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> list[int]:
        r"""The ids of a text, without BOS and EOS."""
        return self._tokenizer.encode(text).ids

    def tokens(self, text: str) -> list[str]:
        r"""The tokens of a text, as `encode` numbers them: ["▁회색", "▁배경", "의"]."""
        return [self.vocabulary[number] for number in self.encode(text)]

    def decode(self, ids: Iterable[int]) -> str:
        r"""The text of ids, up to the first EOS. PAD and BOS are left out; UNK is shown as the word "⁇"."""
        pieces = []
        for number in map(int, ids):
            if not 0 <= number < len(self):
                raise ValueError(f"id {number} is outside a vocabulary of {len(self)} tokens")
            if number == EOS:
                break
            if number not in (PAD, BOS):
                pieces.append(MARK + "⁇" if number == UNK else self.vocabulary[number])
        return "".join(pieces).replace(MARK, " ").strip()

    def unknown(self, text: str) -> list[str]:
        r"""The words of a text that become UNK, as they were typed, in their order."""
        text = unicodedata.normalize("NFC", text)  # offsets count its characters
        encoding = self._tokenizer.encode(text)
        places = [place for number, place in zip(encoding.ids, encoding.offsets, strict=True) if number == UNK]
        return [text[start:end].strip() for start, end in places]


def pad(sequences: Iterable[Sequence[int]]) -> Tensor:
    r"""Sequences of ids -> (B, T) int64, the shorter ones filled with PAD behind. ValueError for no sequence."""
    rows = [torch.as_tensor(sequence, dtype=torch.int64) for sequence in sequences]
    if not rows:
        raise ValueError("there is nothing to pad: give at least one sequence")
    return pad_sequence(rows, batch_first=True, padding_value=PAD)


def source_batch(tokenizer: Tokenizer, texts: Iterable[str]) -> Tensor:
    r"""Texts -> (B, S) int64, what an encoder reads: the ids, then EOS. An empty text is just EOS."""
    check_texts(texts)
    return pad([*tokenizer.encode(text), EOS] for text in texts)


def target_batch(tokenizer: Tokenizer, texts: Iterable[str]) -> Tensor:
    r"""Texts -> (B, T) int64, what a decoder learns: BOS, the ids, EOS."""
    check_texts(texts)
    return pad([BOS, *tokenizer.encode(text), EOS] for text in texts)


def is_token(ids: Tensor) -> Tensor:
    r"""The mask of ids (B, T): bool, True where there is a token, False where there is filling."""
    return ids != PAD


def splitter(ids: dict[str, int]):
    r"""The tokenizer of the `tokenizers` library for these ids."""
    from tokenizers import Regex, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Splitter

    longest = LONGEST + len(MARK)
    model = models.WordPiece(
        ids, unk_token=SPECIALS[UNK], continuing_subword_prefix="", max_input_chars_per_word=longest
    )
    tokenizer = Splitter(model)
    spaces = normalizers.Replace(Regex(rf"[\s{MARK}]+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Strip()])
    symbols = pre_tokenizers.Split(Regex(rf"{MARK}?[^\w{MARK}]"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), symbols])
    return tokenizer


def other_form(token: str) -> str:
    r"""A token with the mark where it has none, and the other way round."""
    return token.removeprefix(MARK) if token.startswith(MARK) else MARK + token


def check_vocabulary(vocabulary: Sequence[str]) -> None:
    if tuple(vocabulary[: len(SPECIALS)]) != SPECIALS:
        raise ValueError(f"a vocabulary begins with {', '.join(SPECIALS)}; this one with {vocabulary[:4]}")
    repeated = [token for token, count in Counter(vocabulary).items() if count > 1]
    if repeated:
        raise ValueError(f"tokens are distinct; these occur more than once: {repeated[:5]}")
    impossible = [token for token in vocabulary if not token or " " in token or MARK in token[1:]]
    if impossible:
        raise ValueError(f"a token is not empty, has no space, and {MARK} only in front; not so: {impossible[:5]}")


def check_texts(texts: Iterable[str]) -> None:
    if isinstance(texts, str):
        raise ValueError(f"expected a list of texts; for a single one, give [text]. Got {texts[:20]!r}")
