"""Every update rule a second time: one weight, plain Python floats, a loop, straight from the equation.

Nothing here imports the package. Each function takes the first weight, `gradient(t, point) → float` (t = 1, 2, …;
open-loop tests ignore the point), the rate of every step, and the rule's constants; it returns the weight after every
step.
"""

from __future__ import annotations

from math import sqrt


def sgd(x, gradient, rates):
    """θ ← θ − εg"""
    path = []
    for t, rate in enumerate(rates, 1):
        x = x - rate * gradient(t, x)
        path.append(x)
    return path


def momentum_classic(x, gradient, rates, momentum):
    """v ← αv − εg, θ ← θ + v (alg. 8.2)"""
    v, path = 0.0, []
    for t, rate in enumerate(rates, 1):
        v = momentum * v - rate * gradient(t, x)
        x = x + v
        path.append(x)
    return path


def momentum_torch(x, gradient, rates, momentum):
    """b ← μb + g, first b = g; θ ← θ − ηb (torch's documentation)"""
    b, path = None, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        b = g if b is None else momentum * b + g
        x = x - rate * b
        path.append(x)
    return path


def momentum_averaged(x, gradient, rates, momentum):
    """v ← βv + (1−β)g, θ ← θ − εv"""
    v, path = 0.0, []
    for t, rate in enumerate(rates, 1):
        v = momentum * v + (1.0 - momentum) * gradient(t, x)
        x = x - rate * v
        path.append(x)
    return path


def nesterov(x, gradient, rates, momentum):
    """g at θ + αv; v ← αv − εg, θ ← θ + v (alg. 8.3)"""
    v, path = 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x + momentum * v)
        v = momentum * v - rate * g
        x = x + v
        path.append(x)
    return path


def nesterov_torch(x, gradient, rates, momentum):
    """b ← μb + g, step η(g + μb)"""
    b, path = None, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        b = g if b is None else momentum * b + g
        x = x - rate * (g + momentum * b)
        path.append(x)
    return path


def nesterov_keras(x, gradient, rates, momentum):
    """v ← μv − ηg, θ ← θ + μv − ηg"""
    v, path = 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        v = momentum * v - rate * g
        x = x + momentum * v - rate * g
        path.append(x)
    return path


def delta_bar_delta(x, gradient, rates, growth, shrink, averaging):
    """Jacobs 1988; `rates[0]` starts every weight's own rate, a change of the rate scales it."""
    own, bar, path = rates[0], 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        if bar * g > 0:
            own = own + growth
        elif bar * g < 0:
            own = own - shrink * own
        x = x - own * (rate / rates[0]) * g
        bar = (1.0 - averaging) * g + averaging * bar
        path.append(x)
    return path


def adagrad(x, gradient, rates, delta, initial=0.0, inside=False):
    """r ← r + g², θ ← θ − ε/(δ + √r)·g (alg. 8.4)"""
    r, path = initial, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        r = r + g**2
        x = x - rate * g / (sqrt(r + delta) if inside else delta + sqrt(r))
        path.append(x)
    return path


def adadelta(x, gradient, rates, decay, delta):
    """Zeiler 2012, alg. 1"""
    r, u, path = 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        r = decay * r + (1.0 - decay) * g**2
        move = -sqrt(u + delta) / sqrt(r + delta) * g
        u = decay * u + (1.0 - decay) * move**2
        x = x + rate * move
        path.append(x)
    return path


def rmsprop(x, gradient, rates, decay, delta, inside=True):
    """r ← ρr + (1−ρ)g², θ ← θ − ε/√(δ + r)·g (alg. 8.5)"""
    r, path = 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        r = decay * r + (1.0 - decay) * g**2
        x = x - rate * g / (sqrt(delta + r) if inside else sqrt(r) + delta)
        path.append(x)
    return path


def rmsprop_momentum(x, gradient, rates, decay, momentum, delta, inside=True, rate_outside=False):
    """Keras: v ← αv + εg/√(r + δ), θ ← θ − v; torch: b ← αb + g/(√r + δ), θ ← θ − εb"""
    r, v, path = 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        r = decay * r + (1.0 - decay) * g**2
        scaled = g / (sqrt(r + delta) if inside else sqrt(r) + delta)
        if rate_outside:
            v = momentum * v + scaled
            x = x - rate * v
        else:
            v = momentum * v + rate * scaled
            x = x - v
        path.append(x)
    return path


def rmsprop_nesterov(x, gradient, rates, decay, momentum, delta):
    """g at θ + αv; r ← ρr + (1−ρ)g², v ← αv − ε/√r·g, θ ← θ + v (alg. 8.6)"""
    r, v, path = 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x + momentum * v)
        r = decay * r + (1.0 - decay) * g**2
        v = momentum * v - rate / sqrt(r + delta) * g
        x = x + v
        path.append(x)
    return path


def adam(x, gradient, rates, decay1, decay2, delta, correct=True, inside=False, weight_decay=0.0):
    """Alg. 8.7; with weight_decay, torch's AdamW: θ ← θ − ελθ first"""
    s, r, path = 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        x = x - rate * weight_decay * x
        s = decay1 * s + (1.0 - decay1) * g
        r = decay2 * r + (1.0 - decay2) * g**2
        s_hat = s / (1.0 - decay1**t) if correct else s
        r_hat = r / (1.0 - decay2**t) if correct else r
        x = x - rate * s_hat / (sqrt(r_hat + delta) if inside else sqrt(r_hat) + delta)
        path.append(x)
    return path


def adam_keras(x, gradient, rates, decay1, decay2, delta):
    """Kingma & Ba, end of §2: θ ← θ − ε√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v + ε̂)"""
    m, v, path = 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        m = m + (g - m) * (1.0 - decay1)
        v = v + (g**2 - v) * (1.0 - decay2)
        x = x - rate * sqrt(1.0 - decay2**t) / (1.0 - decay1**t) * m / (sqrt(v) + delta)
        path.append(x)
    return path


def amsgrad(x, gradient, rates, decay1, decay2, delta, form="torch", correct=True):
    """Reddi et al. 2018, alg. 2; torch: the largest raw r, corrected after; optax: the largest corrected r"""
    s, r, top, path = 0.0, 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = gradient(t, x)
        s = decay1 * s + (1.0 - decay1) * g
        r = decay2 * r + (1.0 - decay2) * g**2
        if not correct:
            top = max(top, r)
            s_hat, r_hat = s, top
        elif form == "torch":
            top = max(top, r)
            s_hat, r_hat = s / (1.0 - decay1**t), top / (1.0 - decay2**t)
        else:
            top = max(top, r / (1.0 - decay2**t))
            s_hat, r_hat = s / (1.0 - decay1**t), top
        x = x - rate * s_hat / (sqrt(r_hat) + delta)
        path.append(x)
    return path


def ema(path, decay):
    """Σ βᵗ⁻ⁱ θᵢ / Σ βᵗ⁻ⁱ over the weights visited so far, after every step."""
    averages = []
    for t in range(1, len(path) + 1):
        shares = [decay ** (t - i) for i in range(1, t + 1)]
        averages.append(sum(s * x for s, x in zip(shares, path)) / sum(shares))
    return averages


def tail(path, start, total):
    """The mean of θₜ over t > start·total so far; the last weights before that."""
    averages = []
    for t in range(1, len(path) + 1):
        kept = [x for i, x in enumerate(path[:t], 1) if i > start * total]
        averages.append(sum(kept) / len(kept) if kept else path[t - 1])
    return averages
