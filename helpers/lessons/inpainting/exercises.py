"""The exercises of notebook 07."""

from __future__ import annotations

import torch

from ...course.checks import Exercise, assert_close, assert_shape


def hole_loss() -> Exercise:
    """07.1: (x, y, mask) -> the mean squared error of drawings y to pictures x over the hidden pixels, a number.

    x, y are (B, C, S, S), the mask is boolean (B, 1, S, S), True = hidden.
    """

    def is_the_mean_over_hidden_pixels(loss):
        x, y, mask = hole_example()
        found, squared = loss(x, y, mask), (x - y).square()
        assert_shape("the loss", found, ())
        for hint, value in wrong_losses(squared, mask).items():
            assert (found - value).abs() > 1e-6, hint
        assert_close("the loss", found, squared[mask.expand_as(squared)].mean(), 1e-6)

    def has_no_gradient_outside(loss):
        x, y, mask = hole_example()
        found = loss(x, y, mask)
        assert found.requires_grad, "the loss has no gradient: compute it from y with torch's operations"
        (gradient,) = torch.autograd.grad(found, y)
        outside = gradient.abs().amax(1, keepdim=True)[~mask].max()
        assert outside == 0, f"a known pixel has a gradient of {outside:.2g}; it must be 0"
        assert (gradient.abs().amax(1, keepdim=True)[mask] > 0).all(), "a hidden pixel has no gradient"

    title = "a loss that sees the hole alone"
    return Exercise("07.1", title, [is_the_mean_over_hidden_pixels, has_no_gradient_outside])


def hole_example():
    """Pictures, drawings that need a gradient, and holes of 4, 30 and 1 pixels."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 3, 3, 8, 8, generator=generator)
    mask = torch.zeros(3, 1, 8, 8, dtype=torch.bool)
    mask[0, 0, 2:4, 2:4] = mask[1, 0, 1:7, 1:6] = mask[2, 0, 5, 5] = True
    return x, y.requires_grad_(), mask


def wrong_losses(squared, mask) -> dict:
    """What likely mistakes give, by what there is to say of them."""
    hidden = mask.expand_as(squared)
    of_each = (squared * mask).flatten(1).sum(1) / hidden.flatten(1).sum(1)
    return {
        "divide by the number of hidden values, not of all": (squared * mask).mean(),
        "a hidden pixel has three channels: three values, not one": (squared * mask).sum() / mask.sum(),
        "that is the error of the known pixels: True means hidden": squared[~hidden].mean(),
        "that is the error of the whole picture": squared.mean(),
        "a sum grows with the hole; take the mean": (squared * mask).sum(),
        "that is the mean of each picture's mean; pool all hidden values, as section 2 does": of_each.mean(),
    }


def rank_correlation(visible, errors) -> Exercise:
    """07.2: (a, b) -> Spearman's rank correlation of two (N,) without ties, a number from -1 to 1.

    visible, errors: of the holes of the notebook, (N,) each; the more is visible, the smaller the error should be.
    """

    def pearson(a, b):
        return torch.corrcoef(torch.stack([a, b]).double())[0, 1].item()

    def depends_on_the_order_alone(rho):
        a, b = torch.tensor([0.1, 0.9, 0.3, 0.5, 0.7]), torch.tensor([2.0, 30.0, 1.0, 50.0, 4.0])
        found, places = float(rho(a, b)), pearson(a.argsort(), b.argsort())
        assert abs(found - pearson(a, b)) > 1e-4, "that correlates the values: correlate their ranks"
        assert abs(found - places) > 1e-4, "argsort says who comes first, not which rank each has; sort twice"
        for other, expected in ((b, 0.6), (a.exp(), 1.0), (-(a**3), -1.0)):
            found = float(rho(a, other))
            assert abs(found - expected) < 1e-4, f"the correlation is {found:.3f}; expected {expected:.3f}"

    def finds_that_evidence_lowers_the_error(rho):
        found = float(rho(visible, errors))
        assert found < -0.6, f"on the notebook's holes it is {found:.2f}; expected below -0.6"

    title = "the rank correlation of evidence and error"
    return Exercise("07.2", title, [depends_on_the_order_alone, finds_that_evidence_lowers_the_error])


def grey_price(possible) -> Exercise:
    """07.3: (pictures (K, ...), weights (K,)) -> the best picture (...), its expected error, that of a random draw.

    The weights are probabilities; one of the pictures is the truth, with these. Errors are means over all values of a
    picture, as they are; the random draw has the same probabilities as the truth and knows nothing of it.
    possible: equally probable scenes (K, 3, 32, 32), on which the answer is tried as well.
    """

    def compare(answer, pictures, weights, what):
        found = answer(pictures, weights)
        three = isinstance(found, tuple | list) and len(found) == 3
        assert three, "return three things: the picture, its error, the error of a draw"
        check_prices(*(torch.as_tensor(value) for value in found), pictures, weights, what)

    def of_three_colours(answer):
        colours = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.5], [0.0, 0.5, 1.0]])[:, :, None, None]
        compare(answer, colours.expand(-1, -1, 2, 2), torch.tensor([0.6, 0.3, 0.1]), "three colours")

    def of_the_possible_scenes(answer):
        weights = torch.full((len(possible),), 1 / len(possible))
        compare(answer, possible, weights, "the possible scenes")

    title = "the best answer, and the price of a drawn one"
    return Exercise("07.3", title, [of_three_colours, of_the_possible_scenes])


def check_prices(best, least, drawn, pictures, weights, what: str) -> None:
    """What `grey_price` asks of the three answers."""
    flat = pictures.flatten(1)
    mean = weights @ flat
    variance = weights @ (flat - mean).square().mean(1)
    assert_shape(f"{what}: the best picture", best, pictures[0].shape)
    rule_out(best.flatten(), mean, {
        "the weights count: weigh each picture by its probability": flat.mean(0),
        "that is the likeliest picture; the squared error asks for something else": flat[weights.argmax()]})
    assert_close(f"{what}: the best picture", best.flatten(), mean, 1e-4)
    assert_shape(f"{what}: the error of the best picture", least, ())
    rule_out(least, variance, {"take the mean over the values of a picture, not the sum": len(mean) * variance,
                               "compute with the values as they are, not on [0, 1]": variance / 4})
    assert_close(f"{what}: the best picture's expected error", least, variance, 1e-4)
    neighbours = weights @ (flat - flat.roll(1, 0)).square().mean(1)
    rule_out(drawn, 2 * variance, {
        "truth and draw differ independently, each by one variance": variance,
        "a draw has the probabilities too: all K x K pairs of truth and draw count": neighbours})
    assert_close(f"{what}: the expected error of a draw", drawn, 2 * variance, 1e-4)


def rule_out(found, right, mistakes: dict) -> None:
    """AssertionError with the text of the mistake that gives what was found; {text: what it gives}."""
    for text, value in mistakes.items():
        if not torch.allclose(value, right, rtol=1e-3):
            assert not torch.allclose(found.to(value.dtype), value, rtol=1e-4, atol=1e-4), text
