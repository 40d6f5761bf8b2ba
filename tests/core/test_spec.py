"""Specifications: frozen, checked when made, pytrees whose leaves are the hyperparameters."""

from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np
import pytest

from steepest.core.errors import SettingError
from steepest.core.hyper import count, fraction, part, rate
from steepest.core.spec import hyperparameters, replace, search_space, spec
from steepest.core.stack import member, stack, structure


@spec
class Inner:
    share: float = fraction(0.5)
    form: str = "a"

    def __post_init__(self) -> None:
        if self.form not in ("a", "b"):
            raise SettingError(f"Inner.form = {self.form!r}; it must be 'a' or 'b'")


@spec
class Derived(Inner):
    times: int = count(3)

    def __post_init__(self) -> None:
        if self.times == 13:
            raise SettingError("Derived.times = 13; choose another")


@spec
class Outer:
    rate: float = rate(0.1)
    inner: Inner = part(Inner())


def test_hyperparameters_are_leaves_and_the_rest_is_structure():
    assert jax.tree.leaves(Outer(rate=0.3, inner=Inner(share=0.2, form="b"))) == [0.3, 0.2]
    assert structure(Outer(rate=0.3)) == structure(Outer(rate=0.4))
    assert structure(Outer()) != structure(Outer(inner=Inner(form="b")))
    assert hash(Outer(rate=0.3)) == hash(Outer(rate=0.3))
    assert Outer(rate=0.3) == Outer(rate=0.3) != Outer(rate=0.4)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "fast", None, True])
def test_a_rate_out_of_its_domain_is_refused_by_name(value):
    with pytest.raises(SettingError, match=r"Outer\.rate = .*it must be a finite number above 0"):
        Outer(rate=value)


@pytest.mark.parametrize(("value", "fits"), [(0.0, True), (0.999, True), (1.0, False), (-0.1, False)])
def test_the_ends_of_a_fraction(value, fits):
    if fits:
        assert Inner(share=value).share == value
    else:
        with pytest.raises(SettingError, match=r"Inner\.share"):
            Inner(share=value)


def test_a_whole_number_is_whole():
    with pytest.raises(SettingError, match=r"Derived\.times = 2\.5; it must be a whole number of at least 1"):
        Derived(times=2.5)


def test_a_subclass_keeps_the_checks_it_inherits():
    with pytest.raises(SettingError, match=r"Inner\.form"):
        Derived(form="c")
    with pytest.raises(SettingError, match="13"):
        Derived(times=13)


def test_numpy_numbers_are_numbers():
    assert Outer(rate=np.float32(0.5)).rate == 0.5
    with pytest.raises(SettingError):
        Outer(rate=np.float64(-0.5))


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outer().rate = 1.0  # type: ignore[misc]


def test_stack_puts_a_member_axis_in_front_and_member_takes_it_off():
    stacked = stack([Outer(rate=r) for r in (0.1, 0.2, 0.3)])
    assert stacked.rate.shape == (3,)
    assert stacked.rate.dtype == np.float32
    assert member(stacked, 1).rate == np.float32(0.2)
    with pytest.raises(ValueError, match="one structure"):
        stack([Outer(), Outer(inner=Inner(form="b"))])


def test_a_misspelt_setting_is_refused_with_what_there_is():
    with pytest.raises(SettingError, match=r"unknown setting of Outer 'rat'; did you mean 'rate'\?"):
        Outer(rat=0.1)


def test_replace_names_an_unknown_field():
    assert replace(Outer(), rate=0.7).rate == 0.7
    with pytest.raises(SettingError, match="did you mean 'rate'"):
        replace(Outer(), rat=0.7)


def test_what_is_declared_can_be_read():
    assert list(hyperparameters(Outer)) == ["rate"]
    assert search_space(Outer)["rate"].log
    assert repr(Outer(rate=0.2)) == "Outer(rate=0.2)"
    assert repr(Outer()) == "Outer()"
