r"""unCLIP, which is DALL·E 2: a prior guesses CLIP's embedding of the picture from the text, a decoder draws from it.

Notebook 17. Paper: Ramesh, Dhariwal, Nichol, Chu & Chen, "Hierarchical text-conditional image generation with CLIP
latents", 2022. P(x | y) = P(x | z_i, y) P(z_i | y), section 2, where z_i is CLIP's embedding of the picture x.
The paper's decoder draws pixels of 64 x 64. Ours draws notebook 14's latents, as Stable unCLIP (2023) does.

B batch · T tokens of a text · E numbers of an embedding · W width of the prior · D width of a token · C, S a latent's
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.text import is_token
from ..diffusion.forward import Schedule
from ..diffusion.targets import diffusion_loss, logit_normal_times, uniform_times
from .clip import CLIP
from .glide import GLIDE
from .layers import Block
from .unet import WAVES, timestep_embedding

BEHIND = 4  # tokens of the prior behind the text: z_t, the time, the noised z_i, the query


class Prior(nn.Module):
    r"""model(z, t, context, mask, text): what the picture's embedding is, (B, E), where z (B, E) is it under noise.

    A transformer reads one sequence: [tokens of the text, z_t, time, noised z_i, query]. A token reads itself and what
    is before it; what the query has become is the answer (section 2.2: z_i itself, not the noise).

    embedding  E of CLIP
    context    D, the numbers of a token of the text
    last       T, the largest t it is asked at
    Embeddings have length 1, so their numbers are far smaller than noise. All that this network sees and answers is
    multiplied by `scale`, so that numbers have variance 1 over pictures (the paper's factor is 17.2, for its CLIP). It
    is computed, by `measure`, and lies in the checkpoint.
    """

    optimizer = "muon"  # of `training.loop`

    def __init__(self, embedding: int = 64, context: int = 64, width: int = 96, depth: int = 4, heads: int = 4,
                 last: int = 1000):
        super().__init__()
        self.config = {"embedding": embedding, "context": context, "width": width, "depth": depth, "heads": heads,
                       "last": last}
        self.words, self.text, self.noised = (nn.Linear(n, width) for n in (context, embedding, embedding))
        self.time = nn.Sequential(nn.Linear(WAVES, width), nn.SiLU(), nn.Linear(width, width))
        self.query, self.kinds = nn.Parameter(torch.zeros(width)), nn.Parameter(0.02 * torch.randn(BEHIND, width))
        self.blocks = nn.ModuleList(Block(width, heads, 2 * width) for _ in range(depth))
        self.norm, self.answer = nn.LayerNorm(width), nn.Linear(width, embedding)
        self.register_buffer("scale", torch.ones(()))

    @torch.no_grad()
    def measure(self, embeddings: Tensor) -> None:
        r"""Set `scale` so that these embeddings (N, E) of pictures, multiplied by it, vary with variance 1.

        The mean over the E numbers of their variance over the pictures. ValueError for fewer than two.
        """
        if len(embeddings) < 2:
            raise ValueError(f"a variance takes two embeddings or more; got {len(embeddings)}")
        self.scale.copy_(embeddings.var(0).mean().rsqrt())

    def sequence(self, z: Tensor, t: Tensor, context: Tensor, text: Tensor) -> Tensor:
        r"""The tokens that are read, (B, T + 4, W); arguments as of `forward`."""
        time = self.time(timestep_embedding(t * (1000 / self.config["last"])))
        behind = torch.stack([self.text(self.scale * text), time, self.noised(z), self.query.expand(len(z), -1)], 1)
        return torch.cat([self.words(context), behind + self.kinds], 1)

    def forward(self, z, t, context, mask, text):
        r"""z (B, E) at time t (B,), or one number; context (B, T, D), mask (B, T), text (B, E): see `told`."""
        t = torch.as_tensor(t, device=z.device).expand(len(z))
        h = self.sequence(z, t, context, text)                                 # (B, T + 4, W)
        seen = may_be_read(mask)                                               # (B, 1, T + 4, T + 4)
        for block in self.blocks:
            h = block(h, seen)                                                 # (B, T + 4, W)
        return self.answer(self.norm(h[:, -1]))                                # (B, E)


def may_be_read(mask: Tensor) -> Tensor:
    r"""Which token may read which, (B, 1, T + 4, T + 4) bool: no later one, no filling; mask (B, T), False there."""
    known = F.pad(mask, (0, BEHIND), value=True)                               # (B, T + 4)
    before = torch.ones(known.shape[1], known.shape[1], dtype=torch.bool, device=mask.device).tril()
    return before & known[:, None, None]


@torch.no_grad()
def told(clip: CLIP, ids: Tensor) -> dict[str, Tensor]:
    r"""What the prior is told of texts, ids (B, T): CLIP's tokens "context" (B, T, D), "mask", and "text", z_t (B, E).

    An empty text, its EOS alone, says that there is no caption.
    """
    return {"context": clip.text.tokens(ids), "mask": is_token(ids), "text": clip.encode_text(ids)}


def prior_loss(model: Prior, batch: dict, schedule: Schedule):
    r"""E |f(z_i under noise of time t, t, y) - z_i|^2, equation 2 of the paper, as a mean over scaled numbers.

    (loss, {"low_t": ..., "high_t": ...}) of batch = {"embeddings": z_i (B, E)} and what `told` gives. A guess that
    knows nothing, the mean embedding, costs 1.
    """
    z = model.scale * batch["embeddings"]
    cond = {name: batch[name] for name in ("context", "mask", "text")}
    return diffusion_loss(model, z, schedule, "x0", cond, uniform_times)


class UnCLIP(GLIDE):
    r"""The decoder: a GLIDE that is also told z_i, (B, E) of length 1, or 0 where it is left out.

    embedding  E
    tokens     how many tokens z_i becomes, behind those of the text
    z_i is added to the time, by way of the vector that holds the whole text, and joins the tokens that the U-Net's
    places read (section 2.1). At the start it adds nothing to the vector, so weights of a GLIDE draw on.
    """

    def __init__(self, vocabulary: list[str], text: dict | None = None, unet: dict | None = None,
                 embedding: int = 64, tokens: int = 4):
        super().__init__(vocabulary, text, unet)
        self.config |= {"embedding": embedding, "tokens": tokens}
        self.to_vector = nn.Linear(embedding, self.text.width, bias=False)
        self.to_tokens = nn.Linear(embedding, tokens * self.text.width)
        nn.init.zeros_(self.to_vector.weight)

    def read(self, ids, embeddings=None) -> dict:
        r"""Ids (B, T) of texts, and z_i (B, E), None: left out for all -> what `forward` takes, as of `GLIDE.read`."""
        cond, size = super().read(ids), self.config["embedding"]
        z = cond["vector"].new_zeros(len(ids), size) if embeddings is None else embeddings
        if z.shape != (len(ids), size):
            raise ValueError(f"expected embeddings ({len(ids)}, {size}), one for each text; got {tuple(z.shape)}")
        z = math.sqrt(size) * z                                                # of mean square 1, as a text's vector
        more = self.to_tokens(z).unflatten(1, (self.config["tokens"], -1))     # (B, tokens, D)
        return {"context": torch.cat([cond["context"], more], 1),
                "mask": F.pad(cond["mask"], (0, self.config["tokens"]), value=True),
                "vector": cond["vector"] + self.to_vector(z)}


def unclip_loss(model: UnCLIP, batch: dict, schedule: Schedule, target: str = "flow", times=logit_normal_times):
    r"""`diffusion_loss` of latents "images" (B, C, S, S) with "texts" (B, T) and "embeddings" (B, E), for `train`.

    What is left out for guidance, the batch leaves out: an empty text, an embedding of 0.
    """
    return diffusion_loss(model, batch["images"], schedule, target, model.read(batch["texts"], batch["embeddings"]),
                          times)
