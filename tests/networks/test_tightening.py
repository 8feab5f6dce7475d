import importlib

import numpy as np
import pytest

from qpm_jax.networks import (
    LinearRule,
    NetworkProblem,
    interval_bounds,
    search,
    weight_family,
)
from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.bounds.tightening import tightened_bounds
from qpm_jax.networks.network import preactivations
from qpm_jax.networks.starts.dense_starts import ridge_start

# the package's attribute of that name is the function
solve_module = importlib.import_module("qpm_jax.networks.solve")


def priced(family="ternary", hidden=(2,), **settings):
    random = np.random.default_rng(1)
    labels = np.arange(6) % 2
    data = random.normal(size=(6, 2)) + 4 * labels[:, None] - 2
    return NetworkProblem(
        data, labels, 2, hidden, weight_family(family), l1=0.3, **settings
    )


@pytest.mark.parametrize("family", ["ternary", "bilinear"])
@pytest.mark.parametrize("hidden", [(2,), (2, 2)])
def test_bounds_of_the_relaxation_are_tighter_and_hold(family, hidden):
    problem = priced(family, hidden)
    network = search(problem, ridge_start(problem), 1.0)
    objective = problem.objective(network)
    free = interval_bounds(problem)
    found = tightened_bounds(problem, free, objective, 30)
    for layer, reached in enumerate(preactivations(network, problem.features)):
        assert (reached <= found.upper[layer] + 1e-6).all()
        assert (reached >= found.lower[layer] - 1e-6).all()
        assert (found.upper[layer] <= free.upper[layer]).all()
    assert found.upper[0].sum() < 0.95 * free.upper[0].sum()
    analytic = interval_bounds(problem, objective)
    assert found.upper[0].sum() < 1.02 * analytic.upper[0].sum()


def test_threads_share_the_instances():
    problem = priced()
    free = interval_bounds(problem)
    one = tightened_bounds(problem, free, 1.0, 600)
    two = tightened_bounds(problem, free, 1.0, 600, threads=2)
    assert one.upper[0].sum() < free.upper[0].sum()
    assert np.allclose(one.upper[0], two.upper[0], atol=1e-6)
    assert np.allclose(one.lower[0], two.lower[0], atol=1e-6)


def test_without_time_bounds_stay():
    problem = priced()
    free = interval_bounds(problem)
    same = tightened_bounds(problem, free, 1.0, 0)
    assert np.array_equal(same.upper[0], free.upper[0])


def test_neurons_that_a_rule_singles_out_have_bounds_of_their_own():
    first_is_small = LinearRule(0, np.array([[1.0, 0.0], [0.0, 0.0]]), -0.01, 0.01)
    problem = priced(rules=[first_is_small])
    free = interval_bounds(problem)
    found = tightened_bounds(problem, free, 1.0, 600).upper[0]
    usual = tightened_bounds(priced(), free, 1.0, 600).upper[0]
    assert (found[:, 0] < usual[:, 0] - 0.1).any()
    assert np.allclose(found[:, 1], usual[:, 1])


def test_neurons_of_unlike_bounds_have_bounds_of_their_own():
    problem = priced()
    free = interval_bounds(problem)
    upper = free.upper[0].copy()
    upper[:, 1] = 0.5
    unlike = PreactivationBounds(free.lower, (upper, free.upper[1]))
    found = tightened_bounds(problem, unlike, 1.0, 600).upper[0]
    usual = tightened_bounds(problem, free, 1.0, 600).upper[0]
    assert np.allclose(found[:, 0], usual[:, 0])
    assert (found[:, 1] <= 0.5).all()


@pytest.mark.parametrize(("threads", "used"), [(None, 3), (2, 2)])
def test_without_a_number_of_threads_there_is_one_a_processor(
    threads, used, monkeypatch
):
    asked = []

    def noted(problem, bounds, objective, seconds, threads):
        asked.append(threads)
        return bounds

    monkeypatch.setattr(solve_module, "usable_processors", lambda: 3)
    monkeypatch.setattr(solve_module, "tightened_bounds", noted)
    solve_module.solve(priced(), time_limit=4.0, threads=threads, tightening=0.5)
    assert asked == [used]
