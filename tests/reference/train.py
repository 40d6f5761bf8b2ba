"""Training a second time: one member, float64 NumPy, plain loops, written from the equations. Nothing of ours imported.

Softmax regression with scores s = Wx + b. The objective of a batch with row weights u is Σuℓ/Σu (or Σuℓ) + ½l2‖W‖²;
l1·|W| acts by its proximal map after the step. Biases are not penalised.
"""

from __future__ import annotations

from math import ceil, cos, pi

import numpy as np


def log_softmax(scores):
    below = scores - scores.max(axis=1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=1, keepdims=True))


def losses(W, b, X, y):
    """−log p(y) of each row."""
    return -log_softmax(X @ W.T + b)[np.arange(len(y)), y]


def gradient(W, b, X, y, u, reduction, l2):
    """The gradient of the smooth objective at (W, b), and the batch's loss there."""
    total = u.sum() if reduction == "mean" else 1.0
    hot = np.zeros((len(y), len(b)))
    hot[np.arange(len(y)), y] = 1.0
    error = (np.exp(log_softmax(X @ W.T + b)) - hot) * u[:, None] / total
    return [error.T @ X + l2 * W, error.sum(axis=0)], (losses(W, b, X, y) * u).sum() / total


class SGD:
    def __init__(self, **settings):
        self.__dict__.update(settings)
        self.memory = None

    def look(self, params):
        return params

    def step(self, params, g, t, rate):
        return [p - rate * d for p, d in zip(params, g)]

    def stride(self, t, rate):
        return rate

    def settle(self, shift):
        pass


class Momentum(SGD):
    """v ← αv − εg, θ ← θ + v"""

    def step(self, params, g, t, rate):
        v = self.memory or [0.0 * p for p in params]
        self.memory = [self.momentum * a - rate * d for a, d in zip(v, g)]
        return [p + a for p, a in zip(params, self.memory)]

    def stride(self, t, rate):
        return rate / (1 - self.momentum)


class Nesterov(Momentum):
    """The gradient at θ + αv; with a prox, v is what the weights really moved (FISTA)."""

    def look(self, params):
        return [p + self.momentum * v for p, v in zip(params, self.memory)] if self.memory else params

    def stride(self, t, rate):
        return rate

    def settle(self, shift):
        self.memory[0] = self.memory[0] + shift


class Adam(SGD):
    """θ ← θ − ε ŝ/(√r̂ + δ)"""

    def step(self, params, g, t, rate):
        s, r = self.memory or ([0.0 * p for p in params], [0.0 * p for p in params])
        s = [self.decay1 * a + (1 - self.decay1) * d for a, d in zip(s, g)]
        r = [self.decay2 * a + (1 - self.decay2) * d * d for a, d in zip(r, g)]
        self.memory = s, r
        hats = [a / (1 - self.decay1**t) for a in s]
        return [p - rate * a / (np.sqrt(c / (1 - self.decay2**t)) + self.delta) for p, a, c in zip(params, hats, r)]

    def stride(self, t, rate):
        return rate / (np.sqrt(self.memory[1][0] / (1 - self.decay2**t)) + self.delta)


def constant(_k, _epoch, _total):
    return 1.0


def step_decay(by, every):
    return lambda _k, epoch, _total: by ** (epoch // every)


def cosine(last):
    return lambda k, _epoch, total: last + (1 - last) * (1 + cos(pi * k / total)) / 2


class Plateau:
    """Multiply by `by` once the validation loss has not improved for more than `patience` epochs."""

    def __init__(self, by, patience, threshold=1e-4):
        self.by, self.patience, self.threshold = by, patience, threshold
        self.best, self.bad, self.now = float("inf"), 0, 1.0

    def __call__(self, k, epoch, total):
        return self.now

    def observe(self, loss):
        if loss < self.best * (1 - self.threshold):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.bad > self.patience:
            self.now, self.bad = self.now * self.by, 0


def clip_norm(limit):
    def clip(g):
        norm = np.sqrt(sum((d * d).sum() for d in g))
        return [d * limit / norm for d in g] if norm > limit else g

    return clip


def train(X, y, W, b, orders, batch, method, rate, *, weights=None, reduction="mean", l1=0.0, l2=0.0,
          schedule=constant, clip=None, validation=None, ema=None, tail=None):  # fmt: skip
    """Weights after the epochs (one order of rows each), and the training and validation loss of every epoch.

    `weights` of the rows; a batch whose rows weigh nothing is no step. `ema` or `tail` report an average.
    """
    weights = np.ones(len(y)) if weights is None else weights
    params, t = [np.array(W, float), np.array(b, float)], 0
    total = len(orders) * ceil(len(orders[0]) / batch)
    average, mass = [0.0 * p for p in params], 0.0
    curve, checks = [], []
    for epoch, order in enumerate(orders):
        seen, heavy = 0.0, 0.0
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            u = weights[rows]
            if u.sum() == 0:
                continue
            now = rate * schedule(t, epoch, total)
            t += 1
            g, loss = gradient(*method.look(params), X[rows], y[rows], u, reduction, l2)
            params = method.step(params, clip(g) if clip else g, t, now)
            stepped = params[0]
            shrunk = np.abs(stepped) - l1 * method.stride(t, now)
            params[0] = np.sign(stepped) * np.maximum(shrunk, 0.0)
            method.settle(params[0] - stepped)
            share = u.sum() if reduction == "mean" else 1.0
            seen, heavy = seen + share * loss, heavy + share
            if ema is not None:
                average = [ema * a + (1 - ema) * p for a, p in zip(average, params)]
                mass = ema * mass + (1 - ema)
            if tail is not None and t > tail * total:
                average, mass = [a + p for a, p in zip(average, params)], mass + 1
        curve.append(seen / heavy)
        reported = [a / mass for a in average] if mass else params
        if validation is not None:
            checks.append(losses(*reported, *validation).mean())
            if isinstance(schedule, Plateau):
                schedule.observe(checks[-1])
    return {"W": reported[0], "b": reported[1], "train_loss": curve, "validation_loss": checks, "steps": t}
