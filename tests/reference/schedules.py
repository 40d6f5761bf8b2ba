"""Every schedule a second time, by a plain loop over epochs and steps. Nothing here imports the package.

Each function gives the factor of the rate for every step of a training of `epochs` epochs of `per_epoch` steps.
"""

from __future__ import annotations

from math import cos, pi


def constant(epochs, per_epoch):
    return [1.0] * (epochs * per_epoch)


def step(epochs, per_epoch, by, every):
    factor, factors = 1.0, []
    for epoch in range(epochs):
        if epoch > 0 and epoch % every == 0:
            factor *= by
        factors += [factor] * per_epoch
    return factors


def linear(epochs, per_epoch, until, last):
    total = epochs * per_epoch
    tau = until * total
    return [last if k >= tau else (1 - k / tau) * 1.0 + (k / tau) * last for k in range(total)]


def exponential(epochs, per_epoch, decay, staircase):
    return [decay ** (k // per_epoch if staircase else k / per_epoch) for k in range(epochs * per_epoch)]


def inverse_time(epochs, per_epoch, decay, power, staircase):
    return [
        1.0 / (1.0 + decay * (k // per_epoch if staircase else k / per_epoch)) ** power
        for k in range(epochs * per_epoch)
    ]


def cosine(epochs, per_epoch, last):
    total = epochs * per_epoch
    return [last + 0.5 * (1.0 - last) * (1.0 + cos(pi * k / total)) for k in range(total)]


def one_cycle(epochs, per_epoch, peak, div, final, between=None):
    """Smith & Topin with cosines; `between` = (start, top, end) for anything but the rate."""
    total = epochs * per_epoch
    first, top, last = between or (1.0 / div, 1.0, 1.0 / div / final)
    turn, end = peak * total - 1, total - 1
    factors = []
    for k in range(total):
        if k <= turn:
            factors.append(top + (first - top) / 2 * (1 + cos(pi * k / turn)))
        else:
            factors.append(last + (top - last) / 2 * (1 + cos(pi * (k - turn) / (end - turn))))
    return factors


def warm_up(epochs, per_epoch, share, start, then):
    """`then(total) → factors` of the rest."""
    total = epochs * per_epoch
    w = round(share * total)
    return [start + (1 - start) * k / w for k in range(w)] + then(total - w)


def plateau(losses, per_epoch, by, patience, threshold, floor):
    best, bad, factor, factors = float("inf"), 0, 1.0, []
    for loss in losses:
        factors += [factor] * per_epoch
        if loss < best * (1.0 - threshold):
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            factor, bad = max(factor * by, floor), 0
    return factors
