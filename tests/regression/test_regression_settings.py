"""What a configuration of the regression experiments may hold."""

import importlib.util

import numpy as np
import pytest

from qpm_jax.regression.experiments import settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": (1,)}, r"config.size does not exist. Did you mean sizes"),
        ({"pbo": {"limit": 1.0}}, "config.pbo.limit does not exist"),
        ({"sizes": ()}, "config.sizes is"),
        ({"sizes": (1.5,)}, "config.sizes is"),
        ({"sizes": 5}, "config.sizes is"),
        ({"threads": True}, "config.threads is True"),
        ({"alpha": "2"}, "config.alpha is '2'"),
        ({"seeds": (0, 0)}, "name each one once"),
        ({"corruptions": (1.0,)}, "config.corruptions holds 1.0"),
        ({"seeds": (0, -1)}, "config.seeds holds -1"),
        ({"threads": 0}, "config.threads is 0; it must be 1 or more"),
        ({"alpha": 0.0}, "config.alpha is 0.0; it must be above 0"),
        ({"beta": np.inf}, "config.beta is inf; it must be above 0"),
        ({"alpha": 9.0}, "config.beta is 5.0; it must be at least config.alpha, 9.0"),
        ({"mip": {"time_limit": -1.0}}, "config.mip.time_limit is -1.0; it must be 0"),
        ({"pbo": {"gap": np.nan}}, "config.pbo.gap is nan; it must be 0 or more"),
        ({"logistic": {"penalty_strength": 0.0}}, "config.logistic.penalty_strength"),
        ({"logistic": {"max_iterations": 0}}, "config.logistic.max_iterations is 0"),
        ({"gradient_descent": {"epochs": 0}}, "config.gradient_descent.epochs is 0"),
        ({"gradient_descent": {"batch_size": 0}}, "gradient_descent.batch_size is 0"),
        ({"gradient_descent": {"learning_rate": 0.0}}, "learning_rate is 0.0"),
        ({"models": ("mpi",)}, "Did you mean mip"),
        ({"mip": {"solver": "cplex"}}, "config.mip.solver is 'cplex'"),
        ({"table": {"name": "mnst"}}, "Did you mean mnist"),
        ({"table": {"draw_from": "test"}}, "There are: all, official_train"),
    ],
)
def test_settings_that_cannot_be_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        settings.from_dict(values)


def test_a_package_that_is_not_installed_is_missed_before_the_first_run(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="the package exact, which is not installed"):
        settings.from_dict({"pbo": {"solver": "exact"}})
    settings.from_dict({"pbo": {"solver": "exact"}, "models": ("mip",)})


def test_keys_take_their_default_and_whole_numbers_stand_for_fractions():
    config = settings.from_dict({"alpha": 5})
    assert config.alpha == 5
    assert config.beta == 5.0
