"""The Vision Transformer: its equations, what it knows of order, what it refuses, and that it learns."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from helpers.data import scenes
from helpers.lessons.inpainting.experiments import object_cover
from helpers.lessons.vision_transformer import experiments as vit
from helpers.lessons.vision_transformer import looking
from helpers.models.classifier import PictureClassifier
from helpers.models.mlp import classification_loss
from helpers.models.vit import VisionTransformer, patchify
from helpers.training import checkpoints
from helpers.training.loop import train

SMALL = {"classes": 5, "patch": 4, "width": 16, "depth": 2, "heads": 2, "size": 16}


def small(**changes):
    torch.manual_seed(0)
    net = VisionTransformer(**SMALL | changes)
    for part in (net.positions, net.class_token):
        if part is not None:
            torch.nn.init.normal_(part)  # as large as after a training
    return net.eval()


# -- the network -----------------------------------------------------------------------------------


def test_the_tokens_are_those_of_a_strided_convolution():
    net, x = small(), torch.randn(3, 3, 16, 16)
    kernel = net.embed.weight.view(16, 4, 4, 3).permute(0, 3, 1, 2)
    patches = F.conv2d(x, kernel, net.embed.bias, stride=4).flatten(2).mT
    tokens = net.tokens(x)
    assert tokens.shape == (3, 17, 16)
    assert torch.allclose(tokens[:, 1:], patches + net.positions[1:], atol=1e-5)
    assert torch.allclose(tokens[:, 0], (net.class_token + net.positions[0]).expand(3, -1))


def test_the_answer_is_that_of_pytorchs_encoder():
    net, x = small(), torch.randn(2, 3, 16, 16)
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32, 0, "gelu", batch_first=True, norm_first=True)
    theirs = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    for block, other in zip(net.blocks, theirs.layers, strict=True):
        other.self_attn.in_proj_weight, other.self_attn.in_proj_bias = block.attention.qkv.parameters()
        for part, own in ((other.self_attn.out_proj, block.attention.out), (other.norm1, block.norm1),
                          (other.norm2, block.norm2), (other.linear1, block.widen), (other.linear2, block.narrow)):
            part.load_state_dict(own.state_dict())
    expected = net.head(net.norm(theirs(net.tokens(x))))[:, 0]
    assert net(x).shape == (2, 5) and torch.allclose(net(x), expected, atol=1e-5)


def reordered(x, patch):
    """The patches in another order, the same in each picture."""
    order = torch.randperm(patchify(x, patch).shape[1], generator=torch.Generator().manual_seed(3))
    return vit.unpatchify(patchify(x, patch)[:, order], patch), order


def test_without_positions_the_order_of_patches_changes_nothing():
    x = torch.randn(2, 3, 16, 16)
    mixed, order = reordered(x, 4)
    net = small(positions=False)
    assert net.positions is None and torch.allclose(net(mixed), net(x), atol=1e-5)
    assert not torch.allclose(small()(mixed), small()(x), atol=1e-2)
    index = torch.cat([torch.zeros(1, dtype=torch.int64), 1 + order])
    weights = net.attention(x)[:, :, :, index][..., index]
    assert torch.allclose(net.attention(mixed), weights, atol=1e-5)


def test_the_attention_is_what_the_blocks_use():
    net, x = small(), torch.randn(2, 3, 16, 16)
    weights = net.attention(x)
    assert weights.shape == (2, 2, 2, 17, 17) and torch.allclose(weights.sum(-1), torch.ones(2, 2, 2, 17))
    h = net.tokens(x)
    for i, block in enumerate(net.blocks):
        values = block.attention.qkv(block.norm1(h))[..., 32:].unflatten(2, (2, 8)).transpose(1, 2)
        read = (weights[:, i] @ values).transpose(1, 2).flatten(2)
        assert torch.allclose(block.attention.out(read), block.attention(block.norm1(h)), atol=1e-5)
        h = block(h)


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 16, 16), (3, 16, 16), (2, 3, 16, 12)])
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected pictures \(B, 3, 16, 16\); got \("):
        small()(torch.zeros(shape))


@pytest.mark.parametrize("patch", [5, 64, 0])
def test_a_patch_that_leaves_a_rest_is_refused(patch):
    with pytest.raises(ValueError, match=f"32 pixels has no whole number of patches of {patch}"):
        VisionTransformer(3, patch)


def test_it_comes_back_from_a_file(tmp_path):
    net, x = small(), torch.randn(2, 3, 16, 16)
    checkpoints.save(tmp_path / "small.safetensors", net, metrics={}, data="noise", seed=0, command="none")
    again, _ = checkpoints.load_file(tmp_path / "small.safetensors")
    assert again.config == net.config and torch.allclose(again(x), net(x), atol=0.02)  # weights are halves there


def test_it_learns_one_batch_by_heart():
    x, labels = scenes.make_scenes(12, seed=1)[0], torch.arange(12) % 3
    torch.manual_seed(0)
    net = VisionTransformer(3, width=32, depth=2)
    train(net, lambda step: (x, labels), classification_loss, 80, lr=5e-3, label=None)
    assert classification_loss(net, (x, labels))[0] < 0.1


def test_the_convolutions_beside_it_have_as_many_weights():
    sizes = [sum(p.numel() for p in net.parameters()) for net in (VisionTransformer(12),
                                                                 PictureClassifier(12, preset="as-vit"))]
    assert abs(sizes[1] / sizes[0] - 1) < 0.01


@pytest.mark.parametrize("changes", [{}, {"patch": 8}, {"hidden": 50, "depth": 3}, {"channels": 1, "classes": 7}])
def test_multiply_adds_are_those_that_pytorch_counts(changes):
    net = small(**changes)
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, net.config["channels"], 16, 16))
    assert 2 * vit.multiply_adds(net) == counter.get_total_flops()


# -- questions, colours, moves ---------------------------------------------------------------------


class Told(torch.nn.Module):
    """Gives the logits that it was told, whatever it sees."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, x):
        return self.logits[: len(x)]


