"""Builds the emoji set beside this file: a sheet of pictures for each hand, and `emoji.tsv`, one row an emoji.

    apt-get install fonts-noto-color-emoji unicode-data npm
    pip install -e ".[build]"
    python data/emoji/build.py           # five minutes
    python data/emoji/build.py --check   # builds it elsewhere, and says which files came out otherwise

The pictures lie in a sheet row by row, COLUMNS to a row, in the order of the table, which is Unicode's. A place stays
white where the hand has not drawn the emoji.
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import noto
import numpy as np
import packages
import splits
from PIL import Image

HERE = Path(__file__).parent
COLUMNS = 64
COLUMN_NAMES = ("emoji", "name_en", "name_ko", "category", "family", "by_family", "by_hand", "by_tone")
LARGE = ("fluent", 64)  # the hand that is also shipped with more pixels, and their number on a side


def sheet(pictures: np.ndarray) -> Image.Image:
    """All pictures (N, side, side, 3) on one page, COLUMNS to a row; what is left of the last row is white."""
    rows, side = -(-len(pictures) // COLUMNS), pictures.shape[1]
    page = np.full((rows * COLUMNS, side, side, 3), 255, np.uint8)
    page[: len(pictures)] = pictures
    page = page.reshape(rows, COLUMNS, side, side, 3).swapaxes(1, 2)
    return Image.fromarray(page.reshape(rows * side, COLUMNS * side, 3))


def draw(hand: str, texts: list[str], side: int) -> tuple[np.ndarray, list[int]]:
    """The pictures of one of npm's hands, white where it has none, and the places that it has drawn."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = packages.draw_all(hand, texts, Path(folder), side)
    pictures = np.full((len(texts), side, side, 3), 255, np.uint8)
    for place, picture in drawn.items():
        pictures[place] = picture
    return pictures, list(drawn)


def build(font: str, unicode: str, out: Path) -> None:
    """Write all sheets and the table into `out`."""
    pictures, rows = noto.draw_and_name(font, unicode)
    texts = [row["emoji"] for row in rows]
    sheets, drawn = [pictures], {(place, 0) for place in range(len(rows))}
    for k, hand in enumerate(splits.HANDS[1:], 1):
        pictures, places = draw(hand, texts, noto.SIDE)
        sheets.append(pictures)
        drawn |= {(place, k) for place in places}
        print(f"{hand}: {len(places)} emoji")
    splits.split(rows, np.stack(sheets), drawn)
    pages = dict(zip(splits.HANDS, sheets, strict=True)) | {"{}-{}".format(*LARGE): draw(LARGE[0], texts, LARGE[1])[0]}
    for name, pictures in pages.items():
        sheet(pictures).save(out / f"{name}.webp", lossless=True, quality=100, method=6)
    with open(out / "emoji.tsv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMN_NAMES, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def differences(out: Path) -> list[str]:
    """The files of `out` that hold other pictures or other rows than those that ship."""
    def content(path: Path):
        if path.suffix != ".webp":
            return path.read_bytes()
        with Image.open(path) as page:  # its bytes depend on the version of libwebp, its pixels do not
            return page.convert("RGB").tobytes()

    return [path.name for path in sorted(out.iterdir()) if content(path) != content(HERE / path.name)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--font", default=noto.FONT)
    parser.add_argument("--unicode", default=noto.UNICODE, help="Unicode's emoji-test.txt, for the groups")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--check", action="store_true", help="build into a temporary folder and compare")
    args = parser.parse_args()
    if not args.check:
        build(args.font, args.unicode, args.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(args.font, args.unicode, Path(folder))
        found = differences(Path(folder))
    print("as shipped" if not found else f"these differ: {', '.join(found)}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
