"""The course's sampler and guidance on diffusers' own Stable Diffusion: what its pipeline draws, we draw.

A tiny one with random weights is built from the configurations of diffusers and transformers; nothing is fetched.
"""

import builtins

import pytest
import torch

from helpers.diffusion.guidance import guided
from helpers.lessons.stable_diffusion import real_one

REASON = "diffusers and transformers are not installed: pip install diffusers transformers"
PROMPTS = ["a red circle", "a blue star"]
BETAS = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
# From the very end, in equal steps, to the clean picture: the times that the course's sampler takes.
OPTIONS = {"timestep_spacing": "trailing", "clip_sample": False, "steps_offset": 1}


def tokenizer_of_letters(transformers):
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[],
                                      model_max_length=24)


@pytest.fixture(scope="module")
def parts():
    """unet, vae, text_encoder and tokenizer, of random weights."""
    diffusers = pytest.importorskip("diffusers", reason=REASON)
    transformers = pytest.importorskip("transformers", reason=REASON)
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=2, norm_num_groups=4)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=4,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, sample_size=16, scaling_factor=0.18215)
    words = tokenizer_of_letters(transformers)
    text = transformers.CLIPTextModel(transformers.CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=24, bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id))
    return {"unet": unet.eval(), "vae": vae.eval(), "text_encoder": text.eval(), "tokenizer": words}


def by_their_pipeline(parts, scheduler, steps, scale, seed, eta, keep_away=""):
    """What diffusers' own loop draws, (B, 3, S, S) in [-1, 1]."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline(**parts, scheduler=scheduler, safety_checker=None, feature_extractor=None,
                                   requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    # One generator a picture would give each its own noise; the course draws a batch from one.
    found = pipe(PROMPTS, num_inference_steps=steps, guidance_scale=scale, eta=eta, output_type="pt",
                 generator=torch.Generator().manual_seed(seed), negative_prompt=[keep_away] * len(PROMPTS))
    return 2 * found.images - 1


def scheduler_of(kind, prediction="epsilon"):
    diffusers = pytest.importorskip("diffusers", reason=REASON)
    options = BETAS | OPTIONS | {"prediction_type": prediction}
    if kind == "DDIM":
        return diffusers.DDIMScheduler(**options, set_alpha_to_one=True)
    return diffusers.DDPMScheduler(**options)


@pytest.mark.parametrize(("kind", "eta", "prediction", "scale", "steps"), [
    ("DDIM", 0.0, "epsilon", 7.5, 10), ("DDIM", 0.0, "v_prediction", 3.0, 20), ("DDPM", 1.0, "epsilon", 7.5, 10),
    ("DDIM", 0.5, "epsilon", 1.0, 5),
])
def test_our_sampler_draws_what_their_pipeline_draws(parts, kind, eta, prediction, scale, steps):
    scheduler = scheduler_of(kind, prediction)
    theirs = by_their_pipeline(parts, scheduler, steps, scale, 7, eta)
    ours = real_one.RealStableDiffusion(**parts, config=scheduler.config).draw(PROMPTS, scale, steps, eta, 7)
    assert ours.shape == (2, 3, 16, 16) and ours.std() > 0.05
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_the_prompt_the_scale_and_a_negative_prompt_are_heard(parts):
    """Else two pipelines that hear nothing would agree, too."""
    scheduler = scheduler_of("DDIM")
    ours = real_one.RealStableDiffusion(**parts, config=scheduler.config)
    first = ours.draw(PROMPTS, 7.5, 5)
    for other in (ours.draw(PROMPTS[::-1], 7.5, 5), ours.draw(PROMPTS, 1.0, 5), ours.draw(PROMPTS, 7.5, 5, seed=1),
                  ours.draw(PROMPTS, 7.5, 5, keep_away="a red circle")):
        assert (first - other).abs().max() > 1e-3
    theirs = by_their_pipeline(parts, scheduler, 5, 7.5, 0, 0.0, "a red circle")
    torch.testing.assert_close(ours.draw(PROMPTS, 7.5, 5, keep_away="a red circle"), theirs, atol=1e-4, rtol=0)


def test_their_schedule_is_ours():
    scheduler = scheduler_of("DDIM")
    ours = real_one.schedule_of(scheduler.config)
    torch.testing.assert_close(ours.alpha_bar[1:].float(), scheduler.alphas_cumprod, atol=1e-6, rtol=1e-5)


# -- without diffusers ---------------------------------------------------------------------------------------------


def test_the_schedule_of_stable_diffusion():
    """At the end a little of the signal is left: alpha_bar 0.0047, as diffusers 0.42.1 has it."""
    found = real_one.schedule_of(BETAS)
    assert found.last == 1000 and found.alpha_bar[-1].item() == pytest.approx(0.00466, abs=2e-5)
    assert found.alpha_bar[1].item() == pytest.approx(1 - 0.00085)
    linear = real_one.schedule_of(BETAS | {"beta_schedule": "linear"})
    assert linear.alpha_bar[500] < found.alpha_bar[500]
    with pytest.raises(ValueError, match="linear or scaled_linear; got 'sigmoid'"):
        real_one.schedule_of(BETAS | {"beta_schedule": "sigmoid"})


def test_guidance_of_eps_is_guidance_of_x0():
    schedule = real_one.schedule_of(BETAS)
    x, c, u = torch.randn(3, 3, 4, 8, 8, dtype=torch.float64)
    t = torch.tensor([400, 90, 7])
    model = real_one.as_denoiser(lambda x, t, context: context, schedule)
    found = guided(model, {"context": c}, {"context": u}, 7.5)(x, t)
    signal, noise = schedule.at(t, x)
    torch.testing.assert_close(found, (x - noise * (u + 7.5 * (c - u))) / signal)


@pytest.mark.parametrize("missing", ["diffusers", "transformers"])
def test_without_the_packages_nothing_is_fetched_and_the_reader_is_told(monkeypatch, missing):
    monkeypatch.setattr(real_one.importlib.util, "find_spec", lambda name: None if name == missing else name)
    monkeypatch.setattr(builtins, "__import__", refuses(builtins.__import__))
    system, said = real_one.load_real()
    assert system is None and said == f"{missing} not installed: pip install diffusers transformers"


def test_without_a_gpu_nothing_is_fetched_and_the_reader_is_told(monkeypatch):
    monkeypatch.setattr(real_one.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(builtins, "__import__", refuses(builtins.__import__))
    system, said = real_one.load_real()
    assert system is None and said.startswith("no GPU is there")


def refuses(original):
    """An import that fails for diffusers."""
    def imported(name, *rest, **options):
        assert not name.startswith("diffusers"), "diffusers is imported"
        return original(name, *rest, **options)

    return imported


def test_weights_that_are_gone_are_named_and_the_next_home_is_tried(monkeypatch):
    diffusers = pytest.importorskip("diffusers", reason=REASON)
    asked = []

    def gone(name, **options):
        asked.append(name)
        raise OSError(f"{name} does not exist\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(diffusers.StableDiffusionPipeline, "from_pretrained", gone)
    system, said = real_one.load_real()
    assert system is None and asked == list(real_one.MODEL_IDS)
    assert said.startswith("no weights answered: ") and all(name in said for name in asked) and "more" not in said
