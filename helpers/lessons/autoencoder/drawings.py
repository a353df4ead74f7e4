"""The figure of notebook 02: its autoencoder, with the features of a picture in it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...show.diagrams import Diagram, arrow, connect, grid, maps, picture, row, vector


@torch.no_grad()
def autoencoder_layers(model, x) -> Diagram:
    """Encoder above, code at the right, decoder below: the boxes of `Encoder.forward` and `Decoder.forward`."""
    encoder, decoder = model.encoder, model.decoder
    stem = encoder.stem(encoder.fold(x))
    middle = encoder.block(encoder.down1(stem))
    bottom = encoder.down2(middle)
    z = encoder(x)
    grown = decoder.grid(F.silu(decoder.spread(F.silu(decoder.hidden(z)))))
    up = F.silu(decoder.norm1(decoder.block1(decoder.unfold(decoder.up1(grown)))))
    last = F.silu(decoder.norm2(decoder.block2(decoder.unfold(decoder.up2(up)))))
    y = decoder(z).clamp(-1, 1)
    code = vector(z[0], f"code z: {z.shape[1]} numbers", cell=min(14, 120 / z.shape[1]), upright=False)
    ways = [[picture(x[0], "x\n3 × 32²", 76), maps(stem[0], "16 × 16²", side=52), maps(middle[0], "32 × 8²", side=36),
             maps(bottom[0], "16 × 4²", side=22)],
            [picture(y[0], "drawing\n3 × 32²", 76), maps(last[0], "16 × 16²", side=52), maps(up[0], "32 × 8²", side=36),
             maps(grown[0], "16 × 4²", side=22)]]
    names = [("fold, stem", "down1, block", "down2"), ("picture, unfold", "up2, block2", "up1, block1")]
    rows = [[cell for pair in zip(way, [*made, None], strict=True) for cell in pair][:-1]
            for way, made in zip(ways, ([arrow(name, 96) for name in names[0]], [None] * 3), strict=True)]
    back = [connect(b, "left", a, "right", name) for a, b, name in zip(ways[1], ways[1][1:], names[1], strict=False)]
    return Diagram(row(grid(*rows, gap=(4, 34)), code, gap=76), *back,
                   connect(ways[0][3], "right", code, "top", "hidden 128, code"),
                   connect(code, "bottom", ways[1][3], "right", "hidden 128, spread"),
                   title="The autoencoder of notebook 02",
                   description="The encoder makes a picture smaller in three steps, down to a code of a few numbers. "
                               "The decoder makes a picture of the code in the same steps, in reverse.")
