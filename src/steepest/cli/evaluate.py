"""`steepest evaluate`: how good a saved model is on data with known classes."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from steepest.cli.console import Terminal
from steepest.cli.options import DATA, Output, OwnModel, flag, label_option

EXAMPLES = """Examples:

  steepest evaluate model.safetensors photos/
  steepest evaluate model.safetensors more-customers.csv --label churned
  steepest evaluate model.safetensors photos/ --attack pgd:size=0.1,steps=20
"""


def evaluate(
    model: Annotated[str, Parameter(help="A file that steepest fit saved.")],
    data: Annotated[str, Parameter(help="A source as for fit, with the same classes.")],
    /,
    *,
    label: Annotated[
        str | tuple[str, ...] | None,
        label_option("The label column, where it is called otherwise than in training; of several tasks all: a,b."),
    ] = None,
    strict: Annotated[bool, flag(DATA, "An unreadable image is an error.")] = False,
    attack: Annotated[
        str | None,
        Parameter(
            help="Also score rows moved against the model: fgsm:size=0.1, pgd:size=0.1,steps=10,norm=2. "
            "Size 1 is a feature's deviation, where rows are standardised."
        ),
    ] = None,
    own: OwnModel = None,
    output: Output = Output(),  # noqa: B008 - frozen
) -> None:
    """Score a model: precision, recall, F1, support by class; confusion matrix.

    Rows are read as the model's training rows were. Rows that it was trained on
    flatter it: use others.
    """
    from steepest.report.scores import scores_dict, scores_lines, tasks_dict, tasks_lines
    from steepest.study.attack import attack_from_text
    from steepest.study.evaluate import evaluate as score
    from steepest.train.model_file import load

    terminal = Terminal(output)
    wanted = None if attack is None else attack_from_text(attack)
    fitted = load(model, own)
    with terminal.counting("reading images") as progress:
        found = score(
            fitted, data, label=label, strict=strict, attack=wanted,
            progress=progress,
        )  # fmt: skip
    for note in found.notes:
        terminal.note(note)
    if found.tasks:
        about = tasks_dict(found.tasks, model, data, found.notes)
    else:
        about = scores_dict(found.report, model, data, found.notes)
    about["attack"] = None if found.attacked is None else found.attacked.as_dict()
    if output.json:
        terminal.data("evaluate", about)
    else:
        lines = tasks_lines if found.tasks else scores_lines
        terminal.show(*lines(about, terminal.out.width))
