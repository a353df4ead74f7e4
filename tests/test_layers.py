"""The transformer's parts, against PyTorch's own, and pictures as sequences of patches."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.models.layers import Block, SelfAttention, attend, grid_positions
from helpers.models.vit import patchify, unpatchify


def test_no_mask_means_that_all_is_seen():
    scores, values = torch.randn(2, 3, 5), torch.randn(2, 5, 4)
    every = torch.ones(5, dtype=torch.bool)
    assert all(torch.equal(a, b) for a, b in zip(attend(scores, values), attend(scores, values, every), strict=True))


def test_self_attention_is_pytorchs_multihead_attention():
    ours, theirs, x = SelfAttention(12, heads=3), nn.MultiheadAttention(12, 3, batch_first=True), torch.randn(2, 7, 12)
    theirs.load_state_dict({"in_proj_weight": ours.qkv.weight, "in_proj_bias": ours.qkv.bias,
                            "out_proj.weight": ours.out.weight, "out_proj.bias": ours.out.bias})
    causal = torch.ones(7, 7, dtype=torch.bool).tril()
    for mask in (None, causal):
        expected, weights = theirs(x, x, x, attn_mask=None if mask is None else ~mask, average_attn_weights=False)
        assert torch.allclose(ours(x, mask), expected, atol=1e-6)
        assert torch.allclose(ours.read(x, mask)[1], weights, atol=1e-6)


def test_each_head_reads_as_scaled_dot_product_attention():
    attention, x = SelfAttention(12, heads=2), torch.randn(3, 5, 12)
    q, k, v = (part.unflatten(2, (2, 6)).transpose(1, 2) for part in attention.qkv(x).chunk(3, -1))
    assert torch.allclose(attention.read(x)[0], F.scaled_dot_product_attention(q, k, v), atol=1e-6)


def test_a_block_is_the_pre_norm_layer_of_pytorch():
    ours = Block(12, heads=3, hidden=20)
    theirs = nn.TransformerEncoderLayer(12, 3, 20, 0, "gelu", batch_first=True, norm_first=True).eval()
    pairs = {theirs.norm1: ours.norm1, theirs.norm2: ours.norm2, theirs.linear1: ours.widen,
             theirs.linear2: ours.narrow, theirs.self_attn.out_proj: ours.attention.out}
    for theirs_part, part in pairs.items():
        theirs_part.load_state_dict(part.state_dict())
    theirs.self_attn.in_proj_weight, theirs.self_attn.in_proj_bias = ours.attention.qkv.parameters()
    x = torch.randn(2, 7, 12)
    with torch.no_grad():
        assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    assert Block(12, 3).widen.out_features == 48


def test_what_a_token_may_not_read_does_not_change_it():
    block, x = Block(8, 2), torch.randn(1, 4, 8)
    changed = x.clone()
    changed[:, 3] += 1
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    same = (block(x, causal) == block(changed, causal)).all(2)[0]
    assert same.tolist() == [True, True, True, False]


@pytest.mark.parametrize(("width", "heads"), [(10, 4), (8, 0)])
def test_heads_that_do_not_divide_the_width_are_refused(width, heads):
    with pytest.raises(ValueError, match=f"multiple of the heads; got {width} and {heads}"):
        SelfAttention(width, heads)


def test_positions_tell_rows_from_columns():
    positions = grid_positions(3, 5, 16)
    assert positions.shape == (15, 16) and positions.abs().max() <= 1
    assert len({tuple(row) for row in positions.tolist()}) == 15
    grid = positions.view(3, 5, 16)
    rows, columns = grid[..., :8], grid[..., 8:]
    assert torch.equal(rows, rows[:, :1].expand_as(rows)) and torch.equal(columns, columns[:1].expand_as(columns))
    expected = {0: math.sin(2), 1: math.sin(2 / 10), 4: math.cos(2)}
    assert all(rows[2, 0, i].item() == pytest.approx(value, abs=1e-6) for i, value in expected.items())
    with pytest.raises(ValueError, match="multiple of 4"):
        grid_positions(3, 5, 18)


def test_a_patch_holds_its_pixels_row_by_row():
    x = torch.arange(2 * 3 * 8 * 8.0).view(2, 3, 8, 8)
    tokens = patchify(x, 4)
    assert tokens.shape == (2, 4, 48)
    assert torch.equal(tokens[1, 1], x[1, :, :4, 4:].permute(1, 2, 0).flatten()), "the second is right of the first"
    assert torch.equal(tokens[0, 2], x[0, :, 4:, :4].permute(1, 2, 0).flatten())
    assert torch.equal(unpatchify(tokens, 4), x)


@pytest.mark.parametrize(("shape", "patch"), [((1, 3, 8, 8), 3), ((3, 8, 8), 4), ((1, 3, 8, 6), 4),
                                              ((1, 3, 16, 64), 4)])
def test_pictures_that_patches_do_not_fit_are_refused(shape, patch):
    with pytest.raises(ValueError, match=rf"multiple of {patch}; got \({shape[0]}, "):
        patchify(torch.zeros(shape), patch)


@pytest.mark.parametrize("shape", [(1, 5, 48), (4, 48), (1, 4, 47), (4,)])
def test_patches_that_make_no_square_are_refused(shape):
    with pytest.raises(ValueError, match="N a square number"):
        unpatchify(torch.zeros(shape), 4)
