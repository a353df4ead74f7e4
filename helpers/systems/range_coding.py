"""Numbers become symbols, symbols become bytes, and back: quantisers, tables of frequencies, and range coding.

    quantiser = Quantiser.of_bits(training_codes, 6)                        # numbers (N, d) to symbols and back
    tables = frequencies(counts(quantiser.symbols(training_codes), quantiser.levels))
    data = encode(symbols, tables)                                          # bytes
    decode(data, tables, len(symbols))                                      # the same symbols

Arithmetic coding is Rissanen's and Pasco's (1976), range coding, its form for whole words, Martin's (1979); the coder
is that of `constriction` (Bamler 2022). Writer and reader must have the very same tables: the reader is given the
writer's, because one that is fitted again to the output of a network, on another machine, may differ in a count. Tables
hold integers, whose sums and products come out alike everywhere; the coder takes them as multiples of 2^-16, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

TOTAL = 1 << 16  # what the frequencies of a table sum to: a symbol costs at most 16 bits


# -- numbers and symbols -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantiser:
    """Numbers to symbols and back, each of d numbers on steps of its own.

    low     (d,) where the first step begins
    step    (d,) its width
    levels  the number of symbols, 0 to levels - 1; what lies beyond the ends gets the end's symbol
    """

    low: Tensor
    step: Tensor
    levels: int

    @classmethod
    def of_bits(cls, codes: Tensor, bits: int) -> Quantiser:
        """2^bits equal steps over the range of each number of `codes` (N, d). ValueError unless bits is 1 to 12."""
        check_finite(codes)
        if bits not in range(1, 13):
            raise ValueError(f"a number gets 1 to 12 whole bits, not {bits}")
        low, high = codes.aminmax(dim=0)
        return cls(low, (high - low).clamp(min=1e-12) / 2**bits, 2**bits)

    @classmethod
    def of_step(cls, codes: Tensor, step: float) -> Quantiser:
        """Steps of one width for all numbers, as many as the widest needs, with a middle at 0.

        So a number that hardly varies about 0 is read back as 0. ValueError for more than 4,096 levels.
        """
        check_finite(codes)
        low, high = codes.aminmax(dim=0)
        first = (low / step).round()
        levels = ((high / step).round() - first).max() + 1
        if not step > 0 or not levels <= 4096:
            raise ValueError(f"a step must be above 0 and make 4,096 levels at most; {step:g} is not")
        return cls((first - 0.5) * step, torch.full_like(low, step), max(2, int(levels)))

    def symbols(self, codes: Tensor) -> Tensor:
        """Codes (N, d) -> symbols (N, d), int64. ValueError for another d."""
        if codes.shape[1:] != self.low.shape:
            raise ValueError(f"expected codes (N, {len(self.low)}); got {tuple(codes.shape)}")
        return ((codes - self.low) / self.step).floor().clamp(0, self.levels - 1).long()

    def values(self, symbols: Tensor) -> Tensor:
        """Symbols (N, d) -> the middle of each one's step (N, d)."""
        return self.low + (symbols + 0.5) * self.step


def check_finite(codes: Tensor) -> None:
    if codes.ndim != 2 or not len(codes) or not codes.isfinite().all():
        raise ValueError(f"expected finite codes (N, d), N at least 1; got shape {tuple(codes.shape)}")


# -- symbols and bytes ---------------------------------------------------------------------------------------------


def counts(symbols: Tensor, levels: int) -> np.ndarray:
    """How often each of `levels` symbols occurs in each column: (N, d) in 0 to levels - 1 -> (d, levels), int64."""
    return np.stack([np.bincount(column, minlength=levels) for column in symbols.T.numpy()])


