import numpy as np
import pytest

from steepest.core.errors import SettingError, SteepestError
from steepest.methods import METHODS
from steepest.methods.coordinate import Coordinate
from steepest.methods.quadratic import minimise

X = np.random.default_rng(0).normal(size=(20, 30))
Y = np.arange(20.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"l1": 0.0}, "l1 = l2 = 0; without a penalty there is no duality gap"),
        ({"l1": [0.1, -0.1]}, "l1 and l2 must be finite numbers of at least 0"),
        ({"l1": float("nan")}, "l1 and l2 must be finite numbers of at least 0"),
        ({"l1": [0.1, 0.2], "l2": [1.0, 2.0, 3.0]}, "l1 and l2 must be numbers, or sequences of one length"),
        ({"loss": "hinge"}, "loss = 'hinge'; it must be 'squared' or 'logistic'"),
        ({"X": X[:, 0]}, "X is (20,) and y (20,); they must be [rows, features] and [rows]"),
        ({"y": Y[:-1]}, "X is (20, 30) and y (19,)"),
        ({"X": np.where(X > 2, np.nan, X)}, "X holds NaN or infinity"),
        ({"y": np.where(Y > 3, np.inf, Y)}, "y holds NaN or infinity"),
        ({"row_weights": -Y}, "row_weights must be one finite number of at least 0 a row"),
        ({"row_weights": 0 * Y}, "row_weights must be one finite number of at least 0 a row, some above 0"),
        ({"loss": "logistic", "y": np.zeros(20)}, "classes [0.0]; they must be 0, 1, … with none left out, or −1, 1"),
        ({"loss": "logistic", "y": 2 * (Y > 5)}, "classes [0, 2]"),
    ],
)
def test_what_is_no_problem_is_refused_by_name(change, message):
    settings = {"X": X, "y": Y, "l1": 0.1, **change}
    with pytest.raises(SettingError) as error:
        Coordinate().solve(settings.pop("X"), settings.pop("y"), **settings)
    assert str(error.value).startswith(f"Coordinate: {message}")


def test_stopping_early_is_never_silent():
    with pytest.raises(SteepestError, match=r"Coordinate: l1 = 0.001, l2 = 0: a duality gap of .* after 1 sweeps"):
        Coordinate(max_iter=1).solve(X, Y, l1=0.001)


def test_a_looser_tolerance_stops_sooner():
    path = np.geomspace(1, 1e-3, 10)
    loose, tight = (
        Coordinate(tolerance=t).solve(X, (Y > 9) * 1, l1=0.1 * path, loss="logistic") for t in (1e-2, 1e-10)
    )
    assert loose.iterations.sum() < tight.iterations.sum()
    assert tight.gaps.max() <= 1e-10 < loose.gaps.max() <= 1e-2


def test_settings_out_of_range_are_refused_by_name():
    with pytest.raises(SettingError, match=r"Coordinate\.tolerance = 0; it must be a finite number above 0"):
        Coordinate(tolerance=0.0)
    with pytest.raises(SettingError, match=r"Coordinate\.max_iter = 0; it must be a whole number of at least 1"):
        Coordinate(max_iter=0)


def test_it_is_registered_as_a_solver():
    assert METHODS["coordinate"] is Coordinate
    assert Coordinate.solver
    assert Coordinate.paper
    assert not Coordinate.has_stride


@pytest.mark.parametrize("rank", [3, 10])
def test_the_quadratic_is_minimised_where_it_is_flat_too(rank):
    rng = np.random.default_rng(rank)
    A = rng.normal(size=(rank, 10))
    H, c, penalty = A.T @ A, A.T @ rng.normal(size=rank), np.r_[0.0, np.full(9, 0.2)]
    x, sweeps = minimise(H, c, penalty, np.zeros(10), 500)
    slope = H @ x - c
    assert sweeps < 500
    np.testing.assert_allclose(slope[x != 0], -(penalty * np.sign(x))[x != 0], atol=1e-13)
    assert (np.abs(slope[x == 0]) <= penalty[x == 0] + 1e-13).all()
