r"""Reading a picture back into its factors, without learning.

Analysis by synthesis: which drawing, made with the code of `drawing`, comes nearest to the picture?

1. The background is the median of the border; the object's colour is the mean of the pixels farthest from it.
2. On the line from one colour to the other each pixel is a number, 0 background, 1 object. That is the mask.
3. A bank of small drawings proposes a centre and a radius for each of the four shapes.
4. From there Gauss-Newton steps fit each shape to the mask: its centre, its radius, and how much the picture is
   blurred, since autoencoders blur. The two nearest shapes are fitted once more, closer; the better one wins.
5. `judge` says whether `draw` could have made the picture, and if not, what is wrong with it.

Dimensions:  n pictures · m fits, several for each picture · 1024 pixels
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .blurring import blur, blur_by, neighbours
from .drawing import BACKGROUND_PALETTE, CENTRES, PALETTE, SHAPES, SIZE, coverage
from .judge import FAULTS, Fit, assess

_FAR_OUT = 8.0            # |x| up to here is taken for [-1, 1] with noise; bytes lie far beyond
_CORE = 16                # this many pixels give the object's colour; the smallest object covers about 35
_BANK_RADII = (4.4, 5.2, 6.2, 7.2, 8.2)
_RADIUS_RANGE = (3.0, 10.0)
_BIG_FROM = 6.55          # half way from the largest small radius to the smallest big one
_ROUNDS = ((4, 2, 1.0), (2, 5, 0.6))    # shapes, steps, and the blur of mask and drawing: smooth slopes lead farther
_MAX_STEP = torch.tensor([1.0, 1.0, 1.0, 0.5])                   # in x, y, r and variance of the blur
_LEAST, _MOST = (torch.tensor([low, low, radius, variance])
                 for low, radius, variance in ((0.0, _RADIUS_RANGE[0], -0.25), (SIZE, _RADIUS_RANGE[1], 4.0)))
_DAMPING = torch.tensor([1e-4, 1e-4, 1e-2, 1e-2, 1e-2, 3e-2])    # of offset, gain, x, y, r, variance
_CHUNK = 64               # pictures at a time, so that the planes stay in the cache


@dataclass(frozen=True)
class Parsed:
    """What the parser read in n pictures, and what is wrong with each as a picture of one scene.

    factors   (n, 6) int64, an answer even where the picture shows no scene
    fault     (n,) int64, the first thing that is wrong, an index into `judge.FAULTS`; 0 is nothing
    nameable  (n,) bool: one blob of a named colour on a plain ground, with a shape that one can name: its factors
              mean something, though it may be too rough or too blurred to be valid. Valid pictures are nameable
    """

    factors: Tensor
    fault: Tensor
    nameable: Tensor

    @property
    def valid(self) -> Tensor:
        """(n,) bool: `draw` could have made this picture, but for a little noise or blur."""
        return self.fault == 0

    def shares(self) -> dict[str, float]:
        """The shares of the pictures that are "valid", and that are "nameable"."""
        return {"valid": self.valid.float().mean().item(), "nameable": self.nameable.float().mean().item()}

    @property
    def words(self) -> list[str]:
        """What is wrong with each picture, in a word or two ("no such shape"); "" where nothing is."""
        return [FAULTS[index] for index in self.fault.tolist()]


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
    offset = images - background[:, :, None, None]                           # (n, 3, 32, 32)
    mask = (offset * contrast).sum(1) / contrast.square().sum(1).clamp(min=1e-6)         # (n, 32, 32)
    fit = _fit(mask)
    fault, nameable, background, colour = assess(images, fit)
    x, y, r = fit.place.unbind(1)
    factors = [fit.shape, _nearest(colour, PALETTE), (r > _BIG_FROM).long(), _cell(x), _cell(y),
               _nearest(background, BACKGROUND_PALETTE)]
    return torch.stack(factors, 1), fault, nameable


def two_colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """The colour of the background and of the object, (n, 3) each in [-1, 1]."""
    edges = images[..., 0, :], images[..., -1, :], images[..., 1:-1, 0], images[..., 1:-1, -1]
    background = torch.cat(edges, -1).median(-1).values
    pixels = images.flatten(2)                                               # (n, 3, 1024)
    core = (pixels - background[..., None]).square().sum(1).topk(_CORE, dim=1).indices
    return background, pixels.gather(2, core[:, None].expand(-1, 3, -1)).mean(2)


def _fit(mask: Tensor) -> Fit:
    """The shape, centre, radius and blur whose drawing is nearest to each mask (n, 32, 32)."""
    n, device = len(mask), mask.device
    each = torch.arange(n, device=device)
    place = _propose(mask).transpose(0, 1)                                   # (4, n, 3)
    values = F.pad(place, (0, 1), value=0.1)                                 # (4, n, 4): x, y, r, variance
    shape = torch.arange(len(SHAPES), device=device)[:, None].expand(-1, n)  # (4, n)
    for kept, steps, focus in _ROUNDS:
        shape, values = shape[:kept], values[:kept]
        values, error = _gauss_newton(mask.repeat(kept, 1, 1), shape.flatten(), values.flatten(0, 1), steps, focus)
        error, order = error.view(kept, n).sort(0)
        shape, values = shape.gather(0, order), values.view(kept, n, 4)[order, each]
    error = error.clamp(min=0) + 1e-3                                        # a sum of squares in float32 is no better
    return Fit(shape[0], values[0, :, :3], values[0, :, 3], error[1] / error[0])


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


def _gauss_newton(mask: Tensor, shape: Tensor, values: Tensor, steps: int, focus: float) -> tuple[Tensor, Tensor]:
    """Fit drawings of shapes (m,) to masks (m, 32, 32), from values x, y, r, variance (m, 4).

    The model is offset + gain · drawing: its six numbers are the solution of one linear least-squares problem at
    each step (Levenberg-Marquardt: a step that makes it worse is not taken, the next one is damped more).
    Returns the values (m, 4) and the squared errors (m,) at the best offset and gain.
    """
    soft = blur(mask, focus).flatten(1)                                      # (m, 1024)
    damping, least, most, limit = (x.to(mask.device) for x in (_DAMPING, _LEAST, _MOST, _MAX_STEP))

    def problem(values):
        slopes = _slopes(shape, values, focus)                               # (m, 6, 1024)
        normal, right = slopes @ slopes.transpose(1, 2), slopes @ soft[..., None]
        best = torch.linalg.solve(normal[:, :2, :2] + 1e-4 * torch.eye(2, device=mask.device), right[:, :2])
        return normal, right, soft.square().sum(1) - (best * right[:, :2]).sum((1, 2))

    normal, right, error = problem(values)
    strength = torch.ones(len(mask), 1, 1, device=mask.device)
    for _ in range(steps):
        solution = torch.linalg.solve(normal + strength * torch.diag(damping), right)[..., 0]      # (m, 6)
        step = solution[:, 2:] / solution[:, 1:2].clamp(min=0.2)             # slopes are those of gain 1
        moved = (values + step.clamp(-limit, limit)).clamp(least, most)
        new = problem(moved)
        better = new[2] < error
        values, error = torch.where(better[:, None], moved, values), torch.where(better, new[2], error)
        normal, right = (torch.where(better[:, None, None], x, y) for x, y in zip(new, (normal, right), strict=False))
        strength = torch.where(better[:, None, None], strength / 3, strength * 30)
    return values, error


def _slopes(shape: Tensor, values: Tensor, focus: float) -> Tensor:
    """What a drawing changes by, for each number of the model (m, 6, 1024): offset, gain, x, y, r, variance.

    A drawing that moves by dx changes by -dx times its slope; one that grows moves every point outwards; one that
    is blurred more follows the heat equation: half its Laplacian for a unit of variance.
    """
    x, y, r, variance = values[:, :, None, None].unbind(1)
    drawing = blur_by(coverage(shape, *values[:, :3].unbind(1)), values[:, 3] + focus**2)
    left, right, above, below = neighbours(drawing)
    slope_x, slope_y = (right - left) / 2, (below - above) / 2
    pixel = torch.arange(SIZE, device=drawing.device) + 0.5
    growth = -((pixel - x) * slope_x + (pixel[:, None] - y) * slope_y) / r
    heat = (left + right + above + below - 4 * drawing) / 2
    return torch.stack([torch.ones_like(drawing), drawing, -slope_x, -slope_y, growth, heat], 1).flatten(2)


def _cell(centre: Tensor) -> Tensor:
    """The nearest column or row (n,)."""
    return (centre[:, None] - centre.new_tensor(CENTRES)).abs().argmin(1)


def _nearest(colour: Tensor, palette: Tensor) -> Tensor:
    """The palette entry nearest to colours (n, 3) in [-1, 1]."""
    return (colour[:, None] - palette.to(colour.device)).square().sum(2).argmin(1)
