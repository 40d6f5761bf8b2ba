"""What compiles anew: a structure or a shape, never a value."""

import jax
import numpy as np
import pytest

import steepest as st
from steepest.core.stack import structure
from steepest.study import source as sources
from steepest.study.replicate import draw_of, draw_replicate
from steepest.train import loop
from steepest.train.population import train
from steepest.train.scoring import score

Y = np.arange(40) % 2
SOURCE = sources.from_arrays(np.random.default_rng(1).normal(size=(40, 3)), Y, regression=False)
FULL = st.Recipe(
    model=st.MLP(widths=(4,), activation="leaky-relu"),
    method=st.Adam(),
    penalty=st.ElasticNet(),
    schedule=st.WarmUp(),
    clip=st.ClipNorm(),
    average=st.EMA(),
    stop=st.NoGain(patience=5, least=0.1),
    batch_size=8,
)


@pytest.fixture(scope="module")
def replicate():
    return draw_replicate(SOURCE, draw_of(SOURCE, 0, 0.25, 0.2, False), 0)


def variants(recipe):
    """The recipe with each of its leaves changed in turn, named by its path."""
    found, treedef = jax.tree_util.tree_flatten_with_path(recipe)
    leaves = [leaf for _, leaf in found]
    for place, (path, leaf) in enumerate(found):
        other = leaf + 1 if isinstance(leaf, int) else leaf * 0.5 + 0.01
        yield jax.tree_util.keystr(path), jax.tree.unflatten(treedef, [*leaves[:place], other, *leaves[place + 1 :]])


def test_changing_any_value_compiles_nothing(replicate):
    train([FULL], replicate, 2, 4)
    compiled = []
    sizes = [program._cache_size() for program in (loop.epoch, loop.begin, loop.finish, score)]
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, *_, **__: compiled.append(name) if name.endswith("backend_compile_duration") else None
    )
    names = []
    for name, recipe in variants(FULL):
        names.append(name)
        train([recipe], replicate, 2, 4)
        assert compiled == [], f"a new {name} compiled something"
    train([recipe for _, recipe in variants(FULL)][:3], replicate, 3, 4)
    assert [program._cache_size() for program in (loop.epoch, loop.begin, loop.finish, score)] == sizes
    assert compiled == []
    for leaf in (".method.rate", ".penalty.l1", ".clip.limit", ".average.decay", ".stop.patience", ".model.slope"):
        assert leaf in names
    train([FULL], replicate, 2, 8)  # another width does
    assert compiled, "nothing was counted"


def test_penalties_of_one_family_and_all_values_share_a_structure():
    penalties = [st.NoPenalty(), st.L1(0.1), st.L2(0.2), st.L2(0.2, factor="one"), st.ElasticNet(l1=0.3, l2=0.4)]
    made = {structure(st.Recipe(penalty=penalty).general()) for penalty in penalties}
    assert len(made) == 1
    assert structure(st.Recipe(penalty=st.L2(0.2, on="all")).general()) not in made


def test_the_general_form_trains_to_the_same_weights(replicate):
    for penalty in (st.L1(0.1), st.L2(0.1, factor="one")):  # the others: tests/x64/train
        recipe = st.Recipe(penalty=penalty, batch_size=8)
        plain, general = (train([one], replicate, 3, 2) for one in (recipe, recipe.general()))
        np.testing.assert_allclose(plain.params["W"], general.params["W"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", list(st.METHODS))
def test_a_method_meets_the_penalties_it_can(name):
    method = st.METHODS[name]()
    if name == "coordinate":
        return
    if method.has_stride:
        assert isinstance(st.Recipe(method=method, penalty=st.L1(0.1)).general().penalty, st.ElasticNet)
    else:
        with pytest.raises(st.SettingError, match=f"L1: needs a method with a stride, and {type(method).__name__}"):
            st.Recipe(method=method, penalty=st.L1(0.1))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"batch_size": 0}, r"batch_size = 0; it must be a whole number of at least 1, or None"),
        (
            {"products": "bfloat16", "method": st.Coordinate()},
            "^products = bfloat16: a solver computes in float64; take float32, or leave products out",
        ),
        ({"batch_size": 2.5}, r"batch_size = 2\.5"),
        ({"batch_size": True}, r"batch_size = True"),
        ({"reduction": "max"}, r"unknown reduction 'max'; known: mean, sum"),
        ({"dtype": "float16"}, r"unknown dtype 'float16'"),
        ({"method": st.SGD}, r"Recipe\.method = SGD; it must be an instance such as Momentum\(rate=0\.01\)"),
        ({"penalty": 0.1}, r"Recipe\.penalty = 0\.1; it must be an instance such as L2"),
        ({"stop": "early"}, r"Recipe\.stop = 'early'; it must be an instance such as NoGain"),
    ],
)
def test_a_recipe_of_wrong_parts_is_refused_by_name(wrong, says):
    with pytest.raises(st.SettingError, match=says):
        st.Recipe(**wrong)


def test_gradient_descent_sees_all_rows():
    assert st.Recipe(method=st.GD()).batch_size is None
    assert st.Recipe(method=st.SGD()).batch_size == 32


def test_weights_are_not_decayed_twice():
    with pytest.raises(st.SettingError, match="AdamW decays the weights itself, and WeightDecay would do so again"):
        st.Recipe(method=st.AdamW(), penalty=st.WeightDecay())


def test_gradient_descent_refuses_a_batch_size():
    with pytest.raises(st.SettingError, match="GD: takes all rows a step; batch_size = 7"):
        st.Recipe(method=st.GD(), batch_size=7)
