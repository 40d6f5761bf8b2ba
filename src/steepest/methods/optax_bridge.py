"""Both ways between steepest and optax: our methods in anybody's loop, and any optax optimizer as a method."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import Hyper, part, rate
from steepest.core.spec import spec
from steepest.methods.contract import Array, Method, Tree


class BridgeState(NamedTuple):
    """State of `as_optax`: the steps done and the method's memory."""

    steps: Array
    memory: Tree


def as_optax(method: Method) -> optax.GradientTransformation:
    """The method as an `optax.GradientTransformation`: `init(params)`, `update(grads, state, params)`.

    optax takes the gradient at the weights the loop holds. So for a method that looks ahead (Nesterov, RMSProp with
    Nesterov momentum) the loop holds the look-ahead point φ = θ + αv, as Keras does, and θ itself is
    `weights(method, φ, state)`. For all other methods φ is θ.

    **Raises** SettingError where `update` is called without params.

    >>> from steepest.methods.sgd import SGD
    >>> tx = as_optax(SGD(rate=0.5))
    >>> updates, _ = tx.update({"W": jnp.array(3.0)}, tx.init({"W": jnp.array(1.0)}), {"W": jnp.array(1.0)})
    >>> updates["W"].item()
    -1.5
    """

    def init(params: Tree) -> BridgeState:
        return BridgeState(jnp.zeros((), jnp.int32), method.start(params))

    def update(updates: Tree, state: Any, params: Tree | None = None) -> tuple[Tree, BridgeState]:
        if params is None:
            raise SettingError(f"{type(method).__name__} needs the weights: call update(grads, state, params)")
        t = state.steps + 1
        theta, memory = method.step(updates, state.memory, weights(method, params, state), t)
        held = method.look(theta, memory)
        return jax.tree.map(jnp.subtract, held, params), BridgeState(t, memory)

    return optax.GradientTransformation(init, update)


def weights(method: Method, held: Tree, state: BridgeState) -> Tree:
    """θ, from what a loop with `as_optax(method)` holds; the same thing unless the method looks ahead."""
    offset = method.look(jax.tree.map(jnp.zeros_like, held), state.memory)  # look adds what the memory says to θ
    return jax.tree.map(jnp.subtract, held, offset)


