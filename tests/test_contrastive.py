"""Notebook 11: which caption fits which picture, what is measured of a CLIP, views, probes, and typed class names."""

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.data.scenes import UNSAID
from helpers.data.text import Tokenizer
from helpers.lessons.clip import batches, drawings, exercises, experiments, nearest, probes, views
from helpers.metrics.retrieval import ranks, recall
from helpers.models.clip import CLIP, clip_loss, pair_prior
from helpers.systems.zero_shot import ZeroShot
from helpers.training import recipes
from helpers.training.checkpoints import load


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# -- captions and pictures -----------------------------------------------------------------------------------------


def test_which_caption_fits_is_what_the_reader_says():
    """The table of a batch against the grammar: each caption is read back and compared with each picture's factors."""
    pairs = batches.scene_pairs(40, seeded(), whole=0.3)
    truth = scenes.parse(pairs.images).factors
    for column, text in enumerate(pairs.texts):
        said = scenes.read_caption(text).factors()
        for row in range(40):
            agrees = all(said[i] in (UNSAID, truth[row, i]) for i in range(6))
            assert pairs.positives[row, column] == agrees, text
    assert pairs.positives.diagonal().all()
    assert pairs.positives.sum() > 60  # some captions fit other pictures too


def test_two_objects_may_be_told_from_either_end():
    pairs = batches.two_object_pairs(30, seeded(1))
    truth = scenes.canonical(scenes.parse_pairs(pairs.images).factors)
    said = scenes.canonical(torch.stack([scenes.read_pair_caption(text).factors() for text in pairs.texts]))
    assert torch.equal(batches.fits(truth, said), pairs.positives)
    assert (said[:, 5] == UNSAID).any() and (said[:, 5] != UNSAID).any()


def test_one_emoji_in_two_hands_is_no_mistake(monkeypatch):
    emoji = batches.taught_emoji()
    assert set(emoji.hand) == {"noto", "twemoji", "fluent"}  # not OpenMoji's, whose licence is share-alike
    chosen = [i for i, name in enumerate(emoji.names_en) if name == emoji.names_en[5]][:2] + [100]
    monkeypatch.setattr(torch, "randint", lambda high, size, generator: torch.tensor([*chosen[:size[0]]]) % high)
    pairs = batches.emoji_pairs(3, seeded())
    assert pairs.positives.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_series_that_are_joined_do_not_fit_each_other():
    a, b = batches.scene_pairs(3, seeded()), batches.two_object_pairs(2, seeded())
    both = batches.joined([a, b])
    assert both.images.shape == (5, 3, 32, 32) and both.texts == a.texts + b.texts
    assert torch.equal(both.positives[:3, :3], a.positives) and not both.positives[:3, 3:].any()


def test_alike_scenes_are_of_the_training_split_and_alike():
    rows = batches.near_factors(400, seeded(), 4)
    held_out = {tuple(pairing) for pairing in scenes.drawing.pairings("held_out").tolist()}
    assert not held_out & {tuple(row) for row in rows[:, :2].tolist()}
    groups = rows.view(100, 4, 6)
    inside = (groups[:, :1] == groups[:, 1:]).float().mean()
    across = (groups[:-1, :1] == groups[1:, 1:]).float().mean()
    assert inside > across + 0.25


def test_the_tokenizer_knows_every_word_that_is_taught():
    words, emoji = batches.tokenizer(), batches.taught_emoji()
    texts = batches.scene_pairs(500, seeded(3)).texts + batches.two_object_pairs(200, seeded(3)).texts
    assert not [text for text in texts if words.unknown(text)]
    for names in (emoji.names_en, emoji.names_ko):
        lost = {name for name in names if words.unknown(name)}
        assert len(lost) < 0.05 * len(set(names)), sorted(lost)[:10]


def test_the_chance_that_a_caption_fits_another_picture():
    """The formula against a simulation, of partial captions and of whole ones."""
    for drop, whole in ((0.5, 0.0), (0.2, 0.5)):
        generator = seeded(4)
        factors, others = (scenes.sample_factors(4000, generator) for _ in range(2))
        partial = torch.rand(4000, 1, generator=generator) >= whole
        said = torch.where(partial, scenes.drop_factors(factors, generator, drop), factors)
        simulated = batches.fits(others, said).float().mean().item()
        assert abs(experiments.chance_of_fit(drop, whole) / simulated - 1) < 0.08
    assert experiments.chance_of_fit(0.0) == pytest.approx(1 / (28 * 2 * 3 * 3 * 3))
    assert experiments.chance_of_fit(1.0) == pytest.approx(1)


# -- what is measured ----------------------------------------------------------------------------------------------


