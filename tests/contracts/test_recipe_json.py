"""Every entry of every registry, stored as JSON, comes back as it was."""

import json

import jax
import numpy as np
import optax
import pytest

from steepest.core.errors import DataError, SettingError, SteepestError
from steepest.core.hyper import count
from steepest.core.registry import Registry
from steepest.core.spec import hyperparameters, spec
from steepest.inits.given import Given
from steepest.methods.adam import Adam
from steepest.methods.clipping import ClipNorm
from steepest.methods.momentum import Momentum
from steepest.methods.optax_bridge import Optax
from steepest.models.mlp import MLP
from steepest.penalties.norms import L1, ElasticNet
from steepest.schedules.combine import Chain, Sequence, WarmUp
from steepest.schedules.contract import Schedule
from steepest.schedules.decay import Cosine, Step
from steepest.schedules.switch import MomentumSwitch
from steepest.stops.rules import NoGain
from steepest.techniques import TECHNIQUES
from steepest.techniques.contract import Technique
from steepest.techniques.dropout import InputDropout
from steepest.train.recipe import Recipe
from steepest.train.recipe_json import FIRST, REGISTRIES, recipe_from_json, recipe_to_json

WEIGHTS = {"W": np.array([[0.1, -2.0], [1 / 3, 4.0]], "f4"), "b": np.array([0, 1])}
ENTRIES = [(part, name) for part, registry in REGISTRIES.items() for name in registry]


def through_json(recipe):
    return recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe), allow_nan=False)))


def same(a, b):
    """Equal, and bit for bit: == of recipes compares arrays in float32."""
    assert a == b
    assert repr(a) == repr(b)
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for mine, theirs in zip(jax.tree.leaves(a), jax.tree.leaves(b)):
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype
        assert np.asarray(mine).tobytes() == np.asarray(theirs).tobytes()


def odd(cls):
    """An instance whose every real hyperparameter is a number that decimals do not hold."""
    values = {}
    for name, field in hyperparameters(cls).items():
        domain = field.metadata["domain"]
        if not domain.whole:
            middle = 1 / 3 if domain.low < 1 / 3 else 10 / 3
            values[name] = middle
            assert middle in domain
    return cls(**values)


@pytest.mark.parametrize(("part", "name"), ENTRIES)
def test_every_entry_comes_back(part, name):
    cls = REGISTRIES[part][name]
    for value in [Given(WEIGHTS)] if cls is Given else [cls(), odd(cls)]:
        recipe = Recipe(**{part: value})
        same(through_json(recipe), recipe)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(method=Momentum(), schedule=Chain(MomentumSwitch(), Sequence(Step(every=3), WarmUp(Cosine()), at=0.3))),
        Recipe(model=MLP(widths=(7, 5), activation="leaky-relu", slope=0.2), stop=NoGain(3, monitor="train_loss")),
        Recipe(penalty=ElasticNet(l1=1e-300, l2=0, factor="one", subgradient=True, on="all"), clip=ClipNorm(0.7)),
        Recipe(method=Optax("lion", learning_rate=1e-4, b1=0.95)),
        Recipe(method=Optax("muon", learning_rate=0.02, ns_steps=3)),
        Recipe(batch_size=None, shuffle=False, reduction="sum", dtype="float64"),
        Recipe(init=Given({"layer1": {"W": np.ones((0, 3))}, "dtype": np.ones(2), "tree": {"shape": np.float64(1)}})),
    ],
)
def test_recipes_of_every_kind_come_back(recipe):
    same(through_json(recipe), recipe)


def test_numbers_of_numpy_and_jax_come_back_as_plain_ones():
    again = through_json(Recipe(method=Adam(rate=np.float32(0.1)), penalty=L1(jax.numpy.float32(0.1))))
    same(again, Recipe(method=Adam(rate=float(np.float32(0.1))), penalty=L1(float(np.float32(0.1)))))


@spec
class Mine(Schedule):
    times: int = count(default=1)

    def factor(self, moment, memory):
        return 1.0


