"""Notebook 17 below its page: the prior, the decoder that is told z_i, the upsampler, and inpainting channels."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny_dalle2 import IDS, small_first_stage, stirred, tiny_clip, tiny_decoder, tiny_prior

from helpers.data import masks, scenes
from helpers.data.text import EOS, PAD
from helpers.diffusion.forward import cosine_schedule, flow_schedule, linear_schedule
from helpers.diffusion.ideal import posterior_mean
from helpers.diffusion.samplers import finished, inverted, sample
from helpers.lessons.dalle2 import batches, recipes
from helpers.lessons.dalle2 import experiments as own
from helpers.models.glide import GLIDE, prompt_loss, with_channels
from helpers.models.unclip import Prior, may_be_read, prior_loss, told, unclip_loss
from helpers.models.unet import UNet
from helpers.models.upsampler import bicubic, degraded, upsampling_loss, upsampling_unet
from helpers.systems.dalle2 import PRIOR_SCHEDULE
from helpers.systems.filling import what_is_known
from helpers.training.checkpoints import load, load_file, save
from helpers.training.loop import train

KNOWN = {recipe.name: recipe for recipe in recipes.recipes()}


def prior_batch(clip, n=3):
    pictures = scenes.make_scenes(n, 3)[0]
    return told(clip, IDS[:n]) | {"embeddings": clip.encode_image(pictures)}


# -- the prior -----------------------------------------------------------------------------------------------------


def test_no_token_reads_a_later_one_or_filling():
    mask = torch.tensor([[True, True, False]])
    seen = may_be_read(mask)[0, 0]
    assert seen.shape == (7, 7) and not seen.triu(1).any()
    assert not seen[:, 2].any(), "filling is never read"
    assert seen[6, [0, 1, 3, 4, 5, 6]].all(), "the query reads all before it"


def test_what_a_token_becomes_does_not_depend_on_later_ones():
    prior, cond = tiny_prior(), told(tiny_clip(), IDS)
    found = []
    for noise in (0.0, 1.0):
        h = prior.sequence(torch.full((3, 8), noise), torch.full((3,), 500), cond["context"], cond["text"])
        for block in prior.blocks:
            h = block(h, may_be_read(cond["mask"]))
        found.append(h)
    place = IDS.shape[1] + 2  # of the noised embedding
    torch.testing.assert_close(found[0][:, :place], found[1][:, :place])
    assert not torch.allclose(found[0][:, place:], found[1][:, place:])


def test_the_prior_hears_all_that_it_is_told():
    prior, cond, z = tiny_prior(), told(tiny_clip(), IDS), torch.randn(3, 8)
    answer = prior(z, 500, **cond)
    assert answer.shape == (3, 8)
    others = [prior(z + 1, 500, **cond), prior(z, 400, **cond),
              prior(z, 500, cond["context"] + 1, cond["mask"], cond["text"]),
              prior(z, 500, cond["context"], cond["mask"], cond["text"].flip(0))]
    assert all((answer - other).abs().max() > 1e-3 for other in others)


def test_filling_changes_nothing():
    prior, clip, z = tiny_prior(), tiny_clip(), torch.randn(2, 8)
    short, long = (told(clip, ids) for ids in (IDS[1:, :3], F.pad(IDS[1:, :3], (0, 5), value=PAD)))
    torch.testing.assert_close(prior(z, 300, **short), prior(z, 300, **long), atol=1e-5, rtol=1e-4)


def test_the_scale_gives_numbers_of_variance_1():
    prior, z = Prior(embedding=8, context=16), F.normalize(3 + torch.randn(500, 8), dim=1)
    prior.measure(z)
    assert (prior.scale * z).var(0).mean().item() == pytest.approx(1, rel=1e-4)
    assert prior.scale.item() > math.sqrt(8), "what all embeddings share does not count"
    with pytest.raises(ValueError, match="two embeddings or more"):
        prior.measure(z[:1])


def test_the_scale_lies_in_the_checkpoint(tmp_path):
    prior = tiny_prior()
    prior.measure(torch.randn(50, 8))
    save(tmp_path / "x.safetensors", prior, data="", seed=0, command="", metrics={})
    assert load_file(tmp_path / "x.safetensors")[0].scale.item() == pytest.approx(prior.scale.item(), rel=1e-3)


def test_the_loss_is_of_the_embedding_itself_times_the_scale():
    """A network that answers 0 is off by scale z_i, whatever the noise; one that answers what is right by nothing."""
    batch = prior_batch(tiny_clip())

    class Answers(Prior):
        def forward(self, z, t, context, mask, text):
            return self.share * self.scale * batch["embeddings"]

    for share, left in ((0.0, 1.0), (1.0, 0.0), (2.0, 1.0)):
        prior = Answers(embedding=8, context=16)
        prior.share = share
        prior.scale.fill_(5.0)
        loss, parts = prior_loss(prior, batch, PRIOR_SCHEDULE)
        assert loss.item() == pytest.approx(left * 25 / 8, abs=1e-4)
        assert sum(parts.values()).item() == pytest.approx(loss.item(), rel=1e-4)


def test_the_prior_learns_a_batch_by_heart():
    clip = tiny_clip()
    batch = prior_batch(clip)
    prior = Prior(embedding=8, context=16, width=32, depth=1, heads=2)
    prior.measure(batch["embeddings"])
    loss = lambda model, batch: prior_loss(model, batch, PRIOR_SCHEDULE)  # noqa: E731
    history = train(prior, lambda step: batch, loss, 150, label=None)
    assert sum(history.loss[-10:]) < 0.1 * sum(history.loss[:5])


def test_a_batch_for_the_prior_is_what_clip_makes_of_new_scenes():
    torch.manual_seed(0)
    batch = batches.embedded_batches(30, 10)(0)
    assert batch["embeddings"].shape == (40, 64) and batch["text"].shape == (40, 64)
    for name in ("embeddings", "text"):
        torch.testing.assert_close(batch[name].norm(dim=1), torch.ones(40))
    empty = (batch["mask"].sum(1) == 1).sum().item()
    assert 0 < empty < 14 and not batch["embeddings"].requires_grad
    own_text = (batch["embeddings"] * batch["text"]).sum(1).mean()
    other = (batch["embeddings"] * batch["text"].roll(1, 0)).sum(1).mean()
    assert own_text > other + 0.1, "a picture's own caption is told"


def test_the_shipped_recipe_measures_its_scale():
    prior = recipes.untrained_prior()
    z = load("clip")[0].encode_image(torch.cat([scenes.make_scenes(300, 8)[0], scenes.make_pairs(300, 8)[0]]))
    assert (prior.scale * z).var(0).mean().item() == pytest.approx(1, abs=0.1)


# -- the decoder ---------------------------------------------------------------------------------------------------


def test_at_the_start_the_decoder_is_the_glide_it_comes_from():
    """But for the tokens of z_i, which places read: with those masked, the same numbers."""
    glide = stirred(tiny_decoder(GLIDE))
    decoder = tiny_decoder(embedding=8).eval()
    decoder.load_state_dict(glide.state_dict(), strict=False)
    x, z = torch.randn(3, 2, 8, 8), F.normalize(torch.randn(3, 8), dim=1)
    cond = decoder.read(IDS, z)
    assert cond["context"].shape == (3, IDS.shape[1] + 4, 16) and cond["mask"][:, -4:].all()
    torch.testing.assert_close(cond["vector"], glide.read(IDS)["vector"])
    cond["mask"][:, -4:] = False
    torch.testing.assert_close(decoder(x, 700, **cond), glide(x, 700, **glide.read(IDS)))


def test_z_reaches_the_vector_and_the_tokens():
    decoder, x = stirred(tiny_decoder(embedding=8)), torch.randn(3, 2, 8, 8)
    z = F.normalize(torch.randn(3, 8), dim=1)
    one, other = decoder.read(IDS, z), decoder.read(IDS, z.flip(1))
    for name in ("vector", "context"):
        for changed in (one | {name: other[name]},):
            assert (decoder(x, 900, **one) - decoder(x, 900, **changed)).abs().max() > 1e-3


def test_no_embedding_is_an_embedding_of_0():
    decoder = stirred(tiny_decoder(embedding=8))
    for name, value in decoder.read(IDS).items():
        torch.testing.assert_close(value, decoder.read(IDS, torch.zeros(3, 8))[name])
    with pytest.raises(ValueError, match="expected embeddings"):
        decoder.read(IDS, torch.zeros(2, 8))


def test_a_decoder_learns_a_batch_by_heart():
    """Told z_i it draws the latent that belongs to it; what it cannot know without is the noise."""
    generator = torch.Generator().manual_seed(0)
    batch = {"images": torch.randn(3, 2, 8, 8, generator=generator), "texts": IDS[2:].expand(3, -1)[:, :1],
             "embeddings": F.normalize(torch.randn(3, 8, generator=generator), dim=1)}
    decoder = tiny_decoder(embedding=8)
    loss = lambda model, batch: unclip_loss(model, batch, flow_schedule())  # noqa: E731
    history = train(decoder, lambda step: batch, loss, 150, label=None)
    assert sum(history.loss[-10:]) < 0.35 * sum(history.loss[:10])


def test_the_recipes_decoder_begins_with_notebook_14s_weights():
    decoder, taught = recipes.decoder_to_teach(), load("latent-diffusion-scenes")[0]
    state = decoder.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in taught.state_dict().items())
    assert set(state) - set(taught.state_dict()) == {"to_vector.weight", "to_tokens.weight", "to_tokens.bias"}
    assert not any(weight.requires_grad for weight in decoder.text.parameters())
    assert decoder.unet.stem.weight.requires_grad


def test_what_the_decoder_is_told_is_left_out_as_often_as_in_the_paper():
    torch.manual_seed(0)
    batch = batches.decoder_batches(120, 40)(0)
    without_clip = (batch["embeddings"] == 0).all(1).float().mean().item()
    without_text = (batch["texts"][:, 0] == EOS).float().mean().item()
    assert 0.03 < without_clip < 0.19 and 0.38 < without_text < 0.62
    assert batch["images"].shape[0] == 160 and not batch["images"].requires_grad


# -- larger --------------------------------------------------------------------------------------------------------


def test_a_scene_is_the_same_on_every_side():
    generator = torch.Generator().manual_seed(5)
    factors = scenes.sample_factors(20, generator)
    small, large = batches.in_two_sizes(scenes.draw, factors, 9)
    assert small.shape == (20, 3, 32, 32) and large.shape == (20, 3, 64, 64)
    torch.testing.assert_close(small, scenes.draw(factors, torch.Generator().manual_seed(9)))
    assert (F.avg_pool2d(large, 2) - small).abs().mean() < 0.01, "half the side shows the same scene"
    assert (scenes.parse(F.avg_pool2d(large, 2)).factors == factors).all()
    edge = ((large - large[:, :, :1, :1]).abs().amax(1) > 1e-3).float().flatten(1).mean(1)
    inside = ((small - small[:, :, :1, :1]).abs().amax(1) > 1e-3).float().flatten(1).mean(1)
    assert (edge < inside).all(), "an edge is one pixel wide on both, so thinner on the larger one"


def test_pairs_are_drawn_on_every_side_too():
    pairs = scenes.sample_pairs(10, torch.Generator().manual_seed(5))
    small, large = batches.in_two_sizes(scenes.draw_pairs, pairs, 9, 128)
    assert large.shape == (10, 3, 128, 128)
    assert (F.avg_pool2d(large, 4) - small).abs().mean() < 0.02
    with pytest.raises(ValueError, match="1 pixel or more"):
        scenes.draw(torch.zeros(1, 6, dtype=torch.long), side=0)


def test_what_the_upsampler_sees_is_spoiled_by_at_most_so_much():
    torch.manual_seed(0)
    x = torch.zeros(2000, 1, 8, 8)
    assert degraded(x, noise=0.3).square().mean().item() == pytest.approx(0.3**2 / 3, rel=0.1)
    dot = torch.zeros(500, 1, 9, 9)
    dot[:, :, 4, 4] = 1
    blurred = degraded(dot, blur=0.6, noise=0)
    torch.testing.assert_close(blurred.sum((1, 2, 3)), torch.ones(500))
    assert blurred[:, 0, 4, 4].min() < 0.5 and blurred[:, 0, 4, 4].max() == pytest.approx(1, abs=1e-3)
    assert torch.allclose(blurred, blurred.mT, atol=1e-6)
    deviation = (blurred.sum((1, 2)) * (torch.arange(9) - 4.0) ** 2).sum(1).sqrt()
    assert 0.5 < deviation.max() < 0.6
    torch.testing.assert_close(degraded(torch.full((3, 3, 4, 4), 0.7), noise=0), torch.full((3, 3, 4, 4), 0.7))


def test_an_upsampler_has_no_attention_and_sees_the_small_picture():
    model = stirred(upsampling_unet(16, (8, 16)))
    assert not [name for name, _ in model.named_modules() if "places" in name]
    x, small = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 8, 8)
    answers = [model(x, 800, concat=bicubic(each, 16)) for each in (small, small.flip(0))]
    assert (answers[0] - answers[1]).abs().max() > 1e-3


def test_an_upsampler_learns_a_batch_by_heart():
    small = torch.rand(2, 3, 4, 4) * 2 - 1
    batch = {"small": small, "images": (bicubic(small, 8) * 1.5 - 0.2)}
    torch.manual_seed(0)
    model = upsampling_unet(8, (16, 16))
    loss = lambda model, batch: upsampling_loss(model, batch, flow_schedule())  # noqa: E731
    history = train(model, lambda step: batch, loss, 200, label=None)
    assert sum(history.loss[-10:]) < 0.3 * sum(history.loss[:10])


# -- inpainting ----------------------------------------------------------------------------------------------------


def test_new_channels_change_nothing_at_first():
    glide = stirred(tiny_decoder(GLIDE))
    wider = with_channels(glide, 3).eval()
    x, cond = torch.randn(3, 2, 8, 8), glide.read(IDS)
    torch.testing.assert_close(wider(x, 600, **cond, concat=torch.randn(3, 3, 8, 8)), glide(x, 600, **cond))
    assert glide.unet.config["concat"] is None and wider.unet.config["concat"] == 3
    with pytest.raises(ValueError, match="3 channels more already"):
        with_channels(wider, 1)
    with pytest.raises(ValueError, match="needs a concat"):
        wider(x, 600, **cond)


def test_new_channels_learn():
    wider = with_channels(stirred(tiny_decoder(GLIDE)), 3)
    batch = {"images": torch.randn(3, 2, 8, 8), "texts": IDS, "concat": torch.randn(3, 3, 8, 8)}
    prompt_loss(wider, batch, flow_schedule(), "flow")[0].backward()
    assert wider.unet.stem.weight.grad[:, 2:].abs().max() > 0


def test_what_is_known_does_not_show_what_is_hidden():
    torch.manual_seed(0)
    first_stage = small_first_stage()
    pictures, mask = scenes.make_scenes(4, 1)[0], masks.box(4)
    known = what_is_known(first_stage, pictures, mask)
    assert known.shape == (4, 3, 8, 8) and set(known[:, 2].unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(known, what_is_known(first_stage, torch.where(mask, 0.9, pictures), mask))
    assert not torch.allclose(known, what_is_known(first_stage, pictures.flip(0), mask))
    whole = what_is_known(first_stage, pictures, torch.zeros_like(mask))
    torch.testing.assert_close(whole[:, :2], first_stage.encode(pictures))


def test_a_batch_for_inpainting():
    torch.manual_seed(0)
    batch = batches.filling_batches(30, 10)(0)
    assert batch["concat"].shape == (40, 5, 8, 8) and batch["images"].shape == (40, 4, 8, 8)
    hidden = batch["concat"][:, 4].bool()
    assert hidden.flatten(1).all(1).any() and (~hidden).any()
    known = ~hidden[:, None].expand_as(batch["images"])
    assert (batch["concat"][:, :4] - batch["images"])[known].abs().mean() < 0.3


# -- DDIM backwards ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [linear_schedule, flow_schedule, cosine_schedule])
def test_ddim_backwards_and_forwards_comes_back(make):
    schedule, data = make(), torch.tensor([[-0.8, 0.3], [0.5, 0.9], [0.2, -0.7]])
    denoise = posterior_mean(data, schedule)
    x = data[[1, 0, 2]]
    noise = inverted(denoise, x, schedule, 200)
    assert noise.shape == x.shape and noise.abs().max() < 6
    torch.testing.assert_close(finished(sample(denoise, noise, schedule, 200)), x, atol=0.05, rtol=0)


def test_each_picture_has_a_noise_of_its_own():
    """Gaussian data of mean m and deviation s: the path keeps the share of deviations, so x_T = noise (x - m) / s."""
    schedule, mean, std = flow_schedule(), 0.3, 0.5

    def denoise(x, t):
        signal, noise = schedule.at(t, x)
        return mean + signal * std**2 / ((signal * std) ** 2 + noise**2) * (x - signal * mean)

    x = torch.tensor([[0.3], [0.8], [-0.7]])
    torch.testing.assert_close(inverted(denoise, x, schedule, 500), (x - mean) / std, atol=0.02, rtol=0)


# -- the recipes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [own.UPSAMPLER, own.FILLER, own.PRIOR, own.DECODER])
def test_a_step_of_each_recipe(name):
    recipe = KNOWN[name].at("smoke")
    torch.manual_seed(0)
    model = recipe.build()
    history = train(model, recipe.batches(2), recipe.loss, 2, label=None)
    assert math.isfinite(history.loss[-1])
    assert isinstance(model, (Prior, GLIDE, UNet)) and model.config
