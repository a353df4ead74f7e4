"""The judge of tiny scenes: it accepts what `draw` and another drawer draw, refuses the rest, and says why."""

import pytest
import torch

from helpers.data import scenes
from helpers.data.scenes import blurring, drawing, judge, parser
from helpers.lessons.start_here import false_scenes, outlines
from helpers.lessons.start_here.false_pairs import PAIR_KINDS, pairs_apart
from helpers.lessons.start_here.false_scenes import BIG, KINDS, SMALL
from helpers.lessons.start_here.outlines import SQUARE, TRUE, drawn_apart

N = 40
WORD = {"hole": "a hole", "ring": "a hole", "crumb": "two objects", "crumb of another colour": "two objects",
        "two objects": "two objects", "two colours": "two colours", "background from -.05 to +.05": "uneven background",
        "two backgrounds": "uneven background", "place": "between two places", "cut by the border": "over the border",
        "unnamed background": "background without a name", "pale colour": "colour without a name",
        "colour between two names": "colour without a name", "blurred by 1.5 pixels": "too blurred",
        **{name: "no such shape" for name in outlines.FALSE if name not in ("ring", "crescent")}}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def accepted(images, read=scenes.parse):
    return read(images).shares()["valid"]


def test_accepts_scenes_by_either_drawer():
    assert accepted(scenes.make_scenes(400, 1, "all")[0]) >= 0.995
    for size in (BIG, SMALL):
        assert accepted(drawn_apart(size, 200, seeded())) >= 0.995


def test_the_other_drawer_draws_the_same_scenes():
    """Its outlines are written anew, so that a mistake in one of the two shows here."""
    factors, place, cover = outlines.truth(None, 200, seeded())
    ours = drawing.coverage(factors[:, 0], *place.unbind(1))
    assert (ours - cover).abs().mean() < 0.004 and (ours.sum((1, 2)) / cover.sum((1, 2)) - 1).abs().max() < 0.04


@pytest.mark.parametrize("spoil", [
    lambda x: x + 0.06 * torch.randn(x.shape, generator=seeded(1)),      # sigma = 0.03 on [0, 1]
    lambda x: (x + 0.06 * torch.randn(x.shape, generator=seeded(1))).clamp(-1, 1),
    lambda x: blurring.blur(x, 0.7)], ids=["noise", "clamped noise", "blur"])
def test_accepts_a_little_noise_and_blur(spoil):
    assert accepted(spoil(scenes.make_scenes(300, 2, "all")[0])) >= 0.95
    assert accepted(spoil(drawn_apart(None, 300, seeded()))) >= 0.95


@pytest.mark.parametrize("size, most", [(BIG, 0), (SMALL, 4)], ids=["big", "small"])
@pytest.mark.parametrize("kind", KINDS)
def test_refuses_what_no_scene_is(kind, size, most):
    """The bars are 2 % of the big ones and 10 % of the small ones: of 40, none and four."""
    parsed = scenes.parse(KINDS[kind](size, N, seeded(5)))
    assert parsed.valid.sum() <= most
    if kind in WORD:
        assert parsed.words.count(WORD[kind]) >= 0.4 * N     # the commonest word by far, where it is not all there is


def test_two_objects_with_a_relation():
    assert accepted(scenes.make_pairs(300, 3)[0], scenes.parse_pairs) >= 0.99
    assert accepted(pairs_apart(300, seeded()), scenes.parse_pairs) >= 0.99


@pytest.mark.parametrize("kind", PAIR_KINDS)
def test_refuses_false_pairs(kind):
    assert scenes.parse_pairs(PAIR_KINDS[kind](N, seeded(6))).valid.sum() <= 1       # the bar is 3 %


def test_each_kind_is_refused_for_what_is_wrong_with_it_alone():
    """The same drawer, the same factors, nothing wrong: accepted. So a kind's refusal is not the drawer's fault."""
    for size in (BIG, SMALL):
        assert accepted(false_scenes.shaped(SQUARE, size, N, seeded(5))) == 1
        assert accepted(false_scenes.sloped(0, size, N, seeded(5))) == 1
        assert accepted(false_scenes.shaded_object(0, size, N, seeded(5))) == 1
        assert accepted(false_scenes.coloured(lambda c, g: scenes.PALETTE[c], size, N, seeded(5))) == 1


@pytest.fixture
def measured(monkeypatch):
    """images -> {what: (n,)}: the numbers that the limits are laid on."""
    found = {}
    for name in ("_misfit", "_bend", "_missing"):
        own = getattr(judge, name)

        def noted(*arguments, own=own, name=name):
            answer = own(*arguments)
            found.setdefault(name, []).append(answer[0] if name == "_misfit" else answer)
            return answer
        monkeypatch.setattr(judge, name, noted)
    fits = []
    monkeypatch.setattr(parser, "_fit", lambda mask, own=parser._fit: fits.append(own(mask)) or fits[-1])

    def measure(images):
        found.clear(), fits.clear()
        scenes.parse(images)
        numbers = {name.strip("_"): torch.cat(parts) for name, parts in found.items()}
        return numbers | {name: torch.cat([getattr(fit, name) for fit in fits]) for name in ("variance", "margin")}

    return measure