def test_recall_counts_ties_against():
    similarity = torch.tensor([[0.9, 0.1, 0.5], [0.7, 0.7, 0.7], [0.3, 0.6, 0.4]])
    own = torch.arange(3)
    assert ranks(similarity, own).tolist() == [0, 2, 1]
    assert recall(similarity, own) == pytest.approx(1 / 3) and recall(similarity, own, 2) == pytest.approx(2 / 3)
    assert recall(torch.zeros(5, 5), torch.arange(5)) == 0  # a collapsed encoder finds nothing


class Oracle(CLIP):
    """Embeds scenes by their factors, as parser and caption reader say them: what a perfect CLIP would do."""

    def __init__(self):
        super().__init__(batches.tokenizer().vocabulary, image={"width": 8, "depth": 1, "heads": 1},
                         text={"width": 8, "depth": 1, "heads": 1})
        self.words = Tokenizer(self.config["vocabulary"])

    def encode_image(self, images):
        return F.normalize(self.code(scenes.parse(images).factors), dim=1)

    def encode_text(self, texts):
        said = torch.stack([scenes.read_caption(self.words.decode(row.tolist())).factors() for row in texts])
        return F.normalize(self.code(said), dim=1)

    @staticmethod
    def code(factors):
        names = [F.one_hot(factors[:, i] + 1, 10)[:, 1:] for i in range(6)]
        return torch.cat(names, 1).float()


def test_a_perfect_model_gets_perfect_figures():
    oracle = Oracle()
    assert experiments.scene_recall(oracle, "en", 60) == experiments.scene_recall(oracle, "ko", 60) == 1
    for split in ("train", "held_out"):
        assert experiments.zero_shot(oracle, split, n=60) == experiments.zero_shot(oracle, split, whole=True, n=20) == 1
    assert experiments.ensemble(oracle, "held_out", 2, n=40) == 1


def test_an_untrained_model_is_near_chance():
    torch.manual_seed(0)
    model = CLIP(batches.tokenizer().vocabulary).eval()
    assert experiments.scene_recall(model, n=100) < 0.1
    assert experiments.zero_shot(model, n=100) < 0.25
    gap = experiments.modality_gap(model, 50)
    assert abs(gap["pairs"] - gap["others"]) < 0.05 and gap["pictures"] > 0.5


def test_the_gap_by_hand(monkeypatch):
    """Pictures all at one point, captions all at the opposite one: the means are 2 apart."""
    axis = F.normalize(torch.ones(1, 4), dim=1)
    monkeypatch.setattr(ZeroShot, "pictures", lambda self, images: axis.expand(len(images), 4))
    monkeypatch.setattr(ZeroShot, "texts", lambda self, texts: -axis.expand(len(texts), 4))
    found = experiments.modality_gap(Oracle(), 10)
    assert found == pytest.approx({"gap": 2, "pairs": -1, "others": -1, "pictures": 1, "captions": 1})


@pytest.mark.parametrize("swap", [*experiments.SWAPS, "relation"])
def test_an_exact_reader_keeps_two_objects_apart(swap, monkeypatch):
    def code(factors):
        told = [F.one_hot(part + 1, 10)[:, 1:] for part in scenes.canonical(factors).unbind(1)]
        return F.normalize(torch.cat(told, 1).float(), dim=1)

    monkeypatch.setattr(ZeroShot, "pictures", lambda self, images: code(scenes.parse_pairs(images).factors))
    monkeypatch.setattr(ZeroShot, "texts", lambda self, texts: code(
        torch.stack([scenes.read_pair_caption(text).factors() for text in texts])))
    assert experiments.kept_apart(Oracle(), swap, n=40) == 1


def test_swaps_change_what_they_say():
    rows = torch.tensor([[0, 3, 0, 1, 5, 2]])
    assert rows[:, experiments.SWAPS["colours"]].tolist() == [[0, 5, 0, 1, 3, 2]]
    assert rows[:, experiments.SWAPS["shapes"]].tolist() == [[1, 3, 0, 0, 5, 2]]


# -- views and probes ----------------------------------------------------------------------------------------------


def test_crops_are_parts_and_colours_turn():
    x = scenes.make_scenes(64, 5)[0]
    part = views.crops(x, seeded())
    assert part.shape == x.shape and part.abs().max() <= 1 + 1e-5
    mirrored = views.crops(x, seeded(), least=1.0).flip(3)  # the whole, or its mirror image
    assert (mirrored - x).abs().amax((1, 2, 3)).lt(1e-4).any()
    turned = views.jittered(x, seeded())
    assert turned.abs().max() <= 1
    assert (views.jittered(x, seeded(), strength=0.0) - x).abs().max() < 1e-5
    red = torch.tensor([1.0, -1, -1])[None, :, None, None]
    hues = views.jittered(red.expand(300, 3, 1, 1), seeded())[:, :, 0, 0].argmax(1).bincount(minlength=3) / 300
    assert hues.min() > 0.2  # red may become green or blue


