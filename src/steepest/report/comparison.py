"""A comparison as people read it: from the dict that `compare --json` prints to tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from steepest.report.layout import NARROW, bullets, table, titled
from steepest.report.spaces import spaces_table
from steepest.report.text import counted, duration, number, percent, settings, shown

METRICS = {"accuracy": "accuracy", "balanced": "balanced accuracy", "f1": "macro F1"}


def comparison_lines(result: Mapping[str, Any], width: int, verbose: bool = False) -> list[RenderableType]:
    """All of a comparison, the answer last: candidates, families, search spaces, warnings, verdict, advice."""
    made: list[RenderableType] = [heading(result), cells_table(result, width)]
    if len(result["cells"]) > 1:
        made.append(families_table(result))
    if verbose:
        made.append(pairs_table(result))
    made.append(spaces_table(result["settings"]["search"]))
    said = warnings(result)
    if said:
        made.append(bullets("Warnings", said))
    made.append(Text(""))
    made.append(Panel(Text(result["verdict"], style="bold"), title="verdict", title_align="left", padding=(0, 1)))
    made.append(recommendation(result))
    return made


def heading(result: Mapping[str, Any]) -> Text:
    """What was compared on what."""
    data, s = result["data"], result["settings"]
    text = Text()
    text.append(shown(data["name"]), style="bold")
    text.append(
        f": {counted(data['rows'], 'row')}, {counted(len(data['classes']), 'class', 'classes')}; model {s['model']}, "
        f"{counted(s['epochs'], 'epoch')}, {counted(s['replicates'], 'replicate')}, "
        f"{counted(s['trials'], 'trial')} each; {result['trainings']:,} trainings"
    )
    return text


def cells_table(result: Mapping[str, Any], width: int) -> RenderableType:
    """Candidates, best first: defaults, tuned with its interval, the setting to use, trainings that diverged.

    On a narrow terminal the setting stands below the name. Where nothing diverged there is no column for it.
    """
    narrow = width < NARROW
    cells = sorted(result["cells"], key=lambda cell: -cell["test"]["mean"])
    some_diverged = any(cell["diverged"] for cell in cells)
    made = table()
    made.add_column("candidate", no_wrap=not narrow)
    made.add_column("def." if narrow else "defaults", justify="right", no_wrap=True)
    made.add_column("tuned", justify="right", no_wrap=True)
    if not narrow:
        made.add_column("recommended setting")
    if some_diverged:
        made.add_column("div." if narrow else "diverged", justify="right", no_wrap=True)
    for cell in cells:
        name = Text(f"{cell['method']} + {cell['penalty']}")
        if cell["warnings"]:
            name.append(" !", style="yellow")
        setting = Text(settings(cell["tuned"]["hyperparameters"], digits=2), style="dim")
        row = [name, percent(cell["default"]["mean"]), mean_text(cell["test"])]
        row = [Text("\n").join([name, setting]), *row[1:]] if narrow else [*row, setting]
        made.add_row(*row, *([f"{cell['diverged']:,}"] if some_diverged else []))
    said = "" if some_diverged else "; no training diverged"
    return titled(f"Test {METRICS[result['settings']['metric']]} in %, {confidence(result)}{said}", made)


def families_table(result: Mapping[str, Any]) -> RenderableType:
    """Methods, each searching its penalty along, and penalties, each searching its method along; best first."""
    made = table()
    made.add_column("family")
    made.add_column("member", no_wrap=True)
    made.add_column("tuned", justify="right", no_wrap=True)
    for family in [one for one in result["families"] if len(one["members"]) > 1]:
        members = sorted(family["members"], key=lambda member: -member["mean"])
        for place, member in enumerate(members):
            made.add_row(family["factor"] if place == 0 else "", member["name"], mean_text(member))
    return titled("Methods, each searching its penalty along, and penalties, each searching its method along", made)


def pairs_table(result: Mapping[str, Any]) -> RenderableType:
    """Every pair of methods and of penalties: difference, Holm's p, verdict from the first one's side."""
    made = table()
    made.add_column("pair", overflow="fold")
    for name in ("difference", "p"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("verdict", no_wrap=True)
    for pair in result["pairs"]:
        if pair["factor"] != "cell":
            half = (pair["high"] - pair["low"]) / 2
            difference = f"{100 * pair['difference']:+.1f} ± {100 * half:.1f}"
            made.add_row(f"{pair['a']} − {pair['b']}", difference, f"{pair['p']:.3f}", pair["verdict"])
    return titled(f"Pairs: difference in points ± half of the {level(result)} % interval, p after Holm", made)


def warnings(result: Mapping[str, Any]) -> list[str]:
    """Warnings, those that several candidates share said once."""
    shared: dict[str, list[str]] = {}
    own = set()
    for cell in result["cells"]:
        for text in cell["warnings"]:
            name = f"{cell['method']}+{cell['penalty']}"
            shared.setdefault(text, []).append(name)
            own.add(f"{name}: {text}")
    general = [text for text in result["warnings"] if text not in own]
    return general + [f"{', '.join(names)}: {text}" for text, names in shared.items()]


def recommendation(result: Mapping[str, Any]) -> Text:
    """The setting to train with, and how it was chosen."""
    best = result["recommended"]
    text = Text("Recommended: ", style="bold")
    return text.append(
        f"{best['method']} + {best['penalty']} with {settings(best['hyperparameters'])}, "
        f"chosen by validation rows ({percent(best['validation'])} % {METRICS[result['settings']['metric']]} there)",
        style="not bold",
    )


def plan_dict(study: Any) -> dict[str, Any]:
    """What a comparison would train, as plain values."""
    return {
        "data": study.data,
        "settings": {**study.settings.as_dict(), "search": study.spaces()},
        "candidates": [candidate.name for candidate in study.candidates],
        "trainings": study.trainings,
        "seconds": study.estimate(),
    }


def plan_lines(about: Mapping[str, Any]) -> list[RenderableType]:
    """What a comparison would train, for people."""
    count = counted(len(about["candidates"]), "candidate")
    cost = f"{count}, {about['trainings']:,} trainings, about {duration(about['seconds'])}"
    return [heading(about), spaces_table(about["settings"]["search"]), Text(cost, style="bold")]


def mean_text(score: Mapping[str, Any]) -> str:
    """A mean with half its interval, in percent; without the interval where there is none."""
    low, high = score.get("low"), score.get("high")
    if low is None or high is None or low != low or high != high:
        return percent(score["mean"])
    return f"{percent(score['mean'])} ± {percent((high - low) / 2)}"


def confidence(result: Mapping[str, Any]) -> str:
    """How the ± is to be read."""
    return f"mean ± half of the {level(result)} % interval"


def level(result: Mapping[str, Any]) -> str:
    """How sure the intervals are, in percent."""
    return number(100 * (1 - result["settings"]["level"]))
