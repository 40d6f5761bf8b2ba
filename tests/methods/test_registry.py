"""Names are known without JAX, and a wrong one is answered with the nearest."""

import subprocess
import sys

import pytest

from steepest.core.errors import SettingError
from steepest.methods import METHODS

SOURCES = ["gd", "sgd", "momentum", "nesterov", "delta-bar-delta", "adagrad", "adadelta", "rmsprop", "rmsprop-nesterov",
           "adam", "adamw", "amsgrad", "coordinate"]  # fmt: skip


def test_every_method_of_the_sources_has_its_name():
    assert set(SOURCES) <= set(METHODS.names())


def test_names_need_no_jax():
    code = (
        "import sys; from steepest.methods import METHODS; from steepest.schedules import SCHEDULES; "
        "print(len(METHODS.names()) > 5, len(SCHEDULES.names()) > 5, 'jax' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "True", "False"]


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(SettingError, match=r"unknown method 'nestrov'; did you mean 'nesterov'\? Known: gd, sgd"):
        METHODS["nestrov"]


def test_gd_wants_all_rows_and_sgd_does_not():
    assert METHODS["gd"].full_batch
    assert not METHODS["sgd"].full_batch
    assert not METHODS["adam"].full_batch
