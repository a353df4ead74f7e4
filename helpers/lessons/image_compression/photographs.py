"""Photographs that are on every reader's disk, and a reader's own picture in the codec against the known formats.

The photographs come with scikit-image, whose documentation names who took them and that they are free:

    astronaut  Eileen Collins, NASA, public domain        coffee  Rachel Michetti, CC0
    camera     Lav Varshney, CC0, grey                    rocket  DSCOVR on a Falcon 9, SpaceX, public domain
    cat        Chelsea, by Stefan van der Walt, CC0
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...show.raster import to_uint8
from ...systems.codec import compress, decompress
from .file_formats import bytes_for, pixel_error, rate_curve

PHOTOGRAPHS = {"astronaut": "astronaut.png", "camera": "camera.png", "cat": "chelsea.png", "coffee": "coffee.png",
               "rocket": "rocket.jpg"}

EXACT = 1e-9  # an error that is as good as none, and has a logarithm


def photograph_path(name: str) -> Path:
    """The file of one of PHOTOGRAPHS, for `own_picture`. ValueError for another name."""
    if name not in PHOTOGRAPHS:
        raise ValueError(f"no photograph is named {name!r}: choose one of {', '.join(PHOTOGRAPHS)}")
    import skimage.data  # not at the top: it takes a while

    return Path(skimage.data.__file__).parent / PHOTOGRAPHS[name]


class Rival(NamedTuple):
    """What a known format takes at our error: size in bytes, and in words; where its quality ends, of that end."""

    size: float
    words: str


@dataclass(frozen=True)
class CodecTrial:
    """One picture in our codec and in the known formats.

    seen, back  uint8 (H, W, 3): what `compress` saw, and what `decompress` gave back
    size        bytes of our file
    error       of `back`, mean squared, on [0, 1]
    rivals      {"JPEG": what it takes at that error, ...}
    """

    seen: np.ndarray
    back: np.ndarray
    size: int
    error: float
    rivals: dict[str, Rival]


def codec_trial(picture, quality: str = "low") -> CodecTrial:
    """A picture (3, H, W) in [-1, 1], such as `own_picture(...).batch[0]`, in our codec, in JPEG and in WebP."""
    seen = to_uint8(picture[None])[0]
    file = compress(seen, quality)
    back = decompress(file)
    error = pixel_error(seen, back)
    rivals = {kind: at_our_error(rate_curve(seen, kind.upper()), error, len(file)) for kind in ("JPEG", "WebP")}
    return CodecTrial(seen, back, len(file), error, rivals)


def at_our_error(points, error: float, size: int) -> Rival:
    """What a format takes at an error, beside `size` bytes of ours.

    points  its `rate_curve`; where the error lies outside it, the end of the curve that is nearest is named
    """
    points, error = [(bytes_, max(loss, EXACT)) for bytes_, loss in points], max(error, EXACT)
    (least, worst), (most, best) = points[0], points[-1]
    if error > worst:
        found, outcome = least, ": even its worst quality is better"
    elif error < best:
        found, outcome = most, ": even its best quality here is worse"
    else:
        found, outcome = bytes_for(error, points), ", at the same error"
    return Rival(found, f"{found:,.0f} bytes, {found / size:.2f} times ours{outcome}")
