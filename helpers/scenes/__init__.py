"""Tiny scenes: generated pictures whose truth is known, so that everything a model does with them can be scored.

    drawing     factors -> pictures       one coloured shape at one of nine places; held-out combinations
    captions    factors <-> sentences     in English and Korean, whole or in part
    parser      pictures -> factors       analysis by synthesis; says how far to trust the answer

The idea has ancestors: ShapeWorld (Kuhnle & Copestake 2017) for generated scenes with captions of known truth,
dSprites (Matthey et al. 2017) for independent factors, CLEVR (Johnson et al. 2017) for questions about composition,
and GenEval (Ghosh et al. 2023) for scoring text-to-image models by detecting what they drew.
"""

from .drawing import (
    BACKGROUNDS,
    COLOURS,
    COLUMNS,
    FACTORS,
    HELD_OUT,
    PALETTE,
    ROWS,
    SHAPES,
    SIZES,
    VALUES,
    draw,
    draw_objects,
    make_scenes,
    sample_factors,
)
from .parser import Parsed, parse

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "COLUMNS",
    "FACTORS",
    "HELD_OUT",
    "PALETTE",
    "ROWS",
    "SHAPES",
    "SIZES",
    "VALUES",
    "Parsed",
    "draw",
    "draw_objects",
    "make_scenes",
    "parse",
    "sample_factors",
]
