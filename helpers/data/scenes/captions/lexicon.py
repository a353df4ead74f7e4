"""The words of captions in English and Korean: what each means, and which of them the writer uses.

A word has a *role*, and a value where the role asks for one:

    shape, colour, size     a value of that factor
    shade                   black, gray or white: the colour of a background, and of nothing else
    column, row, middle     where: `middle` is the centre of a row, of a column or of the picture, as its company says
    corner, line            what needs both a column and a row; the words row and column themselves
    ground, picture         the word background; words like canvas or page, which may mean it
    thing                   the word shape or object: a noun that names no shape
    relation                above, below, to the left of: between two objects
    tint                    dark or bright, 0; pale, 1: said of a colour
    on, with, and, is, not, count, glue

Words of several parts are written with a space and are found with a hyphen or joined as well. Korean words are stems: `words`
takes the particles off. A shade, a size and a colour that is next to one of the world's counts as that one (crimson, navy); one
that lies between two of them does not (magenta, teal, 연두).
"""

from typing import NamedTuple

from ..drawing import BACKGROUNDS, COLOURS, SHAPES, SIZES

LANGUAGES = ("en", "ko")
UNSAID = -1                                              # in a row of factors: one that a caption does not mention

WORDS = {                                                # the fixed pattern's word for each value
    "en": {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "background": BACKGROUNDS},
    "ko": {
        "shape": ("원", "사각형", "삼각형", "별"),
        "colour": ("빨간", "주황색", "노란", "초록색", "하늘색", "파란", "보라색", "분홍색"),
        "size": ("작은", "큰"),
        "background": ("검은", "회색", "흰"),
    },
}
ANY_SHAPE = {"en": "shape", "ko": "도형"}


class Sense(NamedTuple):
    """What a word means: its role, and the value that it has there, an index or a pair (column, row)."""

    role: str
    value: int | tuple[int, int] | None = None


