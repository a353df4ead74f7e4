"""The figures of notebook 01, with the states of a trained network in them."""

from __future__ import annotations

import torch

from ...models import decoding
from ...show.attention import plain
from ...show.diagrams import Diagram, arrow, column, grid, link, note, operation, row, vector, weight
from ...systems.translator import Translator

SHOWN = 6  # numbers of a state that are drawn, of H


@torch.no_grad()
def read_and_written(model, sentence: str):
    """Tokens and states (S, H) of a sentence, its summary (H,), tokens written, and the states (T, H) that wrote them."""
    translator = Translator(model)
    src = translator.read([sentence])
    memory, words = model.encode(src), decoding.greedy(model, src).words
    before = torch.cat([words.new_ones(1, 1), words[:, :-1]], 1)  # the start mark has number 1
    states = model.decoder.gru(model.decoder.embed(before), memory.summary[None])[0]
    read, wrote = translator.named(translator.source, src[0]), translator.named(translator.target, words[0])
    return [plain(token) for token in read], memory, [plain(token) for token in wrote], states[0]


def encoder_decoder(model, sentence: str) -> Diagram:
    """The encoder reads a sentence into one context vector, from which the decoder writes: two words, and the last."""
    read, memory, wrote, states = read_and_written(model, sentence)
    chosen, gap = [0, 1, 2, len(read) - 1], len(wrote) - 1
    top, middle, above, line, below = [], [], [], [], []
    for j in chosen:
        top += [operation(read[j], "words"), note("…") if j == 2 else None]
        middle += [vector(memory.states[0, j, :SHOWN], f"h{sub(j)}", "hidden", cell=10), note("⇄" if j < 2 else "…")]
    for t in (0, 1, gap):
        above += [operation(wrote[t - 1] if t else "<s>", "words"), None]
        line += [vector(states[t, :SHOWN], "s", "hidden", cell=10), arrow(length=22) if not t else note("…")]
        below += [operation(wrote[t], "words"), None]
    encoder = grid(top[:-1], [arrow(length=24) if cell in top[::2] else None for cell in top[:-1]], middle[:-1], gap=(7, 0))
    decoder = grid(above[:-1], [arrow(length=24) if i % 2 == 0 else None for i in range(5)], line[:-1],
                   [arrow("readout" if i == 4 else "", length=30) if i % 2 == 0 else None for i in range(5)], below[:-1],
                   gap=(7, 0))
    c = vector(memory.summary[0, :SHOWN], "context\nvector c", cell=14)
    return Diagram(row(encoder, arrow("ends"), c, arrow("start"), decoder, gap=2), title="An encoder and a decoder",
                   description="The encoder turns each word of a Korean sentence into a state. Its two ends become one "
                               "context vector, from which the decoder writes an English word at each of its steps.")


def attention_step(model, sentence: str, step: int) -> Diagram:
    """How one word is written with attention: compare, weigh, add up, read out."""
    read, memory, wrote, states = read_and_written(model, sentence)
    weights = Translator(model).align(sentence)[2][step]
    context = weights @ memory.states[0, : len(read)]
    s = vector(states[step, :SHOWN], "decoder\nstate s", "hidden", cell=10)
    n = range(len(read))
    table = grid([None, None, *(operation(word, "words") for word in read)], [None, None, *(arrow(length=20) for _ in n)],
                 [note("encoder\nstates h"), None,
                  *(vector(memory.states[0, j, :SHOWN], "", "hidden", cell=10) for j in n)],
                 [s, arrow("compare,\nsoftmax"), *(weight(weights[j].item(), 36) for j in n)], gap=(5, 6))
    c = vector(context[:SHOWN], "", cell=14, upright=False)
    readout = row(operation("readout"), arrow("next word"), operation(wrote[step], "words"))
    root = column(table, arrow("sum of weight × h", length=34), c, arrow("context vector c", length=30), readout)
    return Diagram(root, link(s, "bottom", readout, "left"),
                   title="One step of attention",
                   description="The decoder's state is compared with each encoder state. A softmax makes weights of the "
                               "scores; the weighted sum of the states is the context vector of this word.")


def sub(j: int) -> str:
    return str(j + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
