"""Notebook 13's emoji: which are drawn, what is said of them, and that each measure tells right from wrong."""

import pytest
import torch

from helpers.data.emoji import HELD_OUT_BY, emoji_table, to_range
from helpers.data.text import UNK
from helpers.lessons.clip.batches import FRAMES
from helpers.lessons.start_here.experiments import TAUGHT
from helpers.lessons.text_conditioned_diffusion import batches as prompts
from helpers.lessons.text_conditioned_diffusion import recipes
from helpers.lessons.text_conditioned_diffusion.named_emoji import (
    batches,
    chosen,
    drawings,
    experiments,
    judges,
    scores,
)
from helpers.training.checkpoints import load


class Copyist:
    """Draws the real picture of what it is asked for, or another; it stands for a `TextToImage`."""

    def __init__(self, change=lambda name, hand: (name, hand)):
        everything = chosen.joined_sets(chosen.drawn_emoji(), *map(chosen.held_emoji, HELD_OUT_BY))
        self.of = {}
        for i, (english, korean, hand) in enumerate(zip(everything.names_en, everything.names_ko, everything.hand,
                                                        strict=True)):
            for language, name in (("en", english), ("ko", korean)):
                self.of[batches.by_artist(name, hand, language)] = english, hand
                self.of.setdefault(name, (english, hand))
            self.of[english, hand] = i
        self.images, self.change, self.asked = everything.images, change, []

    def draw(self, texts, scale=2.0, steps=20, seed=0, eta=0.0, keep_away=None):
        self.asked += texts
        return to_range(self.images[[self.of[self.change(*self.of[text])] for text in texts]])


# -- which -----------------------------------------------------------------------------------------


def test_kinds_are_groups_of_unicode():
    kinds = chosen.kinds_of_names()
    categories = {kind: {row["category"] for row in emoji_table() if kinds.get(row["name_en"]) == kind}
                  for kind in chosen.GROUPS}
    assert categories == {"face": {"Smileys & Emotion"}, "heart": {"Smileys & Emotion"}, "gesture": {"People & Body"},
                          "animal": {"Animals & Nature"}, "plant": {"Animals & Nature"}, "fruit": {"Food & Drink"},
                          "shape": {"Symbols"}}
    assert len(kinds) == 585 and kinds["tiger face"] == "animal" and "handshake dark skin tone" in kinds
    assert "handshake light skin tone medium skin tone" not in kinds and "skull" not in kinds


def test_what_is_held_out_is_never_learned():
    learned = chosen.drawn_emoji()
    pictures, names = set(zip(learned.names_en, learned.hand, strict=True)), set(learned.names_en)
    assert set(learned.hand) == set(TAUGHT) and len(pictures) == len(learned.hand)
    for by in HELD_OUT_BY:
        held = chosen.held_emoji(by)
        assert held.hand and not pictures & set(zip(held.names_en, held.hand, strict=True))
        if by == "family":
            assert not set(learned.families) & set(held.families)
        if by == "tone":
            assert not names & set(held.names_en)


@pytest.mark.parametrize(("name", "traits"), [
    ("red heart", ("heart", "red", None)), ("light blue heart", ("heart", "blue", None)),
    ("waving hand medium-dark skin tone", ("gesture", None, "medium-dark")), ("waving hand", ("gesture", None, "none")),
    ("black large square", ("shape", "black", None)), ("leafy green", ("fruit", "green", None)),
    ("grinning face", ("face", None, None)),
])
def test_what_a_name_says(name, traits):
    emoji = chosen.drawn_emoji()
    i = emoji.names_en.index(name)
    found = {trait: labels[0].item() for trait, labels in chosen.trait_labels(chosen.part_of(emoji, [i])).items()}
    expected = dict(zip(("kind", "colour", "tone"), traits, strict=True)) | {"hand": emoji.hand[i]}
    assert found == {trait: chosen.NOT_SAID if value is None else chosen.TRAITS[trait].index(value)
                     for trait, value in expected.items()}


# -- what is said of them --------------------------------------------------------------------------


