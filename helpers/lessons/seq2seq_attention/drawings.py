"""The figures of notebook 01, with the states of a trained network in them."""

from __future__ import annotations

import torch

from ...data.text import BOS
from ...models import decoding
from ...show.attention import plain
from ...show.diagrams import Diagram, arrow, column, connect, enclose, grid, note, operation, vector, weight
from ...systems.translator import Translator

_SHOWN = 6  # numbers of a state that are drawn, of H


@torch.no_grad()
def read_and_written(model, sentence: str):
    """Tokens (S) of a sentence, what the encoder leaves of it, tokens (T) that were written, and states (T, H)."""
    translator = Translator(model)
    src = translator.read([sentence])
    memory, words = model.encode(src), decoding.greedy(model, src).words
    before = torch.cat([words.new_full((1, 1), BOS), words[:, :-1]], 1)
    states = model.decoder.gru(model.decoder.embed(before), memory.summary[None])[0]
    read, wrote = translator.named(translator.source, src[0]), translator.named(translator.target, words[0])
    return [plain(token) for token in read], memory, [plain(token) for token in wrote], states[0]


def encoder_decoder(model, sentence: str) -> Diagram:
    """The encoder reads a sentence into one context vector, from which the decoder writes it in another language."""
    read, memory, wrote, states = read_and_written(model, sentence)
    last = len(wrote) - 1
    heard = [operation(read[j], "words") for j in (0, 1, -1)]
    inner = [vector(memory.states[0, j, :_SHOWN], f"h{small(j + 1)}", "hidden", cell=11) for j in (0, 1, len(read) - 1)]
    given = [operation(token, "words") for token in ("<s>", wrote[0], wrote[last - 1])]
    steps = [vector(states[t, :_SHOWN], f"s{small(t + 1)}", "hidden", cell=11) for t in (0, 1, last)]
    said = [operation(wrote[t], "words") for t in (0, 1, last)]
    c = vector(memory.summary[0, :_SHOWN], "context\nvector c", cell=15)

    down, dots = (lambda label="": arrow(label, length=22)), (lambda: note("…"))
    table = grid([heard[0], None, heard[1], dots(), heard[2], None, None, None,
                  given[0], None, given[1], dots(), given[2]],
                 [down(), None, down(), None, down(), None, None, None, down(), None, down(), None, down()],
                 [inner[0], note("⇄", 16), inner[1], dots(), inner[2], arrow("both ends"), c, arrow("start"),
                  steps[0], arrow(length=26), steps[1], dots(), steps[2]],
                 [None, None, note("encoder, a GRU each way"), *[None] * 5, down(), None, down(), None,
                  down("readout")],
                 [*[None] * 8, said[0], None, said[1], dots(), said[2]], gap=(7, 2))
    return Diagram(table, connect(said[0], "right", given[1], "left", dashed=True),
                   enclose(*heard, *inner), enclose(*given, *steps, *said), title="An encoder and a decoder",
                   description="The encoder turns each word of a Korean sentence into a state. Its two ends become one "
                               "context vector, from which the decoder writes an English word at each of its steps. "
                               "Each word that it writes is what it reads next.")


def attention_step(model, sentence: str, step: int) -> Diagram:
    """How one word is written with attention: compare, weigh, add up, read out."""
    read, memory, wrote, states = read_and_written(model, sentence)
    weights = Translator(model).align(sentence)[2][step]
    context = weights @ memory.states[0, : len(read)]
    s = vector(states[step, :_SHOWN], "decoder\nstate s", "hidden", cell=10, upright=False)
    n = range(len(read))
    shares = [weight(value, 36) for value in weights.tolist()]
    table = grid([None, None, *(operation(word, "words") for word in read)],
                 [None, None, *(arrow(length=20) for _ in n)],
                 [note("encoder\nstates h"), None,
                  *(vector(memory.states[0, j, :_SHOWN], "", "hidden", cell=10) for j in n)],
                 [None] * 2 + [arrow(length=16) for _ in n],
                 [s, arrow("compare,\nsoftmax"), *shares], gap=(5, 3))
    c = vector(context[:_SHOWN], "", cell=14, upright=False)
    readout = operation("readout")
    root = column(table, arrow("sum of weight × h", length=26), c, arrow("context vector c", length=26), readout,
                  arrow("next word", length=24), operation(wrote[step], "words"))
    return Diagram(root, enclose(*shares, quantity="attention"), connect(s, "bottom", readout, "left"),
                   title="One step of attention",
                   description="The decoder's state is compared with each encoder state. A softmax makes weights "
                               "of the scores; the weighted sum of the states is the context vector of this word.")


def small(number: int) -> str:
    """A number as an index, in small digits."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
