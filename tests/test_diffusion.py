"""Diffusion: the forward process in closed form, the sampler against Bayes and diffusers, the ideal denoiser."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers.data import scenes
from helpers.diffusion.forward import (
    SCHEDULES,
    Schedule,
    cosine_schedule,
    flow_schedule,
    from_betas,
    linear_schedule,
)
from helpers.diffusion.guidance import guided
from helpers.diffusion.ideal import posterior_mean
from helpers.diffusion.samplers import finished, forward_step, keep_known, reverse_step, sample, timesteps, within
from helpers.diffusion.targets import (
    TARGETS,
    VARIANCE,
    as_denoiser,
    diffusion_loss,
    find_eps,
    logit_normal_times,
    on_schedule,
    uniform_times,
)
from helpers.models.denoising import ideal_denoiser
from helpers.training.loop import train

EVERY = pytest.mark.parametrize("name", SCHEDULES)
TWO = torch.tensor([[-1.0], [1.0]])
ANGLES = torch.arange(8) * math.pi / 4
EIGHT = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)


def make(name):
    return SCHEDULES[name]()


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def nearest(x, data):
    """The distance of each x to the data, and which of them it is nearest to."""
    return torch.cdist(x.flatten(1), data.flatten(1), compute_mode="donot_use_mm_for_euclid_dist").min(1)


def last(*arguments, **options):
    """The (t, x, x0) with which `sample` ends."""
    return list(sample(*arguments, **options))[-1]


# -- schedules -------------------------------------------------------------------------------------


@EVERY
def test_a_schedule_goes_from_the_picture_to_noise(name):
    schedule = make(name)
    assert schedule.last == 1000 and len(schedule.alpha_bar) == 1001
    assert schedule.alpha_bar[0] == 1 and schedule.snr[0] == math.inf and schedule.alpha_bar[-1] < 1e-4
    assert (schedule.alpha_bar.diff() < 0).all()
    torch.testing.assert_close(schedule.alpha_bar, 1 / (1 + 1 / schedule.snr), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_the_closed_form_is_the_noising_step_by_step(name):
    """x_t = sqrt(1 - beta) x_{t-1} + sqrt(beta) eps, mean and variance followed one step at a time."""
    schedule = make(name)
    beta = 1 - schedule.alpha_bar[1:] / schedule.alpha_bar[:-1]
    mean, variance = 1.0, 0.0
    for t, b in enumerate(beta.tolist(), 1):
        mean, variance = math.sqrt(1 - b) * mean, (1 - b) * variance + b
        assert schedule.signal[t].item() == pytest.approx(mean, abs=1e-9)
        assert schedule.noise[t].item() ** 2 == pytest.approx(variance, abs=1e-9)


def test_the_betas_of_ddpm():
    """From 1e-4 to 0.02, section 4."""
    schedule = linear_schedule()
    beta = 1 - schedule.alpha_bar[1:] / schedule.alpha_bar[:-1]
    assert beta[0].item() == pytest.approx(1e-4) and beta[-1].item() == pytest.approx(0.02)
    torch.testing.assert_close(beta.diff(), torch.full((999,), 0.0199 / 999, dtype=torch.float64))
    assert 0.3 < linear_schedule(100).alpha_bar[-1] / schedule.alpha_bar[-1] < 1, "about as noisy with fewer steps"


def test_the_cosine_of_nichol_and_dhariwal():
    def f(t):
        return math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2

    alpha_bar = cosine_schedule().alpha_bar
    for t in (1, 300, 999):  # at T itself the highest beta bounds it
        assert alpha_bar[t].item() == pytest.approx(f(t) / f(0), rel=1e-9)
    assert (alpha_bar[1000] / alpha_bar[999]).item() == pytest.approx(0.001)


def test_flow_is_the_straight_path():
    schedule = flow_schedule(10)
    torch.testing.assert_close(schedule.signal + schedule.noise, torch.ones(11, dtype=torch.float64))
    assert schedule.noise[3].item() == pytest.approx(0.3) and schedule.signal[-1] == 0
    assert schedule.snr[2].item() == pytest.approx(16)


@EVERY
def test_noise_has_the_moments_of_q(name):
    """q(x_t | x0) = N(signal x0, noise^2 I): the covariance is noise squared."""
    schedule, n = make(name), 100_000
    x0 = torch.tensor([[0.8, -0.5]]).expand(n, 2)
    for t in (100, 600):
        x = schedule.add_noise(x0, t, noise(n, 2, seed=t))
        torch.testing.assert_close(x.mean(0).double(), schedule.signal[t] * x0[0].double(), atol=0.01, rtol=0)
        expected = schedule.noise[t] ** 2 * torch.eye(2, dtype=torch.float64)
        torch.testing.assert_close(x.T.cov().double(), expected, atol=0.01, rtol=0.02)


@EVERY
def test_every_picture_has_its_own_time_and_time_0_is_clean(name):
    schedule, x0, eps = make(name), noise(3, 2, 4, 4), noise(3, 2, 4, 4, seed=1)
    x = schedule.add_noise(x0, torch.tensor([0, 500, 1000]), eps)
    assert torch.equal(x[0], x0[0])
    for i, t in enumerate((0, 500, 1000)):
        assert torch.equal(x[i : i + 1], schedule.add_noise(x0[i : i + 1], t, eps[i : i + 1]))


# -- targets and the loss --------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("target", TARGETS)
@given(t=st.integers(1, 999), seed=st.integers(0, 99))
def test_every_target_gives_back_the_picture_and_its_noise(name, target, t, seed):
    schedule = make(name)
    x0, eps = noise(2, 5, seed=seed, dtype=torch.float64), noise(2, 5, seed=seed + 100, dtype=torch.float64)
    x, levels = schedule.add_noise(x0, t, eps), schedule.at(t, x0)
    found = TARGETS[target].x0(x, TARGETS[target].of(x0, eps, *levels), *levels)
    torch.testing.assert_close(found, x0, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(find_eps(x, found, *levels), eps, atol=1e-9, rtol=1e-9)


def test_the_targets_are_the_derivatives_that_their_papers_name():
    """v = dx/dphi on the quarter circle signal = cos phi, noise = sin phi; flow = dx/dt on the straight path."""
    x0, eps = noise(5, dtype=torch.float64), noise(5, seed=1, dtype=torch.float64)
    phi = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.functional.jacobian(lambda phi: phi.cos() * x0 + phi.sin() * eps, phi)
    torch.testing.assert_close(TARGETS["v"].of(x0, eps, phi.cos(), phi.sin()).detach(), slope)
    slope = torch.autograd.functional.jacobian(lambda t: (1 - t) * x0 + t * eps, phi)
    torch.testing.assert_close(TARGETS["flow"].of(x0, eps, 1 - phi, phi), slope)


@pytest.mark.parametrize("target", TARGETS)
def test_the_loss_is_the_mean_square_of_what_was_missed(target):
    """A model that answers 0 misses all of the target, whose mean square is known: of edm for data of VARIANCE."""
    schedule, n = cosine_schedule(), 20_000
    x0 = noise(n, 4).sign() * (VARIANCE**0.5 if target == "edm" else 1)
    torch.manual_seed(0)
    loss, parts = diffusion_loss(lambda x, t: torch.zeros_like(x), x0, schedule, target)
    assert loss.item() == pytest.approx({"eps": 1, "x0": 1, "v": 1, "edm": 1, "flow": 2}[target], rel=0.02)
    assert sum(parts.values()).item() == pytest.approx(loss.item(), rel=1e-5)
    assert parts["low_t"].item() == pytest.approx(parts["high_t"].item(), rel=0.05), "as many t in each half"


def test_the_variance_is_that_of_scenes():
    x = scenes.make_scenes(2000, 1)[0]
    assert x.square().mean().item() == pytest.approx(VARIANCE, rel=0.02) and abs(x.mean().item()) < 0.06


def test_edm_is_karras_et_als():
    """Their D(x; sigma) = c_skip x + c_out F(x), with x / signal and noise / signal in place of x and sigma."""
    signal, noise_level = torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.1, 0.5, 0.9])
    x, answer, sigma, deviation = noise(3), noise(3, seed=1), noise_level / signal, VARIANCE**0.5
    skip, out = deviation**2 / (sigma**2 + deviation**2), sigma * deviation / (sigma**2 + deviation**2) ** 0.5
    torch.testing.assert_close(TARGETS["edm"].x0(x, answer, signal, noise_level), skip * x / signal + out * answer)


@EVERY
@pytest.mark.parametrize("target", TARGETS)
def test_a_model_that_knows_the_answer_has_no_loss(name, target):
    """With one picture in the world, x_t tells the noise in it."""
    schedule, x0 = make(name), noise(1, 3).expand(64, 3).double()

    def model(x, t):
        levels = schedule.at(t, x)
        return TARGETS[target].of(x0, find_eps(x, x0, *levels), *levels)

    assert diffusion_loss(model, x0, schedule, target)[0] < 1e-12


def test_the_gradient_of_the_loss():
    """Of a model w x_t, by hand: 2 mean(x_t (w x_t - eps))."""
    schedule, x0, w = linear_schedule(), noise(50, 3), torch.tensor(0.3, requires_grad=True)
    torch.manual_seed(4)
    diffusion_loss(lambda x, t: w * x, x0, schedule)[0].backward()
    torch.manual_seed(4)
    t = uniform_times(schedule, x0)
    eps = torch.randn(50, 3)
    x = schedule.add_noise(x0, t, eps)
    torch.testing.assert_close(w.grad, (2 * x * (0.3 * x - eps)).mean())


def test_the_model_hears_its_conditions_and_its_time():
    schedule, heard = flow_schedule(4), {}

    def model(x, t, context=None, vector=None):
        heard.update(t=t, context=context, vector=vector)
        return x

    diffusion_loss(model, noise(7, 2), schedule, cond={"context": "words"})
    assert heard["context"] == "words" and heard["vector"] is None and heard["t"].shape == (7,)


@pytest.mark.parametrize("times", [uniform_times, logit_normal_times])
def test_every_time_but_0_is_trained_the_last_one_too(times):
    torch.manual_seed(0)
    counts = times(flow_schedule(4), torch.zeros(40_000, 1)).bincount(minlength=5) / 40_000
    if times is uniform_times:
        expected = [0, 0.25, 0.25, 0.25, 0.25]
    else:  # Phi(logit(1/4)) = Phi(-ln 3)
        tail = 0.5 * math.erfc(math.log(3) / math.sqrt(2))
        expected = [0, tail, 0.5 - tail, 0.5 - tail, tail]
    assert len(counts) == 5 and counts.tolist() == pytest.approx(expected, abs=0.01)


# -- the reverse process ---------------------------------------------------------------------------


@EVERY
@given(s=st.integers(1, 999), gap=st.integers(1, 999))
def test_with_all_its_noise_a_step_is_the_posterior(name, s, gap):
    """q(x_s | x_t, x0) by Bayes' rule: precisions add, in float64."""
    schedule, t = make(name), min(1000, s + gap)
    (a, a_s), (n, n_s) = ((level[t].item(), level[s].item()) for level in (schedule.signal, schedule.noise))
    ratio = a / a_s  # x_t = ratio x_s + noise of this variance:
    between = n**2 - (ratio * n_s) ** 2
    variance = 1 / (1 / n_s**2 + ratio**2 / between)
    x, x0 = noise(6, dtype=torch.float64), noise(6, seed=1, dtype=torch.float64)
    mean, std = reverse_step(x, x0, schedule, t, s, eta=1.0)
    assert std**2 == pytest.approx(variance, rel=1e-6)
    torch.testing.assert_close(mean, variance * (a_s * x0 / n_s**2 + ratio * x / between), atol=1e-6, rtol=1e-6)


