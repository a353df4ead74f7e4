"""Pictures as bytes: one by the learned codec, whatever its sides, or many small ones, each by a code of d numbers.

    data = compress(picture)            bytes; up to two million pixels; qualities "low" and "high"
    picture = decompress(data)          uint8 (H, W, 3)

    coder = VectorCoder.fit(autoencoder, autoencoder.encode(training_pictures), bits=6)
    data = coder.compress(pictures)     one stream for all
    pictures = coder.decompress(data, len(pictures))
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..metrics.pictures import mse
from ..models.codec import STRIDE, Codec
from ..show.raster import to_uint8
from ..training.checkpoints import load
from . import range_coding
from .range_coding import Quantiser

QUALITIES = ("low", "high")
HEADER = struct.Struct(">IBHH")  # the checksum of all that follows it, quality, height, width
CHECKSUM = 4  # bytes, the first of the header
MOST_PIXELS = 1 << 21  # about 400 MB of memory while it is coded
PICTURE = "a picture is a PIL image, uint8 (H, W, 3) or (H, W), or floats (3, H, W) in [-1, 1]"


class FileError(ValueError):
    """Bytes that are no file of `compress`, or a damaged one."""


# -- one picture of any size, by the learned codec -----------------------------------------------------------------


@torch.no_grad()
def compress(picture, quality: str = "high") -> bytes:
    """A picture as the bytes of a file, 9 of them a header.

    picture  uint8 (H, W, 3) or grey (H, W), a PIL image, or floats (3, H, W) in [-1, 1] as everywhere in the course
    quality  "low" or "high": each is a network of its own
    ValueError for anything else, for an empty picture and for more than two million pixels.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality is one of {', '.join(QUALITIES)}, not {quality!r}")
    x = as_tensor(picture)
    height, width = x.shape[2:]
    model, tables = trained_codec(quality)
    padded = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    symbols = model.encode(padded).round().long()[0].flatten(1).T + model.config["reach"]     # (h w, M), from 0 up
    data = HEADER.pack(0, QUALITIES.index(quality), height, width) + range_coding.encode(symbols, tables)
    return zlib.crc32(data[CHECKSUM:]).to_bytes(CHECKSUM, "big") + data[CHECKSUM:]


