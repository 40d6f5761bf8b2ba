"""`steepest compare`: which method, penalty, technique and model train best on the data, by how much, if at all."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter, Token, validators

from steepest.cli.console import Terminal
from steepest.cli.interrupts import Stopped
from steepest.cli.opening import opened, settings_of
from steepest.cli.options import SOURCE, DataOptions, Names, Output, flag, share_or_given, whole

if TYPE_CHECKING:
    from steepest.study.compare import Comparison, Study
    from steepest.study.run import Progress
    from steepest.study.store import RunRow, Store

EXAMPLES = """Examples:

  steepest compare digits --methods sgd,adam --penalties none,l2
  steepest compare photos/ --methods adam --techniques none,dropout,augment --model mlp:128,64
  steepest compare customers.csv --label churned --metric balanced
  steepest compare birds.csv --label species,island --techniques none,multi-task --model mlp:64
"""
WHAT = Group("What is compared", sort_key=1)
HOW = Group("How it is compared", sort_key=2)


def read_spaces(kind: Any, tokens: Sequence[Token]) -> tuple[tuple[str, float, float], ...]:
    """`adam.rate=1e-4:1` as ("adam.rate", 1e-4, 1.0)."""
    del kind
    made = []
    for token in tokens:
        for text in token.value.split(","):
            name, _, bounds = text.partition("=")
            low, _, high = bounds.partition(":")
            try:
                made.append((name.strip(), float(low), float(high)))
            except ValueError:
                raise ValueError(f"{text!r} is no search space; write it as adam.rate=1e-4:1") from None
    return tuple(made)


def as_given(kind: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    """Texts as they were given: which commas divide them is for `Settings` to know."""
    del kind
    return tuple(token.value for token in tokens)


def texts(about: str) -> Parameter:
    """An option that takes several texts, with commas between them or again for each."""
    return Parameter(
        group=WHAT, converter=as_given, n_tokens=1, negative=(), metavar="A,B", show_default=",".join, help=about
    )


def compare(
    data: Annotated[str, Parameter(help=SOURCE)] = "digits",
    /,
    *,
    methods: Annotated[Names, Parameter(group=WHAT, help="Methods, e.g. sgd,adam (see: steepest methods).")] = (
        "sgd",
        "momentum",
        "nesterov",
        "adagrad",
        "rmsprop",
        "adam",
    ),
    penalties: Annotated[
        Names, Parameter(group=WHAT, help="Penalties, each with every method (see: steepest methods --kind penalties).")
    ] = ("none", "l1", "l2", "elastic"),
    techniques: Annotated[
        tuple[str, ...],
        texts(
            "Techniques, each with all others: none, dropout, dropout+smoothing, dropout:rate=0.3 … (see: steepest "
            "methods --kind techniques)."
        ),
    ] = ("none",),
    model: Annotated[tuple[str, ...], texts("One or several: linear, mlp:64, cnn …; your own: file.py:NAME")] = (
        "linear",
    ),
    loss: Annotated[str, Parameter(group=WHAT, help="See: steepest methods --kind losses.")] = "cross-entropy",
    space: Annotated[
        tuple[tuple[str, float, float], ...],
        Parameter(
            group=WHAT,
            converter=read_spaces,
            n_tokens=1,
            metavar="NAME=LOW:HIGH",
            negative=(),
            show_default=False,
            help="Search elsewhere than declared: adam.rate=1e-4:1, dropout.rate=0.1:0.6.",
        ),
    ] = (),
    trials: Annotated[
        int, Parameter(group=HOW, converter=whole("trials"), help="Settings each candidate draws in each replicate.")
    ] = 20,
    replicates: Annotated[
        int, Parameter(group=HOW, converter=whole("replicates", 2), help="Fresh splits, each with its own search.")
    ] = 10,
    epochs: Annotated[int, Parameter(group=HOW, converter=whole("epochs"), help="Passes over the training rows.")] = 20,
    batch_size: Annotated[int, Parameter(group=HOW, converter=whole("batch-size"), help="Rows a step.")] = 32,
    products: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Parameter(group=HOW, help="Matrix products in full, or their factors rounded; auto: bfloat16 on a GPU."),
    ] = "auto",
    seed: Annotated[
        int, Parameter(group=HOW, converter=whole("seed", 0), help="The same seed gives the same result.")
    ] = 0,
    metric: Annotated[
        Literal["accuracy", "balanced", "f1"], Parameter(group=HOW, help="What counts as better, on test rows.")
    ] = "accuracy",
    attack: Annotated[
        str | None,
        Parameter(
            group=HOW,
            help="Score test rows under attack too: fgsm:size=0.1, pgd:size=0.1,norm=2,steps=20 (size in "
            "standardised units).",
        ),
    ] = None,
    margin: Annotated[
        float,
        Parameter(group=HOW, help="Points below which two are equivalent.", validator=validators.Number(gte=0, lt=100)),
    ] = 0.5,
    level: Annotated[float, Parameter(group=HOW, help="Level of the tests.")] = 0.05,
    test: Annotated[
        float | str,
        Parameter(
            group=HOW,
            converter=share_or_given,
            metavar="SHARE",
            help="Share of the rows to test on, or given: the test rows that came with the data.",
        ),
    ] = 0.25,
    validation: Annotated[float, Parameter(group=HOW, help="Share of the rest to choose settings by.")] = 0.2,
    fresh: Annotated[bool, flag(HOW, "Train again what the run store holds.")] = False,
    dry_run: Annotated[bool, flag(HOW, "Say what would be trained, and stop.")] = False,
    options: DataOptions = DataOptions(),  # noqa: B008 - frozen
    output: Output = Output(),  # noqa: B008
) -> None:
    """Say which method and penalty train best on the data, by how much, if at all.

    Every method with every penalty (technique, model) searches for its own setting
    in fresh splits of the data and is scored on rows it never saw. What is trained
    is kept: the same command goes on where it was, or shows the result again.
    """
    from steepest.study.compare import plan, run_study
    from steepest.study.settings import Settings
    from steepest.study.store import Store

    settings = Settings(
        methods=methods, penalties=penalties, techniques=techniques, model=model, loss=loss, trials=trials,
        replicates=replicates, epochs=epochs, seed=seed, batch_size=batch_size, metric=metric, margin=margin / 100,
        level=level, test=test, validation=validation, standardize=not options.raw, spaces=space, attack=attack,
        products=products,
    )  # fmt: skip
    terminal = Terminal(output)
    rows = opened(data, settings_of(options), terminal, test)
    study = plan(rows, settings)
    for note in study.notes[len(rows.notes) :]:  # the data's have been said
        terminal.note(f"{rows.name}: {note}")
    if dry_run:
        _show_plan(study, terminal)
        return
    with Store.open() as store:
        _announce(study, None if fresh else newest(store, study.key), terminal)
        try:
            with terminal.progress("comparing") as report:
                found = run_study(store=store, study=study, fresh=fresh, progress=_reporter(study, report))
        except Stopped as stop:
            row = newest(store, study.key)
            saved = row.trainings if row else 0
            said = f"{saved:,} of {study.trainings:,} trainings are saved; the same command goes on from there"
            raise Stopped(stop.number, f"{stop}: {said}") from None
        _show(found, store, shlex.join(["steepest", "fit", data, "--from", str(found.run)]), terminal)


def newest(store: Store, key: str) -> RunRow | None:
    """The run that the same settings on the same data have begun last."""
    return next((row for row in reversed(store.runs()) if row.key == key), None)


def _announce(study: Study, row: RunRow | None, terminal: Terminal) -> None:
    """What is about to happen: how many trainings, and about how long; or that there is nothing to do."""
    from steepest.report.text import counted, duration

    candidates = counted(len(study.candidates), "candidate")
    if row is not None and row.status == "finished":
        terminal.note(
            f"this is the stored result of run {row.id} ({row.trainings:,} trainings, {duration(row.seconds)} of work);"
            " --fresh trains it again"
        )
    elif row is not None and row.trainings:
        rest = study.trainings - row.trainings
        about = duration(study.estimate() * rest / study.trainings)
        terminal.note(f"going on with run {row.id}: {rest:,} of {study.trainings:,} trainings are left, about {about}")
    else:
        terminal.note(f"{candidates}, {study.trainings:,} trainings, about {duration(study.estimate())}")
    for candidate, spaces in study.spaces().items():
        said = "; ".join(f"{name} {space}" for name, space in spaces.items())
        terminal.detail(f"  {candidate} searches {said or 'nothing'}")


def _reporter(study: Study, report: Any) -> Any:
    """Progress in examples and time, counted over what earlier runs of the command have done too."""
    from steepest.report.text import progress_words

    def say(progress: Progress) -> None:
        before = study.trainings - progress.all_trainings
        done = before + progress.trainings
        share = progress.examples / max(progress.all_examples, 1)
        words = progress_words(done, study.trainings, progress.rate, progress.seconds_left)
        report(before + share * progress.all_trainings, study.trainings, words)

    return say


def _show_plan(study: Study, terminal: Terminal) -> None:
    from steepest.report.comparison import plan_dict, plan_lines
    from steepest.study.attack import attack_text

    about = plan_dict(study)
    if terminal.output.json:
        terminal.data("plan", about)
    else:
        terminal.show(*plan_lines(about, study.attack and attack_text(study.attack)))


def _show(found: Comparison, store: Store, use: str, terminal: Terminal) -> None:
    """The result, and what to do with it."""
    from steepest.report.comparison import comparison_lines

    result = found.as_dict()
    if terminal.output.json:
        terminal.data("compare", result)
        return
    terminal.show(*comparison_lines(result, terminal.out.width, terminal.output.verbose))
    terminal.line(f"Train with it: {use}")
    terminal.line(f"Saved as run {found.run} in {store.path}; see it again: steepest runs show {found.run}")
