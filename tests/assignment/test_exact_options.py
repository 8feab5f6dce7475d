"""Ternary assignments, a minimum of classes a feature, and what goes with them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax import assignment
from qpm_jax.assignment import exact
from qpm_jax.assignment.fixed_selection import assign_selection, serve_all
from qpm_jax.assignment.result import check, make_assignment

CHANGES = {
    "plain": {},
    "ternary": {"ternary": True},
    "min_classes": {"min_classes": 2},
    "ternary and min_classes": {"ternary": True, "min_classes": 2},
    "sizes": {"per_class": [1, 2, 2, 3], "min_classes": 1},
    "forced": {"forced_in": (1,), "forced_out": (4,), "min_classes": 2},
    "all": {
        "ternary": True,
        "per_class": [1, 2, 2, 3],
        "forced_in": (1,),
        "forced_out": (4,),
        "min_classes": 2,
    },
}


def tiny_problem(seed, **changes):
    random = np.random.default_rng(seed)
    # Two kinds of classes and one of signs, so that equal rows are common.
    likes = np.abs(random.normal(size=(6, 2)))[:, [0, 0, 1, 0]]
    senses = np.where(random.uniform(size=(6, 4)) < 0.2, -1.0, 1.0)
    pairs = np.array(list(itertools.combinations(range(6), 2)))[::2]
    fields = {
        "similarity": senses * likes + 0.1 * random.normal(size=(6, 4)),
        "pairs": pairs,
        "weights": 30 * random.uniform(size=len(pairs)),
        "bias": 5 * random.normal(size=6),
        "num_features": 4,
        "per_class": 2,
    }
    return assignment.AssignmentProblem(**{**fields, **changes})


def all_rows(size):
    chosen = list(itertools.combinations(range(4), size))
    rows = np.zeros((len(chosen), 4), int)
    for row, features in zip(rows, chosen, strict=True):
        row[list(features)] = 1
    return rows


def brute_force(problem):
    """Z of the best solution, by looking at every selection and every assignment."""
    options = [all_rows(size) for size in problem.class_sizes]
    index = np.array(list(itertools.product(*(range(len(rows)) for rows in options))))
    taken = np.stack([rows[i] for rows, i in zip(options, index.T, strict=True)], 1)
    taken = taken[(taken.sum(axis=1) >= problem.min_classes).all(axis=1)]
    free = set(range(6)) - set(problem.forced_out)
    best = -np.inf
    for chosen in itertools.combinations(sorted(free), 4):
        if not set(problem.forced_in) <= set(chosen):
            continue
        selected = np.array(chosen)
        weights = problem.similarity[selected].T
        signs = np.where(weights < 0, -1, 1) if problem.ternary else 1
        codes = (taken * signs) @ 3 ** np.arange(4)
        ranked = np.sort(codes, axis=1)
        distinct = (ranked[:, 1:] != ranked[:, :-1]).all(axis=1)
        worth = (taken * signs * weights).sum(axis=(1, 2))
        if distinct.any():
            zero = np.zeros((4, 4), int)
            rest = problem.objective(selected, zero)
            best = max(best, problem.scale * worth[distinct].max() + rest)
    return best


@pytest.mark.parametrize("name", CHANGES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None)
def test_highs_proves_the_optimum_of_every_kind_of_problem(name, seed):
    problem = tiny_problem(seed, **CHANGES[name])
    result = assignment.solve(problem, "highs", threads=1)
    assert result.status == "optimal"
    assert result.objective == pytest.approx(brute_force(problem), rel=1e-6)
    check(problem, result.selected, result.assignment)


@pytest.mark.parametrize("name", ["ternary", "sizes", "forced", "all"])
@pytest.mark.parametrize("enumerate_small", [True, False])
def test_native_solves_every_kind_of_problem(name, enumerate_small):
    for seed in range(4):
        problem = tiny_problem(seed, **CHANGES[name])
        result = assignment.solve(
            problem, patience=5, price_steps=400, enumerate_small=enumerate_small
        )
        best = brute_force(problem)
        check(problem, result.selected, result.assignment)
        assert result.bound >= best * (1 - 1e-9)
        # A minimum of classes is met by repair, which may miss the best by a little.
        slack = 0.05 if problem.min_classes else 1e-9
        assert result.objective >= best - slack * abs(best)


def test_scip_proves_the_optimum_with_signs_and_minimum():
    pytest.importorskip("pyscipopt")
    problem = tiny_problem(3, **CHANGES["all"])
    result = assignment.solve(problem, "scip")
    assert result.status == "optimal"
    assert result.objective == pytest.approx(brute_force(problem), rel=1e-6)


def test_a_ternary_assignment_carries_the_signs_of_the_similarity():
    problem = tiny_problem(0, ternary=True)
    result = assignment.solve(problem, "highs", threads=1)
    assert result.assignment.dtype == np.int8
    taken = result.assignment != 0
    values = problem.similarity[result.selected].T
    assert (np.sign(values)[taken] == result.assignment[taken]).all()
    assert (result.assignment == -1).any()


def test_without_ternary_the_values_are_the_similarity_and_no_sign_is_negative():
    problem = tiny_problem(0)
    np.testing.assert_allclose(problem.values, problem.scale * problem.similarity.T)
    assert (problem.signs == 1).all()
    signed = tiny_problem(0, ternary=True)
    np.testing.assert_allclose(
        signed.values * signed.signs, signed.scale * signed.similarity.T
    )


def test_the_sign_of_a_similarity_of_zero_is_positive():
    problem = tiny_problem(0, similarity=np.zeros((6, 4)), ternary=True)
    assert (problem.signs == 1).all()


def test_equal_features_of_opposite_signs_are_different_rows():
    similarity = np.array([[1.0, -1, 0.1], [1, -1, 0], [0, 0, 1]])
    problem = assignment.AssignmentProblem(
        similarity, [], [], None, num_features=3, per_class=2, ternary=True
    )
    result = assignment.solve(problem, "highs", threads=1)
    assert result.assignment[:2].tolist() == [[1, 1, 0], [-1, -1, 0]]
    taken, value = assign_selection(problem, np.arange(3))
    assert value == pytest.approx(result.objective)
    assert (problem.signed(np.arange(3), taken) == result.assignment).all()


def test_the_objective_of_a_ternary_assignment_rewards_what_a_class_lacks():
    problem = tiny_problem(0, ternary=True, pairs=[], weights=[], bias=None)
    taken = np.zeros((4, 4), int)
    taken[1, 2], taken[3, 0] = -1, 1
    expected = problem.scale * (problem.similarity[0, 3] - problem.similarity[2, 1])
    assert problem.objective(range(4), taken) == pytest.approx(expected)
    with pytest.raises(ValueError, match="only -1, 0 and 1"):
        problem.objective(range(4), 2 * taken)
    with pytest.raises(ValueError, match="ternary=True"):
        tiny_problem(0).objective(range(4), taken)


def feasible_rows():
    return np.eye(4, dtype=bool) | np.roll(np.eye(4, dtype=bool), 1, axis=1)


def test_a_sign_against_the_similarity_never_leaves():
    problem = tiny_problem(0, ternary=True)
    rows = problem.signed(np.arange(4), feasible_rows())
    check(problem, np.arange(4), rows)
    with pytest.raises(RuntimeError, match="sign of the problem"):
        check(problem, np.arange(4), -rows)
    with pytest.raises(RuntimeError, match="sign of the problem"):
        check(tiny_problem(0), np.arange(4), -feasible_rows().astype(int))


def test_a_feature_of_too_few_classes_never_leaves():
    problem = tiny_problem(0, min_classes=2)
    check(problem, np.arange(4), feasible_rows())
    rows = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]], bool)
    with pytest.raises(RuntimeError, match="serves min_classes"):
        check(problem, np.arange(4), rows)


def test_a_bound_below_the_objective_is_an_error_and_rounding_is_not():
    problem = tiny_problem(0)
    rows, selected = feasible_rows(), np.arange(4)
    value = problem.objective(selected, rows)
    made = make_assignment(
        problem, selected, rows, value - 1e-8 * abs(value), 0.0, "highs", "optimal"
    )
    assert made.bound == made.objective
    with pytest.raises(RuntimeError, match="its bound is wrong"):
        make_assignment(
            problem, selected, rows, value - 1e-4 * abs(value), 0.0, "highs", "optimal"
        )


def test_whole_numbers_make_the_same_assignment_as_booleans():
    rows = feasible_rows().astype(int)
    made = make_assignment(
        tiny_problem(0), np.arange(4), rows, np.inf, 0.0, "highs", "stalled"
    )
    assert made.assignment.dtype == bool


def test_more_places_than_the_classes_have_are_refused():
    tiny_problem(0, min_classes=2)
    with pytest.raises(ValueError, match="min_classes may be at most 2"):
        tiny_problem(0, min_classes=3)


@given(seed=st.integers(0, 10**6), data=st.data())
@settings(max_examples=30, deadline=None)
def test_swaps_always_serve_every_feature_and_keep_the_rows_different(seed, data):
    random = np.random.default_rng(seed)
    size = data.draw(st.integers(1, 4))
    options = list(itertools.combinations(range(5), size))
    count = data.draw(st.integers(1, len(options)))
    taken = np.zeros((count, 5), bool)
    # The first subsets in order crowd on the first features: the worst start.
    for row, features in zip(taken, options, strict=False):
        row[list(features)] = True
    minimum = count * size // 5
    repaired = serve_all(random.normal(size=(count, 5)), taken, minimum)
    assert (repaired.sum(axis=0) >= minimum).all()
    assert (repaired.sum(axis=1) == size).all()
    assert len(np.unique(repaired, axis=0)) == count


@pytest.mark.parametrize("changes", [{"ternary": True}, {"min_classes": 2}, {}])
def test_large_problems_start_from_the_native_search(changes, monkeypatch):
    problem = tiny_problem(1, **changes)
    monkeypatch.setattr(exact, "_SMALL", 0)
    result = assignment.solve(problem, "highs", threads=1)
    assert result.objective == pytest.approx(brute_force(problem), rel=1e-6)


@pytest.mark.parametrize("changes", [{"ternary": True}, {"min_classes": 2}])
def test_no_time_still_gives_a_feasible_solution(changes):
    problem = tiny_problem(1, **changes)
    result = assignment.solve(problem, "highs", time_limit=0)
    assert result.status == "time_limit"
    check(problem, result.selected, result.assignment)
