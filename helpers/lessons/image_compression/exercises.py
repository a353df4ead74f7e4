"""The exercises of notebook 05."""

from __future__ import annotations

import numpy as np
import torch

from ...course.checks import Exercise
from .file_formats import file_bytes, mosaic, pixel_error, read_file


def entropy_of(symbols: torch.Tensor) -> float:
    """Bits a row: the sum over the columns of symbols (N, d) of each one's empirical entropy."""
    shares = [column.unique(return_counts=True)[1] / len(column) for column in symbols.T]
    return sum(-(p * p.log2()).sum().item() for p in shares)


def bits_a_picture(symbols: torch.Tensor, data: bytes) -> Exercise:
    """05.1: symbols (N, d) -> the bits that a picture needs, by the empirical entropy of each column.

    symbols, data: those of a real code, and the bytes that a range coder made of them.
    """

    def knows_small_cases(bits):
        even = torch.arange(4).repeat(5)[:, None]
        for name, rows, expected in (("four symbols, equally often", even, 2.0), ("one symbol", 0 * even, 0.0),
                                     ("two such columns", torch.cat([even, even], 1), 4.0)):
            found = float(bits(rows))
            hints = {"; that is in nats: use log2": expected * np.log(2),
                     "; that is of all 20 rows: give one's": expected * 20,
                     "; the columns are coded one by one, so add their bits": expected / 2}
            hint = next((text for text, value in hints.items() if abs(found - value) < 0.01), "")
            assert abs(found - expected) < 0.01, f"{name}: {found:.3f} bits; expected {expected:.0f}{hint}"

    def each_column_has_its_own_table(bits):
        rows = torch.stack([torch.zeros(100).long(), torch.full((100,), 5)], 1)
        assert float(bits(rows)) < 0.01, "two columns, each always the same symbol, need no bits: count each by itself"

    def agrees_with_the_real_code(bits):
        found, expected = float(bits(symbols)), entropy_of(symbols)
        assert abs(found / expected - 1) < 0.02, f"of the real code: {found:.2f} bits; expected {expected:.2f}"
        real = 8 * len(data) / len(symbols)
        assert found < real * 1.02, f"{found:.2f} bits are more than the {real:.2f} that the range coder wrote"

    tests = [knows_small_cases, each_column_has_its_own_table, agrees_with_the_real_code]
    return Exercise("05.1", "the bits of a picture, by the entropy of its symbols", tests)


def smallest_file(points: dict[tuple[int, int], tuple[float, float]]) -> Exercise:
    """05.2: (points, psnr) -> the key of the smallest file at a PSNR of at least so many dB.

    points: {(d, bits): (bytes, mean squared error on [0, 1])} of real codes.
    """

    def best(table, psnr):
        good = {key: size for key, (size, loss) in table.items() if -10 * np.log10(loss) >= psnr}
        return min(good, key=good.get)

    def works_on_a_small_table(smallest):
        table = {(1, 8): (1.0, 0.02), (2, 8): (2.0, 0.003), (12, 3): (1.8, 0.0031), (9, 8): (9.0, 0.001)}
        hints = {10: "of all that are good enough, take the one with the fewest bytes",
                 24: "the bytes are the first number of the value; neither d nor d times bits are bytes",
                 25: "PSNR = -10 log10(error); an error of 0.0032 is 25 dB", 29: "the error must be small enough"}
        for psnr, hint in hints.items():
            found, expected = smallest(table, psnr), best(table, psnr)
            assert found == expected, f"at {psnr} dB of {table}: {found}; expected {expected}. {hint}"

    def works_on_the_real_codes(smallest):
        for psnr in (22, 25, 28):
            found, expected = smallest(points, psnr), best(points, psnr)
            assert found == expected, f"at {psnr} dB: {found}; expected {expected}"

    return Exercise("05.2", "the smallest file that is good enough", [works_on_a_small_table, works_on_the_real_codes])


def fair_jpeg(pictures: torch.Tensor) -> Exercise:
    """05.3: (pictures (N, 3, 32, 32), quality) -> (bytes a picture, error on [0, 1]) of JPEG, fairly measured.

    pictures: 256 of them.
    """

    def judge(name, pictures, quality, answer):
        size, loss = answer
        one = len(file_bytes(mosaic(pictures[:1], 1), "JPEG", quality=quality))
        whole = mosaic(pictures)
        plain, tight = (file_bytes(whole, "JPEG", quality=quality, optimize=flag) for flag in (False, True))
        hints = {" That is the whole file: divide by the pictures": len(plain),
                 " That is about what one file for each picture takes: most of it is header": one}
        hint = next((text for text, value in hints.items() if abs(size / value - 1) < 0.25), "")
        low, high = 0.85 * len(tight) / len(pictures), 1.2 * len(plain) / len(pictures)
        assert low <= size <= high, f"{name}: {size:.1f} bytes a picture; expected {low:.0f} to {high:.0f}.{hint}"
        expected = pixel_error(whole, read_file(plain))
        hint = " That is on [-1, 1]" if abs(loss / expected - 4) < 0.4 else ""
        assert 0.8 < loss / expected < 1.2, f"{name}: error {loss:.4f}; expected about {expected:.4f}.{hint}"

    def is_fair(measure):
        for quality in (10, 40):
            judge(f"quality {quality}", pictures, quality, measure(pictures, quality))

    def counts_the_pictures(measure):
        judge("64 of the pictures", pictures[:64], 20, measure(pictures[:64], 20))

    title = "JPEG, measured so that its header hardly counts"
    return Exercise("05.3", title, [is_fair, counts_the_pictures])