def test_the_loss_is_the_mean_of_both_questions_and_leaves_out_what_is_not_asked():
    logits, labels = torch.randn(6, 12), torch.tensor([[0, 7], [1, 6], [2, 5], [3, 4], [0, 3], [1, 2]])
    shape, colour = F.cross_entropy(logits[:, :4], labels[:, 0]), F.cross_entropy(logits[:, 4:], labels[:, 1])
    loss, parts = vit.questions_loss(Told(logits), (torch.zeros(6, 1), labels))
    assert torch.allclose(loss, (shape + colour) / 2) and torch.allclose(parts["colour"], colour)
    labels[:3, 1] = vit.NOT_ASKED
    parts = vit.questions_loss(Told(logits), (torch.zeros(6, 1), labels))[1]
    assert torch.allclose(parts["colour"], F.cross_entropy(logits[3:, 4:], labels[3:, 1]))
    assert torch.allclose(parts["shape"], shape)


def test_answers_are_indices_of_shape_and_colour():
    logits = torch.zeros(2, 12)
    logits[0, 3] = logits[0, 4] = logits[1, 1] = logits[1, 11] = 1
    assert vit.answers_of(Told(logits), torch.zeros(2, 1)).tolist() == [[3, 0], [1, 7]]
    assert vit.share_right(Told(logits), torch.zeros(2, 1), torch.tensor([[3, 0], [0, 7]])) == {"shape": 0.5,
                                                                                               "colour": 1.0}


def test_a_turned_hue_keeps_greys_sum_and_distance_and_turns_back():
    x, angle = 0.4 * torch.rand(5, 3, 4, 4) - 0.2, torch.linspace(0.5, 5, 5)
    turned = vit.turned_hue(x, angle)
    assert torch.allclose(turned.sum(1), x.sum(1), atol=1e-5)
    assert torch.allclose((turned - turned.mean(1, True)).norm(dim=1), (x - x.mean(1, True)).norm(dim=1), atol=1e-5)
    assert torch.allclose(vit.turned_hue(turned, -angle), x, atol=1e-5)
    grey = torch.full((1, 3, 2, 2), 0.3)
    assert torch.allclose(vit.turned_hue(grey, torch.tensor([2.0])), grey, atol=1e-6)
    third = vit.turned_hue(torch.tensor([0.5, 0.1, -0.2]).view(1, 3, 1, 1), torch.tensor([2 * torch.pi / 3]))
    assert torch.allclose(third.flatten(), torch.tensor([-0.2, 0.5, 0.1]), atol=1e-6), "red goes to green"


def test_a_turn_that_comes_near_a_pairing_held_out_is_told():
    green_circle, yellow_square = torch.tensor([[0, 3]]), torch.tensor([[1, 2]])
    angles = torch.linspace(0, 2 * torch.pi, 73)
    for one, wanted in ((green_circle, "purple"), (yellow_square, "pink")):
        near = vit.comes_near(one.expand(73, -1), angles)
        turned = vit.turned_hue(scenes.PALETTE[one[0, 1]].view(1, 3, 1, 1).expand(73, -1, -1, -1), angles)[..., 0, 0]
        distance = (turned - scenes.PALETTE[scenes.COLOURS.index(wanted)]).norm(dim=1)
        assert near.any() and torch.equal(near, distance < 0.445), wanted
    assert not vit.comes_near(torch.tensor([[3, 3]]).expand(73, -1), angles).any(), "no green star turns cyan"


