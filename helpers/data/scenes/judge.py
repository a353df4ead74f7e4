r"""The judge: could `draw` have made this picture? If not, what is wrong with it?

A picture is *valid* if one drawing explains it. The parser fits the drawing; here the fit and what it leaves
unexplained, the *misfit*, are tested, each test with one limit. Valid pictures may be noisy (up to σ = 0.03 on
[0, 1]) or blurred (up to 0.7 pixels), and drawn by another program: where an edge crosses a pixel, anything between
our rule, clamp(1/2 - distance), and the exact area is right.

What so few pixels hardly tell apart passes in half of all cases or more: a small octagon and a big nonagon for a
circle, an ellipse of 1.03 to 1 if it is big and of 1.05 if it is small, a small square turned by 2°, a big star with
notches at 0.43 to 0.49 of its tips instead of 0.47, a small one at 0.40 to 0.53.

Dimensions:  n pictures · S scales · 1024 pixels
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .blurring import blur, blur_by, blur_matrix, neighbours
from .drawing import BACKGROUND_PALETTE, CENTRES, CORNERS, JITTER, PALETTE, RADII, SIZE, coverage

# One limit for each test. The shares behind them are the scores `scenes.judge.*`.
MIN_CONTRAST = 0.17       # length of object minus background in RGB on [0, 1]; the palettes differ by at least 0.49
MAX_MISFIT = 8.0          # see `_misfit`: noise of 0.03 stays below 5.5, a bite out of a small object makes over 10
MAX_BEND = 0.12           # pixels, see `_bend`: noise stays below 0.08, a small ellipse of 1.1 to 1 bends by 0.19
MAX_MISSING = 0.16        # square pixels, see `_missing`: a drawer's filter leaves 0.14, corners rounded by 0.3 r 0.22
MIN_MARGIN = 1.5          # error of the next best shape over that of the best; below 1.25 the shape is a guess
MAX_BLUR = 0.7            # variance in square pixels: a blur of 0.7 pixels is 0.49, read under noise up to 0.6
SLACK = 0.12              # pixels beyond the ranges of place and radius: a drawer's rule for edges moves a fit so far
MAX_COLOUR_DISTANCE = 0.06  # root mean square on [0, 1]; the palette's nearest two colours are 0.26 apart

# Two wider limits make a picture *nameable*, beside the margin:
MAX_ROUGH = 30.0          # of the misfit: less than a crumb of 1.5 pixels, which makes 34
MAX_HUE_DISTANCE = 0.128  # half way between the palette's nearest two: the colour has one name only

SCALES = (0.0, 0.85, 1.7, 3.4, 6.8)      # blurs of the misfit in pixels, from a speck to a gradient
_NOISE = 0.03                            # standard deviation on [0, 1] that a valid picture may have
_WIDE = 400                              # pixels: more than a second object takes
_HARMONICS = range(2, 9)                 # of the outline: 0 is the radius, 1 the place
_SUBPIXELS = 3                           # a side, for the area of a pixel that a shape covers

FAULTS = ("", "no object", "two objects", "uneven background", "two colours", "a hole", "noise", "no such shape",
          "too blurred", "over the border", "beyond the last place", "between two places", "too small", "too big",
          "between two sizes", "colour without a name", "background without a name", "no such relation")
_WORD = {word: index for index, word in enumerate(FAULTS)}


@dataclass(frozen=True)
class Fit:
    """The drawing nearest to each of n pictures.

    shape     (n,) int64
    place     (n, 3) centre and radius x, y, r in pixels
    variance  (n,) of the Gaussian that blurs the drawing most like the picture, in square pixels; a little below
              0 where the picture is sharper than ours
    margin    (n,) squared error of the next best shape over that of this one
    """

    shape: Tensor
    place: Tensor
    variance: Tensor
    margin: Tensor


def assess(images: Tensor, fit: Fit) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Judge pictures (n, 3, 32, 32) in [-1, 1] by the drawings that were fitted to them.

    Returns the first fault, an index into FAULTS (n,); whether the picture is nameable (n,) bool: one blob of a named
    colour on a plain named background, its shape told from the next best, however rough or blurred; and the colours
    of background and object, (n, 3) each in [-1, 1].
    """
    ours = blur_by(coverage(fit.shape, *fit.place.unbind(1)), fit.variance)
    area = blur_by(_area(fit), fit.variance)
    drawing = (ours + area) / 2                                              # (n, 32, 32)
    background, colour = _colours(images, drawing)                           # (n, 3) each
    contrast = (colour - background)[:, :, None, None]
    misfit = images - background[:, :, None, None] - drawing[:, None] * contrast
    either = ((ours - area)[:, None] * contrast).abs() / 2                   # both rules for edges are right
    misfit = misfit.sign() * (misfit.abs() - either).clamp(min=0)            # (n, 3, 32, 32)
    size, where = _misfit(misfit, drawing, contrast)
    along = (misfit * contrast).sum(1) / contrast.square().sum(1).clamp(min=1e-6)        # in units of the object
    faint = contrast.norm(dim=1)[:, 0, 0] / 2 < MIN_CONTRAST
    unclear = fit.margin < MIN_MARGIN
    bent = (_bend(along, drawing, fit) > MAX_BEND) | (_missing(along, fit) > MAX_MISSING)
    hue, ground = _distance(colour, PALETTE), _distance(background, BACKGROUND_PALETTE)
    found = torch.stack([                                                    # (tests, n), 0 where one is passed
        faint * _WORD["no object"],
        (size > MAX_MISFIT) * where,
        (bent | unclear) * _WORD["no such shape"],
        (fit.variance > MAX_BLUR) * _WORD["too blurred"],
        _place_fault(fit.place), _size_fault(fit.place[:, 2]),
        (hue > MAX_COLOUR_DISTANCE) * _WORD["colour without a name"],
        (ground > MAX_COLOUR_DISTANCE) * _WORD["background without a name"]])
    first = (found > 0).int().argmax(0)
    nameable = ~(faint | unclear | (size > MAX_ROUGH)) & (torch.maximum(hue, ground) < MAX_HUE_DISTANCE)
    return found.gather(0, first[None])[0], nameable, background, colour


