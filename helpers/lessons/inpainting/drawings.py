"""The figures of notebook 07: its U-Net and its masked autoencoder, with a picture and its hole in them."""

from __future__ import annotations

import math

import torch

from ...models.inpainting import hide, paste
from ...models.mae import select
from ...models.vit import patchify, unpatchify
from ...show.diagrams import Diagram, arrow, column, connect, enclose, maps, operation, picture, row, vector
from ...show.raster import tile
from ..denoising.drawings import run_small_unet, u_shape


@torch.no_grad()
def inpainting_unet(model, x, mask) -> Diagram:
    """The boxes of a `UNetInpainter` without a guess on a picture x (1, 3, 32, 32) and its mask (1, 1, 32, 32)."""
    seen = hide(x, mask)
    drawn, down, up = run_small_unet(model.net, seen)
    entry = picture(seen[0, :3], "3 × 32²", 58)
    hole = picture(2 * mask[0].float().expand(3, -1, -1) - 1, "1 × 32²", 58)
    filled = picture(paste(drawn, x, mask)[0].clamp(-1, 1), "filled", 60)
    after = [arrow("picture"), picture(drawn[0].clamp(-1, 1), "drawing", 60), arrow(length=18), filled]
    table, links = u_shape(down, up, [entry, arrow("stem,\nblock0")], after, below=hole)
    links += [enclose(entry, hole, quantity="picture"),
              connect(entry, "top", filled, "top", "paste: what is known, unchanged", detour=22, dashed=True)]
    return Diagram(table, *links, title="A U-Net that fills holes",
                   description="The picture with a grey hole and, as one channel more, the mask go down to small "
                               "feature maps and up again; at each size the features also go straight across. Of the "
                               "drawing only the hole is used: the rest is the picture itself.")


def apart(patches, columns: int):
    """Patches (N, P P 3) as one picture, uint8, with a gap between them."""
    side = math.isqrt(patches.shape[1] // 3)
    return tile(patches.view(-1, side, side, 3).permute(0, 3, 1, 2), columns, scale=3, gap=2)


@torch.no_grad()
def masked_autoencoder(model, x, mask) -> Diagram:
    """The steps of `MAE.forward` on a picture x (1, 3, 32, 32) and its mask (1, 1, 32, 32)."""
    patch, seen = model.config["patch"], model.visible(mask)
    visible = select(patchify(x, patch), seen)[0]
    h = model.encode(x, seen)
    gaps = model.mask_token.expand(1, len(model.positions), -1)
    full = gaps.scatter(1, seen[:, :, None].expand(-1, -1, gaps.shape[2]), model.bridge(h))
    drawn = unpatchify(model.decode(h, seen), patch).clamp(-1, 1)
    shown = patchify(x.masked_fill(mask, 0.0), patch)[0]
    side = math.isqrt(len(full[0]))
    tokens = row(*(vector(token[:7], "", "hidden", cell=6) for token in h[0]), gap=2)
    hidden, kept = f"{len(shown) - len(visible)} of {len(shown)}", math.isqrt(len(visible))
    first = row(picture(apart(shown, side), f"{hidden} hidden"), arrow("patchify"),
                picture(apart(visible, kept), f"{len(visible)} visible", 56), arrow("embed,\n+ positions"),
                operation("encoder"), arrow(), tokens)
    filled = maps(full[0].T.unflatten(1, (side, side)), f"{hidden} tokens are\nthe mask token", side=56)
    second = row(filled, arrow("+ positions"), operation("decoder"), arrow("unpatchify"), picture(drawn[0], "drawing"),
                 arrow("keep what\nwas known"), picture(torch.where(mask, drawn, x)[0], "filled"))
    return Diagram(column(first, second, gap=44), connect(tokens, "bottom", filled, "top", "scatter"),
                   title="A masked autoencoder",
                   description="The encoder reads the visible patches alone. The decoder gets its tokens at their "
                               "places and one learned mask token for each gap, and draws all patches.")
