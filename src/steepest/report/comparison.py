"""A comparison as people read it: from the dict that `compare --json` prints to tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from steepest.report.layout import NARROW, bullets, table, titled
from steepest.report.spaces import spaces_table
from steepest.report.text import counted, duration, number, percent, settings, shown
from steepest.study.settings import NONE, candidate_name

LONG = 3  # names longer than one part in so many of the width
PLURALS = {"method": "methods", "penalty": "penalties", "technique": "techniques", "model": "models"}
METRICS = {"accuracy": "accuracy", "balanced": "balanced accuracy", "f1": "macro F1"}


def comparison_lines(result: Mapping[str, Any], width: int, verbose: bool = False) -> list[RenderableType]:
    """All of a comparison, the answer last: candidates, families, search spaces, warnings, verdict, advice."""
    made: list[RenderableType] = [heading(result), cells_table(result, width)]
    if len(result["cells"]) > 1:
        made.append(families_table(result))
    if verbose:
        made.append(pairs_table(result, result["pairs"]))
    made += attacked_lines(result, verbose)
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
    model = f"model {s['model']}" if isinstance(s["model"], str) else f"models {joined(s['model'])}"
    text = Text()
    text.append(shown(data["name"]), style="bold")
    text.append(
        f": {counted(data['rows'], 'row')}, {counted(len(data['classes']), 'class', 'classes')}; {model}, "
        f"{counted(s['epochs'], 'epoch')}, {counted(s['replicates'], 'replicate')}, "
        f"{counted(s['trials'], 'trial')} each; {result['trainings']:,} trainings"
        + ("; products rounded to bfloat16" if s.get("products") == "bfloat16" else "")
    )
    return text


def cells_table(result: Mapping[str, Any], width: int) -> RenderableType:
    """Candidates, best first: defaults, tuned with its interval, that under attack, the setting to use, diverged ones.

    On a narrow terminal, and beside long names, the setting stands below the name. Where nothing diverged there is no
    column for it.
    """
    cells = sorted(result["cells"], key=lambda cell: -cell["test"]["mean"])
    names = [spaced(cell_name(cell, result)) for cell in cells]
    narrow = width < NARROW or max(map(len, names)) > width // LONG
    some_diverged = any(cell["diverged"] for cell in cells)
    made = table()
    made.add_column("candidate", no_wrap=not narrow)
    made.add_column("def." if narrow else "defaults", justify="right", no_wrap=True)
    made.add_column("tuned", justify="right", no_wrap=True)
    attack = result["settings"].get("attack")
    if attack:
        made.add_column("att." if narrow else "attacked", justify="right", no_wrap=True)
    if not narrow:
        made.add_column("recommended setting")
    if some_diverged:
        made.add_column("div." if narrow else "diverged", justify="right", no_wrap=True)
    for text, cell in zip(names, cells):
        name = Text(text)
        if cell["warnings"]:
            name.append(" !", style="yellow")
        setting = Text(settings(cell["tuned"]["hyperparameters"], digits=2), style="dim")
        row = [name, percent(cell["default"]["mean"]), mean_text(cell["test"])]
        row += [mean_text(cell["attacked"])] if attack else []
        row = [Text("\n").join([name, setting]), *row[1:]] if narrow else [*row, setting]
        made.add_row(*row, *([f"{cell['diverged']:,}"] if some_diverged else []))
    said = f"; attacked by {attack}" if attack else ""
    said += "" if some_diverged else "; no training diverged"
    title = f"Test {METRICS[result['settings']['metric']]} in %, {confidence(result)}{said}"
    marked = (
        [Text("!  there is a warning on it, below", style="dim")] if any(cell["warnings"] for cell in cells) else []
    )
    return Group(titled(title, made), *marked)


def families_table(result: Mapping[str, Any]) -> RenderableType:
    """Methods, each searching its penalty along, and penalties, each searching its method along …; best first.

    Of those of which several were compared.
    """
    several = [family for family in result["families"] if len(family["members"]) > 1]
    made = table()
    made.add_column("family")
    made.add_column("member", no_wrap=True)
    made.add_column("tuned", justify="right", no_wrap=True)
    for family in several:
        members = sorted(family["members"], key=lambda member: -member["mean"])
        for place, member in enumerate(members):
            made.add_row(family["factor"] if place == 0 else "", member["name"], mean_text(member))
    kinds = [PLURALS[family["factor"]] for family in several]
    if kinds == [PLURALS["method"], PLURALS["penalty"]] and len(result["families"]) == len(kinds):
        title = "Methods, each searching its penalty along, and penalties, each searching its method along"
    elif len(kinds) == 1:  # there is nothing else to search along
        title = f"{kinds[0].capitalize()}, best first"
    else:
        title = f"{joined(kinds).capitalize()}, each searching all else along"
    return titled(title, made)


def attacked_lines(result: Mapping[str, Any], verbose: bool) -> list[RenderableType]:
    """Pairs under attack, those of techniques alone where not all are asked for; nothing where nothing was attacked."""
    pairs = result.get("attacked_pairs") or []
    pairs = [pair for pair in pairs if verbose or pair["factor"] == "technique"]
    return [pairs_table(result, pairs, f", attacked by {result['settings']['attack']}")] if pairs else []


def pairs_table(result: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], under: str = "") -> RenderableType:
    """Every pair of methods and of penalties: difference, Holm's p, verdict from the first one's side."""
    made = table()
    made.add_column("pair", overflow="fold")
    for name in ("difference", "p"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("verdict", no_wrap=True)
    for pair in pairs:
        if pair["factor"] != "cell":
            half = (pair["high"] - pair["low"]) / 2
            difference = f"{100 * pair['difference']:+.1f} ± {100 * half:.1f}"
            made.add_row(f"{pair['a']} − {pair['b']}", difference, f"{pair['p']:.3f}", pair["verdict"])
    return titled(f"Pairs{under}: difference in points ± half of the {level(result)} % interval, p after Holm", made)


def warnings(result: Mapping[str, Any]) -> list[str]:
    """Warnings, those that several candidates share said once."""
    shared: dict[str, list[str]] = {}
    own = set()
    for cell in result["cells"]:
        for text in cell["warnings"]:
            name = cell_name(cell, result)
            shared.setdefault(text, []).append(name)
            own.add(f"{name}: {text}")
    general = [text for text in result["warnings"] if text not in own]
    return general + [f"{_listed(names)}: {text}" for text, names in shared.items()]


def recommendation(result: Mapping[str, Any]) -> Text:
    """The setting to train with, and how it was chosen."""
    best = result["recommended"]
    text = Text("Recommended: ", style="bold")
    return text.append(
        f"{spaced(cell_name(best, result))} with {settings(best['hyperparameters'])}, "
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


def plan_lines(about: Mapping[str, Any], attack: str | None = None) -> list[RenderableType]:
    """What a comparison would train, for people; attack: what test rows would meet, its size in it."""
    names = about["candidates"]
    cost = f"{counted(len(names), 'candidate')}, {about['trainings']:,} trainings, about {duration(about['seconds'])}"
    attacked = [] if attack is None else [Text(f"Test rows are scored as they are, and attacked by {attack}")]
    said = titled("Candidates", Text(_listed([spaced(name) for name in names])))
    return [heading(about), said, *attacked, spaces_table(about["settings"]["search"]), Text(cost, style="bold")]


def cell_name(cell: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What a cell, or the recommended setting, is called; runs from before there were techniques name none.

    >>> cell = {"method": "adam", "penalty": "l2", "technique": "dropout", "model": "mlp:64"}
    >>> cell_name(cell, {"settings": {"model": "mlp:64"}})
    'adam+l2, dropout'
    """
    several = not isinstance(result["settings"]["model"], str)
    return candidate_name(
        cell["method"], cell["penalty"], cell.get("technique", NONE), cell["model"] if several else None
    )