# Values in the order of `drawing`, separated by "|". Before "/" stand the usual words, which the writer uses too.
_VALUES = {
    "en": {
        "shape": "circle / disc, disk, ball, dot, round, circular | square / box | triangle / triangular | star",
        "colour": "red / crimson, scarlet, ruby | orange / tangerine | yellow / gold, golden, lemon, lemon yellow"
                  "| green / emerald, emerald green, lime green | cyan, sky blue / baby blue, aqua, azure, turquoise, sky coloured, sky colored"
                  "| blue / navy, navy blue, royal blue, cobalt, cobalt blue | purple, violet | pink / rose, rosy, hot pink",
        "size": "small, little, tiny / teeny, teensy, mini, miniature, wee, minuscule, small sized, smallish, itty bitty, teeny tiny"
                "| big, large / huge, giant, massive, enormous, gigantic, large sized, big sized, oversized",
        "shade": "black / jet black, pitch black | gray, grey | white / pure white, snow white",
        "row": "top, upper / uppermost, up, topmost, upwards | | bottom, lower / lowermost, down, bottommost",
        "column": "left / left hand, leftmost, lefthand | | right / right hand, rightmost, righthand",
        "relation": "to the left of, left of / on the left of, on the left side of, to the left side of, left from"
                    "| to the right of, right of / on the right of, on the right side of, to the right side of, right from"
                    "| above, over / on top of, atop, higher than"
                    "| below, under / underneath, beneath, lower than",
        "place": "/ northwest, north west | / northeast, north east | / southwest, south west | / southeast, south east",
        "tint": "/ dark, deep, bright, vivid | / light, pale, pastel",
    },
    "ko": {
        "shape": "원, 동그라미 / 원형, 동그란, 동그랗고, 둥근, 둥글고, 동글, 동글동글한, 동그라미꼴"
                 "| 사각형, 네모 / 정사각형, 사각, 네모난, 네모꼴, 네모진, 네모나고 | 삼각형, 세모 / 삼각, 세모난, 세모꼴, 정삼각형"
                 "| 별 / 별표, 스타, 오각별",
        "colour": "빨간, 빨강, 빨간색 / 빨갛, 빨개, 붉은, 붉고, 새빨간, 적색, 레드, 다홍, 진홍"
                  "| 주황색, 주황 / 오렌지, 오렌지색, 주홍, 귤색"
                  "| 노란, 노랑, 노란색 / 노랗, 노래요, 샛노란, 황색, 옐로우, 옐로, 금색"
                  "| 초록색, 초록, 녹색 / 진녹색, 진초록, 초록빛"
                  "| 하늘색, 하늘 / 연파랑, 연파란, 청록, 청록색, 시안, 시안색"
                  "| 파란, 파랑, 파란색 / 파랗, 파래요, 새파란, 청색, 블루, 남색, 군청색, 진파랑"
                  "| 보라색, 보라 / 보랏빛, 자주, 자주색, 자색, 퍼플, 바이올렛"
                  "| 분홍색, 분홍 / 핑크, 핑크색, 연분홍, 진분홍, 분홍빛",
        "size": "작은, 조그만 / 작고, 작다, 작음, 작습니다, 작아요, 작으며, 작게, 작은데, 작디작은, 조그마한, 조그맣, 자그마한, 자그만, 쪼그만, 쪼끄만,"
                "쬐그만, 조막만한, 소형, 미니, 꼬마, 아담한, 작은거, 작은것"
                "| 큰, 커다란 / 크고, 크다, 큼, 큽니다, 커요, 크며, 크게, 큰데, 큼직한, 큼지막한, 커다랗, 거대한, 대형, 왕, 큰거, 큰것",
        "shade": "검은, 까만, 검정 / 검은색, 검정색, 까맣, 검고, 새까만, 검다, 까매요, 시커먼, 블랙, 흑색, 껌정"
                 "| 회색 / 그레이, 잿빛, 재색, 쥐색, 연회색, 진회색"
                 "| 흰, 하얀, 흰색 / 하양, 하얀색, 하얗, 희고, 희다, 하얘요, 새하얀, 화이트, 백색",
        "row": "위, 위쪽, 상단 / 윗쪽, 위편, 윗부분, 위부분, 윗줄, 윗, 윗편, 상부, 꼭대기"
               "| / 가운뎃줄, 중간줄, 가운데줄, 중단"
               "| 아래, 아래쪽, 하단 / 아랫쪽, 아래편, 아랫부분, 아래부분, 아랫줄, 아랫, 아랫편, 하부, 밑, 밑쪽, 밑부분, 밑바닥, 바닥",
        "column": "왼쪽, 좌측 / 왼편, 왼, 좌, 왼쪽편, 왼손쪽 | / 가운데열, 중간열 | 오른쪽, 우측 / 오른편, 오른, 우, 오른쪽편",
        "tint": "/ 진한, 짙은, 어두운, 밝은, 선명한 | / 연한, 옅은",
        "place": "좌상단 / 좌상, 왼쪽상단, 좌측상단 | 우상단 / 우상 | 좌하단 / 좌하 | 우하단 / 우하",
    },
}
_CORNERS = ((0, 0), (2, 0), (0, 2), (2, 2))             # (column, row)