def frequencies(weights: np.ndarray) -> np.ndarray:
    """Integer tables from integer weights: (d, L) >= 0 -> (d, L), each row at least 1 everywhere and TOTAL in sum.

    As good as in proportion: p = frequency / TOTAL. A row of zeros becomes uniform. Integer arithmetic alone.
    ValueError for weights that are negative or no integers, sum to 2^40 or more, or are not 2 to TOTAL / 2 in a row.
    """
    weights = np.asarray(weights)
    if weights.ndim != 2 or not np.issubdtype(weights.dtype, np.integer) or (weights < 0).any():
        raise ValueError(f"expected integer weights (d, L), none below 0; got {weights.dtype} {weights.shape}")
    fits = 2 <= weights.shape[1] <= TOTAL // 2 and (weights < 1 << 40).all()  # so that int64 holds the sums
    weights = weights.astype(np.int64)
    weights += weights.sum(1, keepdims=True) == 0
    sums = weights.sum(1, keepdims=True)
    if not fits or (sums >= 1 << 40).any():
        raise ValueError(f"expected 2 to {TOTAL // 2} weights a row, below 2^40 in sum; got {weights.shape[1]}")
    table = 1 + weights * (TOTAL - weights.shape[1]) // sums
    table[np.arange(len(table)), weights.argmax(1)] += TOTAL - table.sum(1)  # the likeliest gets what is left
    return table


def encode(symbols: Tensor, tables: np.ndarray) -> bytes:
    """Symbols (N, d), each below L, to bytes: column by column, column k under the table tables[k] of (d, L).

    ValueError for symbols that the tables do not have. Takes a few bytes at most over `bits(symbols, tables) / 8`.
    """
    columns, models = columns_of(symbols, tables), distributions(tables)
    import constriction  # here and below: a quantiser does without

    encoder = constriction.stream.queue.RangeEncoder()
    for column, model in zip(columns, models, strict=True):
        encoder.encode(column, model)
    data = encoder.get_compressed().astype(">u4").tobytes()
    return shortest(data, lambda part: np.array_equal(decoded(part, models, len(symbols)), columns))


def decode(data: bytes, tables: np.ndarray, count: int) -> Tensor:
    """The symbols (count, d) that `encode` made into `data`, int64.

    Bytes that `encode` did not make give other symbols or, where no symbols lead to them, a ValueError.
    """
    if count < 0:
        raise ValueError(f"there are no {count} symbols to read")
    columns = decoded(data, distributions(tables), count)
    if columns is None:
        raise ValueError(f"these {len(data)} bytes were not encoded with these tables, or are damaged")
    return torch.from_numpy(columns.T.astype(np.int64))


def decoded(data: bytes, models: list, count: int) -> np.ndarray | None:
    """Columns (d, count), or None for bytes that no symbols lead to."""
    padded = data + bytes(8 + -len(data) % 4)  # zeros at the end were left off
    import constriction

    decoder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, ">u4").astype(np.uint32))
    try:
        return np.stack([decoder.decode(model, count) for model in models])
    except AssertionError:
        return None


def distributions(tables: np.ndarray) -> list:
    """The tables (d, L) as the range coder takes them; frequency / TOTAL is exact in float32."""
    import constriction

    kind = constriction.stream.model.Categorical
    return [kind((table / TOTAL).astype(np.float32), perfect=False) for table in tables]


def shortest(data: bytes, is_right) -> bytes:
    """The shortest bytes that still decode: a range coder may stop at any number inside its last interval.

    Tried are beginnings of `data`, as they are and with 1 added at their end. Where one length fails, all shorter do.
    """
    for length in reversed(range(len(data))):
        start = int.from_bytes(data[:length], "big")
        tried = [n.to_bytes(length, "big") for n in (start, start + 1) if n < 1 << 8 * length]
        found = next((part for part in tried if is_right(part)), None)
        if found is None:
            break
        data = found
    return data


def columns_of(symbols: Tensor, tables: np.ndarray) -> np.ndarray:
    """The symbols as int32 columns (d, N), once they are known to fit the tables."""
    if symbols.ndim != 2 or symbols.shape[1] != len(tables):
        raise ValueError(f"expected symbols (N, {len(tables)}), a column for each table; got {tuple(symbols.shape)}")
    if len(symbols) and not (0 <= symbols.min() and symbols.max() < tables.shape[1]):
        raise ValueError(f"symbols must lie in 0 to {tables.shape[1] - 1}; "
                         f"these run from {symbols.min()} to {symbols.max()}")
    return np.ascontiguousarray(symbols.T.numpy().astype(np.int32))


def bits(symbols: Tensor, tables: np.ndarray) -> float:
    """-sum log2 p of symbols (N, d) under the tables (d, L): what a perfect coder would need for them."""
    columns = columns_of(symbols, tables)
    return float(-sum(np.log2(table[column] / TOTAL).sum() for column, table in zip(columns, tables, strict=True)))
