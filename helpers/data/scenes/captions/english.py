"""English words of captions, by their meaning. `lexicon` says what the roles are and reads these lists."""

# role -> its values in the order of `drawing`, each after a "|". The words before "/" are usual: the writer uses them.
ENGLISH_VALUES = {
    "shape": """
        circle / disc, disk, ball, dot, round, circular
        | square / box
        | triangle / triangular
        | star
    """,
    "colour": """
        red / crimson, scarlet, ruby
        | orange / tangerine
        | yellow / gold, golden, lemon, lemon yellow
        | green / emerald, emerald green, lime green
        | cyan, sky blue / baby blue, aqua, azure, turquoise, sky coloured, sky colored
        | blue / navy, navy blue, royal blue, cobalt, cobalt blue
        | purple, violet
        | pink / rose, rosy, hot pink
    """,
    "size": """
        small, little, tiny / teeny, teensy, mini, miniature, wee, minuscule, small sized, smallish, itty bitty,
            teeny tiny
        | big, large / huge, giant, massive, enormous, gigantic, large sized, big sized, oversized
    """,
    "shade": """
        black / jet black, pitch black
        | gray, grey
        | white / pure white, snow white
    """,
    "row": """
        top, upper / uppermost, up, topmost, upwards
        |
        | bottom, lower / lowermost, down, bottommost
    """,
    "column": """
        left / left hand, leftmost, lefthand
        |
        | right / right hand, rightmost, righthand
    """,
    "relation": """
        to the left of, left of / on the left of, on the left side of, to the left side of, left from
        | to the right of, right of / on the right of, on the right side of, to the right side of, right from
        | above, over / on top of, atop, higher than
        | below, under / underneath, beneath, lower than
    """,
    "place": """
        / northwest, north west
        | / northeast, north east
        | / southwest, south west
        | / southeast, south east
    """,
    "tint": """
        / dark, deep, bright, vivid
        | / light, pale, pastel
    """,
}

# Words without a value: "role", or "role kind" where the reader looks for words of that kind.
ENGLISH_ROLES = {
    "middle": "centre, center, middle / central, centered, centred, centrally, mid",
    "corner": "corner, quadrant",
    "line": "row, column",
    "ground": "background / backdrop, bg, background colour, background color",
    "picture": "canvas, page, paper, screen, image, picture, frame, scene, drawing, sheet, illustration, board",
    "thing": "shape, object, thing, figure, form, item",
    "on": "on, against, onto, upon, atop of, set on, set against",
    "and": "and, plus, also, then, as well as, along with, together with, while",
    "with": "with, has, have, having, containing, contains, showing, displaying, shows, featuring, features",
    "is": "is, are, be, being, as, equals, should be, must be, will be, was, position, place",
    "is colour": "colour, color, coloured, colored",
    "is size": "size",
    "not": """
        no, not, without, never, none, nothing, except, isn't, aren't, don't, doesn't, won't, can't, neither, nor,
        nobody, instead of, rather than, other than, lacking, minus, non
    """,
    "count": """
        two, three, four, five, six, seven, eight, nine, ten, several, many, multiple, pair, couple, both, 2, 3, 4, 5,
        some, another, more
    """,
    "glue plain": "plain, solid, uniform, flat, simple",
    "glue size": "sized",
    "glue shape": "shaped",
    "glue": """
        a, an, the, in, at, of, to, there, it, that, which, this, its, it's, there's, here, everything, all, entire,
        whole, other, for, from, by, i, i'd, we, i'll, you, me, us, my, your, want, would, like, see, please, can,
        could, need, show, shows me, draw, put, make, create, generate, give, paint, render, add, let, let's, use,
        using, got, get, been, do, should, must, will, hello, hi, thanks, thank, ok, okay,
        somewhere, located, located in, positioned, placed, sitting, situated, sits, lies, stands, standing, floating,
        floats, appears, shown, displayed, drawn, painted, filled, fill, set, empty, shining, glowing,
        just, only, single, one, 1, very, really, quite, so, exactly, precisely, dead, way, far, bit of,
        side, edge, part, area, half, third, region, section, portion, end, hand, sort, kind, tone, hue, design,
        towards, toward, near the, where, horizontally, vertically, over there, nothing else, and nothing else,
        five pointed, 5 pointed, five point
    """,
}
