"""Muon: matrices take steps of even length in every direction; everything else is AdamW's."""

import pytest
import torch
from torch import nn

from helpers.training.loop import optimizer_of, train
from helpers.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (5, 20), (20, 5)])
def test_all_singular_values_become_about_one_and_their_vectors_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    s = torch.linspace(1, 0.05, len(s))  # directions that differ by a factor of twenty
    found = orthogonal(u * s @ vh)
    along = u.T @ found @ vh.T
    assert torch.allclose(along, along.diagonal().diag(), atol=1e-4), "the singular vectors are those of before"
    assert 0.6 < along.diagonal().min() and along.diagonal().max() < 1.3


class Mixed(nn.Module):
    """One of each kind of weight."""

    optimizer = "muon"

    def __init__(self):
        super().__init__()
        self.table, self.conv = nn.Embedding(4, 3), nn.Conv2d(3, 6, 3)
        self.norm, self.dense = nn.GroupNorm(2, 6), nn.Linear(6, 2)

    def forward(self, ids):
        h = self.table(ids)[:, :, None, None].expand(-1, -1, 3, 3)
        return self.dense(self.norm(self.conv(h)).flatten(1))


def loss_of(model, batch):
    return model(batch).square().mean() + sum(p.square().sum() for p in model.parameters()), {}


def test_everything_that_is_no_matrix_takes_adamws_steps():
    """Embeddings, biases and norms; the second half changes the matrices, so it is compared after one step."""
    models = []
    for make in (Muon, lambda model, lr: torch.optim.AdamW(model.parameters(), lr, (0.9, 0.99))):
        torch.manual_seed(0)
        model = Mixed()
        optimizer = make(model, 1e-2)
        loss_of(model, torch.arange(4))[0].backward()
        optimizer.step()
        models.append(dict(model.named_parameters()))
    ours, theirs = models
    for name, value in ours.items():
        same = torch.allclose(value, theirs[name], atol=1e-7)
        assert same == (name not in ("conv.weight", "dense.weight")), name


def test_a_step_of_a_matrix_does_not_depend_on_the_size_of_its_gradient():
    moved = []
    for scale in (1.0, 1000.0):
        torch.manual_seed(0)
        model = Mixed()
        before = model.conv.weight.detach().clone()
        optimizer = Muon(model, 1e-2)
        (scale * loss_of(model, torch.arange(4))[0]).backward()
        optimizer.step()
        moved.append(model.conv.weight.detach() - before)
    assert torch.allclose(*moved, atol=1e-4) and moved[0].abs().max() > 1e-3


@pytest.mark.parametrize(("outputs", "inputs", "longer"), [(5, 20, 1.0), (6, 6, 1.0), (20, 5, 2.0)])
def test_a_step_is_ten_times_the_rate_and_longer_where_there_are_more_outputs(outputs, inputs, longer):
    layer = nn.Linear(inputs, outputs)
    before, generator = layer.weight.detach().clone(), torch.Generator().manual_seed(0)
    layer.weight.grad = torch.randn(outputs, inputs, generator=generator)
    wanted = -10 * 1e-3 * longer * orthogonal(layer.weight.grad)
    Muon(layer, 1e-3).step()
    assert torch.allclose(layer.weight.detach() - before, wanted, atol=1e-6)


def test_a_model_says_which_optimizer_it_wants():
    assert type(optimizer_of(Mixed(), 1e-3, False)) is Muon
    assert type(optimizer_of(nn.Linear(2, 2), 1e-3, False)) is torch.optim.AdamW


def test_an_interrupted_training_goes_on_as_if_nothing_had_been(tmp_path):
    def trained(path, stop_at=None):
        torch.manual_seed(0)
        model = Mixed()

        def batches(step):
            if step == stop_at:
                raise KeyboardInterrupt
            return torch.randint(4, (6,))

        train(model, batches, loss_of, 12, snapshot=path, resume=path.exists(), label=None)
        return model

    whole = trained(tmp_path / "whole")
    trained(tmp_path / "parts", stop_at=7)
    assert (tmp_path / "parts").exists(), "the snapshot of the interrupted run"
    again = trained(tmp_path / "parts")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