@spec
class Optax(Method):
    """Any optax optimizer as a method: `Optax("lion", learning_rate=1e-4, b1=0.95)`.

    `optimizer` is a name in `optax` or `optax.contrib`, or a function like theirs that takes `learning_rate`. The
    learning rate is our `rate`, so every schedule acts on it. Settings that are real numbers are leaves: they may
    differ between the members of a population, and a change compiles nothing anew. All others (True, None, "name", a
    whole number where optax's default is one, as `ns_steps` of Muon) are structure.

    **Differs from** calling optax: nothing; the updates are the same. It has no stride, so no proximal penalty.

    **Raises** SettingError for a name or a setting optax does not have, a number that is not finite, an optimizer that
    needs more than gradients (L-BFGS), or one that branches on a setting's value (then it cannot be a leaf).

    >>> Optax("lion", learning_rate=1e-4)
    Optax(rate=0.0001, optimizer='lion')
    """

    equation: ClassVar[str] = "as optax"
    paper: ClassVar[str] = "see optax's documentation"
    has_stride: ClassVar[bool] = False

    rate: Hyper = rate(default=1e-3)
    optimizer: str | Callable[..., optax.GradientTransformation] = "sgd"
    settings: dict[str, Any] = part(default_factory=dict)
    options: tuple[tuple[str, Any], ...] = ()

    def __init__(self, optimizer: str | Callable[..., Any], learning_rate: Hyper = 1e-3, **settings: Any) -> None:
        parameters = inspect.signature(_factory(optimizer)).parameters
        for name in settings:
            if name not in parameters:
                raise unknown(f"setting of {_title(optimizer)}", name, parameters)
        for name, parameter in parameters.items():
            if parameter.default is inspect.Parameter.empty and name not in {"learning_rate", *settings}:
                raise SettingError(f"{_title(optimizer)} cannot do without {name}; give it as a setting")
        leaves = {name: value for name, value in settings.items() if _is_leaf(value, parameters[name])}
        options = {name: value for name, value in settings.items() if name not in leaves}
        object.__setattr__(self, "rate", learning_rate)
        object.__setattr__(self, "optimizer", optimizer)
        object.__setattr__(self, "settings", {name: _finite(optimizer, name, v) for name, v in leaves.items()})
        object.__setattr__(
            self, "options", tuple((name, _fixed(optimizer, name, options[name])) for name in sorted(options))
        )
        self.__post_init__()  # the domain of the rate, as in every specification

    def __post_init__(self) -> None:
        """Nothing beyond the domains, which `spec` checks here."""

    def start(self, params: Tree) -> Tree:
        try:
            transformation = self._transformation()
            memory = transformation.init(params)
            jax.eval_shape(transformation.update, params, memory, params)
        except jax.errors.ConcretizationTypeError as error:
            raise SettingError(
                f"{_title(self.optimizer)} branches on the value of one of its settings ({', '.join(self.settings)}), "
                "so they cannot be hyperparameters; fix them in a function and give that as the optimizer"
            ) from error
        except (TypeError, ValueError) as error:
            raise SettingError(f"{_title(self.optimizer)} needs more than gradients and weights: {error}") from error
        return memory

    def step(self, grads: Tree, memory: Tree, params: Tree, t: Array) -> tuple[Tree, Tree]:
        del t
        updates, memory = self._transformation().update(grads, memory, params)
        return optax.apply_updates(params, updates), memory

    def _transformation(self) -> optax.GradientTransformation:
        return _factory(self.optimizer)(learning_rate=self.rate, **self.settings, **dict(self.options))


def _factory(optimizer: str | Callable[..., Any]) -> Callable[..., Any]:
    if callable(optimizer):
        if "learning_rate" not in inspect.signature(optimizer).parameters:
            raise SettingError(f"{_title(optimizer)} takes no learning_rate; give a function that does")
        return optimizer
    for room in (optax, optax.contrib):
        found: Any = vars(room).get(optimizer)  # getattr would warn of optax's deprecated names
        if _is_optimizer(found):
            return found
    raise unknown("optax optimizer", optimizer, optimizers())


def optimizers() -> list[str]:
    """The names `Optax` knows: every function of optax and optax.contrib that takes a learning rate."""
    rooms = (optax, optax.contrib)
    return sorted(
        {name for room in rooms for name, value in vars(room).items() if _is_optimizer(value) and name[0] != "_"}
    )


def _is_optimizer(value: Any) -> bool:
    if not inspect.isfunction(value) or value.__name__.startswith(("_", "scale_by")):
        return False  # scale_by_… is a piece of an optimizer
    return "learning_rate" in inspect.signature(value).parameters


def _title(optimizer: Any) -> str:
    return f"optax.{optimizer}" if isinstance(optimizer, str) else getattr(optimizer, "__name__", repr(optimizer))


def _is_leaf(value: Any, parameter: inspect.Parameter) -> bool:
    """Whether a setting is a real number of the update rule, and not a switch, a count or a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        real = any(word in str(parameter.annotation) for word in ("float", "ArrayLike"))
        return isinstance(parameter.default, float) or (real and not isinstance(parameter.default, int))
    return isinstance(value, float) or (np.ndim(value) == 0 and isinstance(getattr(value, "dtype", None), np.dtype))


def _finite(optimizer: Any, name: str, value: Any) -> float:
    if not math.isfinite(value):
        raise SettingError(f"{_title(optimizer)}: {name} = {value}; it must be a finite number")
    return float(value)


def _fixed(optimizer: Any, name: str, value: Any) -> Any:
    try:
        hash(value)
    except TypeError as error:
        raise SettingError(
            f"{_title(optimizer)}: {name} cannot be a {type(value).__name__}; "
            "fix it in a function and give that as the optimizer"
        ) from error
    return value
