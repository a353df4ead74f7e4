r"""Reading a picture back into its factors, without learning.

Analysis by synthesis: what drawing, with its own code, comes nearest to the picture?

1. The background is the median of the border, the colour of the object the mean of the pixels farthest from it.
2. Projected onto the line from one to the other, each pixel is a number: 0 background, 1 object.
3. A bank of small drawings of every shape at every place proposes a centre and a radius for each of the four shapes.
4. Gauss-Newton steps on centre and radius make each of the four drawings fit as well as it can. The best one wins.

Two numbers say how far to trust the answer: `residual`, the error that remains over the strength of the object
(0 explained, 1 nothing explained), and `palette_distance`, how far the colours lie from the nearest named ones.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from .drawing import BACKGROUND_PALETTE, CENTRES, PALETTE, SHAPES, SIZE, coverage

MAX_RESIDUAL = 0.16
MAX_PALETTE_DISTANCE = 0.10

_OVERSHOOT = 2.0          # |x| up to here is taken for [-1, 1] with noise or the overshoot of a network
_CORE = 16                # pixels that give the colour of the object; the smallest object has 30
_NO_CONTRAST = 0.10       # root mean square on [0, 1] between object and background: below it there is no object
_BANK_RADII = (4.4, 5.2, 6.2, 7.2, 8.2)
_RADIUS_RANGE = (3.5, 9.5)
_SMALL_BELOW = 6.5        # half way from the largest small radius to the smallest big one
_STEPS = 2                # of Gauss-Newton
_CHUNK = 64               # pictures at a time


@dataclass(frozen=True)
class Parsed:
    """What `parse` reads in n pictures.

    factors (n, 6) int64; residual (n,) in [0, inf); palette_distance (n,): root mean square over the channels
    on the [0, 1] scale, the larger one of object and background.
    """

    factors: Tensor
    residual: Tensor
    palette_distance: Tensor

    @property
    def valid(self) -> Tensor:
        """(n,) bool: the picture is a tiny scene, one known shape in one known colour on a known background."""
        return (self.residual < MAX_RESIDUAL) & (self.palette_distance < MAX_PALETTE_DISTANCE)


def parse(images: Tensor) -> Parsed:
    """Read the six factors of pictures (n, 3, 32, 32) in [-1, 1].

    Every picture gets an answer, whatever it shows; `valid` says which answers mean something.
    Raises ValueError for another shape, another range, or numbers that are not finite.
    """
    check_images(images)
    with torch.no_grad():
        parts = [_parse(chunk) for chunk in images.float().clamp(-1, 1).split(_CHUNK)]
    factors, residual, distance = zip(*parts, strict=True) if parts else ((), (), ())
    return Parsed(torch.cat(factors), torch.cat(residual), torch.cat(distance))


def check_images(images: Tensor) -> None:
    """Raise ValueError unless images is float (n, 3, 32, 32) with finite values in [-1, 1], give or take noise."""
    wanted = f"pictures must be float (n, 3, {SIZE}, {SIZE}) in [-1, 1]"
    if images.ndim != 4 or images.shape[1:] != (3, SIZE, SIZE):
        raise ValueError(f"{wanted}; got shape {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"{wanted}; got {images.dtype}: scale bytes with x / 127.5 - 1")
    finite = images.isfinite().flatten(1).all(1)
    if not finite.all():
        raise ValueError(f"{wanted}; picture {int((~finite).nonzero()[0])} holds NaN or infinity, "
                         f"and so do {int((~finite).sum())} of {len(images)} in all")
    if images.numel() and images.abs().max() > _OVERSHOOT:
        raise ValueError(f"{wanted}; got values from {images.min():.3g} to {images.max():.3g}")


def _parse(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """factors (n, 6), residual (n,), palette distance (n,) of a chunk of pictures."""
    background, colour = _two_colours(images)                                # (n, 3) each
    contrast = colour - background
    power = (contrast * contrast).sum(1).clamp(min=1e-6)                     # (n,)
    offset = images - background[:, :, None, None]
    mask = (offset * contrast[:, :, None, None]).sum(1) / power[:, None, None]           # (n, 32, 32)
    fits = [_fit(mask, torch.full_like(power, shape, dtype=torch.long), place)
            for shape, place in enumerate(_propose(mask).unbind(1))]
    errors, covers, places = (torch.stack(parts, 1) for parts in zip(*fits, strict=True))
    shape = errors.argmin(1)                                                 # (n,)
    rows = torch.arange(len(images), device=images.device)
    cover, (x, y, r) = covers[rows, shape], places[rows, shape].unbind(1)

    painted = cover[:, None] * contrast[:, :, None, None]
    residual = ((offset - painted).square().sum((1, 2, 3)) / painted.square().sum((1, 2, 3)).clamp(min=1e-6)).sqrt()
    residual = torch.where(power < 3 * (2 * _NO_CONTRAST) ** 2, 1.0, residual)
    colour_index, colour_distance = _nearest(colour, PALETTE)
    background_index, background_distance = _nearest(background, BACKGROUND_PALETTE)
    factors = torch.stack([shape, colour_index, (r > _SMALL_BELOW).long(), _cell(x), _cell(y), background_index], 1)
    return factors, residual, torch.maximum(colour_distance, background_distance)


def _two_colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """The background and the colour of the object, (n, 3) each."""
    edges = images[..., 0, :], images[..., -1, :], images[..., 1:-1, 0], images[..., 1:-1, -1]
    background = torch.cat(edges, -1).median(-1).values
    pixels = images.flatten(2)                                               # (n, 3, 1024)
    distance = (pixels - background[..., None]).square().sum(1)
    core = distance.topk(_CORE, dim=1).indices                               # (n, 16)
    return background, pixels.gather(2, core[:, None].expand(-1, 3, -1)).mean(2)


def _propose(mask: Tensor) -> Tensor:
    """For each shape the centre and radius (n, 4, 3) of the drawing in the bank that is nearest to mask."""
    bank, places, power = _bank(mask.device)
    small = torch.nn.functional.avg_pool2d(mask[:, None], 2).flatten(1)      # (n, 256)
    error = power - 2 * small @ bank                                         # squared error, less a constant
    best = error.view(len(mask), len(SHAPES), -1).argmin(2)                  # (n, 4)
    return places[best]


@cache
def _bank(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Drawings at half size (256, 4 * m), the centres and radii of m of them (m, 3), and their squared norms."""
    middle = torch.arange(6.0, 27.0, 2.0)
    places = torch.cartesian_prod(middle, middle, torch.tensor(_BANK_RADII))
    covers = torch.cat([coverage(torch.full((len(places),), shape), *places.unbind(1)) for shape in range(len(SHAPES))])
    bank = torch.nn.functional.avg_pool2d(covers[:, None], 2).flatten(1).T.contiguous()
    return bank.to(device), places.to(device), bank.square().sum(0).to(device)


