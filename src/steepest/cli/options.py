"""Options that several commands share, as dataclasses: one field gives the flag, the setting and its help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from cyclopts import Group, Parameter, Token

from steepest.core.errors import SettingError

DATA = Group("Data", sort_key=10)
OUTPUT = Group("Output", sort_key=90)


def split_commas(kind: Any, tokens: Sequence[Token]) -> tuple[str, ...]:
    """`a,b` and `--x a --x b` both as ("a", "b")."""
    del kind
    return tuple(word.strip() for token in tokens for word in token.value.split(",") if word.strip())


def whole(name: str, least: int = 1) -> Callable[[Any, Sequence[Token]], int]:
    """A converter that refuses what is no whole number, where cyclopts rounds; the range is its owner's to check.

    >>> from cyclopts import Token
    >>> whole("trials")(int, [Token(value="30")])
    30
    """

    def read(kind: Any, tokens: Sequence[Token]) -> int:
        del kind
        text = tokens[0].value.strip()
        try:
            return int(text)
        except ValueError:
            said = f"{name} = {text}; it must be a whole number of at least {least}"
            raise SettingError(f"{said}{_place(tokens[0])}") from None

    return read


def share_or_given(kind: Any, tokens: Sequence[Token]) -> float | str:
    """A share of the rows as a number, or "given"; which shares are allowed is the study's to say."""
    del kind
    text = tokens[0].value.strip()
    if text == "given":
        return text
    try:
        return float(text)
    except ValueError:
        said = f"test = {text}; it must be a share in (0, 1), or 'given' for the data's own test rows"
        raise SettingError(f"{said}{_place(tokens[0])}") from None


def _place(token: Token) -> str:
    """Where a setting comes from that was not typed."""
    places = {"": "", "cli": "", "env": f" (set by {token.keyword})"}
    return places.get(token.source, f" (in {token.source})")


Names: TypeAlias = Annotated[
    tuple[str, ...],
    Parameter(
        converter=split_commas,
        n_tokens=1,
        negative=(),
        metavar="A,B",
        show_default=lambda names: ",".join(names) or None,
    ),
]


def one_or_several(kind: Any, tokens: Sequence[Token]) -> str | tuple[str, ...]:
    """`--x a,b` as "a,b", for which commas divide names is for the data to know; `--x a --x b` as ("a", "b")."""
    del kind
    given = tuple(token.value for token in tokens)
    return given[0] if len(given) == 1 else given


def label_option(about: str) -> Parameter:
    """The option that names a label column, or several."""
    return Parameter(
        group=DATA,
        converter=one_or_several,
        n_tokens=1,
        negative=(),
        metavar="A,B",
        env_var_split=whole_text,
        help=about,
    )


def whole_text(kind: Any, text: str, *, delimiter: str | None = None) -> list[str]:
    """A setting from the environment as it is: a name may hold blanks."""
    del kind, delimiter
    return [text]


def flag(group: Group, about: str, *names: str) -> Parameter:
    """An option that is given or not."""
    return Parameter(name=names or None, group=group, help=about, negative=(), show_default=False)


def number(name: str, about: str, shown: int | None = None) -> Parameter:
    """An option of how data are read that is a whole number; `shown` is what holds where it is left out."""
    said = None if shown is None else lambda _: shown
    return Parameter(group=DATA, converter=whole(name), show_default=said, help=about)


OwnModel: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--model", metavar="FILE.PY:NAME", help="The model again, if it is your own: its file's Python is run."
    ),
]

SOURCE = (
    "A name (see: steepest data list), a folder of images with one subfolder a class, a tar archive of one, or a CSV, "
    "Parquet, NPZ, IDX or CIFAR file."
)


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How a command speaks."""

    json: Annotated[bool, flag(OUTPUT, "Print one JSON object instead of tables.")] = False
    quiet: Annotated[bool, flag(OUTPUT, "No progress, no notes.", "--quiet", "-q")] = False
    verbose: Annotated[bool, flag(OUTPUT, "Say more.", "--verbose", "-v")] = False
    plain: Annotated[bool, flag(OUTPUT, "No colours, no progress bar (colours also go with NO_COLOR).")] = False
    debug: Annotated[bool, flag(OUTPUT, "Show the traceback of an error.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """How a source is read; see steepest.data.open. What is not named is None, False or empty, and left to others."""

    label: Annotated[
        str | tuple[str, ...] | None,
        label_option(
            "Column to predict (tables), labels file (IDX), or fine or coarse (CIFAR-100). Several, a,b, are tasks of "
            "one model; compare judges the first."
        ),
    ] = None
    size: Annotated[int | None, number("size", "Side in pixels that photos are resized to.", shown=32)] = None
    color: Annotated[
        Literal["rgb", "grey"] | None, Parameter(group=DATA, help="Read images so; grey where all are, if not given.")
    ] = None
    raw: Annotated[bool, flag(DATA, "Values as they are: neither scaled to 0..1 nor standardised.")] = False
    missing: Annotated[
        Literal["error", "mean", "drop"] | None,
        Parameter(group=DATA, show_default=lambda _: "error", help="Empty cells: refuse, fill or leave the row out."),
    ] = None
    drop: Annotated[Names, Parameter(group=DATA, help="Columns to leave out: a,b.")] = ()
    max_categories: Annotated[
        int | None,
        number("max-categories", "Most different values of a text column that becomes one-hot.", shown=50),
    ] = None
    strict: Annotated[bool, flag(DATA, "An unreadable image is an error, not skipped.")] = False
    samples: Annotated[int | None, number("samples", "Points to draw of a built-in toy (blobs, moons, …).")] = None
