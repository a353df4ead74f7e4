r"""Layers that several models share.

Attention is defined here once. Notebook 01 reads the words of a sentence with it; later ones read patches of a
picture (10) and the words of a prompt (13). Bahdanau et al. 2015, eq. 5 and 6.
"""

from __future__ import annotations


def attend(scores, values, mask):
    r"""The weighted mean of `values`, each query with its own weights: softmax(scores) @ values.

    scores  (..., T, S)  how well each of S values answers each of T queries
    values  (..., S, D)
    mask    boolean, broadcast to (..., T, S); True where a value may be seen. Each query must see one at least.
    Returns the means (..., T, D) and the weights (..., T, S): not negative, 1 in sum, exactly 0 where masked.
    """
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    return weights @ values, weights
