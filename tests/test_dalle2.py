"""Notebook 17's system with tiny networks: text to picture, variations, text diffs, outpainting; and its exercises."""

import pytest
import torch
import torch.nn.functional as F
from tiny_dalle2 import PICTURES, tiny_filler, tiny_system

from helpers.data import scenes
from helpers.lessons.dalle2 import exercises, upsampling
from helpers.metrics.pca import PCA
from helpers.models.upsampler import upsampling_unet
from helpers.models.vae import slerp
from helpers.systems import edits, filling, variations
from helpers.systems.dalle2 import DALLE2

PROMPTS = ["a red circle", "a blue star", "red"]


@pytest.fixture(scope="module")
def system():
    return tiny_system()


@pytest.fixture(scope="module")
def filler():
    return tiny_filler()


# -- text in, picture out ------------------------------------------------------------------------------------------


def test_a_prompt_becomes_a_picture_by_way_of_z(system):
    z = system.imagine(PROMPTS, seed=3)
    x = system.draw(PROMPTS, seed=3, steps=4)
    assert x.shape == (3, 3, 32, 32) and x.abs().max() <= 1
    torch.testing.assert_close(x, system.decode(z, seed=3, steps=4))
    large = DALLE2(system.clip, system.prior, system.decoder, upsampling.as_upsampler(upsampling_unet(64, (8,)), 2))
    assert large.draw(PROMPTS[:1], steps=2).shape == (1, 3, 64, 64)


def test_what_is_imagined_has_length_1_and_is_the_better_of_two(system):
    z_text = system.embed_texts(PROMPTS)
    two = system.imagine(PROMPTS, seed=1, steps=6)
    torch.testing.assert_close(two.norm(dim=1), torch.ones(3))
    chance = torch.Generator().manual_seed(1)
    first, second = torch.randn(6, 8, generator=chance).split(3)
    assert not torch.equal(first, second)
    many = system.imagine(PROMPTS, seed=1, steps=6, samples=8)
    assert ((many * z_text).sum(1) >= (system.imagine(PROMPTS, seed=1, steps=6, samples=1) * z_text).sum(1)).sum() >= 2
    assert torch.equal(two, system.imagine(PROMPTS, seed=1, steps=6))
    assert not torch.allclose(two, system.imagine(PROMPTS, seed=2, steps=6))
    with pytest.raises(ValueError, match="one sample or more"):
        system.imagine(PROMPTS, samples=0)


def test_the_best_sample_is_picked_for_each_prompt(system, monkeypatch):
    """A sampler that ends with known points: of each prompt's two the one along z_t is taken."""
    z_text = system.embed_texts(PROMPTS)
    first, second = torch.stack([z_text[0], -z_text[1], z_text[2]]), torch.stack([-z_text[0], z_text[1], -z_text[2]])
    end = (0, 7 * torch.cat([first, second]), None)
    monkeypatch.setattr("helpers.systems.dalle2.sample", lambda *given, **more: iter([end]))
    torch.testing.assert_close(system.imagine(PROMPTS), z_text)


def test_guidance_leads_away_from_no_caption(system):
    """At scale 0 the prior hears no prompt; at 1 it does."""
    none = system.imagine(["", "", ""], steps=4)
    torch.testing.assert_close(system.imagine(PROMPTS, steps=4, scale=0.0, samples=1),
                               system.imagine(["", "", ""], steps=4, samples=1))
    assert not torch.allclose(system.imagine(PROMPTS, steps=4), none)


def test_the_decoder_is_told_z_and_the_text(system):
    z = system.imagine(PROMPTS, steps=4)
    alone, other, said = (system.decode(*told, steps=3) for told in ((z,), (z.flip(0),), (z, PROMPTS)))
    assert not torch.allclose(alone, other) and not torch.allclose(alone, said)
    start = system.decoder.noise(3, torch.Generator().manual_seed(9))
    torch.testing.assert_close(system.decode(z, steps=3, seed=9, eta=0.0),
                               system.decode(z, steps=3, seed=1, eta=0.0, x=start))


def test_what_is_refused(system):
    for wrong, words in (("a red circle", "as a list"), ([], "empty"), (["a zebra"], "never met: zebra")):
        with pytest.raises(ValueError, match=words):
            system.imagine(wrong)


