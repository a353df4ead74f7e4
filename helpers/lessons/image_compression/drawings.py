"""The figure of notebook 05: from a picture to bytes and back, with the numbers of one picture."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, column, connect, grid, operation, picture


@torch.no_grad()
def there_and_back(coder, x) -> Diagram:
    """A `VectorCoder` of a few numbers on a picture x (1, 3, 32, 32): what is lost, and what is exact."""
    z, data = coder.model.encode(x), coder.compress(x)
    symbols = coder.quantiser.symbols(z)
    back = coder.quantiser.values(symbols)

    def values(row, quantity: str = "code", digits: str = ".2f"):
        texts = [format(value, digits).replace("-", "−") for value in row.tolist()]
        return column(*(operation(text, quantity, least=52) for text in texts), gap=2)

    there = [picture(x[0], "picture"), values(z[0]), values(symbols[0], "network", "d")]
    here = [picture(coder.decompress(data, 1)[0], "drawing"), values(back[0]), values(symbols[0], "network", "d")]
    file = operation(data.hex(" "), "words", f"{len(data)} bytes")
    steps = [arrow("encoder"), arrow("quantise"), arrow("entropy\ncoder")]
    table = grid([there[0], steps[0], there[1], steps[1], there[2], steps[2], file],
                 [here[0], None, here[1], None, here[2], None, None], gap=(6, 26))
    return Diagram(table, connect(file, "bottom", here[2], "right", "entropy\ndecoder"),
                   connect(here[2], "left", here[1], "right", "middle\nof step"),
                   connect(here[1], "left", here[0], "right", "decoder"),
                   title="From a picture to bytes and back",
                   description="The encoder makes numbers, the quantiser symbols, the entropy coder bytes. On the way "
                               "back the symbols are the same, the numbers and the picture nearly.")
