"""A reader's own picture: every kind of file comes out with the right values, or is refused in a sentence."""

import io
import os
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from helpers.data import own_picture as module
from helpers.data.own_picture import own_picture

RED, WHITE = (200, 40, 20), (255, 255, 255)


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def middle(data, **options):
    """The colour at the centre, in 255ths."""
    x = own_picture(data, **options).x
    return tuple((255 * x[:, x.shape[1] // 2, x.shape[2] // 2]).round().int().tolist())


def quarters():
    """40 x 40: red, green, blue and white quarters, read from the top left like a line of text."""
    a = np.zeros((40, 40, 3), np.uint8)
    a[:20, :20], a[:20, 20:], a[20:, :20], a[20:, 20:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), WHITE
    return a


def test_a_plain_picture_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    mine = own_picture(saved(Image.fromarray(pixels)), side=32)
    assert mine.x.shape == (3, 32, 32) and mine.x.dtype == torch.float32
    assert torch.equal((255 * mine.x).round().byte(), torch.from_numpy(pixels).permute(2, 0, 1))
    assert mine.done == "your picture, PNG of 32 x 32: taken as it is"


def test_the_batch_is_in_the_range_of_the_course():
    mine = own_picture(saved(Image.fromarray(quarters())), side=40)
    assert mine.batch.shape == (1, 3, 40, 40) and mine.batch[0, :, 0, 0].tolist() == [1, -1, -1]


def test_a_path_a_string_and_bytes_are_one_picture(tmp_path, monkeypatch):
    data = saved(Image.new("RGB", (60, 40), RED))
    path = tmp_path / "그림 one.png"
    path.write_bytes(data)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    found = [own_picture(s) for s in (path, str(path), "~/그림 one.png", data, bytearray(data), memoryview(data))]
    assert all(torch.equal(found[0].x, other.x) for other in found)
    assert found[0].done == "그림 one.png, PNG of 60 x 40: cut to the middle 40 x 40; made smaller, to 32 x 32"


def stored(orientation):
    """A JPEG of the quarters as a camera writes it that was held so: turned back by what EXIF says."""
    turns = Image.Transpose  # of the camera, in the order of EXIF's numbers from 2 on
    back = (None, turns.FLIP_LEFT_RIGHT, turns.ROTATE_180, turns.FLIP_TOP_BOTTOM, turns.TRANSPOSE, turns.ROTATE_90,
            turns.TRANSVERSE, turns.ROTATE_270)[orientation - 1]
    image = Image.fromarray(quarters())
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image if back is None else image.transpose(back), "JPEG", quality=95, subsampling=0, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_by_exif(orientation):
    """Each of the eight, against the quarters and against Pillow's own way of it."""
    mine = own_picture(stored(orientation), side=40)
    corners = mine.x[:, [10, 10, 30, 30], [10, 30, 10, 30]].round().T.tolist()
    assert corners == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]
    assert ("turned upright" in mine.done) == (orientation > 1)
    by_pillow = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(stored(orientation)))))
    assert np.array_equal((255 * mine.x).round().byte().permute(1, 2, 0), by_pillow)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_exif_does_not_know_is_left(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert "upright" not in own_picture(saved(Image.fromarray(quarters()), "JPEG", exif=exif), 40).done


def test_upright_comes_before_the_cut():
    """A tall photograph that is stored lying: its middle is that of the upright picture."""
    a = np.zeros((30, 90, 3), np.uint8)
    a[:, 30:60] = RED
    exif = Image.Exif()
    exif[0x0112] = 6
    mine = own_picture(saved(Image.fromarray(a), "PNG", exif=exif), side=30)
    assert mine.done.endswith("PNG of 90 x 30: turned upright; cut to the middle 30 x 30")
    assert (255 * mine.x[:, 2:-2, 2:-2] - torch.tensor(RED)[:, None, None]).abs().max() < 0.01


@pytest.mark.parametrize("mode, pixel, expected", [
    ("RGBA", (*RED, 0), WHITE), ("RGBA", (*RED, 255), RED), ("RGBA", (0, 0, 0, 102), (153, 153, 153)),
    ("LA", (0, 51), (204, 204, 204)), ("LA", (90, 255), (90, 90, 90)),
])
def test_transparency_lies_on_white(mode, pixel, expected):
    data = saved(Image.new(mode, (20, 20), pixel))
    assert middle(data) == expected
    assert ("laid on white" in own_picture(data).done) == (pixel[-1] < 255)


def test_a_transparent_edge_has_no_fringe():
    """What is clear may hold any colour: it must not reach the pixels beside it when the picture is made smaller."""
    a = np.zeros((64, 64, 4), np.uint8)  # clear black
    a[:, 34:] = (*WHITE, 255)
    assert own_picture(saved(Image.fromarray(a)), side=16).x.min() == 1


def palette(transparency=None):
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, *RED] + [0] * 750)
    return saved(image, **({} if transparency is None else {"transparency": transparency}))


