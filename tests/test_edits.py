"""From a picture to another: noise from a function, windows of a canvas, zoom, what is known and what is never read."""

import pytest
import torch

from helpers.data import scenes
from helpers.diffusion.samplers import noise_like, sample
from helpers.lessons.stable_diffusion import experiments, recipes
from helpers.models.kl_autoencoder import KLAutoencoder
from helpers.systems import edits

PICTURES = scenes.make_scenes(2, 5)[0]


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    model = recipes.reading_with_clip(channels=2, size=8, widths=(8, 16), reads=1).eval()
    return experiments.in_latents(model, KLAutoencoder(2, widths=(8, 16)).eval())


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_noise_may_come_from_a_function_of_the_shape(system):
    asked = []

    def source(shape):
        asked.append(tuple(shape))
        return torch.full(shape, 0.5)

    assert (noise_like(torch.zeros(2, 3), source) == 0.5).all()
    assert (system.noise(3, source) == 0.5 * system.schedule.noise[-1]).all()
    list(sample(lambda x, t: 0 * x, system.noise(3, source), system.schedule, 4, 1.0, generator=source))
    assert asked == [(2, 3)] + [(3, 2, 8, 8)] * 5, "at the start, and at each step but the last, which adds none"


def test_a_window_that_is_half_known_comes_first_then_the_one_with_most_to_draw():
    hidden = torch.ones(1, 1, 32, 64, dtype=torch.bool)
    hidden[..., :32] = False
    assert edits.next_window(hidden, 32) == (slice(0, 32), slice(16, 48))
    hidden[..., 16:48] = False
    assert edits.next_window(hidden, 32) == (slice(0, 32), slice(32, 64))
    assert len(list(edits.windows(32, 44, 32))) == 3 and len(list(edits.windows(64, 32, 32))) == 5
    assert list(edits.windows(32, 44, 32))[-1][1] == slice(12, 44), "the last one ends where the canvas ends"


def test_what_is_known_stays_and_what_is_hidden_is_never_read(system):
    canvases, hidden = edits.extended(PICTURES, left=8, bottom=16)
    assert canvases.shape == (2, 3, 48, 40) and hidden.shape == (1, 1, 48, 40)
    denoise = system.guided_by([["a star", "원"]], 2.0)
    found, again = (edits.carried_on(system, denoise, torch.where(hidden, filling, canvases), hidden, 3, 3.0, 1,
                                     seeded(4)) for filling in (0.0, 0.7))
    assert torch.equal(found, again)
    assert torch.equal(found[:, :, :32, 8:], PICTURES)
    assert not torch.allclose(found[:, :, 32:], canvases[:, :, 32:])


def test_the_caller_keeps_its_canvas_and_its_mask(system):
    canvases, hidden = edits.extended(PICTURES, right=8)
    before = canvases.clone(), hidden.clone()
    edits.carried_on(system, system.guided_by([["", ""]], 1.0), canvases, hidden, 2, 0.0, 1, seeded())
    assert torch.equal(canvases, before[0]) and torch.equal(hidden, before[1])


@pytest.mark.parametrize(("factor", "size"), [(1.5, 22), (2, 16)])
def test_a_zoomed_picture_is_small_in_the_middle(factor, size):
    canvases, hidden = edits.zoomed(PICTURES, factor)
    edge = (32 - size) // 2
    inside = canvases[:, :, edge:-edge, edge:-edge]
    assert inside.shape[2:] == (size, size) and not hidden[:, :, edge:-edge, edge:-edge].any()
    assert int(hidden.sum()) == 32 * 32 - size * size and (canvases.masked_fill(~hidden, 0) == 0).all()
    torch.testing.assert_close(inside.mean((2, 3)), PICTURES.mean((2, 3)), atol=0.02, rtol=0)


def test_a_canvas_that_is_no_square_is_zoomed_in_both_directions():
    canvases, hidden = edits.zoomed(torch.cat([PICTURES, PICTURES], 3), 2)
    assert canvases.shape == (2, 3, 32, 64) and int((~hidden).sum()) == 16 * 32
