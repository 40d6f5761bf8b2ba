"""Every method against its rule by hand, in float64; the checks are in `checks.py`, the settings in `cases.py`."""

import pytest
from tests.x64.methods import checks
from tests.x64.methods.cases import CASES, DEFAULTS

from steepest.methods import METHODS

STRIDES = [c for c in CASES if checks.look_up(c.module, c.cls).has_stride]


def test_every_method_has_a_loop_by_hand():
    methods = {METHODS[name] for name in METHODS if name != "coordinate"}
    assert methods <= {checks.look_up(case.module, case.cls) for case in CASES}
    assert methods <= {checks.look_up(*key) for key in DEFAULTS}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_the_loop_by_hand(case):
    checks.check_by_hand(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_takes_the_gradient_where_the_rule_says(case):
    checks.check_look(case)


@pytest.mark.parametrize("case", STRIDES, ids=str)
def test_the_stride_is_the_move_under_a_constant_gradient(case):
    checks.check_stride(case)


@pytest.mark.parametrize(("module", "name"), DEFAULTS)
def test_defaults(module, name):
    checks.check_defaults(module, name)


@pytest.mark.parametrize(
    "check",
    [
        checks.check_delta_bar_delta_tiny,
        checks.check_adamw_leaves,
        checks.check_forms,
        checks.check_averaging,
        checks.check_clipping,
        checks.check_bridge,
    ],
    ids=lambda check: check.__name__,
)
def test_details(check):
    check()