# -- taken apart ---------------------------------------------------------------------------------------------------


def test_a_picture_comes_back_from_its_z_and_its_noise(system):
    z, x = variations.taken_apart(system, PICTURES, 200)
    torch.testing.assert_close(z, system.clip.encode_image(PICTURES))
    again = variations.put_together(system, z, x, 200)
    through = system.decoder.decode(system.decoder.encode(PICTURES)).clamp(-1, 1)
    assert (again - through).abs().mean() < 0.05
    noise = system.decoder.noise(3, torch.Generator().manual_seed(0))
    assert (variations.put_together(system, z, noise, 60) - through).abs().mean() > 0.1, "another noise"


@pytest.fixture
def few_steps(monkeypatch):
    """What is taken apart in few steps, for tests that do not ask how well."""
    monkeypatch.setattr(variations.taken_apart, "__defaults__", (4,))
    monkeypatch.setattr(variations.put_together, "__defaults__", (4, *variations.put_together.__defaults__[1:]))


def test_variations_keep_z_and_change_the_rest(system, few_steps):
    z, x = variations.taken_apart(system, PICTURES)
    torch.testing.assert_close(variations.variations(system, PICTURES, 0.0), variations.put_together(system, z, x))
    varied = variations.variations(system, PICTURES, 1.0, seed=1)
    assert not torch.allclose(varied, variations.variations(system, PICTURES, 1.0, seed=2))


def test_the_way_between_two_pictures_has_them_at_its_ends(system, few_steps):
    a, b = PICTURES[:2], PICTURES[1:]
    way = variations.on_the_way(system, a, b, (0.0, 0.5, 1.0))
    assert way.shape == (3, 2, 3, 32, 32)
    for end, pictures in ((0, a), (2, b)):
        expected = variations.put_together(system, *variations.taken_apart(system, pictures))
        assert (way[end] - expected).abs().max() < 0.02
    assert (way[1] - way[0]).abs().max() > 0.02


def test_a_text_diff_turns_z_towards_the_difference_and_keeps_the_noise(system, few_steps, monkeypatch):
    z, x = variations.taken_apart(system, PICTURES)
    after = PROMPTS[1:] + PROMPTS[:1]
    heard = []
    monkeypatch.setattr(variations, "put_together", lambda system, z, x, **more: heard.append((z, x)) or PICTURES)
    variations.text_diff(system, PICTURES, PROMPTS, after, (0.0, 0.5))
    torch.testing.assert_close(heard[0][0], z, atol=1e-5, rtol=1e-4)
    z_d = F.normalize(system.embed_texts(after) - system.embed_texts(PROMPTS), dim=1)
    torch.testing.assert_close(heard[1][0], slerp(z, z_d, 0.5))
    assert ((heard[1][0] * z_d).sum(1) > (z * z_d).sum(1)).all(), "towards it"
    for _, noise in heard:
        torch.testing.assert_close(noise, x)
    with pytest.raises(ValueError, match="mean the same"):
        variations.text_diff(system, PICTURES, PROMPTS, PROMPTS)


def test_all_components_of_z_are_z(system):
    pca = PCA.fit(system.embed(scenes.make_scenes(60, 2)[0]), 8)
    drawn = variations.in_fewer_numbers(system, pca, PICTURES, (1, 8), steps=3)
    torch.testing.assert_close(drawn[1], system.decode(system.embed(PICTURES), steps=3), atol=1e-2, rtol=0)
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-2)


# -- filled in -----------------------------------------------------------------------------------------------------


def test_a_network_fills_in_what_is_hidden_and_nothing_else(filler):
    mask = torch.zeros(3, 1, 32, 32, dtype=torch.bool)
    mask[..., 16:] = True
    drawn = filling.filled_by_network(filler, PICTURES, mask, PROMPTS, steps=3)
    assert torch.equal(drawn[..., :16], PICTURES[..., :16]) and not torch.equal(drawn[..., 16:], PICTURES[..., 16:])
    other = torch.where(mask, 0.5, PICTURES)
    torch.testing.assert_close(drawn, filling.filled_by_network(filler, other, mask, PROMPTS, steps=3))
    whole = filling.filled_by_network(filler, PICTURES, mask, PROMPTS, steps=3, pasted=False)
    torch.testing.assert_close(whole[..., 16:], drawn[..., 16:])
    assert not torch.equal(whole[..., :16], PICTURES[..., :16])
    said_nothing = filling.filled_by_network(filler, PICTURES, mask, [""] * 3, steps=3)
    assert not torch.allclose(drawn, said_nothing)