def test_a_palette_and_its_transparent_entry():
    assert middle(palette()) == RED
    assert middle(palette(transparency=1)) == WHITE
    assert middle(palette(transparency=0)) == RED
    assert middle(palette(transparency=bytes([255, 102]))) == (233, 169, 161)  # 0.4 of red, 0.6 of white


def test_a_transparent_colour_of_a_picture_without_alpha():
    assert middle(saved(Image.new("RGB", (20, 20), RED), transparency=RED)) == WHITE
    assert middle(saved(Image.new("L", (20, 20), 7), transparency=7)) == WHITE
    assert middle(saved(Image.new("L", (20, 20), 9), transparency=7)) == (9, 9, 9)


def test_grey_black_and_white_and_other_modes():
    assert middle(saved(Image.new("L", (20, 20), 90))) == (90, 90, 90)
    assert middle(saved(Image.new("1", (20, 20), 1))) == WHITE
    assert middle(saved(Image.new("RGB", (20, 20), RED), "BMP")) == RED
    assert middle(saved(Image.new("RGB", (20, 20), RED), "WEBP", lossless=True)) == RED
    assert min(middle(saved(Image.new("LAB", (20, 20), (255, 128, 128)), "TIFF"))) >= 250  # white, by its profile


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_printing_colours(kind):
    """CMYK of 0, 51, 102, 51 leaves (1 - c)(1 - k) of each colour."""
    data = saved(Image.new("CMYK", (24, 24), (0, 51, 102, 51)), kind)
    expected = [255 * (1 - c / 255) * 0.8 for c in (0, 51, 102)]
    assert np.abs(np.subtract(middle(data), expected)).max() <= 3 and "CMYK" in own_picture(data).done


def deep(value, dtype=np.uint16):
    return Image.fromarray(np.full((20, 20), value, dtype))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("value", [0, 300, 32_896, 65_535])
def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off(kind, value):
    mine = own_picture(saved(deep(value), kind), side=10)
    assert mine.x.shape == (3, 10, 10) and (mine.x - value / 65_535).abs().max() < 1e-6
    assert "16 bits scaled to [0, 1]" in mine.done


def test_a_transparent_level_of_sixteen_bits():
    a = np.full((20, 20), 5000, np.uint16)
    a[:, 10:] = 40_000
    x = own_picture(with_chunk(saved(Image.fromarray(a)), b"tRNS", (5000).to_bytes(2, "big")), side=20).x
    assert (x[:, :, 2] == 1).all() and (x[:, :, 17] - 40_000 / 65_535).abs().max() < 1e-6


def with_chunk(png, name, body):
    """A PNG with one more chunk, after its header."""
    chunk = len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]


def test_sixteen_bits_of_colour():
    """Pillow writes none, so the file is made here: a PNG of 16 x 16 pixels, three numbers of two bytes each."""
    row = b"\0" + b"".join(value.to_bytes(2, "big") for value in (51_400, 10_280, 5140)) * 16
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", bytes([0, 0, 0, 16] * 2 + [16, 2, 0, 0, 0])), (b"IDAT", zlib.compress(row * 16)),
                       (b"IEND", b"")):
        png += len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    assert middle(png) == RED


def test_floats():
    assert middle(saved(deep(0.2, np.float32), "TIFF")) == (51, 51, 51)
    for wrong in (-0.5, 40.0, np.nan):
        with pytest.raises(ValueError, match="nothing says which is white. Open it"):
            own_picture(saved(deep(wrong, np.float32), "TIFF"))


def test_an_animation_gives_its_first_picture():
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]
    for kind, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert middle(data) == RED and "the first of its pictures" in own_picture(data).done
    assert "first" not in own_picture(saved(frames[0], "GIF")).done


@pytest.mark.parametrize("size, box", [((90, 30), (30, 0)), ((30, 90), (0, 30)), ((31, 30), (0, 0))])
def test_the_cut_is_central(size, box):
    a = np.zeros((size[1], size[0], 3), np.uint8)
    a[box[1]:box[1] + 30, box[0]:box[0] + 30] = 255
    mine = own_picture(saved(Image.fromarray(a)), side=30)
    assert mine.x.min() == 1 and mine.done.endswith(": cut to the middle 30 x 30")


def test_antialiasing():
    """A chessboard of single pixels becomes grey; without antialiasing, it becomes black or white."""
    board = np.indices((320, 320)).sum(0) % 2 * 255
    x = own_picture(saved(Image.fromarray(board.astype(np.uint8))), side=32).x
    assert (x - 0.5).abs().max() < 0.02
    deep_board = own_picture(saved(Image.fromarray((board * 257).astype(np.uint16))), side=32).x
    assert (deep_board - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (7, 9)])
