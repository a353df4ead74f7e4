"""Notebook 13's data and measures: what the network reads, and that each measure tells right from wrong."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from helpers.data import scenes
from helpers.data.scenes import FACTORS, UNSAID
from helpers.data.text import EOS, UNK, is_token
from helpers.diffusion.targets import logit_normal_times
from helpers.lessons.text_conditioned_diffusion import batches, drawings, experiments, recipes
from helpers.lessons.text_conditioned_diffusion.verdicts import understood
from helpers.models.glide import GLIDE, prompt_loss
from helpers.systems.text_to_image import TextToImage
from helpers.systems.zero_shot import ZeroShot
from helpers.training.checkpoints import load
from helpers.training.loop import train

GENERATOR = torch.Generator


class Oracle:
    """Draws what it is asked for; at scale 0 whatever comes. It stands for a `TextToImage`."""

    def __init__(self, wrong=()):
        self.wrong = wrong  # columns of factors that it does not get right

    def draw(self, texts, scale=2.0, steps=20, seed=0, eta=0.0, keep_away=None):
        chance = GENERATOR().manual_seed(seed)
        anything = scenes.sample_factors(len(texts), chance)
        said = torch.stack([scenes.read_caption(text).found for text in texts])
        rows = torch.where((said == UNSAID) | (scale == 0), anything, said)
        for column in self.wrong:
            rows[:, column] = (rows[:, column] + 1) % 2
        return scenes.draw(rows, chance)


# -- what is read ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", scenes.LANGUAGES)
def test_a_request_asks_for_what_the_caption_says(language):
    """By the reader of captions, which knows the fillers; a word that is made up it names, and reads the rest."""
    chance = GENERATOR().manual_seed(0)
    rows = scenes.sample_factors(400, chance)
    texts = scenes.write_captions(rows, chance, language, rare=batches.RARE)
    asked = [batches.as_typed(text, chance) for text in texts]
    changed = sum(a != b for a, b in zip(texts, asked, strict=True)) / len(texts)
    expected = 1 - (1 - batches.ASKED) * (1 - batches.STRANGE)
    assert changed == pytest.approx(expected, abs=0.08)
    same = [torch.equal(scenes.read_caption(a).found, row) for a, row in zip(asked, rows, strict=True)]
    assert sum(same) / len(same) > 0.95, [a for a, ok in zip(asked, same, strict=True) if not ok][:5]


def test_a_batch_has_both_languages_two_kinds_of_scenes_and_no_words_for_some():
    torch.manual_seed(3)
    words, found = batches.prompt_tokenizer(), [batches.prompt_batches(20, 10)(step) for step in range(12)]
    assert all(batch["images"].shape == (30, 3, 32, 32) for batch in found)
    rows = [row[is_token(row)] for batch in found for row in batch["texts"]]
    empty = [row.tolist() == [EOS] for row in rows]
    assert sum(empty) / len(empty) == pytest.approx(batches.LEFT_OUT, abs=0.06)
    texts = [words.decode(row.tolist()) for row in rows if row.tolist() != [EOS]]
    korean = [any("가" <= letter <= "힣" for letter in text) for text in texts]
    assert sum(korean) / len(korean) == pytest.approx(0.5, abs=0.06)
    assert sum(UNK in row for row in rows) <= 1 and max(len(row) for row in rows) <= 64
    ones = torch.cat([batch["images"][:20] for batch in found])
    twos = torch.cat([batch["images"][20:] for batch in found])
    assert scenes.parse(ones).valid.float().mean() > 0.98 and scenes.parse_pairs(twos).valid.float().mean() > 0.98


def test_every_word_that_the_reader_knows_can_be_written():
    words = batches.prompt_tokenizer()
    shipped = load(recipes.READER)[0].config["vocabulary"]
    assert words.vocabulary[:len(shipped)] == shipped, "so that its embeddings are those of CLIP's tower"
    lost = [word for known in batches.SENSES.values() for word in known if words.unknown(word)]
    assert not lost


def test_heavy_times_are_even_in_the_log_of_noise_over_signal():
    torch.manual_seed(0)
    schedule, x0, (low, high) = experiments.SCHEDULE, torch.zeros(40_000, 1), recipes.UNCLEAR
    t, usual = recipes.times_to_read(schedule, x0), logit_normal_times(schedule, x0)
    ratios = schedule.noise / schedule.signal
    for share in (0.25, 0.5, 0.75):
        within = ratios <= low * (high / low) ** share
        expected = recipes.UNCLEAR_SHARE * share + (1 - recipes.UNCLEAR_SHARE) * within[usual].float().mean().item()
        assert within[t].float().mean() == pytest.approx(expected, abs=0.015), share
    assert t.min() >= 1 and ratios[t.max()] == pytest.approx(high, rel=0.3)
    assert (t > 950).float().mean() > 12 * (usual > 950).float().mean(), "where the first steps of a sampler are"


def test_at_first_its_words_are_those_of_notebook_11():
    model, clip = recipes.taught_to_read().eval(), load(recipes.READER)[0]
    ids = experiments.as_system(model).read(["a big red circle", "왼쪽 위에 파란 별", ""])
    with torch.no_grad():
        torch.testing.assert_close(model.read(ids)["vector"], clip.text(ids))


def test_what_clip_knows_is_kept_and_the_rest_learns():
    model = recipes.taught_to_read()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loss = partial(prompt_loss, schedule=experiments.SCHEDULE, times=recipes.times_to_read)
    train(model, batches.prompt_batches(3, 1, left_out=0), loss, 3, label=None)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    own = f"text.blocks.{len(model.text.blocks) - 1}."
    assert {name for name in changed if name.startswith("text.")} == {n for n in before if n.startswith(own)}
    assert {"unet.layout.weight", "unet.vector.weight", "unet.stem.weight"} <= changed


def test_the_figure_of_how_a_prompt_enters_shows_the_faint_picture(monkeypatch):
    system, shown, picture = experiments.as_system(recipes.taught_to_read().eval()), {}, drawings.picture
    monkeypatch.setattr(drawings, "picture", lambda x, label, side: shown.update({label: x}) or picture(x, label, side))
    with torch.no_grad():
        system.model.unet.layout.bias[:64] += 0.1  # red
    drawings.text_enters(system, "a red circle", torch.zeros(1, 3, 32, 32), 900)
    torch.testing.assert_close(shown["layout"], torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 32, 32))


def test_letters_that_clip_lacks_are_as_loud_as_its_words_and_all_different():
    model, known = recipes.taught_to_read(), len(load(recipes.READER)[0].config["vocabulary"])
    words, letters = model.text.embed.weight[:known], model.text.embed.weight[known:]
    assert len(letters) > 10 and letters.std() == pytest.approx(words.std().item(), rel=0.02)
    assert torch.pdist(letters).min() > 0.1


def test_at_first_the_network_is_that_of_notebook_12_whatever_the_prompt():
    model, old = recipes.taught_to_read().eval(), load(recipes.UNCONDITIONAL)[0]
    x, t = torch.randn(2, 3, 32, 32, generator=GENERATOR().manual_seed(1)), torch.tensor([300, 900])
    system = experiments.as_system(model)
    for prompts in (["", ""], ["a red circle", "파란 별"]):
        with torch.no_grad():
            torch.testing.assert_close(model(x, t, **model.read(system.read(prompts))), old(x, t))


# -- measures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [1, 4, 6])
def test_prompts_that_say_less(said):
    texts, asked = experiments.with_less(30, said)
    assert ((asked.said != UNSAID).sum(1) == said).all()
    for text, row in zip(texts, asked.said, strict=True):
        assert torch.equal(understood(text)[0].said, row)


def test_what_is_asked_for_is_the_same_in_both_languages():
    (english, asked), (korean, as_well) = (experiments.prompts_of_one(20, language) for language in scenes.LANGUAGES)
    assert torch.equal(asked.said, as_well.said) and english != korean
    held = experiments.prompts_of_one(50, split="held_out")[1].said[:, :2].tolist()
    assert {(scenes.SHAPES[a], scenes.COLOURS[b]) for a, b in held} == set(scenes.HELD_OUT)


def test_a_frontier_of_one_that_draws_what_it_is_told():
    texts, asked = experiments.prompts_of_one(40)
    found = experiments.guidance_frontier(Oracle(), texts, asked, scales=(0.0, 1.0))
    assert found["valid"] == pytest.approx([1, 1]) and found["asked"][0] < 0.1
    assert found["asked"][1] == found["both"][1] == 1


def test_the_factor_that_is_wrong_is_found():
    texts, asked = experiments.prompts_of_one(40)
    pictures = experiments.drawn(Oracle(wrong=[2]), texts)
    shares = experiments.factor_shares(pictures, asked)
    assert shares["size"] == 0 and all(shares[name] == 1 for name in FACTORS if name != "size")


def test_under_the_headings_of_geneval():
    one, factors = scenes.make_scenes(40, 5)
    two, pairs = scenes.make_pairs(40, 5)
    asked, asked_two = experiments.Asked(factors), experiments.Asked(pairs, True)
    assert set(experiments.as_in_geneval(one, asked, two, asked_two).values()) == {1.0}
    swapped = experiments.Asked(pairs[:, [0, 4, 2, 3, 1, 5]], True)
    found = experiments.as_in_geneval(one, asked, two, swapped)
    assert found["attribute binding"] == 0 and found["two objects"] == found["position"] == 1
    turned = pairs.clone()
    turned[:, 2] ^= 1
    assert experiments.as_in_geneval(one, asked, two, experiments.Asked(turned, True))["position"] == 0


@pytest.fixture(scope="module")
def tiny():
    """A small network with random weights, that reads: no weight is 0."""
    torch.manual_seed(0)
    words, tower = batches.prompt_tokenizer().vocabulary, {"width": 8, "depth": 1, "heads": 2}
    model = GLIDE(words, tower, {"widths": (8, 8, 16)}).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return TextToImage(model, experiments.SCHEDULE, "flow")


def test_guidance_in_an_interval(tiny):
    texts = ["a red circle", "파란 별"]
    everywhere = experiments.guided_in(tiny, texts, 5.0, 0, 1000, steps=4)
    nowhere = experiments.guided_in(tiny, texts, 5.0, 0, 0, steps=4)
    torch.testing.assert_close(everywhere, tiny.draw(texts, 5.0, 4))
    torch.testing.assert_close(nowhere, tiny.draw(texts, 1.0, 4))
    between = experiments.guided_in(tiny, texts, 5.0, 300, 800, steps=4)
    assert (between - everywhere).abs().max() > 1e-3 < (between - nowhere).abs().max()


def test_to_be_led_by_clip_is_to_please_it():
    judge, (pictures, _) = load("clip")[0], scenes.make_scenes(6, 9)
    wanted = F.normalize(judge.encode_text(ZeroShot(judge).read(["a big green star"] * 6)), dim=1).detach()

    def cosine(x):
        return (F.normalize(judge.encode_image(x), dim=1) * wanted).sum(1).mean().item()

    t, found = torch.full((6,), 700), {}
    for weight in (-0.05, 0.0, 0.05):
        led = experiments.led_by_clip(lambda x, t: pictures, judge, wanted, weight)(pictures, t)
        found[weight] = cosine(led)
        assert (led - pictures).square().mean((1, 2, 3)).sqrt().allclose(torch.tensor(0.7 * abs(weight)), atol=1e-4)
    assert found[-0.05] < found[0.0] < found[0.05]


def test_where_words_are_read():
    """Of maps that are three times as dark inside of the object for its shape, and even for the rest."""
    rows = scenes.sample_factors(5, GENERATOR().manual_seed(0))
    pictures, texts = scenes.draw(rows), [scenes.caption(row) for row in rows]

    class Reads:
        def path(self, texts, scale, steps, seed):
            yield from ((t, pictures, pictures) for t in (500, 0))

        def attention(self, texts, x, t):
            for text, picture, row in zip(texts, pictures, rows, strict=True):
                inside = (picture - picture[:, :1, :1]).abs().amax(0) > 0.3
                flat = torch.full((32, 32), 0.1)
                shape = scenes.SHAPES[row[0]]
                yield text.split(), torch.stack([flat + 0.2 * inside * (word == shape) for word in text.split()])

    found = experiments.lifts(Reads(), texts, step=1, steps=2)
    assert found["shape"] == pytest.approx(3) and found["colour"] == pytest.approx(1)


def test_sixty_prompts_that_somebody_typed():
    lines = [line for line in experiments.TYPED.read_text(encoding="utf-8").splitlines() if " => " in line]
    texts = [line.split(" => ")[0] for line in lines]
    assert len(set(texts)) == 60
    assert sum(any("가" <= letter <= "힣" for letter in text) for text in texts) == 30
