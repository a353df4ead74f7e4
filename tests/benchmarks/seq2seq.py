"""Training and translating, ours and a tutorial's: OMP_NUM_THREADS=1 python -m tests.benchmarks.seq2seq

All models have the same embedding, hidden size and vocabularies, none has dropout, and all see the same sentences:
batches of notebook 01's recipes for training, and for translating the same sentences sorted by the length of the
source, as helpers.systems.translator sorts them. Translations are given the lengths of the right ones: what they cost
must not depend on how well a minute's training has taught each model to stop.

The models take turns, A B C A B C ..., a batch a turn. A ratio is the median of the ratios within a turn, so what
else the computer does counts as little as possible. Part of it is the smaller output layer: the tutorial's reads
state, context and word, 3 H + E numbers, ours a readout of E.
"""

import argparse
import statistics
import time
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from helpers.data import sets
from helpers.data.text import BOS, EOS, SPECIALS, is_token, pad
from helpers.models.decoding import beam_search, greedy
from helpers.models.seq2seq import Seq2Seq, translation_loss
from helpers.training import recipes

from .tutorial import TutorialSeq2Seq

TUTORIAL = "tutorial"
WIDTH = 5  # of the beam
BARS = {  # how many times as fast as the tutorial, at least
    "training, words a second": {"ours, scaled": 2, "ours, additive": 2},
    "translating, sentences a second": {"ours, scaled": 10, "ours, additive": 10},
}


class Task(NamedTuple):
    title: str
    sizes: dict  # source and target (vocabularies), embedding, hidden
    batches: list[tuple[Tensor, Tensor]]  # sources (B, S) and targets (B, T), padded


class Row(NamedTuple):
    name: str
    rate: float  # words or sentences a second, the median
    ratio: float  # to the tutorial's


# -- sentences -------------------------------------------------------------------------------------


def of_recipe(title: str, name: str, turns: int) -> Task:
    """A recipe's first batches, and the sizes of its model."""
    recipe = recipes.find(name)
    torch.manual_seed(recipe.seed)
    batches, config = recipe.batches(recipe.steps), recipe.build().config
    sizes = {part: config[part] for part in ("source", "target", "embedding", "hidden")}
    return Task(title, sizes, [batches(step) for step in range(turns)])


def made_up(turns: int, batch=128, words=2500, embedding=128, hidden=192, median=14) -> Task:
    """Random words of Zipf's frequencies in sentences of Multi30k's lengths: log-normal, most from 8 to 25 pieces."""
    generator = torch.Generator().manual_seed(0)
    lengths = median * (0.33 * torch.randn(turns * batch, 2, generator=generator)).exp()
    frequencies = 1 / torch.arange(1, words - len(SPECIALS) + 1)

    def sentence(length):
        ids = torch.multinomial(frequencies, max(1, round(length)), True, generator=generator) + len(SPECIALS)
        return ids.tolist()

    pairs = [([*sentence(s), EOS], [BOS, *sentence(t), EOS]) for s, t in lengths.tolist()]
    vocabulary = [*SPECIALS, *(f"w{number}" for number in range(words - len(SPECIALS)))]
    sizes = dict(source=vocabulary, target=vocabulary, embedding=embedding, hidden=hidden)
    return Task("Made-up sentences", sizes, split(pairs, batch))


def tasks(turns: int) -> list[Task]:
    """Tiny scenes, and Multi30k where it is at hand."""
    try:
        large = of_recipe("Multi30k, German to English", "seq2seq-multi30k-scaled", turns)
    except sets.DataUnavailable:
        large = made_up(turns)
    return [of_recipe("Tiny scenes, Korean to English", "seq2seq-scaled-48-900", turns), large]


def split(pairs, batch) -> list[tuple[Tensor, Tensor]]:
    rows = [pairs[start : start + batch] for start in range(0, len(pairs), batch)]
    return [tuple(pad(side) for side in zip(*row, strict=True)) for row in rows]


def by_length(batches) -> list[tuple[Tensor, Tensor]]:
    """The same sentences, sorted by the length of the source."""
    pairs = [(src[is_token(src)], tgt[is_token(tgt)]) for batch in batches for src, tgt in zip(*batch, strict=True)]
    return split(sorted(pairs, key=lambda pair: len(pair[0])), len(batches[0][0]))