def test_a_hue_that_is_turned_keeps_its_brightness_or_becomes_a_negative():
    x = 0.3 * torch.randn(200, 3, 1, 1, generator=seeded())
    before, after = x.mean(1), views.jittered(x, seeded(1), strength=0.5).mean(1)
    kept, negative = (after - before).abs() <= 0.2 + 1e-5, (after + before).abs() <= 0.2 + 1e-5
    assert (kept | negative).float().mean() > 0.97  # a few are cut off at 1
    assert 0 < (negative & ~kept).sum() < (kept & ~negative).sum()


def test_a_probe_finds_what_is_there_and_nothing_else():
    _, factors, off = probes.probed_scenes(300)
    told = torch.cat([F.one_hot(factors[:, 0], 4), off[:, :1]], 1)
    assert off.abs().amax(0)[:2].max() <= 1.2 + 1e-5 and off.std(0).min() > 0.1
    probe = probes.linear_probe(told, factors[:, 0])
    assert (probe(told).argmax(1) == factors[:, 0]).all()
    assert (probes.linear_probe(told, factors[:, 1])(told).argmax(1) == factors[:, 1]).float().mean() < 0.4
    assert probes.explained_share(told, off[:, 0], told, off[:, 0]) > 0.99
    assert probes.explained_share(told, off[:, 1], told, off[:, 1]) < 0.1


def test_the_jitter_that_is_probed_is_the_pictures_own():
    """Drawn from the same numbers: a picture whose object is said to lie further right has its ink further right."""
    images, factors, off = probes.probed_scenes(400)
    rows = (factors[:, 3] == 1) & (factors[:, 5] == 0)
    ink = (images[rows] + 1).sum(1)
    centre = (ink.sum(1) * torch.arange(32)).sum(1) / ink.sum((1, 2))
    assert torch.corrcoef(torch.stack([centre, off[rows, 0]]))[0, 1] > 0.95


# -- typed class names ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zero_shot():
    return ZeroShot(Oracle())


def test_classes_that_are_typed(zero_shot):
    images, factors = scenes.make_scenes(20, 8)
    names = [f"{colour} {shape}" for shape in scenes.SHAPES for colour in scenes.COLOURS]
    found = zero_shot.classify(images, names)
    assert torch.allclose(found.sum(1), torch.ones(20), atol=1e-5)
    assert torch.equal(found.argmax(1), factors[:, 0] * 8 + factors[:, 1])
    framed = zero_shot.classify(images, ["circle", "square", "triangle", "star"], ["a {}", "there is a {}"])
    assert torch.equal(framed.argmax(1), factors[:, 0])


@pytest.mark.parametrize("names, message", [
    ([], "at least two"),
    (["a red circle"], "nothing to choose"),
    (["a red circle", ""], "text 2 is empty"),
    (["a star", "a star"], "the same"),
    ("a star", "as a list"),
    (["a star", "a 龘 star"], "never met: 龘"),
    (["a star", "a" * 10_000], "10,000 characters"),
    (["a star", "red star " * 60], "64 are read at most"),
])
def test_class_names_that_are_refused(zero_shot, names, message):
    with pytest.raises(ValueError, match=message):
        zero_shot.classify(scenes.make_scenes(1, 0)[0], names)


@pytest.mark.parametrize("images, message", [
    (torch.zeros(1, 3, 64, 64), "32 x 32"),
    (torch.zeros(1, 1, 32, 32), "3 colours"),
    (torch.zeros(3, 32, 32), "B, 3, 32, 32"),
    (torch.zeros(0, 3, 32, 32), "these are"),
    (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "divide by 127.5"),
    (torch.full((1, 3, 32, 32), 255.0), "leave that range"),
    (torch.full((1, 3, 32, 32), torch.nan), "leave that range"),
    ("cat.png", "own_picture"),
])
def test_pictures_that_are_refused(zero_shot, images, message):
    with pytest.raises(ValueError, match=message):
        zero_shot.classify(images, ["a star", "a circle"])


def test_no_texts_and_one_string_are_refused(zero_shot):
    with pytest.raises(ValueError, match="the list of texts is empty"):
        zero_shot.texts([])
    with pytest.raises(ValueError, match="as a list"):
        zero_shot.texts("a star")


# -- the page's figures and exercises ------------------------------------------------------------------------------


