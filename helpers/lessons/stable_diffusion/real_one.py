r"""The real one: the networks of Stable Diffusion, as diffusers has them, driven by the course's sampler and guidance.

Notebook 14. Paper: Rombach et al., "High-resolution image synthesis with latent diffusion models", CVPR 2022.
Nothing here is needed by the rest of the course: `load_real` alone imports diffusers.

B prompts · T tokens, 77 · D width of the text tower, 768 in version 1 · S side of a latent, 1/8 of the picture's
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ...diffusion.forward import Schedule, from_betas
from ...diffusion.guidance import guided
from ...diffusion.samplers import finished, sample
from ...diffusion.targets import as_denoiser

# Where the weights of version 1 lie: the first that answers is taken. Homes of weights come and go.
MODEL_IDS = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "CompVis/stable-diffusion-v1-4")
REAL_SCALE, REAL_STEPS = 7.5, 50  # diffusers' own defaults
PREDICTED = {"epsilon": "eps", "v_prediction": "v", "sample": "x0"}  # their names and ours


def schedule_of(config: Mapping) -> Schedule:
    r"""The schedule in the configuration of one of diffusers' schedulers. Their time t is t + 1 here: 0 is clean.

    "scaled_linear", Stable Diffusion's: the root of beta goes along a line.
    """
    first, last, count, kind = (config[name] for name in ("beta_start", "beta_end", "num_train_timesteps",
                                                          "beta_schedule"))
    if kind == "linear":
        return from_betas(torch.linspace(first, last, count, dtype=torch.float64))
    if kind == "scaled_linear":
        return from_betas(torch.linspace(first**0.5, last**0.5, count, dtype=torch.float64) ** 2)
    raise ValueError(f"expected a beta_schedule of linear or scaled_linear; got {kind!r}")


class RealStableDiffusion:
    r"""Prompts in, pictures out, with the networks of a `StableDiffusionPipeline`.

    unet, vae, text_encoder, tokenizer   the pipeline's parts
    config                               that of its scheduler: its betas, and what the network predicts
    """

    def __init__(self, unet, vae, text_encoder, tokenizer, config: Mapping):
        self.unet, self.vae, self.text_encoder, self.tokenizer = unet, vae, text_encoder, tokenizer
        self.schedule = schedule_of(config)
        self.denoise = as_denoiser(self.predict, self.schedule, PREDICTED[config["prediction_type"]])

    def read(self, prompts: Sequence[str]) -> Tensor:
        r"""Prompts -> context (B, T, D): a vector for each token, the filling's too, as Stable Diffusion has it."""
        ids = self.tokenizer(list(prompts), padding="max_length", max_length=self.tokenizer.model_max_length,
                             truncation=True, return_tensors="pt").input_ids
        return self.text_encoder(ids.to(self.unet.device))[0]

    def predict(self, x: Tensor, t: Tensor, context: Tensor) -> Tensor:
        r"""What the U-Net says of latents x (B, C, S, S) at times t (B,), 1 to T, where it reads the context."""
        return self.unet(x.to(self.unet.dtype), t - 1, encoder_hidden_states=context).sample.to(x.dtype)

    def decode(self, z: Tensor) -> Tensor:
        r"""Latents of standard deviation 1 -> pictures (B, 3, 8S, 8S), not clamped."""
        return self.vae.decode((z / self.vae.config.scaling_factor).to(self.vae.dtype)).sample.float()

    @torch.no_grad()
    def draw(self, prompts: Sequence[str], scale: float = REAL_SCALE, steps: int = REAL_STEPS, eta: float = 0.0,
             seed: int = 0, keep_away: str = "") -> Tensor:
        r"""A picture for each prompt, (B, 3, 8S, 8S) in [-1, 1]; the arguments are those of `TextToImage.path`."""
        generator, side = torch.Generator().manual_seed(seed), self.unet.config.sample_size
        x = torch.randn(len(prompts), self.unet.config.in_channels, side, side, generator=generator)
        cond, uncond = ({"context": self.read(texts)} for texts in (prompts, [keep_away] * len(prompts)))
        denoise = guided(self.denoise, cond, uncond, scale)
        path = sample(denoise, x.to(self.unet.device), self.schedule, steps, eta, generator=generator)
        return finished(path, self.decode)


def load_real(ids: Sequence[str] = MODEL_IDS) -> tuple[RealStableDiffusion | None, str]:
    r"""The weights of the first of these ids that answers, and what to tell the reader; None where they cannot run.

    Without diffusers or without a GPU nothing is fetched.
    """
    missing = [name for name in ("diffusers", "transformers") if importlib.util.find_spec(name) is None]
    if missing:
        return None, f"{' and '.join(missing)} not installed: pip install diffusers transformers"
    if not torch.cuda.is_available():
        return None, "no GPU is there, and on a processor a picture takes minutes: open this page where there is one"
    from diffusers import StableDiffusionPipeline

    lost = []
    for name in ids:
        try:
            pipe = StableDiffusionPipeline.from_pretrained(name, torch_dtype=torch.float16, safety_checker=None)
        except OSError as error:  # not there any more, or no way to the hub: the next one
            lost.append(f"{name} ({str(error).splitlines()[0]})")
            continue
        pipe.to("cuda")
        return RealStableDiffusion(pipe.unet, pipe.vae, pipe.text_encoder, pipe.tokenizer, pipe.scheduler.config), name
    return None, "no weights answered: " + "; ".join(lost)