# Words without a value.
_ROLES = {
    "en": {
        "middle": "centre, center, middle / central, centered, centred, centrally, mid",
        "corner": "corner, quadrant",
        "line": "row, column",
        "ground": "background / backdrop, bg, background colour, background color",
        "picture": "canvas, page, paper, screen, image, picture, frame, scene, drawing, sheet, illustration, board",
        "thing": "shape, object, thing, figure, form, item",
        "on": "on, against, onto, upon, atop of, set on, set against",
        "and": "and, plus, also, then, as well as, along with, together with, while",
        "with": "with, has, have, having, containing, contains, showing, displaying, shows, featuring, features",
        "is": "is, are, be, being, as, colour, color, coloured, colored, should be, must be, will be, was, equals, size, position, place",
        "not": "no, not, without, never, none, nothing, except, isn't, aren't, don't, doesn't, won't, can't, neither, nor, nobody,"
               "instead of, rather than, other than, lacking, minus, non",
        "count": "two, three, four, five, six, seven, eight, nine, ten, several, many, multiple, pair, couple, both, 2, 3, 4, 5, some,"
                 "another, more",
        "glue": "a, an, the, in, at, of, to, there, it, that, which, this, i, i'd, we, i'll, you, me, us, want, would, like, see, please, can,"
                "could, show, shows me, draw, put, make, create, generate, give, paint, render, add, let, let's, need, somewhere, located,"
                "positioned, placed, sitting, situated, sits, lies, stands, standing, floating, floats, appears, shown, displayed,"
                "just, only, single, one, 1, very, really, quite, so, exactly, precisely, plain, solid, uniform, flat, simple,"
                "side, edge, part, area, half, third, region, section, portion, end, hand, far, its, it's, there's, shaped, five pointed,"
                "5 pointed, five point, design, here, everything, all, entire, whole, other, for, from, set, sized, sort, kind, tone, hue, located in,"
                "drawn, painted, filled, fill, use, using, by, towards, toward, near the, my, your, got, get, where, nothing else,"
                "and nothing else, dead, way, shining, glowing, empty, horizontally, vertically, over there, hello, hi, thanks, thank, ok, okay, been, do, should, must, will, bit of",
    },
    "ko": {
        "middle": "가운데, 중앙 / 한가운데, 정중앙, 중간, 중심, 정가운데, 정 가운데, 정 중앙, 한 가운데, 한복판, 복판, 중심부, 센터",
        "corner": "모서리, 구석, 귀퉁이, 모퉁이, 코너",
        "line": "열, 줄, 행, 칸",
        "ground": "배경, 바탕 / 배경색, 바탕색, 뒷배경, 백그라운드",
        "picture": "화면, 그림, 캔버스, 종이, 도화지, 이미지, 스케치북",
        "thing": "도형, 물체, 물건, 모형, 형상",
        "and": "그리고, 또, 또한, 및, 더불어, 함께",
        "not": "없다, 없는, 없이, 없고, 없습니다, 없어요, 없음, 없어, 없게, 없네, 없지만, 없으며, 없는데, 없애, 아닌, 아니고, 아니라, 아니다, 아닙니다,"
               "아니에요, 않은, 않는, 않고, 않게, 않다, 않아요, 않습니다, 말고, 빼고, 빼, 빼줘, 제외, 제외하고, 제외한, 대신, 마, 마세요, 지마, 안",
        "count": "두, 둘, 세, 셋, 네, 넷, 다섯, 여러, 많은, 둘다, 각각, 또하나,"
                 "두 개, 세 개, 네 개, 다섯 개, 여러 개, 두개, 세개, 네개, 다섯개, 여러개, 2개, 3개, 4개, 5개",
        "glue": "있다, 있습니다, 있어요, 있어, 있음, 있는, 있고, 있으며, 있네, 있네요, 있는데, 있게, 있을, 있도록, 있었으면, 있지, 있구,"
                "놓여, 놓인, 놓고, 놓아, 놓여진, 놔, 놔줘, 놓다, 자리한, 자리하고, 자리잡은, 자리잡고, 위치한, 위치해, 위치하고, 위치하는, 위치하며, 위치에, 위치,"
                "그려, 그려라, 그려진, 그린다, 그리기, 그리자, 그려서, 그려져, 그리세요, 그립니다, 그려넣어, 그릴, 보여, 보이는, 보이게, 보인다,"
                "만들어, 넣어, 배치해, 배치된, 배치, 생성해, 찍어, 올려, 올린, 띄워, 칠해진, 칠한, 칠해,"
                "해줘, 해라, 하자, 하는, 해 주세요, 해 줘, 해주세요, 하세요, 안녕하세요, 떠있는, 떠 있는, 떠 있다, 떠있다, 뜬, 빛난다, 빛나는, 가로, 세로, 가로로, 세로로, 한, 하나, 한개, 한 개, 1개, 하나만, 것, 거, 게, 걸, 건, 볼래, 싶어, 싶어요, 원해, 원해요, 원합니다, 부탁해, 부탁해요,"
                "부탁드려요, 부탁드립니다, 부탁, 좀, 그냥, 아주, 매우, 정말, 엄청, 굉장히, 되게, 무척, 꽤, 딱, 맨, 가장, 제일, 바로, 정확히, 완전, 완전히, 오직,"
                "모양, 모양인, 형태, 형태인, 생긴, 크기, 사이즈, 색, 색깔, 색상, 빛깔, 빛, 톤, 쪽, 편, 부분, 부근, 방향, 자리, 곳, 지점, 끝, 가장자리, 영역, 공간,"
                "이런, 여기, 거기, 안녕, 기준, 속, 전체, 단색, 채워진, 가득, 되도록, 위치시켜, 가진, 가지고, 갖는, 나타난, 나와, 표시해, 두고, 둬, 같은, 딱하나",
    },
}

