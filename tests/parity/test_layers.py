"""Layers against torch.nn: convolution, pooling, batch norm in training and in prediction, and J5's whole network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from steepest.inits.scaled import HeUniform
from steepest.losses.softmax import CrossEntropy
from steepest.models.cnn import CNN
from steepest.models.convolution import convolve, maps
from steepest.models.passes import PREDICT, norm_start
from steepest.models.pooling import average_pool, max_pool
from steepest.train.passes import Training

RNG = np.random.default_rng(6)


def to_torch(rows):
    """Rows [rows, H, W, C] as torch's [rows, C, H, W]."""
    return torch.from_numpy(np.asarray(rows)).permute(0, 3, 1, 2)


def kernels_from(weight):
    """torch's [out, in, k, k] as [out, k·k·in]."""
    return jnp.asarray(weight.detach().permute(0, 2, 3, 1).reshape(len(weight), -1).numpy())


def rows_of(mapped):
    """Maps [C, H, W, rows] in torch's order."""
    return np.asarray(mapped).transpose(3, 0, 1, 2)


@pytest.mark.parametrize(("k", "stride", "padding"), [(3, 1, 1), (5, 1, 2), (1, 1, 0), (3, 2, 1), (1, 2, 0), (3, 1, 0)])
def test_convolution_and_its_gradients_are_torchs(k, stride, padding):
    rows = RNG.normal(size=(4, 9, 8, 3))
    layer = nn.Conv2d(3, 5, k, stride, padding, dtype=torch.float64)
    theirs = layer(to_torch(rows))
    up = RNG.normal(size=theirs.shape)
    theirs.backward(torch.from_numpy(up))
    W, b = kernels_from(layer.weight), jnp.asarray(layer.bias.detach().numpy())

    def summed(W, b):
        out = convolve(W, maps(jnp.asarray(rows)), b, stride, padding)
        return jnp.sum(out * up.transpose(1, 2, 3, 0)), out

    (dW, db), ours = jax.grad(summed, (0, 1), has_aux=True)(W, b)
    assert_allclose(rows_of(ours), theirs.detach(), rtol=1e-12, atol=1e-12)
    assert_allclose(dW, kernels_from(layer.weight.grad), rtol=1e-11, atol=1e-11)
    assert_allclose(db, layer.bias.grad, rtol=1e-11)


@pytest.mark.parametrize("shape", [(3, 8, 6, 2), (2, 7, 5, 3)])
def test_pools_are_torchs(shape):
    rows = RNG.normal(size=shape)
    for ours, theirs in ((max_pool, nn.MaxPool2d(2)), (average_pool, nn.AvgPool2d(2))):
        assert_allclose(rows_of(ours(maps(jnp.asarray(rows)))), theirs(to_torch(rows)), rtol=1e-14)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(4), nn.BatchNorm2d(4)], ids=["rows", "maps"])
def test_batch_norm_is_torchs_in_training_and_in_prediction(layer):
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(RNG.normal(size=4)))
        layer.bias.copy_(torch.from_numpy(RNG.normal(size=4)))
    two = isinstance(layer, nn.BatchNorm2d)
    shape, order = ((7, 3, 5, 4), (0, 3, 1, 2)) if two else ((7, 4), (0, 1))
    own = {"norm": {"scale": jnp.asarray(layer.weight.detach()), "shift": jnp.asarray(layer.bias.detach())}}
    running = {"norm": norm_start(4, "float64")}
    for _ in range(5):
        h, up = RNG.normal(2, 3, size=shape), RNG.normal(size=shape)
        shown = torch.from_numpy(h).permute(order).requires_grad_()
        theirs = layer(shown)
        layer.zero_grad()
        theirs.backward(torch.from_numpy(up).permute(order))

        def summed(own, h, running=running, up=up):
            how = Training((), [], jnp.ones(len(h)), running)
            out = how.norm(own, "norm", h)
            return jnp.sum(out * up), (out, how.running)

        (dlayer, dh), (ours, running) = jax.grad(summed, (0, 1), has_aux=True)(own, jnp.asarray(h))
        assert_allclose(np.asarray(ours).transpose(order), theirs.detach(), rtol=1e-11, atol=1e-12)
        assert_allclose(np.asarray(dh).transpose(order), shown.grad, rtol=1e-9, atol=1e-11)
        assert_allclose(dlayer["norm"]["scale"], layer.weight.grad, rtol=1e-10, atol=1e-10)
        assert_allclose(dlayer["norm"]["shift"], layer.bias.grad, rtol=1e-10, atol=1e-10)
    assert_allclose(running["norm"]["mean"], layer.running_mean, rtol=1e-12)
    assert_allclose(running["norm"]["var"], layer.running_var, rtol=1e-12)
    layer.eval()
    ours = PREDICT.norm({**own, "running": running}, "norm", jnp.asarray(h))
    assert_allclose(np.asarray(ours).transpose(order), layer(torch.from_numpy(h).permute(order)).detach(), rtol=1e-11)


def test_the_cnn_is_the_sources_network():
    """source: J5 — scores and every gradient; what is flattened lies as in torch."""
    layers = []
    for into, out in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    theirs = nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, 10)).double()
    rows, y = RNG.uniform(size=(6, 32, 32, 3)), RNG.integers(0, 10, 6)
    model = CNN()
    params = model.init(jax.random.key(1), (32, 32, 3), 10, HeUniform(), "float64")
    names = ("conv1", "conv2", "conv3", "dense", "output")
    held = [part for part in theirs if hasattr(part, "weight")]
    with torch.no_grad():
        for name, layer in zip(names, held):
            W = torch.from_numpy(np.array(params[name]["W"]))
            if name.startswith("conv"):
                W = W.reshape(len(W), 3, 3, -1).permute(0, 3, 1, 2)
            layer.weight.copy_(W)
            layer.bias.copy_(torch.from_numpy(RNG.normal(scale=0.1, size=len(W))))
            params[name]["b"] = jnp.asarray(layer.bias.numpy().copy())
    scores = theirs(to_torch(rows))
    nn.functional.cross_entropy(scores, torch.from_numpy(y)).backward()

    def loss(params):
        ours = model.apply(params, jnp.asarray(rows))
        return jnp.mean(CrossEntropy().rows(ours, jnp.asarray(y))), ours

    gradients, ours = jax.grad(loss, has_aux=True)(params)
    assert_allclose(ours, scores.detach(), rtol=1e-10, atol=1e-12)
    for name, layer in zip(names, held):
        wanted = kernels_from(layer.weight.grad) if name.startswith("conv") else layer.weight.grad
        assert_allclose(gradients[name]["W"], wanted, rtol=1e-8, atol=1e-12)
        assert_allclose(gradients[name]["b"], layer.bias.grad, rtol=1e-8, atol=1e-12)
