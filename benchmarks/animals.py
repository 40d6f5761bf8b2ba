"""J3: the animal photos by the sources' own setting, by scikit-learn and by steepest, beside what `compare` finds.

Writes results/animals.md. The sources' figures come from photos of their own size and a decoder of their own, so they
are shown beside ours, not asked for.
"""

from __future__ import annotations

import statistics
import warnings
from typing import Any

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import steepest as st
from benchmarks.machine import machine
from benchmarks.measure import Line, Outcome
from benchmarks.photos import MISSING, animals
from benchmarks.results import FOLDER
from steepest.study.statistics import Pair, compare_paired

PENALTIES: dict[str, Any] = {"none": None, "l1": "l1", "l2": "l2"}
SOURCES = {  # seeds of the split and of the model; accuracies in per cent by penalty
    "A": ((5, 42), (50.40, 52.53, 55.07)),
    "C": ((42, 12), (50.13, 52.67, 57.20)),
}
RATE, STRENGTH, EPOCHS = 0.01, 1e-4, 10
SEED, TEST, VALIDATION = 0, 0.25, 0.2  # compare's own, so that the sources' setting meets the same rows


def run(rounds: int, small: bool = False) -> Outcome:
    """One round, however many are asked for: it is a result, not a time."""
    del rounds
    folder = animals()
    if folder is None:
        return Outcome("animals", [], {}, skipped=MISSING)
    replicates = 2 if small else 10
    few = {"trials": 2, "epochs": 2, "methods": ["sgd", "adam"], "penalties": ["none", "l2"]} if small else {}
    raw, scaled = st.open(folder, raw=True), st.open(folder)
    by_seed = {source: by_source(raw, *seeds) for source, (seeds, _) in SOURCES.items()}
    engine = by_engine(raw, replicates)
    peer = by_scikit_learn(raw, engine, replicates)
    found = st.compare(scaled, replicates=replicates, seed=SEED, test=TEST, validation=VALIDATION, **few)
    best = next(
        cell for cell in found.cells if all(cell[part] == found.recommended[part] for part in ("method", "penalty"))
    )
    parts = engine.rows(0)
    sizes = (len(parts.train.rows), len(parts.test.rows))
    ours = dict(zip(PENALTIES, engine.accuracy.T))
    pairs = {
        f"`compare` ({best['method']} + {best['penalty']}) − the sources' setting, {name}":
            paired(best["test"]["values"], ours[name], sizes) for name in PENALTIES
    }  # fmt: skip
    pairs |= {
        f"the sources' setting, {name}: steepest − scikit-learn": paired(ours[name], peer[name], sizes)
        for name in PENALTIES
    }
    if not small:
        page = report(by_seed, ours, peer, found, best, pairs, sizes)
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "animals.md").write_text(page, "utf-8")
    lines = [
        Line(what, "", 100 * pair["difference"], "points", None, 100 * pair["low"], 100 * pair["high"])
        for what, pair in pairs.items()
    ]
    return Outcome("animals", lines, {}, [f"{found.verdict}", "the whole is in animals.md"])


def flat(data: st.Dataset) -> np.ndarray:
    """Rows of numbers, as the sources have them."""
    return data.features().reshape(len(data.y), -1)


def by_source(raw: st.Dataset, split_seed: int, model_seed: int) -> list[float]:
    """The sources' script: accuracy in per cent with each penalty, on the split and with the model they seed."""
    parts = train_test_split(flat(raw), raw.y, test_size=0.25, random_state=split_seed)
    return [100 * classifier(penalty, model_seed, *parts) for penalty in PENALTIES.values()]


