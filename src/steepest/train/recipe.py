"""A recipe: everything a training is told. A frozen dataclass and a pytree; its numbers are leaves."""

from __future__ import annotations

from typing import Any

from steepest.core.errors import SettingError, unknown
from steepest.core.hyper import part
from steepest.core.spec import refuse, replace, spec
from steepest.inits import INITS
from steepest.inits.given import Given
from steepest.losses.softmax import CrossEntropy
from steepest.methods.momentum import Momentum
from steepest.models import PRODUCTS
from steepest.models.linear import Linear
from steepest.penalties.general import general
from steepest.penalties.norms import NoPenalty
from steepest.schedules.decay import Constant
from steepest.techniques import TECHNIQUES
from steepest.techniques.bagging import Bagging
from steepest.train import device

REDUCTIONS = ("mean", "sum")
BATCH_SIZE = 32
DTYPES = ("float32", "float64")
OPTIONAL = ("init", "clip", "average", "stop")  # parts that may be None


@spec
class Recipe:
    """What one training is told.

    **Parts** (their hyperparameters are leaves): `model` Linear or MLP …; `method`; `penalty`; `loss`; `schedule` of
    the rate or momentum; and, where wanted, `init` of the weights (or `Given` weights; None: `initial`), `clip` of the
    gradient, `average` of the weights, `stop` rule; `techniques`, a tuple: each acts within a step, in their order.
    **Structure**: `batch_size` rows a step (None: all of them); `shuffle` the rows each epoch, or keep their order;
    `reduction` of a batch's row losses, "mean" (torch, Keras) or "sum" (sources A and B: the rate must scale with it);
    `dtype` "float32" or "float64"; `products` of a float32 model in "float32", or in "bfloat16": their factors rounded
    to it, sums, weights and all else in float32; "auto": bfloat16 on a GPU (but for users' own models), else float32.

    Recipes that differ in leaves only train together in one compiled program.

    >>> Recipe(method=Momentum(rate=0.1), batch_size=64)
    Recipe(method=Momentum(rate=0.1), batch_size=64)
    """

    model: Any = part(default=Linear())
    method: Any = part(default=Momentum())
    penalty: Any = part(default=NoPenalty())
    loss: Any = part(default=CrossEntropy())
    schedule: Any = part(default=Constant())
    init: Any = part(default=None)
    clip: Any = part(default=None)
    average: Any = part(default=None)
    stop: Any = part(default=None)
    techniques: tuple[Any, ...] = part(default=())
    batch_size: int | None = BATCH_SIZE
    shuffle: bool = True
    reduction: str = "mean"
    dtype: str = "float32"
    products: str = "auto"

    def __post_init__(self) -> None:
        for name, allowed in (("reduction", REDUCTIONS), ("dtype", DTYPES), ("products", PRODUCTS)):
            if getattr(self, name) not in allowed:
                raise unknown(name, str(getattr(self, name)), allowed)
        size = self.batch_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise SettingError(f"batch_size = {size!r}; it must be a whole number of at least 1, or None for all")
        object.__setattr__(self, "techniques", _techniques(self.techniques))
        _check_parts(self)
        if getattr(self.method, "full_batch", False):
            if size not in (None, BATCH_SIZE):
                raise refuse(self.method, f"takes all rows a step; batch_size = {size} goes with SGD instead")
            object.__setattr__(self, "batch_size", None)

    @property
    def initial(self) -> Any:
        """How the weights start: by `init`, or where none is named as the model says (zero if it is linear, mostly He).

        A convex loss needs no chance. With thousands of features random weights drown the first steps: on 2,250 rows
        of 3,072 numbers the best of a grid came to 58 % from He's weights and to 65 % from zero, as in scikit-learn.
        """
        if self.init is not None:
            return self.init
        return INITS[self.model.starts]()

    @property
    def bagging(self) -> Bagging | None:
        """The technique that makes a member an ensemble, where there is one."""
        return next((t for t in self.techniques if isinstance(t, Bagging)), None)

    def decided(self) -> Recipe:
        """The same training, its products decided where they were left to the device."""
        if self.products != "auto" or self.dtype != "float32":
            return self
        rounded = device.accelerated() and _roundable(self)
        return replace(self, products="bfloat16" if rounded else "float32")

    def general(self) -> Recipe:
        """The same training in its most general structure, so that few structures (and compilations) are needed."""
        return replace(self.decided(), penalty=_general(self))


