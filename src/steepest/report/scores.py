"""Scores of a model: the table by class, the confusion matrix folded to the width there is, and those of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from steepest.report.layout import table, titled
from steepest.report.text import counted, number, percent, shown

LONGEST = 24  # letters of a class's name in a table
PARTS = ("train", "validation", "test", "out-of-bag")


def scores_dict(found: Any, model: str, source: str, notes: Sequence[str]) -> dict[str, Any]:
    """A report of metrics as plain values, with what was scored on what; `macro` over the classes that have rows."""
    scored = found.as_dict()
    present = [one for one in scored["classes"] if one["support"]]  # as balanced accuracy counts
    scored["macro"] = {name: sum(one[name] for one in present) / len(present) for name in scored["macro"]}
    return {"model": shown(model), "data": shown(source), **scored, "notes": list(notes)}


def scores_lines(about: Mapping[str, Any], width: int) -> list[RenderableType]:
    """Everything `evaluate` has to say; the summary last."""
    return [classes_table(about), *confusion_tables(about, width), summary(about), *attack_lines(about)]


def tasks_dict(found: Mapping[str, Any], model: str, source: str, notes: Sequence[str]) -> dict[str, Any]:
    """The reports of several tasks, by name, as plain values; `accuracy` is their mean."""
    each = []
    for name, one in found.items():
        scored = scores_dict(one, model, source, ())
        each.append({"name": name, **{key: scored[key] for key in scored if key not in ("model", "data", "notes")}})
    mean = sum(one["accuracy"] for one in each) / len(each)
    about = {"model": shown(model), "data": shown(source), "rows": each[0]["rows"], "accuracy": mean}
    return {**about, "tasks": each, "notes": list(notes)}


def tasks_lines(about: Mapping[str, Any], width: int) -> list[RenderableType]:
    """What `evaluate` has to say of several tasks, one after the other; all summaries last."""
    made: list[RenderableType] = []
    for one in about["tasks"]:
        made.append(Text(f"\n{brief(one['name'])}", style="bold underline"))
        made += [classes_table(one), *confusion_tables(one, width)]
    return [*made, *(Text(f"{brief(one['name'])}: ").append_text(summary(one)) for one in about["tasks"])]


def classes_table(about: Mapping[str, Any]) -> RenderableType:
    """Precision, recall, F1 in percent and support by class, and their averages."""
    made = table()
    made.add_column("class", overflow="fold")
    for name in ("precision", "recall", "F1", "rows"):
        made.add_column(name, justify="right", no_wrap=True)
    for one in about["classes"]:
        scores = [percent(one[name]) for name in ("precision", "recall", "f1")]
        made.add_row(Text(brief(one["name"])), *scores, f"{one['support']:,}")
    made.add_section()
    for name, title in (("macro", "mean of classes"), ("weighted", "mean by rows")):
        scores = [percent(about[name][score]) for score in ("precision", "recall", "f1")]
        made.add_row(title, *scores, f"{about['rows']:,}", style="dim")
    return titled("By class, in %", made)


def confusion_tables(about: Mapping[str, Any], width: int) -> list[RenderableType]:
    """The confusion matrix; where it is wider than the terminal, in several tables, each with the rows."""
    matrix = about["confusion"]
    labels = [brief(one["name"]) for one in about["classes"]]
    heads = labels
    if sum(cell_len(label) + 2 for label in labels) > 2 * width:  # long names, or many: numbers lead to them
        heads = [str(k) for k in range(len(labels))]
        labels = [f"{k} {label}" for k, label in enumerate(labels)]
    widths = [max(cell_len(heads[j]), *(len(f"{row[j]:,}") for row in matrix)) for j in range(len(heads))]
    made: list[RenderableType] = []
    for start, end in chunks(widths, width - max(cell_len(label) for label in labels) - 2):
        span = "" if (start, end) == (0, len(heads)) else f", columns {start + 1} to {end} of {len(heads)}"
        one = table()
        one.add_column("", no_wrap=True)
        for head in heads[start:end]:
            one.add_column(Text(head), justify="right", no_wrap=True)
        for i, row in enumerate(matrix):
            one.add_row(Text(labels[i]), *(_count(row[j], i == j) for j in range(start, end)))
        made.append(titled(f"Confusion: rows are the truth, columns what was predicted{span}", one))
    return made


def chunks(widths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Columns that fit side by side into `room`, two letters between them; at least one each.

    >>> chunks([3, 3, 3], 10), chunks([30], 10)
    ([(0, 2), (2, 3)], [(0, 1)])
    """
    made, start, used = [], 0, 0
    for j, width in enumerate(widths):
        if j > start and used + width + 2 > room:
            made.append((start, j))
            start, used = j, 0
        used += width + 2
    return [*made, (start, len(widths))]


