"""Builds the emoji set beside this file: `emoji.webp` (the pictures) and `emoji.tsv` (one row for each).

    apt-get install fonts-noto-color-emoji unicode-data && pip install emoji fonttools
    python data/emoji/build.py

The pictures lie in the sheet row by row, COLUMNS to a row, in the order of the table, which is Unicode's.
"""

import argparse
import csv
import hashlib
import re
from pathlib import Path

import emoji
import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
UNICODE = "/usr/share/unicode/emoji/emoji-test.txt"
NATIVE = 109  # the font holds bitmaps of this one size
FRAME = 136  # pixels, the width of a bitmap; the ink takes at most 128, so nothing is clipped
SIDE, COLUMNS = 32, 64
NEAR = 0.25  # two families join when a pair of their pictures differs by less than this part of its ink
NO_FLAG = "\U0001f1fd\U0001f1fd"  # XX is no country
COLUMN_NAMES = ("emoji", "name_en", "name_ko", "category", "family", "split")

# Emoji newer than Unicode 15.0 that are no variant of an older one, and their groups.
NEW_GROUPS = {
    "head shaking horizontally": "Smileys & Emotion",
    "head shaking vertically": "Smileys & Emotion",
    "phoenix": "Animals & Nature",
    "lime": "Food & Drink",
    "brown mushroom": "Food & Drink",
    "broken chain": "Objects",
}

# Skin tones, hair, the gender signs, joiners and "facing right": what makes a variant of an emoji.
VARIATION = re.compile("\u200d➡|[\U0001f3fb-\U0001f3ff\U0001f9b0-\U0001f9b3\ufe0f\u200d♀♂]")
# Code points that differ only in gender, hair or number of people; the last of each stands for them.
SAME = ("👨👩👱🧔🧑", "👦👧🧒", "👴👵🧓", "👸🤴🫅", "🕺💃", "🫃🫄🤰", "🤶🎅", "👬👭👫")
STANDS_FOR = {member: row[-1] for row in SAME for member in row}
ALSO = {"🧑🤝🧑": "👫", "🧑❤🧑": "💑", "🧑❤💋🧑": "💑", "💏": "💑", "🧑🎄": "🎅", "🫱🫲": "🤝"}
CLOCK = re.compile("[\U0001f550-\U0001f567]")


def family_key(text: str) -> str:
    """What is left of an emoji without skin tone, hair, gender and direction.

    All clock faces share one key, and so do all keycaps and all pictures of parents with children.
    """
    key = "".join(STANDS_FOR.get(c, c) for c in VARIATION.sub("", text))
    key = ALSO.get(key, key) or text  # nothing is left of the signs ♀ and ♂ themselves
    if re.fullmatch("🧑+🧒+", key):
        return "👪"
    if CLOCK.fullmatch(key):
        return "🕐"
    return "keycap" if key.endswith("\u20e3") else key


