"""The verdict in words: a pure function from pairs, names and means to one sentence. Nothing is computed anew.

Three things can be said of two candidates: "a beats b by d ± h points", "equivalent within m points", "undetermined".
Of many, the strongest of these that the pairs bear out: one ahead of all, a group ahead of the rest, or single
findings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from steepest.core.errors import SettingError
from steepest.study.settling import Settling, what_settles
from steepest.study.statistics import BETTER, EQUIVALENT, FEWEST_REPLICATES, UNDETERMINED, WORSE, Pair

FEWEST_TRIALS = 10  # a shorter search gives estimates, no verdict


@dataclasses.dataclass(frozen=True)
class Family:
    """Candidates compared with one another; `factor` says what they are: "method", "penalty", "technique" or "model".

    `pairs` come from `compare_paired`; `names` and `means` (the mean test score, 0 … 1) are in the order that the
    pairs' numbers a and b point into.
    """

    factor: str
    names: tuple[str, ...]
    means: tuple[float, ...]
    pairs: tuple[Pair, ...]

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.means) != count or sorted((p.a, p.b) for p in self.pairs) != [
            (i, j) for i in range(count) for j in range(i + 1, count)
        ]:
            raise SettingError(f"{count} {self.factor} names need as many means, and one pair for each i < j")

    @property
    def without(self) -> int | None:
        """The place of "none" among techniques: the others are judged by whether they help against it."""
        return self.names.index("none") if self.factor == "technique" and "none" in self.names else None

    def pair(self, i: int, j: int) -> Pair:
        """The comparison of i and j, from i's side."""
        for pair in self.pairs:
            if (pair.a, pair.b) == (i, j):
                return pair
            if (pair.a, pair.b) == (j, i):
                return pair.turned()
        raise SettingError(f"{self.factor} {i} and {j} were not compared")


@dataclasses.dataclass(frozen=True)
class Design:
    """How the scores came about: what a sentence must say beside its finding, and what `what_settles` needs."""

    replicates: int
    trials: int
    n_train: float
    n_test: float
    margin: float = 0.005
    level: float = 0.05
    metric: str = "accuracy"
    given: bool = False  # the test rows came with the data: one training set, one test set, and only seeds differ

    @property
    def estimates_only(self) -> bool:
        """Too few replicates or trials for any verdict."""
        return self.replicates < FEWEST_REPLICATES or self.trials < FEWEST_TRIALS


def sentence(families: Sequence[Family], design: Design) -> str:
    """The answer of a study in one sentence; families in the order given (methods, penalties, techniques …).

    Families of one candidate say nothing. Below 5 replicates or 10 trials: "estimates only, no verdict" and the means.

    >>> pair = Pair(0, 1, 0.008, 0.003, 0.013, 0.01, "better")
    >>> methods = Family("method", ("adam", "sgd"), (0.91, 0.902), (pair,))
    >>> sentence([methods], Design(replicates=10, trials=20, n_train=180, n_test=75))
    'on your data, adam beats sgd by 0.8 ± 0.5 points (10 paired replicates, 20 trials each)'
    """
    compared = [family for family in families if len(family.names) > 1]
    if not compared:
        return "nothing was compared: there is only one candidate"
    trials = "1 trial" if design.trials == 1 else f"{design.trials} trials"
    basis = f"{design.replicates} paired replicates, {trials} each"
    if design.estimates_only:
        needed = f"a verdict needs at least {FEWEST_REPLICATES} replicates and {FEWEST_TRIALS} trials"
        return f"estimates only, no verdict ({basis}; {needed}): {'; '.join(_estimates(f) for f in compared)}"
    findings = [
        _helped(family, design) if family.without is not None else _finding(family, _by_mean(family), design)
        for family in compared
    ]
    if design.given:  # what more seeds or rows would settle is known for drawn test rows only
        return f"for this training set, {'; '.join(findings)} ({basis}, on the data's own test rows)"
    open_pairs = [text for family in compared if (text := _settled_by(family, design))]
    settle = f". To settle {'; '.join(open_pairs)}" if open_pairs else ""
    return f"on your data, {'; '.join(findings)} ({basis}){settle}"


