"""Losses by their textbook formulas, one row at a time, in 60-digit decimals: no trick against overflow is needed."""

from decimal import Decimal, localcontext


def _exact(row):
    return [Decimal(float(s)) for s in row]


def _each(rows, scores, ys):
    with localcontext() as context:
        context.prec = 60
        return [float(rows(_exact(row), y)) for row, y in zip(scores, ys)]


def _sigmoid(s):
    return 1 / (1 + (-s).exp())


def cross_entropy(scores, ys):
    """−log(exp(s_y) / Σⱼ exp(sⱼ))."""
    return _each(lambda s, y: -(s[y].exp() / sum(x.exp() for x in s)).ln(), scores, ys)


def _targets(s, y):
    return [y] if len(s) == 1 else [int(j == y) for j in range(len(s))]


def one_vs_rest(scores, ys):
    """−Σⱼ (tⱼ log σ(sⱼ) + (1 − tⱼ) log(1 − σ(sⱼ))); 1 − σ(s) as 1/(1 + eˢ)."""

    def row(s, y):
        return -sum((_sigmoid(x if t else -x)).ln() for x, t in zip(s, _targets(s, int(y))))

    return _each(row, scores, ys)


def squared_sigmoid(scores, ys):
    """Σⱼ (σ(sⱼ) − tⱼ)²."""
    return _each(lambda s, y: sum((_sigmoid(x) - t) ** 2 for x, t in zip(s, _targets(s, int(y)))), scores, ys)


def hinge(scores, ys, margin=1):
    """Σ_{j≠y} max(0, sⱼ − s_y + Δ)."""

    def row(s, y):
        return sum(max(Decimal(0), s[j] - s[y] + Decimal(margin)) for j in range(len(s)) if j != y)

    return _each(row, scores, ys)


def squared(scores, ys):
    """(s − y)²."""
    return _each(lambda s, y: (s[0] - Decimal(float(y))) ** 2, scores, ys)
