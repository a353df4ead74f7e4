"""What is held out: families in all forms, some families in one hand, some skin tones of some families.

A split is a string for each emoji, with a letter for each hand in the order of HANDS:

    s  seen: in the training split
    h  held out: in the test split
    x  left out of both: its family, hand or tone is held out, but a picture that is seen is too near
    -  not drawn by this hand

Everything follows from hashes of family names and from the pictures. The families of the three splits are different
ones, so what is seen in all three can be trained on once, and tested on each.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from lookalikes import NEAR, ink_distance

HANDS = ("noto", "twemoji", "openmoji", "fluent")
TONES = "🏻🏼🏽🏾🏿"
SAME_TONE = 0.1  # of the ink. What is nearer to its other tones shows skin in a few pixels only: a guard, a snowboarder

Picture = tuple[int, int]  # (row of the table, place in HANDS)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def any_of(choices: Sequence, family: str):
    """One of the choices: which, depends on the family's name alone."""
    return choices[int(digest(family), 16) % len(choices)]


def chosen(categories: dict[str, str], share: int, salt: str = "") -> set[str]:
    """Families to hold out: of each category the `share`-th part whose names, after the salt, have the smallest hashes.

    categories: family -> category. The choice depends on names alone, and no category is left without training.
    """
    found = set()
    for category in set(categories.values()):
        families = [family for family in categories if categories[family] == category]
        families.sort(key=lambda family: digest(salt + family))
        found.update(families[: round(len(families) / share)])
    return found


def held_out(rows: list[dict[str, str]], drawn: set[Picture]) -> dict[str, set[Picture]]:
    """Split -> the pictures that it holds out, before any is left out for its likeness to one that is seen."""
    categories = {row["family"]: row["category"] for row in reversed(rows)}
    families = chosen(categories, 10)
    rest = {family: category for family, category in categories.items() if family not in families}
    other_hands = chosen(rest, 5, "hand ")
    toned = {row["family"] for row in rows if tones(row)} - other_hands
    other_tones = chosen({family: rest[family] for family in rest if family in toned}, 3, "tone ")
    hands = {family: {k for place, k in drawn if rows[place]["family"] == family} for family in other_hands}
    hand = {family: any_of(sorted(known), family) for family, known in hands.items()}
    tone = {family: any_of(TONES, family) for family in other_tones}
    return {
        "by_family": {(place, k) for place, k in drawn if rows[place]["family"] in families},
        "by_hand": {(place, k) for place, k in drawn if hand.get(rows[place]["family"]) == k},
        "by_tone": {(place, k) for place, k in drawn if tone.get(rows[place]["family"]) in tones(rows[place])},
    }


def tones(row: dict[str, str]) -> set[str]:
    """The skin tones of an emoji of people; the five swatches of tone are no people."""
    return set(row["emoji"]) & set(TONES) if len(row["emoji"]) > 1 else set()


def too_near(test: list[Picture], train: list[Picture], sheets: np.ndarray, families: np.ndarray,
             own: float) -> set[Picture]:
    """The pictures of `test` nearer than NEAR to one of `train`, or than `own` to one of their own family.

    sheets: (hands, emoji, H, W, 3) uint8; families: of each emoji.
    """
    def stack(pictures: list[Picture]) -> np.ndarray:
        return np.stack([sheets[hand, place] for place, hand in pictures])

    seen, seen_families, found = stack(train), families[[place for place, _ in train]], set()
    for start in range(0, len(test), 200):
        some = test[start : start + 200]
        for picture, distances in zip(some, ink_distance(stack(some), seen), strict=True):
            limits = np.where(seen_families == families[picture[0]], own, NEAR)
            if (distances < limits).any():
                found.add(picture)
    return found


def split(rows: list[dict[str, str]], sheets: np.ndarray, drawn: set[Picture]) -> None:
    """Write "by_family", "by_hand" and "by_tone" into each row, and print how many pictures are where."""
    families = np.array([row["family"] for row in rows])
    for name, test in held_out(rows, drawn).items():
        own = SAME_TONE if name == "by_tone" else NEAR
        left_out = too_near(sorted(test), sorted(drawn - test), sheets, families, own)
        letters = {picture: "x" if picture in left_out else "h" if picture in test else "s" for picture in drawn}
        for place, row in enumerate(rows):
            row[name] = "".join(letters.get((place, k), "-") for k in range(len(HANDS)))
        print(name, {letter: [*letters.values()].count(letter) for letter in "shx"})
