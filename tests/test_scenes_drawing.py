"""Drawing tiny scenes: geometry, colours, splits, and bytes that never change."""

import hashlib
import math

import pytest
import torch

from helpers.data import scenes
from helpers.data.scenes.__main__ import drawing_rate
from helpers.data.scenes.drawing import BACKGROUND_PALETTE, CENTRES, JITTER, RADII, coverage, placements


@pytest.fixture
def threads():
    """Sets the number of torch threads; the old number comes back after the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_same_seed_same_bytes_on_any_number_of_threads(threads):
    threads(1)
    one, factors = scenes.make_scenes(300, seed=3)
    threads(2)
    two, again = scenes.make_scenes(300, seed=3)
    assert one.numpy().tobytes() == two.numpy().tobytes() and torch.equal(factors, again)
    assert not torch.equal(one, scenes.make_scenes(300, seed=4)[0])


def test_drawing_has_not_changed():
    """The shipped weights were trained on these pictures: whoever changes them trains all of them again."""
    images, _ = scenes.make_scenes(64, seed=0)
    digest = hashlib.sha256((images * 127.5 + 127.5).round().byte().numpy().tobytes()).hexdigest()
    assert digest[:16] == "5e27963fb778e29c"


def test_a_picture_does_not_depend_on_its_batch():
    factors = scenes.sample_factors(200, torch.Generator().manual_seed(0), "all")
    together = scenes.draw(factors)
    assert all(torch.equal(together[i], scenes.draw(factors[i : i + 1])[0]) for i in (0, 127, 128, 199))
    assert scenes.draw(factors[:0]).shape == (0, 3, 32, 32)


def test_splits():
    held_out = {(scenes.SHAPES.index(s), scenes.COLOURS.index(c)) for s, c in scenes.HELD_OUT}
    seen = {}
    for split in ("train", "held_out", "all"):
        factors = scenes.sample_factors(4000, torch.Generator().manual_seed(1), split)
        seen[split] = set(map(tuple, factors[:, :2].tolist()))
        counts = [factors[:, i].bincount() for i in range(2, 6)]
        assert [len(c) for c in counts] == [2, 3, 3, 3]
        assert all(c.min() > 0.9 * c.float().mean() for c in counts)
    assert seen["held_out"] == held_out
    assert seen["train"] == seen["all"] - held_out and len(seen["all"]) == 32
    with pytest.raises(ValueError, match="'test' does not exist.*held_out"):
        scenes.sample_factors(1, torch.Generator(), "test")


def test_range_and_colours():
    factors = torch.cartesian_prod(*(torch.arange(n) for n in (4, 8, 2, 1, 1, 3)))
    factors[:, 3:5] = 1
    images = scenes.draw(factors)
    assert images.dtype == torch.float32 and images.min() >= -1 and images.max() <= 1
    assert torch.equal(images[:, :, 0, 0], BACKGROUND_PALETTE[factors[:, 5]])
    assert torch.allclose(images[:, :, 16, 16], scenes.PALETTE[factors[:, 1]], atol=1e-6)


AREA_OVER_R2 = {
    "circle": math.pi,
    "square": (2 * 0.86) ** 2,
    "triangle": 3 * math.sqrt(3) / 4 * 1.18**2,
    "star": 5 * 0.47 * math.sin(math.pi / 5) * 1.1**2,
}


@pytest.mark.parametrize("name", scenes.SHAPES)
def test_area_and_symmetry(name):
    shape = torch.tensor([scenes.SHAPES.index(name)])
    for r in (4.8, 8.5):
        centre = torch.tensor([16.0])
        cover = coverage(shape, centre, centre, torch.tensor([r]))[0]
        assert cover.sum().item() == pytest.approx(AREA_OVER_R2[name] * r * r, rel=0.02)
        assert torch.allclose(cover, cover.flip(1), atol=1e-5)
        moved = coverage(shape, centre + 2, centre - 1, torch.tensor([r]))[0]
        assert torch.allclose(moved[:-1, 2:], cover[1:, :-2], atol=1e-5)
        columns, rows = (cover.sum(0) > 0).nonzero(), (cover.sum(1) > 0).nonzero()
        assert columns[0] + columns[-1] == 31
        assert abs(rows[0] + rows[-1] - 31) <= 1                  # centred from top to bottom, within a pixel


def test_edges_are_one_pixel_wide():
    """Along a row through the middle of a square: background, at most one mixed pixel, colour."""
    centre = torch.tensor([16.0])
    cover = coverage(torch.tensor([1]), centre, centre, torch.tensor([5.0]))[0, 16]
    assert ((cover > 0) & (cover < 1)).sum() <= 2


def test_placements_keep_to_their_ranges_and_fill_them():
    objects = scenes.sample_factors(5000, torch.Generator().manual_seed(2), "all")[:, None, :5]
    x, y, r = placements(objects, torch.Generator().manual_seed(3))[:, 0].unbind(1)
    centres, radii = torch.tensor(CENTRES), torch.tensor(RADII)
    for centre, index in ((x, objects[:, 0, 3]), (y, objects[:, 0, 4])):
        offset = centre - centres[index]
        assert offset.abs().max() <= JITTER + 1e-5 and offset.max() > 1.1 and offset.min() < -1.1
    low, high = radii[objects[:, 0, 2]].unbind(1)
    assert (r >= low).all() and (r <= high).all()


def test_five_objects_and_later_ones_in_front():
    objects = [[1, 0, 1, 1, 1], [0, 5, 0, 1, 1], [0, 1, 0, 0, 0], [2, 2, 0, 2, 0], [3, 3, 0, 0, 2]]
    objects = torch.tensor([objects])                             # a big red square, a small blue circle, ...
    image = scenes.draw_objects(objects, torch.tensor([2]))[0]
    blue, red = scenes.PALETTE[5], scenes.PALETTE[0]
    assert torch.allclose(image[:, 16, 16], blue, atol=1e-6)
    assert torch.allclose(image[:, 21, 21], red, atol=1e-6)      # a corner of the square
    behind = scenes.draw_objects(objects.flip(1), torch.tensor([2]))[0]
    assert torch.allclose(behind[:, 16, 16], red, atol=1e-6)


@pytest.mark.parametrize("factors, message", [
    (torch.tensor([[0, 8, 0, 0, 0, 0]]), r"colour 8 does not exist: it goes from 0 to 7 \(red"),
    (torch.tensor([[0, 0, 0, 0, 0, -1]]), "background -1 does not exist"),
    (torch.tensor([0, 0, 0, 0, 0, 0]), r"shape \(n, 6\).*got torch.int64 of shape \(6,\)"),
    (torch.zeros(1, 6), "integers.*torch.float32"),
])
def test_wrong_factors(factors, message):
    with pytest.raises(ValueError, match=message):
        scenes.draw(factors)


# Machado, Oliveira & Fernandes 2009, severity 1.0: what protan, deutan and tritan eyes see, in linear RGB.
VISION = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152286, 1.052583, -0.204868],
               [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968],
               [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779],
               [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart_for_every_kind_of_colour_vision(vision):
    rgb = (torch.cat([scenes.PALETTE, BACKGROUND_PALETTE]) + 1) / 2
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = (linear @ torch.tensor(VISION[vision]).T.float()).clamp(0, 1)
    to_xyz = torch.tensor([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = seen @ to_xyz.T / torch.tensor([0.9505, 1.0, 1.089])
    f = torch.where(xyz > 0.008856, xyz.clamp(min=1e-9) ** (1 / 3), 7.787 * xyz + 16 / 116)
    lab = torch.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)
    apart = torch.cdist(lab[:8], lab)
    apart[torch.arange(8), torch.arange(8)] = torch.inf
    assert apart.min() >= 22


def test_drawing_is_fast(threads):
    threads(1)
    assert drawing_rate(2000, repeats=3) >= 10_000