# -- what is measured ------------------------------------------------------------------------------


def models(task: Task) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    ours = {f"ours, {score}": Seq2Seq(**task.sizes, score=score) for score in ("scaled", "additive")}
    return {TUTORIAL: TutorialSeq2Seq(**task.sizes)} | ours


def trainer(model):
    """A function that trains on one batch."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)

    def step(pair):
        loss, _ = translation_loss(model, pair)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


@contextmanager
def ending_at(decoder, lengths):
    """Meanwhile, the translations of a decoder have these numbers of words (B,), with the end mark.

    The decoder writes B sentences, or B times the width of a beam, or those of the B that have not ended yet.
    """
    written = 0

    def place_the_end(module, given, found):
        nonlocal written
        written += 1
        logits = found[0].view(-1, found[0].shape[-1])
        here = lengths if len(logits) >= len(lengths) else lengths[lengths >= written]
        ends = here.repeat_interleave(len(logits) // len(here)) <= written
        logits[:, EOS] = torch.where(ends, 1e9, -1e9)

    handle = decoder.register_forward_hook(place_the_end)
    try:
        yield
    finally:
        handle.remove()


def translate(model, search, pair):
    """search(model, sources (B, S), limit), with the lengths of the right translations."""
    lengths = is_token(pair[1]).sum(1) - 1
    with ending_at(model.decoder, lengths):
        return search(model, pair[0], limit=int(lengths.max()))


def one_by_one(model, search, pair):
    for src, tgt in zip(*pair, strict=True):
        translate(model, search, (src[None, is_token(src)], tgt[None]))


def in_turn(runs, batches, count) -> list[Row]:
    """Time each run on each batch, after one batch to warm up. count(pair): what a rate counts."""
    rates = {name: [] for name in runs}
    for pair in [batches[0], *batches]:
        for name, run in runs.items():
            start = time.perf_counter()
            run(pair)
            rates[name].append(count(pair) / (time.perf_counter() - start))
    theirs = rates[TUTORIAL][1:]
    return [Row(name, statistics.median(mine[1:]), statistics.median(map(float.__truediv__, mine[1:], theirs)))
            for name, mine in rates.items()]


def training(task: Task) -> list[Row]:
    """Words of the target a second, the end marks included."""
    runs = {name: trainer(model) for name, model in models(task).items()}
    return in_turn(runs, task.batches, lambda pair: int(is_token(pair[1][:, 1:]).sum()))


def translating(task: Task) -> list[Row]:
    """Sentences a second."""
    tutorial, *ours = models(task).values()
    runs = {TUTORIAL: partial(one_by_one, tutorial.eval(), TutorialSeq2Seq.translate)}
    for model in ours:
        name = f"ours, {model.eval().config['score']}"
        runs[name] = partial(translate, model, greedy)
        runs[f"{name}, one at a time"] = partial(one_by_one, model, greedy)
        runs[f"{name}, beam of {WIDTH}"] = partial(translate, model, partial(beam_search, width=WIDTH))
    return in_turn(runs, by_length(task.batches), lambda pair: len(pair[0]))


def report(task: Task) -> None:
    source, target, embedding, hidden = task.sizes.values()
    print(f"\n{task.title}: {len(task.batches)} batches of {len(task.batches[0][0])}, vocabularies of {len(source):,} "
          f"and {len(target):,}, embedding {embedding}, hidden {hidden}, threads: {torch.get_num_threads()}")
    for name, model in models(task).items():
        print(f"  {name:30}{sum(weight.numel() for weight in model.parameters()):12,} parameters")
    for (title, bars), measure in zip(BARS.items(), (training, translating), strict=True):
        print(title)
        for name, rate, ratio in measure(task):
            print(f"  {name:30}{rate:12,.1f}{ratio:9.1f} x", f"  (bar {bars[name]})" if name in bars else "")


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.seq2seq", description=__doc__.split(":")[0])
    parser.add_argument("--turns", type=int, default=9, help="batches that every model is measured on (9)")
    for task in tasks(parser.parse_args(argv).turns):
        report(task)


if __name__ == "__main__":
    main()
