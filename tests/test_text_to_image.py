"""Text to image: what a prompt may be, what a seed fixes, guidance and composition, and the maps of words."""

import math

import pytest
import torch

from helpers.data.text import EOS, SPECIALS, Tokenizer
from helpers.diffusion.forward import flow_schedule
from helpers.diffusion.guidance import composed, guided
from helpers.models.glide import GLIDE
from helpers.systems.text_to_image import END, TextToImage, layer_maps

WORDS = [*SPECIALS, "▁", "▁a", "▁red", "▁blue", "▁circle", "▁빨간", "▁원", "이", "s", "q", "u", "▁s", "."]
UNET = {"size": 16, "widths": (8, 8, 16)}


@pytest.fixture(scope="module")
def system():
    """A tiny network with random weights, also where training would start at 0: else no word would matter."""
    torch.manual_seed(0)
    model = GLIDE(WORDS, {"width": 8, "depth": 1, "heads": 2, "context": 16}, UNET).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return TextToImage(model, flow_schedule(100), "flow")


def start(system, *arguments, **options):
    """The noise that a drawing starts from, as the first step shows it: x0 and x_s give x_T."""
    found = []
    denoise, system.denoise = system.denoise, lambda x, t, **cond: found.append(x) or denoise(x, t, **cond)
    try:
        next(system.path(*arguments, **options))
    finally:
        system.denoise = denoise
    return found[0]


# -- prompts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prompts", "says"), [
    ("a red circle", "as a list"), ([], "empty"), (["a red dinosaur"], "never met: dinosaur"),
    (["a " * 40], "say it shorter"), (["a" * 10_000], "10,000 characters"), (["a \ud83d"], "half a character"),
])
def test_what_a_prompt_may_not_be(system, prompts, says):
    for call in (system.read, system.draw):
        with pytest.raises(ValueError, match=says):
            call(prompts)


def test_an_empty_prompt_is_no_caption(system):
    assert system.read(["", " \u200b "]).tolist() == [[EOS], [EOS]]
    torch.testing.assert_close(system.draw([""], 7, 2), system.draw(["a red circle"], 0, 2))
    assert system.known("") == ("", "no caption: anything may come")


def test_unknown_words_are_left_out_and_named(system):
    assert system.known("a red circle") == ("a red circle", "")
    assert system.known("a red dinosaur circle. 용") == ("a red circle.", "not read: dinosaur, 용")
    kept, note = system.known("dinosaur")
    assert kept == "" and "not read: dinosaur" in note and "no caption" in note


@pytest.mark.parametrize(("options", "says"), [
    ({"scale": 1000}, "from -30 to 30"), ({"scale": math.nan}, "from -30"), ({"scale": math.inf}, "from -30"),
    ({"scale": -31}, "from -30"), ({"steps": 0}, "steps is a whole number"), ({"steps": 101}, "from 1 to 100"),
    ({"steps": 2.5}, "whole number"), ({"eta": -1}, "eta"), ({"eta": math.inf}, "eta"),
    ({"keep_away": "a dinosaur"}, "never met"),
])
def test_settings_out_of_range_are_refused(system, options, says):
    with pytest.raises(ValueError, match=says):
        system.draw(["a red circle"], **options)


# -- pictures --------------------------------------------------------------------------------------


def test_pictures_are_in_range_and_follow_the_prompt(system):
    x = system.draw(["a red circle", "빨간 원이"], steps=3)
    assert x.shape == (2, 3, 16, 16) and x.min() >= -1 and x.max() <= 1 and x.isfinite().all()
    other = system.draw(["a blue circle", "빨간 원이"], steps=3)
    assert not torch.equal(x[0], other[0]) and torch.allclose(x[1], other[1], atol=1e-5)


def test_a_seed_fixes_the_noise_and_nothing_else_does(system):
    first = start(system, ["a red circle"], seed=3)
    assert torch.equal(first, start(system, ["빨간 원"], 7.5, 50, seed=3, eta=1))
    assert torch.equal(first[0], start(system, ["", "a", "a red"], 0, seed=3)[0])
    assert not torch.equal(first, start(system, ["a red circle"], seed=4))
    two = start(system, ["a", "a"], seed=3)
    assert not torch.equal(two[0], two[1]) and two.std().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(system.draw(["a"], steps=3, eta=1, seed=5), system.draw(["a"], steps=3, eta=1, seed=5))