def _general(recipe: Recipe) -> Any:
    return general(recipe.penalty, recipe.method.has_stride, type(recipe.method).__name__)


_NEEDS = {
    "model": "sizes",
    "method": "step",
    "penalty": "prox",
    "loss": "rows",
    "schedule": "apply",
    "init": "weights",
    "clip": "__call__",
    "average": "update",
    "stop": "observe",
}


def _check_parts(recipe: Recipe) -> None:
    """Refuse a part of the wrong kind, and pairings that make no sense, by name."""
    for name, needed in _NEEDS.items():
        value = getattr(recipe, name)
        if value is None and name in OPTIONAL:
            continue
        if name == "method" and getattr(value, "solver", False):
            continue  # refused by whoever cannot run a solver
        if isinstance(value, type) or not hasattr(value, needed):
            shown = value.__name__ if isinstance(value, type) else repr(value)
            raise SettingError(f"Recipe.{name} = {shown}; it must be an instance such as {_example(name)}")
    if getattr(recipe.model, "draws", False) and recipe.init is not None and not isinstance(recipe.init, Given):
        raise refuse(recipe.init, f"{recipe.model!r} draws its own weights, so that an init has no say; leave it out")
    if getattr(recipe.method, "decays", False) and getattr(recipe.penalty, "decoupled", False):
        method, penalty = type(recipe.method).__name__, type(recipe.penalty).__name__
        raise SettingError(f"{method} decays the weights itself, and {penalty} would do so again; use one of the two")
    if not getattr(recipe.method, "solver", False):
        _general(recipe)  # refuses a proximal penalty with a method that has no stride
    if recipe.products != "auto" and recipe.dtype != "float32":
        raise SettingError(
            f"products = {recipe.products}, but dtype = {recipe.dtype}: its products are {recipe.dtype} too; leave "
            "products out"
        )
    if recipe.products == "bfloat16" and not _roundable(recipe):
        steps = not getattr(recipe.method, "solver", False)
        why = f"{recipe.model!r} multiplies in its own way" if steps else "a solver computes in float64"
        raise SettingError(f"products = bfloat16: {why}; take float32, or leave products out")


def _roundable(recipe: Recipe) -> bool:
    """Whether it is for a recipe to say how its products are rounded."""
    return recipe.model.rounds and not getattr(recipe.method, "solver", False)


def _techniques(given: Any) -> tuple[Any, ...]:
    """Techniques as a tuple, each of its kind once (dropouts may act on different layers)."""
    given = tuple(given) if isinstance(given, tuple | list) else (given,)
    for technique in given:
        if isinstance(technique, type) or not hasattr(technique, "extra"):
            shown = technique.__name__ if isinstance(technique, type) else repr(technique)
            raise SettingError(f"Recipe.techniques holds {shown}; it must be instances such as Dropout(rate=0.5)")
    for place, technique in enumerate(given):
        twin = next((one for one in given[:place] if type(one) is type(technique) and not _apart(one, technique)), None)
        if twin is not None:
            name = TECHNIQUES.name_of(technique)
            layers = ", or give each its own layers (layers=1 and layers=2)" if hasattr(technique, "layers") else ""
            raise SettingError(f"techniques: {name} is there twice, acting on the same; keep one{layers}")
    return given


def _apart(one: Any, other: Any) -> bool:
    """Whether two techniques of a kind act on different layers."""
    mine, theirs = (getattr(technique, "layers", None) for technique in (one, other))
    return mine is not None and theirs is not None and not set(mine) & set(theirs)


def _example(name: str) -> str:
    examples = {
        "model": "Linear()",
        "method": "Momentum(rate=0.01)",
        "penalty": "L2(strength=1e-4)",
        "loss": "CrossEntropy()",
        "schedule": "Constant()",
        "init": "He()",
        "clip": "ClipNorm(limit=1.0)",
        "average": "EMA(decay=0.99)",
        "stop": "NoGain(patience=5)",
    }
    return examples[name]


def refuse_solver(recipe: Recipe, where: str) -> None:
    """A solver (coordinate descent) takes no steps; say so by name where only stepping methods can run."""
    if getattr(recipe.method, "solver", False):
        raise refuse(recipe.method, f"is a solver for linear models, not a stepping method; {where} cannot run it")
