r"""/imagine prompt: ... --seed 7 --ar 3:2, read and written. What is refused is a CommandError: a sentence and a cure.

The parameters are those of Midjourney's versions 5 to 7, with its names and ranges, as its documentation had them.
--emoji and --style are this studio's own, as --niji chose another network there.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from ...data.typed import typed

LONGEST_COMMAND = 400  # characters of what is typed
STYLES = ("noto", "twemoji", "fluent")
ALIASES = {"c": "chaos", "s": "stylize", "aspect": "ar"}
THEIRS = frozenset("""
    weird w tile quality q repeat r video v version niji hd fast relax turbo sref sw cref cw oref ow p profile draft raw
    motion loop upbeta stealth public test testp creative uplight sameseed exp bs end
""".split())
SHOW = "/imagine prompt: a red circle --seed 7"


class CommandError(ValueError):
    r"""A command that is none, or asks for what is not there; its message is one sentence for who typed it."""


class Number(NamedTuple):
    r"""A parameter that is a number: its range, and whether it is whole."""

    low: int
    high: int
    whole: bool = True


NUMBER_RANGES = {"seed": Number(0, 2**32 - 1), "chaos": Number(0, 100), "stylize": Number(0, 1000),
                 "stop": Number(10, 100), "iw": Number(0, 3, whole=False)}


@dataclass(frozen=True)
class Imagine:
    r"""What /imagine asks for.

    prompt   words, in English or Korean, not empty
    seed     of the noise; None: not yet chosen
    ar       width and height of the canvas, as a ratio from 1:2 to 2:1
    no       words to be led away from; "": none
    chaos    0 to 100: how unlike the four are
    stylize  0 to 1000: how much of an artist's hand
    stop     10 to 100: the share of the way that is drawn, in percent
    iw       0 to 3: how much of the image prompt stays
    source   the line of the picture that it starts from, an image prompt; "": none
    emoji, style   draw emoji, not scenes; whose hand
    """

    prompt: str
    seed: int | None = None
    ar: tuple[int, int] = (1, 1)
    no: str = ""
    chaos: int = 0
    stylize: int = 100
    stop: int = 100
    iw: float = 1.0
    source: str = ""
    emoji: bool = False
    style: str = "noto"


def read_command(text: str) -> Imagine:
    r"""A typed /imagine. CommandError for anything that it is not."""
    text = cleaned(text)
    word = re.match(r"/(\S*)", text)
    if not word or word[1].casefold() not in ("imagine", "imagine:"):
        known = f"this studio has no /{word[1][:20]}" if word and word[1] else "a command begins with /imagine"
        raise CommandError(f"{known}: write {SHOW}")
    rest = re.sub(r"^(\s*prompt:)+", "", text[word.end():], flags=re.IGNORECASE).strip()
    source, rest = image_prompt(rest)
    prompt, *parts = re.split(r"(?:^|\s)--(?!-)", rest)
    prompt = " ".join(prompt.split())
    if not prompt:
        raise CommandError(f"the prompt is empty: write what the picture shows, such as {SHOW}")
    if found := re.search(r"--|[{}>]", " ".join([prompt, *parts])):
        raise CommandError(f"{found[0]!r} stands inside of words: put one space before -- and none after it, and leave "
                           "braces and > out")
    values = {}
    for part in parts:
        name, value = read_parameter(part)
        if name in values:
            raise CommandError(f"--{name} is given twice: leave one of them out")
        values[name] = value
    if "style" in values and "emoji" not in values:
        raise CommandError("--style names an artist of emoji: add --emoji, or leave it out")
    if "iw" in values and not source:
        raise CommandError("--iw weighs an image prompt, and there is none: begin with a picture, such as #1.2")
    return Imagine(prompt, source=source, **values)


def cleaned(text: str, longest: int = LONGEST_COMMAND) -> str:
    r"""The text in one line without invisible characters, phones' long dashes as --. CommandError for no or too much
    text."""
    if not isinstance(text, str):
        raise CommandError(f"a command is a text, and this is a {type(text).__name__}: write {SHOW}")
    if len(text) > longest:
        raise CommandError(f"this command has {len(text):,} characters, and {longest} are read at most: say it shorter")
    try:
        text = " ".join("".join(typed(part) for part in re.findall(r"(?s).{1,900}", text)).split())
    except ValueError as error:
        raise CommandError(str(error)) from None
    text = re.sub(r"(^|\s)[—–](?=[A-Za-z])", r"\1--", unicodedata.normalize("NFC", text))
    if not text:
        raise CommandError(f"there is nothing to read: write {SHOW}")
    return text


def image_prompt(rest: str) -> tuple[str, str]:
    r"""The line in braces that a prompt begins with, "" for none, and what stands behind it."""
    if not rest.startswith("{"):
        if re.match(r"(https?:|www\.)\S+", rest):
            raise CommandError("an address as image prompt is not fetched here: name a picture of this studio, such as "
                               "#1.2, the second one of job 1")
        return "", rest
    depth = 0
    for i, character in enumerate(rest):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            if i == 1:
                raise CommandError("the braces of the image prompt are empty: put the line of a picture between them")
            return rest[1:i].strip(), rest[i + 1:].strip()
    raise CommandError("the brace of the image prompt is not closed: put } behind the line of the picture")


def read_parameter(part: str) -> tuple[str, object]:
    r"""What stands behind "--": (name, value)."""
    name, *words = part.split() if part[:1].strip() else [""]
    name = name.casefold()
    name = ALIASES.get(name, name)
    if not name:
        raise CommandError("the name of a parameter follows -- without a space, such as --seed 7")
    if "=" in name:
        raise CommandError(f"write --{name[:30].replace('=', ' ').strip()}, with a space in place of =")
    known = [*NUMBER_RANGES, "ar", "no", "style", "emoji"]
    if name not in known:
        if name in THEIRS:
            raise CommandError(f"--{name} is a parameter of Midjourney's that this studio does not have: leave it out")
        near = difflib.get_close_matches(name, known, 1)
        raise CommandError(f"there is no parameter --{name[:30]}" + (f": did you mean --{near[0]}?" if near else
                           f": there are --{', --'.join(sorted(known))}"))
    if name == "emoji":
        if words:
            raise CommandError(f"--emoji takes no value; {words[0][:30]!r} belongs in front of the parameters")
        return name, True
    if not words:
        raise CommandError(f"--{name} has no value: write {'--no red' if name == 'no' else example_of(name)}")
    if name == "no":
        return name, " ".join(words)
    if len(words) > 1:
        raise CommandError(f"after --{name} {words[0][:30]} stands {words[1][:30]!r}: words of the prompt come before "
                           "all parameters")
    return name, read_value(name, words[0])


def example_of(name: str) -> str:
    values = {"ar": "3:2", "style": "fluent", "seed": "7", "chaos": "50", "stylize": "700", "stop": "60", "iw": "2"}
    return f"--{name} {values[name]}"


def read_value(name: str, word: str):
    r"""The value of a parameter that has one word."""
    if name == "style":
        if word.casefold() not in STYLES:
            raise CommandError(f"--style is one of {', '.join(STYLES)}; got {word[:30]!r}")
        return word.casefold()
    if name == "ar":
        found = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", word, re.ASCII)
        if not found:
            raise CommandError(f"--ar is two whole numbers with a colon between, such as --ar 3:2; got {word[:30]!r}")
        width, height = map(int, found.groups())
        if not 0.5 <= width / height <= 2:
            raise CommandError(f"--ar goes from 1:2 to 2:1; {width}:{height} is too long and narrow")
        return width, height
    number = NUMBER_RANGES[name]
    form = r"-?\d{1,20}" if number.whole else r"-?\d{1,20}(\.\d{1,6})?"
    if not re.fullmatch(form, word, re.ASCII):
        raise CommandError(f"--{name} is a {'whole ' * number.whole}number from {number.low} to {number.high}; got "
                           f"{word[:30]!r}")
    value = int(word) if number.whole else float(word)
    if not number.low <= value <= number.high:
        raise CommandError(f"--{name} goes from {number.low} to {number.high}; got {word}")
    return value


def write_command(asked: Imagine) -> str:
    r"""The command in its one form: `read_command` of it is `asked` again. What has its usual value is left out."""
    usual = {field.name: field.default for field in fields(Imagine)}
    words = ["/imagine prompt:", f"{{{asked.source}}}" * bool(asked.source), asked.prompt]
    for name in ("seed", "ar", "no", "chaos", "stylize", "stop", "iw", "emoji", "style"):
        value = getattr(asked, name)
        if value != usual[name]:
            shown = {"ar": lambda v: f"{v[0]}:{v[1]}", "iw": lambda v: f"{v:g}", "emoji": lambda v: ""}
            words.append(f"--{name} {shown.get(name, str)(value)}".strip())
    return " ".join(filter(None, words))


def with_seed(asked: Imagine, seed: int) -> Imagine:
    return replace(asked, seed=seed)
