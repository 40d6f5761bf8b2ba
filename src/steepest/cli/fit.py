"""`steepest fit`: one training; a model file and a picture of its loss come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from steepest.cli.console import Terminal
from steepest.cli.opening import opened, settings_of
from steepest.cli.options import SOURCE, DataOptions, Output, share_or_given, whole
from steepest.core.errors import DataError, SettingError, SteepestError

if TYPE_CHECKING:
    from steepest.study.recommended import Recommended
    from steepest.train.fitted import Fitted

EXAMPLES = """Examples:

  steepest fit photos/ --method adam:rate=0.01 --penalty l2 --schedule cosine
  steepest fit photos/ --model mlp:64 --techniques dropout:rate=0.3+augment:flip=0.5
  steepest fit digits --from latest --out digits.safetensors
  steepest fit birds.csv --label species,island --model mlp:64 --loss multi-task:weights=1/0.5
"""
PARTS = Group("What is trained: NAME or NAME:setting=value,setting=value", sort_key=1)
HOW = Group("How it is trained", sort_key=2)
FILES = Group("Files", sort_key=3)


def _part(kind: str, default: str) -> Any:
    return Parameter(group=PARTS, help=f"See: steepest methods --kind {kind}. [{default} if not given]")


def fit(
    data: Annotated[str | None, Parameter(help=f"{SOURCE} [default: digits]")] = None,
    /,
    *,
    method: Annotated[str | None, _part("methods", "momentum")] = None,
    penalty: Annotated[str | None, _part("penalties", "none")] = None,
    model: Annotated[
        str | None, Parameter(group=PARTS, help="linear, mlp:64, cnn …; your own: file.py:NAME. [linear if not given]")
    ] = None,
    loss: Annotated[str | None, _part("losses", "cross-entropy")] = None,
    schedule: Annotated[str | None, _part("schedules", "constant")] = None,
    init: Annotated[str | None, _part("inits", "zeros for linear models, he for others")] = None,
    stop: Annotated[str | None, _part("stops", "only after the epochs")] = None,
    techniques: Annotated[
        str | None,
        Parameter(
            group=PARTS,
            help="One, several joined by plus (dropout:rate=0.3,layers=1/2+augment), or none. "
            "See: steepest methods --kind techniques. [none if not given]",
        ),
    ] = None,
    clip: Annotated[str | None, _part("clips", "not at all")] = None,
    average: Annotated[str | None, _part("averages", "not at all")] = None,
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            group=PARTS,
            help="Take the recommended setting of this comparison, and read the data as it did.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        Parameter(group=HOW, converter=whole("epochs"), help="Passes over the training rows. [20, or the run's]"),
    ] = None,
    batch_size: Annotated[
        int | None, Parameter(group=HOW, converter=whole("batch-size"), help="Rows a step. [32, or the run's]")
    ] = None,
    products: Annotated[
        Literal["auto", "float32", "bfloat16"] | None,
        Parameter(
            group=HOW,
            help="Matrix products in full, or their factors rounded; auto: bfloat16 on a GPU. [auto, or the run's]",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        Parameter(group=HOW, converter=whole("seed", 0), help="Draws split, order and weights. [0, or the run's]"),
    ] = None,
    test: Annotated[
        float | str | None,
        Parameter(
            group=HOW,
            converter=share_or_given,
            help="Share of the rows to test on, or given: the test rows that came with the data. [0.25, or the run's]",
        ),
    ] = None,
    validation: Annotated[
        float | None, Parameter(group=HOW, help="Share of the rest to watch the training by. [0.2, or the run's]")
    ] = None,
    out: Annotated[Path, Parameter(group=FILES, help="Where the model goes.")] = Path("model.safetensors"),
    picture: Annotated[
        Path | None, Parameter(group=FILES, help="Where the picture of the loss goes. [beside the model, as .png]")
    ] = None,
    options: DataOptions = DataOptions(),  # noqa: B008 - frozen
    output: Output = Output(),  # noqa: B008
) -> None:
    """Train one model; save it, and a picture of its loss."""
    from steepest.report.scores import training_dict, training_lines
    from steepest.study.fit import fit as train
    from steepest.study.recipe_text import recipe_from_texts, recipe_text
    from steepest.train.model_file import save

    terminal = Terminal(output)
    base, shape = _recommended(from_, terminal) if from_ is not None else (None, ())
    texts = {
        "method": method, "penalty": penalty, "model": model, "loss": loss, "schedule": schedule, "init": init,
        "stop": stop, "techniques": techniques, "clip": clip, "average": average,
    }  # fmt: skip
    recipe = recipe_from_texts(texts, batch_size, base.recipe if base else None, products)
    drawing = _places(out, picture)
    given = {"epochs": epochs, "seed": seed, "test": test, "validation": validation}
    how = {**(base.how() if base else {}), **{name: value for name, value in given.items() if value is not None}}
    source, named = _source(data, base), settings_of(options)
    reading = base.reading_of(source, named) if base else named
    standardize = not reading.get("raw", False) and (base is None or base.settings.standardize)
    rows = opened(source, reading, terminal, how.get("test"))
    if base and rows.fingerprint != base.fingerprint:
        terminal.warn(_other_data(rows.name, rows.shape, from_, shape))
    rows = base.rows_for(recipe, rows, named) if base else rows
    with terminal.progress("training") as report:
        fitted = train(rows, recipe, **how, standardize=standardize, progress=_reporter(report))
    for note in fitted.notes[len(rows.notes) :]:  # the data's have been said
        terminal.note(note)
    saved = Path(save(fitted, out))
    if saved != out:
        terminal.note(f"the model is in {saved}: a model file's name ends in .safetensors")
    drawn = _drawn(fitted, drawing, recipe_text(recipe), saved, terminal)
    files = {"model": str(saved), "picture": drawn}
    about = training_dict(fitted, recipe_text(recipe), files)
    if output.json:
        terminal.data("fit", about)
        return
    terminal.show(*training_lines(about))
    terminal.line(f"model: {about['model']}")
    if about["picture"]:
        terminal.line(f"picture: {about['picture']}")


def _recommended(run: str, terminal: Terminal) -> tuple[Recommended, tuple[int, ...]]:
    """The setting of a run, and the shape of the rows it was found on; () where the run does not say."""
    from steepest.study.recommended import recommended, run_to_take
    from steepest.study.store import Store

    with Store.open(create=False) as store:
        row, said = run_to_take(store, run)
    if said:
        terminal.note(said)
    return recommended(row), tuple(row.data.get("shape", ()))


def _other_data(name: str, now: tuple[int, ...], run: str | None, then: tuple[int, ...]) -> str:
    """What to say where a run's setting meets other rows than those it was found on."""
    said = f"{name} is not the data that run {run} compared on"
    if not then or then == now:
        return f"{said}: its setting may not suit it"
    before, here = ("×".join(map(str, shape)) for shape in (then, now))
    option = f"; add --size {then[0]}" if len(then) >= 2 and len(now) >= 2 and then[:2] != now[:2] else ""
    return f"{said}: that run's rows are {before}, these are {here}{option}"