def test_one_timestep_at_a_time_has_the_variance_of_ddpm():
    """beta_tilde_t, equation 7, and 0 for the last step: no noise is added to the picture."""
    schedule, x = linear_schedule(), torch.zeros(1)
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    alpha_bar = torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])
    expected = beta * (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:])
    found = torch.tensor([reverse_step(x, x, schedule, t, t - 1, 1.0)[1] ** 2 for t in range(1, 1001)])
    torch.testing.assert_close(found.double(), expected, atol=1e-8, rtol=1e-5)
    assert found[0] == 0 and timesteps(schedule, 1000) == list(range(1000, -1, -1))


@EVERY
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, 3.0, 1e9])
def test_whatever_eta_every_step_has_the_distribution_of_the_forward_process(name, eta):
    """Song et al. 2021, lemma 1: with x0 known, x_t is N(signal x0, noise^2)."""
    schedule, x0 = make(name), 0.7
    start = schedule.signal[-1].float() * x0 + schedule.noise[-1].float() * noise(50_000, 1)
    generator = torch.Generator().manual_seed(1)
    for t, x, _ in sample(lambda x, t: torch.full_like(x, x0), start, schedule, 5, eta, generator=generator):
        assert x.mean().item() == pytest.approx(schedule.signal[t].item() * x0, abs=0.02)
        assert x.std().item() == pytest.approx(schedule.noise[t].item(), rel=0.02, abs=1e-6)