def search_space_suspect(
    pairs: Sequence[Pair], names: Sequence[str], contains: Mapping[str, Sequence[str]], metric: str = "accuracy"
) -> list[str]:
    """A warning for each candidate that came out worse than one it contains: more freedom cannot honestly do worse.

    `contains` maps a name to the names it becomes for some setting (momentum: sgd, at momentum 0).

    >>> worse = Pair(0, 1, -0.009, -0.013, -0.005, 0.001, "worse")
    >>> print(search_space_suspect([worse], ["momentum", "sgd"], {"momentum": ("sgd",)})[0].split("; ")[0])
    search space suspect: momentum contains sgd, yet is worse by 0.9 ± 0.4 points
    """
    warnings = []
    for one in pairs:
        for pair in (one, one.turned()):
            larger, smaller = names[pair.a], names[pair.b]
            if pair.verdict == WORSE and smaller in contains.get(larger, ()):
                by = _points(pair.turned(), metric)
                warnings.append(
                    f"search space suspect: {larger} contains {smaller}, yet is worse by {by}; "
                    f"widen the space of {larger} or give more trials"
                )
    return warnings


def _finding(family: Family, members: list[int], design: Design) -> str:
    """What the pairs among `members` (best mean first) bear out, in words."""
    ahead = _group_ahead(family, members)
    if ahead:
        return _ahead(family, members[:ahead], members[ahead:], design)
    pairs = [family.pair(i, j) for n, i in enumerate(members) for j in members[n + 1 :]]
    verdicts = {pair.verdict for pair in pairs}
    within = f"equivalent within {100 * design.margin:.3g} {_unit(design.metric)}"
    if verdicts == {EQUIVALENT}:
        return f"{_listed(family, members)} are {within}"
    if not verdicts & {BETTER, WORSE}:
        if len(members) == 2:
            one, two = (family.names[i] for i in members)
            return f"it is undetermined whether {one} or {two} is better: {_points(pairs[0], design.metric)}"
        alike = [f"{family.names[p.a]} and {family.names[p.b]}" for p in pairs if p.verdict == EQUIVALENT]
        text = f"it is undetermined which of {_listed(family, members)} is best"
        return f"{text}, but {_joined(alike)} are {within}" if alike else text
    unbeaten = [i for i in members if not any(family.pair(i, j).verdict == WORSE for j in members if j != i)]
    wins = _wins(family, members, design)
    if len(unbeaten) > 1:
        return f"it is undetermined which of {_listed(family, unbeaten)} is best, but {wins}"
    return f"it is undetermined which {family.factor} is best, but {wins}"


def _helped(family: Family, design: Design) -> str:
    """Whether each technique helps against none of them, and by how much; and, where one does, which helps most."""
    none = family.without
    assert none is not None
    others = [i for i in _by_mean(family) if i != none]
    against = {i: family.pair(i, none) for i in others}
    said = []
    for verdict, verb in ((BETTER, "helps"), (WORSE, "harms")):
        found = {
            i: pair if verdict == BETTER else pair.turned() for i, pair in against.items() if pair.verdict == verdict
        }
        said += [f"{family.names[i]} {verb} by {_points(pair, design.metric)}" for i, pair in found.items()]
    alike = [i for i in others if against[i].verdict == EQUIVALENT]
    if alike:
        verb = "makes" if len(alike) == 1 else "make"
        within = f"equivalent within {100 * design.margin:.3g} {_unit(design.metric)}"
        said.append(f"{_listed(family, alike)} {verb} no difference ({within})")
    unclear = [i for i in others if against[i].verdict == UNDETERMINED]
    if len(unclear) == 1:
        by = _points(against[unclear[0]], design.metric)
        said.append(f"it is undetermined whether {family.names[unclear[0]]} helps: {by}")
    elif unclear:
        each = [f"{family.names[i]} ({_points(against[i], design.metric)})" for i in unclear]
        said.append(f"it is undetermined whether {_joined(each, 'or')} helps")
    rivals = [i for i in others if against[i].verdict != WORSE]
    if len(rivals) > 1 and any(pair.verdict == BETTER for pair in against.values()):
        said.append(_finding(family, rivals, design))
    return "; ".join(said)


def _group_ahead(family: Family, members: list[int]) -> int:
    """The size of the smallest group of the best means that each beat everyone outside it; 0 where there is none."""
    for size in range(1, len(members)):
        outside = members[size:]
        if all(family.pair(i, j).verdict == BETTER for i in members[:size] for j in outside):
            return size
    return 0


