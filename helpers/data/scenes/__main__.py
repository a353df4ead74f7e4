"""`python -m helpers.data.scenes`: how fast scenes and captions are made and read on one thread, and how reliably.

Seconds are processor time of that thread, so that other programs on the machine count as little as possible.
"""

import time

import torch

from ..files import print_anywhere
from . import (
    UNSAID,
    canonical,
    drop_factors,
    make_pairs,
    make_scenes,
    parse,
    parse_pairs,
    read_caption,
    read_crowd_caption,
    read_pair_caption,
    sample_crowd,
    sample_factors,
    sample_pairs,
    write_captions,
    write_crowd_captions,
    write_pair_captions,
)


def drawing_rate(n: int = 5000, repeats: int = 5) -> float:
    """Pictures drawn a second on one thread, the best of several runs."""
    seconds = []
    for seed in range(repeats):
        start = time.thread_time()
        make_scenes(n, seed)
        seconds.append(time.thread_time() - start)
    return n / min(seconds)


def parsing_seconds(n: int, repeats: int = 5) -> float:
    """Seconds to parse n pictures at once on one thread, the best of several runs after the first."""
    images, _ = make_scenes(n, seed=0)
    seconds = []
    for _ in range(repeats + 1):
        start = time.thread_time()
        parse(images)
        seconds.append(time.thread_time() - start)
    return min(seconds[1:])


def all_six(n: int = 4000, noise: float = 0.0, pairs: bool = False, seed: int = 7) -> float:
    """Share of n pictures read without a mistake. noise: its standard deviation on the [0, 1] scale."""
    images, factors = (make_pairs if pairs else make_scenes)(n, seed, split="all")
    images = images + 2 * noise * torch.randn(images.shape, generator=torch.Generator().manual_seed(seed + 1))
    read = parse_pairs(images).factors if pairs else parse(images).factors
    return (read == (canonical(factors) if pairs else factors)).all(1).float().mean().item()


def captions_of(kind: str, language: str, n: int, seed: int = 11) -> tuple[list[str], list]:
    """n captions as people type them, about "one" object in part or whole, "pairs" or "crowds"; and what each says."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "one":
        rows = drop_factors(sample_factors(n, generator, "all"), generator, 0.3)
        return write_captions(rows, generator, language), rows.tolist()
    if kind == "pairs":
        pairs = sample_pairs(n, generator, "all")
        unsaid = (torch.rand(pairs.shape, generator=generator) < 0.25) & (torch.arange(6) != 2)
        pairs = pairs.masked_fill(unsaid, UNSAID)
        return write_pair_captions(pairs, generator, language), pairs.tolist()
    objects, background = sample_crowd([1, 2, 3, 4, 5], n, generator, "all")
    said = [[row for row in rows if row[0] != UNSAID] for rows in objects.tolist()]
    texts = write_crowd_captions(objects, background, generator, language)
    return texts, list(zip(said, background.tolist(), strict=True))


def read_back(kind: str, language: str, n: int = 20_000) -> float:
    """Share of n captions as people type them whose reading gives back, without a complaint, what was written."""
    read = {"one": read_caption, "pairs": read_pair_caption, "crowds": read_crowd_caption}[kind]
    right = 0
    for text, truth in zip(*captions_of(kind, language, n), strict=True):
        reading = read(text)
        found = (reading.found[0].tolist(), reading.found[1]) if kind == "crowds" else reading.found.tolist()
        right += not reading.problems and found == truth
    return right / n


def writing_rate(language: str, n: int = 5000) -> float:
    """Captions of one object written a second, as people type them, on one thread."""
    rows = sample_factors(n, torch.Generator().manual_seed(0))
    start = time.thread_time()
    write_captions(rows, torch.Generator().manual_seed(1), language)
    return n / (time.thread_time() - start)


def main() -> None:
    print_anywhere()
    torch.set_num_threads(1)
    print(f"drawn a second, one thread            {drawing_rate():10,.0f}   (bar 10,000)")
    print(f"parsed a second, one thread           {2000 / parsing_seconds(2000):10,.0f}")
    print(f"16 pictures parsed in, milliseconds   {1000 * parsing_seconds(16):10.1f}")
    print(f"all six factors right, 4,000 clean    {all_six():10.2%}   (bar 100 %)")
    print(f"all six factors right, noise 0.05     {all_six(noise=0.05):10.2%}   (bar 99.5 %)")
    print(f"two objects right, 2,000 clean        {all_six(2000, pairs=True):10.2%}   (bar 99 %)")
    for language in ("en", "ko"):
        print(f"captions written a second, {language}         {writing_rate(language):10,.0f}   (bar 5,000)")
        for kind in ("one", "pairs", "crowds"):
            print(f"{kind:6} read as written, 20,000, {language}   {read_back(kind, language):10.2%}   (bar 100 %)")


if __name__ == "__main__":
    main()