def _fit(mask: Tensor, shape: Tensor, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fit centre and radius (n, 3) of one shape to mask: squared error (n,), coverage (n, 32, 32), place (n, 3)."""
    cover = coverage(shape, *place.unbind(1))
    error = (mask - cover).square().sum((1, 2))
    for _ in range(_STEPS):
        moved = place + _gauss_newton(mask - cover, cover, place)
        moved[:, :2] = moved[:, :2].clamp(0, SIZE)
        moved[:, 2] = moved[:, 2].clamp(*_RADIUS_RANGE)
        new_cover = coverage(shape, *moved.unbind(1))
        new_error = (mask - new_cover).square().sum((1, 2))
        better = new_error < error
        error = torch.where(better, new_error, error)
        cover = torch.where(better[:, None, None], new_cover, cover)
        place = torch.where(better[:, None], moved, place)
    return error, cover, place


def _gauss_newton(misfit: Tensor, cover: Tensor, place: Tensor) -> Tensor:
    """The step (n, 3) in x, y, r that lowers the squared misfit of a drawing, to first order.

    Moving a drawing by dx changes it by -dx times its slope; scaling it moves each point away from the centre.
    """
    padded = torch.nn.functional.pad(cover[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    slope_x = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    slope_y = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    grid = torch.arange(SIZE, device=cover.device) + 0.5
    x, y, r = place[:, :, None, None].unbind(1)                              # (n, 1, 1)
    slope_r = ((grid - x) * slope_x + (grid[:, None] - y) * slope_y) / r
    jacobian = -torch.stack([slope_x, slope_y, slope_r], 1).flatten(2)       # (n, 3, 1024)
    normal = jacobian @ jacobian.transpose(1, 2) + 1e-3 * torch.eye(3, device=cover.device)
    step = torch.linalg.solve(normal, jacobian @ misfit.flatten(1)[..., None])[..., 0]
    return step.clamp(-1.5, 1.5)


def _cell(centre: Tensor) -> Tensor:
    """The index of the nearest column or row."""
    return (centre[:, None] - centre.new_tensor(CENTRES)).abs().argmin(1)


def _nearest(colour: Tensor, palette: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the nearest palette colour and its distance on [0, 1], (n,) each, for colours (n, 3) in [-1, 1]."""
    distance = (colour[:, None] - palette.to(colour.device)).square().mean(2).sqrt() / 2
    return distance.argmin(1), distance.min(1).values
