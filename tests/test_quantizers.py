"""Vectors that become codes, and the VQ-VAE around them: gradients, codebooks by hand, levels, collapse."""

import math

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.models.quantizers import (
    FSQ,
    GumbelQuantizer,
    Quantized,
    VectorQuantizer,
    k_means,
    nearest_code,
    perplexity,
    straight_through,
)
from helpers.models.vqvae import VQVAE, cooling_loss, decoding_loss, vqvae_loss, with_wrong
from helpers.training.loop import train

PICTURES = scenes.make_scenes(8, 1)[0]
SMALL = {"quantizer": {"codes": 32, "dim": 4}, "looks": 16, "widths": (16, 16)}


def codebook(*rows, **options):
    """A quantizer that holds these codes, each chosen once so far."""
    model = VectorQuantizer(len(rows), len(rows[0]), start="random", **options)
    model.codebook.copy_(torch.tensor(rows))
    model.sums.copy_(model.codebook)
    return model


def as_places(*vectors):
    """Vectors as z (1, D, 1, N)."""
    return torch.tensor(vectors).T[None, :, None]


# -- VQ ------------------------------------------------------------------------------------------------------------


def test_the_nearest_code_is_that_of_the_least_distance():
    vectors, codes = torch.randn(50, 3), torch.randn(9, 3)
    assert torch.equal(nearest_code(vectors, codes), torch.cdist(vectors, codes).argmin(1))


def test_a_gradient_passes_straight_through():
    z = torch.randn(2, 4, 3, 3, requires_grad=True)
    weight = torch.randn(2, 4, 3, 3)
    model = VectorQuantizer(8, 4, start="random").eval()
    found = model(z)
    assert torch.allclose(found.codes, model.lookup(found.indices)) and not torch.allclose(found.codes, z)
    (found.codes * weight).sum().backward()
    assert torch.equal(z.grad, weight)


def test_the_encoder_pays_for_the_distance_to_its_code():
    model, z = codebook([0.0, 0.0], [4.0, 0.0]).eval(), as_places([1.0, 0.0], [4.0, 2.0]).requires_grad_()
    found = model(z)
    assert found.indices.tolist() == [[[0, 1]]] and found.loss.item() == pytest.approx((1 + 4) / 2)
    found.loss.backward()
    assert torch.allclose(z.grad, as_places([1.0, 0.0], [0.0, 2.0]))  # 2 (z - e) / N


def test_the_codebook_is_kept_in_full_precision():
    """Under autocast a product of matrices is rounded to 8 bits: codes that lie near each other would be mixed up."""
    z, found = torch.randn(64, 4, 4, 4, generator=torch.Generator().manual_seed(3)), []
    for enabled in (False, True):
        torch.manual_seed(0)
        quantizer = VectorQuantizer(32, 4)
        with torch.autocast("cpu", torch.bfloat16, enabled):
            found.append((quantizer(z).indices, quantizer(z).indices, quantizer.codebook.clone()))
    assert all(torch.equal(plain, cast) for plain, cast in zip(*found, strict=True))


def test_the_codebook_follows_as_by_hand():
    """Counts and sums are moving averages, a code is their quotient; a vector that moved nothing would stay."""
    model = codebook([0.0, 0.0], [4.0, 0.0], decay=0.75, restart=False).train()
    found = model(as_places([1.0, 1.0], [1.0, -1.0], [5.0, 0.0]))
    assert found.indices.tolist() == [[[0, 0, 1]]]
    assert torch.allclose(found.codes, as_places([0.0, 0.0], [0.0, 0.0], [4.0, 0.0]))  # those before they moved
    assert torch.allclose(model.counts, torch.tensor([0.75 + 0.25 * 2, 0.75 + 0.25]))
    assert torch.allclose(model.sums, torch.tensor([[0.25 * 2, 0.0], [0.75 * 4 + 0.25 * 5, 0.0]]))
    assert torch.allclose(model.codebook, torch.tensor([[0.5 / 1.25, 0.0], [4.25, 0.0]]))


def test_a_code_that_nobody_takes_stays_or_starts_anew():
    far, vectors = [100.0, 100.0], [[0.1 * k, 0.0] for k in range(20)] + [[5.0, 5.0]]
    stays, anew = (codebook([0.0, 0.0], far, decay=0.5, restart=restart).train() for restart in (False, True))
    for _ in range(20):
        stays(as_places(*vectors)), anew(as_places(*vectors))
    assert torch.allclose(stays.codebook[1], torch.tensor(far))
    assert set(anew(as_places(*vectors)).indices.flatten().tolist()) == {0, 1}