@EVERY
def test_the_first_call_is_at_the_last_timestep_and_the_end_is_clean(name):
    heard = []
    steps = list(sample(lambda x, t: heard.append(t) or x / 2, noise(2, 3), make(name), 4))
    assert [t.tolist() for t in heard] == [[1000] * 2, [750] * 2, [500] * 2, [250] * 2]
    assert [t for t, _, _ in steps] == [750, 500, 250, 0]
    assert torch.equal(steps[-1][1], steps[-1][2])


@pytest.mark.parametrize("steps", [1, 7, 30])
def test_timesteps_are_even_and_distinct(steps):
    times = torch.tensor(timesteps(linear_schedule(30), steps))
    assert times[0] == 30 and times[-1] == 0 and len(times) == steps + 1
    assert (-times.diff()).min() >= 1 and (-times.diff()).max() - (-times.diff()).min() <= 1


@pytest.mark.parametrize(("start", "steps", "times"), [(300, 3, [300, 200, 100, 0]), (1, 1, [1, 0]),
                                                       (1000, 2, [1000, 500, 0])])
def test_a_path_may_start_later(start, steps, times):
    heard, schedule = [], flow_schedule()
    assert timesteps(schedule, steps, start) == times
    path = list(sample(lambda x, t: heard.append(int(t[0])) or x / 2, noise(2, 3), schedule, steps, start=start))
    assert heard == times[:-1] and [t for t, _, _ in path] == times[1:]


@pytest.mark.parametrize(("start", "steps", "says"), [(0, 1, "starts at a whole t"), (1001, 5, "from 1 to 1000"),
                                                      (2.5, 1, "whole t"), (4, 5, "from 1 to 4")])
def test_a_start_that_is_none_is_refused(start, steps, says):
    with pytest.raises(ValueError, match=says):
        next(sample(lambda x, t: x, noise(2, 3), flow_schedule(), steps, start=start))


