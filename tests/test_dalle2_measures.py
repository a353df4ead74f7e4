"""What notebook 17 measures, on answers that are known: by who copies, who knows nothing, and tiny networks."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny_dalle2 import tiny_filler, tiny_system
from torch import nn

from helpers.data import masks, scenes
from helpers.data.scenes import UNSAID
from helpers.lessons.dalle2 import experiments as own
from helpers.lessons.dalle2 import measures, upsampling
from helpers.lessons.text_conditioned_diffusion.verdicts import understood
from helpers.models.upsampler import bicubic
from helpers.training.checkpoints import load

PROMPTS = ["a red circle", "a blue star", "red"]


@pytest.fixture(scope="module")
def system():
    return tiny_system()


@pytest.fixture(scope="module")
def known():
    return own.EmbeddedScenes(load("clip")[0], 600, own.KNOWN_SEED)


@pytest.fixture(scope="module")
def new():
    return own.EmbeddedScenes(load("clip")[0], 100, 4)


# -- from z_t to z_i -----------------------------------------------------------------------------------------------


def test_embedded_scenes_are_pictures_of_their_captions(new):
    assert (scenes.parse(new.pictures).factors == new.factors).all()
    said = torch.stack([understood(text)[0].said for text in new.texts[:20]])
    assert torch.equal(said, new.factors[:20])
    torch.testing.assert_close(new.z_image, load("clip")[0].encode_image(new.pictures))
    assert ((new.z_text * new.z_image).sum(1).mean() > (new.z_text * new.z_image.roll(1, 0)).sum(1).mean() + 0.1)


def test_regression_finds_what_is_linear(known):
    turn = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(0))).Q
    turned = F.normalize(known.z_text @ turn, dim=1)
    pairs = type("", (), {"z_text": known.z_text, "z_image": turned})
    torch.testing.assert_close(own.regression(pairs, known.z_text[:9]), turned[:9], atol=1e-2, rtol=0)


def test_the_nearest_caption_gives_its_picture(known):
    order = [5, 0, 77]
    torch.testing.assert_close(own.nearest_caption(known, known.z_text[order]), known.z_image[order])


def test_probes_read_true_pictures_and_not_captions(known, new):
    probes = own.factor_probes(known)
    rows = own.bridge_figures({"picture": new.z_image, "other": new.z_image.roll(1, 0)}, probes, new)
    assert rows["picture"]["all_six"] > 0.3 and rows["other"]["all_six"] < 0.1
    assert rows["picture"]["cosine"] == pytest.approx(1, abs=1e-5) and rows["other"]["cosine"] < 0.9
    assert rows["picture"]["gap"] == pytest.approx(0, abs=1e-5)
    shifted = own.bridge_figures({"far": -new.z_image}, probes, new)["far"]
    assert shifted["gap"] == pytest.approx(2 * new.z_image.mean(0).norm().item(), rel=1e-3)


def test_many_prompts_are_imagined_in_parts(system, monkeypatch):
    monkeypatch.setattr(own, "PROMPTS_AT_ONCE", 2)
    z = own.imagined(system, PROMPTS, 5, steps=3)
    torch.testing.assert_close(z[:2], system.imagine(PROMPTS[:2], 5, steps=3))
    torch.testing.assert_close(z[2:], system.imagine(PROMPTS[2:], 6, steps=3))
    x = own.drawn_from_z(system, z, PROMPTS, 5, steps=2)
    torch.testing.assert_close(x[2:], system.decode(z[2:], PROMPTS[2:], steps=2, seed=6))


# -- what z_i holds, and what is drawn -----------------------------------------------------------------------------


def test_shares_of_what_is_kept():
    pictures, factors = scenes.make_scenes(20, 3)
    assert set(measures.kept_shares(pictures, factors).values()) == {1.0}
    wrong = factors.clone()
    wrong[:5, measures.COLOUR] = (wrong[:5, measures.COLOUR] + 1) % 8
    found = measures.kept_shares(pictures, wrong)
    assert found["colour"] == found["all_six"] == 0.75 and found["shape"] == 1
    assert measures.kept_shares(0 * pictures, factors)["valid"] == 0


@pytest.mark.parametrize(("vary", "kept", "moves"), [
    (lambda system, x, eta, seed: x, 1, False),
    (lambda system, x, eta, seed: scenes.draw(scenes.parse(x).factors), 1, True),
    (lambda system, x, eta, seed: 0 * x, 0, None),
])
def test_a_variation_may_move_within_what_has_a_name(vary, kept, moves, monkeypatch):
    monkeypatch.setattr(measures.apart, "variations", vary)
    found = measures.variation_shares(None, 1.0, 20)
    assert found["all_six"] == kept
    assert math.isnan(found["moved"]) if moves is None else (found["moved"] > 0.01) == moves


def test_how_often_drawings_differ_where_the_prompt_is_open():
    said = torch.tensor([[0, UNSAID, 0, 0, 0, UNSAID]])
    a, b = torch.zeros(1, 6, dtype=torch.long), torch.tensor([[9, 1, 9, 9, 9, 0]])
    assert measures.differing(torch.stack([a, a]), said) == 0
    assert measures.differing(torch.stack([a, b]), said) == 0.5, "what was said does not count"
    assert measures.differing(torch.stack([a, a, b]), said) == pytest.approx(1 / 3)


def test_diverse_and_right_of_who_knows_the_answers():
    def obedient(texts, seed, free):
        said = torch.stack([understood(text)[0].said for text in texts])
        other = scenes.sample_factors(len(said), torch.Generator().manual_seed(seed if free else 0))
        return scenes.draw(torch.where(said == UNSAID, other, said))

    free, always = (measures.diverse_and_right(lambda texts, seed, free=free: obedient(texts, seed, free), 12, 3)
                    for free in (True, False))
    assert free["asked"] == free["valid"] == always["asked"] == 1
    assert always["diverse"] == 0 and free["diverse"] > 0.4


@pytest.mark.parametrize(("turn", "expected"), [
    (lambda x, after: scenes.draw(after), {"obeyed": 1, "kept": 1, "both": 1, "valid": 1}),
    (lambda x, after: x, {"obeyed": 0, "kept": 1, "both": 0, "valid": 1}),
    (lambda x, after: scenes.draw(after.roll(1, 0)), {"both": 0, "valid": 1}),
])
def test_shares_of_text_diffs(turn, expected, monkeypatch):
    def text_diff(system, pictures, before, after, thetas):
        wanted = torch.stack([understood(text)[0].said for text in after])
        was = torch.stack([understood(text)[0].said for text in before])
        assert (scenes.parse(pictures).factors == was).all()
        assert ((was != wanted).sum(1) == 1).all() and (was != wanted)[:, measures.COLOUR].all()
        return turn(pictures, wanted)[None]

    monkeypatch.setattr(measures.apart, "text_diff", text_diff)
    found = measures.diff_shares(None, (0.25,), 20)[0.25]
    assert {name: found[name] for name in expected} == expected


def test_arms_and_duel_of_tiny_networks(system, monkeypatch):
    """Untrained networks draw nothing valid; what is asked is that each arm is told what its name says."""
    heard = []

    def draw(system, z, texts=None, seed=0, **options):
        heard.append((bool(z.any()), texts is not None))
        return torch.zeros(len(z), 3, 32, 32)

    monkeypatch.setattr(own, "drawn_from_z", draw)
    monkeypatch.setattr(own, "imagined", lambda system, texts, seed=0: torch.ones(len(texts), 64))
    shipped = type("", (), {"clip": load("clip")[0]})
    monkeypatch.setattr(own, "KNOWN_SCENES", 50)
    rows = measures.arm_shares(shipped, 4)
    assert list(rows) == ["picture", "text", "regression", "nearest", "prior", "text alone", "prior and text"]
    assert heard == [(True, False)] * 5 + [(False, True), (True, True)]
    heard.clear()
    assert set(measures.binding_duel(shipped, 4)) == {"GLIDE", "unCLIP", "unCLIP + text"}
    assert heard == [(False, True), (True, False), (True, True)]


def test_passes_are_counted(system):
    networks = {"prior": system.prior, "decoder": system.decoder.model}
    found = measures.counted_passes(networks, lambda: system.draw(PROMPTS[:1], steps=5, scale=2.0))
    assert found == {"prior": 16, "decoder": 10}
    assert measures.counted_passes(networks, lambda: system.imagine(PROMPTS, steps=7, scale=3.0)) == {
        "prior": 14, "decoder": 0}
    assert measures.PAPERS_PASSES["DALL·E 2"] == 356
    with pytest.raises(ZeroDivisionError):
        measures.counted_passes({"a": nn.Identity()}, lambda: 1 / 0)


# -- larger, and filled in -----------------------------------------------------------------------------------------


def test_bicubic_gains_nothing_over_itself():
    found = upsampling.enlarging_figures(lambda small: bicubic(small, 64), 10)
    assert all(value == pytest.approx(0, abs=1e-4) for name, value in found.items() if name.endswith("gain"))
    assert 15 < found["degraded.bicubic"] < found["one.bicubic"] < 45


def test_a_worse_picture_gains_less_than_nothing():
    found = upsampling.enlarging_figures(lambda small: bicubic(small, 64) + 0.3, 10)
    assert found["one.gain"] < -1 and found["two.gain"] < -1


def test_errors_along_an_edge_and_in_what_is_known():
    x, mask = torch.zeros(2, 3, 32, 32), masks.box_at(8, 8, 16).expand(2, 1, 32, 32)
    drawn = x.clone()
    drawn[:, :, 8, 8:24] = 1.0  # the hidden row beside the known part
    near = 16 * 16 - 12 * 12
    assert upsampling.edge_error(drawn, x, mask) == pytest.approx(0.25 * 16 / near)
    drawn = x + 0.2
    assert upsampling.known_psnr(drawn, x, mask) == pytest.approx(20.0, abs=1e-3)
    middle = x.clone()
    middle[:, :, 14:18, 14:18] = 1
    assert upsampling.edge_error(middle, x, mask) == 0 and upsampling.known_psnr(x + 1e-3, x, mask) > 60


def test_every_way_to_fill_in_is_measured(monkeypatch):
    filler = tiny_filler()

    def by_heart(system, x, mask, prompts, pasted=True, **options):
        return x

    monkeypatch.setattr(upsampling.filling, "filled_by_network", by_heart)
    monkeypatch.setattr(upsampling.edits, "repainted", lambda system, x, mask, prompts, rounds: 0 * x)
    found = upsampling.filling_figures(filler, filler, 6)
    for kind in ("box", "half"):
        assert found[f"{kind}.network.both"] == 1 and found[f"{kind}.network.edge"] == 0
        assert found[f"{kind}.network.known"] == math.inf
        assert found[f"{kind}.replaced.1.both"] == found[f"{kind}.replaced.4.valid"] == 0
        assert found[f"{kind}.replaced.1.edge"] > 0.01
