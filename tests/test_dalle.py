"""Notebook 16 below its page: the transformer over text and codes, its cache, how codes are drawn, and the system."""

import math

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.data.text import PAD, Tokenizer
from helpers.models.clip import CLIP
from helpers.models.dalle import DALLE, dalle_loss, reading_mask
from helpers.models.decoding import picked
from helpers.models.layers import Block, Past
from helpers.models.vqvae import VQVAE
from helpers.systems.dalle import DallE, best_of
from helpers.systems.zero_shot import ZeroShot
from helpers.training.checkpoints import load_file, save
from helpers.training.loop import train

VOCABULARY = Tokenizer.learn(["a red circle", "a blue square", "빨간 원", "small big star on a white background"] * 5,
                             70).vocabulary
PROMPTS = ["a red circle", "빨간 원", "a small star on a white background", ""]
CODES = 24
VALUES = torch.float64  # so that what is computed in another order is equal to far more than any draw can see


def transformer(order="down", **changes):
    torch.manual_seed(0)
    options = dict(codes=CODES, side=4, context=20, width=16, depth=2, heads=2, order=order)
    model = DALLE(VOCABULARY, **options | changes)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return model.eval()


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    first_stage = VQVAE(quantizer={"codes": CODES, "dim": 4}, looks=8, widths=(8, 8)).eval()
    return DallE(transformer(side=8), first_stage)


def inputs(model, batch=3):
    generator = torch.Generator().manual_seed(1)
    texts = torch.randint(4, model.words, (batch, 6), generator=generator)
    for row, length in enumerate((6, 3, 5)[:batch]):
        texts[row, length:] = PAD
    return texts, torch.randint(CODES, (batch, model.places), generator=generator)


# -- the transformer -----------------------------------------------------------------------------------------------


def test_a_token_changes_nothing_before_it():
    """Changing code j leaves the logits of places 0, ..., j alone, and changes all that follow."""
    model = transformer()
    texts, codes = inputs(model)
    words, places = model(texts, codes)
    for j in (0, 5, model.places - 2):
        other = codes.clone()
        other[:, j] = (other[:, j] + 1) % CODES
        words_then, places_then = model(texts, other)
        same = (places_then == places).all(2)
        assert torch.equal(words, words_then) and same[:, :j + 1].all() and not same[:, j + 1:].any()
    other = texts.clone()
    other[0, 2] = 4 + (other[0, 2] - 3) % (model.words - 4)
    words_then, places_then = model(other, codes)
    assert torch.equal(words_then[0, :2], words[0, :2]) and (words_then[0, 2:] != words[0, 2:]).any(1).all()
    assert (places_then[0] != places[0]).any(1).all() and torch.equal(places_then[1:], places[1:])


def test_filling_is_never_read():
    model = transformer().to(VALUES)
    texts, codes = inputs(model)
    alone = model(texts[1:2, :3], codes[1:2])
    together = model(texts, codes)
    torch.testing.assert_close(together[1][1:2], alone[1])
    torch.testing.assert_close(together[0][1:2, :3], alone[0])
    seen = reading_mask(texts, 4)[1, 0]
    assert seen[-1].tolist() == [True] * 3 + [False] * 3 + [True] * 4 and seen[7].sum() == 3 + 2


def test_logits_are_of_what_can_follow():
    model = transformer()
    texts, codes = inputs(model)
    words, places = model(texts, codes)
    assert words.shape == (3, 6, model.words) and places.shape == (3, model.places, CODES)
    assert model.head.out_features == model.embed.num_embeddings == model.words + CODES
    assert model.begin(codes)[:, 1:].min() >= model.words                      # the codes lie behind the words
    with pytest.raises(ValueError, match="at most 20"):
        model(torch.full((1, 21), 5), codes[:1])
    with pytest.raises(ValueError, match="no order"):
        transformer("sideways")


@pytest.mark.parametrize("order", ["down", "up"])
def test_the_order_of_writing(order):
    model, grid = transformer(order), torch.arange(16).view(1, 4, 4)
    written = model.written(grid)
    assert written[0, :4].tolist() == ([0, 1, 2, 3] if order == "down" else [12, 13, 14, 15])
    assert torch.equal(model.grid(written), grid)