def classifier(penalty: str | None, seed: int, X: Any, X_test: Any, y: Any, y_test: Any) -> float:
    """The accuracy of the sources' classifier, with their arguments (their loss "log" is called "log_loss" today)."""
    model = SGDClassifier(
        loss="log_loss", penalty=penalty, max_iter=EPOCHS, learning_rate="constant", tol=1e-3, eta0=RATE,
        alpha=STRENGTH, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that ten epochs are too few is the sources' business
        return float(model.fit(X, y).score(X_test, y_test))


def by_engine(raw: st.Dataset, replicates: int) -> st.Sweep:
    """The same setting by steepest: raw pixels, one-vs-rest log loss, one row a step, weights from zero."""
    penalties = {"none": st.NoPenalty(), "l1": st.L1(strength=STRENGTH), "l2": st.L2(strength=STRENGTH)}
    recipes = [
        st.Recipe(loss=st.OneVsRest(), method=st.SGD(rate=RATE), penalty=penalties[name], batch_size=1)
        for name in PENALTIES
    ]
    return st.sweep(recipes, raw, replicates=replicates, epochs=EPOCHS, seed=SEED, test=TEST, validation=VALIDATION)


def by_scikit_learn(raw: st.Dataset, engine: st.Sweep, replicates: int) -> dict[str, np.ndarray]:
    """scikit-learn's classifier on the rows that steepest trained and tested on."""
    X, made = flat(raw), {name: np.empty(replicates) for name in PENALTIES}
    for replicate in range(replicates):
        rows = engine.rows(replicate)
        train, test = rows.train.rows, rows.test.rows
        for name, penalty in PENALTIES.items():
            made[name][replicate] = classifier(penalty, replicate, X[train], X[test], raw.y[train], raw.y[test])
    return made


def paired(a: Any, b: Any, sizes: tuple[int, int]) -> Pair:
    """The corrected interval of a − b over replicates; `sizes` are rows trained and tested on."""
    return compare_paired(np.stack([a, b], axis=1), *sizes)[0]


def report(
    by_seed: dict[str, list[float]], ours: dict[str, Any], peer: dict[str, Any], found: st.Comparison,
    best: dict[str, Any], pairs: dict[str, Pair], sizes: tuple[int, int],
) -> str:  # fmt: skip
    """The page."""
    m = machine()
    values = best["test"]["values"]
    lines = [
        "# The animal photos (J3)",
        "",
        f"3,000 photos of cats, dogs and pandas at 32×32. The sources' setting: raw pixels 0 … 255, one-vs-rest log "
        f"loss, one row a step, rate {RATE}, λ {STRENGTH:g}, {EPOCHS} epochs. Accuracy on held-out rows in per cent.",
        "",
        "## The sources' scripts, on their splits",
        "",
        "| source | seeds (split, model) | | none | L1 | L2 |",
        "|---|---|---|---|---|---|",
    ]
    for source, (seeds, figures) in SOURCES.items():
        lines += [
            _row(source, f"{seeds[0]}, {seeds[1]}", "printed in the source", *(f"{v:.2f}" for v in figures)),
            _row("", "", "the same script here", *(f"{v:.2f}" for v in by_seed[source])),
        ]
    lines += [
        "",
        f"## On {len(values)} replicates ({sizes[0]:,} rows to train, {sizes[1]:,} to test)",
        "",
        "Mean and standard deviation over replicates; every line met the same rows.",
        "",
        "| | none | L1 | L2 |",
        "|---|---|---|---|",
        _row("the sources' setting, scikit-learn", *(_spread(peer[name]) for name in PENALTIES)),
        _row("the sources' setting, steepest", *(_spread(ours[name]) for name in PENALTIES)),
        "",
        f"`compare` recommends {best['method']} + {best['penalty']} on standardised pixels: {_spread(values)}.",
        "",
        f"> {found.verdict}",
        "",
        "| difference, in points | | 95 % interval | verdict |",
        "|---|---|---|---|",
    ]
    for what, pair in pairs.items():
        interval = f"{100 * pair['low']:+.1f} … {100 * pair['high']:+.1f}"
        lines.append(_row(what, f"{100 * pair['difference']:+.1f}", interval, pair["verdict"]))
    lines += ["", f"Intervals by Nadeau and Bengio's correction. Measured on {m['cpu']}, {m['cores']} cores.", ""]
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: Any) -> str:
    return f"{100 * statistics.fmean(values):.1f} ± {100 * statistics.stdev(values):.1f}"
