"""Cuts the course's Korean font beside this file, `CourseSansKR.ttf`, from NanumGothic.

    apt-get install fonts-nanum && pip install fonttools
    python data/fonts/build.py

Kept: Latin, Greek, punctuation, arrows, signs of mathematics, and the 2,350 syllables of KS X 1001 with every
syllable in the names of the emoji. The font's licence reserves the name "Nanum", so the cut font has its own.
"""

import argparse
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
FONT = "/usr/share/fonts/truetype/nanum/NanumGothic.ttf"
EMOJI_NAMES = HERE.parent / "emoji" / "emoji.tsv"
NAME = "Course Sans KR"
COPYRIGHT = (
    "Copyright (c) 2010, NAVER Corporation (http://www.nhncorp.com), with Reserved Font Name Nanum, "
    "Naver Nanum, NanumGothic, Naver NanumGothic. Modified: cut to the characters of a course, and renamed."
)
LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1."
LICENCE_URL = "https://openfontlicense.org"

RANGES = (
    (0x0020, 0x007E), (0x00A0, 0x017F),  # Latin
    (0x0391, 0x03C9),  # Greek
    (0x2010, 0x2044), (0x2070, 0x209C),  # punctuation, superscripts, subscripts
    (0x2190, 0x21FF), (0x2200, 0x22FF),  # arrows, mathematics
    (0x2500, 0x257F), (0x25A0, 0x2606),  # lines, shapes, stars
    (0x3000, 0x3015), (0x3131, 0x318E),  # Korean punctuation and letters
)
# Added where the font lacks them, drawn as a character of the same shape.
ALIASES = {0x2212: 0x2013, 0x00B5: 0x03BC, 0x22C5: 0x00B7}  # minus: en dash, micro: mu, dot operator: dot


def syllables() -> set[int]:
    """The 2,350 syllables of KS X 1001, as code points: rows 16 to 40, 94 cells each."""
    rows, cells = range(0xB0, 0xC9), range(0xA1, 0xFF)
    return {ord(bytes((row, cell)).decode("euc_kr")) for row in rows for cell in cells}


def wanted() -> set[int]:
    """The code points to keep, where the font has them."""
    kept = {code for first, last in RANGES for code in range(first, last + 1)} | syllables()
    hangul = {ord(c) for c in EMOJI_NAMES.read_text("utf-8") if "가" <= c <= "힣"}
    return kept | hangul


def rename(font: TTFont) -> None:
    """Gives the font its own names, and none of the original's but in the copyright notice."""
    names = {
        0: COPYRIGHT, 1: NAME, 2: "Regular", 3: f"1.0;{NAME}", 4: NAME, 5: "Version 1.0",
        6: NAME.replace(" ", "") + "-Regular", 13: LICENCE, 14: LICENCE_URL,
    }
    font["name"].names = []
    for name_id, text in names.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)  # Windows, Unicode, English


def cut(path: str) -> TTFont:
    """The font at `path` cut to `wanted()` and renamed. Raises ValueError where it lacks a syllable."""
    font = TTFont(path, recalcTimestamp=False)
    known = font.getBestCmap()
    missing = sorted(code for code in wanted() if code not in known and 0xAC00 <= code <= 0xD7A3)
    if missing:
        raise ValueError(f"{path} lacks {len(missing)} syllables, such as {chr(missing[0])}")
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap |= {new: known[old] for new, old in ALIASES.items() if new not in known}
    options = Options(hinting=False, notdef_outline=True)
    options.drop_tables += ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]  # sources of the hinting
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted() | ALIASES.keys())
    subsetter.subset(font)
    rename(font)
    return font


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--font", default=FONT)
    parser.add_argument("--out", type=Path, default=HERE / "CourseSansKR.ttf")
    args = parser.parse_args()
    font = cut(args.font)
    font.save(args.out)
    print(f"{len(font.getBestCmap())} characters, {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