def summary(about: Mapping[str, Any]) -> Text:
    """The three scores in one line."""
    text = Text(f"{counted(about['rows'], 'row')}: accuracy {percent(about['accuracy'])} %", style="bold")
    text.append(f", balanced {percent(about['balanced'])} %, macro F1 {percent(about['macro']['f1'])} %")
    return text


def attack_lines(about: Mapping[str, Any]) -> list[RenderableType]:
    """The scores under attack in one line, where there was one, and the unit of its size."""
    attack = about.get("attack")
    if not attack:
        return []
    text = Text(f"Under attack by {attack['text']}: accuracy {percent(attack['accuracy'])} %", style="bold")
    text.append(f", balanced {percent(attack['balanced'])} %, macro F1 {percent(attack['macro_f1'])} %")
    unit = "standardised: 1 is a feature's deviation" if attack["units"] == "standardised" else "those of the rows"
    text.append(f" (units are {unit}; within {attack['within']})", style="dim")
    return [text]


def training_dict(fitted: Any, recipe: str, files: Mapping[str, str | None]) -> dict[str, Any]:
    """A training as plain values."""
    return {
        "data": dict(fitted.data),
        "recipe": recipe,
        "seed": fitted.seed,
        "status": fitted.status,
        "epochs": fitted.epochs,
        "steps": fitted.step,
        "scores": {part: dict(scores) for part, scores in fitted.scores.items()},
        "curves": {name: list(curve[: max(fitted.epochs, 1)]) for name, curve in fitted.curves.items()},
        "notes": list(fitted.notes),
        **({"tasks": [_task_dict(task) for task in fitted.tasks]} if fitted.tasks else {}),
        **files,
    }


def _task_dict(task: Any) -> dict[str, Any]:
    scores = {part: dict(scores) for part, scores in task.scores.items()}
    return {"name": task.name, "classes": list(task.classes), "scores": scores}


def training_lines(about: Mapping[str, Any]) -> list[RenderableType]:
    """What a training came to; of several tasks, what each did, and all together."""
    tasks = about.get("tasks", [])
    made = table()
    made.add_column("rows", no_wrap=True)
    if tasks:
        made.add_column("task", overflow="fold")
    made.add_column("loss", justify="right", no_wrap=True)
    for name in ("accuracy %", "balanced %", "F1 %"):
        made.add_column(name, justify="right", no_wrap=True)
    for part in PARTS:
        if not about["scores"].get(part):
            continue
        for place, task in enumerate(tasks):
            made.add_row(part if not place else "", Text(brief(task["name"])), *_shares(task["scores"][part]))
        together = [Text("all together")] if tasks else []
        made.add_row("" if tasks else part, *together, *_shares(about["scores"][part]), style="dim" if tasks else None)
    ended = f"{about['status']} after {counted(about['epochs'], 'epoch')} ({counted(about['steps'], 'step')})"
    return [titled(f"{shown(about['data']['name'])}: {about['recipe']}", made), Text(ended)]


def _shares(scores: Mapping[str, float]) -> list[str]:
    return [number(scores["loss"]), *(percent(scores.get(name)) for name in ("accuracy", "balanced", "f1"))]


def brief(name: str) -> str:
    """A class's name, harmless and not too long."""
    text = shown(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _count(value: int, hit: bool) -> Text:
    return Text(f"{value:,}" if value else "·", style="bold" if hit else "dim" if not value else "")