def test_what_is_known_under_a_little_noise_is_found_again_and_under_much_is_not():
    """SDEdit, with the ideal denoiser of eight points."""
    schedule, x0 = flow_schedule(), EIGHT.repeat(50, 1)
    found = {}
    for start in (50, 1000):
        *_, (_, x, _) = sample(posterior_mean(EIGHT, schedule), schedule.add_noise(x0, start, noise(400, 2)), schedule,
                               20, start=start)
        found[start] = ((x - x0).norm(dim=1) < 0.1).float().mean().item()
    assert found[50] == 1 and found[1000] == pytest.approx(1 / 8, abs=0.06)


def test_ddim_is_fixed_by_its_noise_and_ddpm_by_its_generator():
    denoise, x, schedule = posterior_mean(EIGHT, linear_schedule()), noise(20, 2), linear_schedule()
    first, again = (last(denoise, x, schedule, 10)[1] for _ in range(2))
    assert torch.equal(first, again)
    a, b, c = (last(denoise, x, schedule, 10, 1.0, generator=torch.Generator().manual_seed(s))[1] for s in (0, 0, 1))
    assert torch.equal(a, b) and not torch.allclose(a, c, atol=0.1)


def test_a_step_of_ddim_on_the_straight_path_is_a_step_of_euler():
    """x + dt dx/dt, with t / T running from 1 to 0."""
    schedule, x = flow_schedule(), noise(4, 3, dtype=torch.float64)

    def velocity(x, t):
        return torch.sin(x) + t[:, None] / 1000

    expected = x
    for k in range(5):
        expected = expected - velocity(expected, torch.full((4,), 1000 - 200 * k)) / 5
    torch.testing.assert_close(last(as_denoiser(velocity, schedule, "flow"), x, schedule, 5)[1], expected)


def test_no_graph_is_built():
    w = torch.ones(1, requires_grad=True)
    assert not last(lambda x, t: w * x, noise(2, 3), flow_schedule(), 3)[1].requires_grad


# -- the ideal denoiser ----------------------------------------------------------------------------


@EVERY
def test_the_ideal_denoiser_is_that_of_notebook_06_on_another_scale(name):
    schedule = make(name)
    data, x = noise(30, 3, dtype=torch.float64), noise(6, 3, seed=1, dtype=torch.float64)
    times = torch.tensor([1, 50, 300, 600, 900, 999])
    found = posterior_mean(data, schedule)(x, times)
    for i, t in enumerate(times):
        signal, level = schedule.signal[t].item(), schedule.noise[t].item()
        expected = ideal_denoiser(x[i : i + 1] / signal, data, level / signal)
        torch.testing.assert_close(found[i : i + 1], expected, atol=1e-9, rtol=1e-9)


@EVERY
def test_its_noise_is_the_score(name):
    """-eps / noise is the gradient of log q_t, of an explicit mixture of Gaussians."""
    schedule, t = make(name), 400
    signal, level = schedule.signal[t], schedule.noise[t]
    x = noise(9, 2, dtype=torch.float64).requires_grad_()
    parts = torch.distributions.MultivariateNormal(signal * EIGHT.double(), level**2 * torch.eye(2).double())
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(8).double()), parts)
    score = torch.autograd.grad(mixture.log_prob(x).sum(), x)[0]
    x0 = posterior_mean(EIGHT, schedule)(x.detach(), t)
    torch.testing.assert_close(-find_eps(x.detach(), x0, signal, level) / level, score, atol=1e-9, rtol=1e-7)


def test_no_denoiser_has_a_smaller_loss():
    schedule, x0 = flow_schedule(), EIGHT[torch.randint(8, (5000,), generator=torch.Generator().manual_seed(0))]
    ideal = posterior_mean(EIGHT, schedule)

    def loss(model):
        torch.manual_seed(0)
        return diffusion_loss(model, x0, schedule, "x0")[0].item()

    assert loss(ideal) < min(loss(lambda x, t, f=f: f * ideal(x, t)) for f in (0.95, 1.05))
    assert loss(ideal) < loss(lambda x, t: F.normalize(ideal(x, t), dim=1))


def test_parts_of_the_data_and_times_of_the_batch_change_nothing():
    data, x, schedule = noise(50, 2, 3, 3), noise(4, 2, 3, 3, seed=1), linear_schedule()
    times = torch.tensor([1, 20, 500, 1000])
    whole = posterior_mean(data, schedule)(x, times)
    assert whole.shape == x.shape and whole.dtype == x.dtype
    torch.testing.assert_close(posterior_mean(data, schedule, at_once=7)(x, times), whole)
    for i, t in enumerate(times.tolist()):
        torch.testing.assert_close(posterior_mean(data, schedule)(x[i : i + 1], t), whole[i : i + 1])


def test_it_keeps_its_digits_where_there_is_hardly_any_noise():
    """Two pictures of 3,072 numbers, alike but for .01 in a single one: the odds at t = 1 are known in closed form."""
    schedule, data = linear_schedule(), noise(1, 3072).repeat(2, 1)
    data[1, 0] += 0.01
    signal, level = schedule.signal[1], schedule.noise[1]
    x = (signal * (data[:1].double() + data[1:].double()) / 2).float()
    x[0, 0] = signal * (0.25 * data[0, 0] + 0.75 * data[1, 0])
    gap = (data[1, 0] - data[0, 0]).double() * signal
    share = torch.sigmoid(0.25 * gap**2 / level**2).item()  # (0.75^2 - 0.25^2) / 2 gap^2 / level^2
    found = (posterior_mean(data, schedule)(x.double(), 1)[0, 0] - data[0, 0]) / (data[1, 0] - data[0, 0])
    assert found.item() == pytest.approx(share, abs=1e-4)