def _colours(images: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor]:
    """The colours of background and object, (n, 3) each, with which the drawing comes nearest to the picture."""
    layers = torch.stack([1 - drawing, drawing], 1).flatten(2)               # (n, 2, 1024)
    normal = layers @ layers.transpose(1, 2) + 1e-4 * torch.eye(2, device=images.device)
    background, colour = torch.linalg.solve(normal, layers @ images.flatten(2).transpose(1, 2)).unbind(1)
    return background, colour


def _area(fit: Fit) -> Tensor:
    """The exact area of each pixel that the shapes cover (n, 32, 32), as nearly as 3 x 3 parts of a pixel tell."""
    x, y, r = (fit.place * _SUBPIXELS).unbind(1)
    return F.avg_pool2d(coverage(fit.shape, x, y, r, SIZE * _SUBPIXELS)[:, None], _SUBPIXELS)[:, 0]


# -- the misfit, anywhere -------------------------------------------------------------------------------------------

def _misfit(misfit: Tensor, drawing: Tensor, contrast: Tensor) -> tuple[Tensor, Tensor]:
    """The largest local misfit (n,), and what to call it (n,), an index into FAULTS.

    A misfit (n, 3, 32, 32) is blurred at each scale, and its length in RGB divided by the standard deviation that
    noise of 0.03 has there: 1 is what noise leaves on average in a channel, whatever the scale.
    """
    blurred = torch.stack([blur(misfit, scale) / (2 * _NOISE * _noise_left(scale, misfit.device))
                           for scale in SCALES], 1)                          # (n, S, 3, 32, 32)
    length = blurred.square().sum(2).sqrt()                                  # (n, S, 32, 32)
    most = length.flatten(2).amax(2)                                         # (n, S)
    # What to call it is told at the finest blur that shows it: a second object shows in each, a gradient in the last.
    shows = most > MAX_MISFIT
    scale = torch.where(shows[:, 1:].any(1), shows[:, 1:].int().argmax(1) + 1, 0)
    each = torch.arange(len(misfit), device=misfit.device)
    here = length[each, scale].flatten(1)                                    # (n, 1024)
    peak = here.argmax(1)
    vector = blurred.flatten(3)[each, scale, :, peak]                        # (n, 3)
    direction = F.normalize(contrast[:, :, 0, 0], dim=1)
    foreign = (vector - (vector * direction).sum(1, keepdim=True) * direction).norm(dim=1) > 0.5 * vector.norm(dim=1)
    inside = blur(drawing, 1.0).flatten(1)                                   # (n, 1024)
    outside, deep = inside[each, peak] < 0.1, inside[each, peak] > 0.9
    wide = ((here > MAX_MISFIT) & (inside < 0.1)).sum(1) > _WIDE
    return most.amax(1), torch.where(
        outside & (wide | (scale >= 2)), _WORD["uneven background"], torch.where(
            (outside | deep) & (scale == 0), _WORD["noise"], torch.where(
                outside, _WORD["two objects"], torch.where(
                    foreign, _WORD["two colours"], torch.where(deep, _WORD["a hole"], _WORD["no such shape"])))))


