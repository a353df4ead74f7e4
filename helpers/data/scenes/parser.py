r"""Reading a picture back into its factors, without learning.

Analysis by synthesis: which drawing, made with the code of `drawing`, comes nearest to the picture?

1. The background is the median of the border; the object's colour is the mean of the pixels farthest from it.
2. On the line from one colour to the other each pixel is a number, 0 background, 1 object. That is the mask.
3. A bank of small drawings proposes a centre and a radius for each of the four shapes.
4. From there Gauss-Newton steps fit each shape to the mask. The best one wins, compared sharp and blurred:
   autoencoders blur, and beside sharp drawings alone a blurred square passes for a circle.

Dimensions:  n pictures · 4n fits, n for each shape · m drawings of each shape in the bank
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .drawing import BACKGROUND_PALETTE, CENTRES, PALETTE, SHAPES, SIZE, coverage

MAX_RESIDUAL = 0.16       # clean scenes stay below 0.06; ellipses, blobs and second objects begin at 0.25
MAX_PALETTE_DISTANCE = 0.10

_FAR_OUT = 8.0            # |x| up to here is taken for [-1, 1] with noise; bytes lie far beyond
_CORE = 16                # this many pixels give the object's colour; the smallest object covers about 35
_NO_OBJECT = 0.10         # contrast (root mean square, on [0, 1]) below which there is no object
_BANK_RADII = (4.4, 5.2, 6.2, 7.2, 8.2)
_RADIUS_RANGE = (3.5, 9.5)
_BIG_FROM = 6.55          # half way from the largest small radius to the smallest big one
_STEPS = 3                # of Gauss-Newton
_FOCUS = 1.0              # blur of mask and drawing in them, in pixels: smooth slopes lead farther
_BLURS = (0.0, 0.8, 1.3, 1.8)     # blurs at which the fitted shapes are compared
_GAIN = 1.6               # a blurred peak is low, so a drawing may be scaled by up to this, either way
_TOLERANCE = 0.85         # blur of what the residual counts, so that noise and soft edges weigh little
_CHUNK = 64               # pictures at a time, so that the planes stay in the cache


@dataclass(frozen=True)
class Parsed:
    """What the parser read in n pictures, and how far to trust it.

    factors           (n, 6) int64
    residual          (n,) norm of what the drawing leaves unexplained, a little blurred, over that of what
                      it draws: 0 nothing is left, 1 (or no object at all) the drawing explains nothing
    palette_distance  (n,) of object and background from the nearest named colours, the larger one:
                      root mean square over the channels, on the [0, 1] scale
    """

    factors: Tensor
    residual: Tensor
    palette_distance: Tensor

    @property
    def valid(self) -> Tensor:
        """(n,) bool: the picture is a tiny scene, a known shape in a known colour on a known background."""
        return (self.residual < MAX_RESIDUAL) & (self.palette_distance < MAX_PALETTE_DISTANCE)


def parse(images: Tensor) -> Parsed:
    """Read the six factors of pictures (n, 3, 32, 32) in [-1, 1].

    Every picture gets an answer, whatever it shows; `valid` says which answers mean something.
    Raises ValueError for another shape, another range, or numbers that are not finite.
    """
    check_images(images)
    with torch.no_grad():
        parts = [_parse(chunk) for chunk in images.float().clamp(-1, 1).split(_CHUNK)]
    return Parsed(*(torch.cat(column) for column in zip(*parts, strict=True)))


def check_images(images: Tensor) -> None:
    """Raise ValueError unless images are float (n, 3, 32, 32), finite, and in [-1, 1] but for some noise."""
    wanted = f"pictures must be float (n, 3, {SIZE}, {SIZE}) in [-1, 1]"
    if images.ndim != 4 or images.shape[1:] != (3, SIZE, SIZE):
        raise ValueError(f"{wanted}; got shape {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"{wanted}; got {images.dtype}: scale bytes with x / 127.5 - 1")
    bad = ~images.isfinite().flatten(1).all(1)
    if bad.any():
        raise ValueError(f"{wanted}; {int(bad.sum())} of {len(images)} hold NaN or infinity, "
                         f"the first is number {int(bad.nonzero()[0])}")
    if len(images) and images.abs().max() > _FAR_OUT:
        raise ValueError(f"{wanted}; got values from {images.min():.3g} to {images.max():.3g}")


def _parse(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    background, colour = two_colours(images)                                 # (n, 3) each
    contrast = (colour - background)[:, :, None, None]
    power = contrast.square().sum((1, 2, 3))                                 # (n,)
    offset = images - background[:, :, None, None]                           # (n, 3, 32, 32)
    mask = (offset * contrast).sum(1) / power.clamp(min=1e-6)[:, None, None]             # (n, 32, 32)
    shape, place = _fit(mask)                                                # (n,), (n, 3)

    x, y, r = place.unbind(1)
    drawn = coverage(shape, x, y, r)[:, None] * contrast
    misfit = _blurred(offset - drawn, _TOLERANCE)
    residual = (misfit.square().sum((1, 2, 3)) / drawn.square().sum((1, 2, 3)).clamp(min=1e-6)).sqrt()
    residual = torch.where(power < 3 * (2 * _NO_OBJECT) ** 2, 1.0, residual)
    colour, colour_distance = _nearest(colour, PALETTE)
    background, background_distance = _nearest(background, BACKGROUND_PALETTE)
    factors = [shape, colour, (r > _BIG_FROM).long(), _cell(x), _cell(y), background]
    return torch.stack(factors, 1), residual, torch.maximum(colour_distance, background_distance)


def two_colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """The colour of the background and of the object, (n, 3) each in [-1, 1]."""
    edges = images[..., 0, :], images[..., -1, :], images[..., 1:-1, 0], images[..., 1:-1, -1]
    background = torch.cat(edges, -1).median(-1).values
    pixels = images.flatten(2)                                               # (n, 3, 1024)
    core = (pixels - background[..., None]).square().sum(1).topk(_CORE, dim=1).indices
    return background, pixels.gather(2, core[:, None].expand(-1, 3, -1)).mean(2)


def _fit(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The shape (n,), centre and radius (n, 3) whose drawing, at its best sharpness, is nearest to mask."""
    n = len(mask)
    shape = torch.arange(len(SHAPES), device=mask.device).repeat_interleave(n)           # (4n,)
    place = _propose(mask).transpose(0, 1).flatten(0, 1)                                 # (4n, 3)
    mask = mask.repeat(len(SHAPES), 1, 1)                                                # (4n, 32, 32)
    cover = coverage(shape, *place.unbind(1))
    soft = _blurred(mask, _FOCUS)
    drawing, error = _compare(cover, soft, _FOCUS)
    length = torch.ones(len(mask), 1, device=mask.device)        # of a step: shorter after one that missed
    for _ in range(_STEPS):
        moved = place + length * _gauss_newton(soft - drawing, drawing, place)
        moved = torch.cat([moved[:, :2].clamp(0, SIZE), moved[:, 2:].clamp(*_RADIUS_RANGE)], 1)
        new_cover = coverage(shape, *moved.unbind(1))
        new_drawing, new_error = _compare(new_cover, soft, _FOCUS)
        better = new_error < error
        length = torch.where(better[:, None], length, length / 3)
        place = torch.where(better[:, None], moved, place)
        cover = torch.where(better[:, None, None], new_cover, cover)
        drawing = torch.where(better[:, None, None], new_drawing, drawing)
        error = torch.where(better, new_error, error)
    errors = torch.stack([_compare(cover, mask, blur)[1] for blur in _BLURS])            # (4, 4n)
    best = errors.amin(0).view(len(SHAPES), n).argmin(0)                                 # (n,)
    return best, place.view(len(SHAPES), n, 3)[best, torch.arange(n, device=mask.device)]


