"""`python -m helpers.data.scenes`: how fast scenes are drawn and read on one thread, and how reliably.

Seconds are processor time of that thread, so that other programs on the machine count as little as possible.
"""

import time

import torch

from ..files import print_anywhere
from . import canonical, make_pairs, make_scenes, parse, parse_pairs


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


def main() -> None:
    print_anywhere()
    torch.set_num_threads(1)
    print(f"drawn a second, one thread            {drawing_rate():10,.0f}   (bar 10,000)")
    print(f"parsed a second, one thread           {2000 / parsing_seconds(2000):10,.0f}")
    print(f"16 pictures parsed in, milliseconds   {1000 * parsing_seconds(16):10.1f}")
    print(f"all six factors right, 4,000 clean    {all_six():10.2%}   (bar 100 %)")
    print(f"all six factors right, noise 0.05     {all_six(noise=0.05):10.2%}   (bar 99.5 %)")
    print(f"two objects right, 2,000 clean        {all_six(2000, pairs=True):10.2%}   (bar 99 %)")


if __name__ == "__main__":
    main()