def test_in_pure_noise_it_sees_the_mean_of_the_data():
    torch.testing.assert_close(posterior_mean(EIGHT + 3, flow_schedule())(noise(5, 2), 1000), torch.full((5, 2), 3.0))


@EVERY
@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("data", [TWO, EIGHT], ids=["two points", "eight points"])
def test_with_the_ideal_denoiser_the_sampler_draws_the_data(name, eta, data):
    """Every draw is a point, and every point is drawn as often as another."""
    schedule, n = make(name), 4000
    x = last(posterior_mean(data, schedule), noise(n, data.shape[1]), schedule, 100, eta,
             generator=torch.Generator().manual_seed(1))[1]
    distance, which = nearest(x, data)
    assert distance.max() < 1e-3
    shares = which.bincount(minlength=len(data)) / n
    assert shares.tolist() == pytest.approx([1 / len(data)] * len(data), abs=0.03)


@EVERY
def test_what_the_data_hold_three_times_is_drawn_three_times_as_often(name):
    data, schedule = torch.tensor([[1.0], [1.0], [1.0], [-1.0]]), make(name)
    for eta in (0.0, 1.0, 3.0):
        x = last(posterior_mean(data, schedule), noise(4000, 1), schedule, 200, eta,
                 generator=torch.Generator().manual_seed(1))[1]
        assert (x > 0).float().mean().item() == pytest.approx(0.75, abs=0.03)


@EVERY
def test_with_the_ideal_denoiser_the_sampler_draws_tiny_scenes(name):
    pictures, schedule = F.avg_pool2d(scenes.make_scenes(24, seed=0)[0], 4), make(name)
    x = last(posterior_mean(pictures, schedule), noise(48, 3, 8, 8), schedule, 30)[1]
    distance, which = nearest(x, pictures)
    assert distance.max() < 1e-3 and len(which.unique()) > 8


class Net(torch.nn.Module):
    """A number and its time -> a number."""

    def __init__(self, hidden=64):
        super().__init__()
        layers = [torch.nn.Linear(3, hidden), torch.nn.Linear(hidden, hidden), torch.nn.Linear(hidden, 1)]
        self.net = torch.nn.Sequential(layers[0], torch.nn.SiLU(), layers[1], torch.nn.SiLU(), layers[2])

    def forward(self, x, t):
        phi = t[:, None] / 1000 * math.pi / 2
        return self.net(torch.cat([x, phi.sin(), phi.cos()], 1))


@pytest.mark.parametrize(("target", "name"), [("v", "cosine"), ("flow", "flow")])
def test_a_small_network_learns_to_draw_two_points(target, name):
    torch.manual_seed(0)
    schedule, model = make(name), Net()

    def loss(model, x0):
        return diffusion_loss(model, x0, schedule, target)

    train(model, lambda step: TWO[torch.randint(2, (256,))], loss, 600, lr=1e-2, ema=0.99, label=None)
    distance, which = nearest(last(as_denoiser(model, schedule, target), noise(400, 1), schedule)[1], TWO)
    assert distance.median() < 0.05 and 0.4 < which.float().mean() < 0.6


# -- guidance --------------------------------------------------------------------------------------


def shifted(x, t, by=0.0):
    return torch.tanh(x) + by


@pytest.mark.parametrize("scale", [-1, 0, 1, 2.5])
def test_guidance_is_a_line_through_the_two_answers(scale):
    x, t = noise(3, 2), torch.full((3,), 10)
    found = guided(shifted, {"by": 3.0}, {"by": 1.0}, scale)(x, t)
    torch.testing.assert_close(found, torch.tanh(x) + 1 + 2 * scale)


def test_at_0_and_1_the_model_is_asked_once():
    heard = []

    def model(x, t, word):
        heard.append(word)
        return x

    for scale in (0, 1, 2):
        guided(model, {"word": "cond"}, {"word": "uncond"}, scale)(noise(1, 1), 5)
    assert heard == ["uncond", "cond", "uncond", "cond"]


@EVERY
@pytest.mark.parametrize("target", ["v", "flow"])
def test_guidance_means_the_same_for_every_target(name, target):
    schedule, x, t = make(name), noise(3, 2).double(), torch.tensor([1, 500, 1000])
    guided_answer = as_denoiser(guided(shifted, {"by": 3.0}, {"by": 1.0}, 4.0), schedule, target)(x, t)
    guided_x0 = guided(as_denoiser(shifted, schedule, target), {"by": 3.0}, {"by": 1.0}, 4.0)(x, t)
    torch.testing.assert_close(guided_answer, guided_x0)


