"""The declared search spaces, said once for all that share one."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType

from steepest.report.layout import table, titled

EVERYTHING = "all"


def spaces_table(search: Mapping[str, Mapping[str, str]]) -> RenderableType:
    """One line for each hyperparameter and space, with the methods, penalties or technique it belongs to."""
    made = table()
    made.add_column("hyperparameter", no_wrap=True)
    made.add_column("space")
    made.add_column("of")
    for (name, space), owners in shared_spaces(search).items():
        made.add_row(name, space, owners)
    return titled("Search spaces, declared before anything ran", made)


def shared_spaces(search: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """(hyperparameter, space) → whose it is: `search` has "method+penalty" → hyperparameter → space.

    >>> shared_spaces({"sgd+none": {"rate": "0…1"}, "sgd+l2": {"rate": "0…1", "strength": "0…9"},
    ...                "adam+none": {"rate": "0…2"}, "adam+l2": {"rate": "0…2", "strength": "0…9"}})
    {('rate', '0…1'): 'sgd', ('strength', '0…9'): 'l2', ('rate', '0…2'): 'adam'}
    """
    holders: dict[tuple[str, str], list[str]] = {}
    for candidate, spaces in search.items():
        for name, space in spaces.items():
            holders.setdefault((name, space), []).append(candidate)
    return {(name, space): _owners(name, some, list(search)) for (name, space), some in holders.items()}


def _owners(hyperparameter: str, some: list[str], everyone: list[str]) -> str:
    """Candidates as methods or as penalties, where they are all of these; a technique's name says whose it is."""
    technique, dot, _ = hyperparameter.rpartition(".")
    if dot:
        return technique
    if len(some) == len(everyone):
        return EVERYTHING
    for part in (0, 1):
        owners = list(dict.fromkeys(_part(name, part) for name in some))
        if [name for name in everyone if _part(name, part) in owners] == some:
            return ", ".join(owners)
    return ", ".join(some)


def _part(candidate: str, part: int) -> str:
    """The method or the penalty of `adam+l2, dropout+smoothing, mlp:64`."""
    return candidate.partition(", ")[0].split("+")[part]