def test_every_place_has_its_own_position():
    model = transformer()
    h = model.places_embedded(torch.full((1, model.places), 5))[0]
    assert len(h.unique(dim=0)) == model.places
    assert torch.allclose(h[1] - h[0], h[5] - h[4], atol=1e-6)                 # one column on, in any row


def test_the_loss_weighs_text_and_picture():
    model = transformer()
    texts, codes = inputs(model)
    batch = {"texts": texts, "codes": model.grid(codes)}
    loss, parts = dalle_loss(model, batch)
    words, places = model(texts, codes)
    image = -places.log_softmax(2).gather(2, codes[..., None]).mean()
    follows = texts[:, 1:]
    each = words[:, :-1].log_softmax(2).gather(2, follows[..., None])[..., 0]
    text = -each[follows != PAD].mean()
    assert parts["image"].item() == pytest.approx(image.item(), rel=1e-5)
    assert parts["text"].item() == pytest.approx(text.item(), rel=1e-5)
    assert loss.item() == pytest.approx((7 * image + text).item() / 8, rel=1e-5)


def test_it_learns_a_batch_by_heart():
    """Another text, another picture: all of it, so that the most probable codes are the batch."""
    model = transformer(depth=1, width=32)
    texts, codes = inputs(model)
    texts[:, 0] = torch.tensor([4, 5, 6])
    batch = {"texts": texts, "codes": model.grid(codes)}
    train(model, lambda step: batch, dalle_loss, 120, lr=2e-3, label=None)
    assert dalle_loss(model, batch)[1]["image"] < 0.1
    assert torch.equal(model(texts, codes)[1].argmax(2), codes)


# -- the cache -----------------------------------------------------------------------------------------------------


def test_a_block_with_a_past_is_the_block_without():
    block, x, past = Block(12, 3).to(VALUES), torch.randn(2, 7, 12, dtype=VALUES), Past()
    whole = block(x, torch.ones(7, 7, dtype=torch.bool).tril())
    first = block(x[:, :4], torch.ones(4, 4, dtype=torch.bool).tril(), past)
    rest = [block(x[:, i:i + 1], None, past) for i in range(4, 7)]
    torch.testing.assert_close(torch.cat([first, *rest], 1), whole)
    assert past.keys.shape == (2, 3, 7, 4)


def test_logits_with_the_cache_are_those_without():
    model = transformer().to(VALUES)
    texts, codes = inputs(model)
    whole = model(texts, codes)[1]
    logits, past = model.start(texts, codes[:, :0])
    found = [logits, *(model.follow(texts, codes[:, i - 1], i, past) for i in range(1, model.places))]
    torch.testing.assert_close(torch.stack(found, 1), whole)
    torch.testing.assert_close(model.start(texts, codes[:, :7])[0], whole[:, 7])


@pytest.mark.parametrize("options", [{}, {"temperature": 0.7, "top_k": 5}, {"temperature": 0}])
def test_the_tokens_with_the_cache_are_those_without(system, options):
    quick, slow = (system.codes(PROMPTS, seed=3, cache=cache, **options) for cache in (True, False))
    assert torch.equal(quick, slow) and quick.shape == (4, 8, 8)


# -- draws ---------------------------------------------------------------------------------------------------------


def test_draws_have_the_probabilities_of_the_softmax():
    logits, luck = torch.tensor([[0.0, 2.0, -1.0, 1.0]]), (torch.arange(4000) + 0.5) / 4000
    for temperature in (0.5, 1.0, 2.0):
        drawn = picked(logits.expand(4000, 4), luck, temperature)
        share = torch.bincount(drawn, minlength=4) / 4000
        assert torch.allclose(share, (logits[0] / temperature).softmax(0), atol=1e-3)
    assert picked(logits, luck[:1], 0).tolist() == [1]
    top = picked(logits.expand(4000, 4), luck, 1.0, top_k=2)
    assert set(top.tolist()) == {1, 3} and (top == 1).float().mean() == pytest.approx(1 / (1 + math.exp(-1)), abs=1e-3)
    assert picked(logits.expand(2, 4), torch.tensor([0.0, 1 - 1e-7]), 1.0, 1).tolist() == [1, 1]


