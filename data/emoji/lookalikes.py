"""When two pictures count as the same."""

import numpy as np

NEAR = 0.25  # of its ink: the flags of Norway and Bouvet Island, a frown and a pout


def ink_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far apart pictures are, relative to the ink of the fainter: 0 the same, 1 as far as a white page.

    a (N, H, W, 3), b (M, H, W, 3) uint8 -> (N, M) float32: the least over b's mirrors and quarter turns.
    """
    x, y = 1 - a.astype(np.float32) / 255, 1 - b.astype(np.float32) / 255  # ink: white is zero
    ink_x, ink_y = (np.square(v).reshape(len(v), -1).sum(1) for v in (x, y))
    overlap = np.full((len(x), len(y)), -np.inf, np.float32)
    for turns in range(4):
        turned = np.rot90(y, turns, (1, 2))
        for z in (turned, turned[:, :, ::-1]):
            np.maximum(overlap, x.reshape(len(x), -1) @ z.reshape(len(y), -1).T, out=overlap)
    squared = np.maximum(ink_x[:, None] + ink_y - 2 * overlap, 0)
    return np.sqrt(squared / np.minimum(ink_x[:, None], ink_y))