def test_recoloured_pictures_are_not_asked_for_their_colour():
    torch.manual_seed(0)
    x, labels = vit.recoloured_scenes(64)(0)
    torch.manual_seed(0)
    plain, true = vit.labelled_scenes(64)(0)
    turned = labels[:, 1] == vit.NOT_ASKED
    assert 20 < turned.sum() < 44 and torch.equal(labels[:, 0], true[:, 0])
    assert torch.equal(labels[~turned, 1], true[~turned, 1])
    torch.manual_seed(0)
    assert vit.recoloured_scenes(512, share=1)(0)[1][:, 1].ne(vit.NOT_ASKED).any(), "a turn comes near a pairing"
    assert torch.allclose(x[~turned], plain[~turned], atol=1e-5) and not torch.allclose(x[turned], plain[turned])


def test_few_scenes_are_few_and_fixed():
    batches = vit.few_scenes(5, 40)
    x, labels = batches(0)
    distinct = x.flatten(1).unique(dim=0)
    assert len(distinct) == 5 and len(vit.few_scenes(5, 40)(1)[0].flatten(1).unique(dim=0)) == 5
    assert torch.equal(distinct, batches(7)[0].flatten(1).unique(dim=0)) and labels.shape == (40, 2)


def test_shuffled_pictures_hold_the_same_patches():
    x = scenes.make_scenes(3, seed=2)[0]
    mixed = vit.shuffled(x, 8)
    assert not torch.equal(mixed, x)
    for one, other in zip(patchify(x, 8), patchify(mixed, 8), strict=True):
        assert torch.equal(one.unique(dim=0), other.unique(dim=0))


def test_a_move_is_a_move():
    x = torch.arange(2 * 25.0).view(2, 1, 5, 5)
    down, left = vit.moved_by(x, 1, 0), vit.moved_by(x, 0, -1)
    assert torch.equal(down[..., 1:, :], x[..., :-1, :]) and torch.equal(down[..., 0, :], x[..., 0, :])
    assert torch.equal(left[..., :-1], x[..., 1:]) and torch.equal(left[..., -1], x[..., -1])


# -- where it looks --------------------------------------------------------------------------------


def test_an_even_look_gets_the_share_of_the_area():
    x, factors = scenes.make_scenes(6, seed=3)
    cover = object_cover(x, factors)
    for patch in (4, 8):
        even = torch.full((6, 2, (32 // patch) ** 2), 1 / (32 // patch) ** 2)
        assert torch.allclose(looking.inside(even, cover, patch), cover.mean((1, 2))[:, None].expand(6, 2), atol=1e-5)
    best = F.one_hot(looking.patch_cover(cover, 8).argmax(1), 16).float()
    assert (looking.inside(best, cover, 8) > 3 * cover.mean((1, 2))).all()


def test_a_rollout_of_heads_that_read_themselves_stays_where_it_is():
    still = torch.eye(5).expand(2, 3, 4, 5, 5)
    assert torch.allclose(looking.rollout(still), torch.eye(5).expand(2, 5, 5))
    weights = torch.rand(2, 3, 4, 5, 5).softmax(-1)
    rolled = looking.rollout(weights)
    assert torch.allclose(rolled.sum(-1), torch.ones(2, 5))
    first, second, third = ((weights[:, i].mean(1) + torch.eye(5)) / 2 for i in range(3))
    assert torch.allclose(rolled, third @ second @ first, atol=1e-6)


def test_maps_leave_the_class_token_out():
    net, x = small(), torch.randn(2, 3, 16, 16)
    maps, full = looking.class_attention(net, x), net.attention(x)[..., 0, :]
    assert maps.shape == (2, 2, 2, 16) and torch.allclose(maps.sum(-1), torch.ones(2, 2, 2))
    assert torch.allclose(maps * (1 - full[..., :1]), full[..., 1:], atol=1e-6)


def test_the_patches_of_the_largest_weights_are_painted_over():
    x = scenes.make_scenes(2, seed=4)[0]
    weights = torch.zeros(2, 16)
    weights[0, 5] = weights[0, 6] = weights[1, 9] = weights[1, 10] = 1
    painted, before = (patchify(pictures, 8) for pictures in (looking.hidden(x, weights, 8, 2), x))
    assert torch.equal(painted[0, 5], x[0, :, 0, 0].repeat(64)) and torch.equal(painted[0, 4], before[0, 4])
    assert (painted != before).any(2).sum(1).le(2).all()


def test_a_map_is_drawn_where_it_belongs():
    weights = torch.zeros(1, 16)
    weights[0, 7] = 1  # second row, last column
    picture = looking.attention_pictures(weights)[0]
    dark = picture.astype(int).sum(2) < 400
    assert dark[32:64, 96:].all() and dark.sum() == 32 * 32