# -- the system ----------------------------------------------------------------------------------------------------


def test_text_in_picture_out(system):
    pictures = system.draw(PROMPTS, seed=1)
    assert pictures.shape == (4, 3, 32, 32) and pictures.abs().max() <= 1
    assert torch.equal(pictures, system.draw(PROMPTS, seed=1))
    assert not torch.equal(pictures, system.draw(PROMPTS, seed=2))
    assert torch.equal(system.codes(PROMPTS[:2], seed=1), system.codes(PROMPTS, seed=1)[:2])  # others change nothing


def test_the_path_shows_one_token_after_another(system):
    found = list(system.path(PROMPTS[:2], seed=1))
    assert [part.shape[1] for part in found] == list(range(65))
    assert all(torch.equal(found[-1][:, :n], part) for n, part in enumerate(found))
    assert torch.equal(system.model.grid(found[-1]), system.codes(PROMPTS[:2], seed=1))
    assert system.unfinished(found[10]).shape == (2, 3, 32, 32)
    assert torch.equal(system.unfinished(found[-1]), system.draw(PROMPTS[:2], seed=1))


def test_a_given_top_stays(system):
    pictures = scenes.make_scenes(2, 1)[0]
    codes = system.encode(pictures)
    done = system.model.written(codes)[:, :32]
    finished = [part for part in system.path(PROMPTS[:2], known=done)]
    assert len(finished) == 33 and torch.equal(finished[-1][:, :32], done)
    assert torch.equal(system.complete(PROMPTS[:2], pictures, 4), system.decode(system.model.grid(finished[-1])))
    assert torch.equal(system.complete(PROMPTS[:2], pictures, 8), system.decode(codes))
    with pytest.raises(ValueError, match="8 rows"):
        system.complete(PROMPTS[:2], pictures, 9)


def test_best_of_n(system):
    torch.manual_seed(0)
    judge = ZeroShot(CLIP(VOCABULARY, image={"width": 16, "depth": 1}, text={"width": 16, "depth": 1}).eval())
    pictures, scores = best_of(system, judge, PROMPTS[:2], 3, seed=4)
    assert pictures.shape == (2, 3, 3, 32, 32) and scores.shape == (2, 3)
    text = judge.texts(PROMPTS[1:2])
    assert torch.allclose(scores[1], F.cosine_similarity(judge.pictures(pictures[1]), text), atol=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        best_of(system, judge, PROMPTS[:2], 0)


@pytest.mark.parametrize(("options", "message"), [
    ({"temperature": -1}, "temperature is 0 or more"), ({"temperature": math.nan}, "temperature is 0 or more"),
    ({"top_k": 0}, "from 1 to 24"), ({"top_k": 25}, "from 1 to 24")])
def test_what_is_refused_says_why(system, options, message):
    with pytest.raises(ValueError, match=message):
        system.draw(["a red circle"], **options)


def test_prompts_are_checked(system):
    for prompts, message in (("a red circle", "as a list"), ([], "empty"), (["a 🦊"], "never met"),
                             (["a red circle " * 20], "at most")):
        with pytest.raises(ValueError, match=message):
            system.draw(prompts)
    assert system.known("a 🦊 red circle") == ("a red circle", "not read: 🦊")
    assert system.known("") == ("", "no caption: anything may come")
    with pytest.raises(ValueError, match="take the first stage"):
        DallE(transformer(codes=CODES + 1), system.first_stage)


def test_a_checkpoint_gives_the_same_tokens(system, tmp_path):
    for name, model in (("dalle", system.model), ("vqvae", system.first_stage)):
        save(tmp_path / f"{name}.safetensors", model, dtype=torch.float32, metrics={}, data="", seed=0, command="")
    again = DallE(*(load_file(tmp_path / f"{name}.safetensors")[0] for name in ("dalle", "vqvae")))
    assert torch.equal(again.draw(PROMPTS, seed=5), system.draw(PROMPTS, seed=5))
