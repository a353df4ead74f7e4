"""A picture of the reader's own: any file that Pillow opens, as a tensor of the size that a network takes.

    mine = own_picture("holiday.jpg", side=32)
    mine.done        'holiday.jpg, JPEG of 4032 x 3024: turned upright; cut to the middle 3024 x 3024; ...'
    mine.x           (3, 32, 32) in [0, 1]
    mine.batch       (1, 3, 32, 32) in [-1, 1], as every network of the course takes pictures, and `show_images`
"""

from __future__ import annotations

import io
import operator
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .scenes.drawing import SIZE

MOST_SIDE = 2048
MOST_READ = 89_478_485  # pixels of a file: Pillow's own limit; three bytes each are 270 MB
ORIENTATION = 0x0112  # the tag of EXIF
UPRIGHT = {  # what undoes each orientation, EXIF 2.3, section 4.6.4
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SAVE_AGAIN = "Open it in a picture viewer and save it again as PNG or JPEG"


class OwnPicture(NamedTuple):
    """x: float32 (C, side, side) in [0, 1]. done: one line that says what was done to the file's picture."""

    x: Tensor
    done: str

    @property
    def batch(self) -> Tensor:
        """The picture as a batch of one in the course's own range: (1, C, side, side) in [-1, 1]."""
        return 2 * self.x[None] - 1


def own_picture(source, side: int = SIZE, channels: int = 3) -> OwnPicture:
    """The upright middle square of a picture file, side x side pixels.

    source    the path of a file, or its bytes
    side      pixels, 1 to 2048
    channels  3 for colour, 1 for grey
    Transparent parts are laid on white; of an animation, the first picture is taken; sizes change with antialiasing.
    Colour profiles are left aside. ValueError, with what to do about it, for what is no whole picture.
    """
    side = _checked(side, channels)
    data, name = _bytes_of(source)
    image, steps = _opened(data, name)
    label = f"{name}, {image.format} of {image.width} x {image.height}"
    image = _upright(image, steps)
    image = _square(image, steps)
    image = _plain(image, name, steps)
    if image.width != side:
        steps.append(f"made {'smaller' if side < image.width else 'larger'}, to {side} x {side}")
        image = image.resize((side, side), Image.Resampling.BICUBIC)
    if channels == 1 and image.mode == "RGB":
        steps.append("made grey")
        image = image.convert("L")
    values = np.array(image, dtype=np.float32) / (1 if image.mode == "F" else 255)
    x = torch.from_numpy(values).reshape(side, side, -1).permute(2, 0, 1).clamp(0, 1)
    return OwnPicture(x.expand(channels, -1, -1).contiguous(), f"{label}: {'; '.join(steps) or 'taken as it is'}")


def _checked(side, channels) -> int:
    try:
        number = operator.index(side)
    except TypeError:
        number = 0
    if not 1 <= number <= MOST_SIDE:
        raise ValueError(f"side is a whole number of pixels from 1 to {MOST_SIDE}; got {side!r}")
    if channels not in (1, 3):
        raise ValueError(f"channels is 3 for colour or 1 for grey; got {channels!r}")
    return number


def _bytes_of(source) -> tuple[bytes, str]:
    """The bytes of a file and its name. ValueError where there is none to read, or nothing in it."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), "your picture"
    elif isinstance(source, str | os.PathLike):
        data, name = _read(Path(source).expanduser(), str(source)), Path(source).name
    else:
        raise ValueError(f"give the path of a picture file, or its bytes; got a {type(source).__name__}")
    if not data:
        raise ValueError(f"{name} is empty: it has 0 bytes. Copy it again from where it came")
    return data, name


def _read(path: Path, written: str) -> bytes:
    if written.startswith(("http:", "https:")):
        raise ValueError(f"{written} is an address. Save the picture as a file first, and give the file's path")
    if path.is_dir():
        raise ValueError(f"{written or 'an empty name'} is a folder. Give the path of one picture in it")
    if not path.exists():
        raise ValueError(f"there is no file {written}. Put it beside the notebook, or give its whole path")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{written} cannot be read: {error.strerror}. Copy it to another folder") from error


def _opened(data: bytes, name: str) -> tuple[Image.Image, list[str]]:
    """The first picture of a file, all of it read, and what there is to say of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is checked below
        try:
            image = Image.open(io.BytesIO(data))
            pixels = image.width * image.height
        except Image.DecompressionBombError:
            pixels = MOST_READ + 1
        except Exception as error:  # of what a decoder may raise there is no list
            raise ValueError(f"{name} is not a picture that can be read here, or its beginning is damaged. "
                             f"{SAVE_AGAIN} (photographs of an iPhone in HEIC, too)") from error
        if pixels > MOST_READ:
            raise ValueError(f"{name} has more than {MOST_READ:,} pixels, which could fill this computer's memory. "
                             "Make it smaller in a picture viewer, and save it")
        try:
            image.load()
        except Exception as error:
            raise ValueError(f"{name} is damaged or cut off ({error}). Copy it again from where it came") from error
    return image, ["the first of its pictures"] if getattr(image, "is_animated", False) else []


def _upright(image: Image.Image, steps: list[str]) -> Image.Image:
    try:
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION))
    except Exception:  # damaged EXIF is no reason to refuse a picture
        turn = None
    if turn is None:
        return image
    steps.append("turned upright")
    return image.transpose(turn)


def _square(image: Image.Image, steps: list[str]) -> Image.Image:
    """The central square; as large as the shorter side."""
    side = min(image.size)
    if image.width == image.height:
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    steps.append(f"cut to the middle {side} x {side}")
    return image.crop((left, top, left + side, top + side))


def _plain(image: Image.Image, name: str, steps: list[str]) -> Image.Image:
    """A picture of any mode as RGB with 8 bits a channel, or as F, one channel of floats in [0, 1]."""
    if image.mode[0] in "IF":
        return _deep(image, name, steps)
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        steps += ["laid on white"] * (image.getchannel("A").getextrema()[0] < 255)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    steps += ["its printing colours (CMYK) turned into RGB"] * (image.mode == "CMYK")
    return image.convert("RGB")


def _deep(image: Image.Image, name: str, steps: list[str]) -> Image.Image:
    """Grey of 16 bits, or of floats in [0, 1], as F in [0, 1]; a transparent level becomes white."""
    values = np.asarray(image).astype(np.float32)
    most = 1.0 if image.mode == "F" else 65535.0
    if not (values.min() >= 0 and values.max() <= most):  # also for NaN
        raise ValueError(f"{name} holds numbers from {values.min():g} to {values.max():g}, and nothing says which is "
                         f"white. {SAVE_AGAIN}")
    transparent = image.info.get("transparency")
    clear = np.zeros_like(values, bool) if transparent is None else values == transparent
    steps += ["16 bits scaled to [0, 1]"] * (image.mode != "F") + ["laid on white"] * bool(clear.any())
    return Image.fromarray(np.where(clear, np.float32(1), values / np.float32(most)))
