"""Notebook 14 below its page: the autoencoder with places, diffusion in its latents, and what is measured of both."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from helpers.data import masks, scenes
from helpers.data.text import UNK, Tokenizer
from helpers.lessons.stable_diffusion import batches, recipes
from helpers.lessons.stable_diffusion import experiments as latent
from helpers.models.kl_autoencoder import PRESETS, KLAutoencoder, decoder_loss, first_stage_loss
from helpers.systems import edits
from helpers.systems.text_to_image import TextToImage
from helpers.training import run
from helpers.training.checkpoints import load, load_file, save
from helpers.training.loop import train

PICTURES = scenes.make_scenes(4, 1)[0]
PROMPTS = ["a red circle", "빨간 원이 있다", "a small blue square", "a star"]
KNOWN = {recipe.name: recipe for recipe in recipes.recipes()}


def stirred(model):
    """A model in which no branch is 0, as they are where a training starts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return model.eval()


def small_first_stage(latent=2, widths=(8, 16)):
    torch.manual_seed(0)
    model = stirred(KLAutoencoder(latent, widths=widths))
    model.measure(model.posterior(PICTURES)[0], 1)
    return model


def small_reader(**changes):
    torch.manual_seed(0)
    return recipes.reading_with_clip(**{"channels": 2, "size": 8, "widths": (8, 16), "reads": 1} | changes)


@pytest.fixture(scope="module")
def system():
    model = small_reader()
    stirred(model.unet)
    return latent.in_latents(model.eval(), small_first_stage())


@pytest.fixture(scope="module")
def in_pixels():
    model = small_reader(channels=3, size=32)
    stirred(model.unet)
    return TextToImage(model.eval(), latent.SCHEDULE, latent.LATENT_TARGET, limit=None)


