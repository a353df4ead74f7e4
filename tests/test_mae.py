"""The masked autoencoder: what it may see, what it is asked for, and that it can learn."""

import pytest
import torch

from helpers.data import masks, scenes
from helpers.models.inpainting import masked_loss
from helpers.models.mae import MAE
from helpers.models.vit import patchify
from helpers.training.loop import train


@pytest.mark.parametrize("patch", [5, 64, 0])
def test_a_patch_that_does_not_fit_is_refused(patch):
    with pytest.raises(ValueError, match=f"32 pixels has no whole number of patches of {patch}"):
        MAE(patch=patch)


def small():
    return MAE(patch=8, width=16, depth=2, narrow=8, shallow=1, heads=2)


def test_the_encoder_meets_visible_patches_alone():
    net, x, mask = small(), torch.randn(2, 3, 32, 32), masks.patches(2, 0.75, 8)
    lengths = []
    net.encoder[0].register_forward_hook(lambda module, args, output: lengths.append(args[0].shape))
    y = net(x, mask)
    assert y.shape == x.shape and lengths == [(2, 4, 16)], "a quarter of 16 patches"
    assert torch.equal(y, net(torch.where(mask, 99.0, x), mask)), "what is hidden changes nothing"
    assert not torch.equal(y, net(torch.where(mask, x, x + 1), mask))


def test_the_visible_patches_are_named_in_order():
    mask = masks.patches(3, 0.75, 8)
    seen, hidden = small().visible(mask), patchify(mask, 8).any(2)
    assert seen.shape == (3, 4) and (seen.diff(dim=1) > 0).all()
    assert not hidden.gather(1, seen).any() and hidden.sum() == 36


def test_the_order_of_tokens_does_not_count_but_their_places_do():
    net, x = small(), torch.randn(1, 3, 32, 32)
    seen = torch.tensor([[1, 6, 11, 12]])
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        y = net.decode(net.encode(x, seen), seen)
        assert torch.allclose(net.decode(net.encode(x, seen[:, order]), seen[:, order]), y, atol=1e-5)
        assert not torch.allclose(net.decode(net.encode(x, seen), seen + 1), y, atol=1e-3)


def test_masks_of_unequal_size_are_refused():
    x, mask = torch.zeros(2, 3, 32, 32), masks.patches(2, 0.75, 8)
    mask[0] = masks.patches(1, 0.5, 8)
    with pytest.raises(ValueError, match="these leave 4 to 8"):
        small()(x, mask)
    with pytest.raises(ValueError, match="these leave 0 to 0"):
        small()(x, torch.ones_like(mask))


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(B, 3, 32, 32\); got \(1, 3, 16, 16\)"):
        small()(torch.zeros(1, 3, 16, 16), masks.patches(1, 0.5, 8, size=16))


def test_a_patch_with_one_hidden_pixel_is_hidden():
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[0, 0, 9, 17] = True
    assert set(range(16)) - set(small().visible(mask)[0].tolist()) == {6}


def test_only_hidden_patches_are_trained():
    net, x, mask = small(), torch.randn(2, 3, 32, 32), masks.patches(2, 0.5, 8)
    y = net(x, mask)
    squared = patchify((x - y).square(), 8).mean(2)
    assert torch.allclose(masked_loss(net, (x, mask))[0], squared[patchify(mask, 8).any(2)].mean())


def test_it_learns_one_batch_by_heart():
    x, mask = scenes.make_scenes(2, seed=0)[0], masks.patches(2, 0.75, 8)
    net = MAE(patch=8, width=32, depth=2, narrow=32, shallow=1)
    before = masked_loss(net, (x, mask))[0].item()
    train(net, lambda step: (x, mask), masked_loss, 120, lr=1e-2, label=None)
    assert masked_loss(net, (x, mask))[0].item() < 0.1 * before
