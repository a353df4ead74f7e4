r"""Pictures as bytes: one by the learned codec, whatever its sides, or many small ones, each by a code of d numbers.

    data = compress(picture)            bytes; up to two million pixels; qualities "low" and "high"
    picture = decompress(data)          uint8 (H, W, 3)

    coder = VectorCoder.fit(autoencoder, codes_of(autoencoder, training_pictures), bits=6)
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
from PIL import Image, ImageOps
from torch import Tensor

from ..metrics.pictures import mse
from ..models.codec import STRIDE, Codec
from ..show.raster import to_uint8
from ..training.checkpoints import load
from . import range_coding
from .range_coding import Quantiser

QUALITIES = ("low", "high")
MAGIC, VERSION = b"GMC", 1
START = struct.Struct(">3sBHHH")  # magic, version and quality, weights, height, width
HEADER = struct.Struct(START.format + "I")  # and a checksum: 14 bytes
MOST_PIXELS = 1 << 21  # about 400 MB of memory while it is coded


KINDS = "a picture is a PIL image, uint8 (H, W, 3) or (H, W), or floats (3, H, W) in [-1, 1]"


class FileError(ValueError):
    r"""Bytes that are no file of `compress`, or a damaged one, or one of another version or other weights."""


# -- one picture of any size, by the learned codec -----------------------------------------------------------------


@torch.no_grad()
def compress(picture, quality: str = "high") -> bytes:
    r"""A picture as the bytes of a file, 14 of them a header.

    picture  uint8 (H, W, 3) or grey (H, W), a PIL image, or floats (3, H, W) in [-1, 1] as everywhere in the course;
             where it is transparent it is laid on white, and it is turned as its camera says
    quality  "low" or "high": each is a network of its own
    ValueError for anything else, for an empty picture and for more than two million pixels.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality is one of {', '.join(QUALITIES)}, not {quality!r}")
    x = as_tensor(picture)
    height, width = x.shape[2:]
    model, tables, weights = trained_codec(quality)
    padded = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    symbols = model.encode(padded).round().long()[0].flatten(1).T + model.config["reach"]     # (h w, M), from 0 up
    body = range_coding.encode(symbols, tables)
    start = (MAGIC, VERSION << 4 | QUALITIES.index(quality), weights, height, width)
    return HEADER.pack(*start, checksum(start, body, symbols)) + body


