"""A stored comparison in the words of the command line: its settings as options, how far it is, the command again."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from steepest.data.named import NAMED
from steepest.data.reading import Reading
from steepest.data.sources import SOURCES
from steepest.study.settings import Settings, model_name

PATH = "PATH"  # where a run from before there were places does not say
NO_PATH = ("arrays", "frame")  # what the library was handed; no command can name it
DEFAULTS = Settings().as_dict()
READING = {field.name: field.default for field in dataclasses.fields(Reading)}


def settings_text(settings: Mapping[str, Any]) -> str:
    """Every setting of a run by its option's name and in its unit; how the data were read is said elsewhere.

    >>> settings_text({"trials": 20, "batch_size": 32, "margin": 0.005, "spaces": {"l2.strength": [0.1, 1]}})
    'trials 20; batch-size 32; margin 0.5 points; space l2.strength=0.1:1'
    """
    said = []
    for name, value in settings.items():
        if name == "standardize" or value is None or value == {} or value == []:
            continue
        unit = " points" if name == "margin" else ""
        said.append(f"{_option(name)} {','.join(_words(name, value))}{unit}")
    return "; ".join(said)


def reading_text(row: Mapping[str, Any]) -> str:
    """How a run read its data, where that is not as by default: `label species; drop island; raw`; else nothing.

    >>> reading_text({"data": {"reading": {"label": "species", "raw": True}}, "settings": {}})
    'label species; raw'
    """
    return "; ".join(f"{name} {','.join(words)}".strip() for name, words in _reading(row))


def planned(settings: Mapping[str, Any]) -> int:
    """How many trainings a comparison of these settings is.

    >>> planned({"methods": ["sgd", "adam"], "penalties": ["none"], "trials": 4, "replicates": 3})
    30
    """
    full = {**DEFAULTS, **settings}
    models = 1 if isinstance(full["model"], str) else len(full["model"])
    candidates = len(full["methods"]) * len(full["penalties"]) * len(full["techniques"]) * models
    return candidates * (1 + full["trials"]) * full["replicates"]


def command_text(row: Mapping[str, Any]) -> str | None:
    """The command that goes on with a run, or shows it again; None where the library was handed the rows.

    Data that are no name of ours are where they lay when the run began. Options at their defaults are left
    out, and products in full where the run was made on a CPU, which takes them by itself.

    >>> command_text({"name": "iris", "settings": {"methods": ["adam"], "margin": 0.01}, "data": {}, "environment": {}})
    'steepest compare iris --methods adam --margin 1'
    """
    place = row["data"].get("place", "")
    if row["name"] in NO_PATH and not place:
        return None
    ours = row["name"] in (*SOURCES, *NAMED)
    made = ["steepest", "compare", place or (row["name"] if ours else PATH)]
    for name, words in (*_reading(row), *_chosen(row)):
        made.append(f"--{name}")
        made += words
    return shlex.join(made)


def _chosen(row: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The options that are not at their defaults, in the order of `Settings`."""
    settings = row["settings"]
    for name, value in settings.items():
        if name not in DEFAULTS or name in ("standardize", "products") or value == DEFAULTS[name]:
            continue
        words = _words(name, value)
        if name == "spaces":
            yield from (("space", [one]) for one in words)
        else:
            yield _option(name), [",".join(words)]
    products = settings.get("products", "float32")  # runs from before there was a choice
    if products == "bfloat16" or row["environment"].get("device", "cpu") != "cpu":
        yield "products", [products]


def _reading(row: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """How the data were read, as options; those that are given or not have no words."""
    reading = dict(row["data"].get("reading", {}))
    if not row["settings"].get("standardize", True):
        reading["raw"] = True
    for name, value in reading.items():
        if name in READING and value != READING[name]:
            words = [] if value is True else [",".join(map(str, value)) if isinstance(value, list) else str(value)]
            yield _option(name), words


def _option(name: str) -> str:
    return "space" if name == "spaces" else name.replace("_", "-")


def _words(name: str, value: Any) -> list[str]:
    """A setting as it is typed: the margin in points, a space as adam.rate=0.1:1, a model without its file's hash."""
    if name == "margin":
        return [f"{100 * value:.12g}"]
    if isinstance(value, Mapping):
        return [f"{key}={':'.join(f'{end:.12g}' for end in ends)}" for key, ends in value.items()]
    values = value if isinstance(value, list) else [value]
    return [model_name(one) for one in values] if name == "model" else [str(one) for one in values]
