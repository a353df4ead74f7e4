"""The exercises of notebook 09."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...course.checks import Exercise
from ...data import scenes


def share(pictures) -> float:
    """The share of pictures that are nameable."""
    return scenes.parse(pictures.clamp(-1, 1)).shares()["nameable"]


def toy_decode(z):
    """Codes (n, d) -> pictures (n, 3, 32, 32), by the first number: 2 a valid scene, 1 one so blurred that it
    is only nameable, 0 a sharp one in a colour without a name, below 0 noise."""
    scene = scenes.make_scenes(1, seed=0)[0]
    blurred = F.avg_pool2d(F.pad(scene, (3, 3, 3, 3), mode="replicate"), 7, 1)
    noise = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    unnamed = torch.where(scene == scene[:, :, :1, :1], scene, torch.tensor([0.0, 0.6, -0.6])[:, None, None])
    which = (z[:, 0].round() + 1).clamp(0, 3).long()
    return torch.cat([noise, unnamed, blurred, scene])[which]


class Recorded:
    """A source that remembers how often it was asked. Of 40 codes 8 draw a valid scene, 4 a blurred one, 6 an unnamed
    colour, the others noise."""

    def __init__(self):
        self.asked = []

    def sample(self, n, generator=None):
        self.asked.append(n)
        first = torch.tensor([2.0] * 8 + [1.0] * 4 + [0.0] * 6 + [-1.0] * 22).repeat(-(-n // 40))[:n]
        return torch.stack([first, torch.zeros(n)], 1)


def two_by_three(models, tables) -> Exercise:
    """09.1: (decode, source, n) -> the share of n draws that are nameable.

    models: {kind: model}, kinds "AE" and "VAE"; tables: {kind: {source's name: Mixture}}, the names of SOURCES.
    """

    def asks_the_source(rate):
        source = Recorded()
        found = float(rate(toy_decode, source, 40))
        assert sum(source.asked) == 40, f"of n = 40 codes you took {sum(source.asked)} from source.sample(n)"
        hints = {30.0: "return a share, not per cent", 12.0: "that is how many, not which share",
                 0.7: "that is the share of pictures that are not nameable",
                 0.2: "count the nameable ones; you count the valid ones"}
        hint = next((f"; {text}" for value, text in hints.items() if abs(found - value) < 1e-3), "")
        assert abs(found - 0.3) < 1e-3, f"of 40 draws 12 are nameable; you return {found:.3g}{hint}"

    def clamps(rate):
        found = float(rate(lambda z: 20 * toy_decode(z), Recorded(), 4))
        assert 0 <= found <= 1, f"a share is between 0 and 1; yours is {found:.3g}"

    def fills_the_table(rate):
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            cell = {(kind, name): float(rate(models[kind].decode, source, 400))
                    for kind, row in tables.items() for name, source in row.items()}
        own, ae, gaussian, mixed = (cell[key] for key in (
            ("VAE", "N(0, I)"), ("AE", "N(0, I)"), ("AE", "Gaussian"), ("AE", "mixture")))
        text = ", ".join(f"{kind} with {name}: {value:.3f}" for (kind, name), value in cell.items())
        assert own > 2 * ae, f"from N(0, I) the VAE should draw far more scenes than the autoencoder. {text}"
        assert mixed > gaussian, f"a mixture should serve the autoencoder better than one Gaussian. {text}"
        assert mixed > own, f"the autoencoder with a mixture should beat the VAE's prior. {text}"

    return Exercise("09.1", "the table of two models and three sources", [asks_the_source, clamps, fills_the_table])


def interpolation(encode, decode, a, b) -> Exercise:
    """09.2: (encode, decode, a, b, t) -> the share of nameable pictures at share t of the way from pictures a to b.

    encode: pictures -> codes; decode: the way back; a, b: two batches of pictures.
    """

    def fold(x):
        return torch.stack([x[:, 0, 0, 0], torch.zeros(len(x))], 1)

    def threshold(z):
        return toy_decode(torch.where(z > 0, 2.0, -1.0))

    def goes_through_the_codes(answer):
        start, end = (torch.full((10, 3, 32, 32), value) for value in (-0.2, 0.8))
        found = [float(answer(fold, threshold, start, end, t)) for t in (0.0, 0.1, 0.5, 0.9)]
        hints = {(1, 1, 1, 0): "at t = 0 the code is that of a, at t = 1 that of b", (1, 1, 1, 1): "use t",
                 (0, 0, 100, 100): "return a share, not per cent"}
        hint = hints.get(tuple(found), "mix the codes, then decode")
        wanted = "at t = 0, 0.1, 0.5, 0.9 the shares of the toy are 0, 0, 1, 1"
        assert found == [0, 0, 1, 1], f"{wanted}; yours are {found}: {hint}"

    @torch.no_grad()
    def agrees_on_the_model(answer):
        for t in (0.0, 0.5):
            wanted, found = share(decode(torch.lerp(encode(a), encode(b), t))), float(answer(encode, decode, a, b, t))
            hint = "; count the nameable ones" if found < wanted else "; mix the codes, not the pictures"
            assert abs(found - wanted) < 1e-3, f"at t = {t} it should be {wanted:.3f}; yours is {found:.3f}{hint}"

    return Exercise("09.2", "interpolate, and score what lies between", [goes_through_the_codes, agrees_on_the_model])