def test_names_by_the_nearest_picture(monkeypatch):
    """Three pictures whose nearest picture is known: the name shares all words, some, and none."""
    of = dict(images=torch.zeros(3, 3, 32, 32), names_en=["red apple", "green book", "blue hat"], names_ko=["a"] * 3)
    of |= dict(categories=[], families=[], hand=[])
    monkeypatch.setattr(nearest, "load_emoji", lambda *_: batches.EmojiSet(**of))
    taught = batches.EmojiSet(**of | {"names_en": ["red apple", "green apple", "dog"]})
    monkeypatch.setattr(nearest, "taught_emoji", lambda: taught)
    monkeypatch.setattr(nearest, "nearest_seen", lambda x, seen: (torch.zeros(3), torch.arange(3)))
    # First: certain, one of two that share a word, one of three that share none.
    assert nearest.name_of_nearest("family", 1) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert nearest.name_of_nearest("family", 3) == 1


def test_the_push_of_negatives_follows_the_temperature():
    shares = [drawings.points_on_circle(30, temperature, 100)[2] for temperature in (0.02, 0.2, 100)]
    assert shares[0] > 0.9 > shares[1] > 0.3 > shares[2] > 0.099  # a tenth of them does a tenth at high temperature
    picture, loss, _ = drawings.points_on_circle(0, 1e-3, 1)
    assert picture.shape == (drawings.SIDE, drawings.SIDE, 3) and loss < 1e-3
    assert abs(drawings.points_on_circle(90, 1e6, 63)[1] - torch.tensor(64.0).log()) < 1e-4


def symmetric(logits):
    return clip_loss(logits)


def counted(factors, said):
    return ((said[None] == UNSAID) | (said[None] == factors[:, None])).all(2).sum(1) - 1


@pytest.mark.parametrize("exercise, right, wrong", [
    (exercises.symmetric_loss, symmetric, {
        "texts must choose": lambda x: -x.log_softmax(1).diagonal().mean(),
        "pictures must choose": lambda x: -x.log_softmax(0).diagonal().mean(),
        "never negative": lambda x: -clip_loss(x),
        "not their sum": lambda x: 2 * clip_loss(x),
        "overflows": lambda x: (2 * x.exp().sum(1).log() - 2 * x.diagonal() + x.exp().sum(0).log()
                                - x.exp().sum(1).log()).mean() / 2}),
    (exercises.false_negatives, counted, {
        "leave the diagonal out": lambda f, s: counted(f, s) + 1,
        "for each picture": lambda f, s: ((s[None] == UNSAID) | (s[None] == f[:, None])).all(2).sum(0) - 1,
        "agrees with everything": lambda f, s: (s[None] == f[:, None]).all(2).sum(1) - (s == f).all(1).long()}),
    (exercises.prior_bias, pair_prior, {
        "1 : .N - 1.": lambda n: -torch.tensor(float(n)).log().item(),
        "its sign": lambda n: -pair_prior(n),
        "-10 is for": lambda n: -10.0,
        "a logit": lambda n: 1 / n}),
])
def test_exercises_know_their_mistakes(exercise, right, wrong, capsys):
    exercise().check(right, strict=True)
    for hint, answer in wrong.items():
        with pytest.raises(AssertionError, match=hint):
            exercise().check(answer, strict=True)


# -- recipes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clip", "clip-small", "clip-small-diagonal", "clip-small-soft", "clip-small-sigmoid",
                                  "simclr-colours", "simclr-crops"])
def test_recipes_give_a_loss_that_moves_every_weight(name):
    recipe = recipes.find(name)
    torch.manual_seed(0)
    model = recipe.build()
    loss, parts = recipe.loss(model, recipe.batches(20)(0))
    loss.backward()
    assert loss.isfinite() and all(torch.as_tensor(value).isfinite() for value in parts.values())
    still = {key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()}
    asleep = {key for key in still if key.startswith("tower.block.")}  # behind a convolution that starts at zero
    assert len(asleep) == (6 if name.startswith("simclr") else 0) and not any("conv2" in key for key in asleep)
    assert still - asleep == ({"logit_scale"} if name.endswith("soft") else set())


def test_the_korean_tower_learns_on_pictures_that_stay():
    recipe, taught = recipes.find("clip-korean"), load("clip")[0]
    torch.manual_seed(0)
    model, batch = recipe.build(), recipe.batches(20)(0)
    assert torch.equal(model.encode_image(batch["images"][:4]), taught.encode_image(batch["images"][:4]))
    recipe.loss(model, batch)[0].backward()
    moved = {key.split(".")[0] for key, weight in model.named_parameters() if weight.grad is not None}
    assert moved == {"text", "from_text", "logit_scale"}
