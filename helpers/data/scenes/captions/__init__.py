"""Captions of tiny scenes in English and Korean: written in one fixed pattern or as people type them, and read.

    english, korean   the words of a language, by their meaning
    lexicon           word -> meaning, and which words are written
    words             a text -> its words, each with its meaning
    draft             what is made of each word; in the end a `Reading`
    reader            the words of each object -> its factors; captions of one object
    writer            factors -> a sentence, in the fixed pattern or as people type it

Captions of two objects are in `scenes.pair_captions`, of one to five in `scenes.crowd`.
"""