def _propose(mask: Tensor) -> Tensor:
    """For each shape the centre and radius (n, 4, 3) of its drawing in the bank that is nearest to mask."""
    bank, places = _bank(mask.device)
    small = F.avg_pool2d(mask[:, None], 2).flatten(1)                        # (n, 256)
    error = bank.square().sum(0) - 2 * small @ bank                          # squared, less |small|^2
    return places[error.view(len(mask), len(SHAPES), len(places)).argmin(2)]


@cache
def _bank(device: torch.device) -> tuple[Tensor, Tensor]:
    """Drawings at half size (256, 4 * m), and the m centres and radii (m, 3) at which each shape is drawn."""
    middle = torch.arange(6.0, 27.0, 2.0)
    places = torch.cartesian_prod(middle, middle, torch.tensor(_BANK_RADII))
    shape = torch.arange(len(SHAPES)).repeat_interleave(len(places))
    drawings = coverage(shape, *places.repeat(len(SHAPES), 1).unbind(1))
    return F.avg_pool2d(drawings[:, None], 2).flatten(1).T.contiguous().to(device), places.to(device)


def _compare(cover: Tensor, mask: Tensor, blur: float) -> tuple[Tensor, Tensor]:
    """Drawings blurred, scaled to fit mask best, and their squared errors: (m, 32, 32) and (m,)."""
    blurred = _blurred(cover, blur)
    gain = (mask * blurred).sum((1, 2)) / blurred.square().sum((1, 2)).clamp(min=1e-6)
    drawing = blurred * gain.clamp(1 / _GAIN, _GAIN)[:, None, None]
    return drawing, (mask - drawing).square().sum((1, 2))


