"""Options that several commands share, as dataclasses: one field gives the flag, the setting and its help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from cyclopts import Group, Parameter, Token

DATA = Group("Data", sort_key=10)
OUTPUT = Group("Output", sort_key=90)


def split_commas(kind: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    """`a,b` and `--x a --x b` both as ("a", "b")."""
    del kind
    return tuple(word.strip() for token in tokens for word in token.value.split(",") if word.strip())


Names: TypeAlias = Annotated[tuple[str, ...], Parameter(converter=split_commas, n_tokens=1, negative=())]


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How a command speaks."""

    json: Annotated[bool, Parameter(group=OUTPUT, negative=(), help="Print one JSON object instead of tables.")] = False
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), group=OUTPUT, negative=(), help="No progress, no notes.")
    ] = False
    verbose: Annotated[bool, Parameter(name=("--verbose", "-v"), group=OUTPUT, negative=(), help="Say more.")] = False
    plain: Annotated[
        bool, Parameter(group=OUTPUT, negative=(), help="No colours, no progress bar (colours also go with NO_COLOR).")
    ] = False
    debug: Annotated[bool, Parameter(group=OUTPUT, negative=(), help="Show the traceback of an error.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """How a source is read; see steepest.data.open."""

    label: Annotated[str | None, Parameter(group=DATA, help="Column to predict (tables), or labels file (IDX).")] = None
    size: Annotated[int, Parameter(group=DATA, help="Side in pixels that photos are resized to.")] = 32
    color: Annotated[
        Literal["rgb", "grey"] | None, Parameter(group=DATA, help="Read images so; grey where all are, if not given.")
    ] = None
    raw: Annotated[
        bool, Parameter(group=DATA, negative=(), help="Values as they are: neither scaled to 0..1 nor standardised.")
    ] = False
    missing: Annotated[
        Literal["error", "mean", "drop"], Parameter(group=DATA, help="Empty cells: refuse, fill or leave the row out.")
    ] = "error"
    drop: Annotated[Names, Parameter(group=DATA, help="Columns to leave out: a,b.")] = ()
    max_categories: Annotated[
        int, Parameter(group=DATA, help="Most different values of a text column that becomes one-hot.")
    ] = 50
    strict: Annotated[
        bool, Parameter(group=DATA, negative=(), help="An unreadable image is an error, not skipped.")
    ] = False
    samples: Annotated[
        int | None, Parameter(group=DATA, help="Points to draw of a built-in toy (blobs, moons, …).")
    ] = None


QUIET_DEFAULT = Output()
DATA_DEFAULT = DataOptions()