@torch.no_grad()
def decompress(data: bytes) -> np.ndarray:
    r"""The picture in the bytes that `compress` made: uint8 (H, W, 3). FileError, which says why, for other bytes.

    The symbols are those that were written, on any machine. The pixels come from a network, whose sums may differ in
    the last digits from one processor to the next: a pixel may then differ by one level.
    """
    data = bytes(data)
    if data[:3] != MAGIC or len(data) < HEADER.size:
        raise FileError("this is no file of this course's codec, or it ends within its header")
    *start, check = HEADER.unpack_from(data)
    _, kind, weights, height, width = start
    if kind >> 4 != VERSION or kind & 15 >= len(QUALITIES):
        raise FileError(f"the file is of version {kind >> 4}, quality number {kind & 15}; this reader knows version "
                        f"{VERSION}, quality numbers 0 to {len(QUALITIES) - 1}")
    model, tables, known = trained_codec(QUALITIES[kind & 15])
    if weights != known:
        raise FileError("the file was written with other weights of the codec: read it with those")
    if not 0 < height * width <= MOST_PIXELS:
        raise FileError(f"the file speaks of {height} x {width} pixels; a picture has 1 to {MOST_PIXELS:,}")
    places = [-(-side // STRIDE) for side in (height, width)]
    symbols = read_symbols(start, data[HEADER.size :], check, tables, places[0] * places[1]) - model.config["reach"]
    y = model.decode(symbols.T.reshape(1, -1, *places).float())[..., :height, :width]
    return to_uint8(y.clamp(-1, 1))[0]


def read_symbols(start, body: bytes, check: int, tables: np.ndarray, count: int) -> Tensor:
    r"""The symbols (count, M) of a file; FileError where they or its bytes are not those that were written."""
    damaged = FileError("the file is cut off or damaged: its checksum does not fit")
    try:
        symbols = range_coding.decode(body, tables, count)
    except ValueError as error:
        raise damaged from error
    if checksum(start, body, symbols) != check:
        raise damaged
    return symbols


def checksum(start, body: bytes, symbols: Tensor) -> int:
    r"""CRC-32 of the header, the bytes and the symbols, so that a coder that reads them otherwise is noticed."""
    return zlib.crc32(symbols.to(torch.uint8).numpy().tobytes(), zlib.crc32(body, zlib.crc32(START.pack(*start))))


@cache
def trained_codec(quality: str) -> tuple[Codec, np.ndarray, int]:
    r"""The shipped network of a quality, its integer tables, and 16 bits that tell its weights from others."""
    model, _ = load(f"codec-{quality}")
    weights = b"".join(value.numpy().astype("<f4").tobytes() for _, value in sorted(model.state_dict().items()))
    return model, range_coding.frequencies(model.tables.integers()), zlib.crc32(weights) & 0xFFFF


def as_tensor(picture) -> Tensor:
    r"""A picture as `compress` takes it -> floats (1, 3, H, W) in [-1, 1]."""
    if isinstance(picture, Image.Image):
        check_pixels(picture.height, picture.width)  # before it is copied: a telephone's picture takes a gigabyte
        picture = pixels_of(picture)
    if not isinstance(picture, np.ndarray | Tensor):
        raise ValueError(f"{KINDS}; got a {type(picture).__name__}. A file is opened by PIL.Image.open")
    x = picture if isinstance(picture, Tensor) else torch.from_numpy(np.array(picture))
    if x.is_floating_point() and x.ndim == 3 and len(x) == 3:
        check_pixels(*x.shape[1:])
    elif x.dtype == torch.uint8 and (x.ndim == 2 or x.ndim == 3 and x.shape[2] == 3):
        check_pixels(*x.shape[:2])
        x = (x if x.ndim == 3 else x[:, :, None].expand(-1, -1, 3)).permute(2, 0, 1) / 127.5 - 1
    else:
        raise ValueError(f"{KINDS}; got {x.dtype} {tuple(x.shape)}")
    if not (x.min() >= -1.001 and x.max() <= 1.001):  # also false for NaN
        raise ValueError(f"floats must lie in [-1, 1]; these run from {x.min():.3g} to {x.max():.3g}")
    return x[None].float()


def check_pixels(height: int, width: int) -> None:
    if not 0 < height * width <= MOST_PIXELS or max(height, width) > 0xFFFF:
        raise ValueError(f"a picture has 1 to {MOST_PIXELS:,} pixels, at most 65,535 a side; this has {height} x "
                         f"{width}. Make it smaller, as with PIL's thumbnail((1400, 1400))")


def pixels_of(image: Image.Image) -> np.ndarray:
    r"""A PIL image as uint8 (H, W, 3): upright, on white where it is transparent. ValueError for more than 8 bits."""
    if image.mode[0] in "IF":
        raise ValueError(f"a picture has 8 bits a channel; this PIL image has mode {image.mode}. Make it L or RGB")
    rgba = ImageOps.exif_transpose(image).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))


# -- many small pictures, each a code of d numbers -----------------------------------------------------------------


@dataclass(frozen=True)
class VectorCoder:
    r"""Pictures (N, C, S, S) as one stream of bytes, each a code of d numbers that are quantised and range coded.

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
        r"""Ranges and frequencies from the codes (N, d) of training pictures; give `bits` a number, or one `step`."""
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
        r"""`count` pictures in [-1, 1]. ValueError for bytes that these tables cannot have made."""
        symbols = range_coding.decode(data, self.tables, count)
        return self.model.decode(self.quantiser.values(symbols)).clamp(-1, 1)

    def measure(self, x: Tensor) -> tuple[float, float]:
        r"""(bytes a picture, mean squared error on [0, 1]) of pictures, really written and really read."""
        data = self.compress(x)
        return len(data) / len(x), mse(x, self.decompress(data, len(x))).mean().item()


@torch.no_grad()
def codes_of(model, x: Tensor) -> Tensor:
    r"""The codes (N, d) of pictures x, in batches."""
    return torch.cat([model.encode(part) for part in x.split(500)])