def test_codes_do_not_move_outside_of_training():
    model = VectorQuantizer(8, 2, start="random").eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model(torch.randn(3, 2, 4, 4))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_k_means_finds_groups_and_begins_once():
    middles = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    generator = torch.Generator().manual_seed(0)
    vectors = (middles[:, None] + 0.1 * torch.randn(4, 50, 2, generator=generator)).flatten(0, 1)
    torch.manual_seed(0)
    assert torch.cdist(vectors, k_means(vectors, 16)).min(1).values.max() < 0.6
    model, z = VectorQuantizer(16, 2, restart=False).train(), vectors.T[None, :, None]
    model(z)
    assert torch.cdist(vectors, model.codebook).min(1).values.max() < 1 and model.begun
    before = model.codebook.clone()
    model(z + 100)
    assert (model.codebook - before).norm(dim=1).max() < 60  # it moves, and does not begin again


def test_fewer_vectors_than_codes_are_no_trouble():
    model = VectorQuantizer(64, 2).train()
    found = model(torch.randn(1, 2, 3, 3))
    assert found.codes.isfinite().all() and model.codebook.isfinite().all()


def test_perplexity_counts_codes():
    assert perplexity(torch.arange(8), 20) == pytest.approx(8)
    assert perplexity(torch.zeros(8, dtype=torch.long), 20) == pytest.approx(1)
    half = perplexity(torch.tensor([0, 0, 0, 1]), 2)
    assert half == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))


# -- FSQ and Gumbel ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [(3,), (2, 5), (8, 6, 5)])
def test_fsq_is_a_grid_that_every_vector_falls_into(levels):
    model = FSQ(levels)
    assert model.codes == math.prod(levels)
    found = model(torch.randn(4, len(levels), 60, 60))
    every = torch.arange(model.codes)[None, None]
    assert len(found.indices.unique()) == model.codes                          # none is out of reach
    assert torch.allclose(model.lookup(found.indices), found.codes, atol=1e-6)
    grid = model.lookup(every)
    assert len(grid[0, :, 0].T.unique(dim=0)) == model.codes and grid.abs().max() == 1
    for number, count in enumerate(levels):
        assert len(grid[0, number].unique()) == count


def test_fsq_rounds_to_the_nearest_level_and_passes_gradients():
    model, z = FSQ((5,)), torch.linspace(-3, 3, 200).view(1, 1, 1, 200).requires_grad_()
    found = model(z)
    assert (found.indices[0, 0].diff() >= 0).all() and found.loss == 0
    found.codes.sum().backward()
    assert (z.grad > 0).all() and found.indices[0, 0, 100] == 2


def test_gumbel_hardens_as_it_cools():
    torch.manual_seed(0)
    model, z = GumbelQuantizer(6, 3), torch.randn(1, 3, 16, 16)
    far = []
    for progress in (0.0, 1.0):
        model.train().cool(progress)
        soft = model(z).codes
        far.append((soft.flatten(2).mT[0][:, None] - model.codebook).norm(dim=2).min(1).values.mean().item())
    assert far[1] < 0.4 * far[0]
    assert model.temperature.item() == pytest.approx(1 / 16)


def test_gumbel_pays_the_kl_to_even_choice():
    model, z = GumbelQuantizer(6, 3).eval(), torch.randn(2, 3, 4, 4)
    q = model.logits(z).softmax(1).movedim(1, -1)
    kl = F.kl_div(torch.full_like(q, 1 / 6).log(), q, reduction="none").sum(-1).mean()
    found = model(z)
    assert found.loss.item() == pytest.approx(kl.item(), rel=1e-4)
    assert torch.equal(found.codes, model.lookup(model.logits(z).argmax(1)))


def test_straight_through_has_the_values_of_the_one_and_the_gradient_of_the_other():
    z = torch.tensor([0.3, 1.7], requires_grad=True)
    y = straight_through(z, z.round())
    (y * torch.tensor([2.0, 3.0])).sum().backward()
    assert y.tolist() == pytest.approx([0.0, 2.0]) and z.grad.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("make", [lambda: VectorQuantizer(1), lambda: VectorQuantizer(8, decay=1.0), lambda: FSQ(()),
                                  lambda: VectorQuantizer(8, start="warm"), lambda: FSQ((8, 1)),
                                  lambda: VQVAE("vqgan")])
def test_sizes_that_make_no_sense_are_refused(make):
    with pytest.raises(ValueError, match=r"at least 2|called"):
        make()


# -- the VQ-VAE ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "quantizer"), [("vq", {"codes": 32, "dim": 4}), ("fsq", {"levels": (4, 4, 3)}),
                                                 ("gumbel", {"codes": 32, "dim": 4})])