@cache
def _noise_left(deviation: float, device: torch.device) -> Tensor:
    """The part of white noise's standard deviation (32, 32) that a blur leaves at each pixel."""
    left = blur_matrix(deviation, device).square().sum(1).sqrt()
    return left[:, None] * left


# -- the misfit of the outline --------------------------------------------------------------------------------------

def _bend(along: Tensor, drawing: Tensor, fit: Fit) -> Tensor:
    """How far the outline swings about that of the shape (n,): root mean square of its harmonics, in pixels.

    along: the misfit (n, 32, 32) in units of the object. Seen from the centre, an outline that lies d(θ) outside
    changes each pixel by d(θ) times the drawing's slope there; the harmonics 2 to 8 of d are fitted one by one.
    """
    left, right, above, below = neighbours(drawing)
    edge = ((right - left).square() + (below - above).square()).sqrt() / 2   # (n, 32, 32)
    pixel = torch.arange(SIZE, device=drawing.device) + 0.5
    x, y, _ = fit.place[:, :, None, None].unbind(1)
    offset = torch.complex((pixel - x).expand_as(edge).contiguous(), (pixel[:, None] - y).expand_as(edge).contiguous())
    turn = offset / offset.abs().clamp(min=1e-3)                             # exp(iθ)
    power, total = turn, torch.zeros(len(edge), device=edge.device)
    for _ in _HARMONICS:
        power = power * turn
        waves = edge[:, None] * torch.stack([power.real, power.imag], 1)     # (n, 2, 32, 32)
        amplitude = (waves * along[:, None]).sum((2, 3)) / waves.square().sum((2, 3)).clamp(min=1e-3)
        total = total + amplitude.square().sum(1) / 2
    return total.sqrt()


def _missing(along: Tensor, fit: Fit) -> Tensor:
    """What is missing at the corners of the shape (n,), their mean, in square pixels under a Gaussian about each."""
    corners, weight = _corners(along.device)
    x, y, r = fit.place[:, None].unbind(2)                                   # (n, 1) each
    corner = corners[fit.shape] * r[..., None]                               # (n, 5, 2)
    pixel = torch.arange(SIZE, device=along.device) + 0.5
    near_x, near_y = (torch.exp(-0.5 * (pixel - (c + corner[..., i])[..., None]).square())
                      for i, c in enumerate((x, y)))                         # (n, 5, 32) each
    missing = -torch.einsum("nkx,nky,nyx->nk", near_x, near_y, along)
    return (missing * weight[fit.shape]).sum(1)


@cache
def _corners(device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the corners of each shape lie, in radii (4, 5, 2), and their weights in the mean (4, 5)."""
    most = max(map(len, CORNERS))
    places = torch.tensor([[*shape, *[(0.0, 0.0)] * (most - len(shape))] for shape in CORNERS])
    weights = torch.tensor([[1 / max(len(shape), 1)] * len(shape) + [0.0] * (most - len(shape)) for shape in CORNERS])
    return places.to(device), weights.to(device)


# -- place, size and colour -----------------------------------------------------------------------------------------

def _place_fault(place: Tensor) -> Tensor:
    """What is wrong with the centres of places (n, 3), an index into FAULTS (n,)."""
    centre, r = place[:, :2], place[:, 2:]
    away = (centre[..., None] - centre.new_tensor(CENTRES)).abs().amin(2) > JITTER + SLACK     # (n, 2)
    outer = away & ((centre < CENTRES[0]) | (centre > CENTRES[-1]))
    over = away & ((centre < r) | (centre > SIZE - r))
    return torch.where(over.any(1), _WORD["over the border"], torch.where(
        outer.any(1), _WORD["beyond the last place"], away.any(1) * _WORD["between two places"]))


def _size_fault(radius: Tensor) -> Tensor:
    """What is wrong with radii (n,), an index into FAULTS (n,)."""
    (least, small), (big, most) = RADII
    between = (radius > small + SLACK) & (radius < big - SLACK)
    return torch.where(radius < least - SLACK, _WORD["too small"], torch.where(
        radius > most + SLACK, _WORD["too big"], torch.where(between, _WORD["between two sizes"], 0)))


def _distance(colour: Tensor, palette: Tensor) -> Tensor:
    """Distance of colours (n, 3) in [-1, 1] from the palette's nearest, root mean square on [0, 1]."""
    return (colour[:, None] - palette.to(colour.device)).square().mean(2).sqrt().amin(1) / 2