def test_the_reasons_beside_the_limits(measured):
    """What the comments in `judge` say of the numbers that lie on either side of each limit."""
    images = scenes.make_scenes(300, 2, "all")[0]
    noisy = measured(images + 0.06 * torch.randn(images.shape, generator=seeded(1)))
    bitten = measured(KINDS["bite"](SMALL, 100, seeded()))["misfit"].quantile(0.1)
    assert noisy["misfit"].max() < 5.5 < judge.MAX_MISFIT < 10 < bitten
    bent = measured(KINDS["ellipse of 1.1"](SMALL, 100, seeded()))["bend"].median()
    assert noisy["bend"].max() < 0.085 < judge.MAX_BEND < bent and bent == pytest.approx(0.19, abs=0.02)
    rounded = measured(false_scenes.shaped(outlines.rounded_square(0.3), SMALL, 100, seeded()))["missing"].median()
    assert noisy["missing"].max() < judge.MAX_MISSING < rounded and rounded == pytest.approx(0.22, abs=0.02)
    blurred = measured(blurring.blur(images, 0.7) + 0.06 * torch.randn(images.shape, generator=seeded(1)))
    assert 0.4 < blurred["variance"].median() < 0.5 and blurred["variance"].max() < 0.62 < judge.MAX_BLUR
    assert noisy["margin"].min() > judge.MIN_MARGIN
    crumbs = measured(KINDS["crumb"](BIG, 100, seeded()))["misfit"]
    assert crumbs.quantile(0.05) > judge.MAX_ROUGH
    distances = (scenes.PALETTE[:, None] - scenes.PALETTE).square().mean(2).sqrt() / 2 + torch.eye(8)
    assert distances.min() == pytest.approx(0.26, abs=0.005) and distances.min() / 2 >= judge.MAX_HUE_DISTANCE
    contrast = (scenes.PALETTE[:, None] - drawing.BACKGROUND_PALETTE).norm(dim=2) / 2
    assert contrast.min() == pytest.approx(0.49, abs=0.005)


@pytest.mark.parametrize("outline, size, passes", [
    (outlines.regular(8), SMALL, True), (outlines.regular(8), BIG, False), (outlines.regular(9), BIG, True),
    (outlines.ellipse(1.03), BIG, True), (outlines.ellipse(1.05), BIG, False), (outlines.ellipse(1.05), SMALL, True),
    (outlines.turned(SQUARE, 2), SMALL, True), (outlines.turned(SQUARE, 2), BIG, False),
    (outlines.star(5, 0.44, down=0.105), BIG, True), (outlines.star(5, 0.40, down=0.105), BIG, False),
    (outlines.rounded_square(0.2), BIG, False), (outlines.rounded_square(0.3), SMALL, False)])
def test_how_finely_shapes_are_told_apart(outline, size, passes):
    share = accepted(false_scenes.shaped(outline, size, 60, seeded(3)))
    assert share >= 0.4 if passes else share <= 0.1


def test_limits_of_place_and_radius_are_the_worlds():
    """A quarter of a pixel outside is refused, on the edge of the range it is accepted."""
    for shape in range(4):
        for x, r, valid in ((16 + 1.2, 8.0, True), (16 + 1.2 + 0.25, 8.0, False), (16, 8.5, True), (16, 8.75, False),
                            (16, 7.6, True), (16, 7.35, False), (16, 5.5, True), (16, 5.75, False), (16, 4.55, False)):
            place = torch.tensor([[float(x), 16.0, r]])
            cover = outlines.covered(TRUE[shape], place)
            picture = outlines.lay(-torch.ones(1, 3, 32, 32), cover, torch.tensor([0]))
            assert scenes.parse(picture).valid.item() == valid, (shape, x, r, scenes.parse(picture).words)


def test_nameable_is_wider_than_valid_and_refuses_what_has_no_name():
    images, factors = scenes.make_scenes(200, 4, "all")
    assert scenes.parse(images).nameable.all()
    wavy = scenes.parse(KINDS["wavy circle"](BIG, 100, seeded()))
    assert not wavy.valid.any() and wavy.nameable.float().mean() >= 0.9
    for kind in ("two objects", "crumb", "colour between two names", "two backgrounds", "mean of circle and square"):
        assert scenes.parse(KINDS[kind](BIG, 100, seeded())).nameable.float().mean() <= 0.2, kind


@pytest.mark.parametrize("x, r, word", [(7.3, 5.0, "beyond the last place"), (7.3, 8.0, "over the border"),
                                        (12.5, 5.0, "between two places"), (3.0, 5.0, "over the border")])
def test_the_word_for_a_wrong_place(x, r, word):
    cover = outlines.covered(outlines.CIRCLE, torch.tensor([[x, 16.0, r]]))
    assert scenes.parse(outlines.lay(-torch.ones(1, 3, 32, 32), cover, torch.tensor([0]))).words == [word]


def test_a_word_for_each_fault():
    parsed = scenes.parse(torch.cat([scenes.make_scenes(1, 0)[0], torch.zeros(1, 3, 32, 32)]))
    assert parsed.words == ["", "no object"] and parsed.valid.tolist() == [True, False]
    assert len(set(judge.FAULTS)) == len(judge.FAULTS)
