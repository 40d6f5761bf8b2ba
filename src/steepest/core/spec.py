"""`@spec`: a frozen dataclass that is a pytree. Hyperparameters are leaves, parts are subtrees, all else is structure.

Two specifications with the same *structure* (class, static fields, the structure of their parts) can be stacked into
one population; that is the only thing that decides what trains together. Values are checked when a specification is
made, never while it is traced.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, TypeVar, dataclass_transform

import jax
import numpy as np

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Space, check_choice, check_value, part

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(part,))
def spec(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass and a pytree; see the module's docstring."""
    if "__post_init__" in cls.__dict__:  # inherited checks go on: a subclass adds its own
        cls._own_checks = (*getattr(cls, "_own_checks", ()), cls.__dict__["__post_init__"])  # type: ignore[attr-defined]
    cls.__post_init__ = _check  # type: ignore[attr-defined]
    own = set(cls.__dict__)
    made: Any = dataclasses.dataclass(frozen=True, repr=False, eq=False)(cls)
    fields = dataclasses.fields(made)
    leaves = tuple(f.name for f in fields if "domain" in f.metadata or "part" in f.metadata)
    static = tuple(f.name for f in fields if f.name not in leaves)

    def flatten_with_keys(self: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        children = [(jax.tree_util.GetAttrKey(name), getattr(self, name)) for name in leaves]
        return children, tuple(getattr(self, name) for name in static)

    def flatten(self: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(getattr(self, name) for name in leaves), tuple(getattr(self, name) for name in static)

    def unflatten(aux: tuple[Any, ...], children: Any) -> Any:
        new = object.__new__(made)  # past __init__: tracers and placeholders are not values to check
        for name, value in zip(static, aux):
            object.__setattr__(new, name, value)
        for name, value in zip(leaves, children):
            object.__setattr__(new, name, value)
        return new

    if "__init__" not in own:
        _name_misspelt(made)
    jax.tree_util.register_pytree_with_keys(made, flatten_with_keys, unflatten, flatten)
    if made.__repr__ is object.__repr__:  # a class may say itself what it is shown as
        made.__repr__ = _repr
    made.__eq__ = _eq
    made.__hash__ = _hash
    return made


def _name_misspelt(cls: Any) -> None:
    """Let the constructor refuse a name that the class lacks by what it has, as a SettingError."""
    plain, names = cls.__init__, [field.name for field in dataclasses.fields(cls)]

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **values: Any) -> None:
        for name in values:
            if name not in names:
                raise unknown(f"setting of {cls.__name__}", name, names)
        plain(self, *args, **values)

    cls.__init__ = init


def _check(self: Any) -> None:
    """Domains and choices first, then what each class checks of its own, base classes first."""
    for field in dataclasses.fields(self):
        if "domain" in field.metadata:
            check_value(type(self).__name__, field, getattr(self, field.name))
        elif "choices" in field.metadata:
            check_choice(type(self).__name__, field, getattr(self, field.name))
    for own_check in getattr(self, "_own_checks", ()):
        own_check(self)


def _repr(self: Any) -> str:
    """Only what differs from the defaults: `Adam(rate=0.01)`."""
    shown = []
    for field in dataclasses.fields(self):
        value = getattr(self, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if any(np.ndim(leaf) for leaf in jax.tree.leaves(value) if not isinstance(leaf, str)):
            shapes = (("×".join(map(str, np.shape(leaf))) or "number") for leaf in jax.tree.leaves(value))
            shown.append(f"{field.name}=<{', '.join(shapes)}>")
        elif default is dataclasses.MISSING or type(value) is not type(default) or value != default:
            shown.append(f"{field.name}={value!r}")
    return f"{type(self).__name__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    mine, mine_def = jax.tree.flatten(self)
    theirs, theirs_def = jax.tree.flatten(other)
    if mine_def != theirs_def:
        return False
    return all(a is b or bool(jax.numpy.array_equal(a, b)) for a, b in zip(mine, theirs))


def _hash(self: Any) -> int:
    return hash(jax.tree.structure(self))


def replace(self: T, **changes: Any) -> T:
    """A copy with other values; `dataclasses.replace` that names an unknown field helpfully and skips re-checking."""
    names = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
    new = object.__new__(type(self))
    for name in names:
        object.__setattr__(new, name, getattr(self, name))
    for name, value in changes.items():
        if name not in names:
            raise unknown(f"hyperparameter of {type(self).__name__}", name, names)
        object.__setattr__(new, name, value)
    return new


def make(cls: type[T], **values: Any) -> T:
    """Build a specification from names and values, refusing names it does not have."""
    return cls(**values)


def hyperparameters(cls_or_spec: Any) -> dict[str, dataclasses.Field[Any]]:
    """The hyperparameter fields of a specification (not of its parts), in order."""
    return {f.name: f for f in dataclasses.fields(cls_or_spec) if "domain" in f.metadata}


def search_space(cls_or_spec: Any) -> dict[str, Space]:
    """The declared search space of each hyperparameter that has one."""
    return {n: f.metadata["space"] for n, f in hyperparameters(cls_or_spec).items() if f.metadata["space"]}


def values(self: Any) -> dict[str, float]:
    """Name → value of a specification's hyperparameters."""
    return {name: getattr(self, name) for name in hyperparameters(self)}


def refuse(owner: Any, what: str) -> SettingError:
    """A SettingError that starts with the name of whose setting it is."""
    return SettingError(f"{type(owner).__name__ if not isinstance(owner, str) else owner}: {what}")