def test_a_path_is_what_the_sampler_yields(system):
    path = list(system.path(["a red circle"], 2, 4))
    assert [t for t, _, _ in path] == [75, 50, 25, 0]
    torch.testing.assert_close(path[-1][1], path[-1][2])  # at t = 0 the picture is the last guess
    assert torch.equal(path[-1][1].clamp(-1, 1), system.draw(["a red circle"], 2, 4))


def test_keep_away_takes_the_place_of_no_caption(system):
    prompt, away = ["a red circle"], "a blue circle"
    torch.testing.assert_close(system.draw(prompt, 0, 3, keep_away=away), system.draw([away], 1, 3))
    torch.testing.assert_close(system.draw(prompt, 1, 3, keep_away=away), system.draw(prompt, 1, 3))
    assert not torch.allclose(system.draw(prompt, 3, 3, keep_away=away), system.draw(prompt, 3, 3))


# -- composition -----------------------------------------------------------------------------------


def test_composing_a_prompt_with_itself_is_that_prompt(system):
    prompt = ["a red circle"]
    torch.testing.assert_close(system.both(prompt, prompt, 3, 3), system.draw(prompt, 3, 3))
    mixed = system.both(prompt, ["blue"], 3, 3)
    torch.testing.assert_close(mixed, system.both(["blue"], prompt, 3, 3))
    assert not torch.allclose(mixed, system.draw(prompt, 3, 3), atol=1e-3)
    with pytest.raises(ValueError, match="pairs"):
        system.both(prompt, [])


def test_composed_is_the_mean_of_the_directions():
    def model(x, t, c):
        return x * 0 + c

    x = torch.zeros(1, 2)
    found = composed(model, [{"c": 1.0}, {"c": 5.0}], {"c": -1.0}, 2.0)(x, 0)
    assert found.unique().item() == -1 + 2 * ((1 - -1) + (5 - -1)) / 2
    product = composed(model, [{"c": 1.0}, {"c": 5.0}], {"c": -1.0}, 2)(x, 0)  # scale n: a + b - uncond
    assert product.unique().item() == 1 + 5 - -1
    one = composed(model, [{"c": 5.0}], {"c": -1.0}, 3.0)(x, 0)
    assert torch.equal(one, guided(model, {"c": 5.0}, {"c": -1.0}, 3.0)(x, 0))
    for bad in (([], 2.0), ([{"c": 1.0}], math.nan)):
        with pytest.raises(ValueError):
            composed(model, bad[0], {"c": 0.0}, bad[1])


# -- attention -------------------------------------------------------------------------------------


def test_each_typed_word_has_a_map_and_all_sum_to_one(system):
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = system.attention(["a red circles.", "빨간 원이"], x, 50)
    assert [names for names, _ in found] == [["a", "red", "circles.", END], ["빨간", "원이", END]]
    for names, maps in found:
        assert maps.shape == (len(names), 16, 16) and maps.min() >= 0
        torch.testing.assert_close(maps.sum(0), torch.ones(16, 16))
    assert found[0][1].flatten(1).std(1).max() > 1e-3, "places differ"


def test_maps_are_the_mean_over_layers_of_the_sum_over_tokens(system):
    """By hand, from the weights of each layer: two of the coarsest levels read, on the way down, amid, and up."""
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    ids = system.read(["빨간 원이"])
    assert Tokenizer(WORDS).tokens("빨간 원이") == ["▁빨간", "▁원", "이"]
    layers = layer_maps(system.model, x, 50, ids)
    assert [part.shape[2] for part in layers] == [8, 4, 4, 4, 8]
    expected = sum(part.repeat_interleave(16 // part.shape[2], 2).repeat_interleave(16 // part.shape[3], 3)
                   for part in layers) / 5
    (_, maps), = system.attention(["빨간 원이"], x, 50)
    torch.testing.assert_close(maps[1], expected[0, 1] + expected[0, 2])


def test_no_hook_is_left(system):
    system.attention(["a"], torch.zeros(1, 3, 16, 16), 50)
    assert not any(layer._forward_pre_hooks for layer in system.model.modules())


def test_guesses_stay_in_the_range_of_pictures_unless_they_may_leave_it(system):
    free = TextToImage(system.model, system.schedule, "flow", limit=None)
    reach = [max(x0.abs().max().item() for _, _, x0 in each.path(["a red circle"], 20, 4)) for each in (system, free)]
    assert reach[0] <= 1 < reach[1]
