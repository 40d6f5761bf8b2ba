"""Stopping rules by themselves: figures in, decisions out, against a loop by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from steepest import STOPS, NoGain, Reached, SettingError
from steepest.stops.contract import MONITORS, Seen

LOSSES = [3.0, 2.0, 2.0, 1.9, 1.95, float("nan"), 1.89, 2.5, 2.6, 2.7]


def play(stop, figures):
    """(done, better) after each epoch."""
    memory, said = stop.start(jnp.float32), []
    for epoch, figure in enumerate(figures, 1):
        nothing = jnp.nan
        seen = Seen(jnp.asarray(float(epoch)), nothing, nothing, nothing)._replace(
            **{stop.monitor: jnp.float32(figure)}
        )
        memory, done, better = stop.observe(memory, seen)
        said.append((bool(done), bool(better)))
    return said


def no_gain_by_hand(figures, patience, least):
    best, waited, said = None, 0, []
    for figure in figures:
        better = not np.isnan(figure) and (best is None or figure < best - least)
        best, waited = (figure, 0) if better else (best, waited + 1)
        said.append((waited >= patience, better))
    return said


@pytest.mark.parametrize("least", [0.0, 0.06, 1.5])
@pytest.mark.parametrize("patience", [1, 2, 3])
def test_no_gain_waits_its_epochs(patience, least):
    for monitor in ("train_loss", "validation_loss"):
        stop = NoGain(patience=patience, least=least, monitor=monitor)
        assert play(stop, LOSSES) == no_gain_by_hand(LOSSES, patience, least)
    rising = NoGain(patience=patience, least=least, monitor="validation_accuracy")
    assert play(rising, [-loss for loss in LOSSES]) == no_gain_by_hand(LOSSES, patience, least)


def test_a_first_figure_that_is_no_number_is_no_best():
    assert play(NoGain(patience=2), [float("nan"), float("inf"), 1.0]) == [(False, False), (True, False), (False, True)]


def test_reached_at_the_target_itself():
    assert [done for done, _ in play(Reached(target=1.9), LOSSES)] == [False] * 3 + [True] + [False] * 2 + [True] + [
        False
    ] * 3
    up = Reached(target=0.5, monitor="validation_accuracy")
    assert [done for done, _ in play(up, [0.4, 0.5, 0.6, float("nan")])] == [False, True, True, False]
    assert [done for done, _ in play(Reached(target=1.0, monitor="validation_loss"), [1.5, 0.9])] == [False, True]


def test_what_makes_no_sense_is_refused_by_name():
    with pytest.raises(SettingError, match=r"NoGain\.patience = 0; it must be a whole number of at least 1"):
        NoGain(patience=0)
    with pytest.raises(SettingError, match=r"NoGain\.patience = 2\.5"):
        NoGain(patience=2.5)
    with pytest.raises(SettingError, match=r"NoGain\.least = -0\.1"):
        NoGain(least=-0.1)
    with pytest.raises(SettingError, match=r"Reached\.target = nan"):
        Reached(target=float("nan"))
    for cls in (NoGain, Reached):
        with pytest.raises(
            SettingError,
            match=f"unknown {cls.__name__}.monitor 'val_loss'; did you mean .*? Known: {', '.join(MONITORS)}",
        ):
            cls(monitor="val_loss")


@pytest.mark.parametrize("name", list(STOPS))
def test_a_rule_says_what_it_is_and_what_it_needs(name):
    cls = STOPS[name]
    assert cls.equation
    assert [cls(monitor=m).needs_validation for m in MONITORS] == [False, True, True]
    assert STOPS.name_of(cls()) == name
