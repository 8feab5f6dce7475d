"""The native solver: true bounds, true proofs, and an end in every case."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression.native import solve_native
from qpm_jax.regression.problem import RegressionProblem


def random_problem(seed, instances=8, features=3, classes=2, alpha=2.0, beta=5.0):
    random = np.random.default_rng(seed)
    labels = np.arange(instances) % classes
    return RegressionProblem(
        random.integers(0, 2, (instances, features)), labels, classes, alpha, beta
    )


def least_objective(problem, reach=6):
    """Every ternary model with intercepts in −reach … reach, the first at 0."""
    classes, features = problem.num_classes, problem.features.shape[1]
    offsets = np.array(
        list(itertools.product(range(-reach, reach + 1), repeat=classes - 1))
    )
    least = np.inf
    for weights in itertools.product((-1, 0, 1), repeat=classes * features):
        matrix = np.array(weights).reshape(classes, features)
        for offset in offsets:
            value = problem.objective(matrix, np.append(0, offset))
            least = min(least, value)
    return least


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_small_problem_is_proven_at_the_least_objective_of_all_models(seed):
    problem = random_problem(seed, instances=6, features=2)
    solution = solve_native(problem, time_limit=20)
    assert solution.status == "optimal"
    assert solution.objective == least_objective(problem)
    assert solution.bound == solution.objective


def test_the_bound_is_never_above_the_objective_and_only_rises():
    problem = random_problem(3, instances=30, features=12, classes=3)
    news = []
    solve_native(problem, 10, max_rounds=4, progress=lambda *seen: news.append(seen))
    objectives, bounds, seconds = map(np.array, zip(*news, strict=True))
    assert (bounds <= objectives).all()
    assert (np.diff(bounds[np.isfinite(bounds)]) >= 0).all()
    assert (np.diff(objectives) <= 0).all()
    assert (np.diff(seconds) >= 0).all()


def test_the_same_seed_gives_the_same_model():
    problem = random_problem(5, instances=30, features=12, classes=3)
    first, second = (solve_native(problem, 30, seed=7, max_rounds=3) for _ in range(2))
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    np.testing.assert_array_equal(first.intercepts, second.intercepts)


def test_no_time_gives_a_model_without_a_bound():
    solution = solve_native(random_problem(0), time_limit=0)
    assert solution.status == "time_limit"
    assert solution.bound == -np.inf
    assert solution.gap == np.inf


def test_an_interrupt_returns_the_model_known_by_then():
    def interrupt(objective, bound, seconds):
        raise KeyboardInterrupt

    solution = solve_native(random_problem(0), 10, progress=interrupt)
    assert solution.status == "interrupted"


def test_the_solve_ends_at_the_gap_asked_for():
    problem = random_problem(11, instances=40, features=20, classes=4)
    solution = solve_native(problem, 20, gap=0.5)
    assert solution.status in ("gap_reached", "optimal")
    assert solution.gap <= 0.5


@pytest.mark.parametrize("bound", [0, 1])
def test_a_given_intercept_bound_is_kept(bound):
    random = np.random.default_rng(1)
    problem = RegressionProblem(
        random.integers(0, 2, (9, 3)),
        np.array([0, 1, 2] * 3),
        3,
        2.0,
        5.0,
        intercept_bound=bound,
    )
    solution = solve_native(problem, 20)
    assert np.abs(solution.intercepts).max() <= bound
    assert solution.status == "optimal"
