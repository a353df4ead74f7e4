"""The first hand, Noto's, and with it the list of emoji: their names, categories and families."""

import re
from pathlib import Path

import emoji
import numpy as np
from fontTools.ttLib import TTFont
from lookalikes import NEAR, ink_distance
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
UNICODE = "/usr/share/unicode/emoji/emoji-test.txt"
NATIVE = 109  # the font holds bitmaps of this one size
FRAME = 136  # pixels, the width of a bitmap; the ink takes at most 128, so nothing is clipped
SIDE = 32
NO_FLAG = "\U0001f1fd\U0001f1fd"  # XX is no country

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


def names(text: str) -> tuple[str, str]:
    """English and Korean name. In English the emoji package names a flag by its country; we add "flag"."""
    en, ko = (emoji.EMOJI_DATA[text][lang].strip(":").replace("_", " ") for lang in ("en", "ko"))
    return (f"flag {en}" if ko.startswith("깃발 ") else en), ko


def draw_and_name(font_path: str, unicode_path: str) -> tuple[np.ndarray, list[dict[str, str]]]:
    """The pictures (N, SIDE, SIDE, 3) uint8, and what is known of each, in Unicode's order."""
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
        rows.append({"emoji": text, "name_en": en, "name_ko": ko, "category": group,
                     "family": families.setdefault(key, en)})  # called after its first emoji
    return pictures, rows
