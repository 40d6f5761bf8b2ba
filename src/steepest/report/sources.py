"""Built-in data, the files that can be read, and what a check of a source found."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from steepest.report.layout import bullets, facts, table, titled
from steepest.report.text import counted, megabytes, shown

KINDS = {
    "folder": "images, one subfolder a class; any size, resized to --size",
    "CSV": "a table; --label names the column to predict",
    "Parquet": "the same",
    "NPZ": "arrays X and y",
    "IDX": "the MNIST family, gzipped or not; the file of images or the folder",
    "CIFAR": "batches of the python or the binary version; the folder, or one batch",
    "tar": "an archive of a folder of images or of CIFAR's batches, read as it is (.tar .tgz .tar.gz .tar.xz)",
}
MOST_CLASSES = 20
MOST_ALIKE = 5  # problems of one kind that are all listed
VARYING = re.compile(r"'[^']*'|[0-9][0-9.,]*")  # what differs between problems of one kind: names and numbers


def sources_table(sources: Mapping[str, str]) -> list[RenderableType]:
    """Built-in data by name, and the kinds of files."""
    made = []
    for title, entries in (("Built in", sources), ("Files and folders", KINDS)):
        one = table()
        one.add_column("name", no_wrap=True)
        one.add_column("what it is")
        for name, about in entries.items():
            one.add_row(name, about)
        made.append(titled(title, one))
    return made


def downloads_table(named: Mapping[str, Any], here: Mapping[str, str | None]) -> RenderableType:
    """What `data get` downloads: how much it is, and whether it is here."""
    one = table()
    one.add_column("name", no_wrap=True)
    one.add_column("what it is")
    one.add_column("size", justify="right", no_wrap=True)
    one.add_column("here", no_wrap=True)
    for name, entry in named.items():
        one.add_row(name, entry.about, megabytes(entry.size), "yes" if here[name] else "no")
    return titled("Downloads (steepest data get NAME)", one)


def downloads_dict(named: Mapping[str, Any], here: Mapping[str, str | None]) -> dict[str, Any]:
    """The same as plain values; `folder` is where it lies, null where it is not here."""
    return {
        name: {"about": entry.about, "bytes": entry.size, "here": here[name] is not None, "folder": here[name]}
        for name, entry in named.items()
    }


def check_dict(found: Any) -> dict[str, Any]:
    """A check as plain values."""
    return {**dataclasses.asdict(found), "usable": found.usable}


def check_lines(found: Any) -> list[RenderableType]:
    """What a source holds, its problems and its notes; the answer last."""
    made: list[RenderableType] = []
    if found.rows:
        made.append(facts(_facts(found)))
        made.append(_classes(found.classes))
        made += [_classes(classes, f" of {shown(name)}") for name, classes in found.further.items()]
    if found.unreadable:
        first = [shown(path) for path in found.unreadable[:10]]
        more = [f"and {len(found.unreadable) - 10:,} more"] if len(found.unreadable) > 10 else []
        made.append(bullets(f"{counted(len(found.unreadable), 'unreadable file')}", first + more))
    if found.notes:
        made.append(bullets("Notes", [shown(note) for note in found.notes]))
    if found.problems:
        made.append(bullets("Problems", [shown(problem) for problem in briefly(found.problems)], style="red"))
    name = shown(found.name)
    answer = (
        f"{name} can be used"
        if found.usable
        else f"{name} cannot be used yet: {counted(len(found.problems), 'problem')}"
    )
    made.append(Text(answer, style="bold green" if found.usable else "bold red"))
    return made


def briefly(problems: Sequence[str]) -> tuple[str, ...]:
    """The problems in their order; of more than five that differ only in names and numbers, the first three.

    >>> briefly([f"class '{k}' has 1 row" for k in range(8)])[2:]
    ("class '2' has 1 row", 'and 5 more like it')
    """
    kinds: dict[str, list[str]] = {}
    for problem in problems:
        kinds.setdefault(VARYING.sub("", problem), []).append(problem)
    made: list[str] = []
    for alike in kinds.values():
        few = alike if len(alike) <= MOST_ALIKE else [*alike[:3], f"and {len(alike) - 3:,} more like it"]
        made.extend(few)
    return tuple(made)


def _facts(found: Any) -> list[tuple[str, RenderableType]]:
    shape = "×".join(map(str, found.shape))
    rows: list[tuple[str, RenderableType]] = [
        ("source", f"{shown(found.name)} ({found.kind})"),
        ("rows", f"{found.rows:,}, each {shape} ({counted(found.features, 'feature')})"),
        ("fingerprint", found.fingerprint),
    ]
    if found.given_test:
        rows.append(("given test set", counted(found.given_test, "row")))
    if found.missing:
        rows.append(("empty cells", ", ".join(f"{shown(name)} {count:,}" for name, count in found.missing.items())))
    if found.constant:
        few = ", ".join(shown(name) for name in found.constant[:5])
        more = f" and {len(found.constant) - 5:,} more" if len(found.constant) > 5 else ""
        rows.append(("one value only", f"{few}{more}"))
    if found.duplicate_rows:
        rows.append(
            ("duplicates", f"{counted(found.duplicate_rows, 'row')} in {counted(found.duplicate_groups, 'group')}")
        )
    if found.conflicting_groups:
        rows.append(("contradictions", f"{counted(found.conflicting_groups, 'group')} of equal rows, unequal labels"))
    return rows


def _classes(classes: Mapping[str, int], of: str = "") -> RenderableType:
    made = table()
    made.add_column("class", overflow="fold")
    made.add_column("rows", justify="right", no_wrap=True)
    for name, rows in list(classes.items())[:MOST_CLASSES]:
        made.add_row(Text(shown(name)), f"{rows:,}")
    if len(classes) > MOST_CLASSES:
        made.add_row(f"and {len(classes) - MOST_CLASSES:,} more", "")
    return titled(counted(len(classes), "class", "classes") + of, made)
