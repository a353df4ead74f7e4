"""Symbols and bytes: what goes in comes out, near the entropy, for any symbols and any table."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.systems.range_coding import TOTAL, Quantiser, bits, counts, decode, encode, frequencies


@st.composite
def messages(draw):
    """Any table, from nearly uniform to nearly certain, and any symbols, likely under it or not."""
    columns, levels, count = draw(st.integers(1, 5)), draw(st.integers(2, 300)), draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(0, 50, (columns, levels)) ** draw(st.integers(0, 6))
    likely = draw(st.booleans())
    tables = frequencies(weights)
    rows = [rng.choice(levels, count, p=table / TOTAL if likely else None) for table in tables]
    return torch.from_numpy(np.stack(rows, 1).astype(np.int64).reshape(count, columns)), tables


@settings(max_examples=150, deadline=None)
@given(messages())
def test_what_is_encoded_is_decoded_and_takes_the_bytes_that_it_must(message):
    symbols, tables = message
    data = encode(symbols, tables)
    assert torch.equal(decode(data, tables, len(symbols)), symbols)
    assert len(data) <= bits(symbols, tables) / 8 * 1.001 + 2


def test_likely_messages_take_the_entropy_and_not_less():
    rng, table = np.random.default_rng(0), frequencies(np.array([[1, 20, 3, 8]]))
    rows = [torch.from_numpy(rng.choice(4, (400, 1), p=table[0] / TOTAL)) for _ in range(20)]
    sizes = [(len(encode(symbols, table)), bits(symbols, table) / 8) for symbols in rows]
    assert all(needed - 1 <= size <= needed + 1 for size, needed in sizes)
    p = table[0] / TOTAL
    assert np.mean([size for size, _ in sizes]) == pytest.approx(-400 / 8 * (p * np.log2(p)).sum(), rel=0.03)


@settings(max_examples=100, deadline=None)
@given(messages(), st.binary(max_size=40))
def test_foreign_bytes_are_other_symbols_or_a_clear_error(message, data):
    symbols, tables = message
    try:
        found = decode(data, tables, len(symbols))
    except ValueError as error:
        assert "damaged" in str(error)
    else:
        assert found.shape == symbols.shape and ((found >= 0) & (found < tables.shape[1])).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(2, 2000), st.integers(0, 2**32 - 1), st.integers(1, 2**20))
def test_tables_are_whole_positive_and_sum_to_the_total(rows, levels, seed, largest):
    weights = np.random.default_rng(seed).integers(0, largest, (rows, levels))
    table = frequencies(weights)
    assert table.dtype == np.int64 and (table >= 1).all() and (table.sum(1) == TOTAL).all()
    less = weights[0][:, None] < weights[0][None, :50]
    assert (table[0][:, None] <= table[0][None, :50])[less].all(), "the likelier, the more"


def test_a_table_is_in_proportion():
    table = frequencies(np.array([[1, 2, 5], [0, 0, 0]]))
    assert table[0] / TOTAL == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=2e-4)
    assert table[1] / TOTAL == pytest.approx([1 / 3] * 3, abs=2e-4)


@pytest.mark.parametrize("weights", [
    np.ones((2, 3)), np.array([[1, -1]]), np.array([1, 2]), np.ones((1, 1), int), np.full((1, 3), 1 << 39),
    np.ones((1, TOTAL), int), np.full((1, 2), 1 << 62),
])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        frequencies(weights)


def test_a_sure_symbol_costs_next_to_nothing_and_an_unlikely_one_sixteen_bits():
    table = frequencies(np.array([[10**9, 0]]))
    assert len(encode(torch.zeros(5000, 1).long(), table)) <= 1
    assert bits(torch.ones(1, 1).long(), table) == 16


def test_the_bytes_are_the_same_on_every_machine():
    """A file written here must be read elsewhere: these bytes were written once and for all."""
    table = frequencies(np.array([[1, 2, 3, 4], [4, 3, 2, 1]]))
    symbols = torch.tensor([[0, 1], [3, 0], [2, 2], [3, 3], [1, 0]])
    wide = frequencies(np.arange(3 * 200).reshape(3, 200) * 7919 % 1009)
    many = torch.arange(3 * 500).reshape(500, 3) * 31 % 200
    assert hashlib.sha256(encode(many, wide)).hexdigest()[:16] == "5228e328e9e53af9"
    assert encode(symbols, table).hex() == "1486"


@pytest.mark.parametrize(("symbols", "match"), [
    (torch.zeros(3, 1).long(), "a column for each table"), (torch.zeros(6).long(), "a column for each table"),
    (torch.full((3, 2), 4), "0 to 3"), (torch.full((3, 2), -1), "0 to 3"),
])
def test_symbols_that_no_table_has_are_refused(symbols, match):
    with pytest.raises(ValueError, match=match):
        encode(symbols, frequencies(np.ones((2, 4), int)))


# -- quantisers ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10), st.integers(1, 5), st.integers(0, 2**31 - 1))
def test_a_quantiser_is_off_by_half_a_step_at_most(bits_, width, seed):
    codes = torch.randn(50, width, generator=torch.Generator().manual_seed(seed)) * 10
    quantiser = Quantiser.of_bits(codes, bits_)
    symbols = quantiser.symbols(codes)
    assert symbols.min() == 0 and symbols.max() == 2**bits_ - 1 == quantiser.levels - 1
    assert ((quantiser.values(symbols) - codes).abs() <= quantiser.step * 0.501).all()
    assert torch.equal(quantiser.symbols(quantiser.values(symbols)), symbols)


def test_what_lies_beyond_the_range_gets_the_symbol_at_its_end():
    quantiser = Quantiser.of_bits(torch.tensor([[0.0], [1.0]]), 2)
    assert quantiser.symbols(torch.tensor([[-9.0], [0.3], [9.0]])).flatten().tolist() == [0, 1, 3]


def test_one_step_for_all_gives_the_wider_number_more_symbols():
    codes = torch.tensor([[0.0, 0.0], [1.0, 10.0], [0.2, 3.9]])
    quantiser = Quantiser.of_step(codes, 0.5)
    assert quantiser.levels == 21 and quantiser.symbols(codes).tolist() == [[0, 0], [2, 20], [0, 8]]


def test_one_step_for_all_reads_a_number_that_hardly_varies_about_0_as_0():
    codes = torch.tensor([[-1.4, -20.0], [1.5, 17.0], [0.1, 3.0]])
    quantiser = Quantiser.of_step(codes, 8.0)
    assert quantiser.values(quantiser.symbols(codes)).tolist() == [[0, -16], [0, 16], [0, 0]]


def test_a_number_that_never_changes_is_kept():
    quantiser = Quantiser.of_bits(torch.full((5, 1), 3.0), 4)
    assert quantiser.values(quantiser.symbols(torch.full((2, 1), 3.0))).flatten().tolist() == pytest.approx([3.0, 3.0])


@pytest.mark.parametrize(("make", "match"), [
    (lambda: Quantiser.of_bits(torch.rand(4, 2), 0), "1 to 12 whole bits"),
    (lambda: Quantiser.of_bits(torch.rand(4, 2), 13), "1 to 12 whole bits"),
    (lambda: Quantiser.of_bits(torch.rand(4), 4), "finite codes"),
    (lambda: Quantiser.of_bits(torch.tensor([[torch.nan]]), 4), "finite codes"),
    (lambda: Quantiser.of_step(torch.rand(4, 2), 0), "above 0"),
    (lambda: Quantiser.of_step(torch.rand(4, 2), 1e-6), "4,096 levels"),
    (lambda: Quantiser.of_step(torch.tensor([[0.0], [4096.0]]), 1.0), "4,096 levels"),
    (lambda: Quantiser.of_bits(torch.rand(4, 2), 2.5), "1 to 12 whole bits, not 2.5"),
    (lambda: Quantiser.of_bits(torch.rand(4, 2), 4).symbols(torch.rand(3, 1)), r"codes \(N, 2\); got \(3, 1\)"),
    (lambda: decode(b"", frequencies(np.ones((1, 4), int)), -1), "no -1 symbols"),
])
def test_settings_without_sense_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_counts_are_of_each_column():
    found = counts(torch.tensor([[0, 2], [0, 1], [1, 2]]), 3)
    assert found.tolist() == [[2, 1, 0], [0, 1, 2]]
