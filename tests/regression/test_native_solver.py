"""The native solver: true bounds, true proofs, and an end in every case."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from qpm_jax.regression.native import relaxation
from qpm_jax.regression.native import search as native_search
from qpm_jax.regression.native import solver as native
from qpm_jax.regression.native.program import BlockAnswer
from qpm_jax.regression.native.solver import solve_native
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
    solution = solve_native(problem, 600)
    assert solution.status == "optimal"
    assert solution.objective == least_objective(problem)
    assert solution.bound == solution.objective


def test_the_bound_is_never_above_the_objective_and_only_rises():
    problem = random_problem(1, instances=24, features=16, classes=4)
    news = []
    solve_native(problem, 600, max_rounds=4, progress=lambda *seen: news.append(seen))
    objectives, bounds, seconds = map(np.array, zip(*news, strict=True))
    assert (bounds <= objectives).all()
    assert (np.diff(bounds[np.isfinite(bounds)]) >= 0).all()
    assert (np.diff(objectives) <= 0).all()
    assert (np.diff(seconds) >= 0).all()


def test_the_same_seed_gives_the_same_model():
    problem = random_problem(1, instances=24, features=16, classes=4)
    first, second = (solve_native(problem, 600, seed=7, max_rounds=3) for _ in range(2))
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    np.testing.assert_array_equal(first.intercepts, second.intercepts)


def test_no_time_gives_zero_weights_and_the_bound_of_even_prices():
    problem = random_problem(3, instances=30, features=12, classes=3)
    solution = solve_native(problem, time_limit=0)
    assert solution.status == "no_incumbent"
    assert not solution.coefficients.any()
    assert -np.inf < solution.bound <= solution.objective


def test_an_interrupt_returns_the_model_known_by_then():
    def interrupt(objective, bound, seconds):
        raise KeyboardInterrupt

    solution = solve_native(random_problem(0), 600, progress=interrupt)
    assert solution.status == "interrupted"


@pytest.mark.parametrize("begins", ["merge", "zero_model", "price_bound"])
def test_an_interrupt_before_there_is_a_model_returns_zero_weights(monkeypatch, begins):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(native, begins, pressed)
    solution = solve_native(random_problem(0), 600)
    assert (solution.status, solution.bound) == ("interrupted", -np.inf)
    assert not solution.coefficients.any()
    assert not solution.intercepts.any()
    assert solution.objective == 0


def test_blas_runs_on_one_thread_while_solving_and_is_given_back():
    def threads() -> list[int]:
        return [
            pool["num_threads"]
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ]

    seen = []
    with threadpool_limits(2, "blas"):
        before = threads()
        solve_native(random_problem(0), 600, progress=lambda *_: seen.append(threads()))
        assert threads() == before
    assert all(count == 1 for counts in seen for count in counts)


def test_the_solve_ends_at_the_gap_asked_for():
    problem = random_problem(11, instances=20, features=10, classes=3)
    solution = solve_native(problem, 600, gap=0.5)
    assert solution.status in ("gap_reached", "optimal")
    assert solution.gap <= 0.5


@pytest.mark.parametrize("joint", [0, 10**9])
def test_the_search_by_classes_ends_at_the_same_proof(monkeypatch, joint):
    monkeypatch.setattr(native, "_SMALL", 0)
    monkeypatch.setattr(native_search, "_JOINT_WORK", joint)
    problem = random_problem(1, instances=24, features=16, classes=4)
    solution = solve_native(problem, 600)
    assert solution.status == "optimal"
    assert solution.objective == -28


def test_dives_alone_prove_what_is_nearly_proven(monkeypatch):
    monkeypatch.setattr(native, "_SMALL", 0)
    monkeypatch.setattr(native, "_PROVABLE", 0)
    problem = random_problem(1, instances=24, features=16, classes=4)
    solution = solve_native(problem, 600)
    assert solution.status == "optimal"
    assert solution.objective == -28


def test_the_search_by_classes_alone_only_improves_and_keeps_the_bound(monkeypatch):
    monkeypatch.setattr(native, "_SMALL", 0)
    monkeypatch.setattr(native, "_PROVABLE", 0)
    monkeypatch.setattr(native, "_NEARLY_PROVEN", -1)
    problem = random_problem(1, instances=24, features=16, classes=4)
    news = []
    solution = solve_native(
        problem, 600, max_rounds=24, progress=lambda *seen: news.append(seen[0])
    )
    assert solution.status == "time_limit"
    assert solution.bound == -29
    assert -28 <= solution.objective <= -22
    assert news == sorted(news, reverse=True)


def test_a_problem_without_time_for_the_relaxation_still_has_an_answer(monkeypatch):
    monkeypatch.setattr(
        relaxation,
        "solve_block",
        lambda *_: BlockAnswer(None, -np.inf, np.array([]), False),
    )
    problem = random_problem(1, instances=24, features=16, classes=4)
    solution = solve_native(problem, 600)
    assert solution.status == "no_incumbent"
    assert solution.bound == -70


def test_large_problems_have_a_model_before_the_relaxation_is_solved(monkeypatch):
    monkeypatch.setattr(native, "_PROVABLE", 0)
    monkeypatch.setattr(native, "relax", lambda *_: None)
    problem = random_problem(1, instances=24, features=16, classes=4)
    solution = solve_native(problem, 600)
    assert solution.status == "time_limit"
    assert -28 <= solution.objective < 0


def test_once_the_relaxation_is_rounded_there_is_more_than_zero_weights():
    problem = random_problem(1, instances=24, features=16, classes=4)
    assert solve_native(problem, 600, max_rounds=1).status == "time_limit"


def test_problems_may_have_whole_features_and_unequal_classes():
    random = np.random.default_rng(4)
    problem = RegressionProblem(
        random.integers(-2, 4, (14, 4)), np.arange(14) % 3 // 2, 2, 1.5, 2.5
    )
    solution = solve_native(problem, 600)
    assert solution.status == "optimal"
    assert solution.objective == problem.objective(
        solution.coefficients, solution.intercepts
    )


def test_flags_are_proven_optimal(shared):
    table = np.genfromtxt(shared("data/flags/flags.tsv"), delimiter="\t", skip_header=1)
    labels = np.unique(table[:, 0], return_inverse=True)[1]
    chosen = np.concatenate([np.flatnonzero(labels == c)[:2] for c in range(5)])
    problem = RegressionProblem(
        (table[chosen, 1:] > 0).astype(int), labels[chosen], 5, 2.0, 5.0
    )
    assert solve_native(problem, 600).status == "optimal"


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
    solution = solve_native(problem, 600)
    assert np.abs(solution.intercepts).max() <= bound
    assert solution.status == "optimal"
