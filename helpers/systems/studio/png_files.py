r"""A picture as a PNG file that carries its line, and back: the file alone says how to draw it again.

The line stands in a chunk of international text (iTXt, section 11.3.3.4 of the PNG specification), which unlike tEXt
may hold Korean. Any viewer shows the picture; few programs keep the chunk when they save it again.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from ...show.raster import png_chunk, to_png
from .commands import CommandError
from .lines import Line, read_line, write_line

SIGNATURE, KEYWORD = b"\x89PNG\r\n\x1a\n", b"course-studio"
MOST_BYTES = 4_000_000
HEAD = len(SIGNATURE) + 25  # bytes of the signature and of IHDR, behind which the text stands
NO_TEXT = ("this PNG carries no command of the studio: it was made elsewhere, or saved again by a program that dropped "
           "it. Take the file as it was downloaded")


def write_png(picture: np.ndarray, line: Line) -> bytes:
    r"""A uint8 picture (H, W, 3) and its line as a PNG file."""
    plain = to_png(picture)
    # Keyword, not compressed, no language, no translated keyword: each ends with a zero byte.
    text = KEYWORD + b"\0\0\0\0\0" + write_line(line).encode()
    return plain[:HEAD] + png_chunk(b"iTXt", text) + plain[HEAD:]


def read_png(data: bytes) -> tuple[Line, bytes]:
    r"""The line that a file carries, and the picture as the plain PNG file without it.

    CommandError for what is no PNG, is damaged, or carries no line, or one that cannot be drawn.
    """
    data = bytes(data)
    if not data:
        raise CommandError("this file is empty: choose one that was downloaded from the studio")
    if len(data) > MOST_BYTES:
        raise CommandError(f"this file has {len(data):,} bytes, and the studio's have far fewer than {MOST_BYTES:,}")
    if not data.startswith(SIGNATURE):
        raise CommandError("this file is no PNG: choose one that was downloaded from the studio")
    texts, rest = [], SIGNATURE
    for kind, body in chunks(data):
        if kind == b"iTXt" and body.startswith(KEYWORD + b"\0"):
            texts.append(body)
        else:
            rest += png_chunk(kind, body)
    if not texts:
        raise CommandError(NO_TEXT)
    try:
        text = texts[0].removeprefix(KEYWORD + b"\0\0\0\0\0").decode()
        line = read_line(text)
    except UnicodeDecodeError:
        raise CommandError("the command in this PNG is damaged: download the picture again") from None
    except CommandError as error:
        raise CommandError(f"the command in this PNG cannot be drawn: {error}") from None
    return line, rest


def chunks(data: bytes):
    r"""The chunks (kind, body) of a PNG file up to IEND. CommandError where one is cut off or its checksum is wrong."""
    place = len(SIGNATURE)
    while True:
        if place + 12 > len(data):
            raise CommandError("this PNG is cut off: download the picture again")
        length, = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        checksum = data[place + 8 + length : place + 12 + length]
        if len(checksum) < 4:
            raise CommandError("this PNG is cut off: download the picture again")
        if struct.pack(">I", zlib.crc32(kind + body)) != checksum:
            raise CommandError("this PNG is damaged, a checksum is wrong: download the picture again")
        yield kind, body
        if kind == b"IEND":
            return
        place += 12 + length