# -- inpainting ------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_what_is_known_is_kept_exactly_and_the_rest_is_drawn(name, eta):
    """The left half of a picture of the data: its right half is found. The hidden part of x0 is never read."""
    pictures, schedule = F.avg_pool2d(scenes.make_scenes(24, seed=0)[0], 4), make(name)
    hidden = (torch.arange(8) >= 4).expand(1, 1, 8, 8)
    known = pictures[3:4].masked_fill(hidden, math.nan)
    paste = keep_known(known, hidden, schedule, torch.Generator().manual_seed(0))
    x = last(posterior_mean(pictures, schedule), noise(6, 3, 8, 8), schedule, 100, eta, paste,
             generator=torch.Generator().manual_seed(1))[1]
    assert torch.equal(x[..., :4], pictures[3:4, :, :, :4].expand(6, 3, 8, 4)) and x.isfinite().all()
    assert nearest(x[..., 4:], pictures[..., 4:])[0].max() < 1e-3


@EVERY
def test_what_is_known_is_as_noisy_as_its_time(name):
    schedule, x0, mask = make(name), torch.full((20_000, 2), 0.7), torch.tensor([[False, True]])
    known, rest = keep_known(x0, mask, schedule)(torch.full((20_000, 2), 9.0), 400).unbind(1)
    assert known.mean().item() == pytest.approx(0.7 * schedule.signal[400].item(), abs=0.02)
    assert known.std().item() == pytest.approx(schedule.noise[400].item(), rel=0.02) and (rest == 9).all()


@pytest.mark.parametrize("nothing", [True, False])
def test_a_mask_may_hide_all_or_nothing(nothing):
    schedule, x0, x = flow_schedule(), noise(2, 3), noise(2, 3, seed=1)
    paste = keep_known(x0, torch.full((1, 1), not nothing), schedule)
    assert torch.equal(paste(x, 0), x0 if nothing else x)


# -- wrong input -----------------------------------------------------------------------------------

X = torch.zeros(2, 3)


def halve(x, t):
    return x / 2


@pytest.mark.parametrize(("call", "message"), [
    (lambda s: s.add_noise(X, 1001, X), r"from 0 \(clean\) to 1000 \(noise\); got 1001"),
    (lambda s: s.add_noise(X, -1, X), "got -1"),
    (lambda s: s.add_noise(X, torch.tensor([5, 1001]), X), r"got \[5, 1001\]"),
    (lambda s: s.add_noise(X, 0.5, X), "a whole number from 0"),
    (lambda s: s.add_noise(X, torch.tensor([1, 2, 3]), X), r"one for each of 2 pictures; got shape \(3,\)"),
    (lambda s: s.add_noise(X, 5, torch.zeros(3)), r"noise has the shape of what it is added to, \(2, 3\); got \(3,\)"),
    (lambda s: s.add_noise(X.long(), 5, X.long()), r"floats in \[-1, 1\]; got torch.int64"),
    (lambda s: last(halve, X, s, 1001), "from 1 to 1000, the timesteps that there are; got 1001"),
    (lambda s: last(halve, X, s, 0), "got 0"),
    (lambda s: last(halve, X, s, 2.5), "got 2.5"),
    (lambda s: last(halve, X, s, 5, eta=math.inf), r"from 0 \(DDIM\) upwards, 1 is DDPM; got inf"),
    (lambda s: last(halve, X, s, 5, eta=-0.1), "got -0.1"),
    (lambda s: last(halve, X, s, 5, eta=math.nan), "got nan"),
    (lambda s: last(lambda x, t: x[:, :1], X, s, 5), r"in the shape of x, \(2, 3\); got \(2, 1\)"),
    (lambda s: diffusion_loss(lambda x, t: x[:, :1], X, s), r"in the shape of x0, \(2, 3\); got \(2, 1\)"),
    (lambda s: diffusion_loss(halve, X, s, "noise"), "one of eps, x0, v, edm, flow; got 'noise'"),
    (lambda s: as_denoiser(halve, s, "velocity"), "one of eps, x0, v, edm, flow; got 'velocity'"),
    (lambda s: as_denoiser(halve, flow_schedule(), "eps"), "eps says nothing of x0 there: predict another one"),
    (lambda s: posterior_mean(torch.zeros(0, 3), s), r"N at least 1; got torch.float32 \(0, 3\)"),
    (lambda s: posterior_mean(X, s)(torch.zeros(2, 4), 5), r"the data have the shape \(3,\); got x of \(4,\)"),
    (lambda s: posterior_mean(X, s)(X, 0), "ask from t = 1 on"),
    (lambda s: keep_known(X, X, s), "a mask is boolean, True = hidden; got torch.float32"),
    (lambda s: keep_known(X, torch.zeros(4, dtype=torch.bool), s), r"mask of shape \(4,\) does not fit \(2, 3\)"),
    (lambda s: keep_known(X, X == 0, s)(torch.zeros(3, 3), 5), r"known of shape \(2, 3\) does not fit \(3, 3\)"),
    (lambda s: guided(halve, {}, {}, math.inf), "a finite number; got inf"),
    (lambda s: linear_schedule(20), "needs more than 20 timesteps; got 20"),
    (lambda s: flow_schedule(0), r"T at least 1; got \(1,\) and \(1,\)"),
    (lambda s: Schedule(s.signal, s.noise[:-1]), r"got \(1001,\) and \(1000,\)"),
    (lambda s: Schedule(s.signal[1:], s.noise[1:]), "t = 0 is the clean picture"),
    (lambda s: from_betas(torch.tensor([0.1, -0.1, 0.2])), "alpha_bar falls at every step"),
])
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(linear_schedule())


