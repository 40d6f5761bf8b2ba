"""`steepest predict`: labels for files or rows, by a saved model."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from steepest.cli.console import Terminal
from steepest.cli.options import DATA, OUTPUT, Output, OwnModel, flag, whole

EXAMPLES = """Examples:

  steepest predict model.safetensors cat.jpg dog.jpg
  steepest predict model.safetensors customers.csv --probabilities > labels.csv
  steepest predict dropout.safetensors customers.csv --samples 100
"""


def predict(
    model: Annotated[str, Parameter(help="A file that steepest fit saved.")],
    source: Annotated[str, Parameter(help="An image, a folder of images, or a table with the columns of training.")],
    /,
    *more: Annotated[str, Parameter(help="Further images and folders.")],
    format: Annotated[Literal["csv", "jsonl"], Parameter(group=OUTPUT, help="One line a row, in this form.")] = "csv",
    probabilities: Annotated[bool, flag(OUTPUT, "How probable each class is, too.")] = False,
    samples: Annotated[
        int | None,
        Parameter(
            group=OUTPUT,
            converter=whole("samples", 2),
            help="Drop units as in training, so many times: mean and spread of each probability, labels by the mean.",
        ),
    ] = None,
    strict: Annotated[bool, flag(DATA, "An unreadable image is an error.")] = False,
    own: OwnModel = None,
    output: Output = Output(),  # noqa: B008 - frozen
) -> None:
    """Print the label of each file or row, as CSV or JSON lines."""
    from steepest.report.predictions import csv_lines, entries, jsonl_lines
    from steepest.study.predict import predicted
    from steepest.train.model_file import load

    terminal = Terminal(output)
    fitted = load(model, own)
    sources = [source, *more] if more else source
    with terminal.counting("reading images") as progress:
        found = predicted(
            fitted, sources, probabilities=probabilities, samples=samples, strict=strict,
            progress=progress,
        )  # fmt: skip
    for note in found.notes:
        terminal.note(note)
    tasks = [(task.name, task.classes) for task in found.tasks]
    rows = entries(found.names, found.labels, found.shares, found.classes, found.sampled, tasks)
    if output.json:
        known = {name: list(classes) for name, classes in tasks} if tasks else list(found.classes)
        terminal.data("predict", {"model": model, "classes": known, "predictions": rows, "notes": found.notes})
        return
    table = csv_lines(rows, found.classes, probabilities, bool(samples), tasks)
    for line in jsonl_lines(rows) if format == "jsonl" else table:
        terminal.line(line)
