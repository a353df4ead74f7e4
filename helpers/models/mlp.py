"""Multilayer perceptrons: layers h = phi(W x + b), one after the other.

Notebook 04. Papers: Rosenblatt 1958 (the perceptron); Rumelhart, Hinton & Williams, "Learning representations by
back-propagating errors", Nature 1986; Cybenko 1989 and Leshno et al. 1993 (what one hidden layer can approximate).
A linear map mixes all its inputs, a nonlinearity bends each result; without the second, any stack of the first is
one matrix.

B batch · n numbers that enter · m numbers that leave · d size of a code · R copies, nets alike but for their start
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {"none": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU}


def dense(sizes: Sequence[int], activation: str, normalise: bool = False) -> nn.Sequential:
    """Linear maps between neighbouring `sizes`, with the activation between two of them and none at the end.

    normalise   layer normalisation (Ba, Kiros & Hinton 2016) before each activation
    ValueError unless `sizes` names two layers or more and `activation` is one of ACTIVATIONS.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes are those of the input, of each hidden layer and of the output, such as [2, 32, 2]; "
                         f"got {list(sizes)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}: choose one of {', '.join(ACTIVATIONS)}")
    layers = [nn.Linear(sizes[0], sizes[1])]
    for n, m in zip(sizes[1:], sizes[2:], strict=False):
        layers += [nn.LayerNorm(n)] * normalise + [ACTIVATIONS[activation](), nn.Linear(n, m)]
    return nn.Sequential(*layers)


class MLP(nn.Module):
    """A multilayer perceptron: (B, n) -> (B, m).

    sizes   of the input, each hidden layer and the output: [n, ..., m]; [2, 32, 32, 2] has two hidden layers
    activation   "none", "relu", "tanh" or "silu", after each hidden layer
    """

    def __init__(self, sizes: Sequence[int], activation: str = "relu"):
        super().__init__()
        self.config = {"sizes": list(sizes), "activation": activation}
        self.layers = dense(sizes, activation)

    def forward(self, x):
        return self.layers(x)


class Copies(nn.Module):
    """MLPs of one shape that differ only in their random start, computed side by side: (B, n) -> (R, B, m).

    copies   R, how many; sizes, activation   as in MLP
    """

    def __init__(self, copies: int, sizes: Sequence[int], activation: str):
        super().__init__()
        self.config = {"copies": copies, "sizes": list(sizes), "activation": activation}
        layers = zip(*(dense(sizes, activation)[::2] for _ in range(copies)), strict=True)  # so each starts as an MLP
        layers = [[(linear.weight.detach().T, linear.bias.detach()) for linear in layer] for layer in layers]
        self.weights = nn.ParameterList(torch.stack([weight for weight, _ in layer]) for layer in layers)
        self.biases = nn.ParameterList(torch.stack([bias for _, bias in layer])[:, None] for layer in layers)
        self.bend = ACTIVATIONS[activation]()

    def forward(self, x):
        h = x.expand(len(self.weights[0]), *x.shape)                           # (R, B, n)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, self.bend(h) if i else h, weight)          # (R, B, m of this layer)
        return h

    def copy(self, i: int) -> MLP:
        """Copy number i as an ordinary MLP, with weights of its own."""
        net = MLP(self.config["sizes"], self.config["activation"])
        for linear, weight, bias in zip(net.layers[::2], self.weights, self.biases, strict=True):
            linear.load_state_dict({"weight": weight[i].T, "bias": bias[i, 0]})
        return net.eval()


class Grid(nn.Module):
    """Classifiers of points in the plane, one for each depth, width and activation, each in R copies.

    (B, 2) -> {"relu-2-32": logits (R, B, 2), ...}; depth counts hidden layers, width the units in each of them.
    """

    def __init__(self, depths: Sequence[int], widths: Sequence[int], activations: Sequence[str], copies: int):
        super().__init__()
        self.config = {"depths": list(depths), "widths": list(widths), "activations": list(activations),
                       "copies": copies}
        self.nets = nn.ModuleDict({f"{activation}-{depth}-{width}": Copies(copies, [2, *[width] * depth, 2], activation)
                                   for activation in activations for depth in depths for width in widths})

    def forward(self, x):
        return {name: net(x) for name, net in self.nets.items()}


class MLPAutoencoder(nn.Module):
    """An autoencoder of dense layers: to it a picture is a list of numbers, in an order that has no meaning.

    latent   d, the numbers in the code
    hidden   sizes of the encoder's hidden layers; the decoder has them in reverse
    normalise   layer normalisation before each activation
    channels, size   of the pictures
    """

    def __init__(self, latent: int, hidden: Sequence[int], activation: str = "silu", normalise: bool = False,
                 channels: int = 3, size: int = 32):
        super().__init__()
        self.config = {"latent": latent, "hidden": list(hidden), "activation": activation, "normalise": normalise,
                       "channels": channels, "size": size}
        sizes = [channels * size * size, *hidden, latent]
        self.encoder = dense(sizes, activation, normalise)
        self.decoder = dense(sizes[::-1], activation, normalise)

    def encode(self, x):
        """Pictures (B, C, S, S) in [-1, 1] -> codes (B, d)."""
        return self.encoder(x.flatten(1))

    def decode(self, z):
        """Codes (B, d) -> pictures (B, C, S, S); clamp before drawing."""
        channels, size = self.config["channels"], self.config["size"]
        return self.decoder(z).unflatten(1, (channels, size, size))

    def forward(self, x):
        return self.decode(self.encode(x))


def classification_loss(model, batch):
    """(loss, {"cross_entropy", "accuracy"}) of an MLP, Copies or Grid on (x (B, n), labels (B,) int64).

    The loss is the cross-entropy, in nats, averaged over the batch and over all nets. The nets of a Grid share no
    weight, and Adam's step doesn't depend on the gradient's scale, so each net trains as it would alone.
    """
    x, labels = batch
    outputs = model(x)
    outputs = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    logits = torch.cat([logits.reshape(-1, *logits.shape[-2:]) for logits in outputs])  # (nets, B, m)
    loss = F.cross_entropy(logits.transpose(1, 2), labels.expand(len(logits), -1))
    right = (logits.detach().argmax(2) == labels).float().mean()
    return loss, {"cross_entropy": loss.detach(), "accuracy": right}