# -- against diffusers -----------------------------------------------------------------------------

KINDS = {"linear": "linear", "cosine": "squaredcos_cap_v2"}  # our names and theirs
PREDICTIONS = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}
START = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(3, 4)

# The first row of x after each of 4 steps from START with `wavy` as v: diffusers 0.42.1, DDIMScheduler (DDPMScheduler
# gives the same digits at eta = 1) with timestep_spacing="trailing", clip_sample=False, alphas_cumprod from its own
# betas in float64, noise from seed 7; FlowMatchEulerDiscreteScheduler at sigmas 1, .75, .5, .25 with `wavy` as flow.
RECORDED = {
    ("linear", 0.0): [[-2.087889, -1.692469, -1.293639, -0.909452], [-2.395689, -1.871616, -1.310839, -0.837072],
                      [-2.823337, -2.153838, -1.135672, -0.476109], [-2.626437, -2.365846, -0.467227, 0.044896]],
    ("linear", 0.5): [[-1.898157, -1.087337, -0.656211, -1.342349], [-1.866310, -0.795861, 0.147784, -0.580938],
                      [-1.594087, -0.690601, 0.301499, -0.435728], [-1.358609, 0.005086, -0.345432, 0.040025]],
    ("linear", 1.0): [[-0.465636, 0.535840, 0.774780, -1.207292], [0.047130, -0.100716, 1.002413, 0.995039],
                      [0.485430, -0.889961, 0.688603, -0.920243], [-0.390441, -0.141907, -0.350940, -0.173735]],
    ("cosine", 0.0): [[-2.517358, -1.943205, -1.343922, -0.852539], [-2.973848, -2.339917, -1.361579, -0.697100],
                      [-3.065916, -2.734137, -1.295083, -0.460795], [-2.978421, -2.898716, -1.084774, -0.210304]],
    ("cosine", 1.0): [[-0.803342, 0.297514, 0.709123, -1.042512], [-0.211261, -0.388272, 0.351426, 0.373023],
                      [0.244537, -0.541053, 0.294317, -0.564972], [-0.056488, -0.250379, -0.044084, -0.264007]],
    ("flow", 0.0): [[-2.439201, -1.919053, -1.382364, -0.916702], [-2.873264, -2.266940, -1.477863, -0.862773],
                    [-3.126080, -2.637968, -1.556663, -0.740760], [-3.196335, -2.911809, -1.612098, -0.554256]],
}
# alphas_cumprod of the same DDPMScheduler at its timesteps 0, 250, 500, 750 and 999, ours less 1.
RECORDED_ALPHA_BAR = {
    "linear": [0.99989998, 0.52142298, 0.077796653, 0.0033001585, 4.0358304e-05],
    "cosine": [0.99995869, 0.84588802, 0.49228504, 0.14317866, 2.4287350e-09],
}


def wavy(x, t):
    """Some function of x and t, t as ours."""
    return torch.sin(2 * x) + (t / 1000)[:, None]


@pytest.mark.parametrize("name", KINDS)
def test_alpha_bar_is_that_recorded_from_diffusers(name):
    found = make(name).alpha_bar[[1, 251, 501, 751, 1000]]
    assert found.tolist() == pytest.approx(RECORDED_ALPHA_BAR[name], rel=1e-4, abs=1e-10)


@pytest.mark.parametrize(("name", "eta"), RECORDED)
def test_steps_are_those_recorded_from_diffusers(name, eta):
    schedule, generator = make(name), torch.Generator().manual_seed(7)
    denoise = as_denoiser(wavy, schedule, "flow" if name == "flow" else "v")
    found = [x[0] for _, x, _ in sample(denoise, START, schedule, 4, eta, generator=generator)]
    expected = torch.tensor(RECORDED[name, eta], dtype=torch.float64)
    torch.testing.assert_close(torch.stack(found), expected, atol=1e-5, rtol=0)


def theirs(kind, target, steps, eta, ddpm):
    """The x that diffusers' scheduler steps through, and the schedule of its betas, all in float64."""
    reason = "diffusers is not installed: the recorded steps stand for it"
    schedulers = pytest.importorskip("diffusers", reason=reason)
    scheduler = (schedulers.DDPMScheduler if ddpm else schedulers.DDIMScheduler)(
        beta_schedule=kind, clip_sample=False, prediction_type=PREDICTIONS[target], timestep_spacing="trailing")
    betas = scheduler.betas.double()
    scheduler.alphas_cumprod = (1 - betas).cumprod(0)  # in float32 a DDIM step at eta = 1 loses half its digits
    scheduler.set_timesteps(steps)
    x, generator, path = START, torch.Generator().manual_seed(7), []
    for t in scheduler.timesteps:
        answer = wavy(x, torch.full((3,), int(t) + 1))
        options = {} if ddpm else {"eta": eta}
        x = scheduler.step(answer, int(t), x, generator=generator, **options).prev_sample
        path.append(x)
    return path, from_betas(betas)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("target", PREDICTIONS)
