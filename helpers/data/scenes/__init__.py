"""Tiny scenes: drawn pictures whose truth is known, so that whatever a model does with them can be scored.

    drawing         factors -> pictures       one coloured shape at one of nine places; held-out combinations
    captions        factors <-> sentences     in English and Korean: written in one pattern or as people type, and read
    parser          pictures -> factors       analysis by synthesis
    judge           could `draw` have made a picture? If not, what is wrong with it, in a word
    blurring        blurred pictures and the neighbours of pixels, for parser and judge
    pairs           scenes of two objects     left of, right of, above, below; drawn, and read from pictures
    pair_captions   sentences about two objects, written and read
    crowd_sampling  scenes of up to five objects in splits: those that are judged are never trained on
    crowd           sentences about up to five objects, as text, as ids, and word for word: data for translation

Their ancestors: ShapeWorld (Kuhnle & Copestake 2017) for generated scenes with captions of known truth,
dSprites (Matthey et al. 2017) for independent factors, CLEVR (Johnson et al. 2017) for tests of composition,
and GenEval (Ghosh et al. 2023) for scoring text-to-image models by detecting what they drew.

`python -m helpers.data.scenes` measures how fast scenes are drawn and how reliably they are read.
"""

from .captions.draft import Reading
from .captions.korean import with_particle
from .captions.lexicon import LANGUAGES, UNSAID
from .captions.reader import read_caption
from .captions.words import Word
from .captions.writer import caption, drop_factors, write_captions
from .crowd import (
    ENGLISH,
    KOREAN,
    MOST,
    alignment,
    alignments,
    crowd_batch,
    crowd_caption,
    read_crowd_caption,
    sample_crowd,
    write_crowd_captions,
)
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
from .pair_captions import pair_caption, read_pair_caption, write_pair_captions
from .pairs import PAIR_FACTORS, PAIR_VALUES, RELATIONS, canonical, draw_pairs, make_pairs, parse_pairs, sample_pairs
from .parser import Parsed, parse
