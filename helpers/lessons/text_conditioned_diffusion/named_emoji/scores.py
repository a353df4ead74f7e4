r"""The figures of notebook 13's emoji: what is drawn for a name, and how near it comes to what was never seen."""

from __future__ import annotations

from functools import cache

from ....course.scores import Score
from ....data.emoji import HELD_OUT_BY, to_range
from ....training.checkpoints import load
from . import experiments as own
from .chosen import TRAITS, drawn_emoji, held_emoji, joined_sets, kinds_of_names
from .judges import names_by_clip, names_in_pixels, traits_right

NAMED, FEWER = 300, 150  # pictures
EMOJI_SCALES = (1.0, 2.0, 4.0, 8.0)
FLOORS = {"colour": ">= 0.8", "tone": ">= 0.7"}  # kind, .8, and artist, .9, are missed; the page says so
SPOKEN = {"en": "English", "ko": "Korean"}


@cache
def system():
    return own.emoji_system()


@cache
def shares(language: str) -> dict[str, float]:
    r"""`emoji_shares` of some of the names that were learned; for colours, of all names that say one."""
    wanted, named = own.evenly(drawn_emoji(), NAMED), own.of_a_colour(drawn_emoji())
    found = own.emoji_shares(own.draw_emoji(system(), wanted, language), wanted)
    return found | {"colour": traits_right(own.draw_emoji(system(), named, language), named)["colour"]}


def judges():
    r"""How good the judges are, on real pictures that nobody showed them."""
    held = joined_sets(*map(held_emoji, HELD_OUT_BY))
    found = traits_right(to_range(held.images), held)
    for trait in TRAITS:
        yield Score(f"emoji.judges.{trait}", f"the judge of the {trait} is right on real pictures that it never saw",
                    found[trait], ".0%", bar=">= 0.85")
    real = own.evenly(drawn_emoji(), NAMED)
    for first in own.FIRST:
        places = names_by_clip(to_range(real.images), real.names_en)
        yield Score(f"emoji.judges.clip.{first}", f"CLIP has the name of the real picture among its first {first}",
                    (places < first).float().mean().item(), ".0%")


def shows():
    for language, name in SPOKEN.items():
        for trait in TRAITS:
            yield Score(f"emoji.shows.{language}.{trait}", f"{trait} as asked, learned {name} names, with the artist",
                        shares(language)[trait], ".0%", 1 / len(TRAITS[trait]), FLOORS.get(trait, ""))


def names():
    learned = len(set(drawn_emoji().names_en))
    for language, name in SPOKEN.items():
        for way, what in (("name", "nearest to real ones of the name"), ("clip", "that CLIP gives the name")):
            for first in own.FIRST:
                yield Score(f"emoji.names.{language}.{way}.{first}", f"drawings for {name} names {what}, among the "
                            f"first {first} of {learned}", shares(language)[f"{way}.{first}"], ".0%", first / learned)


def without_artist():
    r"""The same names with nobody's name in the prompt."""
    wanted = own.evenly(drawn_emoji(), FEWER)
    found = own.emoji_shares(own.draw_emoji(system(), wanted, artist=False), wanted)
    yield Score("emoji.untold.name.1", f"nearest to a real one of the name, of {FEWER}, no artist said",
                found["name.1"], ".0%", shares("en")["name.1"])


def along_scales():
    wanted = own.evenly(drawn_emoji(), FEWER)
    for scale in EMOJI_SCALES:
        places = names_in_pixels(own.draw_emoji(system(), wanted, scale=scale), wanted.names_en)
        yield Score(f"emoji.scales.{scale:g}", f"nearest to a real one of the name, of {FEWER}, at guidance {scale:g}",
                    (places < 1).float().mean().item(), ".0%")


def held():
    r"""Pairings that were held out: a known emoji by another artist, a known gesture in another tone."""
    for by in ("hand", "tone"):
        found = own.held_errors(system(), by)
        yield Score(f"emoji.held.{by}.drawn", f"error to the true picture, by {by} (baseline: the nearest seen)",
                    found["drawn"], ".3f", found["nearest"])
        yield Score(f"emoji.held.{by}.nearest", f"error of the nearest seen picture, by {by}",
                    found["nearest"], ".3f")
        yield Score(f"emoji.held.{by}.relatives", f"error of the same emoji as it was seen, by {by}",
                    found["relatives"], ".3f")
        yield Score(f"emoji.held.{by}.names", f"drawings nearest to a real one of the name, by {by}",
                    found["names"], ".0%")


def unknown():
    r"""Names of emoji that were seen in no form at all."""
    wanted = held_emoji("family")
    found = traits_right(own.draw_emoji(system(), wanted), wanted)
    for trait in ("kind", "hand"):
        yield Score(f"emoji.unknown.{trait}", f"{trait} as asked, names that were never learned", found[trait], ".0%",
                    1 / len(TRAITS[trait]))


def size():
    model, card = load(own.NAMED_NETWORK)
    minutes = card.metrics["training_seconds"] / 60
    yield Score("emoji.network.minutes", "minutes of training on one core", minutes, ".0f")
    yield Score("emoji.network.parameters", "parameters", sum(p.numel() for p in model.parameters()), ",.0f")
    yield Score("emoji.network.names", "names that are drawn", len(kinds_of_names()), ",.0f")
    yield Score("emoji.network.learned", "names that were learned", len(set(drawn_emoji().names_en)), ",.0f")
    yield Score("emoji.network.pictures", "pictures that were learned", len(drawn_emoji().hand), ",.0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them); notebook 13's scores hold them."""
    found = {"judges": judges, "shows": shows, "names": names, "untold": without_artist, "scales": along_scales,
             "held": held, "unknown": unknown, "network": size}
    yield from ((f"emoji.{name}", scores) for name, scores in found.items())
