"""CLIP and SimCLR: the losses against explicit sums and against open_clip's, and what the towers may not depend on."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from helpers.data.text import EOS, PAD, pad
from helpers.models import clip, simclr

# open_clip_torch 3.3.0, open_clip/loss.py, ClipLoss and SigLipLoss on `points()` with the scales and the bias below.
SCALE, T, BIAS = 14.3, 10.0, -1.9
OPEN_CLIP = 0.034204271504842655
OPEN_SIGLIP = 3.4444095008258877


def points():
    """Eight pictures and eight texts of 16 numbers, of length 1, by a formula: no generator to depend on."""
    k = torch.arange(128, dtype=torch.float64).view(8, 16)
    return F.normalize((k * k).sin(), dim=1), F.normalize((k * k).sin() + (1.7 * k).cos(), dim=1)


def tiny(**changes):
    torch.manual_seed(0)
    words = ["<pad>", "<s>", "</s>", "<unk>", *"abcdef"]
    sizes = {"image": {"width": 16, "depth": 1, "heads": 2}, "text": {"width": 16, "depth": 1, "heads": 2}}
    return clip.CLIP(words, embedding=8, **sizes | changes).eval()


def texts():
    return pad([[4, 5, EOS], [6, 7, 8, 9, EOS], [EOS], [5, 4, EOS]])


# -- losses --------------------------------------------------------------------------------------------------------


def test_clip_loss_is_two_cross_entropies():
    logits = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    rows = sum(-math.log(math.exp(logits[i, i]) / logits[i].exp().sum()) for i in range(6)) / 6
    columns = sum(-math.log(math.exp(logits[i, i]) / logits[:, i].exp().sum()) for i in range(6)) / 6
    assert abs(clip.clip_loss(logits).item() - (rows + columns) / 2) < 1e-6
    assert abs(rows - columns) > 1e-3  # so that a loss of one direction alone would fail above


def test_clip_loss_takes_several_positives():
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(2))
    positives = torch.eye(4, dtype=torch.bool)
    assert torch.equal(clip.clip_loss(logits, positives), clip.clip_loss(logits))
    positives[0, 2] = positives[3, 2] = True
    rows, columns = logits.log_softmax(1), logits.log_softmax(0)
    by_hand = -(
        (rows[0, 0] + rows[0, 2]) / 2 + rows[1, 1] + rows[2, 2] + (rows[3, 3] + rows[3, 2]) / 2
        + columns[0, 0] + columns[1, 1] + (columns[0, 2] + columns[2, 2] + columns[3, 2]) / 3 + columns[3, 3]
    ) / 8
    assert abs(clip.clip_loss(logits, positives) - by_hand) < 1e-6


def test_positives_share_the_probability():
    positives = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    evenly = torch.where(positives, 20.0, -20.0)
    assert abs(clip.clip_loss(evenly, positives) - 2 / 3 * math.log(2)) < 1e-4  # the least: the targets' own entropy
    assert clip.clip_loss(evenly + 2 * torch.eye(3), positives) > 2 / 3 * math.log(2) + 0.1


def test_losses_are_open_clips():
    image, text = points()
    assert abs(clip.clip_loss(SCALE * image @ text.T).item() - OPEN_CLIP) < 1e-6
    assert abs(clip.siglip_loss(T * image @ text.T + BIAS).item() - OPEN_SIGLIP) < 1e-6
    assert abs(clip.siglip_loss(T * image @ text.T - BIAS).item() - OPEN_SIGLIP) > 1  # the paper's other sign


def test_the_values_of_open_clip_are_its_own():
    """Skipped where open_clip_torch is not installed; the numbers above keep the test above meaningful."""
    found = importlib.util.find_spec("open_clip")
    if found is None:
        pytest.skip("open_clip_torch is not installed: its losses are compared as recorded numbers only")
    path = Path(found.origin).parent / "loss.py"  # by itself: the package needs torchvision, its losses do not
    spec = importlib.util.spec_from_file_location("open_clip_loss", path)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    image, text = points()
    scale, t, bias = (torch.tensor(value, dtype=torch.float64) for value in (SCALE, T, BIAS))
    assert abs(theirs.ClipLoss()(image, text, scale).item() - OPEN_CLIP) < 1e-6
    assert abs(theirs.SigLipLoss()(image, text, t, bias).item() - OPEN_SIGLIP) < 1e-6


def test_siglip_asks_each_pair_by_itself():
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(3))
    by_hand = sum(math.log(1 + math.exp((-1 if i == j else 1) * logits[i, j])) for i in range(5) for j in range(5)) / 5
    assert abs(clip.siglip_loss(logits).item() - by_hand) < 1e-5
    positives = torch.eye(5, dtype=torch.bool)
    positives[1, 4] = True
    more = by_hand - math.log(1 + math.exp(logits[1, 4])) / 5 + math.log(1 + math.exp(-logits[1, 4])) / 5
    assert abs(clip.siglip_loss(logits, positives).item() - more) < 1e-5


@pytest.mark.parametrize("batch", [16, 128, 32_768])
def test_the_prior_of_a_pair_is_the_best_constant(batch):
    """With logits all alike, siglip_loss is least at the prior: its gradient is zero there and not beside it."""

    def gradient(b):
        b = torch.tensor(b, dtype=torch.float64, requires_grad=True)
        (-F.logsigmoid(b) - (batch - 1) * F.logsigmoid(-b)).backward()  # one row of siglip_loss
        return b.grad.item()

    prior = clip.pair_prior(batch)
    assert abs(gradient(prior)) < 1e-9
    assert gradient(prior - 1) < -0.1 < 0.1 < gradient(prior + 1)


def test_soft_targets_are_made_of_the_embeddings_themselves():
    image, text = (3 * x for x in points())
    targets = (((image @ image.T) + (text @ text.T)) / 2).softmax(1)
    logits = text @ image.T
    by_hand = -(targets * logits.log_softmax(1)).sum(1).mean() / 2 - (targets * logits.log_softmax(0)).sum(0).mean() / 2
    assert abs(clip.soft_target_loss(image, text) - by_hand) < 1e-9


def test_soft_targets_are_content_with_a_collapse():
    """If all points coincide, every target is 1 / B: the loss is log B, and its gradient is zero."""
    image, text = (torch.ones(4, 8, requires_grad=True) for _ in range(2))
    loss = clip.soft_target_loss(image, text)
    loss.backward()
    assert abs(loss.item() - math.log(4)) < 1e-6
    assert image.grad.abs().max() < 1e-6


# -- the model -----------------------------------------------------------------------------------------------------


def test_logits_are_scaled_cosines():
    model = tiny()
    images, ids = torch.randn(3, 3, 32, 32), texts()
    logits = model(images, ids)
    cosines = model.encode_image(images) @ model.encode_text(ids).T
    assert logits.shape == (3, 4)
    assert torch.allclose(logits, cosines / 0.07, atol=1e-5)
    assert cosines.abs().max() <= 1 + 1e-6


def test_the_scale_is_at_most_100():
    model = tiny(scale=9.0)
    image = F.normalize(torch.ones(1, 8), dim=1)
    assert abs(model.compare(image, image).item() - 100) < 1e-4


def test_a_bias_is_added_where_one_is_asked_for():
    model = tiny(bias=-3.0, scale=0.0)
    image = F.normalize(torch.ones(1, 8), dim=1)
    assert abs(model.compare(image, image).item() + 2) < 1e-6
    assert "logit_bias" not in tiny().state_dict()


def test_filling_is_not_read():
    model = tiny()
    short, filled = pad([[4, 5, EOS]]), F.pad(pad([[4, 5, EOS]]), (0, 6), value=PAD)
    assert torch.allclose(model.encode_text(short), model.encode_text(filled), atol=1e-6)
    assert torch.allclose(model.encode_text(texts())[0], model.encode_text(short)[0], atol=1e-6)


def test_word_order_is_read():
    model = tiny()
    a, b = model.encode_text(pad([[4, 5, 6, EOS], [6, 5, 4, EOS]]))
    assert (a - b).abs().max() > 1e-4


def test_a_patch_elsewhere_is_another_picture():
    model = tiny()
    image = torch.zeros(1, 3, 32, 32)
    image[..., :8, :8] = torch.randn(3, 8, 8)
    assert (model.encode_image(image) - model.encode_image(image.roll(16, 3))).abs().max() > 1e-4


def test_what_does_not_fit_is_refused():
    model = tiny()
    with pytest.raises(ValueError, match=r"expected pictures \(B, 3, 32, 32\)"):
        model.encode_image(torch.zeros(1, 3, 28, 28))
    with pytest.raises(ValueError, match="65 tokens; this model reads at most 64"):
        model.encode_text(torch.full((1, 65), 4))
    with pytest.raises(ValueError, match="no whole number of patches"):
        clip.ImageTower(patch=5)


def test_it_overfits_one_batch():
    model, images, ids = tiny().train(), torch.randn(4, 3, 32, 32), texts()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(60):
        loss, parts = clip.pair_loss(model, {"images": images, "texts": ids})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert parts["scale"] <= 100


# -- SimCLR --------------------------------------------------------------------------------------------------------


def test_info_nce_by_hand():
    cosines = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.8, 0.0], [0.1, 0.4, 0.7]])
    keys = torch.eye(3)
    expected = sum(-math.log(math.exp(cosines[i, i] / 0.5) / (cosines[i] / 0.5).exp().sum()) for i in range(3)) / 3
    assert abs(simclr.info_nce(cosines, keys, 0.5).item() - expected) < 1e-6  # keys are axes: the queries are cosines


def test_nt_xent_looks_among_all_other_views():
    a, b = (x.float() for x in points())
    views, expected = torch.cat([a, b]), 0.0
    for i in range(16):
        others = [j for j in range(16) if j != i]
        weights = {j: math.exp(views[i] @ views[j] / 0.3) for j in others}
        expected -= math.log(weights[(i + 8) % 16] / sum(weights.values())) / 16
    assert abs(simclr.nt_xent(a, b, 0.3).item() - expected) < 1e-5


def test_a_collapsed_encoder_pays_the_logarithm():
    same = F.normalize(torch.ones(8, 4), dim=1)
    assert abs(simclr.info_nce(same, same, 0.1).item() - math.log(8)) < 1e-5
    assert abs(simclr.nt_xent(same, same, 0.1).item() - math.log(15)) < 1e-5
    assert abs(simclr.uniformity(same).item()) < 1e-4


def test_alignment_and_uniformity_on_a_square():
    corners = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert abs(simclr.view_alignment(corners, corners.roll(1, 0)).item() - 2) < 1e-6  # neighbours: squared distance 2
    by_hand = math.log((4 * math.exp(-4) + 2 * math.exp(-8)) / 6)
    assert abs(simclr.uniformity(corners).item() - by_hand) < 1e-5


def test_simclr_trains_on_two_views():
    torch.manual_seed(0)
    model = simclr.SimCLR(features=16, embedding=8)
    views = torch.randn(2, 6, 3, 32, 32)
    loss, parts = simclr.two_views_loss(model, views)
    a, b = model(views[0]), model(views[1])
    assert abs(loss - simclr.nt_xent(a, b)) < 1e-5
    assert abs(parts["apart"] - simclr.view_alignment(a, b)) < 1e-5
