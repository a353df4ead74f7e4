"""The parser: right on what scenes show, honest about what they don't, for one object and for two."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import scenes
from helpers.data.scenes.__main__ import all_six, parsing_seconds
from helpers.data.scenes.drawing import BACKGROUND_PALETTE, CENTRES, JITTER, RADII, coverage
from helpers.data.scenes.judge import FAULTS


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def blurred(images, size):
    pad = torch.nn.functional.pad(images, (size // 2,) * 4, mode="replicate")
    return torch.nn.functional.avg_pool2d(pad, size, 1)


def painted(cover, factors):
    """Pictures of a coverage (n, 32, 32) in the colours that factors (n, 6) name."""
    background = BACKGROUND_PALETTE[factors[:, 5], :, None, None]
    return background + cover[:, None] * (scenes.PALETTE[factors[:, 1], :, None, None] - background)


def test_reads_all_six_factors_of_every_clean_picture():
    assert all_six(1000) == 1.0


def test_reads_all_six_factors_under_noise():
    assert all_six(1000, noise=0.05) >= 0.995


def test_reads_two_objects():
    assert all_six(500, pairs=True) >= 0.99


@pytest.mark.parametrize("size, bar", [(3, 0.995), (5, 0.97)])
def test_reads_blurred_pictures(size, bar):
    images, factors = scenes.make_scenes(500, seed=2, split="all")
    assert (scenes.parse(blurred(images, size)).factors == factors).all(1).float().mean() >= bar


ROWS = st.tuples(*(st.integers(0, len(names) - 1) for names in scenes.VALUES.values()))
UNIT = st.floats(0, 1)


@settings(deadline=None)
@given(ROWS, UNIT, UNIT, UNIT)
def test_reads_every_place_and_radius_to_the_edges_of_their_ranges(row, dx, dy, dr):
    low, high = RADII[row[2]]
    x, y = (CENTRES[cell] + JITTER * (2 * d - 1) for cell, d in ((row[3], dx), (row[4], dy)))
    values = (torch.tensor([value]) for value in (x, y, low + (high - low) * dr))
    parsed = scenes.parse(painted(coverage(torch.tensor(row[:1]), *values), torch.tensor([row])))
    assert parsed.factors[0].tolist() == list(row) and parsed.valid[0]


def test_clean_pictures_are_valid_and_blobs_are_not():
    images, factors = scenes.make_scenes(1000, seed=5, split="all")
    clean = scenes.parse(images)
    assert clean.valid.float().mean() >= 0.995
    generator = torch.Generator().manual_seed(6)
    field = blurred(blurred(torch.randn(1000, 1, 32, 32, generator=generator), 5), 5)[:, 0]
    blobs = painted((5 * field / field.std()).clamp(0, 1), factors)
    assert scenes.parse(blobs).valid.float().mean() < 0.01
    order = torch.randperm(16, generator=generator)
    tiles = torch.nn.functional.unfold(images, 8, stride=8)[:, :, order]
    shuffled = torch.nn.functional.fold(tiles, 32, 8, stride=8)
    assert scenes.parse(shuffled).valid.float().mean() < 0.02


def test_ellipses_strange_colours_and_second_objects_are_not_valid():
    _, factors = scenes.make_scenes(200, seed=8, split="all")
    grid = torch.arange(32) + 0.5
    ellipse = (0.5 - ((((grid - 16) / 8) ** 2 + ((grid[:, None] - 16) / 4) ** 2).sqrt() - 1) * 4).clamp(0, 1)
    assert not scenes.parse(painted(ellipse.expand(200, 32, 32), factors)).valid.any()
    dim = scenes.draw(factors) * 0.5 + 0.25
    assert not scenes.parse(dim).valid.any()
    pairs, _ = scenes.make_pairs(200, seed=9)
    assert not scenes.parse(pairs).valid.any()


def test_pictures_without_an_object_get_an_answer_that_is_not_valid():
    empty = BACKGROUND_PALETTE[:, :, None, None].expand(3, 3, 32, 32)
    noise = torch.randn(empty.shape, generator=torch.Generator().manual_seed(0))
    for images in (empty, empty + 0.01 * noise):
        parsed = scenes.parse(images)
        assert parsed.factors[:, 5].tolist() == [0, 1, 2]
        assert not parsed.valid.any() and not parsed.nameable.any()
    assert not scenes.parse_pairs(empty).valid.any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-6, 0.3, 1.0]))
def test_any_picture_gets_factors_in_range_and_finite_numbers(seed, scale):
    images = scale * torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    for read, values in ((scenes.parse, scenes.VALUES), (scenes.parse_pairs, scenes.PAIR_VALUES)):
        parsed = read(images)
        highest = torch.tensor([len(names) for names in values.values()])
        assert ((parsed.factors >= 0) & (parsed.factors < highest)).all()
        assert ((parsed.fault >= 0) & (parsed.fault < len(FAULTS))).all()


def test_an_answer_does_not_depend_on_the_batch_or_the_precision():
    images, factors = scenes.make_scenes(130, seed=4, split="all")
    alone = scenes.parse(images[100:101])
    assert torch.equal(alone.factors[0], factors[100])
    assert torch.equal(alone.fault, scenes.parse(images).fault[100:101])
    for dtype in (torch.float64, torch.float16):
        assert torch.equal(scenes.parse(images.to(dtype)).factors, factors)
    assert scenes.parse(images[:0]).factors.shape == scenes.parse_pairs(images[:0]).factors.shape == (0, 6)


GOOD = torch.zeros(2, 3, 32, 32)


@pytest.mark.parametrize("images, message", [
    (GOOD[0], r"float \(n, 3, 32, 32\).*got shape \(3, 32, 32\)"),
    (GOOD[:, :1], r"got shape \(2, 1, 32, 32\)"),
    (GOOD[..., :28, :28], r"got shape \(2, 3, 28, 28\)"),
    (GOOD.byte(), "uint8: scale bytes with x / 127.5 - 1"),
    (GOOD + 255, "values from 255 to 255"),
    (torch.stack([GOOD[0], GOOD[0] + torch.nan]), "1 of 2 hold NaN or infinity, the first is number 1"),
    (GOOD - torch.inf, "2 of 2 hold NaN"),
])
@pytest.mark.parametrize("read", [scenes.parse, scenes.parse_pairs])
def test_wrong_pictures(images, message, read):
    with pytest.raises(ValueError, match=message):
        read(images)


def test_two_object_scenes():
    images, pairs = scenes.make_pairs(500, seed=1)
    assert images.numpy().tobytes() == scenes.make_pairs(500, seed=1)[0].numpy().tobytes()
    assert (pairs[:, 0] != pairs[:, 3]).all() and (pairs[:, 1] != pairs[:, 4]).all()
    held_out = {(scenes.SHAPES.index(s), scenes.COLOURS.index(c)) for s, c in scenes.HELD_OUT}
    assert not held_out & set(map(tuple, torch.cat([pairs[:, :2], pairs[:, 3:5]]).tolist()))
    rare = scenes.sample_pairs(100, torch.Generator().manual_seed(0), "held_out")
    assert set(map(tuple, torch.cat([rare[:, :2], rare[:, 3:5]]).tolist())) == held_out


def test_the_relation_is_where_the_objects_stand():
    """A red circle and a blue square, in each of the four relations: the centre of the red one says which."""
    for relation, name in enumerate(scenes.RELATIONS):
        image = scenes.draw_pairs(torch.tensor([[0, 0, relation, 1, 5, 0]]))[0]
        red = (image[0] > image[2]).float()
        blue = (image[2] > image[0]).float()
        pixel = torch.arange(32.0)
        expected = {"left of": (-14, 0), "right of": (14, 0), "above": (0, -14), "below": (0, 14)}[name]
        for axis in (0, 1):
            apart = red.sum(axis) / red.sum() - blue.sum(axis) / blue.sum()
            assert (apart * pixel).sum().item() == pytest.approx(expected[axis], abs=0.1)


def test_canonical_pairs_tell_the_same_scene():
    _, pairs = scenes.make_pairs(300, seed=2, split="all")
    same = scenes.canonical(pairs)
    assert set(same[:, 2].tolist()) == {0, 2} and torch.equal(scenes.canonical(same), same)
    assert torch.equal(scenes.draw_pairs(pairs), scenes.draw_pairs(same))


def test_a_wrong_pair():
    with pytest.raises(ValueError, match="relation 4 does not exist.*left of"):
        scenes.draw_pairs(torch.tensor([[0, 0, 4, 1, 1, 0]]))


def test_parsing_is_fast_enough_for_a_slider(threads):
    """About 18 ms for 16 pictures where this was written; the bar leaves room for an older machine."""
    threads(1)
    assert parsing_seconds(16) <= 0.05
