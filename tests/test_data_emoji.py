"""The shipped emoji: names, pictures, and a held-out set that holds neither variants nor look-alikes."""

import csv
import random
import re
import runpy
import time
import unicodedata
from pathlib import Path

import pytest
import torch

from helpers import DATA
from helpers.data.sets import load_emoji

EMOJI = DATA / "emoji"


@pytest.fixture(scope="module")
def emoji():
    return load_emoji("all")


@pytest.fixture(scope="module")
def rows():
    with open(EMOJI / "emoji.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_set(emoji):
    assert emoji.images.shape == (3788, 3, 32, 32) and emoji.images.dtype == torch.float32
    assert emoji.images.min() == -1 and emoji.images.max() == 1
    assert {len(field) for field in emoji} == {3788}
    assert len(set(emoji.categories)) == 9 and len(set(emoji.families)) == 1505


def test_names(emoji):
    assert len(set(emoji.names_en)) == len(set(emoji.names_ko)) == 3788
    for name in emoji.names_en + emoji.names_ko:
        assert name == unicodedata.normalize("NFC", name).strip() and not re.search("[_:\t]", name)
    assert {name for name in emoji.names_ko if not re.search("[가-힣]", name)} == {"atm", "dna"}
    korean = dict(zip(emoji.names_en, emoji.names_ko, strict=True))
    assert korean["red apple"] == "빨간 사과" and korean["flag South Korea"] == "깃발 대한민국"


def test_pictures_belong_to_their_names(emoji):
    for channel, colour in enumerate(("red", "green", "blue")):
        middle = emoji.images[emoji.names_en.index(f"{colour} square")][:, 8:24, 8:24].mean((1, 2))
        assert middle.argmax() == channel, colour


def test_splits(emoji):
    train, test = load_emoji("train"), load_emoji("test")
    assert (len(train.names_en), len(test.names_en)) == (3462, 326)
    assert set(train.names_en) | set(test.names_en) == set(emoji.names_en)
    assert not set(train.families) & set(test.families)
    assert set(test.categories) == set(train.categories) == set(emoji.categories)
    for part in (train, test):
        i = len(part.names_en) // 2
        assert torch.equal(part.images[i], emoji.images[emoji.names_en.index(part.names_en[i])])
    with pytest.raises(ValueError, match="'valid' is not one of 'train', 'test', 'all'"):
        load_emoji("valid")


def test_no_variant_of_a_training_emoji_is_held_out(rows):
    variants = "EMOJI MODIFIER|EMOJI COMPONENT|(FE)?MALE SIGN|ZERO WIDTH JOINER|VARIATION SELECTOR"

    def plain(text):
        text = re.sub("(?<=.)\u200d➡\ufe0f?$", "", text)  # facing right
        names = [unicodedata.name(c, repr(c)) for c in text]
        names = [re.sub("^(WOMAN|MAN|ADULT)$", "PERSON", name) for name in names]
        return tuple(name for name in names if not re.match(variants, name)) or text

    split_of = {}
    for row in rows:
        assert split_of.setdefault(plain(row["emoji"]), row["split"]) == row["split"], row["name_en"]
    assert len(split_of) < 1800  # the variants did fall together


def test_no_lookalike_of_a_training_emoji_is_held_out():
    x, y = ((1 - load_emoji(split).images) / 2 for split in ("test", "train"))  # ink: white is zero
    ink_x, ink_y = x.flatten(1).square().sum(1), y.flatten(1).square().sum(1)
    nearest = torch.full((len(x),), torch.inf)
    for turns in range(4):
        turned = x.rot90(turns, (2, 3))
        for z in (turned, turned.flip(3)):
            squared = ink_x[:, None] + ink_y - 2 * z.flatten(1) @ y.flatten(1).T
            relative = squared.clamp(min=0) / torch.minimum(ink_x[:, None], ink_y)
            nearest = torch.minimum(nearest, relative.min(1).values.sqrt())
    assert nearest.min() >= 0.25
    assert round(float(nearest.median()), 2) == 0.52  # as the README says


def test_pictures_are_whole_and_centred(emoji):
    ink = (1 - emoji.images).amax(1) / 2  # (N, 32, 32), 0 white to 1
    edges = torch.cat([ink[:, 0], ink[:, -1], ink[:, :, 0], ink[:, :, -1]], 1)
    assert edges.max() < 0.15  # nothing is cut off: the outermost ring is white, but for a trace of smoothing
    for axis in (1, 2):
        on = (ink > 0.06).any(axis)
        first, last = on.float().argmax(1), 31 - on.flip(1).float().argmax(1)
        offset = ((first + last) / 2 - 15.5).abs()
        assert offset.max() <= 2 and offset.mean() < 0.3


def test_files_are_small_and_load_at_once():
    sizes = [path.stat().st_size for path in EMOJI.glob("emoji.*")]
    assert len(sizes) == 2 and sum(sizes) < 5e6

    def seconds():
        start = time.process_time()
        load_emoji("all")
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.5


def test_the_build_script_draws_the_same_pictures(emoji, rows):
    pytest.importorskip("emoji", reason="the emoji package is needed only to build the set")
    from PIL import ImageFont, features

    build = runpy.run_path(str(EMOJI / "build.py"))
    if not Path(build["FONT"]).exists() or not features.check("raqm"):
        pytest.skip("Debian's fonts-noto-color-emoji or Pillow's raqm is missing")
    font = ImageFont.truetype(build["FONT"], build["NATIVE"], layout_engine=ImageFont.Layout.RAQM)
    for i in random.Random(0).sample(range(len(rows)), 60):
        drawn = torch.tensor(build["draw"](rows[i]["emoji"], font)).permute(2, 0, 1)
        shipped = ((emoji.images[i] + 1) * 127.5).round().byte()
        assert torch.equal(drawn, shipped), rows[i]["name_en"]
    families = {row["family"]: row["category"] for row in reversed(rows)}
    assert build["held_out"](families) == {row["family"] for row in rows if row["split"] == "test"}


def test_licence_and_readme():
    licence = (EMOJI / "LICENSE").read_text("utf-8")
    assert all(text in licence for text in ("SIL OPEN FONT LICENSE", "Google", "Unicode, Inc."))
    readme = (EMOJI / "README.md").read_text("utf-8")
    assert all(count in readme for count in ("3,788", "3,462", "326", "1,505", "151", "24"))
