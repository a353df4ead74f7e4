"""A reader's own picture in notebooks 05, 06 and 07: the codec's trial in words, and networks off their ground."""

import numpy as np
import pytest
import torch

from helpers.data import masks
from helpers.data.own_picture import own_picture
from helpers.lessons.denoising.experiments import denoise_own, lead_on_photographs, mean_psnr, with_noise
from helpers.lessons.image_compression import file_formats
from helpers.lessons.image_compression.photographs import PHOTOGRAPHS, at_our_error, codec_trial, photograph_path
from helpers.lessons.inpainting.experiments import errors_on_photographs, fill_own
from helpers.metrics.pictures import reconstruct
from helpers.show.raster import to_uint8
from helpers.systems.codec import compress, decompress
from helpers.training.checkpoints import load


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_on_disk_and_show_something(name):
    mine = own_picture(photograph_path(name), side=64)
    assert mine.x.std() > 0.05 and mine.done.startswith(PHOTOGRAPHS[name])


def test_another_photograph_is_refused():
    with pytest.raises(ValueError, match="no photograph is named 'dog': choose one of astronaut, camera, cat"):
        photograph_path("dog")


def test_what_a_format_takes_at_our_error():
    points = [(100, 0.04), (1000, 0.0004)]
    assert at_our_error(points, 0.004, 200).words == "316 bytes, 1.58 times ours, at the same error"
    assert at_our_error(points, 0.05, 200).words == "100 bytes, 0.50 times ours: even its worst quality is better"
    best = "1,000 bytes, 5.00 times ours: even its best quality here is worse"
    assert at_our_error(points, 0.0001, 200).words == best
    assert at_our_error([(100, 0.1), (400, 0.0)], 0.0, 200).words == "400 bytes, 2.00 times ours, at the same error"
    assert 100 < float(at_our_error([(100, 0.1), (400, 0.0)], 0.01, 200).size) < 400
    for end, size in ((0.04, "100"), (0.0004, "1,000")):
        assert at_our_error(points, end, 200).words.startswith(f"{size} bytes, ")
        assert at_our_error(points, end, 200).words.endswith("at the same error")


def test_a_trial_compares_with_what_compress_saw():
    x = own_picture(photograph_path("coffee"), side=96).batch[0]
    trial = codec_trial(x, "high")
    assert np.array_equal(trial.seen, to_uint8(x[None])[0])
    assert np.array_equal(trial.back, decompress(compress(trial.seen, "high")))
    assert trial.size == len(compress(trial.seen, "high")) != len(compress(trial.seen, "low"))
    assert trial.error == file_formats.pixel_error(trial.seen, trial.back)
    for kind, rival in trial.rivals.items():
        curve = file_formats.rate_curve(trial.seen, kind.upper())
        assert rival == at_our_error(curve, trial.error, trial.size)
    assert list(trial.rivals) == ["JPEG", "WebP"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("grey", [-1.0, 0.1, 1.0])
def test_a_trial_of_a_picture_with_nothing_in_it(grey):
    """A flat picture, of which each format's curve is one point: what stopped the page's cell before."""
    trial = codec_trial(torch.full((3, 64, 64), grey))
    assert all("even its" in rival.words or "same error" in rival.words for rival in trial.rivals.values())


def test_the_words_are_needed():
    """On the night sky our error is beyond WebP's worst quality: reading the bytes off its curve fails."""
    trial = codec_trial(own_picture(photograph_path("rocket"), side=256).batch[0])
    with pytest.raises(ValueError, match="is not between"):
        file_formats.bytes_for(trial.error, file_formats.rate_curve(trial.seen, "WEBP"))
    assert "even its worst quality is better" in trial.rivals["WebP"].words


def test_denoisers_on_a_photograph():
    x = own_picture(photograph_path("coffee"), side=64).batch
    by = denoise_own(x)
    assert list(by) == ["in", "non-local means", "skips, for emoji", "skips, for scenes"]
    assert all(y.shape == x.shape and y.abs().max() <= 1 for y in by.values())
    assert torch.equal(by["in"], with_noise(x, 0.1).clamp(-1, 1))
    for world in ("emoji", "scenes"):
        expected = reconstruct(load(f"dae-{world}-unet")[0], with_noise(x, 0.1))
        assert torch.equal(by[f"skips, for {world}"], expected)
    assert denoise_own(torch.ones(1, 3, 8, 8))["in"].max() == 1  # noise on white goes beyond it
    quality = {name: mean_psnr(x, y) for name, y in by.items()}
    assert quality["non-local means"] > quality["skips, for emoji"] + 2 > quality["skips, for scenes"] + 4
    lead = lead_on_photographs("skips, for emoji", side=64)
    assert list(lead) == list(PHOTOGRAPHS)
    assert lead["coffee"] == pytest.approx(quality["non-local means"] - quality["skips, for emoji"], abs=1e-4)


def test_fillings_of_a_photograph():
    x = own_picture(photograph_path("coffee"), side=64).batch
    mask = masks.box_at(25, 25, size=64)
    by = fill_own(x, mask)
    assert list(by) == ["mean", "smoothest", "U-Net, for emoji", "U-Net, for scenes"]
    assert all(torch.equal(y.where(~mask, 0), x.where(~mask, 0)) and y.abs().max() <= 1 for y in by.values())
    assert len({masks.error_inside(x, y, mask).item() for y in by.values()}) == 4
    errors = errors_on_photographs(side=32)
    assert errors.keys() == by.keys() and errors["smoothest"] < errors["U-Net, for emoji"]