def _source(data: str | None, base: Recommended | None) -> str:
    """What to train on: what was given, or what the comparison was on."""
    from steepest.data.named import NAMED
    from steepest.data.sources import SOURCES

    if data is not None or base is None:
        return data or "digits"
    if base.place:
        return base.place
    if base.name not in (*SOURCES, *NAMED):
        raise SettingError(f"the run compared on {base.name}; give it again: steepest fit PATH --from …")
    return base.name


def _places(out: Path, picture: Path | None) -> Path:
    """Where the picture goes; refuses before the training what could not be written after it."""
    from steepest.core.atomic import check_writable
    from steepest.draw.canvas import check_picture
    from steepest.train.model_file import place_of

    place = place_of(out)
    picture = picture or place.with_suffix(".png")
    check_writable(place)
    check_picture(picture)
    return picture


def _reporter(report: Any) -> Any:
    from steepest.report.text import epochs_words

    return lambda progress: report(
        progress.examples, progress.all_examples, epochs_words(progress.rate, progress.seconds_left)
    )


def _drawn(fitted: Fitted, path: Path, title: str, saved: Path, terminal: Terminal) -> str | None:
    """The picture's path; None for a training without one finite loss, which is no reason to hide the rest.

    Where it cannot be written (the disk filled up meanwhile), the error says that the model is safe.
    """
    from steepest.draw.curves import loss_curve

    try:
        return str(loss_curve(fitted.curves, path, title))
    except DataError as error:
        terminal.warn(f"no picture: {error}")
        return None
    except SteepestError as error:
        raise SteepestError(f"{error}; the model is saved: {saved}") from error
