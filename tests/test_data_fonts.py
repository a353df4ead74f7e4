"""The shipped font: it has what the course writes, and the name and licence that it must have."""

import runpy
from pathlib import Path

import pytest
import torch
from fontTools.ttLib import TTFont

from helpers import DATA
from helpers.data import scenes
from helpers.data.sets import load_emoji

FONT = DATA / "fonts" / "CourseSansKR.ttf"


def test_it_has_what_the_course_writes():
    known = TTFont(FONT).getBestCmap()
    factors = scenes.sample_factors(300, torch.Generator().manual_seed(0))
    rows, cells = range(0xB0, 0xC9), range(0xA1, 0xFF)
    ks_x_1001 = [bytes((row, cell)).decode("euc_kr") for row in rows for cell in cells]
    assert len(set(ks_x_1001)) == 2350
    for text in (
        "".join(ks_x_1001),
        "".join(scenes.caption(row, "ko") for row in factors),
        "".join(load_emoji("all").names_ko),
        "".join(map(chr, range(0x20, 0x7F))),
        "−–—…“”×·→≤≥≠√∑±²αβσ",
    ):
        assert not {c for c in text if ord(c) not in known}


def test_it_is_small_free_and_renamed():
    assert FONT.stat().st_size < 1.5e6
    names = {record.nameID: record.toUnicode() for record in TTFont(FONT)["name"].names}
    assert names[1] == "Course Sans KR" and "Open Font License" in names[13]
    others = " ".join(text for key, text in names.items() if key != 0).lower()  # 0 is the copyright notice
    assert "NAVER" in names[0] and "nanum" not in others and "naver" not in others
    licence = (FONT.parent / "LICENSE").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in licence and "NAVER Corporation" in licence


def test_the_build_script_cuts_the_same_font():
    build = runpy.run_path(str(FONT.parent / "build.py"))
    if not Path(build["FONT"]).exists():
        pytest.skip("Debian's fonts-nanum is missing")
    cut, shipped = build["cut"](build["FONT"]), TTFont(FONT)
    assert cut.getBestCmap().keys() == shipped.getBestCmap().keys()
    shape = shipped.getBestCmap()[ord("한")]
    assert shipped["glyf"][shape].coordinates == cut["glyf"][cut.getBestCmap()[ord("한")]].coordinates