@torch.no_grad()
def decompress(data: bytes) -> np.ndarray:
    """The picture in the bytes that `compress` made: uint8 (H, W, 3). FileError for other bytes.

    The symbols are those that were written, on any machine. The pixels come from a network, whose sums may differ in
    the last digits from one processor to the next: a pixel may then differ by one level.
    """
    if len(data) < HEADER.size or zlib.crc32(data[CHECKSUM:]) != int.from_bytes(data[:CHECKSUM], "big"):
        raise FileError("this is no file of this course's codec, or a damaged one: its checksum does not fit")
    _, quality, height, width = HEADER.unpack_from(data)
    model, tables = trained_codec(QUALITIES[quality])
    rows, columns = (-(-side // STRIDE) for side in (height, width))
    symbols = range_coding.decode(data[HEADER.size :], tables, rows * columns) - model.config["reach"]
    y = model.decode(symbols.T.reshape(1, -1, rows, columns).float())[..., :height, :width]
    return to_uint8(y.clamp(-1, 1))[0]


@cache
def trained_codec(quality: str) -> tuple[Codec, np.ndarray]:
    """The shipped network of a quality, and its integer tables."""
    model, _ = load(f"codec-{quality}")
    return model, range_coding.frequencies(model.tables.integers())


def as_tensor(picture) -> Tensor:
    """A picture as `compress` takes it -> floats (1, 3, H, W) in [-1, 1]."""
    if isinstance(picture, Image.Image):
        check_pixels(picture.height, picture.width)  # before it is copied: a telephone's picture takes a gigabyte
        if picture.mode[0] in "IF":
            raise ValueError(f"a picture has 8 bits a channel; this PIL image has mode "
                             f"{picture.mode}. Make it L or RGB")
        picture = picture.convert("RGB")
    elif not isinstance(picture, np.ndarray | Tensor):
        raise ValueError(f"{PICTURE}; got a {type(picture).__name__}. A file is opened by PIL.Image.open")
    x = picture if isinstance(picture, Tensor) else torch.from_numpy(np.array(picture))
    if x.is_floating_point() and x.ndim == 3 and len(x) == 3:
        check_pixels(*x.shape[1:])
        check_range(x)
    elif x.dtype == torch.uint8 and (x.ndim == 2 or x.ndim == 3 and x.shape[2] == 3):
        check_pixels(*x.shape[:2])
        x = (x if x.ndim == 3 else x[:, :, None].expand(-1, -1, 3)).permute(2, 0, 1) / 127.5 - 1
    else:
        raise ValueError(f"{PICTURE}; got {x.dtype} {tuple(x.shape)}")
    return x[None].float()


def check_pixels(height: int, width: int) -> None:
    if not 0 < height * width <= MOST_PIXELS or max(height, width) > 0xFFFF:
        raise ValueError(f"a picture has 1 to {MOST_PIXELS:,} pixels, at most 65,535 a side; this has {height} x "
                         f"{width}. Make it smaller, as with PIL's thumbnail((1400, 1400))")


def check_range(x: Tensor) -> None:
    """ValueError for floats beyond [-1, 1], and for those that may as well be meant on [0, 1]."""
    low, high = x.min().item(), x.max().item()
    if not (low >= -1.001 and high <= 1.001):  # also for NaN
        raise ValueError(f"floats must lie in [-1, 1]; these run from {low:.3g} to {high:.3g}")
    if low >= 0:
        raise ValueError("floats are read on [-1, 1], and none of these is below 0. If they lie in [0, 1], pass "
                         "2 * x - 1; if the picture is that bright, pass it as uint8, which cannot be misread")


# -- many small pictures, each a code of d numbers -----------------------------------------------------------------


@dataclass(frozen=True)
class VectorCoder:
    """Pictures (N, C, S, S) as one stream of bytes, each a code of d numbers that are quantised and range coded.

    model      has encode: pictures -> (N, d), and decode: (N, d) -> pictures; an Autoencoder, or a PCA
    quantiser  of the d numbers
    tables     (d, levels) integer frequencies

    The reader needs all three as the writer had them, and the number of pictures: the stream holds none of it, and no
    checksum. Fitting anew on another machine will not do, where the last digits of the codes may differ.
    """

    model: object
    quantiser: Quantiser
    tables: np.ndarray

    @classmethod
    def fit(cls, model, codes: Tensor, bits: int | None = None, step: float | None = None) -> VectorCoder:
        """Ranges and frequencies from the codes (N, d) of training pictures; give `bits` a number, or one `step`."""
        if (bits is None) == (step is None):
            raise ValueError("give either the bits of a number or the step of all numbers")
        quantiser = Quantiser.of_bits(codes, bits) if step is None else Quantiser.of_step(codes, step)
        seen = range_coding.counts(quantiser.symbols(codes), quantiser.levels)
        return cls(model, quantiser, range_coding.frequencies(2 * seen + 1))  # half a count for what was not seen

    @torch.no_grad()
    def compress(self, x: Tensor) -> bytes:
        return range_coding.encode(self.quantiser.symbols(self.model.encode(x)), self.tables)

    @torch.no_grad()
    def decompress(self, data: bytes, count: int) -> Tensor:
        """`count` pictures in [-1, 1]. ValueError for bytes that these tables cannot have made."""
        symbols = range_coding.decode(data, self.tables, count)
        return self.model.decode(self.quantiser.values(symbols)).clamp(-1, 1)

    def measure(self, x: Tensor) -> tuple[float, float]:
        """(bytes a picture, mean squared error on [0, 1]) of pictures, really written and really read."""
        data = self.compress(x)
        return len(data) / len(x), mse(x, self.decompress(data, len(x))).mean().item()
