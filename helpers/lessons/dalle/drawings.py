r"""Figures of notebook 16: the two stages of DALL-E, and recorded shares along the temperature and the candidates."""

from __future__ import annotations

import torch

from ...course.scores import PATH
from ...data.files import read_json
from ...show.attention import plain
from ...show.diagrams import Diagram, arrow, column, connect, grid, note, operation, picture, row, words
from ...show.figures import curves
from ...systems.dalle import DallE
from ...systems.text_to_image import END
from .experiments import CANDIDATES_TRIED, TEMPERATURES

CODES_SHOWN = 3  # of a row of codes, before the dots


@torch.no_grad()
def two_stages(system: DallE, prompt: str, x, seed: int = 0) -> Diagram:
    r"""The first stage around its codes, the transformer over text and codes, and CLIP beside it.

    What stands in it is real: the tokens of the prompt, the codes of a picture x (1, 3, S, S), and those written.
    """
    tokens = [plain(token) for token in system.words.tokens(prompt)] + [END]
    codes = system.codes([prompt], temperature=0.3, seed=seed)
    text, target = words(tokens), code_row(system.encode(x)[0])
    made = code_row(codes[0])
    encoder, decoder = (operation(name, note="VQ-VAE") for name in ("Encoder", "Decoder"))
    writer = operation("Transformer", note="DALLE: one token\nafter another")
    judge = operation("CLIP", note="ranks pictures;\nnot a part", least=0)
    drawn = picture(system.decode(codes)[0].cpu(), "written", 72)
    given = column(text, note("text tokens"), gap=2)
    table = grid([picture(x[0], "a picture", 72), arrow(length=20), encoder, arrow(length=20), target],
                 [None, None, given, arrow(length=20), writer, arrow(length=20), made],
                 [None, None, judge, None, drawn, None, decoder], gap=(10, 26))
    return Diagram(table, connect(target, "bottom", writer, "top", "to learn from", dashed=True),
                   connect(made, "bottom", decoder, "top"), connect(decoder, "left", drawn, "right"),
                   connect(drawn, "left", judge, "right", dashed=True),
                   title="DALL-E in two stages", description="First a VQ-VAE turns pictures into codes and back. Then "
                   "a transformer learns to continue the tokens of a text with codes. CLIP stands outside and ranks "
                   "what was written.")


def code_row(codes):
    r"""The first codes of a grid (side, side) in boxes, and dots for the others."""
    shown = [operation(f"{code}", "code") for code in codes.flatten()[:CODES_SHOWN].tolist()]
    return column(row(*shown, note("…"), gap=3), note(f"{codes.numel()} codes"), gap=2)


def recorded_shares(begins: str, places) -> list[float]:
    r"""The recorded scores whose names are `begins` with each of the places put in for {}."""
    scores = read_json(PATH)["scores"]
    return [scores[begins.format(f"{place:g}")]["value"] for place in places]


def temperature_figure():
    r"""Recorded shares along the temperature."""
    series = {name: (TEMPERATURES, recorded_shares(f"dalle.temperature.{{}}.{name}", TEMPERATURES))
              for name in ("asked", "valid", "both")}
    return curves(series, "temperature", "share of pictures", ylim=(0, 1.05))


def choice_figure():
    r"""Recorded shares of right and valid pictures along the number of candidates: CLIP's choice, and the oracle."""
    series = {name: (CANDIDATES_TRIED, recorded_shares(f"dalle.choice.{key}.{{}}", CANDIDATES_TRIED))
              for name, key in (("oracle", "oracle"), ("CLIP's choice", "clip"))}
    return curves(series, "candidates N", "right and valid", log="x", xticks=CANDIDATES_TRIED, ylim=(0, 1.05))