def test_every_name_can_be_read():
    words, context = batches.name_tokenizer(), load(prompts.READER)[0].text.context
    assert words.vocabulary[: len(prompts.prompt_tokenizer())] == prompts.prompt_tokenizer().vocabulary
    for row in emoji_table():
        if row["name_en"] in chosen.kinds_of_names():
            for language in FRAMES:
                for hand in TAUGHT:
                    ids = words.encode(batches.by_artist(row[f"name_{language}"], hand, language))
                    assert UNK not in ids and len(ids) < context - 4, row["name_en"]


def test_pictures_come_with_their_own_names():
    emoji, words = chosen.drawn_emoji(), batches.name_tokenizer()
    torch.manual_seed(3)
    batch = batches.named_batches(200)(0)
    texts = [words.decode(row) for row in batch["texts"].tolist()]
    pixels = to_range(emoji.images)
    assert 15 <= texts.count("") <= 50  # of 200, 15 %
    said = 0
    for x, text in zip(batch["images"], texts, strict=True):
        places = (pixels == x).flatten(1).all(1).nonzero()[:, 0].tolist()  # two names may have one picture
        names = [(emoji.names_en[i], emoji.names_ko[i], emoji.hand[i]) for i in places]
        assert not text or any(words.decode(words.encode(name)) in text for *both, _ in names for name in both)
        artists = [(language, hand) for language, known in batches.ARTISTS.items() for hand, artist in known.items()
                   if artist in text]
        assert not artists or artists[0][1] in [hand for *_, hand in names]
        said += bool(artists)
    assert 80 <= said <= 130
    assert all(any(part in text for text in texts) for part in ("이모지", "an emoji of"))


def test_a_skin_tone_is_drawn_less_often():
    assert batches.how_often(["waving hand", "waving hand dark skin tone"]).tolist() == pytest.approx([1, 0.4])


def test_the_network_begins_with_what_clip_reads():
    clip, model = load(prompts.READER)[0], recipes.taught_to_read(batches.name_tokenizer)
    ids = torch.tensor([batches.name_tokenizer().encode("tiger face")])
    with torch.no_grad():
        assert torch.equal(model.text.tokens(ids), clip.text.tokens(ids))
    assert len(model.config["vocabulary"]) == len(batches.name_tokenizer()) == len(model.text.embed.weight)


# -- judges ----------------------------------------------------------------------------------------


def test_colours_are_counted():
    x = torch.ones(2, 3, 8, 8)
    x[1, 1:, :4] = -1  # the upper half of the second is red
    shares = judges.colour_shares(x)
    last = judges.COLOUR_LEVELS**3 - 1
    red = (judges.COLOUR_LEVELS - 1) * judges.COLOUR_LEVELS**2
    assert shares[0, last] == 1 and shares[1, [last, red]].tolist() == [0.5, 0.5]
    torch.testing.assert_close(judges.colour_shares(torch.rand(3, 3, 8, 8) * 2 - 1).sum(1), torch.ones(3))


