"""How well one set of things finds another: ranks and recall, from a table of similarities."""

from __future__ import annotations

from torch import Tensor


def ranks(similarity: Tensor, own: Tensor) -> Tensor:
    """How many other candidates are at least as similar as the right one: (N,), 0 where it is found first.

    similarity (N, M) of N queries and M candidates; own (N,), the index of the right one. Whatever ties with it counts
    against it, so an encoder that maps everything to one point finds nothing.
    """
    right = similarity.gather(1, own[:, None])
    return (similarity >= right).sum(1) - 1


def recall(similarity: Tensor, own: Tensor, first: int = 1) -> float:
    """R@first: the share of queries whose right candidate is among the `first` most similar."""
    return (ranks(similarity, own) < first).float().mean().item()

