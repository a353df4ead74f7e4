"""The denoiser of notebooks 12 and 13: what its three ports do, and that it can learn."""

import pytest
import torch
import torch.nn.functional as F

from helpers.data.text import EOS, PAD, SPECIALS
from helpers.diffusion.forward import flow_schedule
from helpers.models.glide import GLIDE, prompt_loss
from helpers.models.layers import CrossAttention
from helpers.models.unet import Reader, UNet, timestep_embedding
from helpers.training.loop import train

SMALL = {"size": 16, "widths": (8, 16), "reads": 1}
PORTS = {"context": 6, "vector": 5, "concat": 1}


def stirred(model, seed=0):
    """A model whose zeros are gone: at first every branch adds nothing, and nothing could be seen of it."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return model.eval()


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return stirred(UNet(**SMALL, **PORTS))


def inputs(n=3, tokens=4):
    generator = torch.Generator().manual_seed(1)
    x, context, vector, concat = (torch.randn(shape, generator=generator)
                                  for shape in ((n, 3, 16, 16), (n, tokens, 6), (n, 5), (n, 1, 16, 16)))
    mask = torch.ones(n, tokens, dtype=torch.bool)
    return {"x": x, "t": torch.tensor([10, 500, 900])[:n], "context": context, "mask": mask, "vector": vector,
            "concat": concat}


def test_the_answer_has_the_shape_of_the_picture(net):
    assert net(**inputs()).shape == (3, 3, 16, 16)


@pytest.mark.parametrize("part", ["x", "t", "context", "vector", "concat"])
def test_every_port_is_heard(net, part):
    given = inputs()
    changed = given | {part: given[part].flip(0)}
    assert (net(**given)[2] - net(**changed)[2]).abs().max() > 1e-3


@pytest.mark.parametrize("part", ["context", "vector"])
def test_what_is_told_counts_as_the_third_power_of_the_noise(net, part):
    given = inputs()
    changed = given | {part: given[part].flip(0)}
    counts = [(net(**given | {"t": t})[0] - net(**changed | {"t": t})[0]).abs().max() for t in (0, 10, 20, 900)]
    assert counts[0] == 0 and counts[1] < 1e-5 < 1e-3 < counts[3]
    reader = next(module for module in net.modules() if isinstance(module, Reader))
    places = torch.randn(3, 16, 8, 8)
    none, part, full = (reader(places, given["context"], given["mask"], share)
                        for share in (0.0, torch.tensor([0.125] * 3)[:, None, None], 1.0))
    assert torch.allclose(part - none, 0.125 * (full - none), atol=1e-6) and (full - none).std() > 1e-3


def test_pictures_of_a_batch_do_not_meet(net):
    given = inputs()
    alone = {name: value[1:2] for name, value in given.items()}
    assert torch.allclose(net(**given)[1:2], net(**alone), atol=1e-5)


def test_tokens_that_are_hidden_are_not_read(net):
    given = inputs()
    given["mask"] = torch.tensor([[True, True, False, False]]).expand(3, 4)
    other = given["context"].clone()
    other[:, 2:] = 99.0
    assert torch.allclose(net(**given), net(**given | {"context": other}))
    short = given | {"context": given["context"][:, :2], "mask": given["mask"][:, :2]}
    assert torch.allclose(net(**given), net(**short), atol=1e-5)


def test_what_the_vector_makes_of_a_picture_lies_under_the_noise_as_its_third_power(net, monkeypatch):
    vector, x = inputs()["vector"], torch.randn(3, 3, 16, 16)
    layout = F.interpolate(net.layout(vector).view(3, 3, 8, 8), (16, 16), mode="bilinear")
    share = torch.tensor([0.0, 0.25, 1.0])
    assert torch.allclose(net.lay_under(x, vector, share), x + share[:, None, None, None] * layout, atol=1e-6)
    assert layout.std() > 0.1
    told = []
    monkeypatch.setattr(net, "lay_under", lambda x, vector, share: told.append(share) or x)
    net(**inputs() | {"t": torch.tensor([0, 500, 1000])})
    assert torch.allclose(told[0], torch.tensor([0, 0.125, 1.0]))


def test_at_first_it_answers_zero_and_each_branch_is_its_skip():
    x = torch.randn(2, 3, 16, 16)
    assert UNet(**SMALL)(x, torch.tensor([5, 900])).abs().max() == 0


def test_time_is_told_in_thousandths_of_the_last():
    torch.manual_seed(0)
    fine, coarse = stirred(UNet(**SMALL, last=1000)), stirred(UNet(**SMALL, last=10))
    coarse.load_state_dict(fine.state_dict())
    x = torch.randn(1, 3, 16, 16)
    assert torch.allclose(fine(x, torch.tensor([700])), coarse(x, torch.tensor([7])), atol=1e-6)
    assert not torch.allclose(fine(x, torch.tensor([700])), fine(x, torch.tensor([7])), atol=1e-4)


def test_timesteps_are_told_apart():
    waves = timestep_embedding(torch.arange(1001.0), 64)
    assert waves.shape == (1001, 64) and torch.equal(waves[0], torch.tensor([1.0, 0.0]).repeat_interleave(32))
    assert torch.pdist(waves).min() > 0.05
    with pytest.raises(ValueError, match="width is even"):
        timestep_embedding(torch.zeros(1), 7)


@pytest.mark.parametrize(("change", "message"), [
    ({"x": torch.zeros(3, 3, 8, 8)}, "expected pictures"),
    ({"context": None}, "needs a context"),
    ({"vector": torch.zeros(3, 4)}, "vector has 5 numbers"),
    ({"concat": torch.zeros(2, 1, 16, 16)}, "for 3 pictures"),
])
def test_a_wrong_port_is_refused_in_words(net, change, message):
    with pytest.raises(ValueError, match=message):
        net(**inputs() | change)


def test_a_port_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="takes no context"):
        UNet(**SMALL)(torch.zeros(1, 3, 16, 16), 5, context=torch.zeros(1, 2, 6))
    with pytest.raises(ValueError, match="cannot be halved"):
        UNet(size=30)


def test_cross_attention_is_torchs():
    torch.manual_seed(0)
    layer, x, context = CrossAttention(12, 5, 3), torch.randn(2, 7, 12), torch.randn(2, 4, 5)
    mask = torch.tensor([[True, True, True, True], [True, False, True, False]])
    q = layer.query(x).unflatten(2, (3, 4)).transpose(1, 2)
    k, v = (part.unflatten(2, (3, 4)).transpose(1, 2) for part in layer.key_value(context).chunk(2, 2))
    wanted = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    assert torch.allclose(layer(x, context, mask), layer.out(wanted.transpose(1, 2).flatten(2)), atol=1e-6)
    assert not torch.allclose(layer(x, context, mask)[1], layer(x, context)[1], atol=1e-4)
    with pytest.raises(ValueError, match="multiple of the heads"):
        CrossAttention(12, 5, 5)


# -- with a text ---------------------------------------------------------------------------------------------------

WORDS = [*SPECIALS, "▁red", "▁blue", "▁circle"]
TEXTS = torch.tensor([[4, 6, EOS], [5, EOS, PAD], [EOS, PAD, PAD]])


def small_glide():
    torch.manual_seed(0)
    return GLIDE(WORDS, text={"width": 8, "depth": 1, "heads": 2}, unet=SMALL)


def test_filling_does_not_change_a_text():
    model = stirred(small_glide())
    x = torch.randn(3, 3, 16, 16)
    padded = model(x, 500, **model.read(F.pad(TEXTS, (0, 4), value=PAD)))
    assert torch.allclose(model(x, 500, **model.read(TEXTS)), padded, atol=1e-5)


def test_a_text_is_heard_and_the_empty_one_is_its_eos():
    model = stirred(small_glide())
    cond = model.read(TEXTS)
    assert cond["mask"].sum(1).tolist() == [3, 2, 1]
    assert torch.equal(cond["vector"][1], cond["context"][1, 1]), "the features of EOS"
    x = torch.randn(1, 3, 16, 16).expand(3, -1, -1, -1)
    answers = model(x, 500, **cond)
    assert (answers[0] - answers[1]).abs().max() > 1e-3 and (answers[1] - answers[2]).abs().max() > 1e-3


def test_it_learns_which_picture_a_text_stands_for():
    model, schedule = small_glide(), flow_schedule()
    pictures = torch.stack([torch.full((3, 16, 16), value) for value in (0.8, -0.8, 0.0)])
    batch = {"images": pictures, "texts": TEXTS}
    train(model, lambda step: batch, lambda *both: prompt_loss(*both, schedule), 150, lr=4e-3, label=None)
    with torch.no_grad():
        guesses = model(torch.randn(3, 3, 16, 16), 1000, **model.read(TEXTS)).mean((1, 2, 3))
    assert guesses.argsort(descending=True).tolist() == [0, 2, 1]
    assert guesses[0] - guesses[1] > 0.8