def unicode_groups(path: str) -> dict[str, str]:
    """Emoji -> group ("Animals & Nature", ...), from Unicode's emoji-test.txt and in its order."""
    groups, group = {}, ""
    for line in Path(path).read_text("utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.removeprefix("# group:").strip()
        elif "; fully-qualified" in line:
            groups["".join(chr(int(code, 16)) for code in line.split(";")[0].split())] = group
    return groups


def drawable(font: ImageFont.FreeTypeFont, path: str) -> list[str]:
    """The emoji that the font draws as one glyph; prints how many are dropped."""
    every = [e for e, row in emoji.EMOJI_DATA.items() if row["status"] == emoji.STATUS["fully_qualified"]]
    width, known = font.getlength("😀"), TTFont(path, lazy=True).getBestCmap()
    narrow = [e for e in every if font.getlength(e) == width]
    kept = [e for e in narrow if all(ord(c) in known for c in e if c not in "\u200d\ufe0f")]
    print(f"{len(every)} emoji in the emoji package {emoji.__version__}")
    unknown = draw(NO_FLAG, font)  # a flag that the font lacks is drawn as one with a question mark
    drawn = [e for e in kept if not np.array_equal(draw(e, font), unknown)]
    print(f"{len(every) - len(narrow)} dropped as wider than one glyph")
    print(f"{len(narrow) - len(drawn)} dropped as missing from the font")
    return drawn


def draw(text: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """One emoji, (SIDE, SIDE, 3) uint8: native bitmap, cropped to its ink, centred on white, reduced once."""
    canvas = Image.new("RGBA", (2 * FRAME, 2 * FRAME))
    ImageDraw.Draw(canvas).text((FRAME // 2, FRAME // 2), text, font=font, embedded_color=True)
    ink = canvas.crop(canvas.getchannel("A").getbbox())
    frame = Image.new("RGB", (FRAME, FRAME), "white")
    frame.paste(ink, ((FRAME - ink.width) // 2, (FRAME - ink.height) // 2), ink)
    return np.asarray(frame.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def ink_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far apart pictures are, relative to the ink of the fainter: 0 the same, 1 as far as a white page.

    a (N, H, W, 3), b (M, H, W, 3) uint8 -> (N, M) float32: the least over b's mirrors and quarter turns.
    """
    x, y = 1 - a.astype(np.float32) / 255, 1 - b.astype(np.float32) / 255  # ink: white is zero
    ink_x, ink_y = (np.square(v).reshape(len(v), -1).sum(1) for v in (x, y))
    overlap = np.full((len(x), len(y)), -np.inf, np.float32)
    for turns in range(4):
        turned = np.rot90(y, turns, (1, 2))
        for z in (turned, turned[:, :, ::-1]):
            np.maximum(overlap, x.reshape(len(x), -1) @ z.reshape(len(y), -1).T, out=overlap)
    squared = np.maximum(ink_x[:, None] + ink_y - 2 * overlap, 0)
    return np.sqrt(squared / np.minimum(ink_x[:, None], ink_y))


def join_lookalikes(keys: list[str], pictures: np.ndarray) -> list[str]:
    """The keys after joining every two families that hold a near-identical pair; prints how many remain."""
    joined = {key: key for key in keys}

    def root(key: str) -> str:
        while joined[key] != key:
            key = joined[key]
        return key

    for i, j in np.argwhere(np.triu(ink_distance(pictures, pictures) < NEAR, 1)):
        joined[root(keys[j])] = root(keys[i])
    merged = [root(key) for key in keys]
    print(f"{len(joined)} families by name, {len(set(merged))} after joining those that look alike")
    return merged


def held_out(categories: dict[str, str]) -> set[str]:
    """The families of the test split: of each category, the tenth whose names have the smallest hashes.

    categories: family -> category. The split depends on names alone, and each category is in both parts.
    """
    chosen = set()
    for category in set(categories.values()):
        families = [family for family in categories if categories[family] == category]
        families.sort(key=lambda family: hashlib.sha256(family.encode()).hexdigest())
        chosen.update(families[: round(len(families) / 10)])
    return chosen


def names(text: str) -> tuple[str, str]:
    """English and Korean name. In English the emoji package names a flag by its country; we add "flag"."""
    en, ko = (emoji.EMOJI_DATA[text][lang].strip(":").replace("_", " ") for lang in ("en", "ko"))
    return (f"flag {en}" if ko.startswith("깃발 ") else en), ko


def build(font_path: str, unicode_path: str) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """The pictures (N, SIDE, SIDE, 3) uint8 and the rows of the table, in Unicode's order."""
    emoji.config.load_language("ko")
    font = ImageFont.truetype(font_path, NATIVE, layout_engine=ImageFont.Layout.RAQM)
    groups = unicode_groups(unicode_path)
    order = {text: place for place, text in enumerate(groups)}
    last = {family_key(text): place for text, place in order.items()}  # newer variants come after it
    texts = drawable(font, font_path)
    places = {text: order.get(text, last.get(family_key(text), len(order))) for text in texts}
    texts.sort(key=lambda text: (places[text], text not in order, text))
    pictures = np.stack([draw(text, font) for text in texts])
    keys = join_lookalikes([family_key(text) for text in texts], pictures)
    in_order = list(groups.values())
    rows, families = [], {}
    for text, key in zip(texts, keys, strict=True):
        en, ko = names(text)
        group = groups.get(text) or NEW_GROUPS.get(en) or in_order[last[family_key(text)]]
        rows.append((text, en, ko, group, families.setdefault(key, en)))  # called after its first emoji
    test = held_out({family: category for *_, category, family in reversed(rows)})
    return pictures, [(*row, "test" if row[-1] in test else "train") for row in rows]


def sheet(pictures: np.ndarray) -> Image.Image:
    """All pictures on one page, COLUMNS to a row; what is left of the last row is white."""
    rows = -(-len(pictures) // COLUMNS)
    page = np.full((rows * COLUMNS, SIDE, SIDE, 3), 255, np.uint8)
    page[: len(pictures)] = pictures
    page = page.reshape(rows, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2)
    return Image.fromarray(page.reshape(rows * SIDE, COLUMNS * SIDE, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--font", default=FONT)
    parser.add_argument("--unicode", default=UNICODE, help="Unicode's emoji-test.txt, for the groups")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    print(TTFont(args.font, lazy=True)["name"].getDebugName(5))
    pictures, table = build(args.font, args.unicode)
    sheet(pictures).save(args.out / "emoji.webp", lossless=True, quality=100, method=6)
    with open(args.out / "emoji.tsv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMN_NAMES)
        writer.writerows(table)
    test = [row for row in table if row[5] == "test"]
    print(f"{len(table)} emoji in {len({row[4] for row in table})} families; "
          f"test: {len(test)} emoji in {len({row[4] for row in test})} families")


if __name__ == "__main__":
    main()