def test_outpainting_keeps_what_is_known_and_reaches_every_pixel(filler):
    canvases, hidden = edits.extended(PICTURES, right=24, top=8)
    grown = filling.outpainted(filler, canvases, hidden, PROMPTS, steps=2)
    assert grown.shape == (3, 3, 40, 56)
    assert torch.equal(grown[:, :, 8:, :32], PICTURES)
    assert (grown[:, :, :, 32:] != 0).float().mean() > 0.99
    again = filling.outpainted(filler, torch.where(hidden, 0.7, canvases), hidden, PROMPTS, steps=2)
    torch.testing.assert_close(grown, again)


# -- exercises -----------------------------------------------------------------------------------------------------


def verdict(exercise, answer, capsys):
    exercise.check(answer)
    return capsys.readouterr().out


@pytest.mark.parametrize(("answer", "says"), [
    (slerp, "✓"), (torch.lerp, "leaves the sphere"),
    (lambda a, b, share: F.normalize(torch.lerp(a, b, share), dim=1), "not at an even pace"),
    (lambda a, b, share: slerp(b, a, share), "a stands at 0"), (lambda a, b, share: 2 * slerp(a, b, share), "lengths"),
    (lambda a, b, share: slerp(a, b, share**2), "at 0.5"), (lambda a, b, share: ..., "○"),
])
def test_along_the_sphere(answer, says, capsys):
    assert says in verdict(exercises.on_the_sphere(), answer, capsys)


def turned(z, before, after, theta):
    return slerp(z, F.normalize(after - before, dim=1), theta)


@pytest.mark.parametrize(("answer", "says"), [
    (turned, "✓"), (lambda z, a, b, theta: turned(z, b, a, theta), "the other way round"),
    (lambda z, a, b, theta: slerp(z, b, theta), "follow the difference"),
    (lambda z, a, b, theta: slerp(z, b - a, theta), "length 1"),
    (lambda z, a, b, theta: turned(z, a, b, 1 - theta), "theta"),
    (lambda z, a, b, theta: F.normalize(z + theta * F.normalize(b - a, dim=1), dim=1), "do not add"),
    (lambda z, a, b, theta: z + theta * (b - a), "do not add"), (lambda *given: ..., "○"),
])
def test_told_by_a_text(answer, says, capsys):
    assert says in verdict(exercises.told_by_a_text(), answer, capsys)


@pytest.mark.parametrize(("answer", "says"), [
    (exercises.passes_of, "✓"), (lambda stages: sum(steps for steps, _ in stages), "asks twice"),
    (lambda stages: 2 * sum(steps for steps, _ in stages), "of 0 or 1"),
    (lambda stages: sum(steps * (1 if scale == 1 else 2) for steps, scale in stages), "of 0 or 1"),
    (lambda stages: 7, "7 passes; expected"), (lambda stages: 2.0, "a whole number"), (lambda stages: ..., "○"),
])
def test_count_the_passes(answer, says, capsys):
    assert says in verdict(exercises.count_the_passes(), answer, capsys)


def window(pictures, pixels):
    canvas, hidden = edits.extended(pictures, right=pixels)
    return canvas[..., pixels:], hidden[..., pixels:].expand(len(pictures), 1, -1, -1)


@pytest.mark.parametrize(("answer", "says"), [
    (window, "✓"), (lambda x, k: (window(x, k)[0], ~window(x, k)[1]), "True is *hidden*"),
    (lambda x, k: (window(x, k)[0], window(x, k)[1].flip(3)), "lies on its right"),
    (lambda x, k: (x, window(x, k)[1]), "moves to the left"),
    (lambda x, k: (x.roll(-k, 3), window(x, k)[1]), "is blank"),
    (lambda x, k: (window(x, k)[0], window(x, k)[1].float()), "boolean"), (lambda x, k: x, "two things"),
    (lambda x, k: window(x, k + 1)[::1], "columns are hidden"), (lambda x, k: ..., "○"),
])
def test_one_step_outwards(answer, says, capsys):
    assert says in verdict(exercises.one_step_outwards(), answer, capsys)