def _blurred(pictures: Tensor, deviation: float) -> Tensor:
    """Pictures (..., 32, 32) blurred by a Gaussian of that standard deviation in pixels."""
    matrix = _blur_matrix(deviation, pictures.device)
    return matrix @ pictures @ matrix.T


@cache
def _blur_matrix(deviation: float, device: torch.device) -> Tensor:
    """Gaussian weights (32, 32) of each pixel of a line for each of its places; each row sums to 1."""
    distance = torch.arange(SIZE)[:, None] - torch.arange(SIZE)
    weights = torch.exp(-0.5 * (distance / max(deviation, 1e-3)) ** 2)
    return (weights / weights.sum(1, keepdim=True)).to(device)


def _gauss_newton(misfit: Tensor, drawing: Tensor, place: Tensor) -> Tensor:
    """The step (m, 3) in x, y and r that lowers the squared misfit, to first order.

    A drawing that moves by dx changes by -dx times its slope; one that grows moves every point outwards.
    """
    padded = F.pad(drawing[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    slope_x = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    slope_y = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    pixel = torch.arange(SIZE, device=drawing.device) + 0.5
    x, y, r = place[:, :, None, None].unbind(1)
    slope_r = ((pixel - x) * slope_x + (pixel[:, None] - y) * slope_y) / r
    jacobian = -torch.stack([slope_x, slope_y, slope_r], 1).flatten(2)       # (m, 3, 1024)
    normal = jacobian @ jacobian.transpose(1, 2) + 1e-3 * torch.eye(3, device=drawing.device)
    return torch.linalg.solve(normal, jacobian @ misfit.flatten(1)[..., None])[..., 0].clamp(-1.5, 1.5)


def _cell(centre: Tensor) -> Tensor:
    """The nearest column or row (n,)."""
    return (centre[:, None] - centre.new_tensor(CENTRES)).abs().argmin(1)


def _nearest(colour: Tensor, palette: Tensor) -> tuple[Tensor, Tensor]:
    """The palette entry nearest to colours (n, 3) in [-1, 1], and its distance on [0, 1], (n,) each."""
    distance = (colour[:, None] - palette.to(colour.device)).square().mean(2).sqrt() / 2
    return distance.argmin(1), distance.min(1).values
