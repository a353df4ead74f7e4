r"""Drawing tiny scenes: one coloured shape at one of nine places on a plain background, 32x32 RGB.

A row of factors says what is in a picture: six small integers, the indices into the names below.

    factors     (n, 6) int64     shape, colour, size, column, row, background
    objects     (n, k, 5) int64  the first five of them, for each of the k objects of a picture
    background  (n,) int64       the sixth

A shape is the set of points where a *signed distance* is negative. A pixel that an edge crosses is covered in
part: coverage = clamp(1/2 - distance, 0, 1), distances in pixels. Pixel centres lie at 0.5, 1.5, ..., 31.5.
Within a size and a place, radius and position vary from picture to picture: three numbers that have no name.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

SHAPES = ("circle", "square", "triangle", "star")
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
SIZES = ("small", "big")
COLUMNS = ("left", "centre", "right")
ROWS = ("top", "middle", "bottom")
BACKGROUNDS = ("black", "gray", "white")
FACTORS = ("shape", "colour", "size", "column", "row", "background")
VALUES = dict(zip(FACTORS, (SHAPES, COLOURS, SIZES, COLUMNS, ROWS, BACKGROUNDS), strict=True))

# Never in the training split: each shape and each colour is seen, these pairings are not.
HELD_OUT = (("circle", "purple"), ("square", "pink"), ("triangle", "red"), ("star", "cyan"))

SIZE = 32                                  # pixels a side
CENTRES = (9.0, 16.0, 23.0)                # of the columns and of the rows, in pixels
JITTER = 1.2                               # a centre moves at most this far, in pixels
RADII = ((4.8, 5.5), (7.6, 8.5))           # range of the radius of small and big shapes, in pixels

# Chosen by search: for normal, protan, deutan and tritan vision alike (Machado, Oliveira & Fernandes 2009, at
# full severity) any two colours, and any colour and background, differ by at least 22 units of CIELAB.
_HEX = ("d11125", "ea7a02", "f8de52", "039046", "13ddff", "1562f3", "4e0e62", "ff7aca")
PALETTE = torch.tensor([list(bytes.fromhex(code)) for code in _HEX]) / 127.5 - 1        # (8, 3) in [-1, 1]
BACKGROUND_PALETTE = torch.tensor([[-1.0], [0.0], [1.0]]).expand(3, 3)                  # (3, 3) in [-1, 1]

_CHUNK = 128                               # pictures drawn at a time, so that the planes stay in the cache


def sample_factors(n: int, generator: torch.Generator, split: str = "train") -> Tensor:
    """Draw n rows of factors (n, 6), uniformly over what the split allows.

    split: "train" (no held-out pairing of shape and colour), "held_out" (those only) or "all".
    """
    allowed = pairings(split)
    pairing = allowed[torch.randint(len(allowed), (n,), generator=generator)]           # (n, 2)
    others = [torch.randint(len(VALUES[name]), (n,), generator=generator) for name in FACTORS[2:]]
    return torch.cat([pairing, torch.stack(others, 1)], 1)


def draw(factors: Tensor, generator: torch.Generator | None = None, side: int = SIZE) -> Tensor:
    """Draw pictures (n, 3, side, side) in [-1, 1] of factors (n, 6).

    generator: draws the radius and the position within size and place; None takes the middle of both.
    side: pixels along a side of the picture. The scene is the same on each side; the edges are one pixel wide on all.
    Raises ValueError where a factor is no index into its names, and for a side below 1.
    """
    check_factors(factors)
    return draw_objects(factors[:, None, :5], factors[:, 5], generator, side)


def draw_objects(objects: Tensor, background: Tensor, generator: torch.Generator | None = None,
                 side: int = SIZE) -> Tensor:
    """Draw pictures (n, 3, side, side) in [-1, 1] of k objects each (n, k, 5) on backgrounds (n,).

    Objects are painted in their order: a later one hides an earlier one where they overlap. side: as in `draw`.
    """
    if side < 1:
        raise ValueError(f"a picture has a side of 1 pixel or more; got {side}")
    n, k, _ = objects.shape
    check_factors(objects.flatten(0, 1), {name: VALUES[name] for name in FACTORS[:5]})
    check_factors(background[:, None], {"background": BACKGROUNDS})
    place = placements(objects, generator) * (side / SIZE)
    pictures = torch.empty(n, 3, side, side, device=objects.device)
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        canvas = BACKGROUND_PALETTE.to(objects.device)[background[rows], :, None, None]
        for i in range(k):
            cover = coverage(objects[rows, i, 0], *place[rows, i].unbind(1), side)[:, None]
            colour = PALETTE.to(objects.device)[objects[rows, i, 1], :, None, None]
            canvas = canvas + cover * (colour - canvas)
        pictures[rows] = canvas
    return pictures


def placements(objects: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Centres and radii (x, y, r) in pixels (n, k, 3) of objects (n, k, 5); x grows rightwards, y down."""
    n, k, _ = objects.shape
    if generator is None:
        u = torch.full((n, k, 3), 0.5)
    else:
        u = torch.rand(n, k, 3, generator=generator)
    u = u.to(objects.device)
    centres, radii = u.new_tensor(CENTRES), u.new_tensor(RADII)
    centre = centres[objects[..., 3:5]] + JITTER * (2 * u[..., :2] - 1)                 # (n, k, 2)
    low, high = radii[objects[..., 2]].unbind(-1)
    return torch.cat([centre, (low + (high - low) * u[..., 2])[..., None]], -1)