def test_a_picture_goes_there_and_back(kind, quantizer):
    model = VQVAE(kind, quantizer, looks=16, widths=(16, 16)).eval()
    codes = model.encode(PICTURES)
    assert codes.shape == (8, 8, 8) and codes.dtype == torch.int64 and codes.max() < model.codes
    assert torch.allclose(model.decode(codes), model(PICTURES), atol=1e-5)
    with pytest.raises(ValueError, match="expected pictures"):
        model.encode(torch.zeros(1, 3, 30, 32))
    for wrong in (codes.float(), codes[0], codes + model.codes, codes - model.codes):
        with pytest.raises(ValueError, match="expected whole numbers"):
            model.decode(wrong)


def test_a_code_is_told_its_place_and_four_pixels_around_it():
    torch.manual_seed(0)
    model, x = VQVAE(**SMALL).eval(), PICTURES[:1]
    z = model.encoder(x)
    for row, column in ((0, 0), (13, 20), (31, 5)):
        other = x.clone()
        other[:, :, row, column] += 1
        moved = (model.encoder(other) - z).abs().sum(1)[0] > 0
        told = torch.tensor([[4 * i - 4 <= row < 4 * i + 8 and 4 * j - 4 <= column < 4 * j + 8 for j in range(8)]
                             for i in range(8)])
        assert torch.equal(moved, told)


def test_the_loss_is_the_squared_error_and_what_the_encoder_pays():
    model = VQVAE(**SMALL).eval()
    loss, parts = vqvae_loss(model, PICTURES, weight=0.3)
    found = model.quantize(PICTURES)
    recon = (model.decoder(found.codes) - PICTURES).square().sum() / 8
    pay = (model.encoder(PICTURES) - found.codes).square().sum() / 8
    assert parts["recon"].item() == pytest.approx(recon.item(), rel=1e-5)
    assert parts["pay"].item() == pytest.approx(pay.item(), rel=1e-4)
    assert loss.item() == pytest.approx((recon + 0.3 * pay).item(), rel=1e-5)


def test_wrong_codes_are_as_many_as_said_and_near():
    model = VQVAE(quantizer={"codes": 64, "dim": 2})
    indices = torch.randint(64, (50, 8, 8))
    codes, book = model.quantizer.lookup(indices), model.quantizer.codebook
    seen = with_wrong(model, Quantized(codes, indices, torch.zeros(())), 0.1, 3)
    other = (seen != codes).any(1)
    assert other.float().mean().item() == pytest.approx(0.1, abs=0.02)
    now = nearest_code(seen.movedim(1, 3).flatten(0, 2), book).view_as(indices)[other]
    ranks = torch.cdist(book, book).argsort(1).argsort(1)[indices[other], now]
    assert set(ranks.tolist()) == {1, 2, 3}  # 0 is the code itself


def test_a_gumbel_quantizer_cools_with_the_training():
    model = VQVAE("gumbel", {"codes": 8, "dim": 4}, looks=8, widths=(8, 8)).eval()
    for progress, temperature in ((0.0, 1.0), (0.5, 0.25), (1.0, 1 / 16)):
        loss, parts = cooling_loss(model, {"images": PICTURES, "progress": torch.tensor(progress)}, 0.5)
        assert model.quantizer.temperature.item() == pytest.approx(temperature)
        assert loss.item() == pytest.approx((parts["recon"] + 0.5 * parts["pay"]).item(), rel=1e-5)


def test_a_decoder_learns_on_and_the_codes_stay():
    torch.manual_seed(0)
    model = VQVAE(**SMALL)
    model.encoder.requires_grad_(False)
    codes, book = model.eval().encode(PICTURES), model.quantizer.codebook.clone()
    before, _ = decoding_loss(model, PICTURES, 0.0)
    assert before.item() == pytest.approx((model(PICTURES) - PICTURES).square().sum().item() / 8, rel=1e-5)
    train(model, lambda step: PICTURES, decoding_loss, 30, ema=0.9, label=None)
    assert torch.equal(model.encode(PICTURES), codes) and torch.equal(model.quantizer.codebook, book)
    assert decoding_loss(model, PICTURES, 0.0)[0] < 0.7 * before


def test_it_learns_a_batch_by_heart():
    torch.manual_seed(0)
    model = VQVAE(quantizer={"codes": 64, "dim": 8}, looks=32, widths=(32, 32))
    history = train(model, lambda step: PICTURES, vqvae_loss, 200, label=None)
    first, last = history.parts["recon"][0], history.parts["recon"][-1]
    assert last < 0.05 * first
    assert perplexity(model.encode(PICTURES), 64) > 4
