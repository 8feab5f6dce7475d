import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_jax.regression import RegressionProblem, is_bounded, make_solution
from qpm_jax.regression.problem import centred, derived_intercept_bound

FEATURES = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
LABELS = np.array([0, 1, 1, 0])


def problem(**changes):
    fields = {
        "features": FEATURES,
        "labels": LABELS,
        "num_classes": 2,
        "alpha": 2,
        "beta": 5,
    }
    return RegressionProblem(**(fields | changes))


def test_a_margin_is_the_own_score_less_the_best_other():
    three = RegressionProblem(FEATURES[:3], [0, 1, 2], 3, 2, 5)
    weights = [[1, 0], [0, 1], [-1, 0]]
    # Scores 1 0 1 | 0 1 2 | 1 1 1.
    assert three.margins(weights, [0, 0, 2]).tolist() == [0, -1, 0]


def test_the_objective_is_weights_less_priced_margins():
    weights = [[1, 0], [0, 1]]
    # Margins 1, 1, 0, 0 and two weights.
    assert problem().objective(weights, [0, 0]) == 2 - 2 * 2
    # The second class's intercept of 3: margins -2, 4, 3, -3.
    assert problem().objective(weights, [0, 3]) == 2 - 2 * 7 + 5 * 5


def test_zero_weights_cost_nothing():
    assert problem().objective(np.zeros((2, 2), int), [0, 0]) == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(-50, 50))
def test_a_constant_added_to_all_intercepts_changes_nothing(seed, shift):
    random = np.random.default_rng(seed)
    weights, offsets = random.integers(-1, 2, (2, 2)), random.integers(-9, 9, 2)
    assert problem().objective(weights, offsets) == problem().objective(
        weights, offsets + shift
    )
    assert np.array_equal(centred(offsets), centred(offsets + shift))
    assert np.abs(centred(offsets)).max() <= (np.ptp(offsets) + 1) // 2


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=5),
    st.integers(1, 5),
    st.integers(0, 5),
)
def test_a_program_is_bounded_iff_no_intercept_pays_for_ever(counts, alpha, more):
    beta = alpha + more
    labels = np.repeat(np.arange(len(counts)), counts)
    whole = RegressionProblem(
        np.ones((len(labels), 1), int), labels, len(counts), alpha, beta
    )
    none = np.zeros((len(counts), 1), int)
    lifted = 1000 * np.eye(len(counts), dtype=int)
    pays = any(whole.objective(none, offsets) < 0 for offsets in lifted)
    assert whole.is_bounded == (not pays)
    assert whole.is_bounded == is_bounded(labels, len(counts), alpha, beta)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_some_optimum_has_intercepts_within_the_derived_bound(
    make_problem, brute_force, classes, seed
):
    small = make_problem(seed, instances=5, features=4 - classes, classes=classes)
    if not small.is_bounded:
        pytest.skip("drawn unbounded")
    beyond = brute_force(small)
    assert brute_force(small, small.intercept_limit) == beyond


def test_the_derived_bound_is_the_longest_instance_or_twice_it():
    assert derived_intercept_bound(FEATURES, 2) == 2
    assert derived_intercept_bound(-FEATURES, 3) == 4
    assert problem().intercept_limit == 2
    assert problem(intercept_bound=7).intercept_limit == 7


def test_where_the_program_is_unbounded_weights_can_outvote_the_intercepts():
    features = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1]])
    unbalanced = RegressionProblem(features, [0, 0, 0, 1], 2, 2, 5)
    assert not unbalanced.is_bounded
    assert unbalanced.intercept_limit == 2
    empty = RegressionProblem(features * 0, [0, 0, 0, 1], 2, 2, 5)
    assert empty.intercept_limit == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": FEATURES[:, :0]}, "features has shape"),
        ({"features": FEATURES + 0.5}, "features holds 1.5"),
        ({"features": FEATURES.astype(str)}, "features holds <U"),
        ({"features": FEATURES * 2**52}, r"2\*\*52"),
        ({"labels": [0, 1, 1]}, "labels has shape"),
        ({"labels": [0, 1, 2, 1]}, "labels holds 0 to 2"),
        ({"labels": [0, 0, 0, 0]}, "no instance of class 1"),
        ({"num_classes": 1}, "num_classes is 1"),
        ({"alpha": 0}, "alpha is 0"),
        ({"beta": np.inf}, "beta is inf"),
        ({"alpha": "2"}, "alpha is '2'"),
        ({"beta": 1.9}, "unbounded"),
        ({"intercept_bound": -1}, "intercept_bound is -1"),
        ({"intercept_bound": 1.5}, "intercept_bound is 1.5"),
    ],
)
def test_a_malformed_problem_is_refused_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        problem(**changes)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="coefficients has shape"):
        problem().margins(np.zeros((3, 2)), [0, 0])
    with pytest.raises(ValueError, match="intercepts holds"):
        problem().margins(np.zeros((2, 2)), [0, 0.5])


def test_whole_numbers_of_any_type_are_taken():
    assert problem(features=FEATURES.astype(bool)).features.dtype == np.int64
    assert problem(features=FEATURES.astype(np.float32)).features.dtype == np.int64


def test_a_solution_is_centred_evaluated_and_bounded():
    found = make_solution(
        problem(), [[1, 0], [0, 1]], [10, 10], -5.0, 1.5, "some", "time_limit"
    )
    assert found.coefficients.dtype == np.int8
    assert found.intercepts.tolist() == [0, 0]
    assert (found.objective, found.bound, found.gap) == (-2, -5, 1.5)
    assert found.reduction == 0.5


def test_a_solution_without_a_bound_has_no_gap():
    found = make_solution(
        problem(), [[1, 0], [0, 1]], [0, 0], -np.inf, 0, "some", "time_limit"
    )
    assert found.gap == np.inf


@pytest.mark.parametrize(
    ("weights", "offsets", "bound", "words"),
    [
        ([[2, 0], [0, 0]], [0, 0], -5, "a weight of 2"),
        ([[1, 0], [0, 0]], [0, 6], -5, "intercepts of up to 3"),
        ([[1, 0], [0, 1]], [0, 0], -1, "its bound is wrong"),
    ],
)
def test_a_wrong_answer_is_caught(weights, offsets, bound, words):
    with pytest.raises(RuntimeError, match=words):
        make_solution(problem(), weights, offsets, bound, 0, "some", "optimal")


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="status is 'done'"):
        make_solution(problem(), [[1, 0], [0, 1]], [0, 0], -5, 0, "some", "done")