# Pieces that follow a Korean stem: what they do for the sentence. The rest is silent.
PARTICLES = {
    **dict.fromkeys("이 가 은 는 께서 이가 이는".split(), "subject"),
    **dict.fromkeys("과 와 랑 이랑 하고 이랑은".split(), "and"),
    **dict.fromkeys("에 에서 에다 에다가 엔 에선 로 으로".split(), "at"),
    **dict.fromkeys("을 를".split(), "object"),
    "의": "of", "보다": "of",
    **dict.fromkeys("도 만 요 이요 색 빛 색깔 형 쯤 즈음 까지 이나 짜리 지 은데 라 이라 께 씩 이든 쯤에 즈음에 줘 줘요 주세요 주십시오 줄래 줄래요 주라 줄수 봐 봐요".split(), "silent"),
    **dict.fromkeys("이다 입니다 이에요 예요 이고 이며 이구 인데 인 임 이어야 여야 된 되어 되고 다 고 며 습니다".split(), "is"),
    "들": "count",
}


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.replace("/", ",").split(",") if word.strip()]


def _senses(language: str) -> dict[str, Sense]:
    senses = {word: Sense(role) for role, words in _ROLES[language].items() for word in _listed(words)}
    for role, text in _VALUES[language].items():
        for index, words in enumerate(text.split("|")):
            value = _CORNERS[index] if role == "place" else index
            senses |= {word: Sense(role, value) for word in _listed(words)}
    return senses


SENSES = {language: _senses(language) for language in LANGUAGES}     # word -> what it means
USUAL = {                                                            # role -> for each value, the words that are written
    language: {role: [tuple(_listed(words.split("/")[0])) for words in text.split("|")]
               for role, text in (_VALUES[language] | _ROLES[language]).items()}
    for language in LANGUAGES
}


def with_particle(word: str, pair: str) -> str:
    """Append the Korean particle that the last syllable asks for.

    pair: "이/가", "과/와", "을/를" or "은/는": the form after a final consonant, then the form after a vowel.
    Raises ValueError for another pair, or a word that does not end in a Hangul syllable.
    """
    if pair not in ("이/가", "과/와", "을/를", "은/는"):
        raise ValueError(f"unknown pair of particles {pair!r}: use 이/가, 과/와, 을/를 or 은/는")
    if not word or not "가" <= word[-1] <= "힣":
        raise ValueError(f"{word!r} does not end in a Hangul syllable, so its particle is not known")
    # Unicode orders syllables by first consonant, vowel and final consonant; the first of 28 finals is none.
    has_final = (ord(word[-1]) - ord("가")) % 28 != 0
    return word + pair.split("/")[0 if has_final else 1]


def check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: captions are written in {' or '.join(LANGUAGES)}")
