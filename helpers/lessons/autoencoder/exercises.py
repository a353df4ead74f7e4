"""The exercises of notebook 02: one subspace or two, the elbow of a curve, and which factors survive."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close
from ...data import scenes


def principal_angles(decoder, components) -> Exercise:
    """02.1: (a, b), both (n, d) -> the principal angles of their column spaces in degrees (d,), smallest first.

    decoder, components: (n, d) whose spans must agree within 1 degree.
    """

    def ignores_the_basis(angles):
        a = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
        mixed = a @ torch.tensor([[1.0, 2, 0], [0, 1, 3], [1, 0, 1]])
        assert_close("the angles between a and another basis of its span", angles(a, mixed), torch.zeros(3), 0.1)

    def sees_a_turn(angles):
        a, b = torch.eye(5)[:, :2], torch.eye(5)[:, :2].clone()
        b[1, 1], b[2, 1] = 0.75**0.5, 0.5  # the second axis, turned by 30 degrees out of the plane
        expected = torch.tensor([0.0, 30.0])
        assert_close("the angles between a plane and the plane turned by 30 degrees", angles(a, b), expected, 0.1)

    def finds_pca(angles):
        largest = float(angles(decoder, components).max())
        assert largest < 1, f"your largest angle between the two subspaces is {largest:.1f} degrees; expected below 1"

    title = "principal angles; the linear autoencoder and PCA span one subspace"
    return Exercise("02.1", title, [ignores_the_basis, sees_a_turn, finds_pca])


def elbow(sizes, errors) -> Exercise:
    """02.2: (sizes, errors), lists -> the size at which the curve lies furthest below its chord, log-log."""

    def finds_known_bends(find):
        known = [1, 2, 4, 8, 16, 32]
        for bend in (2, 8, 16):
            curve = [max(1 / n, 1 / bend) for n in known]
            found = find(known, curve)
            assert found == bend, f"sizes {known} with errors {curve} bend at {bend}; you return {found}"

    def finds_ours(find):
        found = find(list(sizes), list(errors))
        assert 4 <= found <= 12, f"the sweep on scenes bends between 4 and 12; you return {found}"

    return Exercise("02.2", "the elbow of the sweep, found without eyes", [finds_known_bends, finds_ours])


def ranking(net, x, truth) -> Exercise:
    """02.3: (net, x, truth) -> the names of the six factors, the one that net preserves best first.

    net: a model with a code of three numbers, which keeps background and place, and loses the shape.
    """

    def notices_a_lost_colour(rank):
        found = list(rank(lambda pictures: pictures.flip(1), x, truth))
        assert len(found) == len(scenes.FACTORS), f"expected the names of the six factors, got {found}"
        assert found[-1] == "colour", f"a net that swaps red and blue loses the colour above all; you return {found}"

    def ranks_a_small_code(rank):
        found = list(rank(net, x, truth))
        wrong = f"with d = 3 background and place are safe and the shape is lost first; you return {found}"
        assert found[0] in ("background", "column", "row") and found[-1] == "shape", wrong

    return Exercise("02.3", "factors ranked by survival", [notices_a_lost_colour, ranks_a_small_code])
