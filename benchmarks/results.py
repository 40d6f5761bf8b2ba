"""benchmarks/results: one JSON a benchmark, and README.md with all of them in one table."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.measure import AT_LEAST, RATIO, Line, Outcome

FOLDER = Path(__file__).parent / "results"
SCHEMA = "steepest.benchmark/1"


def write(name: str, outcome: Outcome, folder: Path = FOLDER) -> None:
    """Store one benchmark's outcome and draw the table anew."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {"schema": SCHEMA, "name": name, "what": outcome.what, "machine": machine()}
    stored["lines"] = [dataclasses.asdict(line) | {"met": line.met} for line in outcome.lines]
    stored["seconds"] = {work: dataclasses.asdict(times) for work, times in outcome.times.items()}
    stored["notes"] = outcome.notes
    (folder / f"{name}.json").write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "README.md").write_text(table(folder), "utf-8")


def table(folder: Path) -> str:
    """All stored results as one Markdown page."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    head = "# Measured\n\n`make bench` writes this. Ratios say how many times faster steepest is.\n"
    head += "Medians of the rounds (least … most; of accuracies and differences: the 95 % interval).\n"
    rows = ["| work | against | measured | by CPU time | wanted | kept |", "|---|---|---|---|---|---|"]
    for result in found:
        rows += [_row(line) for line in result["lines"]]
    return "\n".join([head, *rows, "", *_machines(found), "", *_notes(found), ""])


def _row(line: dict[str, Any]) -> str:
    unit, bound = line["unit"], line["bound"]
    spread = f" ({line['low']:.2f} … {line['high']:.2f})" if line["low"] is not None else ""
    cpu = f"{line['cpu']:.2f}{_gap(unit)}" if line["cpu"] is not None else ""
    wanted = "" if bound is None else f"{'at least' if unit in AT_LEAST else 'at most'} {bound:g}{_gap(unit)}"
    kept = {None: "", True: "yes", False: "**no**"}[line["met"]]
    cells = (line["what"], line["against"], f"{line['value']:.2f}{_gap(unit)}{spread}", cpu, wanted, kept)
    return f"| {' | '.join(cells)} |"


def _gap(unit: str) -> str:
    return unit if unit == RATIO else f" {unit}"


def _machines(found: list[dict[str, Any]]) -> list[str]:
    """Each machine once, with what was measured on it."""
    on: dict[str, list[str]] = {}
    for result in found:
        m = result["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
        named = (
            f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, Python {m['python']}, {versions}"
        )
        on.setdefault(named, []).append(f"{result['name']} (load {m['load']} at its end)")
    return [f"Measured on {named}: {', '.join(names)}." for named, names in on.items()]


def _notes(found: list[dict[str, Any]]) -> list[str]:
    return [f"- {result['name']}: {note}" for result in found for note in result["notes"]]


def shown(line: Line) -> str:
    """A line for the terminal."""
    gap = _gap(line.unit)
    against = f" against {line.against}" if line.against else ""
    cpu = f", {line.cpu:.2f}{gap} by CPU time" if line.cpu is not None else ""
    bound = "" if line.bound is None else f", wanted {'≥' if line.unit in AT_LEAST else '≤'} {line.bound:g}{gap}"
    kept = {None: "", True: ": kept", False: ": NOT KEPT"}[line.met]
    return f"  {line.what}{against}: {line.value:.2f}{gap}{cpu}{bound}{kept}"