@pytest.mark.parametrize(("steps", "eta", "ddpm"), [
    (4, 0.0, False), (20, 0.5, False), (20, 1.0, False), (20, 1.0, True), (1000, 1.0, True),
])
def test_steps_are_those_of_diffusers(name, target, steps, eta, ddpm):
    expected, schedule = theirs(KINDS[name], target, steps, eta, ddpm)
    torch.testing.assert_close(make(name).alpha_bar, schedule.alpha_bar, atol=1e-6, rtol=0)
    denoise, generator = as_denoiser(wavy, schedule, target), torch.Generator().manual_seed(7)
    for (_, x, _), y in zip(sample(denoise, START, schedule, steps, eta, generator=generator), expected, strict=True):
        torch.testing.assert_close(x, y, atol=1e-6, rtol=1e-6)


# -- paths and weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.1, 0.2, 0.5, 1, 3, 10])
def test_a_shifted_flow_is_the_same_path_at_other_times(shift):
    """Esser et al. 2024, equation 23: at any time its noise / signal is `shift` times that of the plain one."""
    plain, moved = flow_schedule(), flow_schedule(shift=shift)
    assert torch.allclose(moved.signal + moved.noise, torch.ones(1001, dtype=torch.float64))
    inner = slice(1, 1000)
    ratio = (moved.noise / moved.signal)[inner] / (plain.noise / plain.signal)[inner]
    assert torch.allclose(ratio, torch.full_like(ratio, shift))


def test_a_step_forward_from_a_noised_picture_is_the_noised_picture():
    schedule, x0 = linear_schedule(), torch.full((40_000,), 0.7)
    torch.manual_seed(0)
    there = forward_step(schedule.add_noise(x0, 300, torch.randn_like(x0)), schedule, 300, 500)
    assert there.mean().item() == pytest.approx(0.7 * schedule.signal[500].item(), abs=0.02)
    assert there.std().item() == pytest.approx(schedule.noise[500].item(), rel=0.02)


def test_every_round_starts_from_the_noise_of_its_time():
    schedule, heard = flow_schedule(), {}

    def denoise(x, t):  # all pictures are 0, so that x is noise alone
        heard.setdefault(t[0].item(), []).append(x.std().item())
        return torch.zeros_like(x)

    last(denoise, noise(4000, 5), schedule, 4, 0.0, rounds=3)
    assert [len(found) for found in heard.values()] == [3, 3, 3, 3]
    for t, found in heard.items():
        assert found == pytest.approx([schedule.noise[t].item()] * 3, rel=0.03), t


def test_a_finished_path_is_its_last_picture_in_range():
    steps = [(1, torch.zeros(2), None), (0, torch.tensor([-3.0, 0.5]), None)]
    assert finished(iter(steps)).tolist() == [-1, 0.5]
    assert finished(iter(steps), lambda x: x / 6).tolist() == pytest.approx([-0.5, 0.5 / 6]), "clamped when decoded"


def test_rounds_bring_what_is_pasted_and_what_is_drawn_into_agreement():
    """Two pictures, (-1, -1) and (1, 1): whoever sees one number knows the other, and what is drawn follows."""
    schedule, data = flow_schedule(), torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    known, mask = torch.ones(1, 2), torch.tensor([[False, True]])
    calls = []

    def denoise(x, t):
        calls.append(t)
        return posterior_mean(data, schedule)(x, t)

    right = {}
    for rounds in (1, 4):
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(500, 2, generator=generator)
        paste = keep_known(known, mask, schedule, generator)
        _, drawn, _ = last(denoise, x, schedule, 6, 1.0, paste, generator, rounds)
        right[rounds] = (drawn[:, 1] > 0).float().mean().item()
    assert len(calls) == 6 + 24
    assert right[1] < right[4] > 0.97, right
    with pytest.raises(ValueError, match="0 rounds"):
        last(denoise, x, schedule, 6, rounds=0)


@pytest.mark.parametrize("other", SCHEDULES)
@EVERY
def test_a_denoiser_moves_to_another_path(name, other):
    """The ideal denoiser of one path, moved, is that of the other, wherever whole times come near to the same SNR."""
    own, target = make(name), make(other)
    data = EIGHT.float()
    moved, wanted = on_schedule(posterior_mean(data, own), own, target), posterior_mean(data, target)
    times = torch.arange(50, 960, 70)
    x = target.add_noise(data.repeat(2, 1)[:len(times)], times, noise(len(times), 2))
    assert (moved(x, times) - wanted(x, times)).abs().max() < 0.08
    wrong = posterior_mean(data, own)(x, times)
    assert name == other or (wrong - wanted(x, times)).abs().max() > 0.08, "without the move it is another one"


def test_a_guess_is_kept_within_its_range():
    wild = torch.tensor([-3.0, 0.5, 2.0])
    assert within(lambda x, t: x)(wild, 5).tolist() == [-1, 0.5, 1]
    assert within(lambda x, t: x, None)(wild, 5) is wild and within(lambda x, t: x, 2.0)(wild, 5)[0] == -2