def test_small_and_narrow_pictures_are_made_larger(size):
    mine = own_picture(saved(Image.new("RGB", size, RED)), side=64)
    assert mine.x.shape == (3, 64, 64) and "made larger, to 64 x 64" in mine.done
    assert (255 * mine.x - torch.tensor(RED)[:, None, None]).abs().max() < 0.6


def test_one_channel():
    grey = (0.299 * 200 + 0.587 * 40 + 0.114 * 20) / 255
    mine = own_picture(saved(Image.new("RGB", (20, 20), RED)), side=8, channels=1)
    assert mine.x.shape == (1, 8, 8) and (mine.x - grey).abs().max() < 0.004 and "made grey" in mine.done
    assert own_picture(saved(deep(65_535)), side=8, channels=1).x.shape == (1, 8, 8)
    assert own_picture(saved(Image.new("L", (9, 9), 255)), side=8, channels=1).x.min() == 1


def test_values_stay_in_range():
    """Resizing rings at edges; a picture of 16 bits would leave [0, 1]."""
    edge = np.zeros((100, 100), np.uint16)
    edge[:, 50:] = 65_535
    x = own_picture(saved(Image.fromarray(edge)), side=33).x
    assert x.min() >= 0 and x.max() <= 1


# -- what is refused -----------------------------------------------------------------------------------------------


WHOLE = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)))


@pytest.mark.parametrize("data, sentence", [
    (b"", "your picture is empty: it has 0 bytes. Copy it again"),
    (b"hello, I am no picture", "not a picture that can be read here.*save it again as PNG"),
    (WHOLE[:20], "its beginning is damaged"),
    (WHOLE[:-400], "damaged or cut off"),
    (saved(Image.open(io.BytesIO(WHOLE)), "JPEG")[:-300], "damaged or cut off"),
    (WHOLE[:200] + bytes(40) + WHOLE[240:], "damaged or cut off"),
])
def test_what_is_no_whole_picture(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        own_picture(data)


def test_a_bomb_is_not_decoded(monkeypatch):
    """A small file that says that it has very many pixels; Pillow itself refuses only twice as many as it warns of."""
    decoded = []
    monkeypatch.setattr(Image.Image, "load", lambda self: decoded.append(self.size))
    for side in (9500, 15_000, 2**31 - 1):
        header = b"IHDR" + side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        data = WHOLE[:12] + header + zlib.crc32(header).to_bytes(4, "big") + WHOLE[33:]
        with pytest.raises(ValueError, match="more than 89,478,485 pixels.*Make it smaller"):
            own_picture(data)
    assert not decoded


def test_a_large_photograph_is_read_without_a_warning(recwarn, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)  # Pillow warns from here on; the course's own limit holds
    own_picture(WHOLE)
    assert not [warning for warning in recwarn if "Bomb" in warning.category.__name__]


def test_what_is_no_file(tmp_path):
    (tmp_path / "nothing.png").touch()
    for path, sentence in ((tmp_path / "no.jpg", "there is no file .*no.jpg. Put it beside the notebook"),
                           (tmp_path, "is a folder. Give the path of one picture in it"),
                           (tmp_path / "nothing.png", "nothing.png is empty"), ("", "is a folder"),
                           ("https://example.org/a.jpg", "is an address. Save the picture as a file first")):
        with pytest.raises(ValueError, match=sentence):
            own_picture(path)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(WHOLE)
    path.chmod(0)
    with pytest.raises(ValueError, match="cannot be read: Permission denied"):
        own_picture(path)


@pytest.mark.parametrize("thing", [None, 3, np.zeros((4, 4, 3), np.uint8), Image.new("L", (3, 3))])
def test_what_is_neither_path_nor_bytes(thing):
    with pytest.raises(ValueError, match="give the path of a picture file, or its bytes; got a"):
        own_picture(thing)


@pytest.mark.parametrize("side", [0, -3, 2049, 32.0, "32", None])
def test_a_side_that_is_none(side):
    with pytest.raises(ValueError, match="side is a whole number of pixels from 1 to 2048"):
        own_picture(WHOLE, side=side)


def test_channels_are_three_or_one():
    with pytest.raises(ValueError, match="3 for colour or 1 for grey; got 4"):
        own_picture(WHOLE, channels=4)


def test_damaged_exif_is_no_reason_to_refuse(monkeypatch):
    def broken(self):
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Image.Image, "getexif", broken)
    assert module.own_picture(WHOLE).x.shape == (3, 32, 32)