def spaced(name: str) -> str:
    """`adam + l2, dropout` of `adam+l2, dropout`."""
    return name.replace("+", " + ", 1)


def joined(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> joined(["methods"]), joined(["methods", "techniques", "models"])
    ('methods', 'methods, techniques and models')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _listed(names: Sequence[str]) -> str:
    """Candidates in a row; those with a comma in their name are set apart by semicolons."""
    return ("; " if any(", " in name for name in names) else ", ").join(names)


def mean_text(score: Mapping[str, Any]) -> str:
    """A mean with half its interval, in percent; without the interval where there is none.

    Of an interval that was cut at 0 or 100 %, half is what it reaches to the other side.

    >>> mean_text({"mean": 0.9, "low": 0.78, "high": 1.0})
    '90.0 ± 12.0'
    """
    low, high = score.get("low"), score.get("high")
    if low is None or high is None or low != low or high != high:
        return percent(score["mean"])
    cut = low <= 0 or high >= 1
    half = max(score["mean"] - low, high - score["mean"]) if cut else (high - low) / 2
    return f"{percent(score['mean'])} ± {percent(half)}"


def confidence(result: Mapping[str, Any]) -> str:
    """How the ± is to be read."""
    return f"mean ± half of the {level(result)} % interval"


def level(result: Mapping[str, Any]) -> str:
    """How sure the intervals are, in percent."""
    return number(100 * (1 - result["settings"]["level"]))