def test_judges_tell_real_pictures_apart():
    held = chosen.joined_sets(*map(chosen.held_emoji, HELD_OUT_BY))
    right = judges.traits_right(to_range(held.images), held)
    assert min(right.values()) > 0.85, right
    wrong = judges.traits_right(to_range(held.images).roll(len(held.hand) // 2, 0), held)
    assert all(wrong[trait] < right[trait] - 0.25 for trait in right), wrong


def test_names_of_real_pictures_are_found():
    wanted = experiments.evenly(chosen.drawn_emoji(), 40)
    x = to_range(wanted.images)
    assert judges.names_in_pixels(x, wanted.names_en).max() <= 1  # two names may have one picture
    assert judges.names_in_pixels(x, wanted.names_en[1:] + wanted.names_en[:1]).min() > 0
    ranks = judges.names_by_clip(x, wanted.names_en)
    assert (ranks < 5).float().mean() > 0.7 and ranks.max() < len(set(chosen.drawn_emoji().names_en))


# -- measures --------------------------------------------------------------------------------------


def test_shares_of_one_who_copies():
    copyist, wanted = Copyist(), experiments.evenly(chosen.drawn_emoji(), 60)
    for language in ("en", "ko"):
        shares = experiments.emoji_shares(experiments.draw_emoji(copyist, wanted, language), wanted)
        assert shares["name.5"] == 1 and min(shares["kind"], shares["hand"], shares["tone"]) > 0.9
    assert any("by Noto" in text for text in copyist.asked) and any("노토가 그린" in text for text in copyist.asked)


def test_shares_of_one_who_draws_hearts():
    of_hearts, wanted = Copyist(lambda name, hand: ("red heart", "noto")), experiments.evenly(chosen.drawn_emoji(), 60)
    shares = experiments.emoji_shares(experiments.draw_emoji(of_hearts, wanted), wanted)
    assert shares["kind"] < 0.2 and shares["name.5"] < 0.1 and shares["hand"] < 0.6


def test_colours_are_asked_for():
    named = experiments.of_a_colour(chosen.drawn_emoji())
    assert {"red heart", "green apple", "blue circle"} <= set(named.names_en) and "tiger" not in named.names_en


@pytest.mark.parametrize("by", ["hand", "tone"])
def test_errors_of_held_out_pairings(by):
    exact = experiments.held_errors(Copyist(), by, draws=1)
    assert exact["drawn"] == pytest.approx(0, abs=1e-6) and exact["names"] > 0.8
    held, learned = chosen.held_emoji(by), chosen.drawn_emoji()
    kin = {pair: places[0] for pair, places in zip(zip(held.names_en, held.hand, strict=True),
                                                   experiments.relatives(held, by), strict=True) if places}
    for (name, hand), place in kin.items():
        other = learned.names_en[place], learned.hand[place]
        assert (other[0] == name) == (by == "hand") and (other[1] == hand) == (by == "tone")
    borrowed = Copyist(lambda name, hand: (learned.names_en[kin[name, hand]], learned.hand[kin[name, hand]]))
    found = experiments.held_errors(borrowed, by, draws=1)
    assert found["drawn"] == pytest.approx(found["relatives"], rel=0.35) and found["nearest"] <= found["drawn"] + 1e-6


def test_three_rows_of_what_is_held_out():
    rows, names = drawings.held_rows(Copyist(), "hand", 5)
    assert [tuple(row.shape) for row in rows] == [(5, 3, 32, 32)] * 3 and len(names) == 5
    assert torch.equal(rows[1], rows[2]) and (rows[0] != rows[2]).flatten(1).any(1).all()


def test_failures_are_those_of_another_name():
    def change(name, hand):
        return ("red heart", "noto") if name == "banana" else (name, hand)

    n = len(chosen.drawn_emoji().hand)
    (drawn, real), names = drawings.failures(Copyist(change), n, shown=2)
    assert set(names) <= {batches.by_artist("banana", hand) for hand in TAUGHT} and not torch.equal(drawn, real)


class Speaker(Copyist):
    """Knows all words but one."""

    def known(self, prompt):
        return prompt.replace("xyzzy", "").strip(), "not read: xyzzy" * ("xyzzy" in prompt)


@pytest.mark.parametrize(("text", "columns", "line"), [
    ("banana", 3, ""), ("Banana xyzzy", 3, "not read: xyzzy"), ("바나나", 3, ""), ("blue heart", 3, "never seen: Noto"),
])
def test_a_typed_name_stands_beside_the_real_one(text, columns, line):
    speaker = Speaker()
    speaker.of |= {key.replace("banana", "Banana"): value for key, value in speaker.of.items() if isinstance(key, str)}
    shown, note = drawings.emoji_face(speaker, text, 2.0, 0, 4)
    assert shown.dtype.name == "uint8" and shown.shape[1] > columns * 96 and line in note
    assert len(speaker.asked) == drawings.EACH * len(TAUGHT) and ("never seen" in note) == (text == "blue heart")


def test_a_name_of_no_emoji_is_said_to_be_none():
    class Anything:
        def known(self, prompt):
            return prompt, ""

        def draw(self, prompts, scale, steps, seed):
            return torch.zeros(len(prompts), 3, 32, 32)

    assert "no emoji of ours" in drawings.emoji_face(Anything(), "a sad banana", 2.0, 0, 4)[1]
    assert [row.shape[0] for row in drawings.words_drawn(Anything(), ["사과", "apple"])] == [2] * len(TAUGHT)


def test_scores_are_named_as_their_groups():
    names = [name for name, _ in scores.groups()]
    assert len(names) == len(set(names)) and all(name.startswith("emoji.") for name in names)
