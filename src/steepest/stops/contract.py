"""What a stopping rule is: it looks at each epoch's figures of one member and says whether that member is done.

    memory                 = stop.start(dtype)
    memory, done, better   = stop.observe(memory, seen)      after each epoch

`better` marks the epochs whose weights are worth keeping; a rule with `keeps_best` reports the last of those.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp

Array = Any
Tree = Any

MONITORS = ("train_loss", "validation_loss", "validation_accuracy")


class Seen(NamedTuple):
    """One member's figures after an epoch."""

    epoch: Array  # 1, 2, …
    train_loss: Array  # over the epoch, each batch before its step
    validation_loss: Array
    validation_accuracy: Array


class Stop:
    """The contract of a stopping rule. Subclasses are `@spec` classes with a static `monitor`."""

    equation: ClassVar[str] = ""
    keeps_best: ClassVar[bool] = False
    monitor: str

    def start(self, dtype: Any) -> Tree:
        """The memory before the first epoch."""
        del dtype
        return ()

    def observe(self, memory: Tree, seen: Seen) -> tuple[Tree, Array, Array]:
        """New memory, whether to stop, whether these are the best weights so far."""
        raise NotImplementedError

    @property
    def needs_validation(self) -> bool:
        """Whether the rule looks at validation rows."""
        return self.monitor != "train_loss"


def gain(stop: Any, seen: Seen) -> Array:
    """The monitored figure, turned so that more is better."""
    value = getattr(seen, stop.monitor)
    return value if stop.monitor.endswith("accuracy") else -value


def lowest(dtype: Any) -> Array:
    """Worse than any figure."""
    return jnp.array(-jnp.inf, dtype)