def _ahead(family: Family, group: list[int], rest: list[int], design: Design) -> str:
    """The words for a group, or a single one, that beats all the rest."""
    nearest = min((family.pair(i, j) for i in group for j in rest), key=lambda pair: pair.difference)
    by = _points(nearest, design.metric)
    if len(group) == 1:
        winner = family.names[group[0]]
        if len(rest) == 1:
            return f"{winner} beats {family.names[rest[0]]} by {by}"
        return f"{winner} beats {_listed(family, rest)}, the nearest ({family.names[nearest.b]}) by {by}"
    who = f"{_listed(family, group)} each beat {_listed(family, rest)}"
    least = f"the least ({family.names[nearest.a]} over {family.names[nearest.b]}) by {by}"
    return f"{who}, {least}, and of the first {len(group)}, {_finding(family, group, design)}"


def _settled_by(family: Family, design: Design) -> str:
    """What would settle the best mean against the next it is undetermined against; empty where nothing is open.

    Of techniques, the best that is undetermined against none comes first.
    """
    best, *others = _by_mean(family)
    open_first = [family.pair(best, j) for j in others]
    if family.without is not None:
        open_first = [family.pair(i, family.without) for i in (best, *others) if i != family.without] + open_first
    pair = next((p for p in open_first if p.verdict == UNDETERMINED), None)
    if pair is None:
        return ""
    settling: Settling = what_settles(
        pair, design.replicates, design.n_train, design.n_test, len(family.pairs), design.margin, design.level
    )
    two = f"{family.names[pair.a]} against {_spoken(family, pair.b)} ({_points(pair, design.metric)})"
    if pair.half_width == 0:
        return f"{two}: more rows, for the difference is the same in every replicate and its chance cannot be judged"
    if settling.rows is None:
        return f"{two}: a margin above 0, for no difference is seen"
    rows = f"about {_rounded(settling.rows)} times the rows"
    if settling.replicates is None:
        return f"{two}: {rows}, if the difference stays; more replicates would not do"
    return f"{two}: about {settling.replicates} replicates or {rows}, if the difference stays"


def _wins(family: Family, members: list[int], design: Design) -> str:
    """Who beats whom, winners of the same losers together, with the smallest difference of each."""
    by_losers: dict[tuple[int, ...], list[int]] = {}
    for i in members:
        losers = tuple(j for j in members if j != i and family.pair(i, j).verdict == BETTER)
        if losers:
            by_losers.setdefault(losers, []).append(i)
    said = []
    for losers, winners in by_losers.items():
        least = min((family.pair(i, j) for i in winners for j in losers), key=lambda pair: pair.difference)
        verb = "beats" if len(winners) == 1 else "each beat"
        lead = "" if len(winners) * len(losers) == 1 else "at least "
        said.append(
            f"{_listed(family, winners)} {verb} {_listed(family, losers)} by {lead}{_points(least, design.metric)}"
        )
    return _joined(said)


def _estimates(family: Family) -> str:
    return ", ".join(f"{_spoken(family, i)} {100 * family.means[i]:.1f} %" for i in _by_mean(family))


def _spoken(family: Family, i: int) -> str:
    """A name, where it stands alone: "none" is also the name of a penalty."""
    return "no technique" if i == family.without else family.names[i]


def _by_mean(family: Family) -> list[int]:
    return sorted(range(len(family.names)), key=lambda i: -family.means[i])


def _points(pair: Pair, metric: str) -> str:
    """A difference with its half width, in points (hundredths of the score): "0.8 ± 0.5 points"."""
    difference, half = 100 * pair.difference, 100 * pair.half_width
    digits = 2 if 0 < half < 0.095 else 1
    shown = f"{difference:.{digits}f}"
    return f"{shown.removeprefix('-') if float(shown) == 0 else shown} ± {half:.{digits}f} {_unit(metric)}"


def _rounded(times: float) -> str:
    """Two digits, without an exponent: 1.4, 24, 220.

    >>> _rounded(1.44), _rounded(223.0)
    ('1.4', '220')
    """
    return f"{times:.2g}" if times < 10 else f"{float(f'{times:.2g}'):,.0f}"


def _unit(metric: str) -> str:
    """Points of what: plain for accuracy, named for the others."""
    return {"balanced": "points of balanced accuracy", "f1": "points of macro F1"}.get(metric, "points")


def _listed(family: Family, members: Sequence[int]) -> str:
    return _joined([family.names[i] for i in members])


def _joined(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"
