"""What notebook 14's scores measure: each tells right from wrong on first stages and systems whose answer is known."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.data import scenes
from helpers.data.scenes import FACTORS, UNSAID
from helpers.lessons.stable_diffusion import experiments as latent
from helpers.lessons.stable_diffusion import measures, recipes, scores
from helpers.lessons.text_conditioned_diffusion.verdicts import understood
from helpers.models.kl_autoencoder import KLAutoencoder
from helpers.models.layers import CrossAttention, SelfAttention
from helpers.systems import edits
from helpers.training import tuning
from helpers.training.checkpoints import load

COLOUR = FACTORS.index("colour")


class Passes(nn.Linear):
    """A first stage that gives back what it gets, or a share of it."""

    def __init__(self, share=1.0):
        super().__init__(1, 1)
        self.share = share

    def encode(self, x):
        return self.share * x

    def decode(self, z):
        return z

    def forward(self, x):
        return self.encode(x)


@pytest.fixture(scope="module")
def system():
    """Tiny networks with random weights, none of them 0."""
    torch.manual_seed(0)
    model = recipes.reading_with_clip(channels=2, size=8, widths=(8, 16), reads=1).eval()
    for weight in model.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.1)
    return latent.in_latents(model, KLAutoencoder(2, widths=(8, 16)).eval())


# -- the first stage -----------------------------------------------------------------------------------------------


def test_noise_in_a_latent_is_noise_in_what_comes_back():
    found = [latent.back_from_noise(Passes(), noise, 40) for noise in (0, 0.03, 0.5)]
    assert found[0] == 1 and found[1] > 0.8 and found[2] == 0


def test_a_line_is_one_pixel_wide_and_can_be_seen():
    pictures = latent.unseen_scenes(30)[0]
    lined = measures.with_a_line(pictures)
    changed = (lined != pictures).any(1)                                                       # (30, 32, 32)
    assert (changed.any(2).sum(1) <= 1).all(), "one row of each picture"
    border = (changed & (pictures - pictures[:, :, :1, :1]).abs().amax(1).lt(0.01)).flatten(1)
    assert (border.sum(1) >= 8).all(), "on the ground of every picture it is another colour"
    assert len(set(changed.any(2).float().argmax(1).tolist())) > 10, "in many rows"


@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
def test_what_comes_back_of_a_line(share):
    assert measures.line_kept(Passes(share), 20) == pytest.approx(share, abs=1e-5)


def test_a_line_that_is_smeared_is_lost_in_part():
    class Smears(Passes):
        def encode(self, x):
            return nn.functional.avg_pool2d(nn.functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)

    assert measures.line_kept(Smears(), 20) == pytest.approx(1 / 3, abs=0.02)


def test_another_scale_changes_what_is_decoded_and_not_the_system(system):
    z = torch.randn(3, 2, 8, 8)
    before = system.first_stage.scale.item()
    other = measures.with_scale(system, 2.0)
    torch.testing.assert_close(other.decode(2 * z), measures.with_scale(system, 1.0).decode(z))
    assert system.first_stage.scale.item() == before and other.model is system.model


def test_noise_is_decoded_as_it_is(system):
    made = measures.decoded_noise(system, 5, seed=3)
    z = system.noise(5, torch.Generator().manual_seed(3))
    torch.testing.assert_close(made, system.first_stage.decode(z).clamp(-1, 1))
    assert scenes.parse(made).valid.sum() == 0


def test_half_way_between_two_pictures(system):
    found = measures.midway(system, 3)
    a, b = latent.unseen_scenes(6)[0].split(3)
    torch.testing.assert_close(found["pixels"], (a + b) / 2)
    torch.testing.assert_close(found["latents"], latent.interpolated(system, a, b, 3)[1])
    assert found["drawn"].shape == a.shape and not torch.equal(found["drawn"], found["latents"])


# -- edits ---------------------------------------------------------------------------------------------------------


def test_a_recolouring_names_another_colour_and_nothing_else():
    pictures, prompts, wanted = measures.recolourings(40)
    factors = scenes.parse(pictures).factors
    others = torch.arange(len(FACTORS)) != COLOUR
    assert torch.equal(wanted[:, others], factors[:, others]) and (wanted[:, COLOUR] != factors[:, COLOUR]).all()
    for text, row in zip(prompts, wanted, strict=True):
        said = understood(text)[0].said
        assert said[COLOUR] == row[COLOUR] and (said[others] == UNSAID).all()


@pytest.mark.parametrize(("draw", "expected"), [
    (lambda pictures, wanted: scenes.draw(wanted), {"obeyed": 1, "kept": 1, "both": 1, "valid": 1}),
    (lambda pictures, wanted: pictures, {"obeyed": 0, "kept": 1, "both": 0, "valid": 1}),
    (lambda pictures, wanted: 0 * pictures, {"both": 0, "valid": 0}),
])
def test_shares_of_an_edit(monkeypatch, draw, expected):
    wanted = measures.recolourings(30)[2]
    monkeypatch.setattr(edits, "image_to_image", lambda system, pictures, *rest: draw(pictures, wanted))
    found = measures.edit_shares(None, 0.5, 30)
    assert set(found) == {"obeyed", "kept", "both", "valid"}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_an_edit_that_moves_the_object_keeps_four_of_five(monkeypatch):
    wanted = measures.recolourings(30)[2]
    moved = wanted.clone()
    moved[:, 3] = (moved[:, 3] + 1) % 3
    monkeypatch.setattr(edits, "image_to_image", lambda *given: scenes.draw(moved))
    found = measures.edit_shares(None, 0.5, 30)
    assert found["kept"] == pytest.approx(0.8) and found["obeyed"] == 1 and found["both"] == 0


def test_shares_of_what_is_repainted(monkeypatch):
    seen = {}

    def restores(system, pictures, mask, prompts):
        seen.update(mask=mask, prompts=prompts)
        return pictures

    monkeypatch.setattr(edits, "repainted", restores)
    assert measures.repaint_shares(None, 12) == {"asked": 1, "valid": 1, "both": 1}
    assert seen["mask"].shape == (12, 1, 32, 32) and seen["mask"].dtype == torch.bool and len(seen["prompts"]) == 12
    monkeypatch.setattr(edits, "repainted", lambda system, pictures, mask, prompts: pictures.masked_fill(mask, -1))
    assert measures.repaint_shares(None, 12)["both"] < 0.5


# -- costs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "given", "expected"), [
    (nn.Conv2d(3, 5, 3, padding=1), (torch.zeros(1, 3, 8, 8),), 5 * 64 * 3 * 9),
    (nn.Conv2d(4, 4, 3, padding=1, groups=2), (torch.zeros(1, 4, 8, 8),), 4 * 64 * 2 * 9),
    (nn.Linear(7, 2), (torch.zeros(3, 7),), 3 * 7 * 2),
    (nn.Linear(7, 2, bias=False), (torch.zeros(3, 5, 7),), 15 * 7 * 2),
    (SelfAttention(8, 2), (torch.zeros(1, 6, 8),), 4 * 6 * 64 + 2 * 36 * 8),
    (CrossAttention(8, 4, 2), (torch.zeros(1, 6, 8), torch.zeros(1, 3, 4)), 2 * 6 * 64 + 2 * 3 * 32 + 2 * 18 * 8),
])
def test_multiply_adds_of_a_layer(layer, given, expected):
    assert measures.counted_multiply_adds(lambda: layer(*given)) == expected


def test_multiply_adds_are_half_of_the_operations_that_torch_counts(system):
    x, cond = torch.zeros(1, 2, 8, 8), system.model.read(system.read(["a red circle"]))
    with torch.no_grad(), FlopCounterMode(display=False) as theirs:
        system.model(x, torch.tensor([500]), **cond)
    assert 2 * measures.step_multiply_adds(system) == theirs.get_total_flops() > 0


def test_seconds_are_medians_of_turns(monkeypatch):
    clock, asked = iter(range(1000)), []

    class Draws:
        def __init__(self, name):
            self.name = name

        def draw(self, prompts, steps):
            asked.append((self.name, len(prompts), steps))

    monkeypatch.setattr(measures.time, "perf_counter", lambda: next(clock) ** 2)
    found = measures.drawing_seconds({"a": Draws("a"), "b": Draws("b")}, 3, 4, repeats=3)
    assert asked == [("a", 3, 4), ("b", 3, 4)] * 4, "in turns, the first not counted"
    assert found["a"] < found["b"], "the clock of this test runs faster and faster"


# -- scores --------------------------------------------------------------------------------------------------------


def test_every_group_yields_scores_of_its_name(monkeypatch, system):
    """With tiny networks and few pictures, so that a group that breaks is seen before the networks are trained."""
    class Card:
        metrics = {"training_seconds": 120.0}


    first_stage = KLAutoencoder(2, widths=(8, 16)).eval()
    monkeypatch.setattr(scores, "load", lambda name: (first_stage, Card()))
    monkeypatch.setattr(scores, "system", lambda: system)
    monkeypatch.setattr(scores.prompted, "shipped_system", lambda: system)
    monkeypatch.setattr(tuning, "read", lambda: {scores.timed(): {"latents_seconds": 2.0, "pixels_seconds": 6.0}})
    monkeypatch.setattr(scores, "PROMPTS_DRAWN", 2)
    monkeypatch.setattr(scores, "PICTURES_TRIED", 2)
    monkeypatch.setattr(scores.prompted, "PROMPT_STEPS", 1)
    for part, name in ((latent, "round_trip"), (latent, "latents_of"), (latent, "latent_errors"),
                       (measures, "line_kept"), (measures, "repaint_shares")):
        monkeypatch.setattr(part, name, with_few(getattr(part, name)))
    monkeypatch.setattr(scores, "drawn", scores.drawn.__wrapped__)
    names = set()
    for prefix, group in scores.groups():
        found = [score.name for score in group()]
        assert found and all(name.startswith(f"{prefix}.") or name == prefix for name in found)
        assert not names & set(found)
        names |= set(found)
    assert {"latent.trip.4.one.valid", "latent.std", "latent.edit.0.5.kept", "latent.seconds.ratio"} <= names


def with_few(function):
    return lambda *given, **options: function(*given, **options | {"n": 4})


def test_the_shipped_first_stage_gives_latents_of_standard_deviation_1():
    z = latent.latents_of(load(latent.FIRST_STAGE)[0], 100)
    assert z.std().item() == pytest.approx(1, abs=0.1)
