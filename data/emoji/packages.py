"""Three more hands: the SVG drawings of Twemoji, OpenMoji and Fluent, from npm's packages to square pictures.

Each drawing is rendered large, cropped to its ink, centred on white and reduced once, as Noto's bitmaps are. One scale
a hand, its `frame`, keeps sizes comparable: the median emoji is as large as Noto's. OpenMoji's sizes differ more, so its
median is a tenth smaller: else many would not fit. What does not fit is reduced until it does: one picture in fifty, by
a tenth at most.
"""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

RESVG_PY = "0.5.0"
LARGE = 288  # pixels, the side of a whole drawing as it is rendered
FILTERS = {32: Image.Resampling.LANCZOS, 64: Image.Resampling.BOX}  # at 64 Lanczos's ringing would take 5.3 MB, not 2.6
MARGIN = 0.93  # the part of a frame that ink may take: 29.8 of 32 pixels


@dataclass(frozen=True)
class Package:
    """A package of npm's registry, and how its drawings are found and scaled.

    integrity  npm's SHA-512 of the archive, in base 64
    read       the archive -> {code points: SVG}
    units      the side of a whole drawing, in the units of its SVG
    frame      pixels of the large rendering that become one side of a picture
    """

    name: str
    version: str
    integrity: str
    read: Callable[[tarfile.TarFile], dict[str, str]]
    units: int
    frame: int


def code_points(text: str) -> str:
    """"1f44b-1f3fb" for 👋🏻. Without FE0F, which asks for colour and which the packages write or leave out at will."""
    return "-".join(f"{ord(c):x}" for c in text if c != "\ufe0f")


def svg_files(folder: str) -> Callable[[tarfile.TarFile], dict[str, str]]:
    """A reader of packages that hold one file an emoji in `folder`, named by its code points."""

    def read(archive: tarfile.TarFile) -> dict[str, str]:
        drawings = {}
        for member in archive:
            path = Path(member.name)
            if path.parent == Path(folder) and path.suffix == ".svg":
                text = "".join(chr(int(code, 16)) for code in path.stem.split("-") if code.isalnum())
                drawings[code_points(text)] = archive.extractfile(member).read().decode("utf-8")
        return drawings

    return read


def iconify(archive: tarfile.TarFile) -> dict[str, str]:
    """The drawings of a package in Iconify's format: bodies of SVGs by name, and names by code points."""
    icons, names = (json.load(archive.extractfile(f"package/{file}.json")) for file in ("icons", "chars"))
    drawings = {}
    for codes, name in names.items():
        icon = icons["icons"][name]
        width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
        text = "".join(chr(int(code, 16)) for code in codes.split("-"))
        drawings[code_points(text)] = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                                       f'viewBox="0 0 {width} {height}">{icon["body"]}</svg>')
    return drawings


PACKAGES = {
    "twemoji": Package(
        "@twemoji/svg", "15.0.0",
        "ZSPef2B6nBaYnfgdTbAy4jgW95o7pi2xPGwGCU+WMTxo7J6B1lMPTWwSq/wTuiMq+N0khQ90CcvYp1wFoQpo/w==",
        svg_files("package"), units=36, frame=318),
    "openmoji": Package(
        "openmoji", "17.0.0",
        "EBnYrNGdcdw+OSXmENeNE1yBNRu6tOraTmoOyUbJkTmvT/+XETp8RZLSJFzD3lrPc5N9CzsyPnRTk0Vp4UaI9w==",
        svg_files("package/color/svg"), units=72, frame=280),
    "fluent": Package(
        "@iconify-json/fluent-emoji-flat", "1.2.6",
        "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
        iconify, units=32, frame=288),
}


def fetch(package: Package, folder: Path) -> Path:
    """The package's archive, which `npm pack` downloads into `folder`. ValueError where its SHA-512 is another."""
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8")
    path = folder / done.stdout.split()[-1]
    found = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise ValueError(f"{path.name} has SHA-512 {found}, not {package.integrity}")
    return path


def render(svg: str, package: Package, side: int) -> np.ndarray:
    """One drawing as a picture, (side, side, 3) uint8; ink that is wider than the frame allows is reduced to it."""
    wide = f'width="{package.units}" height="{package.units}" viewBox'
    if " width=" not in svg.split(">")[0]:
        svg = svg.replace("viewBox", wide, 1)
    png = resvg_py.svg_to_bytes(svg_string=svg, zoom=LARGE / package.units, skip_system_fonts=True)
    drawing = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    ink = drawing.crop(drawing.getchannel("A").getbbox())
    frame = max(package.frame, round(max(ink.size) / MARGIN))
    page = Image.new("RGB", (frame, frame), "white")
    page.paste(ink, ((frame - ink.width) // 2, (frame - ink.height) // 2), ink)
    return np.asarray(page.resize((side, side), FILTERS[side]))


def drawings_of(hand: str, archive: Path) -> dict[str, str]:
    """{code points: SVG} of a hand's archive. RuntimeError where the renderer is not the one that drew what ships."""
    if version("resvg-py") != RESVG_PY:
        raise RuntimeError(f"resvg-py {version('resvg-py')} may draw otherwise than {RESVG_PY}")
    with tarfile.open(archive) as opened:
        return PACKAGES[hand].read(opened)


def draw_all(hand: str, texts: list[str], folder: Path, side: int) -> dict[int, np.ndarray]:
    """{place in texts: picture} for the emoji that the hand has drawn; the archive is fetched into `folder`."""
    drawings = drawings_of(hand, fetch(PACKAGES[hand], folder))
    return {place: render(drawings[code_points(text)], PACKAGES[hand], side)
            for place, text in enumerate(texts) if code_points(text) in drawings}
