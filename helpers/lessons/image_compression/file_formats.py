"""The picture formats that everyone has, measured: bytes and error of a mosaic as JPEG, WebP or AVIF.

    picture = mosaic(scenes)                     256 scenes side by side, because a small file is mostly header
    points = rate_curve(picture, "JPEG")         [(bytes, error), ...] over the qualities
    bytes_for(0.003, points)                     what the format takes at that error
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...show.raster import to_uint8

PILLOW_QUALITIES = (0, 1, 2, 5, 10, 20, 30, 40, 60, 75, 90)
SETTINGS = {  # what JPEG (its colours at half or at full resolution) and WebP do best with; AVIF as Pillow sets it
    "JPEG": [{"optimize": True, "subsampling": 2}, {"optimize": True, "subsampling": 0}],
    "WEBP": [{"method": 6}],
    "AVIF": [{}],  # Pillow has it from 11.3 on, if it was built with it
}


def mosaic(x: Tensor, columns: int = 16) -> np.ndarray:
    """Pictures (N, 3, S, S) in [-1, 1] in rows of `columns`, which divides N, without gaps: uint8 (H, W, 3)."""
    if len(x) % columns:
        raise ValueError(f"{len(x)} pictures do not fill rows of {columns}")
    rows = to_uint8(x).reshape(-1, columns, *x.shape[2:], 3)                                     # (R, columns, S, S, 3)
    return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(len(rows) * x.shape[2], -1, 3)


def pictures_of(picture: np.ndarray, side: int = 32) -> Tensor:
    """A `mosaic` (H, W, 3) back into its pictures (N, 3, side, side) in [-1, 1]."""
    x = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 127.5 - 1
    return x.unfold(1, side, side).unfold(2, side, side).permute(1, 2, 0, 3, 4).flatten(0, 1)


def file_bytes(picture: np.ndarray, kind: str, **options) -> bytes:
    """A uint8 picture (H, W, 3) as Pillow writes it: kind "JPEG", "WEBP", ..., options such as quality=10."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def read_file(data: bytes) -> np.ndarray:
    """A picture file that Pillow knows -> uint8 (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def pixel_error(x: np.ndarray, y: np.ndarray) -> float:
    """Mean squared error on [0, 1] of two uint8 pictures of one shape."""
    if x.shape != y.shape:
        raise ValueError(f"expected two pictures of one shape; got {x.shape} and {y.shape}")
    return float(np.square((x.astype(np.float64) - y) / 255).mean())


def rate_curve(picture: np.ndarray, kind: str, qualities=PILLOW_QUALITIES) -> list[tuple[int, float]]:
    """[(bytes, error on [0, 1])] of a picture (H, W, 3) as "JPEG", "WEBP" or "AVIF", over qualities.

    Only what no other point beats in both is kept, the smallest file first. ValueError for another format.
    """
    check_kind(kind)
    options = [{**setting, "quality": q} for setting in SETTINGS[kind] for q in qualities]
    files = [file_bytes(picture, kind, **option) for option in options]
    return frontier([(len(data), pixel_error(picture, read_file(data))) for data in files])


def best_within(picture: np.ndarray, kind: str, budget: int) -> bytes:
    """The file of a picture (H, W, 3), of `budget` bytes at most, with the least error. ValueError if none fits."""
    check_kind(kind)
    found = []
    for setting in SETTINGS[kind]:
        low, high = -1, 101  # the highest quality that fits is sought between them
        while high - low > 1:
            quality = (low + high) // 2
            file = file_bytes(picture, kind, **setting, quality=quality)
            if len(file) <= budget:
                low = quality
                found.append(file)
            else:
                high = quality
    if not found:
        raise ValueError(f"no {kind} of this picture has {budget} bytes or fewer")
    return min(found, key=lambda file: pixel_error(picture, read_file(file)))


def check_kind(kind: str) -> None:
    if kind not in SETTINGS:
        raise ValueError(f"the format is one of {', '.join(SETTINGS)}; got {kind!r}")


def frontier(points) -> list[tuple[float, float]]:
    """Of points (bytes, error) those that no other matches or beats in both, the smallest file first."""
    kept: list[tuple[float, float]] = []
    for size, loss in sorted(points):
        if not kept or loss < kept[-1][1]:
            kept.append((size, loss))
    return kept


def bytes_for(target: float, points) -> float:
    """The bytes at which a `frontier` reaches an error, between two points on a straight line of logarithms.

    ValueError for an error that the points do not enclose, and for no points.
    """
    if not len(points):
        raise ValueError("there are no points to read the bytes from")
    sizes, losses = (np.log([point[i] for point in points][::-1]) for i in (0, 1))
    if not losses[0] <= np.log(target) <= losses[-1]:
        raise ValueError(f"an error of {target:g} is not between {np.exp(losses[0]):g} and {np.exp(losses[-1]):g}")
    return float(np.exp(np.interp(np.log(target), losses, sizes)))