@spec
class Needs(Schedule):
    times: int

    def factor(self, moment, memory):
        return 1.0


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(schedule=Mine()), "the schedule Mine has no registered name.*entry-point group steepest.schedules"),
        (Recipe(schedule=Chain(Mine(), Cosine())), "the schedule Mine has no registered name"),
        (Recipe(method=Optax(optax.lion)), "Optax of a function cannot be stored"),
        (Recipe(init=Given([np.ones(2)])), "in a list or tuple cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused(recipe, message):
    with pytest.raises(SettingError, match=message):
        recipe_to_json(recipe)


def changed(path, value):
    stored = json.loads(json.dumps(recipe_to_json(Recipe(method=Adam(), model=MLP(), init=Given(WEIGHTS)))))
    *above, last = path
    inner = stored
    for key in above:
        inner = inner[key]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return stored


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["schema"], "steepest.recipe/2", "newer steepest.*upgrade"),
        (["schema"], "steepest.model/1", "its schema is 'steepest.model/1'"),
        (["schema"], "steepest.recipe/²", "its schema is"),
        (["schema"], None, "its schema is None"),
        (["method", "name"], "adamm", "unknown method 'adamm'; did you mean 'adam'"),
        (["method", "name"], ["adam"], "has the name"),
        (["method", "settings", "rat"], 1.0, "unknown setting of Adam 'rat'"),
        (["method", "settings", "rate"], -1.0, "Adam.rate = -1; it must be"),
        (["method", "settings", "rate"], "0.1", "Adam.rate = '0.1' is no number"),
        (["method", "settings", "rate"], True, "is no number"),
        (["method", "settings", "rate"], [0.1], "is no number"),
        (["method"], None, "method is no name with settings"),
        (["method"], {"name": "adam"}, "method is no name with settings"),
        (["model", "settings", "widths"], "64", "widths = '64' is no tuple"),
        (["model", "settings", "widths"], [-1], "widths"),
        (["model", "settings", "widths"], [[1]], "cannot be read: MLP|widths"),
        (["model", "settings", "activation"], "swish", "unknown activation"),
        (["batch_size"], 0, "batch_size = 0"),
        (["batch_size"], "32", "batch_size = '32'"),
        (["shuffle"], 1, "shuffle = 1"),
        (["reduction"], "max", "unknown reduction"),
        (["dtype"], "float16", "unknown dtype"),
        *(([name], KeyError, f"it has no '{name}'") for name in FIRST),
        (["more"], 1, "unknown part of a recipe 'more'"),
        (["init", "settings", "values", "tree", "W", "shape"], [10**9], "given weights"),
        (["init", "settings", "values", "tree", "W", "dtype"], "O", "given weights"),
        (["init", "settings", "values", "tree", "W", "base64"], "%", "given weights"),
        (["init", "settings", "values", "tree", "W"], 3, "given weights"),
        (["init", "settings", "values"], KeyError, "cannot be read: Given"),
    ],
)
def test_what_is_no_recipe_is_refused_on_one_line(path, value, message):
    with pytest.raises(SteepestError, match=message) as error:
        recipe_from_json(changed(path, value))
    assert "\n" not in str(error.value)


def test_a_recipe_from_before_a_setting_takes_its_default():
    """As files of before there were techniques, batch norm in an MLP, or Adam's delta."""
    told = Recipe(method=Adam(rate=0.3, delta=0.2), model=MLP((5,), norm=True), techniques=InputDropout(rate=0.3))
    stored = json.loads(json.dumps(recipe_to_json(told)))
    del stored["techniques"], stored["model"]["settings"]["norm"], stored["method"]["settings"]["delta"]
    same(recipe_from_json(stored), Recipe(method=Adam(rate=0.3), model=MLP((5,))))


@pytest.mark.parametrize(("part", "name"), ENTRIES)
def test_every_setting_of_every_entry_may_be_newer_than_the_file(part, name):
    cls = REGISTRIES[part][name]
    if cls is Given or cls is Optax:
        return  # arrays and an optimizer's name: nothing stands for them
    recipe = Recipe(**{part: odd(cls)})
    for setting in recipe_to_json(recipe)[part]["settings"]:
        stored = recipe_to_json(recipe)
        del stored[part]["settings"][setting]
        want = getattr(cls(), setting)
        assert getattr(getattr(recipe_from_json(stored), part), setting) == want


@pytest.mark.parametrize("name", [name for name in TECHNIQUES if issubclass(TECHNIQUES[name], Technique)])
def test_a_techniques_settings_may_be_newer_and_none_is_unknown(name):
    stored = json.loads(json.dumps(recipe_to_json(Recipe(techniques=odd(TECHNIQUES[name])))))
    older = {**stored, "techniques": [{**stored["techniques"][0], "settings": {}}]}
    same(recipe_from_json(older), Recipe(techniques=TECHNIQUES[name]()))
    stored["techniques"][0]["settings"]["strenght"] = 1.0
    with pytest.raises(SettingError, match=f"unknown setting of {TECHNIQUES[name].__name__} 'strenght'"):
        recipe_from_json(stored)


def test_a_setting_without_a_default_is_needed(monkeypatch):
    monkeypatch.setitem(REGISTRIES, "schedule", Registry("schedule", {"needs": f"{__name__}:Needs"}))
    stored = recipe_to_json(Recipe(schedule=Needs(2)))
    del stored["schedule"]["settings"]["times"]
    with pytest.raises(DataError, match="cannot be read: Needs has no 'times'"):
        recipe_from_json(stored)


@pytest.mark.parametrize("stored", [None, [], "recipe", 3, {}])
def test_other_json_is_no_recipe(stored):
    with pytest.raises(DataError, match="the recipe cannot be read"):
        recipe_from_json(stored)


def test_optax_settings_are_checked():
    stored = recipe_to_json(Recipe(method=Optax("lion", learning_rate=0.1)))
    for settings, message in [
        ({"optimizer": "lyon", "rate": 0.1}, "unknown optax optimizer 'lyon'"),
        ({"optimizer": "lion", "rate": "x"}, "a name and a rate|optimizer's name and a rate"),
        ({"optimizer": "lion", "rate": 0.1, "learning_rate": 1}, "optimizer's name and a rate"),
        ({"optimizer": "lion", "rate": 0.1, "beta": 1}, "unknown setting of optax.lion 'beta'"),
        ({"optimizer": "lion", "rate": -0.1}, "Optax.rate = -0.1"),
    ]:
        with pytest.raises(SteepestError, match=message):
            recipe_from_json({**stored, "method": {"name": "optax", "settings": settings}})