# -- the first stage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", PRESETS)
def test_a_latent_has_places(size):
    model, factor = recipes.untrained_first_stage(size).eval(), int(size[1:])
    assert model.factor == factor
    for side in (32, 48):
        x = torch.randn(2, 3, side, side).clamp(-1, 1)
        z = model.encode(x)
        assert z.shape == (2, PRESETS[size]["latent"], side // factor, side // factor)
        assert model.decode(z).shape == x.shape and torch.equal(model(x), model.decode(z))
        assert [part.shape for part in model.posterior(x)] == [z.shape] * 2


def test_a_place_of_the_latent_is_that_place_of_the_picture():
    model, x = small_first_stage(), torch.zeros(1, 3, 32, 32)
    for row, column in ((1, 1), (17, 5), (30, 30)):
        changed = x.clone()
        changed[:, :, row, column] = 1
        moved = (model.encode(changed) - model.encode(x)).abs().sum(1)[0]
        there = divmod(int(moved.argmax()), 8)
        assert abs(there[0] - row // 4) <= 1 and abs(there[1] - column // 4) <= 1


def test_the_loss_is_the_squared_error_and_the_kl_of_torch_distributions():
    model, x = small_first_stage(), PICTURES
    torch.manual_seed(5)
    loss, parts = first_stage_loss(model, x, 0.3)
    torch.manual_seed(5)
    mu, logvar = model.posterior(x)
    q = Normal(mu, (logvar / 2).exp())
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum() / len(x)
    recon = (model.decoder(mu + q.stddev * torch.randn(mu.shape)) - x).square().sum() / len(x)
    assert parts["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
    assert parts["recon"].item() == pytest.approx(recon.item(), rel=1e-4)
    assert loss.item() == pytest.approx((recon + 0.3 * kl).item(), rel=1e-4)


def test_it_is_the_elbo_of_notebook_08_for_a_decoder_of_that_variance():
    """weight (recon / weight + KL), and recon / (2 variance) is what a Gaussian of variance weight / 2 costs."""
    model, x, weight = small_first_stage(), PICTURES, 0.2
    torch.manual_seed(5)
    loss, parts = first_stage_loss(model, x, weight)
    torch.manual_seed(5)
    y, std = model.decode(model.encode(x, drawn=True)), math.sqrt(weight / 2)
    least = Normal(0.0, std).log_prob(torch.zeros(())) * x[0].numel()
    elbo = Normal(y, std).log_prob(x).sum() / len(x) - parts["kl"]
    assert loss.item() == pytest.approx(weight * (least - elbo).item(), rel=1e-4)


def test_latents_have_standard_deviation_1():
    model = small_first_stage()
    assert model.scale.item() != 1 and model.encode(PICTURES).std().item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(model.encode(PICTURES) / model.scale, model.posterior(PICTURES)[0])


def test_the_scale_is_measured_in_training_and_nowhere_else():
    model = small_first_stage()
    before = model.scale.item()
    first_stage_loss(model, PICTURES)
    assert model.scale.item() == before
    for _ in range(150):
        first_stage_loss(model.train(), PICTURES)
    z = model.posterior(PICTURES)
    assert model.scale.item() == pytest.approx((z[0].var() + z[1].exp().mean()).item() ** -0.5, rel=0.02)


def test_the_loss_does_not_see_the_scale():
    losses = []
    for scale in (1.0, 7.0):
        model = small_first_stage()
        model.scale.fill_(scale)
        torch.manual_seed(1)
        losses.append(first_stage_loss(model, PICTURES)[0].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_decoder_learns_on_and_the_latents_stay():
    model = small_first_stage()
    model.encoder.requires_grad_(False)
    latents, before = model.encode(PICTURES), decoder_loss(model, PICTURES, 0.0)[0].item()
    assert before == pytest.approx((model(PICTURES) - PICTURES).square().flatten(1).sum(1).mean().item(), rel=1e-5)
    train(model, lambda step: PICTURES, decoder_loss, 12, label=None)
    assert torch.equal(model.encode(PICTURES), latents)
    assert decoder_loss(model, PICTURES, 0.0)[0] < 0.95 * before


def test_noise_in_latents_is_even_up_to_the_most():
    """A decoder that shows latents as they are: what is off is the noise, whose mean square is noise^2 / 3."""
    model, x = small_first_stage(), torch.zeros(3000, 3, 8, 8)
    model.encode = model.decode = lambda x: x
    found = decoder_loss(model, x, 0.6)[0] / x[0].numel()
    assert found.item() == pytest.approx(0.6**2 / 3, rel=0.05)


def test_a_drawn_latent_is_one_of_the_posterior():
    model, corner = small_first_stage(), PICTURES[:1, :, :16, :16]
    mu, logvar = model.posterior(corner)
    drawn = model.encode(corner.repeat(4000, 1, 1, 1), drawn=True)
    torch.testing.assert_close(drawn.std(0), model.scale * (logvar[0] / 2).exp(), rtol=0.06, atol=0)
    torch.testing.assert_close(drawn.mean(0) / drawn.std(0), model.scale * mu[0] / drawn.std(0), atol=0.08, rtol=0)


def test_the_scale_lies_in_the_checkpoint(tmp_path):
    model = small_first_stage()
    save(tmp_path / "x.safetensors", model, data="", seed=0, command="", metrics={})
    again = load_file(tmp_path / "x.safetensors")[0]
    assert again.scale.item() == pytest.approx(model.scale.item(), rel=1e-3)
    assert again.encode(PICTURES).std().item() == pytest.approx(1, abs=5e-3)


def test_what_a_first_stage_refuses():
    model = small_first_stage()
    for wrong in (torch.zeros(2, 1, 32, 32), torch.zeros(2, 3, 30, 32), torch.zeros(3, 32, 32)):
        with pytest.raises(ValueError, match="S a multiple of 4"):
            model.encode(wrong)
    for wrong in (torch.zeros(2, 3, 8, 8), torch.zeros(2, 128)):
        with pytest.raises(ValueError, match="expected latents"):
            model.decode(wrong)
    for sizes in ({"latent": 0}, {"widths": []}, {"widths": [12]}):
        with pytest.raises(ValueError, match="latent must be positive"):
            KLAutoencoder(**sizes)


def test_a_first_stage_learns_and_its_latents_end_with_standard_deviation_1():
    torch.manual_seed(0)
    model = KLAutoencoder(4, widths=(16, 16))
    history = train(model, batches.picture_batches(6, 2), first_stage_loss, 250, ema=0.98, label=None)
    assert sum(history.loss[-10:]) < 0.15 * sum(history.loss[:10])
    z = model.encode(torch.cat([scenes.make_scenes(40, 8)[0], scenes.make_pairs(20, 8)[0]]))
    assert z.std().item() == pytest.approx(1, abs=0.1)


# -- what it keeps -------------------------------------------------------------------------------------------------


class Nothing(torch.nn.Linear):
    """A first stage that loses nothing: its latents are the pictures, times a number."""

    def __init__(self, times=2.0):
        super().__init__(1, 1)
        self.times = times

    def encode(self, x):
        return self.times * x

    def decode(self, z):
        return z / self.times

    def forward(self, x):
        return self.decode(self.encode(x))


def test_a_round_trip_that_loses_nothing():
    found = latent.judge_first_stage(Nothing(), 20)
    assert [found[f"{kind}.{name}"] for kind in ("one", "two") for name in ("asked", "valid", "both", "mse")] == (
        [1, 1, 1, 0] * 2)
    pictures = torch.cat([latent.unseen_scenes(20, two)[0] for two in (False, True)])
    assert found["latent_std"] == pytest.approx(2 * pictures.std().item(), rel=1e-4)


def test_a_round_trip_through_grey_loses_everything():
    class Grey(Nothing):
        def decode(self, z):
            return 0 * z

    found = latent.round_trip(Grey(), 20)
    assert found["one.asked"] == found["two.valid"] == 0 and found["one.mse"] > 0.01


def test_between_two_pictures_pixels_are_a_double_exposure(system, in_pixels):
    a, b = PICTURES[:2], PICTURES[2:]
    for each in (system, in_pixels):
        way = latent.interpolated(each, a, b, 3)
        assert way.shape == (3, 2, 3, 32, 32)
        for end, picture in ((0, a), (2, b)):
            torch.testing.assert_close(way[end], each.decode(each.encode(picture)).clamp(-1, 1))
    torch.testing.assert_close(way[1], (a + b) / 2)
    middle = system.decode((system.encode(a) + system.encode(b)) / 2).clamp(-1, 1)
    torch.testing.assert_close(latent.interpolated(system, a, b, 3)[1], middle)


# -- the denoiser --------------------------------------------------------------------------------------------------


def test_prompts_are_read_by_clips_tower():
    model, clip = small_reader(), load("clip")[0]
    ids = TextToImage(model, latent.SCHEDULE, "flow").read(PROMPTS)
    read = model.read(ids)
    torch.testing.assert_close(read["context"], clip.text.tokens(ids))
    torch.testing.assert_close(read["vector"], clip.text(ids))
    assert not any(weight.requires_grad for weight in model.text.parameters())


def test_the_tower_learns_nothing_and_the_network_does():
    model, recipe = small_reader(channels=4), KNOWN[latent.LATENT_NETWORK].at("smoke")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    history = train(model, recipe.batches(12), recipe.loss, 12, ema=0.9, label=None)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert math.isfinite(history.loss[-1]) and moved and all(name.startswith("unet.") for name in moved)
    assert "unet.stem.weight" in moved and "unet.vector.weight" in moved
    assert any(".words." in name for name in moved), "words are read"


def test_latents_to_learn_from_are_means():
    first_stage = small_first_stage()
    make = batches.latent_batches(lambda: first_stage, 3, 1)
    found = []
    for log_variance in (-10.0, 3.0):
        first_stage.encoder.code.bias.data[2:] = log_variance
        torch.manual_seed(0)
        found.append(make(0)["images"])
    assert torch.equal(*found)


def test_a_batch_is_latents_and_what_people_may_type():
    first_stage = small_first_stage()
    batch = batches.latent_batches(lambda: first_stage, 30, 10)(0)
    words = Tokenizer(load("clip")[0].config["vocabulary"])
    assert batch["images"].shape == (40, 2, 8, 8) and not batch["images"].requires_grad
    assert batch["texts"].shape[0] == 40 and batch["texts"].max() < len(words)
    assert (batch["texts"] == UNK).float().mean() < 0.02
    said = [words.decode(row) for row in batch["texts"].tolist()]
    assert 0 < sum(not text for text in said) < 16, "some captions are left out"
    assert any("circle" in text for text in said) and any("원" in text for text in said)


def test_errors_of_a_network_that_answers_0():
    """The flow from picture to noise is 0, says it: so the guess is x_t, and it is off by u (eps - x0)."""
    model, first_stage = small_reader(), small_first_stage()
    found = latent.latent_errors(latent.in_latents(model.eval(), first_stage), n=100)
    pictures = scenes.make_scenes(100, 0)[0]
    power = first_stage.encode(pictures).square().mean().item()
    for t in latent.LATENT_TIMES:
        assert found[str(t)] == pytest.approx((t / 1000) ** 2 * (1 + power), rel=0.1)


# -- the system ----------------------------------------------------------------------------------------------------


def test_a_drawing_is_the_last_latent_decoded(system):
    x = system.draw(PROMPTS, 2.0, 3, 2)
    *_, (t, z, x0) = system.path(PROMPTS, 2.0, 3, 2)
    assert t == 0 and z.shape == (4, 2, 8, 8) and x.shape == (4, 3, 32, 32)
    torch.testing.assert_close(x, system.first_stage.decode(z).clamp(-1, 1))
    torch.testing.assert_close(system.both(PROMPTS, PROMPTS, 2.0, 3, 2), x, atol=1e-4, rtol=1e-4)


def test_latents_are_not_clamped(system):
    reach = max(x0.abs().max().item() for _, _, x0 in system.path(PROMPTS, 8, 3))
    assert reach > 1


def test_without_a_first_stage_pictures_stay_what_they_are(in_pixels):
    assert in_pixels.encode(PICTURES) is PICTURES and in_pixels.decode(PICTURES) is PICTURES


def test_unknown_words_are_refused(system):
    for call in (system.draw, lambda prompts: edits.image_to_image(system, PICTURES[:1], prompts, 0.5)):
        with pytest.raises(ValueError, match="never met: ꙮ"):
            call(["a red ꙮ"])


# -- from a picture ------------------------------------------------------------------------------------------------


def test_strength_0_is_the_picture_decoded_and_strength_1_forgets_it(system, in_pixels):
    for each in (system, in_pixels):
        kept = edits.image_to_image(each, PICTURES, PROMPTS, 0, steps=3)
        torch.testing.assert_close(kept, each.decode(each.encode(PICTURES)).clamp(-1, 1))
        new = edits.image_to_image(each, PICTURES, PROMPTS, 1, steps=3, seed=4)
        assert torch.equal(new, latent.drawn_in_latents(each, PROMPTS, steps=3, seed=4))
        assert torch.equal(new, edits.image_to_image(each, PICTURES.flip(0), PROMPTS, 1, steps=3, seed=4))


@pytest.mark.parametrize(("strength", "steps", "times"), [
    (0.5, 4, [500, 250]), (0.3, 10, [300, 200, 100]), (0.01, 50, [10]), (1, 2, [1000, 500]), (0.002, 1000, [2, 1]),
])
def test_of_the_steps_the_share_is_made_that_the_strength_says(system, monkeypatch, strength, steps, times):
    heard, denoise = [], system.denoise
    monkeypatch.setattr(system, "denoise", lambda x, t, **cond: heard.append((int(t[0]), x)) or denoise(x, t, **cond))
    edits.image_to_image(system, PICTURES, PROMPTS, strength, scale=1, steps=steps)
    assert [t for t, _ in heard] == times
    clean, noise = system.encode(PICTURES), system.noise(4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(heard[0][1], (1 - times[0] / 1000) * clean + times[0] / 1000 * noise)


@pytest.mark.parametrize("strength", [-0.1, 1.5, math.nan])
def test_a_strength_out_of_range_is_refused(system, strength):
    with pytest.raises(ValueError, match="from 0"):
        edits.image_to_image(system, PICTURES, PROMPTS, strength)


def test_a_place_is_hidden_where_any_of_its_pixels_is():
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[:, :, 7, 8:17] = True
    found = edits.hidden_places(mask, 4)
    assert found.dtype == torch.bool and found[0, 0].nonzero().tolist() == [[1, 2], [1, 3], [1, 4]]


def test_what_is_hidden_is_never_read_and_what_is_known_stays(system):
    mask = masks.box_at(8, 8).expand(4, 1, 32, 32)
    other = torch.where(mask, torch.rand(4, 3, 32, 32), PICTURES)
    first, again = (edits.repainted(system, x, mask, PROMPTS, steps=3, rounds=2) for x in (PICTURES, other))
    assert torch.equal(first, again)
    assert torch.equal(torch.where(mask, 0, first), torch.where(mask, 0, PICTURES))
    hidden = mask.expand_as(first)
    assert not torch.equal(first[hidden], PICTURES[hidden])
    new = edits.repainted(system, PICTURES, mask, PROMPTS[::-1], steps=3, rounds=2)
    assert not torch.equal(first, new), "the prompt is heard"


def test_every_step_is_decoded(system):
    times, noisy, guesses = latent.decoded_path(system, PROMPTS, steps=4, seed=1)
    assert times == [750, 500, 250, 0] and noisy.shape == guesses.shape == (4, 4, 3, 32, 32)
    torch.testing.assert_close(noisy[-1], latent.drawn_in_latents(system, PROMPTS, steps=4, seed=1))
    torch.testing.assert_close(noisy[-1], guesses[-1])
    assert not torch.allclose(noisy[0], guesses[0])


# -- the recipes ---------------------------------------------------------------------------------------------------


def test_names_are_of_what_they_are():
    assert list(KNOWN) == ["first-stage-scenes", "first-stage-scenes-f2", "first-stage-scenes-f8",
                           "first-stage-scenes-tuned", "latent-diffusion-scenes"]


@pytest.mark.parametrize("name", KNOWN)
def test_every_recipe_trains_at_smoke_size(name, tmp_path):
    model, card, history = run.train_recipe(KNOWN[name], "smoke", tmp_path)
    assert len(history.loss) == 20 and all(map(math.isfinite, card.metrics.values()))
    again, _ = load_file(tmp_path / f"{name}.smoke.safetensors")
    assert again.config == model.config
    wanted = {"latent_std", "one.mse", "two.both"} if "first" in name else {"one.en.asked", "two.ko.both"}
    assert wanted <= card.metrics.keys()