def coverage(shape: Tensor, x: Tensor, y: Tensor, r: Tensor, side: int = SIZE) -> Tensor:
    """The part of each pixel that shapes (n,) at x, y (n,) with radii r (n,) cover: (n, side, side) in [0, 1]."""
    # Only + - * max and sqrt touch the pixels. IEEE 754 fixes their results to the bit, so a picture does not
    # depend on the number of threads, or on how a vector unit splits the work.
    grid = torch.arange(side, device=x.device) + 0.5
    cover = torch.empty(len(shape), side, side, device=x.device)
    for index, distance in enumerate(_DISTANCES):
        rows = (shape == index).nonzero()[:, 0]
        if len(rows):
            px = (grid - x[rows, None])[:, None, :].abs()        # (m, 1, side), since each shape mirrors itself
            py = (grid - y[rows, None])[:, :, None]              # (m, side, 1)
            cover[rows] = (0.5 - distance(px, py, r[rows, None, None])).clamp_(0, 1)
    return cover


def make_scenes(n: int, seed: int, split: str = "train") -> tuple[Tensor, Tensor]:
    """n pictures (n, 3, 32, 32) in [-1, 1] and their factors (n, 6). The same seed gives the same bytes."""
    generator = torch.Generator().manual_seed(seed)
    factors = sample_factors(n, generator, split)
    return draw(factors, generator), factors


def check_factors(factors: Tensor, values: Mapping[str, tuple[str, ...]] = VALUES, lowest: int = 0) -> None:
    """Raise ValueError unless factors (n, len(values)) are integers from lowest to the last index of each."""
    if factors.ndim != 2 or factors.shape[1] != len(values) or factors.is_floating_point():
        raise ValueError(f"factors must be integers of shape (n, {len(values)}), a column for each of "
                         f"{', '.join(values)}; got {factors.dtype} of shape {tuple(factors.shape)}")
    for name, column in zip(values, factors.unbind(1), strict=True):
        wrong = column[(column < lowest) | (column >= len(values[name]))]
        if len(wrong):
            raise ValueError(f"{name} {int(wrong[0])} does not exist: it goes from {lowest} to "
                             f"{len(values[name]) - 1} ({', '.join(values[name])})")


def pairings(split: str) -> Tensor:
    """The pairings of shape and colour (m, 2) that a split allows."""
    held_out = [(SHAPES.index(shape), COLOURS.index(colour)) for shape, colour in HELD_OUT]
    everything = [(s, c) for s in range(len(SHAPES)) for c in range(len(COLOURS))]
    splits = {"train": [p for p in everything if p not in held_out], "held_out": held_out, "all": everything}
    if split not in splits:
        raise ValueError(f"split {split!r} does not exist: choose one of {', '.join(splits)}")
    return torch.tensor(splits[split])


# Signed distances in pixels, for px = |x| and py from the centre, py growing downwards. The factors on r make
# the four shapes look equally large. Triangle and star are centred by their bounding boxes.

def _circle(px: Tensor, py: Tensor, r: Tensor) -> Tensor:
    return (px * px + py * py).sqrt_().sub_(r)


def _square(px: Tensor, py: Tensor, r: Tensor) -> Tensor:
    return torch.maximum(px, py.abs()) - 0.86 * r


def _triangle(px: Tensor, py: Tensor, r: Tensor) -> Tensor:
    """Equilateral, tip upwards: the base line, and the right side (the left one is its mirror image)."""
    circumradius = 1.18 * r
    right = 0.8660254 * px - 0.5 * py - 0.375 * circumradius
    return torch.maximum(right, py - 0.75 * circumradius)


def _star(px: Tensor, py: Tensor, r: Tensor) -> Tensor:
    """Five points, one upwards. Two reflections fold the plane onto a half point, whose edge is one line."""
    tip = 1.1 * r
    py = 0.0955 * tip - py                                       # now upwards, from the middle of the points
    fold = (0.8090170 * px - 0.5877853 * py).clamp_(min=0)       # across the line at 36 degrees from the top
    px, py = px - 1.6180340 * fold, py + 1.1755705 * fold
    fold = (-0.8090170 * px - 0.5877853 * py).clamp_(min=0)
    px, py = (px + 1.6180340 * fold).abs_(), py + 1.1755705 * fold
    return _EDGE_X * px + _EDGE_Y * (py - tip)


_NOTCH = 0.47                                                    # inner radius of the star over its outer one
_edge = (1 - _NOTCH * 0.8090170, _NOTCH * 0.5877853)             # normal of the line from tip to notch
_EDGE_X, _EDGE_Y = (part / (_edge[0] ** 2 + _edge[1] ** 2) ** 0.5 for part in _edge)
_DISTANCES = (_circle, _square, _triangle, _star)                # in the order of SHAPES

# Where the corners of each shape lie, (x, y) from its centre, in radii; a star's notches are none.
CORNERS = (
    (),
    tuple((0.86 * x, 0.86 * y) for x in (-1, 1) for y in (-1, 1)),
    ((0.0, -0.885), (-1.18 * 0.8660254, 0.885), (1.18 * 0.8660254, 0.885)),
    tuple((1.1 * math.sin(0.4 * math.pi * k), 1.1 * (0.0955 - math.cos(0.4 * math.pi * k))) for k in range(5)),
)
