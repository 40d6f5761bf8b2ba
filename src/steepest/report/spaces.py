"""The declared search spaces, said once for all that share one."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType

from steepest.report.layout import table, titled

EVERYTHING = "all"


def spaces_table(search: Mapping[str, Mapping[str, str]]) -> RenderableType:
    """One line for each hyperparameter and space, with the methods or penalties it belongs to."""
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
    return {key: _owners(candidates, list(search)) for key, candidates in holders.items()}


def _owners(some: list[str], everyone: list[str]) -> str:
    """Candidates as methods or as penalties, where they are all of these."""
    if len(some) == len(everyone):
        return EVERYTHING
    for part in (0, 1):
        owners = list(dict.fromkeys(name.split("+")[part] for name in some))
        if [name for name in everyone if name.split("+")[part] in owners] == some:
            return ", ".join(owners)
    return ", ".join(some)
